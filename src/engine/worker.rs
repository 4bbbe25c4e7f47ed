//! The loop of a worker: carry out commands, publish what is complete, read, step the dataflow, sleep.
//!
//! Idea: everything that a worker does is one of these five, each a call that returns soon; nothing in the loop waits
//! but the last step, which ends early when Kafka, another worker or a command wants attention.
//! Invariant: positions, facts and records of an epoch are taken at the same moment, its closing, so what is published of
//! an epoch is about exactly the records before its offsets.
//! Cost: an idle turn an epoch.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidings_dataflows::clock::Fact;
use tidings_dataflows::pipeline::Pipeline;
use tidings_dataflows::records::{Origin, Records};
use timely::worker::Worker;

use super::commands::{Command, Commands, Request};
use super::decode::smallest_window;
use super::flow::{Filling, Flow, Ticker};
use super::job::Job;
use super::keep::{Keeper, Published};
use super::published::Part;
use super::sharing::Sharing;
use super::tally::Tally;
use crate::allocator;
use crate::checkpoint::failpoint::point;
use crate::config::Clock;
use crate::posts::MAX_RECORD;
use crate::source::{Gap, Polled, Position, Source, SourceError};
use crate::wall::wall_ms;

/// Bytes read before the dataflow has a turn.
const POLL: usize = 1 << 18;

/// How often offsets are committed, for lag tools.
const COMMIT: Duration = Duration::from_secs(5);

/// Runs until told to stop and all is published.
pub(super) fn work(worker: &mut Worker, job: &Job) {
    let mut commands = Commands::build(worker, job.config.engine.workers);
    let mut pipeline = job.build_pipeline(worker);
    let mut source = job.open_source(worker);
    let mut outbox = Outbox::new(worker, job);
    let of_process = worker.index() - job.process * job.config.engine.workers;
    let mut publisher = Publisher::new(of_process, job, commands.leads());
    let mut keeper = Keeper::new(job, of_process == 0);
    let after = job.keeping.as_ref().map_or(0, |keeping| keeping.after);
    let (mut flow, mut ticker) = (Flow::default(), Ticker::new(job.config.engine.epoch, after));
    let (mut polled, mut ending, mut told, mut stopped) = (Polled::Idle, false, false, false);
    // Since when there has always been more to read, and whether the epoch being filled has been told to close.
    let (mut backlog, mut closing, mut committed) = (None, false, Instant::now());
    let mut given_back = Instant::now();
    let mut wishes = Wishes::default();
    // What was kept is an epoch of its own: nothing is read before it has closed.
    let mut restoring = keeper.restore(worker, &mut pipeline);
    // Others may have told an epoch to close already: its offsets must be those of all partitions.
    if let Err(error) = source.poll(0, &mut |_, _| {}) {
        job.control.fail(error.into());
        polled = Polled::Finished;
    }
    loop {
        while let Some(command) = commands.take() {
            match command {
                Command::Close { epoch, wall, is_last } => {
                    publisher.closes(epoch, source.positions(), source.gaps());
                    if source.is_behind() || restoring {
                        pipeline.tell(Fact::Behind);
                    }
                    if commands.leads() && job.config.engine.clock == Clock::Wall {
                        pipeline.tell(Fact::Wall(wall));
                    }
                    pipeline.close(epoch);
                    flow.closed(epoch);
                    (closing, restoring) = (false, false);
                    if is_last {
                        polled = Polled::Finished;
                    }
                    wishes.full = false;
                    keeper.closes(epoch, commands.leads());
                }
                Command::Adopt(partition, end) => source.adopt(job.ends.adopt(partition, end)),
                Command::Keep(number) => keeper.keep(number),
                Command::Settled(number, kept) => keeper.settled(number, kept, source.as_ref()),
                Command::Failed(trouble) => job.control.fail_elsewhere(trouble),
                Command::Stop => stopped = true,
            }
        }
        while let Some(epoch) = flow.complete(|epoch| pipeline.is_complete(epoch)) {
            point("worker.epoch");
            let positions = publisher.publish(epoch, &mut pipeline, &mut keeper);
            if let Some(dead_letters) = job.dead_letters.as_ref().filter(|_| of_process == 0) {
                dead_letters.listen();
            }
            if given_back.elapsed() >= allocator::EVERY {
                allocator::give_back();
                given_back = Instant::now();
            }
            // Where there are checkpoints, what they contain is what is committed.
            if !keeper.is_on() && (committed.elapsed() >= COMMIT || stopped) {
                source.commit(&positions);
                committed = Instant::now();
            }
        }
        if stopped && flow.on_their_way() == 0 {
            return;
        }
        if polled != Polled::Finished && !stopped && flow.room() > 0 {
            // Partitions are taken up all the same.
            let most = if restoring { 0 } else { POLL };
            polled = outbox.read(source.as_mut(), &mut pipeline, &mut flow, most).unwrap_or_else(|error| {
                job.control.fail(error.into());
                Polled::Finished
            });
        }
        let now = Instant::now();
        backlog = (polled == Polled::More && !restoring).then(|| backlog.unwrap_or(now));
        keeper.exchange(&mut commands, now);
        let full = wishes.exchange(&mut commands, job, flow.is_full());
        let filling = match backlog {
            _ if polled == Polled::Finished || job.control.stopping() => Filling::Last,
            _ if full => Filling::Full,
            Some(since) => Filling::Backlog(since),
            None => Filling::Live,
        };
        // A source that failed is finished too: what it has read is published all the same.
        let last = filling == Filling::Last;
        let ticks = commands.leads() && !ending && if last { keeper.may_end(now) } else { !closing };
        if ticks {
            // The clock is not to be ahead of an epoch's number, which may have to wait for its bound.
            let wall = wall_ms().max(0) as u64;
            if let Some(epoch) = ticker.tick(now, keeper.within(wall), flow.on_their_way(), filling) {
                // First, so that all know of it before the epoch can be complete anywhere.
                keeper.wants(now).into_iter().for_each(|keep| commands.give(keep));
                commands.give(Command::Close { epoch, wall: wall.min(epoch), is_last: last });
                closing = true;
            }
            ending = last;
        }
        if ending && !told && keeper.has_ended(now) {
            job.control
                .trouble(job.process)
                .into_iter()
                .for_each(|trouble| commands.give(Command::Failed(trouble)));
            commands.give(Command::Stop);
            told = true;
        }
        let reads_on = polled == Polled::More && !stopped && !restoring && flow.room() > 0;
        let due = if ticks && !closing { ticker.due(flow.on_their_way(), filling) } else { None };
        worker.step_or_park(Some(match due {
            _ if reads_on => Duration::ZERO,
            Some(due) => due.saturating_duration_since(now),
            None => Duration::from_secs(1),
        }));
    }
}

