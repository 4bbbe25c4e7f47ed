//! Checkpoints of a running engine: what its workers, its processes and its store have to do with one another.
//!
//! ```text
//! worker that leads -- Command::Keep --> all workers: the next epoch to close is to be kept
//! each worker  -- its part of the epoch --> the thread of its process (thread.rs), which writes its segments
//! each process -- its share --> the thread of the process that leads, which makes the manifest
//! worker that leads -- Command::Settled --> all workers: it came about, or it did not
//! ```
//! Idea: parts of an epoch are immutable, so a worker hands over what it publishes anyway and goes on; a thread a process does
//! the rest. `lead` is how a run begins, `fit` whether what is kept fits the settings, `restore` how rows come back.
//! Invariant: one checkpoint at a time. What is kept is of an epoch that all workers have completed, and no failure lies
//! before it.
//! Cost: for a worker, a set of panes and a clone of its part; the thread's is that of `checkpoint::capture`.

mod convert;
mod fit;
mod keeper;
mod lead;
mod restore;
mod thread;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

pub(super) use keeper::{Keeper, Published};
pub use lead::last_run;
pub(super) use lead::{Begun, Start, join, lead};
pub(super) use restore::Restore;

use crate::checkpoint::Store;
use crate::checkpoint::lease::Lease;
use thread::Task;

/// A checkpoint that came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its number.
    pub number: u64,
    /// The epoch as of which it is.
    pub epoch: u64,
    /// When, in Unix milliseconds.
    pub written: u64,
    /// Rows that it refers to.
    pub rows: u64,
    /// Bytes of the segments that it refers to.
    pub bytes: u64,
    /// How long it took, in milliseconds.
    pub took: u64,
}

/// How checkpoints have gone.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The newest.
    pub last: Option<Kept>,
    /// How many did not come about, of those that this process led.
    pub failures: u64,
    /// Why the last one did not, or that it takes long.
    pub error: Option<String>,
}

/// The same, as it goes.
pub type SharedHistory = Arc<Mutex<History>>;

/// How long threads that may be waiting for a store have to end.
const LEAVING: Duration = Duration::from_secs(1);

/// What the workers of a process, its thread and its readers share.
pub struct Keeping {
    /// Between two checkpoints.
    pub(super) interval: Duration,
    /// Of the checkpoint that the run began with.
    pub(super) number: u64,
    /// All epochs come after this.
    pub(super) after: u64,
    /// In the process that leads.
    pub(super) lease: Option<Arc<Lease>>,
    /// Whether some of what was kept could not be loaded, so that nothing may be shown.
    pub(super) broken: AtomicBool,
    store: Arc<dyn Store>,
    tasks: Sender<Task>,
    /// What has become of checkpoints, for the worker that leads.
    outcomes: Mutex<Vec<(u64, Option<Kept>)>>,
    /// Shares for the process that leads, where that is another.
    outbox: Mutex<Vec<Vec<u8>>>,
    history: SharedHistory,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Keeping {
    /// How checkpoints go.
    pub(super) fn history(&self) -> SharedHistory {
        Arc::clone(&self.history)
    }

    /// Takes a share that has come from another process.
    pub(super) fn take_share(&self, bytes: &[u8]) {
        match serde_json::from_slice(bytes) {
            Ok(share) => self.send(Task::Share(share)),
            // Both ends are the same build.
            Err(error) => tracing::error!(%error, "a share of a checkpoint cannot be read"),
        }
    }

    /// Shares to be sent to the process that leads.
    pub(super) fn shares(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.outbox.lock().expect("no holder panics"))
    }

    /// Says that loading has failed.
    pub(super) fn break_off(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }

    /// Whether that has been said.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst)
    }

    /// Ends the threads; the workers have ended.
    pub(super) fn finish(&self) {
        self.send(Task::End);
        if let Some(lease) = &self.lease {
            lease.stop();
        }
        // One may wait for a place that does not answer; what it does there is of no use any more, and does no harm.
        let until = Instant::now() + LEAVING;
        for thread in self.threads.lock().expect("no holder panics").drain(..) {
            while !thread.is_finished() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(5));
            }
            if thread.is_finished() {
                // That it panicked has been said, and has ended the process.
                let _ = thread.join();
            }
        }
        // After the last renewal, unless a store takes longer for that: then the next start waits as after a crash.
        let Some(lease) = self.lease.clone() else { return };
        let (store, (ended, waits)) = (Arc::clone(&self.store), channel::<()>());
        let end = move || {
            lease.end(&*store);
            drop(ended);
        };
        let started = std::thread::Builder::new().name("lease".to_owned()).spawn(end).is_ok();
        if started && waits.recv_timeout(LEAVING) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the next start waits for some seconds: the place of checkpoints does not answer");
        }
    }

    fn send(&self, task: Task) {
        // The thread ends after all workers only.
        let _ = self.tasks.send(task);
    }
}
