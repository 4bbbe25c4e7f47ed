//! What workers publish, and how parts of one epoch become a whole.
//!
//! Idea: each worker keeps its last few epochs in a short queue; a reader takes the newest epoch that every worker has, of
//! all processes. Of other processes' workers it knows what they have told, which is all but the terms themselves. Parts are
//! put together once per epoch, by the first reader that asks, and shared by all others.
//! Invariant: a [`Cut`] is of one epoch on all workers, and its offsets, tallies and counts belong to the same records;
//! a later cut never has an earlier epoch. What this process has told others of an epoch, it still has for a while
//! (`HELD`, or `MOST_KEPT` epochs where those are over sooner), so that they can ask for it.
//! Cost: a short lock per epoch and worker, one per read; with other processes, some hundred bytes written per epoch, and the
//! first places of all windows for each epoch of the last seconds, 32 bytes a place.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use tidings_dataflows::admit::Refused;
use tidings_dataflows::snapshot::Snapshot;
use tidings_dataflows::totals::Figures;
use tokio::sync::watch;

use super::owners::Owners;
use super::tally::Tally;
use super::told::{Told, Whole};
use crate::source::Gap;
use crate::source::ends::Ends;

/// Epochs kept per worker: workers may be this far apart before a reader finds none in common.
const KEPT: usize = 12;

/// How old an epoch may at least become where other processes may ask for it, unless epochs are so short that they would be too many.
const HELD: Duration = Duration::from_secs(3);

/// Epochs kept per worker or process at most.
const MOST_KEPT: usize = 256;

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
    /// The counts of each worker of this process.
    pub snapshots: Vec<Arc<Snapshot>>,
    /// Each count as a whole, on all workers of all processes.
    pub counts: Vec<Whole>,
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

/// The last epochs of a worker of this process, each with when it was published.
type Kept = Mutex<VecDeque<(Instant, Arc<Part>)>>;

/// Sends other processes what this one has published.
type Tell = Box<dyn Fn(&Told) + Send + Sync>;

/// The queues of all workers.
pub struct Published {
    ends: Arc<Ends>,
    owners: Owners,
    workers: Vec<Kept>,
    /// What other processes have told; nothing at one's own number.
    others: Vec<Mutex<VecDeque<Arc<Told>>>>,
    tell: OnceLock<Tell>,
    /// The newest epoch that other processes have been told of.
    told: Mutex<u64>,
    cut: Mutex<Option<Arc<Cut>>>,
    newest: watch::Sender<u64>,
}

impl Published {
    /// Nothing published yet, in one process.
    pub fn new(workers: usize, ends: Arc<Ends>) -> Published {
        Published::in_cluster(Owners::alone(workers), ends)
    }

    /// Nothing published yet, in one process of these.
    pub fn in_cluster(owners: Owners, ends: Arc<Ends>) -> Published {
        let workers = (0..owners.threads).map(|_| Mutex::default()).collect();
        let others = (0..owners.processes).map(|_| Mutex::default()).collect();
        let (tell, told, cut, newest) =
            (OnceLock::new(), Mutex::default(), Mutex::default(), watch::Sender::new(0));
        Published { ends, owners, workers, others, tell, told, cut, newest }
    }

    /// Has other processes told of what is published from now on.
    pub fn tell_by(&self, tell: impl Fn(&Told) + Send + Sync + 'static) {
        // There is one way only.
        let _ = self.tell.set(Box::new(tell));
    }

    /// The processes that publish, and which of them this is.
    pub fn owners(&self) -> Owners {
        self.owners
    }

    /// What is known of the partitions.
    pub fn ends(&self) -> &Ends {
        &self.ends
    }

    /// Adds a worker's part of its newest epoch; workers are numbered from 0 in each process.
    pub fn publish(&self, worker: usize, part: Part) {
        let (epoch, now) = (part.snapshot.epoch, Instant::now());
        let mut kept = self.workers[worker].lock().expect("no reader panics while it holds the lock");
        kept.push_back((now, Arc::new(part)));
        let may_be_asked_for =
            |at: Instant, kept: usize| !self.owners.is_alone() && kept <= MOST_KEPT && now - at < HELD;
        while kept.len() > KEPT
            && let Some((at, _)) = kept.front()
            && !may_be_asked_for(*at, kept.len())
        {
            kept.pop_front();
        }
        drop(kept);
        self.tell_others(epoch);
        self.newest.send_replace(epoch);
    }