/// What the process of a worker wants of the one that leads, as far as it has been said.
#[derive(Default)]
struct Wishes {
    /// That the epoch is closed; on the leading worker, that some other process wants that.
    full: bool,
    /// That all stop.
    stop: bool,
}

impl Wishes {
    /// Passes on what this process wants, or, on the leading worker, hears what all want. Whether the epoch should be closed
    /// soon, as far as that is known here.
    fn exchange(&mut self, commands: &mut Commands, job: &Job, is_full: bool) -> bool {
        let control = &job.control;
        if commands.leads() {
            while let Some(request) = commands.hear() {
                match request {
                    Request::Full => self.full = true,
                    Request::Share(share) => {
                        job.keeping.iter().for_each(|keeping| keeping.take_share(&share));
                    }
                    Request::Stop => control.stop(),
                    Request::Failed(trouble) => control.fail_elsewhere(trouble),
                }
            }
            for (partition, end) in control.take_found() {
                commands.give(Command::Adopt(partition, end));
            }
            return is_full | control.take_full() | self.full;
        }
        if !commands.speaks() {
            if is_full {
                control.say_full();
            }
            return is_full;
        }
        if is_full | control.take_full() && !std::mem::replace(&mut self.full, true) {
            commands.ask(Request::Full);
        }
        if control.stopping() && !std::mem::replace(&mut self.stop, true) {
            commands.ask(control.trouble(job.process).map_or(Request::Stop, Request::Failed));
        }
        is_full
    }
}

/// Packs records into containers and says who gets them.
struct Outbox {
    records: Records,
    /// What the last one held.
    before: (usize, usize),
    worker: usize,
    workers: usize,
    sharing: Sharing,
    /// Who got the last container.
    last: usize,
    /// Bytes of a record that are carried.
    most: usize,
}

impl Outbox {
    fn new(worker: &Worker, job: &Job) -> Outbox {
        let (worker, workers) = (worker.index(), worker.peers());
        // A record that is too large is bad whatever follows: no need to carry all of it, unless somebody wants it.
        let most = if job.dead_letters.is_some() { usize::MAX } else { MAX_RECORD + 1 };
        let sharing = job.sharing.clone();
        Outbox { records: Records::new(worker), before: (0, 0), worker, workers, sharing, last: worker, most }
    }

