//! Events of Bluesky's Jetstream, in both versions of its messages.
//!
//! Idea: an event tells of a change to one record of an account; a post is a record of the collection
//! `app.bsky.feed.post` that was created. Version 2 has the same facts in one object less, inside `payload`.
//! Invariant: an event counts once, when its post is created; edits and deletions are other messages, as are the
//! records of all other collections, whose content is not looked at.
//! Source: the public documentation of Jetstream, and the lexicons of AT Protocol.

use std::borrow::Cow;

use super::bad::{Bad, Reason};
use super::json::{Raw, Str, language, object, read};
use super::tags::Tags;
use super::{OwnTime, Post, Record};

/// How far ahead of the event a post's own clock may be, in milliseconds. It is the clock of whoever wrote the post.
const SKEW_MS: i64 = 60_000;

object! {
    /// An event of version 1, or the outer object of version 2.
    struct Event<'a> {
        did: Str<'a> = "did",
        time_us: Raw<'a> = "time_us",
        kind: Str<'a> = "kind",
        commit: Commit<'a> = "commit",
        frame: Str<'a> = "$type",
        payload: Frame<'a> = "payload",
    }
}

object! {
    /// A change to a record, in version 1.
    struct Commit<'a> {
        operation: Str<'a> = "operation",
        collection: Str<'a> = "collection",
        rkey: Str<'a> = "rkey",
        record: Raw<'a> = "record",
    }
}

object! {
    /// An event of version 2; of a commit it has the fields of the change too.
    struct Frame<'a> {
        kind: Str<'a> = "$type",
        did: Str<'a> = "did",
        time: Raw<'a> = "time",
        operation: Str<'a> = "operation",
        collection: Str<'a> = "collection",
        rkey: Str<'a> = "rkey",
        record: Raw<'a> = "record",
    }
}

object! {
    /// A record of the collection `app.bsky.feed.post`.
    struct Feed<'a> {
        text: Str<'a> = "text",
        created_at: Raw<'a> = "createdAt",
        langs: Vec<Str<'a>> = "langs",
        tags: Tags<'a> = "tags",
        facets: Vec<Facet<'a>> = "facets",
    }
}

object! {
    /// A span of the text and what it is.
    struct Facet<'a> { features: Vec<Feature<'a>> = "features" }
}

object! {
    /// What a span of the text is.
    struct Feature<'a> { kind: Str<'a> = "$type", tag: Str<'a> = "tag" }
}

/// Reads an event.
///
/// # Errors
/// As [`read`]; [`Reason::UnknownShape`] for an object that is no event, [`Reason::NoText`] for a post without a text.
pub(super) fn record(value: &str) -> Result<Record<'_>, Bad> {
    let event: Event = read(value)?;
    let (kind, did, time, commit) = match (event.frame, event.payload) {
        (Some(frame), None) if *frame == *"error" => return Ok(Record::Other("error")),
        (Some(_), Some(Frame { kind, did, time, operation, collection, rkey, record })) => {
            (kind, did, time, Some(Commit { operation, collection, rkey, record }))
        }
        _ => (event.kind, event.did, event.time_us, event.commit),
    };
    let Some(kind) = kind else {
        return Err(Bad::new(Reason::UnknownShape, "an event without `kind` or `payload.$type`"));
    };
    match kind.rsplit('#').next() {
        Some("commit") => committed(did, time, commit.unwrap_or_default()),
        Some("account") => Ok(Record::Other("account")),
        Some("identity") => Ok(Record::Other("identity")),
        Some("sync") => Ok(Record::Other("sync")),
        _ => Ok(Record::Other("event")),
    }
}

fn committed<'a>(did: Option<Str<'a>>, time: Option<Raw<'a>>, commit: Commit<'a>) -> Result<Record<'a>, Bad> {
    let collection = commit.collection.as_deref().unwrap_or_default();
    if collection != "app.bsky.feed.post" {
        return Ok(Record::Other(match collection {
            "app.bsky.feed.like" => "like",
            "app.bsky.feed.repost" => "repost",
            "app.bsky.graph.follow" => "follow",
            _ => "commit",
        }));
    }
    match commit.operation.as_deref() {
        Some("create") => {}
        Some("update") => return Ok(Record::Other("update")),
        Some("delete") => return Ok(Record::Other("delete")),
        _ => return Ok(Record::Other("commit")),
    }
    let absent = || Bad::new(Reason::NoText, "a created post without `record.text`");
    let feed: Feed = read(commit.record.ok_or_else(absent)?.text())?;
    let id =
        did.as_ref().zip(commit.rkey).map(|(did, rkey)| format!("at://{}/{collection}/{}", did.0, rkey.0));
    let lang = feed.langs.and_then(|langs| langs.into_iter().next());
    Ok(Record::Post(Post {
        id: id.map(Cow::Owned),
        author: did.map(|did| did.0),
        time: own_time(feed.created_at, time),
        text: feed.text.ok_or_else(absent)?.0,
        html: false,
        lang: language(lang),
        hashtags: hashtags(feed.facets, feed.tags),
        repost: false,
    }))
}

/// When the post was written by its own account, unless that is none or later than the event that tells of it.
fn own_time(created_at: Option<Raw>, event: Option<Raw>) -> OwnTime {
    let stated = created_at.map_or(OwnTime::Absent, Raw::time);
    match (stated, event.map_or(OwnTime::Absent, Raw::time)) {
        (OwnTime::At(stated), OwnTime::At(event)) if stated > event + SKEW_MS => OwnTime::At(event),
        (stated @ OwnTime::At(_), _) => stated,
        (_, event @ OwnTime::At(_)) => event,
        (OwnTime::Absent, event) => event,
        (stated, _) => stated,
    }
}

