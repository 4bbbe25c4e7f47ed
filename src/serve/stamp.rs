//! The stamp: what each answer says of itself.
//!
//! Idea: an answer names the records that it counted (offsets), the event time that it covers, and when; whoever
//! recounts those records gets the same numbers.
//! Invariant: every field is of the one cut that was read, and keys stand in the order of the interface's description.
//! Cost: written straight into the answer; no text is built first.

use std::borrow::Cow;
use std::ops::Range;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::engine::Cut;
use crate::engine::published::{Gaps, Offsets};

/// Unix milliseconds, written as RFC 3339 in UTC with milliseconds; what is beyond the year 9999 as its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub u64);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = i64::try_from(self.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        serializer.collect_str(&format_args!("{:.3}", time.unwrap_or(Timestamp::MAX)))
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        let time = ObjectBuilder::new().schema_type(Type::String);
        time.format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).into()
    }
}

impl ToSchema for Time {}

/// What an answer says of itself: which records it counted, and which event time it covers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stamp<'a> {
    #[serde(flatten)]
    #[schema(value_type = Of)]
    of: Option<Of<'a>>,
    /// The run of the cluster; a larger number is a later run.
    generation: u64,
    /// Dataflow time: the Unix time in milliseconds at which it closed, at least one more than the one before.
    epoch: u64,
    /// When the epoch closed.
    as_of: Time,
    /// The event time at which windows end; null before the first post.
    #[schema(required)]
    clock: Option<Time>,
    #[serde(flatten)]
    #[schema(value_type = Covers)]
    covers: Option<Covers>,
    /// By topic and partition the offset of the first record that may be counted.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, i64>>)]
    start_offsets: Cow<'a, Offsets>,
    /// By topic and partition the next offset: all records before it are counted.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, i64>>)]
    offsets: &'a Offsets,
    /// Whether records that were there when the run began had not been read yet.
    catching_up: bool,
    /// Ranges of offsets that were lost before they could be read; only where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, BTreeMap<String, Vec<Vec<i64>>>>>, nullable = false)]
    gaps: Option<&'a Gaps>,
    /// Whether terms were not taken for want of room; only where it is true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(value_type = Option<bool>, nullable = false)]
    overflow: bool,
    /// Whether some of the posts were taken apart by the rules of an earlier version; only where it is true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(value_type = Option<bool>, nullable = false)]
    rules_changed: bool,
}

/// What an answer is of; absent in stamps of the engine as a whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct Of<'a> {
    /// The count, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    count: Option<&'a str>,
    /// The window.
    #[schema(value_type = Option<String>, nullable = false)]
    window: &'a str,
}

/// Which event time an answer covers; absent in stamps of the engine as a whole, null for all time.
#[derive(Debug, Serialize, ToSchema)]
pub struct Covers {
    /// Inclusive.
    from: Option<Time>,
    /// Exclusive, perhaps beyond the clock.
    to: Option<Time>,
}

impl<'a> Stamp<'a> {
    /// Of a cut as a whole.
    pub fn new(cut: &'a Cut, generation: u64) -> Stamp<'a> {
        Stamp {
            of: None,
            generation,
            epoch: cut.epoch,
            as_of: Time(cut.epoch),
            clock: cut.clock.map(Time),
            covers: None,
            start_offsets: Cow::Borrowed(&cut.start_offsets),
            offsets: &cut.offsets,
            catching_up: cut.catching_up,
            gaps: Some(&cut.gaps).filter(|gaps| !gaps.is_empty()),
            overflow: false,
            rules_changed: false,
        }
    }

    /// Of what began at these offsets, perhaps later than the engine.
    pub fn begun_at(self, starts: Cow<'a, Offsets>) -> Stamp<'a> {
        Stamp { start_offsets: starts, ..self }
    }

    /// Whether other rules had a part in it.
    pub fn by_other_rules(self, rules_changed: bool) -> Stamp<'a> {
        Stamp { rules_changed, ..self }
    }

    /// Of one window, of one count or of several, which covers these milliseconds of event time; `None`: all, or none yet.
    pub fn of(
        self,
        count: Option<&'a str>,
        window: &'a str,
        covers: Option<Range<u64>>,
        overflow: bool,
    ) -> Stamp<'a> {
        let (from, to) = covers.map(|covers| (Time(covers.start), Time(covers.end))).unzip();
        Stamp { of: Some(Of { count, window }), covers: Some(Covers { from, to }), overflow, ..self }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(ms: u64) -> String {
        serde_json::to_string(&Time(ms)).expect("a time is text")
    }

    proptest! {
        #[test]
        fn a_time_is_read_as_it_was_written(ms in 0u64..253_402_200_000_000) {
            let text = written(ms);
            prop_assert_eq!(text.len(), "\"2024-01-01T00:00:00.000Z\"".len());
            let read: Timestamp = text.trim_matches('"').parse().expect("RFC 3339");
            prop_assert_eq!(read.as_millisecond(), ms as i64);
        }
    }

    #[test]
    fn times_have_milliseconds_and_an_end() {
        assert_eq!(written(0), "\"1970-01-01T00:00:00.000Z\"");
        assert_eq!(written(1_700_000_000_120), "\"2023-11-14T22:13:20.120Z\"");
        assert!(written(u64::MAX).starts_with("\"9999-12-3"));
    }

    #[test]
    fn keys_stand_in_their_order() {
        let mut start = Offsets::new();
        start.entry("posts".to_owned()).or_default().insert(0, 5);
        let cut = Cut {
            epoch: 1_700_000_000_000,
            clock: None,
            snapshots: Vec::new(),
            counts: Vec::new(),
            start_offsets: start.clone(),
            offsets: start,
            gaps: Gaps::new(),
            tally: Default::default(),
            since: std::time::Instant::now(),
            catching_up: false,
        };
        let write = |stamp: &Stamp<'_>| serde_json::to_string(stamp).expect("a stamp is plain data");
        assert_eq!(
            write(&Stamp::new(&cut, 7)),
            "{\"generation\":7,\"epoch\":1700000000000,\"as_of\":\"2023-11-14T22:13:20.000Z\",\"clock\":null,\
             \"start_offsets\":{\"posts\":{\"0\":5}},\"offsets\":{\"posts\":{\"0\":5}},\"catching_up\":false}"
        );
        assert_eq!(
            write(&Stamp::new(&cut, 7).of(Some("tags"), "1s", Some(1000..2000), true)),
            "{\"count\":\"tags\",\"window\":\"1s\",\"generation\":7,\"epoch\":1700000000000,\
             \"as_of\":\"2023-11-14T22:13:20.000Z\",\"clock\":null,\"from\":\"1970-01-01T00:00:01.000Z\",\
             \"to\":\"1970-01-01T00:00:02.000Z\",\"start_offsets\":{\"posts\":{\"0\":5}},\
             \"offsets\":{\"posts\":{\"0\":5}},\"catching_up\":false,\"overflow\":true}"
        );
    }
}
