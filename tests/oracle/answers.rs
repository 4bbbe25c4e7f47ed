//! What can be asked, and the answers as the interface's contract has them.
//!
//! Invariant: a field more or less than the contract has is an error, so that a change of the interface is seen here.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Deserialize;

/// Offsets by topic and partition.
pub type Offsets = BTreeMap<String, BTreeMap<i32, i64>>;

/// Unix milliseconds, in answers RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Time(pub i64);

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Time, String> {
        let time: jiff::Timestamp = text.parse().map_err(|error| format!("{text}: {error}"))?;
        if text.len() != "2026-01-01T00:00:00.000Z".len() || !text.ends_with('Z') {
            return Err(format!("{text} is not in UTC with milliseconds"));
        }
        Ok(Time(time.as_millisecond()))
    }
}

/// What an answer says of itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    pub count: Option<String>,
    pub window: Option<String>,
    pub generation: u64,
    pub epoch: u64,
    pub as_of: Time,
    pub clock: Option<Time>,
    pub from: Option<Time>,
    pub to: Option<Time>,
    pub start_offsets: Offsets,
    pub offsets: Offsets,
    pub catching_up: bool,
    /// Offsets that were lost, from and up to; only where there are any.
    #[serde(default)]
    pub gaps: BTreeMap<String, BTreeMap<i32, Vec<(i64, i64)>>>,
    #[serde(default)]
    pub overflow: bool,
    #[serde(default)]
    pub rules_changed: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub rank: usize,
    pub term: String,
    pub display: String,
    pub count: i64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    pub term: String,
    pub display: String,
    pub count: i64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pane {
    pub from: Time,
    pub count: i64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Top {
    pub stamp: Stamp,
    pub total: i64,
    pub distinct: usize,
    pub top: Vec<Place>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    pub stamp: Stamp,
    pub term: String,
    pub display: String,
    pub count: i64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    pub stamp: Stamp,
    pub terms: Vec<Counted>,
    pub next: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    pub stamp: Stamp,
    pub term: String,
    pub panes: Vec<Pane>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    pub stamp: Stamp,
    pub terms: Vec<Counted>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    pub end_offset: Option<i64>,
    pub lag: Option<i64>,
    pub newest: Option<Time>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    pub process: usize,
    pub workers: usize,
    pub epoch: Option<u64>,
    pub silent_ms: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    pub version: String,
    pub ready: bool,
    pub reasons: Vec<String>,
    pub processes: usize,
    pub workers: usize,
    pub members: Vec<Member>,
    pub stamp: Stamp,
    pub partitions: Vec<Progress>,
    pub posts: u64,
    pub bad: BTreeMap<String, u64>,
    pub other: BTreeMap<String, u64>,
    pub late: u64,
    pub ahead: u64,
    pub undated: u64,
    pub checkpoint: Option<serde_json::Value>,
}

/// A question; terms and prefixes are as somebody may type them.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    Top { k: usize },
    Term { term: String },
    Page { prefix: String, after: Option<String>, limit: usize },
    Series { term: String },
    Lookup { terms: Vec<String> },
    Status,
}

/// A question about a window of a count; for the status both are empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub count: String,
    pub window: String,
    pub question: Question,
    /// Next offsets that the answer must have reached.
    pub min_offsets: Offsets,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Top(Top),
    Term(Term),
    Page(Page),
    Series(Series),
    Lookup(Lookup),
    Status(Box<Status>),
}

impl Answer {
    /// Its stamp.
    pub fn stamp(&self) -> &Stamp {
        match self {
            Answer::Top(Top { stamp, .. })
            | Answer::Term(Term { stamp, .. })
            | Answer::Page(Page { stamp, .. })
            | Answer::Series(Series { stamp, .. })
            | Answer::Lookup(Lookup { stamp, .. }) => stamp,
            Answer::Status(status) => &status.stamp,
        }
    }
}

/// A question with its answer, and when it was asked and answered.
#[derive(Clone, Debug)]
pub struct Answered {
    pub asked: Asked,
    pub answer: Answer,
    pub begun: Instant,
    pub ended: Instant,
}