    /// Tells the other processes of an epoch, if this worker was the last one to publish it.
    fn tell_others(&self, epoch: u64) {
        let Some(tell) = self.tell.get() else { return };
        let Some(parts) = self.at(epoch) else { return };
        // Held until it is told: epochs go out in their order.
        let mut told = self.told.lock().expect("nobody panics while they hold the lock");
        if epoch > *told {
            *told = epoch;
            tell(&Told::of(epoch, &parts));
        }
    }

    /// Takes what another process has published; false where it cannot be.
    pub fn hear(&self, process: usize, told: Told) -> bool {
        let Some(other) = self.others.get(process).filter(|_| process != self.owners.me) else {
            return false;
        };
        let epoch = told.epoch;
        let mut kept = other.lock().expect("no reader panics while it holds the lock");
        if kept.back().is_some_and(|last| last.epoch >= epoch) {
            return false;
        }
        kept.push_back(Arc::new(told));
        if kept.len() > MOST_KEPT {
            kept.pop_front();
        }
        drop(kept);
        self.newest.send_replace(epoch);
        true
    }

    /// The newest epoch that a process is known to have published; `None` for none.
    pub fn reached(&self, process: usize) -> Option<u64> {
        if process == self.owners.me {
            let last = |kept: &Kept| Some(kept.lock().ok()?.back()?.1.snapshot.epoch);
            return self.workers.iter().map(last).min()?;
        }
        Some(self.others.get(process)?.lock().ok()?.back()?.epoch)
    }

    /// Tells whenever a worker or another process has published.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// The parts of this process's workers at an epoch; `None` where one has it not yet, or no longer.
    pub fn at(&self, epoch: u64) -> Option<Vec<Arc<Part>>> {
        let part = |kept: &Kept| {
            let kept = kept.lock().expect("no worker panics while it holds the lock");
            kept.iter().rev().map(|(_, part)| part).find(|part| part.snapshot.epoch == epoch).cloned()
        };
        self.workers.iter().map(part).collect()
    }

    /// The newest epoch that all workers of all processes have published.
    pub fn newest(&self) -> Option<Arc<Cut>> {
        let mut cut = self.cut.lock().expect("no reader panics while it holds the lock");
        let epochs = |kept: &Kept| -> Vec<u64> {
            let kept = kept.lock().expect("no worker panics while it holds the lock");
            kept.iter().rev().map(|(_, part)| part.snapshot.epoch).collect()
        };
        let known = cut.as_ref().map_or(0, |cut| cut.epoch);
        let candidates = epochs(self.workers.first()?);
        let newer = candidates.into_iter().take_while(|epoch| cut.is_none() || *epoch > known);
        for epoch in newer {
            let Some((parts, others)) = self.at(epoch).zip(self.others_at(epoch)) else { continue };
            let mut whole = Told::of(epoch, &parts);
            others.iter().for_each(|other| whole.add(other));
            *cut = Some(Arc::new(self.cut(&parts, whole)));
            break;
        }
        cut.clone()
    }

    fn others_at(&self, epoch: u64) -> Option<Vec<Arc<Told>>> {
        let others = self.others.iter().enumerate().filter(|(process, _)| *process != self.owners.me);
        let told = |(_, kept): (usize, &Mutex<VecDeque<Arc<Told>>>)| {
            let kept = kept.lock().expect("nobody panics while they hold the lock");
            kept.iter().rev().find(|told| told.epoch == epoch).cloned()
        };
        others.map(told).collect()
    }

    fn cut(&self, parts: &[Arc<Part>], whole: Told) -> Cut {
        let (mut start_offsets, mut offsets, mut gaps) = (Offsets::new(), Offsets::new(), Gaps::new());
        let mut catching_up = false;
        let partitions = self.ends.partitions();
        for (number, next) in &whole.positions {
            if let Some(partition) = partitions.get(*number as usize) {
                let (topic, number) = (&partition.topic, partition.partition);
                start_offsets.entry(topic.clone()).or_default().insert(number, partition.start);
                offsets.entry(topic.clone()).or_default().insert(number, *next);
                catching_up |= *next < partition.end;
                if !partition.gaps.is_empty() {
                    let gaps = gaps.entry(topic.clone()).or_default().entry(number).or_default();
                    gaps.splice(0..0, partition.gaps.iter().copied());
                }
            }
        }
        for gap in &whole.gaps {
            if let Some(partition) = partitions.get(gap.partition as usize) {
                let gaps = gaps.entry(partition.topic.clone()).or_default();
                gaps.entry(partition.partition).or_default().push((gap.from, gap.to));
            }
        }
        let snapshots: Vec<_> = parts.iter().map(|part| Arc::clone(&part.snapshot)).collect();
        Cut {
            epoch: whole.epoch,
            clock: snapshots.first().and_then(|first| first.clock),
            snapshots,
            counts: whole.counts,
            start_offsets,
            offsets,
            gaps,
            tally: whole.tally,
            since: Instant::now(),
            catching_up,
        }
    }
}

