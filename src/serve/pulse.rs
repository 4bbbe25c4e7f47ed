//! The pulse: the newest cut, told to everybody who follows.
//!
//! Idea: workers wake one task, and that task wakes all who wait; so publishing costs a worker the same whether nobody
//! listens or ten thousand do.
//! Invariant: what is told never goes back in time.
//! Cost: the parts of each epoch are put together once, whether somebody asks or not.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::engine::{Bound, Cut, NotUpTo, Reader};

/// Where the newest cut is told.
pub struct Pulse(watch::Sender<Option<Arc<Cut>>>);

impl Pulse {
    /// With what there is already.
    pub fn new(reader: &Reader) -> Pulse {
        Pulse(watch::Sender::new(reader.newest()))
    }

    /// The newest cut, and whenever there is a newer one.
    pub fn cuts(&self) -> watch::Receiver<Option<Arc<Cut>>> {
        self.0.subscribe()
    }

    /// The newest cut that meets a bound, waited for no longer than `wait`.
    ///
    /// # Errors
    /// What was reached, where the bound was not met.
    pub async fn at_least(
        &self,
        reader: &Reader,
        bound: &Bound,
        wait: Duration,
    ) -> Result<Arc<Cut>, NotUpTo> {
        let deadline = Instant::now() + wait;
        let mut cuts = self.cuts();
        // What has just been published is told a moment later.
        let mut newest = reader.newest();
        loop {
            if let Some(cut) = newest.as_ref().filter(|cut| bound.is_met_by(cut)) {
                return Ok(Arc::clone(cut));
            }
            match timeout_at(deadline, cuts.changed()).await {
                Ok(Ok(())) => newest = cuts.borrow_and_update().clone(),
                _ => return Err(NotUpTo(newest)),
            }
        }
    }

    /// Follows the workers until they or the server stop.
    pub async fn run(&self, reader: &Reader, mut stopping: watch::Receiver<bool>) {
        let mut changes = reader.changes();
        loop {
            let newest = reader.newest();
            self.0.send_if_modified(|told| {
                let is_newer = newest.as_ref().map(|cut| cut.epoch) > told.as_ref().map(|cut| cut.epoch);
                if is_newer {
                    *told = newest;
                }
                is_newer
            });
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                _ = stopping.wait_for(|stopping| *stopping) => return,
            }
        }
    }
}
