//! What workers publish, and how parts of one epoch become a whole.
//!
//! Idea: each worker keeps its last few epochs in a short queue; a reader takes the newest epoch that every worker has.
//! Parts are put together once per epoch, by the first reader that asks, and shared by all others.
//! Invariant: a [`Cut`] is of one epoch on all workers, and its offsets, tallies and counts belong to the same records;
//! a later cut never has an earlier epoch.
//! Cost: a short lock per epoch and worker, one per read.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tidings_dataflows::snapshot::Snapshot;
use tokio::sync::watch;

use super::tally::Tally;
use crate::source::Gap;
use crate::source::ends::Ends;

/// Epochs kept per worker: workers may be this far apart before a reader finds none in common.
const KEPT: usize = 12;

/// Offsets by topic and partition.
pub type Offsets = BTreeMap<String, BTreeMap<i32, i64>>;

/// Ranges of offsets by topic and partition.
pub type Gaps = BTreeMap<String, BTreeMap<i32, Vec<(i64, i64)>>>;

/// One worker's part of an epoch.
pub struct Part {
    /// Its counts.
    pub snapshot: Arc<Snapshot>,
    /// Next offsets of the partitions that it reads, by number.
    pub positions: Vec<(u32, i64)>,
    /// Offsets that were lost and passed over.
    pub gaps: Vec<Gap>,
    /// What became of the records that it decoded, since the start.
    pub tally: Arc<Tally>,
}

/// All workers' results at one epoch.
pub struct Cut {
    /// The epoch: Unix time in milliseconds at which it closed, or a little more.
    pub epoch: u64,
    /// The clock; `None` before the first post, and before the wall clock is trusted.
    pub clock: Option<u64>,
    /// Each worker's counts.
    pub snapshots: Vec<Arc<Snapshot>>,
    /// The first offset that was read of each partition.
    pub start_offsets: Offsets,
    /// The next offset of each partition.
    pub offsets: Offsets,
    /// The offsets that were lost and passed over: from, and up to but not including.
    pub gaps: Gaps,
    /// What became of the records.
    pub tally: Tally,
    /// When it was put together.
    pub since: Instant,
    /// Whether some partition has not reached the end that it had when the engine started.
    pub catching_up: bool,
}

/// The queues of all workers.
pub struct Published {
    ends: Arc<Ends>,
    workers: Vec<Mutex<VecDeque<Arc<Part>>>>,
    cut: Mutex<Option<Arc<Cut>>>,
    newest: watch::Sender<u64>,
}

impl Published {
    /// Nothing published yet.
    pub fn new(workers: usize, ends: Arc<Ends>) -> Published {
        let workers = (0..workers).map(|_| Mutex::default()).collect();
        Published { ends, workers, cut: Mutex::default(), newest: watch::Sender::new(0) }
    }

    /// What is known of the partitions.
    pub fn ends(&self) -> &Ends {
        &self.ends
    }

    /// Adds a worker's part of its newest epoch.
    pub fn publish(&self, worker: usize, part: Part) {
        let epoch = part.snapshot.epoch;
        let mut kept = self.workers[worker].lock().expect("no reader panics while it holds the lock");
        kept.push_back(Arc::new(part));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        drop(kept);
        self.newest.send_replace(epoch);
    }

    /// Tells whenever a worker has published.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// The newest epoch that all workers have published.
    pub fn newest(&self) -> Option<Arc<Cut>> {
        let mut cut = self.cut.lock().expect("no reader panics while it holds the lock");
        let queues: Vec<_> = self
            .workers
            .iter()
            .map(|kept| kept.lock().expect("no worker panics while it holds the lock"))
            .collect();
        let has = |epoch| queues.iter().all(|kept| kept.iter().any(|part| part.snapshot.epoch == epoch));
        let newest = queues.first()?.iter().rev().map(|part| part.snapshot.epoch).find(|epoch| has(*epoch));
        if let Some(epoch) = newest.filter(|epoch| cut.as_ref().is_none_or(|cut| cut.epoch < *epoch)) {
            let parts =
                queues.iter().filter_map(|kept| kept.iter().find(|part| part.snapshot.epoch == epoch));
            let parts: Vec<_> = parts.cloned().collect();
            drop(queues);
            *cut = Some(Arc::new(self.join(epoch, &parts)));
        }
        cut.clone()
    }

    fn join(&self, epoch: u64, parts: &[Arc<Part>]) -> Cut {
        let (mut start_offsets, mut offsets, mut gaps) = (Offsets::new(), Offsets::new(), Gaps::new());
        let (mut tally, mut catching_up) = (Tally::default(), false);
        let partitions = self.ends.partitions();
        for part in parts {
            tally.add(&part.tally);
            for (number, next) in &part.positions {
                if let Some(partition) = partitions.get(*number as usize) {
                    let (topic, number) = (&partition.topic, partition.partition);
                    start_offsets.entry(topic.clone()).or_default().insert(number, partition.start);
                    offsets.entry(topic.clone()).or_default().insert(number, *next);
                    catching_up |= *next < partition.end;
                }
            }
            for gap in &part.gaps {
                if let Some(partition) = partitions.get(gap.partition as usize) {
                    let gaps = gaps.entry(partition.topic.clone()).or_default();
                    gaps.entry(partition.partition).or_default().push((gap.from, gap.to));
                }
            }
        }
        let snapshots: Vec<_> = parts.iter().map(|part| Arc::clone(&part.snapshot)).collect();
        let clock = snapshots.first().and_then(|first| first.clock);
        Cut {
            epoch,
            clock,
            snapshots,
            start_offsets,
            offsets,
            gaps,
            tally,
            since: Instant::now(),
            catching_up,
        }
    }
}
