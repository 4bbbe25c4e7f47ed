//! What any thread wants of the workers: that they stop, close an epoch soon, or take up what was found.
//!
//! Idea: wishes are left here, and the worker that acts for its process is woken to find them.
//! Invariant: the first failure is the one that is told; whoever fails also asks all to stop.
//! Cost: a lock a wish; an atomic load a turn of a worker, and of the one that leads a short lock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use timely::scheduling::SyncActivator;

use super::commands::Trouble;
use super::error::EngineError;
use crate::cluster::ClusterError;
use crate::source::partitions::Partition;

/// What any thread asks of the workers.
#[derive(Default)]
pub struct Control {
    stop: AtomicBool,
    /// Since when.
    since: OnceLock<Instant>,
    /// Whether a worker holds what it may of the epoch that is being filled.
    full: AtomicBool,
    /// Partitions that were found, with their ends, and not yet told of.
    found: Mutex<Vec<(Partition, i64)>>,
    failure: Mutex<Option<EngineError>>,
    wake: Mutex<Option<SyncActivator>>,
}

impl Control {
    /// Asks all workers to close the epoch, publish it, and end.
    pub fn stop(&self) {
        self.since.get_or_init(Instant::now);
        self.stop.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// For how long all have been asked to end.
    pub(super) fn stopping_for(&self) -> Duration {
        self.since.get().map_or(Duration::ZERO, Instant::elapsed)
    }

    /// Asks the first worker of this process to see to it that the epoch is closed soon.
    pub(super) fn say_full(&self) {
        if !self.full.swap(true, Ordering::SeqCst) {
            self.wake();
        }
    }

    /// Whether that has been asked for since the last time.
    pub(super) fn take_full(&self) -> bool {
        self.full.swap(false, Ordering::SeqCst)
    }

    /// Has all workers told of a partition that was found.
    pub(super) fn found(&self, partition: Partition, end: i64) {
        self.found.lock().expect("no holder panics").push((partition, end));
        self.wake();
    }

    /// What was found since the last time.
    pub(super) fn take_found(&self) -> Vec<(Partition, i64)> {
        std::mem::take(&mut self.found.lock().expect("no holder panics"))
    }

    /// The failure because of which the engine stops, as other processes hear of it.
    pub(super) fn trouble(&self, process: usize) -> Option<Trouble> {
        let failure = self.failure.lock().expect("no holder panics");
        Some(match failure.as_ref()? {
            EngineError::Cluster(ClusterError::Told { process, code, message }) => {
                Trouble { process: *process, code: *code, message: message.clone() }
            }
            error => Trouble { process, code: error.exit(), message: error.to_string() },
        })
    }

    /// Wakes the worker that acts for this process.
    pub(super) fn wake(&self) {
        if let Some(wake) = &*self.wake.lock().expect("no holder panics") {
            // It fails only where the worker has ended already.
            let _ = wake.activate();
        }
    }

    /// From now on [`wake`](Control::wake) wakes this worker.
    pub(super) fn wakes(&self, worker: SyncActivator) {
        *self.wake.lock().expect("no holder panics") = Some(worker);
    }

    /// The failure because of which the engine has stopped, once.
    pub(crate) fn take_failure(&self) -> Option<EngineError> {
        self.failure.lock().expect("no holder panics").take()
    }

    /// Whether that has been asked for.
    pub fn stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Whether it stops because of a failure.
    pub(super) fn has_failed(&self) -> bool {
        self.failure.lock().expect("no holder panics").is_some()
    }

    /// Stops the engine because a process has failed; what this one failed with itself stays its own.
    pub(super) fn fail_elsewhere(&self, trouble: Trouble) {
        let Trouble { process, code, message } = trouble;
        self.fail(ClusterError::Told { process, code, message }.into());
    }

    /// Stops the engine because of a failure.
    pub(super) fn fail(&self, error: EngineError) {
        self.failure.lock().expect("no holder panics").get_or_insert(error);
        self.stop();
    }
}
