//! The manifest: what was counted up to which offsets, and where the rows are.
//!
//! Idea: one JSON object that people can read, and a line with its checksum. It names the segments, and of each the places
//! that are still good; all other places in them have been written anew since, or are gone.
//! Invariant: rows, offsets, clock and tally are of the one epoch. A manifest that reads well is one that was written whole.
//! Cost: some hundred bytes a segment, a partition and a place.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::CheckpointError;
use crate::source::Last;

/// The format that is written here, and the newest that is read.
pub const FORMAT: u32 = 1;

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Of this file and of the segments.
    pub format: u32,
    /// Ascends from manifest to manifest.
    pub number: u64,
    /// The run that wrote it.
    pub generation: u64,
    /// The cluster whose counts they are.
    pub cluster: String,
    /// The wall clock when it was written, in Unix milliseconds.
    pub written: u64,
    /// The epoch as of which everything is.
    pub epoch: u64,
    /// The clock.
    pub clock: Option<u64>,
    /// The newest event time of all posts.
    pub newest: Option<u64>,
    /// By which rules texts are taken apart.
    pub rules: String,
    /// The newest event time of all posts that were taken apart by other rules, where there were any.
    pub other_rules: Option<u64>,
    /// Which posts were counted, and at which time.
    pub posts: String,
    /// The topics, with the offsets.
    pub topics: Vec<Topic>,
    /// The counts.
    pub counts: Vec<Count>,
    /// What became of the records.
    pub tally: Tally,
    /// The rows.
    pub segments: Vec<Segment>,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Kafka's id of it, in hexadecimal digits; `None`: the broker gives none.
    pub id: Option<String>,
    /// Its partitions, in order.
    pub partitions: Vec<Partition>,
}

/// A partition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    /// Its number within the topic.
    pub partition: i32,
    /// The first offset that may have been counted.
    pub start: i64,
    /// The offset before which all records have been counted.
    pub next: i64,
    /// Offsets that were lost: from, and up to but not including.
    pub gaps: Vec<(i64, i64)>,
    /// The last record that was counted, where brokers tell records apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Last>,
    /// The newest event time.
    pub newest: Option<u64>,
}

/// First offsets by topic and partition.
pub type Starts = BTreeMap<String, BTreeMap<i32, i64>>;

/// A count, or those windows of one that began to count at the same offsets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Count {
    /// By which segments name it; not given to another while any rows of it are referred to.
    pub id: u32,
    /// Its name in the configuration.
    pub name: String,
    /// What is counted.
    pub of: String,
    /// What is left out.
    pub filter: String,
    /// Its windows: size and slide in milliseconds; `None`: all time.
    pub windows: Vec<Option<(u64, u64)>>,
    /// The offsets from which it counts; `None`: those of the partitions.
    pub start: Option<Starts>,
    /// Occurrences that were not taken for want of room.
    pub refused: u64,
    /// The newest event time among them.
    pub refused_newest: Option<u64>,
    /// Spellings that were not noted.
    pub refused_spellings: u64,
}

/// Numbers of records and posts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Records that are posts.
    pub posts: u64,
    /// Records that are not, by reason.
    pub bad: BTreeMap<String, u64>,
    /// Records that are no posts and need not be, by kind.
    pub other: BTreeMap<String, u64>,
    /// Posts that came late.
    pub late: u64,
    /// Posts ahead of the wall clock.
    pub ahead: u64,
    /// Posts without a time.
    pub undated: u64,
    /// Terms too long to be counted.
    pub too_long: u64,
}

/// Where rows belong within a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Place {
    /// A pane: its slide in milliseconds and its number.
    #[serde(rename = "pane")]
    Pane(u64, u64),
    /// All time.
    #[serde(rename = "all")]
    All,
    /// The spellings of its terms.
    #[serde(rename = "spellings")]
    Spellings,
}

/// A file or object with rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Its name.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// The checksum of its index, which has those of all else.
    pub crc: u32,
    /// The places in it that are good.
    pub places: Vec<Placed>,
}

/// The rows of one place in a segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// The count's id.
    pub count: u32,
    /// The place.
    pub place: Place,
    /// How many rows.
    pub rows: u64,
    /// What their counts add up to.
    pub sum: i64,
}

const MARK: &[u8] = b"\ncrc32 ";

impl Manifest {
    /// As it is written.
    ///
    /// # Errors
    /// Where it cannot be put into JSON, which no manifest of ours is.
    pub fn encode(&self) -> Result<Vec<u8>, CheckpointError> {
        let broken = |why: serde_json::Error| CheckpointError::damaged("a new manifest", why.to_string());
        let mut bytes = serde_json::to_vec_pretty(self).map_err(broken)?;
        let crc = crc32fast::hash(&bytes);
        bytes.extend_from_slice(MARK);
        bytes.extend_from_slice(format!("{crc:08x}\n").as_bytes());
        Ok(bytes)
    }

