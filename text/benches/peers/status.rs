//! Statuses as Twitter's v1.1 stream sent them, with all that a count does not need, and derived readers of what it does.
//!
//! Idea: some 2.5 KB of account, place, entities and flags around a text of a hundred bytes. The derived readers have the
//! fields of our own, once with strings of their own, as one would write it first, and once borrowing. All are given bytes, as
//! a record has them, but for one reader that need not find out whether they are UTF-8.

use std::borrow::Cow;
use std::hint::black_box;

use serde::Deserialize;
use serde_json::json;
use tidings_synthetic::{Mix, Synthetic};

/// So many statuses, one like the other but for author, text and hashtags.
pub fn statuses(number: usize, seed: u64) -> Vec<String> {
    let mut posts = Synthetic::new(seed, Mix { bad: 0.0, late: 0.0, reposts: 0.0 });
    let mut made = std::iter::from_fn(|| {
        let small = posts.next(1_735_689_600_000).value.unwrap_or_default();
        Some(serde_json::from_slice(&small).ok().map(whole))
    });
    made.by_ref().flatten().take(number).collect()
}

fn whole(mut status: serde_json::Value) -> String {
    let user = json!({
        "id": 755822121331281920_u64, "name": "A Name", "location": "Somewhere, by the sea", "url": "https://example.org/about",
        "description": "Words about somebody, their cats, and what they do all day long.", "protected": false,
        "verified": false, "followers_count": 1234, "friends_count": 567, "listed_count": 8, "favourites_count": 9012,
        "statuses_count": 34567, "created_at": "Wed Jul 20 17:50:10 +0000 2011", "utc_offset": null, "time_zone": null,
        "geo_enabled": true, "lang": "en", "contributors_enabled": false, "is_translator": false,
        "profile_background_color": "C0DEED", "profile_background_tile": false, "profile_link_color": "0084B4",
        "profile_background_image_url": "http://example.org/images/themes/theme1/background.png",
        "profile_image_url_https": "https://example.org/profile_images/755822121331281920/portrait_normal.jpg",
        "profile_banner_url": "https://example.org/profile_banners/755822121331281920/1469037010",
        "profile_sidebar_border_color": "C0DEED", "profile_sidebar_fill_color": "DDEEF6", "profile_text_color": "333333",
        "profile_use_background_image": true, "default_profile": true, "default_profile_image": false,
        "following": null, "follow_request_sent": null, "notifications": null,
    });
    let rest = json!({
        "id": 755822121331281921_u64, "display_text_range": [0, 120], "truncated": false,
        "source": "<a href=\"https://example.org/download\" rel=\"nofollow\">An App for a Telephone</a>",
        "in_reply_to_status_id": null, "in_reply_to_status_id_str": null, "in_reply_to_user_id": null,
        "in_reply_to_user_id_str": null, "in_reply_to_screen_name": null, "geo": null, "coordinates": null,
        "place": { "id": "01a9a39529b27f36", "url": "https://example.org/1.1/geo/id/01a9a39529b27f36.json",
            "place_type": "city", "name": "A Town", "full_name": "A Town, Somewhere", "country_code": "US",
            "country": "United States", "attributes": {}, "bounding_box": { "type": "Polygon", "coordinates":
            [[[-74.026675, 40.683935], [-74.026675, 40.877483], [-73.910408, 40.877483], [-73.910408, 40.683935]]] } },
        "contributors": null, "is_quote_status": false, "retweet_count": 0, "favorite_count": 0, "favorited": false,
        "retweeted": false, "possibly_sensitive": false, "filter_level": "low",
    });
    for (into, more) in [("user", user), ("", rest)] {
        let object = if into.is_empty() { &mut status } else { &mut status[into] };
        for (key, value) in more.as_object().into_iter().flatten() {
            object[key] = value.clone();
        }
    }
    for name in ["urls", "user_mentions", "symbols"] {
        status["entities"][name] = json!([]);
    }
    status["entities"]["urls"] = json!([{ "url": "https://t.co/aBcDeFgHiJ", "indices": [97, 120],
        "expanded_url": "https://example.org/news/2016/07/20/what-happened-today", "display_url": "example.org/news/2016/0…" }]);
    status.to_string()
}

/// A string that borrows where it can.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[derive(Deserialize)]
struct Status<T> {
    id: Option<u64>,
    id_str: Option<T>,
    user: Option<User<T>>,
    created_at: Option<T>,
    timestamp_ms: Option<T>,
    lang: Option<T>,
    text: Option<T>,
    full_text: Option<T>,
    entities: Option<Entities<T>>,
    extended_tweet: Option<Extended<T>>,
    retweeted_status: Option<Box<Original<T>>>,
}

#[derive(Deserialize)]
struct User<T> {
    id: Option<u64>,
    id_str: Option<T>,
    screen_name: Option<T>,
}

#[derive(Deserialize)]
struct Entities<T> {
    hashtags: Option<Vec<Hashtag<T>>>,
}

#[derive(Deserialize)]
struct Hashtag<T> {
    text: T,
}

#[derive(Deserialize)]
struct Extended<T> {
    full_text: Option<T>,
    entities: Option<Entities<T>>,
}

#[derive(Deserialize)]
struct Original<T> {
    lang: Option<T>,
    text: Option<T>,
    full_text: Option<T>,
    entities: Option<Entities<T>>,
    extended_tweet: Option<Extended<T>>,
}

/// Reads a status with a derived reader whose strings are its own.
pub fn derived(record: &[u8]) -> usize {
    read::<String>(serde_json::from_slice(record).expect("it is a status"))
}

/// Reads a status with a derived reader whose strings borrow.
pub fn borrowed(record: &[u8]) -> usize {
    read::<Text<'_>>(serde_json::from_slice(record).expect("it is a status"))
}

/// Reads a status that is known to be UTF-8 with a derived reader whose strings are its own.
pub fn known_text(record: &str) -> usize {
    read::<String>(serde_json::from_str(record).expect("it is a status"))
}

fn read<T: AsRef<str>>(status: Status<T>) -> usize {
    // Nothing that was read may be left out by the compiler.
    black_box((status.id, &status.id_str, &status.created_at, &status.timestamp_ms, &status.lang));
    let user = status.user.map(|user| (user.id, user.id_str, user.screen_name));
    black_box(user);
    let own = (status.text, status.full_text, status.extended_tweet, status.entities);
    let (text, full_text, extended, entities) = match status.retweeted_status.map(|original| *original) {
        Some(Original { lang, text, full_text, extended_tweet, entities }) => {
            black_box(lang);
            (text, full_text, extended_tweet, entities)
        }
        None => own,
    };
    let (text, entities) = match extended {
        Some(Extended { full_text: Some(text), entities }) => (Some(text), entities),
        _ => (full_text.or(text), entities),
    };
    let tags = entities.and_then(|entities| entities.hashtags).unwrap_or_default();
    black_box(tags.iter().map(|tag| tag.text.as_ref().len()).sum::<usize>());
    text.map_or(0, |text| text.as_ref().len()) + tags.len()
}
