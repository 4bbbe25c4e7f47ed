//! How any thread asks the engine.
//!
//! Idea: a cheap handle that knows the counts and their windows, hands out the newest [`Cut`], and tells when there may be
//! a newer one. It speaks for the whole cluster: a cut is of all processes, and so is whether they are ready; terms that
//! other processes own are asked of them (`gather`).
//! Invariant: what it hands out never goes back in time; a cut that meets a bound contains every record below it.
//! Cost: a lock per call; waiting costs nothing until a worker publishes.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tidings_dataflows::reads::View;
use tidings_dataflows::windows::Windows;

use super::gather::Others;
use super::keep::{Begun, History, SharedHistory};
use super::published::{Cut, Offsets, Published};
use super::sheets::{Place, Sheets};
use super::tally::Tally;
use crate::cluster::peers::Peers;
use crate::config::Span;
use crate::source::dead_letters::Fates;
use crate::source::ends::FRESH;
use crate::source::partitions::Partition;
use crate::terms::Kind;

/// A count as readers see it.
#[derive(Clone, Debug)]
pub struct CountInfo {
    /// Its name.
    pub name: String,
    /// What is counted.
    pub of: Kind,
    /// Its windows in the order of the configuration.
    pub windows: Vec<WindowInfo>,
    /// The sliding ones among them, numbered in the same order.
    pub plan: Windows,
}

/// A window as readers see it.
#[derive(Clone, Debug)]
pub struct WindowInfo {
    /// Its name in the configuration.
    pub name: String,
    /// Size and slide; `None`: all time.
    pub span: Option<Span>,
    /// Its number in the plan: that in the dataflow, unless the count is on several sheets.
    pub index: usize,
}

/// What a reader insists on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// Next offsets that must have been reached, by topic and partition.
    pub offsets: Offsets,
    /// The epoch that must have been reached.
    pub epoch: Option<u64>,
}

/// A bound that was not met in time; what was reached instead, if anything.
pub struct NotUpTo(pub Option<Arc<Cut>>);

/// Why the engine is not ready to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotReady {
    /// Nothing has been published yet.
    Starting,
    /// What was kept is being loaded.
    Restoring,
    /// What stood in the topic at the start has not all been read.
    CatchingUp,
    /// No epoch has been completed for a while, or another process has not been heard of.
    Stalled,
    /// Kafka has not answered some process for a while.
    SourceUnavailable,
    /// It is being stopped.
    Draining,
}

impl NotReady {
    /// The word for it in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            NotReady::Starting => "starting",
            NotReady::Restoring => "restoring",
            NotReady::CatchingUp => "catching_up",
            NotReady::Stalled => "stalled",
            NotReady::SourceUnavailable => "source_unavailable",
            NotReady::Draining => "draining",
        }
    }
}

/// For how long Kafka may be silent before the engine says that its source is unavailable.
const GRACE: Duration = Duration::from_secs(5);

/// For how long no epoch may be completed before the engine says that it is stalled; longer where epochs are long.
const STALLED: Duration = Duration::from_secs(10);

/// What a process tells the others of itself, as bits of one byte: that Kafka does not answer it.
const SAYS_UNAVAILABLE: u8 = 1;

/// A process of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub process: usize,
    /// Its workers.
    pub workers: usize,
    /// The newest epoch that it is known to have published.
    pub epoch: Option<u64>,
    /// For how long nothing has been heard of it; nothing for this process itself.
    pub silence: Option<Duration>,
}

/// A handle for asking.
#[derive(Clone)]
pub struct Reader {
    engine: Arc<Engine>,
    others: Others,
    dead_letters: Option<Fates>,
    checkpoints: Option<SharedHistory>,
    /// Whether something kept is being loaded until there are results.
    restoring: bool,
    /// The newest event time counted by other rules than today's.
    other_rules: Option<u64>,
    /// What had become of the records when this run began.
    before: Arc<Tally>,
    sheets: Arc<Sheets>,
    /// Of each sheet its own starts, where it was added later.
    starts: Arc<Vec<Option<Offsets>>>,
}

