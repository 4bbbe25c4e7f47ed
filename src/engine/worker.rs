//! The loop of a worker: carry out commands, publish what is complete, read, see to it that epochs close, step the dataflow.
//!
//! Idea: everything that a worker does is one of these five, each a call that returns soon; nothing in the loop waits
//! but the last step, which ends early when Kafka, another worker or a command wants attention.
//! Invariant: all workers carry the same commands out in the same order; an epoch ends for each of them where it hears so.
//! Cost: an idle turn an epoch.

use std::time::{Duration, Instant};

use tidings_dataflows::clock::Fact;
use tidings_dataflows::pipeline::Pipeline;
use timely::worker::Worker;

use super::commands::{Command, Commands};
use super::flow::{Filling, Flow};
use super::job::Job;
use super::keep::Keeper;
use super::leading::Leading;
use super::outbox::Outbox;
use super::publisher::Publisher;
use super::tally::Tally;
use crate::allocator;
use crate::checkpoint::failpoint::point;
use crate::config::Clock;
use crate::source::{Polled, Source};

/// Bytes read before the dataflow has a turn.
const POLL: usize = 1 << 18;

/// How often offsets are committed, for lag tools.
const COMMIT: Duration = Duration::from_secs(5);

/// Runs until told to stop and all is published.
pub(super) fn work(worker: &mut Worker, job: &Job) {
    let mut commands = Commands::build(worker, job.config.engine.workers);
    let mut work = Work::begin(worker, job, commands.leads());
    let mut leading = Leading::new(job);
    loop {
        while let Some(command) = commands.take() {
            if let Command::Close { .. } = command {
                leading.closed();
            }
            work.carry_out(command);
        }
        work.publish();
        if work.stopped && work.flow.on_their_way() == 0 {
            return;
        }
        work.read();
        let now = Instant::now();
        work.keeper.exchange(&mut commands, now);
        // What other processes ask for, and what has become of checkpoints, comes first: what is decided below depends on it.
        let should_close = leading.pass_wishes(&mut commands, work.flow.is_full());
        let filling = work.filling(should_close);
        let (on_their_way, newest) = (work.flow.on_their_way(), work.pipeline.standing().newest);
        let due = leading.decide(&mut commands, &mut work.keeper, filling, on_their_way, newest, now);
        worker.step_or_park(Some(match due {
            _ if work.has_more() => Duration::ZERO,
            Some(due) => due.saturating_duration_since(now),
            None => Duration::from_secs(1),
        }));
    }
}

/// What a worker has in hand.
struct Work<'a> {
    job: &'a Job,
    leads: bool,
    /// Its number within its process.
    of_process: usize,
    pipeline: Pipeline<Tally>,
    source: Box<dyn Source>,
    outbox: Outbox,
    publisher: Publisher<'a>,
    keeper: Keeper<'a>,
    flow: Flow,
    /// What was kept is an epoch of its own: nothing is read before it has closed.
    restoring: bool,
    /// What the last look at the source came to.
    polled: Polled,
    /// Since when there has always been more to read.
    backlog: Option<Instant>,
    /// Whether nothing closes any more.
    stopped: bool,
    committed: Instant,
    given_back: Instant,
}

impl<'a> Work<'a> {
    fn begin(worker: &mut Worker, job: &'a Job, leads: bool) -> Work<'a> {
        let of_process = worker.index() - job.process * job.config.engine.workers;
        let (mut pipeline, keeper) = (job.build_pipeline(worker), Keeper::new(job, of_process == 0));
        let restoring = keeper.restore(worker, &mut pipeline);
        let mut work = Work {
            job,
            leads,
            of_process,
            pipeline,
            source: job.open_source(worker),
            outbox: Outbox::new(worker, job),
            publisher: Publisher::new(of_process, job, leads),
            keeper,
            flow: Flow::default(),
            restoring,
            polled: Polled::Idle,
            backlog: None,
            stopped: false,
            committed: Instant::now(),
            given_back: Instant::now(),
        };
        // Others may have told an epoch to close already: its offsets must be those of all partitions.
        work.take_up_partitions();
        work
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Close { epoch, wall, is_last } => self.close(epoch, wall, is_last),
            Command::Adopt(partition, end) => self.source.adopt(self.job.ends.adopt(partition, end)),
            Command::Keep(number) => self.keeper.keep(number),
            Command::Settled(number, kept) => self.keeper.settled(number, kept, self.source.as_ref()),
            Command::Failed(trouble) => self.job.control.fail_elsewhere(trouble),
            Command::Stop => self.stopped = true,
        }
    }

    fn close(&mut self, epoch: u64, wall: u64, is_last: bool) {
        self.publisher.closes(epoch, self.source.positions(), self.source.gaps());
        if self.source.is_behind() || self.restoring {
            self.pipeline.tell(Fact::Behind);
        }
        if self.leads && self.job.config.engine.clock == Clock::Wall {
            self.pipeline.tell(Fact::Wall(wall));
        }
        self.pipeline.close(epoch);
        self.flow.closed(epoch);
        self.keeper.closes(epoch, self.leads);
        self.restoring = false;
        if is_last {
            self.polled = Polled::Finished;
        }
    }

    /// Publishes the epochs that are complete.
    fn publish(&mut self) {
        while let Some(epoch) = self.flow.complete(|epoch| self.pipeline.is_complete(epoch)) {
            point("worker.epoch");
            let positions = self.publisher.publish(epoch, &mut self.pipeline, &mut self.keeper);
            if let Some(dead_letters) = self.job.dead_letters.as_ref().filter(|_| self.of_process == 0) {
                dead_letters.listen();
            }
            if self.given_back.elapsed() >= allocator::EVERY {
                allocator::give_back();
                self.given_back = Instant::now();
            }
            // Where there are checkpoints, what they contain is what is committed.
            if !self.keeper.is_on() && (self.committed.elapsed() >= COMMIT || self.stopped) {
                self.source.commit(&positions);
                self.committed = Instant::now();
            }
        }
    }

    /// Reads on, as far as that may be.
    fn read(&mut self) {
        if self.may_read() {
            if self.restoring { self.take_up_partitions() } else { self.read_at_most(POLL) }
        }
        let has_more = self.polled == Polled::More && !self.restoring;
        self.backlog = has_more.then(|| self.backlog.unwrap_or_else(Instant::now));
    }

    /// Takes up the partitions that have been adopted, and no record of theirs yet.
    fn take_up_partitions(&mut self) {
        self.read_at_most(0);
    }

    fn read_at_most(&mut self, bytes: usize) {
        let Work { source, pipeline, flow, .. } = self;
        self.polled = self.outbox.read(source.as_mut(), pipeline, flow, bytes).unwrap_or_else(|error| {
            self.job.control.fail(error.into());
            Polled::Finished
        });
    }

    fn may_read(&self) -> bool {
        self.polled != Polled::Finished && !self.stopped && self.flow.room() > 0
    }

    /// Whether the next turn reads on.
    fn has_more(&self) -> bool {
        self.polled == Polled::More && self.may_read() && !self.restoring
    }

    /// How the epoch at hand is being filled; `should_close`: it holds what it may, here or elsewhere.
    fn filling(&self, should_close: bool) -> Filling {
        match self.backlog {
            // A source that failed is finished too: what it has read is published all the same.
            _ if self.polled == Polled::Finished || self.job.control.stopping() => Filling::Last,
            _ if should_close => Filling::Full,
            Some(since) => Filling::Backlog(since),
            None => Filling::Live,
        }
    }
}
