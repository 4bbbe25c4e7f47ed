//! One process's share of checkpoints: what it has written, and what has changed since.
//!
//! Idea: the places that changed are written anew, and all others are referred to where they stand. A checkpoint that does
//! not come about changes nothing: what had changed for it has still to be written. What somebody has removed meanwhile has to be
//! written again as well.
//! Invariant: the segments of a share hold exactly what this process's workers hold at the epoch, each place once; all of them
//! were there when it was begun.
//! Cost: that of `capture`, a list of the places, and one of the names of segments.

use std::collections::BTreeSet;
use std::sync::Arc;

use tidings_dataflows::pipeline::Touched;
use tidings_dataflows::snapshot::Snapshot;

use super::capture::{Author, Kept, capture, is_held, pane_of, place_of};
use super::manifest::{Place, Placed, Segment};
use super::store::Store;
use super::{CheckpointError, keys};

/// Writes a process's segments.
pub struct Writer {
    store: Arc<dyn Store>,
    counts: Vec<Kept>,
    /// What has changed since the last checkpoint that came about.
    touched: Vec<Touched>,
    /// The places of that checkpoint that were not written anew since.
    good: Vec<Segment>,
    attempt: Option<Attempt>,
}

/// A checkpoint of which it is not known yet whether it comes about.
struct Attempt {
    touched: Vec<Touched>,
    good: Vec<Segment>,
    /// Names of what was written for it.
    written: Vec<String>,
}

impl Writer {
    /// Nothing written yet.
    pub fn new(store: Arc<dyn Store>, counts: Vec<Kept>) -> Writer {
        let touched = vec![Touched::default(); counts.len()];
        Writer { store, counts, touched, good: Vec::new(), attempt: None }
    }

    /// Takes note of what has changed, whatever becomes of the checkpoint for which it was said.
    pub fn touch(&mut self, touched: Vec<Touched>) {
        self.touched.iter_mut().zip(touched).for_each(|(sum, more)| add(sum, more));
    }

    /// Writes what has changed, and returns all segments that hold this process's rows. `workers` are all of its own, at
    /// one epoch.
    ///
    /// # Errors
    /// Where that cannot be written; then nothing is left of it, or what is left is garbage by [`Store::tidies`].
    pub fn write(
        &mut self,
        author: Author,
        workers: &[Arc<Snapshot>],
    ) -> Result<Vec<Segment>, CheckpointError> {
        // The one before was never settled: it has not come about.
        self.settle(false);
        self.forget_what_is_gone()?;
        let mut new = Vec::new();
        let captured = capture(&*self.store, author, workers, &self.counts, &self.touched, &mut new);
        let written = new.iter().map(|segment| segment.key.clone()).collect();
        let clock = workers.first().and_then(|worker| worker.clock).unwrap_or(0);
        let mut good = self.good.clone();
        good.iter_mut().for_each(|segment| segment.places.retain(|placed| self.stays(placed, clock)));
        good.retain(|segment| !segment.places.is_empty());
        good.append(&mut new);
        let touched = std::mem::replace(&mut self.touched, vec![Touched::default(); self.counts.len()]);
        self.attempt = Some(Attempt { touched, good: good.clone(), written });
        match captured {
            Ok(()) => Ok(good),
            Err(error) => {
                self.settle(false);
                Err(error)
            }
        }
    }

    /// Says whether the last checkpoint came about.
    pub fn settle(&mut self, came_about: bool) {
        let Some(Attempt { touched, good, written }) = self.attempt.take() else { return };
        if came_about {
            self.good = good;
            return;
        }
        self.touched.iter_mut().zip(touched).for_each(|(sum, more)| add(sum, more));
        for key in written.into_iter().filter(|_| self.store.tidies()) {
            if let Err(error) = self.store.delete(&key) {
                tracing::warn!("what was written for a checkpoint that did not come about stays: {error}");
            }
        }
    }

    /// Segments that are not there any more are as if they had never been written: all that they held is still in memory.
    fn forget_what_is_gone(&mut self) -> Result<(), CheckpointError> {
        if self.good.is_empty() {
            return Ok(());
        }
        let there: BTreeSet<String> = self.store.list(keys::SEGMENTS)?.into_iter().collect();
        for gone in self.good.extract_if(.., |segment| !there.contains(&segment.key)) {
            tracing::warn!(
                "{} was removed by somebody; what it held is written again",
                self.store.show(&gone.key)
            );
            for placed in gone.places {
                let Some(at) = self.counts.iter().position(|count| count.id == placed.count) else {
                    continue;
                };
                let touched = &mut self.touched[at];
                match pane_of(&self.counts[at].windows, placed.place) {
                    _ if placed.place == Place::Spellings => touched.spellings = true,
                    pane => touched.panes.extend(pane),
                }
            }
        }
        Ok(())
    }

    /// Whether a place of an earlier checkpoint is as it was, and still held at a clock.
    fn stays(&self, placed: &Placed, clock: u64) -> bool {
        let Some(at) = self.counts.iter().position(|count| count.id == placed.count) else { return false };
        let (windows, touched) = (&self.counts[at].windows, &self.touched[at]);
        if placed.place == Place::Spellings {
            return !touched.spellings;
        }
        let pane = pane_of(windows, placed.place);
        debug_assert!(pane.is_none_or(|pane| place_of(windows, pane) == placed.place));
        pane.is_some_and(|pane| is_held(windows, pane, clock) && !touched.panes.contains(&pane))
    }
}

fn add(sum: &mut Touched, mut more: Touched) {
    sum.panes.append(&mut more.panes);
    sum.spellings |= more.spellings;
}
