//! Mastodon's statuses, and the events of its streams that carry them.
//!
//! Idea: a status holds its text as HTML, which is turned into plain text; its hashtags stand beside it. A stream wraps
//! it once more, as JSON inside a string.
//! Invariant: a boost (`reblog`) has the text, language and tags of the original and keeps its own id, author and time.
//! An edit is another message, as the status was counted when it was new. A content warning is not part of the text.
//! Cost: the text is always copied; what comes in a string is copied twice.
//! Source: the public documentation of Mastodon's API.

use std::borrow::Cow;

use super::bad::{Bad, Reason};
use super::html;
use super::json::{Raw, Str, language, object, read};
use super::tags::Tags;
use super::{OwnTime, Post, Record};

object! {
    /// A status, or an event of a stream.
    struct Message<'a> {
        id: Raw<'a> = "id",
        uri: Str<'a> = "uri",
        created_at: Raw<'a> = "created_at",
        language: Str<'a> = "language",
        content: Str<'a> = "content",
        tags: Tags<'a> = "tags",
        reblog: Original<'a> = "reblog",
        account: Account<'a> = "account",
        event: Str<'a> = "event",
        payload: Raw<'a> = "payload",
    }
}

object! {
    /// The status that another one boosts.
    struct Original<'a> { language: Str<'a> = "language", content: Str<'a> = "content", tags: Tags<'a> = "tags" }
}

object! {
    /// The account that posted.
    struct Account<'a> { acct: Str<'a> = "acct" }
}

/// Reads a status, or an event of a stream.
///
/// # Errors
/// As [`read`], and [`Reason::NoText`] for a status without a content.
pub(super) fn record(value: &str) -> Result<Record<'_>, Bad> {
    let message: Message = read(value)?;
    let Some(event) = &message.event else { return post(message).map(Record::Post) };
    match &**event {
        "update" => {}
        "status.update" => return Ok(Record::Other("update")),
        "delete" => return Ok(Record::Other("delete")),
        _ => return Ok(Record::Other("event")),
    }
    let payload = message.payload.ok_or_else(|| Bad::new(Reason::NoText, "an event without `payload`"))?;
    if payload.is_object() {
        return post(read(payload.text())?).map(Record::Post);
    }
    match payload.string()? {
        Cow::Borrowed(json) => post(read(json)?).map(Record::Post),
        Cow::Owned(json) => Ok(Record::Post(post(read(&json)?)?.into_owned())),
    }
}

fn post(status: Message<'_>) -> Result<Post<'_>, Bad> {
    let id = match (status.uri, status.id) {
        (Some(uri), _) => Some(uri.0),
        (None, Some(id)) => Some(id.id("id")?),
        (None, None) => None,
    };
    let repost = status.reblog.is_some();
    let (content, lang, tags) = match status.reblog {
        Some(Original { content: Some(content), language, tags }) => (Some(content), language, tags),
        _ => (status.content, status.language, status.tags),
    };
    let content = content.ok_or_else(|| Bad::new(Reason::NoText, "a status without `content`"))?;
    Ok(Post {
        id,
        author: status.account.and_then(|account| account.acct).map(|acct| acct.0),
        time: status.created_at.map_or(OwnTime::Absent, Raw::time),
        text: Cow::Owned(html::text(&content)),
        html: false,
        lang: language(lang),
        hashtags: tags.map(|tags| tags.0),
        repost,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = r##"{"id":"108914327388663283","uri":"https://m.s/users/a/statuses/1","created_at":"2022-08-30T23:05:46.839Z",
        "language":"en","spoiler_text":"","content":"<p>hi <a href=\"https://m.s/tags/rust\">#<span>Rust</span></a> &amp; co</p>",
        "reblog":null,"edited_at":null,"account":{"id":"1","acct":"a@b.c","bot":false},"tags":[{"name":"rust","url":"u"}]}"##;

    fn expected() -> Post<'static> {
        Post {
            id: Some("https://m.s/users/a/statuses/1".into()),
            author: Some("a@b.c".into()),
            time: OwnTime::At(1_661_900_746_839),
            text: "hi #Rust & co".into(),
            html: false,
            lang: Some("en".into()),
            hashtags: Some(vec!["rust".into()]),
            repost: false,
        }
    }

    #[test]
    fn a_status_is_read_alone_and_in_an_event() {
        let in_string = serde_json::to_string(STATUS).unwrap();
        for value in [
            STATUS.to_owned(),
            format!(r#"{{"stream":["public"],"event":"update","payload":{in_string}}}"#),
            format!(r#"{{"event":"update","payload":{STATUS}}}"#),
        ] {
            assert_eq!(record(&value), Ok(Record::Post(expected())), "{value}");
        }
    }

    #[test]
    fn a_boost_is_counted_by_its_original() {
        let boost = format!(
            r#"{{"id":"2","created_at":"2022-08-31T00:00:00Z","content":"","tags":[],"language":null,
                "account":{{"acct":"d"}},"reblog":{STATUS}}}"#
        );
        let counted = Post {
            id: Some("2".into()),
            author: Some("d".into()),
            time: OwnTime::At(1_661_904_000_000),
            repost: true,
            ..expected()
        };
        assert_eq!(record(&boost), Ok(Record::Post(counted)));
    }

    #[test]
    fn other_events_and_faults() {
        for (event, kind) in [("delete", "delete"), ("status.update", "update"), ("filters_changed", "event")]
        {
            assert_eq!(record(&format!(r#"{{"event":"{event}","payload":"1"}}"#)), Ok(Record::Other(kind)));
        }
        for (value, reason) in [
            ("{}", Reason::NoText),
            (r#"{"content":5}"#, Reason::Type),
            (r#"{"event":"update"}"#, Reason::NoText),
            (r#"{"event":"update","payload":"{"}"#, Reason::Json),
            (r#"{"event":"update","payload":5}"#, Reason::Type),
            (r#"{"event":5}"#, Reason::Type),
            ("a", Reason::Json),
        ] {
            assert_eq!(record(value).unwrap_err().reason, reason, "{value}");
        }
    }
}
