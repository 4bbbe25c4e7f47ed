//! Real events of the Jetstream: what a reader sees in each post is written down here by hand.

use std::collections::BTreeMap;

use super::super::OwnTime;
use super::real::read;
use super::*;

/// Key of the record, Unix milliseconds, language, the beginning and the end of the text, hashtags that it names.
type Told =
    (&'static str, i64, Option<&'static str>, &'static str, &'static str, Option<&'static [&'static str]>);

#[rustfmt::skip]
const POSTS: [Told; 17] = [
    // Its facets name a link: so there is a list of its own, without hashtags.
    ("3mptbyoeyc22k", 1_783_175_886_240, Some("en"), "www.youtube.com/watch?v=V5lD...", "", Some(&[])),
    // Its writer's clock was a third of a second ahead.
    ("3mptbyqhi7s2f", 1_783_175_888_420, Some("ja"), "待って天幕のジャードゥーガル観ようと", "ネトフリでも観られるっぽいよかった💦", None),
    ("3mptbyp7lu223", 1_783_175_887_112, Some("ko"), "이쁘시네용~~~", "", None),
    ("3mptbyo7dms2m", 1_783_175_886_055, Some("en"), "Read the part about throwing off the old", "We should do this now!", None),
    ("3mptbypfywk2v", 1_783_175_887_323, Some("de"), "#HowToTellAiToShutUp!  \n\nThese days", "with the rebellion! \n👇", Some(&["HowToTellAiToShutUp", "IndieRebellion"])),
    ("3mptbyospqk2i", 1_783_175_886_690, Some("tr"), "Going under a band's event post and", "as childish as it gets.", None),
    ("3mptbyou7ls2i", 1_783_175_886_691, Some("tr"), "The government you're trying to get", "these comments don't", None),
    ("3mptbyoumc22i", 1_783_175_886_692, Some("tr"), "even know the country's election results", "brain but not using it.", None),
    ("3mptbypky4c27", 1_783_175_887_486, Some("en"), "My show is super boring", "", None),
    // Of two languages the first; a time without a fraction.
    ("3mptbyoigog2b", 1_783_175_882_000, Some("en-US"), "Has anyone properly debunked Tic Tac", "Tic Tac video? by laimisss1", Some(&[])),
    ("3mptbypjm6224", 1_783_175_887_440, Some("en"), "Mount Rushmore and that disgusting", "betrayal. Nothing else.", None),
    ("3mptbypockk2v", 1_783_175_887_594, Some("en"), "Make MAGA-pliant institutions", "uninsurable.", None),
    ("3mptbyproxc2q", 1_783_175_887_706, Some("en"), "", "", None),
    ("3mptbypt22l26", 1_783_175_887_732, None, "denikn.cz/2113523\nV souvislosti", "100 dní před volbami?", Some(&[])),
    ("3mptbypqqok2f", 1_783_175_887_674, Some("en"), "Makes you wonder what is wrong", "the ones in the files??", None),
    ("3mptbxs3hq22j", 1_783_175_856_557, Some("ru"), "Вечерок с Аватаром, дошли", "крутышка, я не могу :", None),
    ("3mptbyo7tas2u", 1_783_175_886_071, Some("es"), "\"Behind them, Timmi and Wanky'u", "#balanwonderworldoc", Some(&["talesatwonderworld", "balanwonderworldoc"])),
];

/// What else there is in the file, by its kind.
const OTHER: [(&str, usize); 7] = [
    ("account", 1),
    ("commit", 3),
    ("delete", 1),
    ("follow", 9),
    ("identity", 1),
    ("like", 105),
    ("repost", 15),
];

#[test]
#[ignore = "reads ../shared/data, see .ci/run"]
fn every_event_is_what_a_reader_sees_in_it() {
    let events = read("jetstream/expected_v1.jsonl");
    for format in [Format::Jetstream, Format::Auto] {
        let (mut posts, mut other) = (Vec::new(), BTreeMap::new());
        for event in events.lines() {
            match decode(format, event.as_bytes()) {
                Ok(Record::Post(post)) => posts.push(post),
                Ok(Record::Other(kind)) => *other.entry(kind).or_insert(0) += 1,
                Err(bad) => panic!("{bad}: {event}"),
            }
        }
        assert_eq!(other.into_iter().collect::<Vec<_>>(), OTHER);
        assert_eq!(posts.len(), POSTS.len());
        for (post, (key, ms, lang, start, end, tags)) in posts.iter().zip(POSTS) {
            let id = post.id.as_deref().unwrap();
            let author = post.author.as_deref().unwrap();
            assert_eq!(id, format!("at://{author}/app.bsky.feed.post/{key}"));
            assert!(author.starts_with("did:plc:"));
            assert_eq!((post.time, post.lang.as_deref()), (OwnTime::At(ms), lang), "{key}");
            assert!(post.text.starts_with(start) && post.text.ends_with(end), "{key}: {}", post.text);
            assert_eq!(post.text.is_empty(), start.is_empty());
            let own = tags.map(|tags| tags.iter().copied().map(Into::into).collect());
            assert_eq!((&post.hashtags, post.repost, post.html), (&own, false, false), "{key}");
        }
    }
}

#[test]
#[ignore = "reads ../shared/data, see .ci/run"]
fn the_golden_events() {
    let events = read("jetstream/golden_v1.jsonl");
    let found: Vec<_> = events
        .lines()
        .map(|event| match decode(Format::Auto, event.as_bytes()) {
            Ok(Record::Post(post)) => post.text.into_owned(),
            Ok(Record::Other(kind)) => kind.to_owned(),
            Err(bad) => panic!("{bad}: {event}"),
        })
        .collect();
    let post = "Try RSV for a good time !!";
    let expected =
        ["like", post, "repost", "follow", "commit", "commit", "commit", "identity", "account", "commit"];
    assert_eq!(found, expected);
}
