//! What the connector `jcustenborder/kafka-connect-twitter` writes: structs whose fields have capitals.
//!
//! Idea: the same facts as in a v1.1 status under other names. Deletions come on a topic of their own. The connector's
//! last version wrote the objects of the X API v2 instead, which are read too.
//! Invariant: with and without the envelope of Kafka Connect a record gives the same post. The library behind the
//! connector has undone the HTML escapes; a retweet's text stays cut (`RT @name: ..`).
//! Source: the connector's public code.

use super::bad::{Bad, Reason};
use super::envelope::{Payload, open};
use super::json::{Raw, Str, language, object, read};
use super::tags::Tags;
use super::{OwnTime, Post, Record, text, x};

object! {
    /// The fields of a status that are read, and the one by which a deletion is known.
    struct Status<'a> {
        id: Raw<'a> = "Id",
        text: Str<'a> = "Text",
        created_at: Raw<'a> = "CreatedAt",
        lang: Str<'a> = "Lang",
        retweet: bool = "Retweet",
        user: User<'a> = "User",
        hashtags: Tags<'a> = "HashtagEntities",
        deleted: Raw<'a> = "StatusId",
    }
}

object! {
    /// The account that posted.
    struct User<'a> { screen_name: Str<'a> = "ScreenName", id: Raw<'a> = "Id" }
}

/// Reads a record, in or out of its envelope.
///
/// # Errors
/// As [`read`] and [`open`], and [`Reason::NoText`].
pub(super) fn record(value: &str) -> Result<Record<'_>, Bad> {
    match open(value)? {
        Some(Payload::Text(text)) => Ok(Record::Post(text::post(text))),
        Some(Payload::Object(json)) => bare(json),
        None => bare(value),
    }
}

/// Reads a struct that stands alone.
///
/// # Errors
/// As [`record`].
pub(super) fn bare(json: &str) -> Result<Record<'_>, Bad> {
    let status: Status = read(json)?;
    let Some(text) = status.text else {
        return match status.deleted {
            Some(_) => Ok(Record::Other("delete")),
            None if status.id.is_none() => x::bare(json),
            None => Err(Bad::new(Reason::NoText, "a status without `Text`")),
        };
    };
    let author = match status.user {
        Some(User { screen_name: Some(name), .. }) => Some(name.0),
        Some(User { id: Some(id), .. }) => Some(id.id("User.Id")?),
        _ => None,
    };
    Ok(Record::Post(Post {
        id: status.id.map(|id| id.id("Id")).transpose()?,
        author,
        time: status.created_at.map_or(OwnTime::Absent, created),
        text: text.0,
        html: false,
        lang: language(status.lang),
        hashtags: status.hashtags.map(|tags| tags.0),
        repost: status.retweet.unwrap_or(false),
    }))
}

/// The time of a status. A number is a `Timestamp` of Kafka Connect, which counts milliseconds; a string may be of any form.
fn created(at: Raw<'_>) -> OwnTime {
    if at.is_string() { at.time() } else { at.time_ms() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = r#"{"CreatedAt":1461310916941,"Id":723416534626881536,"Text":"a #B & c","Lang":"en","Retweet":false,
        "User":{"Id":1,"Name":"n","ScreenName":"s"},"HashtagEntities":[{"Text":"B","Start":2,"End":4}],
        "SymbolEntities":[{"Text":"no"}]}"#;

    #[test]
    fn a_status_is_read_with_and_without_its_envelope() {
        let expected = Ok(Record::Post(Post {
            id: Some("723416534626881536".into()),
            author: Some("s".into()),
            time: OwnTime::At(1_461_310_916_941),
            text: "a #B & c".into(),
            html: false,
            lang: Some("en".into()),
            hashtags: Some(vec!["B".into()]),
            repost: false,
        }));
        assert_eq!(record(STATUS), expected);
        assert_eq!(record(&format!(r#"{{"payload":{STATUS},"schema":{{}}}}"#)), expected);
    }

    #[test]
    fn a_number_counts_milliseconds_whatever_its_size() {
        for (created, expected) in [
            ("1000000000", OwnTime::At(1_000_000_000)),
            ("86400001", OwnTime::At(86_400_001)),
            (r#""1000000000""#, OwnTime::At(1_000_000_000_000)),
            (r#""2016-04-22T07:41:56.941Z""#, OwnTime::At(1_461_310_916_941)),
            ("0", OwnTime::Unusable),
            ("{}", OwnTime::Unusable),
        ] {
            let status = format!(r#"{{"CreatedAt":{created},"Id":1,"Text":"a"}}"#);
            let time = record(&status).map(|record| match record {
                Record::Post(post) => Some(post.time),
                Record::Other(_) => None,
            });
            assert_eq!(time, Ok(Some(expected)), "{created}");
        }
    }

    #[test]
    fn deletions_objects_of_the_x_api_and_faults() {
        assert_eq!(record(r#"{"StatusId":1,"UserId":2}"#), Ok(Record::Other("delete")));
        let v2 = record(r#"{"id":"1","text":"a","entities":{"hashtags":[{"start":0,"end":2,"tag":"b"}]}}"#);
        assert!(matches!(v2, Ok(Record::Post(Post { hashtags: Some(tags), .. })) if tags == ["b"]));
        assert_eq!(record(r#"{"Id":1,"Text":null}"#).unwrap_err().reason, Reason::NoText);
        assert_eq!(record("{}").unwrap_err().reason, Reason::NoText);
        assert_eq!(record(r#"{"Text":5}"#).unwrap_err().reason, Reason::Type);
        assert_eq!(record("a").unwrap_err().reason, Reason::Json);
    }
}
