//! Whatever the bytes are, decoding ends, and in the same way each time.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::Post;
use super::*;

/// Names of fields that one shape or another reads, and some that none does.
const NAMES: [&str; 44] = [
    "text",
    "full_text",
    "extended_tweet",
    "retweeted_status",
    "entities",
    "hashtags",
    "user",
    "screen_name",
    "id",
    "id_str",
    "created_at",
    "createdAt",
    "timestamp_ms",
    "lang",
    "is_retweet",
    "delete",
    "limit",
    "data",
    "includes",
    "tweets",
    "note_tweet",
    "referenced_tweets",
    "type",
    "author_id",
    "did",
    "kind",
    "commit",
    "record",
    "operation",
    "collection",
    "facets",
    "features",
    "$type",
    "payload",
    "schema",
    "event",
    "content",
    "reblog",
    "account",
    "tags",
    "Text",
    "HashtagEntities",
    "tag",
    "other",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        prop::sample::select(vec![
            "create",
            "commit",
            "retweeted",
            "update",
            "app.bsky.feed.post",
            "und",
            "1"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 96, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(NAMES.to_vec()), inner), 0..8).prop_map(|fields| {
                Value::Object(
                    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>(),
                )
            }),
        ]
    })
}

/// One valid record of each shape.
fn samples() -> Vec<String> {
    let tweet = json!({
        "id": 755_822_121_331_281_920_u64, "created_at": "Wed Jul 20 17:50:10 +0000 2016", "text": "a é \u{1f600} #b",
        "user": {"screen_name": "c"}, "lang": "en", "entities": {"hashtags": [{"text": "b", "indices": [4, 6]}]},
    });
    let feed = json!({"text": "a", "createdAt": "2024-09-09T19:46:02.102Z", "langs": ["en"], "facets": [
        {"index": {}, "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "b"}]}]});
    let status =
        json!({"content": "<p>a &amp; b</p>", "id": "1", "tags": [{"name": "b"}], "account": {"acct": "c"}});
    [
        json!({"text": "RT", "retweeted_status": tweet, "id": 2}),
        json!({"data": {"id": "2", "text": "RT", "referenced_tweets": [{"type": "retweeted", "id": "1"}]},
            "includes": {"tweets": [{"id": "1", "text": "a"}]}}),
        json!({"schema": {"type": "struct"}, "payload": tweet}),
        json!({"Id": 1, "Text": "a", "HashtagEntities": [{"Text": "b"}], "CreatedAt": 1_469_037_010_000_u64}),
        json!({"did": "d", "time_us": 1_725_911_162_329_308_u64, "kind": "commit", "commit": {"operation": "create",
            "collection": "app.bsky.feed.post", "rkey": "r", "record": feed}}),
        json!({"event": "update", "payload": status.to_string()}),
        tweet,
        status,
    ]
    .iter()
    .map(Value::to_string)
    .collect()
}

/// All that can be said of any outcome; that this returns at all is the first of it.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    for format in Format::ALL {
        let outcome = decode(format, bytes);
        prop_assert_eq!(&outcome, &decode(format, bytes));
        match outcome {
            Ok(Record::Post(post)) => {
                prop_assert!(!matches!(post.time, super::super::OwnTime::At(ms) if ms <= 0));
                prop_assert!(
                    post.hashtags.iter().flatten().all(|tag| !tag.is_empty() && !tag.starts_with('#'))
                );
                prop_assert!(post.lang.as_deref().is_none_or(|lang| !lang.is_empty() && lang != "und"));
                let owned: Post<'static> = post.clone().into_owned();
                prop_assert_eq!(owned, post);
            }
            Ok(Record::Other(kind)) => prop_assert!(!kind.is_empty()),
            Err(bad) => prop_assert!(bad.detail.len() <= 200 && !bad.detail.is_empty()),
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&bytes)?;
    }

    #[test]
    fn any_json(value in value()) {
        check(value.to_string().as_bytes())?;
    }

    #[test]
    fn a_valid_record_cut_off(sample in prop::sample::select(samples()), at: prop::sample::Index) {
        let cut = &sample.as_bytes()[..at.index(sample.len())];
        check(cut)?;
        prop_assert!(cut.is_empty() || reason(Format::Auto, cut).is_some(), "a part of a record is no record");
    }

    #[test]
    fn a_valid_record_with_one_byte_changed(
        sample in prop::sample::select(samples()), at: prop::sample::Index, byte: u8
    ) {
        let mut bytes = sample.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        check(&bytes)?;
    }

    #[test]
    fn what_is_no_json_is_refused_as_such(value in value(), junk in "[a-z}\\]]{1,5}") {
        for format in [Format::Tweet, Format::X, Format::Jetstream, Format::Mastodon, Format::Json] {
            let spoilt = format!("{value}{junk}");
            prop_assume!(serde_json::from_str::<serde::de::IgnoredAny>(&spoilt).is_err());
            prop_assert_eq!(reason(format, spoilt.as_bytes()), Some(Reason::Json));
        }
    }
}

proptest! {
    #[test]
    fn a_status_is_what_another_reader_of_json_finds_in_it(value in value(), indent: bool) {
        let json = if indent { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let text = value.get("text").and_then(Value::as_str);
        let elsewhere = ["full_text", "extended_tweet", "retweeted_status"];
        let is_plain = elsewhere.iter().all(|name| value.get(name).is_none_or(Value::is_null));
        match decode(Format::Tweet, json.as_bytes()) {
            Ok(Record::Post(post)) if is_plain => {
                prop_assert_eq!(Some(&*post.text), text);
                prop_assert_eq!(post.lang.as_deref(), value["lang"].as_str().filter(|lang| !["", "und"].contains(lang)));
                let tags = value["entities"]["hashtags"].as_array().map(|tags| tags.len());
                prop_assert!(post.hashtags.map(|tags| tags.len()) <= tags);
            }
            Ok(Record::Other(_)) => prop_assert!(text.is_none()),
            Err(bad) => prop_assert!(bad.reason != Reason::Json),
            Ok(Record::Post(_)) => {}
        }
    }
}

#[test]
fn the_samples_are_posts() {
    for sample in samples() {
        assert!(matches!(decode(Format::Auto, sample.as_bytes()), Ok(Record::Post(_))), "{sample}");
    }
}
