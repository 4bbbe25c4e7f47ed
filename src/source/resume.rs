//! Whether reading can go on where it was left, partition by partition.
//!
//! Idea: what was counted is known by topic, partition and offset; what is there now is asked of Kafka. Here the two are laid
//! side by side, without asking anybody.
//! Invariant: reading goes on exactly behind what was counted, or not at all. A topic that is not the one that was counted,
//! or offsets that are not there any more, end the run, unless gaps are allowed: then the source finds and names them.
//! Cost: none.

use std::collections::BTreeMap;

use super::partitions::Partition;
use super::{Last, SourceError};
use crate::config::OnGap;

/// A partition as it is now; where it would be read from if nothing had been counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The offset of the oldest record that the broker holds.
    pub first: i64,
    /// All else.
    pub partition: Partition,
}

/// What was counted of a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Its name.
    pub topic: String,
    /// Its id then, where the broker gave one.
    pub id: Option<u128>,
    /// By partition.
    pub partitions: BTreeMap<i32, CountedPartition>,
}

/// What was counted of a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CountedPartition {
    /// The first offset that may have been counted.
    pub start: i64,
    /// The offset behind what was counted.
    pub next: i64,
    /// Offsets between them that were lost.
    pub gaps: Vec<(i64, i64)>,
    /// The last record that was counted, where brokers tell records apart.
    pub last: Option<Last>,
}

/// Lays what was counted beside what is there.
///
/// # Errors
/// `Fence` where they do not belong together, `Config` where a topic is not read any more.
pub fn go_on(found: Vec<Found>, before: &[Counted], on_gap: OnGap) -> Result<Vec<Partition>, SourceError> {
    for counted in before {
        let now: Vec<&Found> = found.iter().filter(|found| found.partition.topic == counted.topic).collect();
        let topic = &counted.topic;
        let Some(first) = now.first() else {
            return Err(SourceError::Config(format!(
                "topic {topic:?} has been counted and is not among kafka.topics any more; put it back, choose another \
                 checkpoint.dir, or begin anew with --start-fresh"
            )));
        };
        if counted.id.zip(first.partition.id).is_some_and(|(was, is)| was != is) {
            return Err(SourceError::Fence(format!(
                "topic {topic:?} was deleted and made anew since the checkpoint: what has been counted and what stands in \
                 it now do not belong together; begin anew with --start-fresh"
            )));
        }
        let missing = |number: &&i32| !now.iter().any(|found| found.partition.partition == **number);
        if let Some(number) = counted.partitions.keys().find(missing) {
            return Err(SourceError::Fence(format!(
                "topic {topic:?} has no partition {number} any more, and the checkpoint counts it: it was made anew; begin \
                 anew with --start-fresh"
            )));
        }
    }
    found.into_iter().map(|found| behind(found, before, on_gap)).collect()
}

fn behind(found: Found, before: &[Counted], on_gap: OnGap) -> Result<Partition, SourceError> {
    let Found { first, partition } = found;
    let Some(counted) = before.iter().find(|counted| counted.topic == partition.topic) else {
        return Ok(partition);
    };
    let Partition { topic, partition: number, end, .. } = &partition;
    let Some(CountedPartition { start, next, gaps, last }) = counted.partitions.get(number) else {
        // Added while nobody looked: from its first record, as one that is added while somebody does.
        return Ok(Partition { start: first, next: first, ..partition });
    };
    if next > end {
        return Err(SourceError::Fence(format!(
            "{topic} {number} ends at offset {end}, and the checkpoint counts it up to {next}: its log was cut or made anew \
             (begin anew with --start-fresh), or `isolation.level` is another now and a transaction is open (wait for its end)"
        )));
    }
    if first > *next && on_gap == OnGap::Stop {
        let gone = first - next;
        return Err(SourceError::Fence(format!(
            "{topic} {number}: {gone} records are gone that were not read, offsets {next} to {first}: they were deleted \
             since the checkpoint, by retention or by hand; `kafka.on_gap = \"continue\"` would go on without them"
        )));
    }
    // One that retention took since cannot be looked at.
    let last = last.filter(|last| first <= last.offset);
    Ok(Partition { start: *start, next: *next, gaps: gaps.clone(), last, ..partition })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(first: i64, end: i64, start: i64) -> Vec<Found> {
        let one = Partition { id: Some(7), ..Partition::new("posts", 0, start, end) };
        vec![Found { first, partition: one }]
    }

    fn counted(start: i64, next: i64) -> Counted {
        let last = Some(Last { offset: next - 1, leader_epoch: 3 });
        let partition = CountedPartition { start, next, gaps: vec![(start, start + 1)], last };
        Counted { topic: "posts".to_owned(), id: Some(7), partitions: [(0, partition)].into() }
    }

    proptest! {
        #[test]
        fn exactly_behind_what_was_counted_or_not_at_all(
            first in 0i64..100, held in 0i64..100, start in 0i64..50, read in 0i64..150, go in any::<bool>(),
        ) {
            let on_gap = if go { OnGap::Continue } else { OnGap::Stop };
            let (end, next) = (first + held, start + read);
            match go_on(found(first, end, end), &[counted(start, next)], on_gap) {
                Ok(partitions) => {
                    prop_assert!(next <= end && (go || first <= next));
                    prop_assert_eq!((partitions[0].start, partitions[0].next, partitions[0].end), (start, next, end));
                    prop_assert_eq!(&partitions[0].gaps, &[(start, start + 1)]);
                    let last = Some(Last { offset: next - 1, leader_epoch: 3 });
                    prop_assert_eq!(partitions[0].last, last.filter(|last| last.offset >= first));
                }
                Err(error) => {
                    prop_assert!(next > end || !go && first > next, "{}", error);
                    prop_assert!(matches!(error, SourceError::Fence(_)));
                }
            }
        }
    }

    #[test]
    fn what_is_not_the_same_any_more_is_refused() {
        let refused = |found: Vec<Found>, before: Counted| {
            go_on(found, &[before], OnGap::Stop).expect_err("refused").to_string()
        };
        let other = Counted { id: Some(8), ..counted(0, 5) };
        assert!(refused(found(0, 9, 0), other).contains("made anew since"));
        let gone = Counted { partitions: [(3, CountedPartition::default())].into(), ..counted(0, 5) };
        assert!(refused(found(0, 9, 0), gone).contains("no partition 3"));
        let elsewhere = Counted { topic: "old".to_owned(), ..counted(0, 5) };
        assert!(refused(found(0, 9, 0), elsewhere).contains("not among kafka.topics"));
        let unknown = Counted { id: None, ..counted(0, 5) };
        assert_eq!(go_on(found(0, 9, 9), &[unknown], OnGap::Stop).unwrap()[0].next, 5);
    }

    #[test]
    fn what_was_not_counted_begins() {
        assert_eq!(go_on(found(2, 9, 9), &[], OnGap::Stop).unwrap()[0].next, 9, "as the settings have it");
        let other = Counted { partitions: BTreeMap::new(), ..counted(0, 0) };
        let added = go_on(found(2, 9, 9), &[other], OnGap::Stop).unwrap();
        assert_eq!((added[0].start, added[0].next), (2, 2), "from its first record");
    }
}
