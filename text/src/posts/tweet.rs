//! Twitter's v1.1 statuses, and the other messages of its streams.
//!
//! Idea: a status may hold its text at four levels, and each level has its own list of hashtags; both are always taken
//! from the same level: of a retweet from the original, there first from `extended_tweet`, then from `full_text`
//! (extended mode), then from `text`. Lists further out are cut, they lack the tags beyond 140 characters.
//! Invariant: a retweet keeps its own id, author and time. What it quotes (`quoted_status`) is not counted, as the
//! quoted post was, or will be, a record of its own.
//! Source: the public documentation of the v1.1 data dictionary and of its streaming messages.

use std::borrow::Cow;

use super::bad::{Bad, Reason};
use super::json::{Raw, Str, language, object, pass};
use super::snowflake::own_time;
use super::tags::Tags;
use super::{Post, Record};

object! {
    /// The fields of a status that are read, and the keys by which the stream's other messages are known.
    struct Tweet<'a> {
        id: Raw<'a> = "id",
        id_str: Str<'a> = "id_str",
        user: User<'a> = "user",
        created_at: Raw<'a> = "created_at",
        timestamp_ms: Raw<'a> = "timestamp_ms",
        lang: Str<'a> = "lang",
        text: Str<'a> = "text",
        full_text: Str<'a> = "full_text",
        entities: Entities<'a> = "entities",
        extended_tweet: Extended<'a> = "extended_tweet",
        retweeted_status: Box<Original<'a>> = "retweeted_status",
        delete: Raw<'a> = "delete",
        limit: Raw<'a> = "limit",
        scrub_geo: Raw<'a> = "scrub_geo",
        disconnect: Raw<'a> = "disconnect",
        status_withheld: Raw<'a> = "status_withheld",
        user_withheld: Raw<'a> = "user_withheld",
        warning: Raw<'a> = "warning",
        // The Eneco connector's own.
        is_retweet: bool = "is_retweet",
        created_at_then: Raw<'a> = "createdAt",
        // Every post of the X API v2 has one of these.
        author_id: Raw<'a> = "author_id",
        edits: Raw<'a> = "edit_history_tweet_ids",
    }
}

object! {
    /// The account that posted.
    struct User<'a> {
        screen_name: Str<'a> = "screen_name",
        screen_name_then: Str<'a> = "screenName",
        id_str: Str<'a> = "id_str",
        id: Raw<'a> = "id",
    }
}

object! {
    /// What was found in a text; only its hashtags are of use here.
    struct Entities<'a> { hashtags: Tags<'a> = "hashtags" }
}

object! {
    /// The whole of a text that is longer than 140 characters, in compatibility mode.
    struct Extended<'a> { full_text: Str<'a> = "full_text", entities: Entities<'a> = "entities" }
}

object! {
    /// The status that a retweet repeats. An original is never a retweet itself.
    struct Original<'a> {
        lang: Str<'a> = "lang",
        text: Str<'a> = "text",
        full_text: Str<'a> = "full_text",
        entities: Entities<'a> = "entities",
        extended_tweet: Extended<'a> = "extended_tweet",
    }
}

/// Reads a record in the shape of a status, or of another message of the stream.
///
/// # Errors
/// As [`pass`], and [`Reason::NoText`] for an object that is neither another message nor has a text.
pub(super) fn record(text: &str) -> Result<Record<'_>, Bad> {
    let mut tweet = Tweet::default();
    pass(text, |input| tweet.fill(input))?;
    match (tweet.has_text(), tweet.message()) {
        (false, Some(kind)) => Ok(Record::Other(kind)),
        _ => tweet.post().map(Record::Post),
    }
}

