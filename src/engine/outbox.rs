//! From the source to the dataflow: records are packed into containers, each for the worker that is to decode it.
//!
//! Invariant: what has been read is handed in before the call ends, also where reading failed, since positions are behind it.
//! Cost: a copy of each record's bytes.

use tidings_dataflows::pipeline::Pipeline;
use tidings_dataflows::records::{Origin, Records};
use timely::worker::Worker;

use super::flow::Flow;
use super::job::Job;
use super::sharing::Sharing;
use super::tally::Tally;
use crate::posts::MAX_RECORD;
use crate::source::{Polled, Source, SourceError};

/// Packs records into containers and says who gets them.
pub(super) struct Outbox {
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
    pub(super) fn new(worker: &Worker, job: &Job) -> Outbox {
        let (worker, workers) = (worker.index(), worker.peers());
        // A record that is too large is bad whatever follows: no need to carry all of it, unless somebody wants it.
        let most = if job.dead_letters.is_some() { usize::MAX } else { MAX_RECORD + 1 };
        let sharing = job.sharing.clone();
        Outbox { records: Records::new(worker), before: (0, 0), worker, workers, sharing, last: worker, most }
    }

    /// Reads about so many bytes at most, and no more than may be on its way.
    ///
    /// # Errors
    /// Those of the source.
    pub(super) fn read(
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
