//! What the Eneco connector writes: a plain text, or a struct much like a v1.1 status.
//!
//! Idea: the struct names its fields as Twitter does, so that [`Tweet`] reads it; what differs is that it says outright
//! whether it is a retweet, holds a retweet's text only cut (`RT @name: ..`), and that the library behind the connector
//! has undone the HTML escapes. Its first versions wrote `createdAt`, `favoriteCount` and `user.screenName` instead.
//! Invariant: with and without the envelope of Kafka Connect a record gives the same post.
//! Source: the connector's public documentation and code.

use super::bad::Bad;
use super::envelope::{Payload, open};
use super::json::{Raw, Str, pass};
use super::snowflake::minted_ms;
use super::tweet::Tweet;
use super::{OwnTime, Post, Record, text};

/// Reads a record: JSON where it begins with `{`, else the text itself.
///
/// # Errors
/// As [`pass`] and [`open`], and [`super::Reason::NoText`].
pub(super) fn record(value: &str) -> Result<Record<'_>, Bad> {
    if !value.trim_ascii_start().starts_with('{') {
        return Ok(Record::Post(text::post(value.into())));
    }
    let json = match open(value)? {
        Some(Payload::Text(text)) => return Ok(Record::Post(text::post(text))),
        Some(Payload::Object(json)) => json,
        None => value,
    };
    let mut tweet = Tweet::default();
    pass(json, |input| tweet.fill(input))?;
    post(&mut tweet).map(Record::Post)
}

/// Whether a status is one that this connector has written.
pub(super) fn wrote(tweet: &Tweet<'_>) -> bool {
    tweet.is_retweet.is_some() || tweet.created_at_then.is_some()
}

/// The struct as a post.
///
/// # Errors
/// As [`Tweet::post`].
pub(super) fn post<'a>(tweet: &mut Tweet<'a>) -> Result<Post<'a>, Bad> {
    let is_retweet = tweet.is_retweet.unwrap_or(false);
    let then = tweet.created_at_then;
    let handle = tweet.user.as_mut().and_then(|user| user.screen_name_then.take()).map(|Str(name)| name);
    let post = tweet.post()?;
    Ok(Post {
        time: then.map_or(post.time, |then| time_then(then, post.id.as_deref())),
        author: handle.or(post.author),
        html: false,
        repost: is_retweet || post.repost,
        ..post
    })
}

/// The time of a struct of the first versions. Their `createdAt` has the name of a time zone (`.. 09:41:56 CEST 2016`),
/// which does not say which zone it is; the id knows the time better.
fn time_then(created_at: Raw<'_>, id: Option<&str>) -> OwnTime {
    id.and_then(minted_ms).map_or_else(|| created_at.time(), OwnTime::At)
}

#[cfg(test)]
mod tests {
    use super::super::bad::Reason;
    use super::super::tests::post;
    use super::*;

    const STRUCT: &str = r#"{"id":723416534626881536,"created_at":"2016-04-22T07:41:56.000+0000",
        "user":{"id":4877511249,"name":"r","screen_name":"rollulus","location":null,"verified":false},
        "text":"Pipio #ergo sum & more","lang":"en","is_retweet":true,
        "entities":{"hashtags":[{"text":"ergo"}],"media":[],"urls":[],"user_mentions":[]}}"#;

    #[test]
    fn a_struct_is_read_with_and_without_its_envelope() {
        let expected = Post {
            id: Some("723416534626881536".into()),
            author: Some("rollulus".into()),
            time: OwnTime::At(1_461_310_916_941),
            text: "Pipio #ergo sum & more".into(),
            html: false,
            lang: Some("en".into()),
            hashtags: Some(vec!["ergo".into()]),
            repost: true,
        };
        assert_eq!(post(record, STRUCT), expected);
        assert_eq!(
            post(record, &format!(r#"{{"schema":{{"type":"struct"}},"payload":{STRUCT}}}"#)),
            expected
        );
    }

    #[test]
    fn a_text_is_read_with_and_without_its_envelope() {
        assert_eq!(post(record, "Pipio \"ergo\" sum").text, "Pipio \"ergo\" sum");
        assert_eq!(
            post(record, r#"{"schema":{"type":"string"},"payload":"Pipio \"ergo\" sum"}"#).text,
            "Pipio \"ergo\" sum"
        );
    }

    #[test]
    fn structs_of_the_first_versions() {
        let old = r#"{"id":ID,"createdAt":"WHEN","favoriteCount":0,"text":"a","user":{"id":1,"name":"r","screenName":"s"}}"#;
        let with = |id: &str, when: &str| old.replace("ID", id).replace("WHEN", when);
        let zoned = with("723416534626881536", "Fri Apr 22 09:41:56 CEST 2016");
        assert_eq!(post(record, &zoned).time, OwnTime::At(1_461_310_916_941));
        assert_eq!(post(record, &zoned).author.as_deref(), Some("s"));
        assert_eq!(post(record, &with("1", "Fri Apr 22 09:41:56 CEST 2016")).time, OwnTime::Unusable);
        assert_eq!(
            post(record, &with("1", "Fri Apr 22 07:41:56 +0000 2016")).time,
            OwnTime::At(1_461_310_916_000)
        );
    }

    #[test]
    fn a_struct_without_a_text_is_bad() {
        assert_eq!(record(r#"{"id":1,"text":null,"is_retweet":false}"#).unwrap_err().reason, Reason::NoText);
        assert_eq!(record(r#"{"schema":{},"payload":null}"#).unwrap_err().reason, Reason::Tombstone);
        assert_eq!(record("{").unwrap_err().reason, Reason::Json);
    }
}