impl<'a> Tweet<'a> {
    /// Whether it has a text at any level.
    pub(super) fn has_text(&self) -> bool {
        let original = self.retweeted_status.as_ref();
        let extended =
            |extended: Option<&Extended>| extended.is_some_and(|extended| extended.full_text.is_some());
        self.text.is_some()
            || self.full_text.is_some()
            || extended(self.extended_tweet.as_ref())
            || original.is_some_and(|it| it.text.is_some() || it.full_text.is_some())
            || extended(original.and_then(|it| it.extended_tweet.as_ref()))
    }

    /// The kind of message where this is none of the statuses.
    pub(super) fn message(&self) -> Option<&'static str> {
        let kinds = [
            ("delete", self.delete),
            ("limit", self.limit),
            ("scrub_geo", self.scrub_geo),
            ("disconnect", self.disconnect),
            ("status_withheld", self.status_withheld),
            ("user_withheld", self.user_withheld),
            ("warning", self.warning),
        ];
        kinds.into_iter().find(|(_, body)| body.is_some_and(Raw::is_object)).map(|(kind, _)| kind)
    }

    /// The status as a post, which leaves it without most of what it had.
    ///
    /// # Errors
    /// [`Reason::NoText`] where no level has a text, [`Reason::Type`] where an id is neither a string nor an integer.
    pub(super) fn post(&mut self) -> Result<Post<'a>, Bad> {
        let id = match (self.id_str.take(), self.id) {
            (Some(id), _) => Some(id.0),
            (None, Some(id)) => Some(id.id("id")?),
            (None, None) => None,
        };
        let time = own_time(self.timestamp_ms, self.created_at, id.as_deref());
        let author = self.user.take().map(User::name).transpose()?.flatten();
        let original = self.retweeted_status.take();
        let repost = original.is_some();
        let (lang, first) = original.map_or((None, None), |original| {
            let Original { lang, text, full_text, entities, extended_tweet } = *original;
            (language(lang), level(extended_tweet, full_text, text, entities))
        });
        let own = || {
            level(self.extended_tweet.take(), self.full_text.take(), self.text.take(), self.entities.take())
        };
        let (text, entities) = first.or_else(own).ok_or_else(|| {
            Bad::new(Reason::NoText, "a status without `text`, `full_text` or `extended_tweet`")
        })?;
        Ok(Post {
            id,
            author,
            time,
            text: text.0,
            html: true,
            lang: lang.or_else(|| language(self.lang.take())),
            hashtags: entities.and_then(|entities| entities.hashtags).map(|tags| tags.0),
            repost,
        })
    }
}

