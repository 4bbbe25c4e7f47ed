//! The thread that writes a process's share of checkpoints; in the process that leads, it makes the manifests as well.
//!
//! Idea: it waits for what workers offer and other processes send, and does one thing after another.
//! Invariant: a share is made of all workers of the process at one epoch, and not at all where the engine has failed: a
//! record that ends the run must not be passed over at the next.
//! Cost: it shares the cores with the workers, and waits for the disk where they do not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::Instant;

use tidings_dataflows::clock::Standing;
use tidings_dataflows::pipeline::Touched;
use tidings_dataflows::snapshot::Snapshot;

use super::{Keeping, Kept, convert};
use crate::checkpoint::capture::{self, Author};
use crate::checkpoint::commit::{Leader, Part, Share};
use crate::checkpoint::writer::Writer;
use crate::checkpoint::{CheckpointError, Store, garbage};
use crate::engine::control::Control;
use crate::engine::error::EngineError;
use crate::engine::tally::Tally;
use crate::source::ends::Ends;
use crate::source::{Gap, Position};
use crate::wall::wall_ms;

/// What the thread is asked to do.
pub(super) enum Task {
    /// Write what a worker has at an epoch.
    Offer(Offer),
    /// Take the share of a process.
    Share(Share),
    /// Take note of whether a checkpoint came about.
    Settled(bool),
    /// Give a checkpoint up.
    GiveUp(u64),
    /// End.
    End,
}

/// What one worker has at an epoch that is to be kept.
pub(super) struct Offer {
    pub(super) number: u64,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) positions: Vec<Position>,
    pub(super) gaps: Vec<Gap>,
    pub(super) tally: Arc<Tally>,
    pub(super) standing: Standing,
    pub(super) touched: Vec<Touched>,
    /// Until the thread has taken it.
    pub(super) waits: Arc<AtomicBool>,
}

pub(super) struct Thread {
    pub(super) keeping: Arc<Keeping>,
    pub(super) control: Arc<Control>,
    pub(super) ends: Arc<Ends>,
    pub(super) store: Arc<dyn Store>,
    pub(super) writer: Writer,
    pub(super) counts: Vec<capture::Kept>,
    /// In the process that leads.
    pub(super) leader: Option<Leader>,
    pub(super) generation: u64,
    pub(super) process: usize,
    pub(super) processes: usize,
    pub(super) workers: usize,
}

/// Starts it.
pub(super) fn spawn(mut thread: Thread, inbox: Receiver<Task>) -> Result<JoinHandle<()>, EngineError> {
    let run = move || {
        let mut begun = Begun::default();
        while let Ok(task) = inbox.recv() {
            match task {
                Task::Offer(offer) => thread.offered(&mut begun, offer),
                Task::Share(share) => thread.shared(&mut begun, share),
                Task::Settled(came_about) => thread.writer.settle(came_about),
                Task::GiveUp(number) => {
                    thread.give_up(&mut begun, number, "some process has not answered in time")
                }
                Task::End => break,
            }
        }
    };
    let named = std::thread::Builder::new().name("checkpoint".to_owned());
    named.spawn(run).map_err(|error| EngineError::Threads(error.to_string()))
}

/// The checkpoint at hand.
#[derive(Default)]
struct Begun {
    number: u64,
    since: Option<Instant>,
    offers: Vec<Offer>,
    parts: BTreeMap<usize, Part>,
    given_up: bool,
}

impl Begun {
    /// Whether something is for the checkpoint at hand, or for a later one, which then is.
    fn is(&mut self, number: u64) -> bool {
        if number > self.number {
            *self = Begun { number, since: Some(Instant::now()), ..Begun::default() };
        }
        number == self.number && !self.given_up
    }
}

impl Thread {
    fn offered(&mut self, begun: &mut Begun, mut offer: Offer) {
        offer.waits.store(false, Ordering::SeqCst);
        self.writer.touch(std::mem::take(&mut offer.touched));
        if !begun.is(offer.number) {
            return;
        }
        begun.offers.push(offer);
        if begun.offers.len() < self.workers {
            return;
        }
        let offers = std::mem::take(&mut begun.offers);
        let part = self.write(begun.number, &offers).map_err(|error| {
            tracing::warn!("{error}");
            error.to_string()
        });
        let share = Share { number: begun.number, process: self.process, part };
        if self.leader.is_some() {
            return self.shared(begun, share);
        }
        match serde_json::to_vec(&share) {
            Ok(bytes) => self.keeping.outbox.lock().expect("no holder panics").push(bytes),
            Err(error) => tracing::error!(%error, "a share of a checkpoint cannot be sent"),
        }
        self.control.wake();
    }

    fn write(&mut self, number: u64, offers: &[Offer]) -> Result<Part, CheckpointError> {
        let workers: Vec<_> = offers.iter().map(|offer| Arc::clone(&offer.snapshot)).collect();
        let author = Author { generation: self.generation, number, process: self.process };
        let segments = self.writer.write(author, &workers)?;
        if self.control.has_failed() {
            return Err(CheckpointError::Busy(
                "checkpoint: the engine has failed, nothing more is kept".to_owned(),
            ));
        }
        Ok(convert::part(offers, &self.ends.partitions(), &self.counts, segments))
    }

    fn shared(&mut self, begun: &mut Begun, share: Share) {
        if !begun.is(share.number) {
            return;
        }
        match share.part {
            Ok(part) => drop(begun.parts.insert(share.process, part)),
            Err(why) => return self.give_up(begun, share.number, &why),
        }
        let Some(leader) = self.leader.as_mut().filter(|_| begun.parts.len() == self.processes) else {
            return;
        };
        self.ends.ids().into_iter().for_each(|(topic, id)| leader.identify(&topic, convert::written_id(id)));
        let parts = std::mem::take(&mut begun.parts).into_values().collect();
        let wall = wall_ms().max(0) as u64;
        if let Err(error) = leader.commit(begun.number, wall, parts) {
            let why = error.to_string();
            if matches!(error, CheckpointError::Fenced(_)) {
                self.control.fail(error.into());
            }
            tracing::warn!("{why}");
            return self.give_up(begun, begun.number, &why);
        }
        let manifest = leader.last();
        let took = begun.since.map_or(0, |since| since.elapsed().as_millis() as u64);
        let (number, epoch, rows, bytes) =
            (manifest.number, manifest.epoch, manifest.rows(), manifest.bytes());
        tracing::debug!(number, epoch, rows, bytes, took, "checkpoint");
        if let Err(error) = garbage::collect(&*self.store, self.generation, number) {
            tracing::warn!("what is not needed any more stays for now: {error}");
        }
        self.settle(number, Some(Kept { number, epoch, written: wall, rows, bytes, took }));
        // It cannot be given up any more.
        begun.given_up = true;
    }

    fn give_up(&mut self, begun: &mut Begun, number: u64, why: &str) {
        if self.leader.is_none() || !begun.is(number) {
            return;
        }
        // Whatever still comes for it is too late.
        *begun = Begun { number, given_up: true, ..Begun::default() };
        let mut history = self.keeping.history.lock().expect("no holder panics");
        history.failures += 1;
        history.error = Some(why.to_owned());
        drop(history);
        self.settle(number, None);
    }

    fn settle(&self, number: u64, kept: Option<Kept>) {
        self.keeping.outcomes.lock().expect("no holder panics").push((number, kept));
        self.control.wake();
    }
}