/// What all handles share.
struct Engine {
    published: Arc<Published>,
    counts: Vec<CountInfo>,
    generation: u64,
    stalled_after: Duration,
    draining: AtomicBool,
}

impl Reader {
    /// `epoch` is the usual time between two closings.
    pub(crate) fn new(
        published: Arc<Published>,
        counts: Vec<CountInfo>,
        generation: u64,
        epoch: Duration,
    ) -> Reader {
        let (stalled_after, draining) = (STALLED.max(20 * epoch), AtomicBool::new(false));
        let sheets = Arc::new(Sheets::whole(&counts));
        let engine = Engine { published, counts, generation, stalled_after, draining };
        let others = Others { owners: engine.published.owners(), peers: None };
        Reader {
            engine: Arc::new(engine),
            others,
            dead_letters: None,
            checkpoints: None,
            restoring: false,
            other_rules: None,
            before: Arc::default(),
            sheets,
            starts: Arc::default(),
        }
    }

    /// The same, which finds windows on these sheets.
    pub(super) fn with_sheets(self, sheets: Sheets) -> Reader {
        Reader { sheets: Arc::new(sheets), ..self }
    }

    /// The same, which asks the other processes for what they own.
    pub fn with_peers(self, peers: Option<Arc<Peers>>) -> Reader {
        let others = Others { peers, ..self.others };
        Reader { others, ..self }
    }

    /// The other processes.
    pub(super) fn others(&self) -> &Others {
        &self.others
    }

    /// All processes of the cluster, by their numbers.
    pub fn members(&self) -> Vec<Member> {
        let Others { owners, peers } = &self.others;
        let silence =
            |process| Some(peers.as_ref()?.heard().silence(process)).filter(|_| process != owners.me);
        let member = |process| Member {
            process,
            workers: owners.threads,
            epoch: self.engine.published.reached(process),
            silence: silence(process),
        };
        (0..owners.processes).map(member).collect()
    }

    /// The process that has been silent for longest, and for how long; `None` where none has been for too long.
    pub fn silent(&self) -> Option<(usize, Duration)> {
        self.others.peers.as_ref()?.heard().silent()
    }

    /// The same, which knows how checkpoints go.
    pub(super) fn with_checkpoints(self, begun: Option<&Begun>) -> Reader {
        let Some(begun) = begun else { return self };
        let starts = begun.fitted.iter().map(|fitted| fitted.count.start.clone());
        Reader {
            restoring: begun.restore.is_some(),
            other_rules: begun.other_rules,
            before: begun.restore.as_ref().map(|restore| Arc::new(restore.tally.clone())).unwrap_or_default(),
            starts: Arc::new(starts.collect()),
            ..self.with_history(begun.keeping.history())
        }
    }

    /// What became of the records of a cut that this run has read, without those that an earlier one had counted.
    pub fn tally_of_this_run(&self, cut: &Cut) -> Tally {
        cut.tally.since(&self.before)
    }

    /// The same, which shows how checkpoints go.
    pub(crate) fn with_history(self, history: SharedHistory) -> Reader {
        Reader { checkpoints: Some(history), ..self }
    }

    /// How checkpoints have gone, where there are any.
    pub fn checkpoints(&self) -> Option<History> {
        self.checkpoints.as_ref().map(|history| history.lock().expect("no holder panics").clone())
    }

