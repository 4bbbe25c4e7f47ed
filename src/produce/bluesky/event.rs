//! What has to be known of an event before it goes on: where it stands, or that it is none.
//!
//! Idea: the rest of an event is read where posts are read; here it is a time, and whether the server speaks of itself.
//! Cost: one pass over the bytes.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// The smallest number that Jetstream takes for a time and not for one of its own: 10^15 microseconds, in 2001.
const FIRST_TIME: u64 = 1_000_000_000_000_000;

/// What a message is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An event, with its time in microseconds.
    Event(u64),
    /// The server's last word.
    Error(String),
    /// A word of the server's that changes nothing.
    Info(String),
}

#[derive(Deserialize)]
struct Outer {
    time_us: Option<u64>,
    #[serde(rename = "$type")]
    frame: Option<String>,
    payload: Option<Payload>,
    error: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "$type")]
    kind: Option<String>,
    time: Option<String>,
    name: Option<String>,
    message: Option<String>,
    #[serde(rename = "record")]
    _record: Option<IgnoredAny>,
}

/// What a message is; `None` where it is no event that has a time.
pub(super) fn read(bytes: &[u8]) -> Option<Kind> {
    let outer: Outer = serde_json::from_slice(bytes).ok()?;
    let words = |parts: [Option<String>; 2]| parts.into_iter().flatten().collect::<Vec<_>>().join(": ");
    if outer.frame.as_deref() == Some("error") {
        return Some(Kind::Error(words([outer.error, outer.message])));
    }
    let time = match outer.payload {
        Some(payload) if payload.kind.as_deref().is_some_and(|kind| kind.ends_with("#info")) => {
            return Some(Kind::Info(words([payload.name, payload.message])));
        }
        Some(payload) => {
            let at: jiff::Timestamp = payload.time?.parse().ok()?;
            u64::try_from(at.as_microsecond()).ok()?
        }
        None => outer.time_us?,
    };
    (time >= FIRST_TIME).then_some(Kind::Event(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_have_a_time() {
        let v1 = r#"{"did":"d","time_us":1725911162329308,"cursor":12345,"kind":"commit","commit":{}}"#;
        let v2 = r#"{"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#commit","seq":1,
            "time":"2024-09-09T19:46:02.329308Z","record":{"text":"a"}}}"#;
        for event in [v1, v2] {
            assert_eq!(read(event.as_bytes()), Some(Kind::Event(1_725_911_162_329_308)), "{event}");
        }
    }

    #[test]
    fn the_servers_own_words_and_what_has_no_time() {
        let error = br#"{"$type":"error","error":"ConsumerTooSlow","message":"m"}"#;
        assert_eq!(read(error), Some(Kind::Error("ConsumerTooSlow: m".to_owned())));
        let info =
            br#"{"$type":"message","payload":{"$type":"x#info","name":"OutdatedCursor","message":"m"}}"#;
        assert_eq!(read(info), Some(Kind::Info("OutdatedCursor: m".to_owned())));
        let garbage: [&[u8]; 6] = [
            b"",
            b"{",
            b"[]",
            br#"{"time_us":12}"#,
            br#"{"time_us":"x"}"#,
            br#"{"$type":"message","payload":{"time":"no"}}"#,
        ];
        for garbage in garbage {
            assert_eq!(read(garbage), None, "{}", String::from_utf8_lossy(garbage));
        }
    }
}
