//! How far the engine has come in each partition, as status and metrics show it.
//!
//! Idea: position, end and newest time stand side by side, so that what is behind can be seen at a glance.
//! Invariant: offsets and newest times are those of one cut; ends were learnt beside it, so a lag is never negative but
//! may be a moment old.
//! Cost: a few words a partition.

use serde::Serialize;
use utoipa::ToSchema;

use super::stamp::Time;
use crate::engine::{Cut, Reader};

/// How far the engine has come in one partition.
#[derive(Debug, Serialize, ToSchema)]
pub struct Progress {
    /// The topic.
    pub topic: String,
    /// The number of the partition in it.
    pub partition: i32,
    /// The next offset.
    pub offset: i64,
    /// The offset behind the last record, as far as known.
    #[schema(required)]
    pub end_offset: Option<i64>,
    /// Records between the two.
    #[schema(required)]
    pub lag: Option<i64>,
    /// The newest event time.
    #[schema(required)]
    pub newest: Option<Time>,
}

/// The partitions of a cut in their order.
pub fn progress(reader: &Reader, cut: &Cut) -> Vec<Progress> {
    let partitions = reader.partitions();
    let progress = partitions.iter().zip(0u32..).filter_map(|(known, number)| {
        // One that was added a moment ago is not in the cut yet.
        let offset = *cut.offsets.get(&known.topic)?.get(&known.partition)?;
        let end_offset = reader.end_offset(number).map(|(end, _)| end);
        Some(Progress {
            topic: known.topic.clone(),
            partition: known.partition,
            offset,
            end_offset,
            lag: end_offset.map(|end| end.saturating_sub(offset).max(0)),
            newest: cut.tally.newest.get(&number).copied().map(Time),
        })
    });
    progress.collect()
}
