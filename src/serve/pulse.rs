//! The pulse: the newest cut, told to everybody who follows.
//!
//! Idea: workers wake one task, and that task wakes all who wait; so publishing costs a worker the same whether nobody
//! listens or ten thousand do.
//! Invariant: what is told never goes back in time.
//! Cost: the parts of each epoch are put together once, whether somebody asks or not.

use std::sync::Arc;

use tokio::sync::watch;

use crate::engine::{Cut, Reader};

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
