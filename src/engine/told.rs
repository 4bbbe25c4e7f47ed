//! What a process tells the others of an epoch that all of its workers have published.
//!
//! Idea: everything about an epoch that is small: how far it has read, what became of the records, what each window holds as
//! a whole. Terms stay where they are until somebody asks for them. What one process tells itself is the same, so that one
//! way of putting together serves one process and many.
//! Invariant: what is told of an epoch is about exactly the records before its positions.
//! Cost: some hundred bytes, and a few more a partition and a window.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tidings_dataflows::admit::Refused;
use tidings_dataflows::totals::Figures;

use super::published::Part;
use super::tally::Tally;
use crate::source::Gap;

/// One process's share of an epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The epoch.
    pub epoch: u64,
    /// Next offsets of the partitions that it reads, by number.
    pub positions: Vec<(u32, i64)>,
    /// Offsets that were lost and passed over.
    pub gaps: Vec<Gap>,
    /// What became of the records that it decoded.
    pub tally: Tally,
    /// The counts, sheet by sheet.
    pub counts: Vec<Whole>,
}

/// What is known of a count as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whole {
    /// What each window holds, as the dataflow numbers them.
    pub figures: Vec<Figures>,
    /// What was not taken for want of room.
    pub refused: Refused,
}

impl Told {
    /// Of the parts of all its workers.
    pub fn of(epoch: u64, parts: &[Arc<Part>]) -> Told {
        let mut told = Told { epoch, ..Told::default() };
        for part in parts {
            let counts = part
                .snapshot
                .counts
                .iter()
                .map(|count| Whole { figures: count.ranks.figures.clone(), refused: count.refused });
            told.positions.extend(&part.positions);
            told.gaps.extend(&part.gaps);
            told.tally.add(&part.tally);
            told.add_counts(counts);
        }
        told
    }

    /// Adds what another process tells of the same epoch.
    pub fn add(&mut self, other: &Told) {
        self.positions.extend(&other.positions);
        self.gaps.extend(&other.gaps);
        self.tally.add(&other.tally);
        self.add_counts(other.counts.iter().cloned());
    }

    fn add_counts(&mut self, others: impl Iterator<Item = Whole>) {
        for (index, other) in others.enumerate() {
            let Some(whole) = self.counts.get_mut(index) else {
                self.counts.push(other);
                continue;
            };
            whole.refused.add(&other.refused);
            whole.figures.iter_mut().zip(&other.figures).for_each(|(figures, other)| figures.add(other));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::wire::{decode, encode};
    use crate::posts::Reason;

    fn told() -> impl Strategy<Value = Told> {
        let positions = proptest::collection::vec((any::<u32>(), any::<i64>()), 0..5);
        let counts = proptest::collection::vec((any::<i64>(), any::<u64>(), any::<Option<u64>>()), 0..4);
        let other = proptest::collection::btree_map("[a-z]{1,8}", any::<u64>(), 0..3);
        (any::<u64>(), positions, counts, other).prop_map(|(epoch, positions, counts, other)| Told {
            epoch,
            gaps: positions
                .iter()
                .map(|(partition, from)| Gap { partition: *partition, from: *from, to: 9 })
                .collect(),
            positions,
            tally: Tally {
                posts: epoch / 3,
                bad: [(Reason::Json, epoch)].into(),
                other: other.into_iter().map(|(kind, n)| (kind.into(), n)).collect(),
                newest: [(7, epoch)].into(),
                ..Tally::default()
            },
            counts: counts
                .into_iter()
                .map(|(total, distinct, newest)| Whole {
                    figures: vec![Figures { total, distinct }; 3],
                    refused: Refused { occurrences: distinct, newest, spellings: 2 },
                })
                .collect(),
        })
    }

    proptest! {
        #[test]
        fn what_is_told_is_heard(told in told()) {
            prop_assert_eq!(decode::<Told>(&encode(&told)), Some(told));
        }

        #[test]
        fn any_bytes_are_read_or_refused(told in told(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
            let mut bytes = encode(&told);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if cut {
                bytes.truncate(at);
            }
            if let Some(read) = decode::<Told>(&bytes) {
                prop_assert_eq!(decode::<Told>(&encode(&read)), Some(read));
            }
        }
    }

    #[test]
    fn a_length_that_is_a_lie_takes_no_room() {
        // An epoch, then more positions than there is memory.
        let bytes = [&[1][..], &[0xFF; 9], &[1]].concat();
        assert_eq!(decode::<Told>(&bytes), None);
    }
}
