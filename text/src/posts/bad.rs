//! Why a record is not a post.
//!
//! Idea: a reason is a small closed set, fit for a metric's label; the detail is for the log and says what and where.
//! Invariant: a detail never holds more than [`MAX_DETAIL`] bytes, so that no record can flood the log.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most bytes that [`Bad::detail`] may have.
const MAX_DETAIL: usize = 200;

/// A record that could not be read as a post.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Bad {
    /// The kind of fault.
    pub reason: Reason,
    /// What is wrong, and where; at most 200 bytes, never the whole record.
    pub detail: String,
}

impl Bad {
    /// A fault of the given kind. A detail over the limit is cut at a character and ends in `..`.
    pub(super) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        if detail.len() > MAX_DETAIL {
            detail.truncate(detail.floor_char_boundary(MAX_DETAIL - 2));
            detail.push_str("..");
        }
        Bad { reason, detail }
    }
}

/// The kinds of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// A value of no bytes.
    Empty,
    /// No value at all: Kafka's null.
    Tombstone,
    /// More than [`super::MAX_RECORD`] bytes.
    TooLarge,
    /// Not UTF-8.
    Utf8,
    /// Not one JSON document.
    Json,
    /// A field of a type that it may not have.
    Type,
    /// A post without a text.
    NoText,
    /// A JSON object in none of the known shapes.
    UnknownShape,
    /// Confluent's Avro wire format, which is not read.
    Avro,
    /// More terms than a record may have.
    TooManyTerms,
}

impl Reason {
    /// All of them, in order.
    pub const ALL: [Reason; 10] = [
        Reason::Empty,
        Reason::Tombstone,
        Reason::TooLarge,
        Reason::Utf8,
        Reason::Json,
        Reason::Type,
        Reason::NoText,
        Reason::UnknownShape,
        Reason::Avro,
        Reason::TooManyTerms,
    ];

    /// The name used in `/v1/status` and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Empty => "empty",
            Reason::Tombstone => "tombstone",
            Reason::TooLarge => "too_large",
            Reason::Utf8 => "utf8",
            Reason::Json => "json",
            Reason::Type => "type",
            Reason::NoText => "no_text",
            Reason::UnknownShape => "unknown_shape",
            Reason::Avro => "avro",
            Reason::TooManyTerms => "too_many_terms",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_in_order() {
        assert!(Reason::ALL.is_sorted());
        let mut names = Reason::ALL.map(Reason::as_str);
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn a_detail_is_cut_at_a_character() {
        let bad = Bad::new(Reason::Json, "é".repeat(500));
        assert!(bad.detail.len() <= MAX_DETAIL);
        assert!(bad.detail.ends_with("é.."));
        assert_eq!(Bad::new(Reason::Json, "short").detail, "short");
    }
}
