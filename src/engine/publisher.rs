//! What a worker publishes of an epoch.
//!
//! Idea: counts come out of the dataflow when the epoch is complete; how far the source had come was noted when it closed.
//! Invariant: positions and records of an epoch are taken at the same moment, its closing, so what is published of an epoch is
//! about exactly the records before its offsets.

use std::collections::VecDeque;
use std::sync::Arc;

use tidings_dataflows::pipeline::Pipeline;

use super::decode::smallest_window;
use super::job::Job;
use super::keep::{Keeper, Published};
use super::published::Part;
use super::tally::Tally;
use crate::source::{Gap, Position};

/// How far the source had come when an epoch closed.
struct Closed {
    epoch: u64,
    positions: Vec<Position>,
    gaps: Vec<Gap>,
}

/// Puts together what a worker publishes.
pub(super) struct Publisher<'a> {
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
    pub(super) fn new(worker: usize, job: &'a Job, leads: bool) -> Publisher<'a> {
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

    /// Takes note of how far the source has come at the end of an epoch.
    pub(super) fn closes(&mut self, epoch: u64, positions: Vec<Position>, gaps: Vec<Gap>) {
        self.closed.push_back(Closed { epoch, positions, gaps });
    }

    /// Publishes an epoch that is complete; the positions behind its records.
    pub(super) fn publish(
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
        // Where a checkpoint was loaded in part only, what is there looks like right counts.
        if !self.job.keeping.as_ref().is_some_and(|keeping| keeping.is_broken()) {
            let positions = positions.iter().map(|position| (position.partition, position.next)).collect();
            let part = Part { snapshot, positions, gaps, tally };
            self.job.published.publish(self.worker, part);
        }
        positions
    }
}
