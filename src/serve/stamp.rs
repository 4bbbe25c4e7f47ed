//! The stamp: what each answer says of itself.
//!
//! Idea: an answer names the records that it counted (offsets), the event time that it covers, and when; whoever
//! recounts those records gets the same numbers.
//! Invariant: every field is of the one cut that was read, and keys stand in the order of the interface's description.
//! Cost: written straight into the answer; no text is built first.

use std::ops::Range;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

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

/// What an answer says of itself.
#[derive(Debug, Serialize)]
pub struct Stamp<'a> {
    #[serde(flatten)]
    of: Option<Of<'a>>,
    generation: u64,
    epoch: u64,
    as_of: Time,
    clock: Option<Time>,
    #[serde(flatten)]
    covers: Option<Covers>,
    start_offsets: &'a Offsets,
    offsets: &'a Offsets,
    catching_up: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    gaps: Option<&'a Gaps>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    overflow: bool,
}

#[derive(Debug, Serialize)]
struct Of<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<&'a str>,
    window: &'a str,
}

#[derive(Debug, Serialize)]
struct Covers {
    from: Option<Time>,
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
            start_offsets: &cut.start_offsets,
            offsets: &cut.offsets,
            catching_up: cut.catching_up,
            gaps: Some(&cut.gaps).filter(|gaps| !gaps.is_empty()),
            overflow: false,
        }
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
