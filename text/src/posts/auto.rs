//! The shape found out record by record.
//!
//! Idea: a value whose first byte other than white space is `{` is JSON, and its shape follows from the fields of the
//! outermost object; everything else is a plain text.
//! Invariant: the shape depends on which fields there are, never on their order, nor on any record before. A JSON
//! object in no known shape is a fault and never counted as a text, since then its field names would be counted.
//! Cost: that of reading a tweet, as these are tried first; another pass over the record for any other shape.

use super::bad::{Bad, Reason};
use super::envelope::{Payload, open};
use super::json::{Raw, object, pass, read};
use super::tweet::Tweet;
use super::{Record, eneco, jcustenborder, jetstream, mastodon, text, tweet, x};

object! {
    /// Fields by which a shape is known; whatever is in them is looked at by the shape's own reader.
    struct Marks<'a> {
        frame: Raw<'a> = "$type",
        kind: Raw<'a> = "kind",
        did: Raw<'a> = "did",
        event: Raw<'a> = "event",
        payload: Raw<'a> = "payload",
        content: Raw<'a> = "content",
        reblog: Raw<'a> = "reblog",
        account: Raw<'a> = "account",
        data: Raw<'a> = "data",
        errors: Raw<'a> = "errors",
        connection_issue: Raw<'a> = "connection_issue",
        text: Raw<'a> = "Text",
        deleted: Raw<'a> = "StatusId",
    }
}

/// Reads a record of any shape.
///
/// # Errors
/// As the shape's own reader, and [`Reason::UnknownShape`].
pub(super) fn record(value: &str) -> Result<Record<'_>, Bad> {
    let start = value.trim_ascii_start();
    if !start.starts_with('{') {
        return match start.strip_prefix('\u{feff}') {
            Some(json) if json.trim_ascii_start().starts_with('{') => {
                Err(Bad::new(Reason::Json, "a byte order mark stands before the JSON"))
            }
            _ => Ok(Record::Post(text::post(value.into()))),
        };
    }
    if let Some(record) = bare(value)? {
        return Ok(record);
    }
    match open(value)? {
        Some(Payload::Text(text)) => Ok(Record::Post(text::post(text))),
        Some(Payload::Object(json)) => bare(json)?.ok_or_else(unknown),
        None => Err(unknown()),
    }
}

/// Reads an object that is in no envelope; `None` where its shape is not known.
fn bare(json: &str) -> Result<Option<Record<'_>>, Bad> {
    let mut tweet = Tweet::default();
    pass(json, |input| tweet.fill(input))?;
    if tweet.has_text() {
        return if tweet.author_id.is_some() || tweet.edits.is_some() {
            x::bare(json).map(Some)
        } else if eneco::wrote(&tweet) {
            eneco::post(&mut tweet).map(|post| Some(Record::Post(post)))
        } else {
            tweet.post().map(|post| Some(Record::Post(post)))
        };
    }
    if let Some(kind) = tweet.message() {
        return Ok(Some(Record::Other(kind)));
    }
    let marks: Marks = read(json)?;
    let reader: fn(&str) -> Result<Record<'_>, Bad> = match marks {
        Marks { event: Some(_), payload: Some(_), .. } => mastodon::record,
        Marks { frame: Some(_), .. } | Marks { did: Some(_), kind: Some(_), .. } => jetstream::record,
        Marks { content: Some(_), .. } | Marks { reblog: Some(_), account: Some(_), .. } => mastodon::record,
        Marks { data: Some(_), .. }
        | Marks { errors: Some(_), .. }
        | Marks { connection_issue: Some(_), .. } => x::record,
        Marks { text: Some(_), .. } | Marks { deleted: Some(_), .. } => jcustenborder::bare,
        // The fields of a status are there, but none of those that hold its text.
        _ if tweet.user.is_some() && tweet.created_at.is_some() => tweet::record,
        _ => return Ok(None),
    };
    reader(json).map(Some)
}