/// The tags among the facets, then those that stand beside the text. A cashtag is kept as a tag with its `$`.
fn hashtags<'a>(facets: Option<Vec<Facet<'a>>>, beside: Option<Tags<'a>>) -> Option<Vec<Cow<'a, str>>> {
    if facets.is_none() && beside.is_none() {
        return None;
    }
    let mut tags = Tags::default();
    for feature in facets.into_iter().flatten().flat_map(|facet| facet.features).flatten() {
        match (feature.kind, feature.tag) {
            (Some(kind), Some(tag)) if kind.ends_with("#tag") => tags.push(tag.0),
            _ => {}
        }
    }
    tags.0.extend(beside.into_iter().flat_map(|beside| beside.0));
    tags.0.retain(|tag| !tag.starts_with('$'));
    Some(tags.0)
}

#[cfg(test)]
mod tests {
    use super::super::tests::post;
    use super::*;

    /// A created post whose record has the given fields, in both versions.
    fn events(record: &str) -> [String; 2] {
        let change = format!(
            r#""operation":"create","collection":"app.bsky.feed.post","rkey":"3l3qo2vuowo2b","record":{record}"#
        );
        let v1 = format!(
            r#"{{"did":"did:plc:a","time_us":1725911162329308,"kind":"commit","commit":{{{change}}}}}"#
        );
        let v2 = format!(
            r#"{{"$type":"message","payload":{{"$type":"network.bsky.jetstream.subscribeEvents#commit","seq":1,
                "did":"did:plc:a","time":"2024-09-09T19:46:02.329308Z",{change}}}}}"#
        );
        [v1, v2]
    }

    #[test]
    fn a_post_is_read_whole_in_both_versions() {
        let feed = r##"{"$type":"app.bsky.feed.post","text":"Hi #Rust","createdAt":"2024-09-09T19:46:02.102Z","langs":["en","de"],
            "tags":["extra"],"facets":[{"index":{"byteStart":3,"byteEnd":8},"features":[
            {"$type":"app.bsky.richtext.facet#tag","tag":"Rust"},{"$type":"app.bsky.richtext.facet#tag","tag":"$CASH"},
            {"$type":"app.bsky.richtext.facet#link","uri":"u"}]}]}"##;
        for event in events(feed) {
            assert_eq!(
                post(record, &event),
                Post {
                    id: Some("at://did:plc:a/app.bsky.feed.post/3l3qo2vuowo2b".into()),
                    author: Some("did:plc:a".into()),
                    time: OwnTime::At(1_725_911_162_102),
                    text: "Hi #Rust".into(),
                    html: false,
                    lang: Some("en".into()),
                    hashtags: Some(vec!["Rust".into(), "extra".into()]),
                    repost: false,
                }
            );
        }
    }

    #[test]
    fn without_facets_and_tags_there_is_no_list() {
        for (feed, tags) in [
            (r#"{"text":""}"#, None),
            (r#"{"text":"","facets":null}"#, None),
            (r#"{"text":"","facets":[]}"#, Some(vec![])),
            (r#"{"text":"","tags":["a"]}"#, Some(vec!["a".into()])),
        ] {
            assert!(events(feed).iter().all(|event| post(record, event).hashtags == tags), "{feed}");
        }
    }

    #[test]
    fn the_writers_clock_counts_unless_it_is_ahead_or_none() {
        for (created, ms) in [
            (r#","createdAt":"1999-12-31T00:00:00Z""#, 946_598_400_000),
            (r#","createdAt":"2024-09-09T19:46:30Z""#, 1_725_911_190_000),
            (r#","createdAt":"2024-09-09T20:46:30Z""#, 1_725_911_162_329),
            (r#","createdAt":"0000-01-01T00:00:00Z""#, 1_725_911_162_329),
            (r#","createdAt":5.5e300"#, 1_725_911_162_329),
            ("", 1_725_911_162_329),
        ] {
            for event in events(&format!(r#"{{"text":"a"{created}}}"#)) {
                assert_eq!(post(record, &event).time, OwnTime::At(ms), "{created}");
            }
        }
    }

    #[test]
    fn other_events() {
        let [created, _] = events(r#"{"text":"a"}"#);
        let of = |collection: &str| created.replace("app.bsky.feed.post", collection);
        for (event, kind) in [
            (created.replace("create", "delete"), "delete"),
            (created.replace("create", "update"), "update"),
            (of("app.bsky.feed.like"), "like"),
            (of("app.bsky.feed.repost"), "repost"),
            (of("app.bsky.graph.follow"), "follow"),
            (of("place.stream.broadcast.origin"), "commit"),
            (r#"{"did":"d","time_us":1,"kind":"account","account":{"active":false}}"#.to_owned(), "account"),
            (r#"{"$type":"message","payload":{"$type":"x#sync"}}"#.to_owned(), "sync"),
            (r#"{"$type":"message","payload":{"$type":"x#new"}}"#.to_owned(), "event"),
            (r#"{"$type":"error","error":"ConsumerTooSlow","message":"m"}"#.to_owned(), "error"),
        ] {
            assert_eq!(record(&event), Ok(Record::Other(kind)), "{event}");
        }
    }

    #[test]
    fn faults() {
        for (feed, reason) in [
            ("{}", Reason::NoText),
            ("null", Reason::NoText),
            (r#"{"text":5}"#, Reason::Type),
            (r#"{"text":"a","langs":"en"}"#, Reason::Type),
            (r#"{"text":"a","facets":[5]}"#, Reason::Type),
        ] {
            assert!(events(feed).iter().all(|event| record(event).unwrap_err().reason == reason), "{feed}");
        }
        assert_eq!(record("{}").unwrap_err().reason, Reason::UnknownShape);
        assert_eq!(record("a").unwrap_err().reason, Reason::Json);
    }
}
