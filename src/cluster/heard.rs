//! When each other process was last heard of.
//!
//! Idea: whoever reads from a process notes that here, and whoever wants to know how long it has been silent looks here.
//! Invariant: a process that has never been heard of counts as heard of at the beginning; one's own is never silent.
//! Cost: a store per sign of life.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A process that was not heard of for so long is silent: `/readyz` says that the engine is stalled.
pub const SILENT: Duration = Duration::from_secs(8);

/// A process that was silent for so long is lost.
pub const GIVE_UP: Duration = Duration::from_secs(60);

/// When each process was last heard of; any thread may note it, any may look.
#[derive(Debug)]
pub struct Heard {
    begun: Instant,
    own: usize,
    /// Milliseconds after `begun`, by process.
    last: Vec<AtomicU64>,
}

impl Heard {
    /// All of `processes` have just been heard of; `own` is this one.
    pub fn new(own: usize, processes: usize) -> Heard {
        let last = (0..processes).map(|_| AtomicU64::new(0)).collect();
        Heard { begun: Instant::now(), own, last }
    }

    /// A process gave a sign of life.
    pub fn hear(&self, process: usize) {
        self.last[process].store(self.begun.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// For how long a process has given none.
    pub fn silence(&self, process: usize) -> Duration {
        if process == self.own {
            return Duration::ZERO;
        }
        let last = Duration::from_millis(self.last[process].load(Ordering::Relaxed));
        self.begun.elapsed().saturating_sub(last)
    }

    /// The process that has been silent for longest, and for how long, if one is [`SILENT`].
    pub fn silent(&self) -> Option<(usize, Duration)> {
        let longest = (0..self.last.len()).map(|process| (process, self.silence(process)));
        longest.max_by_key(|(_, silence)| *silence).filter(|(_, silence)| *silence >= SILENT)
    }
}