    /// The offsets at which the counts on a sheet began, in a cut: those of the partitions, or later ones of its own.
    pub fn starts_of<'a>(&self, cut: &'a Cut, sheet: usize) -> Cow<'a, Offsets> {
        let Some(own) = self.starts.get(sheet).and_then(Option::as_ref) else {
            return Cow::Borrowed(&cut.start_offsets);
        };
        let mut starts = cut.start_offsets.clone();
        for (topic, partitions) in &mut starts {
            let Some(own) = own.get(topic) else { continue };
            // A partition that was found later than the sheet was begun has its own first offset.
            partitions
                .iter_mut()
                .for_each(|(partition, start)| *start = own.get(partition).map_or(*start, |own| *own));
        }
        Cow::Owned(starts)
    }

    /// Where a window of a count is found; both by their indices in the configuration.
    pub fn place(&self, count: usize, window: usize) -> Place {
        self.sheets.place(count, window)
    }

    /// What is on each sheet.
    pub(super) fn on_sheets(&self) -> &[CountInfo] {
        &self.sheets.infos
    }

    /// Whether a window that begins at this event time may hold posts that were taken apart by other rules.
    pub fn has_other_rules(&self, from: u64) -> bool {
        self.other_rules.is_some_and(|newest| from <= newest)
    }

    /// The same, which knows what became of dead letters.
    pub(crate) fn with_dead_letters(self, dead_letters: Option<Fates>) -> Reader {
        Reader { dead_letters, ..self }
    }

    /// What became of the bad records that were sent on, where that was asked for.
    pub fn dead_letters(&self) -> Option<&Fates> {
        self.dead_letters.as_ref()
    }

    /// The counts in the order of the configuration.
    pub fn counts(&self) -> &[CountInfo] {
        &self.engine.counts
    }

    /// The number of this run: larger than that of any earlier one.
    pub fn generation(&self) -> u64 {
        self.engine.generation
    }

    /// The partitions that are read, by number.
    pub fn partitions(&self) -> Arc<Vec<Partition>> {
        self.engine.published.ends().partitions()
    }

    /// Where a partition ends, as far as known, and whether that was learnt just now.
    pub fn end_offset(&self, partition: u32) -> Option<(i64, bool)> {
        let end = self.engine.published.ends().get(partition)?;
        Some((end.offset, end.asked.elapsed() <= FRESH))
    }

    /// The newest results; `None` until there are any.
    pub fn newest(&self) -> Option<Arc<Cut>> {
        self.engine.published.newest()
    }

    /// One sheet in a cut, by its number; the sheet of a count that was never kept has the number of the count.
    pub fn view<'a>(&'a self, cut: &'a Cut, sheet: usize) -> View<'a> {
        View::new(&cut.snapshots, sheet, &self.sheets.infos[sheet].plan)
    }

    /// Why the engine is not ready; empty when it is.
    pub fn not_ready(&self) -> Vec<NotReady> {
        let mut reasons = Vec::new();
        match self.newest() {
            None => reasons.push(if self.restoring { NotReady::Restoring } else { NotReady::Starting }),
            Some(cut) if cut.catching_up => reasons.push(NotReady::CatchingUp),
            Some(_) => {}
        }
        let peers = self.others.peers.as_deref();
        let is_old = self.newest().is_some_and(|cut| cut.since.elapsed() > self.engine.stalled_after);
        if is_old || self.silent().is_some() {
            reasons.push(NotReady::Stalled);
        }
        let processes = 0..self.others.owners.processes;
        let says_so =
            |peers: &Peers| processes.clone().any(|process| peers.state(process) & SAYS_UNAVAILABLE != 0);
        if state(&self.engine.published) & SAYS_UNAVAILABLE != 0 || peers.is_some_and(says_so) {
            reasons.push(NotReady::SourceUnavailable);
        }
        if self.engine.draining.load(Ordering::Relaxed) {
            reasons.push(NotReady::Draining);
        }
        reasons
    }

    /// From now on the engine is not ready: it is being stopped.
    pub fn drain(&self) {
        self.engine.draining.store(true, Ordering::Relaxed);
    }

    /// Tells whenever there may be newer results.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.engine.published.changes()
    }
}

/// What this process tells the others of itself.
pub(super) fn state(published: &Published) -> u8 {
    if published.ends().age() > GRACE { SAYS_UNAVAILABLE } else { 0 }
}

impl Bound {
    /// Whether results contain all that is insisted on.
    pub fn is_met_by(&self, cut: &Cut) -> bool {
        let reached = |topic: &String, partition: &i32| cut.offsets.get(topic).and_then(|p| p.get(partition));
        let offsets = self.offsets.iter().all(|(topic, partitions)| {
            partitions.iter().all(|(partition, next)| reached(topic, partition).is_some_and(|at| at >= next))
        });
        offsets && self.epoch.is_none_or(|epoch| cut.epoch >= epoch)
    }
}
