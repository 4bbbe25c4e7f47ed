//! What was kept comes back.
//!
//! Idea: each worker reads its share of the blocks and puts the rows into the dataflow, before its first epoch closes; what is
//! one for the whole cluster, such as the clock and the tally, the worker that leads brings back.
//! Invariant: the first epoch that is published is what was kept, and nothing else: records are read after it.
//! Cost: reading, and what counting so many updates costs; all workers at once.

use std::sync::Arc;

use tidings_dataflows::admit::Refused;
use tidings_dataflows::clock::{Fact, Standing};
use tidings_dataflows::pipeline::Pipeline;
use timely::worker::Worker;

use super::convert;
use super::fit::Fitted;
use crate::checkpoint::capture::Kept;
use crate::checkpoint::load::load;
use crate::checkpoint::manifest::{Manifest, Place};
use crate::checkpoint::{CheckpointError, Store};
use crate::engine::tally::Tally;

/// What is to be loaded.
pub(crate) struct Restore {
    pub(super) store: Arc<dyn Store>,
    pub(super) manifest: Manifest,
    pub(super) standing: Standing,
    pub(super) counts: Vec<Kept>,
    pub(super) fitted: Vec<Fitted>,
    /// What had become of the records.
    pub(crate) tally: Tally,
}

impl Restore {
    /// Puts a worker's share of the rows into its pipeline. `spelled` says of each count whether it keeps spellings.
    ///
    /// # Errors
    /// Where a segment cannot be read, or is not as it was when it was verified.
    pub(super) fn load(
        &self,
        worker: &mut Worker,
        pipeline: &mut Pipeline<Tally>,
        spelled: &[bool],
    ) -> Result<(), CheckpointError> {
        let (index, peers) = (worker.index(), worker.peers());
        pipeline.goes_on(self.standing.clock);
        if index == 0 {
            pipeline.tell(Fact::Resumed(self.standing));
            for (at, fitted) in self.fitted.iter().enumerate().filter(|(_, fitted)| fitted.goes_on) {
                let count = &fitted.count;
                let (occurrences, newest) = (count.refused, count.refused_newest);
                pipeline
                    .refused_before(at, Refused { occurrences, newest, spellings: count.refused_spellings });
            }
        }
        let clock = self.standing.clock.unwrap_or(0);
        // Where the rows of the place at hand go.
        let mut to = None;
        let rows = |(count, place, term, n): (u32, Place, &[u8], i64)| {
            let (_, table) = match to {
                Some((known, table)) if known == (count, place) => (known, table),
                _ => {
                    let table = self.table(count, place, spelled, clock);
                    *to.insert(((count, place), table))
                }
            };
            if let Some((table, pane)) = table
                && let Some(load) = pipeline.load()
            {
                load.push(table, pane, term, n);
            }
        };
        load(&*self.store, &self.manifest, (index, peers), rows, || {
            worker.step();
        })
    }

    /// The table and the pane of a place; `None`: nothing counts it any more.
    fn table(
        &self,
        count: u32,
        place: Place,
        spelled: &[bool],
        clock: u64,
    ) -> Option<(usize, tidings_dataflows::windows::Pane)> {
        let at =
            self.counts.iter().position(|kept| kept.id == count).filter(|at| self.fitted[*at].goes_on)?;
        let before: usize = spelled[..at].iter().map(|spelled| 1 + usize::from(*spelled)).sum();
        let pane = convert::pane(&self.counts[at].windows, place, clock)?;
        match place {
            Place::Spellings => spelled[at].then_some((before + 1, pane)),
            _ => Some((before, pane)),
        }
    }
}
