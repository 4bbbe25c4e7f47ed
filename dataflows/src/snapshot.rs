//! What a worker hands out after an epoch: batches that any thread can read.
//!
//! Idea: a snapshot holds its own batches, so a reader needs neither the worker nor a hold on compaction.
//! Invariant: read with times up to its epoch, a snapshot contains exactly the updates of epochs up to its own. Its
//! batches may reach further, since workers cut them differently; `reads` leaves out what is later.
//! Cost: a few `Arc` clones per epoch; batches replaced by a merge live on while a kept snapshot lists them.

use differential_dataflow::trace::TraceReader;
use timely::progress::Antichain;
use timely::progress::frontier::AntichainRef;

use crate::admit::Refused;
use crate::panes::PanesBatch;
use crate::ranking::Ranks;
use crate::shared::Shared;

/// One worker's part of all counts as of an epoch.
pub struct Snapshot {
    /// The epoch.
    pub epoch: u64,
    /// The clock at that epoch; `None` before the first post, and before the first wall clock.
    pub clock: Option<u64>,
    /// The counts in the order of the plan.
    pub counts: Vec<CountSnapshot>,
}

/// One worker's part of one count.
pub struct CountSnapshot {
    /// `(pane, term)`, whose diff is the count.
    pub panes: Vec<Shared<PanesBatch>>,
    /// `(ALL, key of a spelling)`, whose diff says how often; empty for kinds that show their key.
    pub spellings: Vec<Shared<PanesBatch>>,
    /// How the windows stand.
    pub ranks: Ranks,
    /// What was not taken for want of room.
    pub refused: Refused,
}

/// The batches of a trace as far as it goes, which must be beyond `epoch`; earlier epochs may be compacted into it.
pub(crate) fn batches<Tr: TraceReader<Time = u64>>(trace: &mut Tr, epoch: u64) -> Vec<Tr::Batch> {
    let mut upper = Antichain::new();
    trace.read_upper(&mut upper);
    trace.set_logical_compaction(AntichainRef::new(&[epoch]));
    trace.set_physical_compaction(upper.borrow());
    trace.batches_through(upper.borrow()).expect("the end of a trace is a clean cut")
}
