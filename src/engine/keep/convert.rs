//! Between what the engine has in hand and what is kept of it.

use std::collections::BTreeMap;

use tidings_dataflows::admit;
use tidings_dataflows::windows::Pane;

use super::thread::Offer;
use crate::checkpoint::capture::Kept;
use crate::checkpoint::commit::{Part, Refused};
use crate::checkpoint::manifest::{self, Manifest, Place, Segment, Starts, Topic};
use crate::engine::tally::Tally;
use crate::posts::Reason;
use crate::source::Position;
use crate::source::partitions::Partition;
use crate::source::resume::{Counted, CountedPartition};

/// What was counted of each topic.
pub(super) fn counted(found: &Manifest) -> Vec<Counted> {
    let of = |topic: &Topic| Counted {
        topic: topic.name.clone(),
        id: topic.id.as_deref().and_then(|id| u128::from_str_radix(id, 16).ok()),
        partitions: topic
            .partitions
            .iter()
            .map(|kept| {
                let manifest::Partition { start, next, gaps, last, .. } = kept;
                let (start, next, gaps, last) = (*start, *next, gaps.clone(), *last);
                (kept.partition, CountedPartition { start, next, gaps, last })
            })
            .collect(),
    };
    found.topics.iter().map(of).collect()
}

/// Kafka's id of a topic as it is kept.
pub(super) fn written_id(id: u128) -> String {
    format!("{id:032x}")
}

/// Partitions as they are kept, before anything more has been counted; `found` is what they go on from.
pub(super) fn topics(partitions: &[Partition], found: Option<&Manifest>) -> Vec<Topic> {
    let mut topics = Vec::<Topic>::new();
    for Partition { topic, partition, start, next, gaps, last, id, .. } in partitions {
        let newest = found.and_then(|found| {
            let known = found.topics.iter().find(|known| known.name == *topic)?;
            known.partitions.iter().find(|known| known.partition == *partition)?.newest
        });
        let kept = manifest::Partition {
            partition: *partition,
            start: *start,
            next: *next,
            gaps: gaps.clone(),
            last: *last,
            newest,
        };
        match topics.iter_mut().find(|known| known.name == *topic) {
            Some(known) => known.partitions.push(kept),
            None => topics.push(Topic {
                name: topic.clone(),
                // A broker that does not say it this time has said it before.
                id: id
                    .map(written_id)
                    .or_else(|| found?.topics.iter().find(|known| known.name == *topic)?.id.clone()),
                partitions: vec![kept],
            }),
        }
    }
    topics
}

/// The offsets at which a count that is new begins.
pub(super) fn starts(partitions: &[Partition]) -> Starts {
    let mut starts = Starts::new();
    for partition in partitions {
        starts.entry(partition.topic.clone()).or_default().insert(partition.partition, partition.next);
    }
    starts
}

/// A tally as it was kept.
pub(super) fn tally(kept: &Manifest, partitions: &[Partition]) -> Tally {
    let manifest::Tally { posts, bad, other, late, ahead, undated, too_long } = &kept.tally;
    let reason = |name: &String| Reason::ALL.into_iter().find(|reason| reason.as_str() == name);
    let newest = partitions.iter().enumerate().filter_map(|(number, partition)| {
        let topic = kept.topics.iter().find(|topic| topic.name == partition.topic)?;
        let known = topic.partitions.iter().find(|known| known.partition == partition.partition)?;
        Some((number as u32, known.newest?))
    });
    Tally {
        posts: *posts,
        bad: bad.iter().filter_map(|(name, n)| Some((reason(name)?, *n))).collect(),
        other: other.iter().map(|(name, n)| (name.clone().into(), *n)).collect(),
        late: *late,
        ahead: *ahead,
        undated: *undated,
        too_long: *too_long,
        newest: newest.collect(),
        panes: BTreeMap::new(),
    }
}

/// A tally as it is kept.
pub(super) fn kept_tally(tally: &Tally) -> manifest::Tally {
    manifest::Tally {
        posts: tally.posts,
        bad: tally.bad.iter().map(|(reason, n)| (reason.as_str().to_owned(), *n)).collect(),
        other: tally.other.iter().map(|(kind, n)| (kind.to_string(), *n)).collect(),
        late: tally.late,
        ahead: tally.ahead,
        undated: tally.undated,
        too_long: tally.too_long,
    }
}

/// One process's part: what its workers have offered, and where its rows were written.
pub(super) fn part(
    offers: &[Offer],
    partitions: &[Partition],
    counts: &[Kept],
    segments: Vec<Segment>,
) -> Part {
    let mut part = Part { segments, ..Part::default() };
    part.refused = vec![Refused::default(); counts.len()];
    part.held = vec![0; counts.len()];
    for Offer { snapshot, positions, gaps, tally, standing, .. } in offers {
        (part.epoch, part.clock, part.newest) = (snapshot.epoch, standing.clock, standing.newest);
        for Position { partition: number, next, last } in positions {
            let Some(known) = partitions.get(*number as usize) else { continue };
            let lost = gaps.iter().filter(|gap| gap.partition == *number).map(|gap| (gap.from, gap.to));
            let kept = manifest::Partition {
                partition: known.partition,
                start: known.start,
                next: *next,
                gaps: known.gaps.iter().copied().chain(lost).collect(),
                last: *last,
                newest: None,
            };
            part.partitions.push((known.topic.clone(), kept));
        }
        for (number, time) in &tally.newest {
            let Some(known) = partitions.get(*number as usize) else { continue };
            part.newest_of.push((known.topic.clone(), known.partition, *time));
        }
        part.tally.add(&kept_tally(tally));
        for (index, count) in snapshot.counts.iter().enumerate() {
            let admit::Refused { occurrences, newest, spellings } = count.refused;
            let refused = &mut part.refused[index];
            refused.occurrences += occurrences;
            refused.newest = refused.newest.max(newest);
            refused.spellings += spellings;
            part.held[index] += count.ranks.figures.last().map_or(0, |held| held.total);
        }
    }
    part
}

/// The pane where rows of a place belong among these windows at a clock; `None`: nothing covers them any more.
pub(super) fn pane(windows: &tidings_dataflows::windows::Windows, place: Place, clock: u64) -> Option<Pane> {
    match place {
        Place::All => windows.all().then_some(Pane::ALL),
        Place::Spellings => Some(Pane::ALL),
        Place::Pane(slide, number) => match windows.tier_with(slide) {
            Some(tier) => Some(Pane::new(tier, number)),
            None => windows.pane_at(slide.saturating_mul(number), 0, clock),
        },
    }
}