impl Cut {
    /// What a window holds as a whole, by the numbers of its sheet and its own.
    pub fn figures(&self, count: usize, window: usize) -> Figures {
        let figures = self.counts.get(count).and_then(|whole| whole.figures.get(window));
        figures.copied().unwrap_or_default()
    }

    /// What a sheet has not taken for want of room.
    pub fn refused(&self, count: usize) -> Refused {
        self.counts.get(count).map(|whole| whole.refused).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use tidings_dataflows::term::HashKeys;

    use super::*;
    use crate::source::partitions::Partition;

    fn published(me: usize, processes: usize) -> Published {
        let partition = |partition| Partition::new("posts", partition, 1, 9);
        let owners = Owners { me, processes, threads: 1, keys: HashKeys::new(1) };
        Published::in_cluster(owners, Ends::new(&[partition(0), partition(1)], Instant::now()))
    }

    fn part(epoch: u64, partition: u32, next: i64) -> Part {
        let snapshot = Arc::new(Snapshot { epoch, clock: Some(epoch), counts: Vec::new() });
        Part { snapshot, positions: vec![(partition, next)], gaps: Vec::new(), tally: Arc::default() }
    }

    fn told(epoch: u64, next: i64) -> Told {
        Told { epoch, positions: vec![(1, next)], ..Told::default() }
    }

    #[test]
    fn a_cut_is_of_an_epoch_that_all_have() {
        let published = published(0, 2);
        (1..=20).for_each(|epoch| published.publish(0, part(epoch, 0, epoch as i64)));
        assert!(published.newest().is_none(), "the other has none yet");
        assert!(published.hear(1, told(5, 7)) && published.hear(1, told(6, 8)));
        let cut = published.newest().expect("both have it");
        assert_eq!((cut.epoch, cut.clock, &cut.offsets["posts"]), (6, Some(6), &[(0, 6), (1, 8)].into()));
        assert!(cut.catching_up);
        assert_eq!((published.reached(0), published.reached(1)), (Some(20), Some(6)));
        // Another one's epochs do not go back, and nobody speaks for this one, or for nobody.
        assert!(!published.hear(1, told(6, 9)) && !published.hear(1, told(2, 9)));
        assert!(!published.hear(0, told(30, 9)) && !published.hear(2, told(30, 9)));
        // What nobody here has published is no epoch of all.
        assert!(published.hear(1, told(25, 9)));
        assert_eq!(published.newest().map(|cut| cut.epoch), Some(6));
        published.publish(0, part(25, 0, 9));
        let cut = published.newest().expect("both have it");
        assert_eq!((cut.epoch, cut.catching_up), (25, false));
    }

    #[test]
    fn what_others_may_ask_for_is_kept_for_a_while() {
        let (alone, one_of_two) = (published(0, 1), published(0, 2));
        for epoch in 1..=100 {
            for published in [&alone, &one_of_two] {
                published.publish(0, part(epoch, 0, 1));
            }
        }
        assert!(alone.at(100).is_some() && alone.at(88).is_none());
        assert!(one_of_two.at(1).is_some() && one_of_two.at(101).is_none());
        (101..=600).for_each(|epoch| one_of_two.publish(0, part(epoch, 0, 1)));
        assert!(one_of_two.at(300).is_none() && one_of_two.at(400).is_some());
    }

    #[test]
    fn an_epoch_is_told_once_all_workers_have_it() {
        let owners = Owners { me: 1, processes: 2, threads: 2, keys: HashKeys::new(1) };
        let published = Published::in_cluster(owners, Ends::new(&[], Instant::now()));
        let said = Arc::new(Mutex::new(Vec::new()));
        let hearing = Arc::clone(&said);
        published.tell_by(move |told| {
            hearing.lock().expect("no panic").push((told.epoch, told.positions.clone()))
        });
        (1..=2).for_each(|epoch| published.publish(0, part(epoch, 0, epoch as i64)));
        assert!(said.lock().expect("no panic").is_empty());
        (1..=2).for_each(|epoch| published.publish(1, part(epoch, 1, 5)));
        assert_eq!(*said.lock().expect("no panic"), [(1, vec![(0, 1), (1, 5)]), (2, vec![(0, 2), (1, 5)])]);
    }
}