    /// Reads what was written; `key` is for messages.
    ///
    /// # Errors
    /// `Damaged` for anything else, `Refused` where a newer version wrote it.
    pub fn decode(key: &str, bytes: &[u8]) -> Result<Manifest, CheckpointError> {
        let damaged = |why: &str| CheckpointError::damaged(key, why);
        if bytes.is_empty() {
            return Err(damaged("it is empty"));
        }
        let at = bytes.len().checked_sub(MARK.len() + 9).ok_or_else(|| damaged("it is cut off"))?;
        let (json, mark) = bytes.split_at(at);
        let crc = mark.strip_prefix(MARK).and_then(|rest| rest.strip_suffix(b"\n"));
        let crc = crc
            .and_then(|crc| std::str::from_utf8(crc).ok())
            .and_then(|crc| u32::from_str_radix(crc, 16).ok());
        let crc = crc.ok_or_else(|| damaged("its checksum is missing: it is cut off"))?;
        if crc != crc32fast::hash(json) {
            return Err(damaged("its checksum is another"));
        }
        #[derive(Deserialize)]
        struct Versioned {
            format: u32,
        }
        let not_read = |why: serde_json::Error| damaged(&why.to_string());
        let Versioned { format } = serde_json::from_slice(json).map_err(not_read)?;
        if format > FORMAT {
            return Err(CheckpointError::Refused(format!(
                "{key} was written by a newer version, in format {format}; this one reads up to {FORMAT}: run that \
                 version, or one that is newer still"
            )));
        }
        serde_json::from_slice(json).map_err(not_read)
    }

    /// Rows that it refers to.
    pub fn rows(&self) -> u64 {
        self.placed().fold(0, |sum: u64, (_, placed)| sum.saturating_add(placed.rows))
    }

    /// Bytes of the segments that it refers to.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().fold(0, |sum: u64, segment| sum.saturating_add(segment.size))
    }

    /// All good places with their segments.
    pub fn placed(&self) -> impl Iterator<Item = (&Segment, &Placed)> {
        self.segments.iter().flat_map(|segment| segment.places.iter().map(move |placed| (segment, placed)))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn example(number: u64) -> Manifest {
        let placed = |place| Placed { count: 0, place, rows: 3, sum: 7 };
        let places = [Place::Pane(1000, 5), Place::All, Place::Spellings].map(placed).to_vec();
        Manifest {
            format: FORMAT,
            number,
            generation: 7,
            cluster: "tidings".to_owned(),
            written: 1,
            epoch: 2,
            clock: Some(3),
            newest: None,
            rules: "r".to_owned(),
            other_rules: None,
            posts: "p".to_owned(),
            topics: vec![Topic {
                name: "posts".to_owned(),
                id: None,
                partitions: vec![Partition {
                    partition: 0,
                    start: 1,
                    next: 9,
                    gaps: vec![(3, 4)],
                    last: Some(Last { offset: 8, leader_epoch: 2 }),
                    newest: None,
                }],
            }],
            counts: Vec::new(),
            tally: Tally::default(),
            segments: vec![Segment { key: format!("segments/{number}"), size: 9, crc: 1, places }],
        }
    }

    proptest! {
        #[test]
        fn a_changed_byte_is_noticed(at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let mut bytes = example(4).encode().unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            match Manifest::decode("m", &bytes) {
                // Digits of the checksum have two cases.
                Ok(read) => prop_assert_eq!(read, example(4)),
                Err(error) => prop_assert!(matches!(error, CheckpointError::Damaged { .. }), "{}", error),
            }
        }

        #[test]
        fn a_manifest_cut_off_is_noticed(at in any::<prop::sample::Index>()) {
            let bytes = example(4).encode().unwrap();
            prop_assert!(Manifest::decode("m", &bytes[..at.index(bytes.len())]).is_err());
        }

        #[test]
        fn any_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Manifest::decode("m", &bytes).is_err());
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let manifest = example(4);
        assert_eq!(Manifest::decode("m", &manifest.encode().unwrap()).unwrap(), manifest);
        let newer = Manifest { format: FORMAT + 1, ..manifest };
        let error = Manifest::decode("m", &newer.encode().unwrap()).unwrap_err();
        assert!(matches!(&error, CheckpointError::Refused(why) if why.contains("newer version")), "{error}");
    }
}