#[cold]
fn unknown() -> Bad {
    Bad::new(
        Reason::UnknownShape,
        "a JSON object in none of the known shapes; posts.format = \"json\" reads any by pointers",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::OwnTime;
    use super::super::tests::post;
    use super::*;

    fn reason(value: &str) -> Reason {
        record(value).unwrap_err().reason
    }

    proptest! {
        #[test]
        fn what_does_not_begin_with_a_brace_is_the_text_itself(value in "[^{\\s\u{feff}].*") {
            prop_assert_eq!(&*post(record, &value).text, &*value);
        }

        #[test]
        fn the_order_of_the_fields_does_not_matter(
            (given, shuffled) in prop::sample::select(vec![
                vec![r#""text":"a""#, r#""content":"b""#, r#""payload":"c""#, r#""data":{"text":"d"}"#],
                vec![r#""content":"b""#, r#""payload":"c""#, r#""data":{"text":"d"}"#, r#""Text":"e""#],
                vec![r#""payload":"c""#, r#""data":{"text":"d"}"#, r#""Text":"e""#, r#""delete":5"#],
                vec![r#""payload":"c""#, r#""Text":"e""#, r#""user":{}"#, r#""id":1"#],
                vec![r#""payload":{"payload":"c"}"#, r#""schema":{}"#, r#""id":1"#],
            ]).prop_flat_map(|fields| (Just(fields.clone()), Just(fields).prop_shuffle()))
        ) {
            let (given, shuffled) = (format!("{{{}}}", given.join(",")), format!("{{{}}}", shuffled.join(",")));
            prop_assert_eq!(record(&given), record(&shuffled));
        }
    }

    #[test]
    fn each_shape_is_known_by_its_fields() {
        for (value, text) in [
            (r#"{"text":"tweet"}"#, "tweet"),
            (r#" {"full_text":"tweet"}"#, "tweet"),
            (r#"{"retweeted_status":{"text":"original"},"text":null}"#, "original"),
            (r#"{"data":{"id":"1","text":"x"}}"#, "x"),
            (r#"{"id":"1","text":"cut","edit_history_tweet_ids":["1"],"note_tweet":{"text":"x"}}"#, "x"),
            (r#"{"id":1,"text":"eneco","is_retweet":false}"#, "eneco"),
            (r#"{"Id":1,"Text":"jcustenborder"}"#, "jcustenborder"),
            (r#"{"content":"<p>mastodon</p>"}"#, "mastodon"),
            (r#"{"event":"update","payload":"{\"content\":\"m\"}"}"#, "m"),
            (r#"{"schema":{},"payload":"string"}"#, "string"),
            (r#"{"schema":null,"payload":{"Text":"in an envelope"}}"#, "in an envelope"),
        ] {
            assert_eq!(post(record, value).text, text, "{value}");
        }
    }

    #[test]
    fn escapes_stand_only_in_what_twitter_itself_wrote() {
        assert!(post(record, r#"{"text":"a &amp; b"}"#).html);
        assert!(post(record, r#"{"data":{"text":"a &amp; b"}}"#).html);
        assert!(!post(record, r#"{"text":"a & b","is_retweet":true}"#).html);
        assert!(!post(record, "a & b").html);
    }

    #[test]
    fn other_messages() {
        for (value, kind) in [
            (r#"{"delete":{"status":{"id":1234}}}"#, "delete"),
            (r#"{"limit":{"track":1234}}"#, "limit"),
            (r#"{"StatusId":1,"UserId":2}"#, "delete"),
            (r#"{"errors":[{"title":"operational-disconnect"}]}"#, "error"),
            (r#"{"$type":"error","error":"ConsumerTooSlow"}"#, "error"),
            (r#"{"did":"d","time_us":1,"kind":"identity","identity":{}}"#, "identity"),
            (r#"{"stream":["public"],"event":"delete","payload":"106692867363994015"}"#, "delete"),
        ] {
            assert_eq!(record(value), Ok(Record::Other(kind)), "{value}");
        }
    }

    #[test]
    fn faults() {
        for (value, expected) in [
            ("{", Reason::Json),
            ("{} {}", Reason::Json),
            ("{lol} a text", Reason::Json),
            ("\u{feff}{\"text\":\"a\"}", Reason::Json),
            ("{}", Reason::UnknownShape),
            (r#"{"body":"a"}"#, Reason::UnknownShape),
            (r#"{"schema":{},"payload":{"schema":{},"payload":"twice"}}"#, Reason::UnknownShape),
            (r#"{"schema":{},"payload":5}"#, Reason::Type),
            (r#"{"schema":{},"payload":null}"#, Reason::Tombstone),
            (r#" {"schema": null, "payload": null}"#, Reason::Tombstone),
            (r#"{"schema":null}"#, Reason::UnknownShape),
            (r#"{"payload":null}"#, Reason::UnknownShape),
            (r#"{"text":5}"#, Reason::Type),
            (r#"{"text":null,"user":{},"created_at":"Wed Jul 20 17:50:10 +0000 2016"}"#, Reason::NoText),
            (r#"{"delete":5}"#, Reason::UnknownShape),
        ] {
            assert_eq!(reason(value), expected, "{value}");
        }
    }

    #[test]
    fn the_first_structs_of_the_eneco_connector_are_dated_by_their_id() {
        let old = r#"{"id":723416534626881536,"createdAt":"Fri Apr 22 09:41:56 CEST 2016","favoriteCount":0,
            "text":"Pipio ergo sum","user":{"id":4877511249,"name":"r","screenName":"rollulus"}}"#;
        let post = post(record, old);
        assert_eq!(post.author.as_deref(), Some("rollulus"));
        assert!(matches!(post.time, OwnTime::At(ms) if ms / 1000 == 1_461_310_916));
    }
}
