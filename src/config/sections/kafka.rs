//! `[kafka]`: where posts come from and where a first start begins.
//!
//! Invariant: every topic is one that Kafka could have, and there is one at least; a time to start from is not before
//! 1970, since Kafka gives negative times a meaning of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::durations::{LONGEST_MS, duration_within};
use super::super::model::{Kafka, OnGap, Property, Start};
use super::super::problem::quote;
use super::{Reader, addresses};

/// Kafka's own limit for the name of a topic.
const LONGEST_TOPIC: usize = 249;

pub(super) fn read(reader: &mut Reader<'_>, properties: BTreeMap<String, Property>) -> Kafka {
    let topics = reader.list("kafka.topics", topic);
    let mut seen = BTreeSet::new();
    if topics.is_empty() {
        reader.refuse_together("kafka.topics", &[], "is empty, name one topic at least, such as [\"posts\"]");
    }
    if let Some(twice) = topics.iter().find(|topic| !seen.insert(*topic)) {
        reader.refuse("kafka.topics", &format!("{twice:?} is named twice, name it once"));
    }
    Kafka {
        brokers: reader.parse("kafka.brokers", addresses::brokers),
        topics,
        start: reader.parse("kafka.start", start),
        group_id: reader.parse("kafka.group_id", group),
        on_gap: reader.choice("kafka.on_gap", &[("stop", OnGap::Stop), ("continue", OnGap::Continue)]),
        properties,
    }
}

/// The name of a topic by Kafka's rules.
pub(super) fn topic(text: &str) -> Result<String, String> {
    let valid = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let right = !text.is_empty()
        && text.len() <= LONGEST_TOPIC
        && text.chars().all(valid)
        && text != "."
        && text != "..";
    right.then(|| text.to_owned()).ok_or_else(|| {
        format!(
            "{} is no topic, write 1 to {LONGEST_TOPIC} ASCII letters, digits, dots, dashes or _",
            quote(text)
        )
    })
}

fn group(text: &str) -> Result<String, String> {
    let right = !text.is_empty() && text.len() <= LONGEST_TOPIC && !text.chars().any(char::is_control);
    right.then(|| text.to_owned()).ok_or_else(|| {
        format!(
            "{} is no group, write a name of at most {LONGEST_TOPIC} bytes, such as \"tidings\"",
            quote(text)
        )
    })
}

fn start(text: &str) -> Result<Start, String> {
    match text {
        "earliest" => return Ok(Start::Earliest),
        "latest" => return Ok(Start::Latest),
        _ => {}
    }
    if let Some(age) = text.strip_prefix('-') {
        let most = Duration::from_millis(LONGEST_MS);
        return duration_within(age, Duration::ZERO, most)
            .map(Start::Ago)
            .map_err(|why| format!("{} is no age: {why}", quote(text)));
    }
    let instead =
        "write earliest, latest, a time such as \"2026-01-31T12:00:00Z\" or an age such as \"-24h\"";
    let time: jiff::Timestamp =
        text.parse().map_err(|_| format!("{} is no start, {instead}", quote(text)))?;
    match time.as_millisecond() {
        ms if ms >= 0 => Ok(Start::Time(ms)),
        _ => Err(format!("{} is before 1970, {instead}", quote(text))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_time_since_1970_can_be_started_from(ms in 0..253_402_207_200_000i64) {
            let time = jiff::Timestamp::from_millisecond(ms).expect("it is in range");
            prop_assert_eq!(start(&time.to_string()), Ok(Start::Time(ms)));
        }

        #[test]
        fn no_text_panics(text in "\\PC*|[-0-9T:Zhdms.+]{0,40}") {
            let _ = (start(&text), topic(&text), group(&text));
        }
    }

    #[test]
    fn starts_are_names_times_or_ages() {
        assert_eq!(start("earliest"), Ok(Start::Earliest));
        assert_eq!(start("latest"), Ok(Start::Latest));
        assert_eq!(start("-24h"), Ok(Start::Ago(Duration::from_secs(86_400))));
        assert_eq!(start("1970-01-01T01:00:00+01:00"), Ok(Start::Time(0)));
        let wrong = [
            ("", "\"\" is no start, write earliest, latest, a time such as"),
            ("newest", "\"newest\" is no start, write earliest, latest"),
            ("24h", "or an age such as \"-24h\""),
            ("2026-01-01", "is no start"),
            ("2026-01-01T00:00:00", "is no start"),
            ("1969-12-31T23:59:59Z", "is before 1970"),
            ("-24", "is no age: \"24\" is no duration: the unit is missing"),
            ("-20000d", "at most 3653d"),
        ];
        for (text, why) in wrong {
            let error = start(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn topics_are_named_as_kafka_allows() {
        assert_eq!(topic("posts.v1-A_b"), Ok("posts.v1-A_b".to_owned()));
        for wrong in ["", ".", "..", "a b", "^posts", "ä", "a\0", &"x".repeat(250)] {
            let error = topic(wrong).expect_err(wrong);
            assert!(error.contains("is no topic, write 1 to 249 ASCII letters"), "{error}");
        }
        assert!(group("").is_err() && group("a\nb").is_err() && group("my group").is_ok());
    }
}