impl<'a> User<'a> {
    /// The account's handle, else its id.
    fn name(self) -> Result<Option<Cow<'a, str>>, Bad> {
        match (self.screen_name.or(self.id_str), self.id) {
            (Some(name), _) => Ok(Some(name.0)),
            (None, Some(id)) => id.id("user.id").map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// The fullest text of one status with the entities that belong to it.
fn level<'a>(
    extended: Option<Extended<'a>>,
    full_text: Option<Str<'a>>,
    text: Option<Str<'a>>,
    entities: Option<Entities<'a>>,
) -> Option<(Str<'a>, Option<Entities<'a>>)> {
    match extended {
        Some(Extended { full_text: Some(whole), entities }) => Some((whole, entities)),
        _ => Some((full_text.or(text)?, entities)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::OwnTime;
    use super::super::tests::post;
    use super::*;

    #[test]
    fn a_status_is_read_whole() {
        let status = r##"{"created_at":"Wed Jul 20 17:50:10 +0000 2016","id":755822121331281920,
            "id_str":"755822121331281920","text":"first … https://t.co/x","truncated":true,"lang":"en",
            "timestamp_ms":"1469037010001","user":{"id":1,"id_str":"1","screen_name":"a","description":"#no"},
            "entities":{"hashtags":[{"text":"cut","indices":[0,4]}]},
            "extended_tweet":{"full_text":"all &amp; more #cut #Whole","entities":{"hashtags":[
                {"text":"cut","indices":[13,17]},{"text":"Whole","indices":[18,24]}]}},
            "quoted_status":{"text":"quoted #not","entities":{"hashtags":[{"text":"not"}]}},"retweeted_status":null}"##;
        assert_eq!(
            post(record, status),
            Post {
                id: Some("755822121331281920".into()),
                author: Some("a".into()),
                time: OwnTime::At(1_469_037_010_001),
                text: "all &amp; more #cut #Whole".into(),
                html: true,
                lang: Some("en".into()),
                hashtags: Some(vec!["cut".into(), "Whole".into()]),
                repost: false,
            }
        );
        assert!(matches!(post(record, status).text, Cow::Borrowed(_)));
    }

    #[test]
    fn a_retweet_is_counted_by_its_original_and_dated_by_itself() {
        let retweet = r#"{"id_str":"2","user":{"screen_name":"b"},"timestamp_ms":"1469037020000","lang":"und",
            "text":"RT @a: first …","entities":{"hashtags":[]},"retweeted_status":{"id_str":"1","timestamp_ms":"1",
            "user":{"screen_name":"a"},"lang":"ja","text":"first …","entities":{"hashtags":[]},
            "extended_tweet":{"full_text":"first and last","entities":{"hashtags":[{"text":"last"}]}}}}"#;
        let post = post(record, retweet);
        assert!(post.repost);
        assert_eq!((post.id.as_deref(), post.author.as_deref()), (Some("2"), Some("b")));
        assert_eq!((&*post.text, post.lang.as_deref()), ("first and last", Some("ja")));
        assert_eq!(post.time, OwnTime::At(1_469_037_020_000));
        assert_eq!(post.hashtags, Some(vec!["last".into()]));
    }

    #[test]
    fn the_hashtags_belong_to_the_level_of_the_text() {
        for (status, text, tags) in [
            (r#"{"text":"a"}"#, "a", None),
            (r#"{"text":"a","entities":{}}"#, "a", None),
            (r#"{"text":"a","entities":{"hashtags":[]}}"#, "a", Some(vec![])),
            (
                r#"{"text":"a","full_text":"b","entities":{"hashtags":[{"text":"t"}]}}"#,
                "b",
                Some(vec!["t".into()]),
            ),
            (r#"{"text":"a","entities":{"hashtags":[]},"extended_tweet":{"full_text":"b"}}"#, "b", None),
            (r#"{"text":"a","entities":{"hashtags":[]},"extended_tweet":{}}"#, "a", Some(vec![])),
            (r#"{"text":"RT","retweeted_status":{}}"#, "RT", None),
        ] {
            let post = post(record, status);
            assert_eq!((&*post.text, post.hashtags), (text, tags), "{status}");
        }
    }

    #[test]
    fn other_messages_and_faults() {
        for kind in
            ["delete", "limit", "scrub_geo", "disconnect", "status_withheld", "user_withheld", "warning"]
        {
            assert_eq!(record(&format!(r#"{{"{kind}":{{}}}}"#)), Ok(Record::Other(kind)));
            assert_eq!(post(record, &format!(r#"{{"{kind}":{{}},"text":"a"}}"#)).text, "a");
        }
        for (value, reason) in [
            ("{}", Reason::NoText),
            (r#"{"text":null}"#, Reason::NoText),
            (r#"{"text":5}"#, Reason::Type),
            (r#"{"text":"a","user":"b"}"#, Reason::Type),
            (r#"{"text":"a","user":["b"]}"#, Reason::Type),
            (r#"{"text":"a","id":1.5}"#, Reason::Type),
            (r#"{"text":"a","id":{}}"#, Reason::Type),
            (r#"{"text":"a","entities":{"hashtags":"b"}}"#, Reason::Type),
            (r#"["a"]"#, Reason::Type),
            (r#""a""#, Reason::Type),
            ("a", Reason::Json),
        ] {
            assert_eq!(record(value).unwrap_err().reason, reason, "{value}");
        }
    }
}