    fn read(
        &mut self,
        source: &mut dyn Source,
        pipeline: &mut Pipeline<Tally>,
        flow: &mut Flow,
        most: usize,
    ) -> Result<Polled, SourceError> {
        let budget = flow.room().min(most);
        let polled = source.poll(budget, &mut |origin: Origin, value: Option<&[u8]>| {
            self.records.push(origin, value.map(|value| &value[..value.len().min(self.most)]));
            if self.records.is_full() {
                self.send(pipeline, flow);
            }
        });
        // Also where it failed: positions are behind these records already.
        if !self.records.is_empty() {
            self.send(pipeline, flow);
        }
        polled
    }

    fn send(&mut self, pipeline: &mut Pipeline<Tally>, flow: &mut Flow) {
        self.last = self.sharing.next(self.worker, self.last, self.workers);
        self.sharing.handed(self.last, self.records.size());
        flow.handed_in(self.records.size());
        self.records.hand_to(self.last);
        // The last of a poll is smaller than those before it, and those after it again.
        let held = self.records.held();
        let (records, bytes) = std::mem::replace(&mut self.before, held);
        let next = Records::with_room(self.worker, (records.max(held.0), bytes.max(held.1)));
        pipeline.give(&mut std::mem::replace(&mut self.records, next));
    }
}

/// How far the source had come when an epoch closed.
struct Closed {
    epoch: u64,
    positions: Vec<Position>,
    gaps: Vec<Gap>,
}

/// Puts together what a worker publishes.
struct Publisher<'a> {
    worker: usize,
    job: &'a Job,
    /// Of each epoch that is on its way.
    closed: VecDeque<Closed>,
    /// How the clock stood at the newest epoch.
    clock: Option<u64>,
    /// Counts of which it has been said that they take no more terms.
    full: Vec<bool>,
    tally: Arc<Tally>,
}

impl<'a> Publisher<'a> {
    fn new(worker: usize, job: &'a Job, leads: bool) -> Publisher<'a> {
        // What was kept is of no worker in particular.
        let kept = job.restore.as_ref().filter(|_| leads).map(|restore| Arc::new(restore.tally.clone()));
        Publisher {
            worker,
            job,
            closed: VecDeque::new(),
            clock: None,
            full: vec![false; job.config.counts.len()],
            tally: kept.unwrap_or_default(),
        }
    }

    fn closes(&mut self, epoch: u64, positions: Vec<Position>, gaps: Vec<Gap>) {
        self.closed.push_back(Closed { epoch, positions, gaps });
    }

    /// Returns the positions behind the records of the epoch.
    fn publish(
        &mut self,
        epoch: u64,
        pipeline: &mut Pipeline<Tally>,
        keeper: &mut Keeper<'_>,
    ) -> Vec<Position> {
        let (snapshot, tallies) = pipeline.snapshot(epoch);
        for mut tally in tallies {
            let smallest = smallest_window(&self.job.config.counts).zip(self.clock);
            tally.settle_late(smallest.map_or(0, |(smallest, clock)| smallest.first(clock)));
            Arc::make_mut(&mut self.tally).add(&tally);
        }
        self.clock = snapshot.clock;
        for ((count, full), config) in snapshot.counts.iter().zip(&mut self.full).zip(&self.job.config.counts)
        {
            if count.refused.occurrences > 0 && !std::mem::replace(full, true) {
                let (count, max_terms) = (&config.name, self.job.config.engine.max_terms);
                tracing::warn!(count, max_terms, "as many terms as may be are alive: new ones are not taken");
            }
        }
        let closed = self.closed.pop_front().expect("every epoch noted its positions when it closed");
        debug_assert_eq!(closed.epoch, epoch);
        let Closed { positions, gaps, .. } = closed;
        let (snapshot, tally) = (Arc::new(snapshot), Arc::clone(&self.tally));
        let published = Published { snapshot: &snapshot, positions: &positions, gaps: &gaps, tally: &tally };
        keeper.published(pipeline, published);
        // Counts that are not all there look like counts.
        if !self.job.keeping.as_ref().is_some_and(|keeping| keeping.is_broken()) {
            let positions = positions.iter().map(|position| (position.partition, position.next)).collect();
            let part = Part { snapshot, positions, gaps, tally };
            self.job.published.publish(self.worker, part);
        }
        positions
    }
}
