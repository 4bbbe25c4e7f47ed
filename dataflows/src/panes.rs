//! The base arrangement: `(pane, term)`, whose diff is the count, all tiers in one.
//!
//! Idea: the key starts with the pane, so a pane is a contiguous range of every batch; the exchange is by
//! `hash(term)` only, so one worker has a term's counts of all panes and windows need no second exchange.
//! Invariant: at every epoch the sum of a key's diffs is its count if the pane is alive, and 0 once it is dead
//! (from the epoch after it died, see `expire`). No count is ever negative.
//! Cost: 32 to 40 bytes and the term per key; each update is rewritten about log2(all / one epoch's) times by merges.

use std::ops::{Range, RangeBounds};

use differential_dataflow::operators::arrange::arrangement::arrange_core;
use differential_dataflow::operators::arrange::{Arranged, TraceAgent};
use differential_dataflow::trace::implementations::ord_neu::OrdKeyBatch;
use differential_dataflow::trace::implementations::spine_fueled::Spine;
use differential_dataflow::trace::implementations::{BatchContainer, OffsetList};
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::{Concat, ConnectLoop, Feedback};

use crate::admit::{Live, admit};
use crate::batcher::BlockBatcher;
use crate::block::{Block, Sealed};
use crate::expire::expire;
use crate::keys::{KeyRef, Keys};
use crate::shared::Shared;
use crate::term::HashKeys;
use crate::touched::{TouchedHistory, note};
use crate::windows::{Pane, Windows};

/// How a batch is laid out.
pub type PanesLayout = (Keys, Vec<()>, Vec<u64>, Vec<i64>, OffsetList);
/// A batch of updates of one or several epochs.
pub type PanesBatch = OrdKeyBatch<PanesLayout>;
/// The trace, whose batches any thread can read.
pub type PanesTrace = TraceAgent<Spine<Shared<PanesBatch>>>;

const _: () = {
    const fn readable_by_other_threads<T: Send + Sync>() {}
    readable_by_other_threads::<Shared<PanesBatch>>()
};

/// What is alive, and how it came to be.
pub struct Alive<'scope> {
    /// All of it.
    pub panes: Arranged<'scope, PanesTrace>,
    /// What is let in at each epoch; moves between tiers are not among it.
    pub admitted: Stream<'scope, u64, Sealed>,
}

/// Arranges blocks, and moves a pane on once its tier's windows have left it.
pub fn arrange_alive<'scope>(
    updates: Stream<'scope, u64, Block>,
    clock: Stream<'scope, u64, Vec<u64>>,
    windows: &Windows,
    live: Live,
    keys: HashKeys,
    touched: TouchedHistory,
) -> Alive<'scope> {
    let scope = updates.scope();
    let (handle, negations) = scope.feedback(1);
    let admitted = admit(updates, clock.clone(), windows.clone(), live, keys);
    let updates = note(admitted.clone().concat(negations), touched);
    let panes: Arranged<'scope, PanesTrace> = arrange_core(updates, Pipeline, "Panes", BlockBatcher::new);
    expire(panes.clone(), clock, windows.clone()).connect_loop(handle);
    Alive { panes, admitted }
}

/// Visits each `(key, n)` of `panes` in one batch, in order, counting only the updates within `times`.
///
/// A key may be in several batches: visit them all and add up. No merging of cursors, so a visit costs a
/// sequential read.
pub fn visit<'a>(
    batch: &'a PanesBatch,
    panes: Range<Pane>,
    times: impl RangeBounds<u64>,
    see: impl FnMut(KeyRef<'a>, i64),
) {
    let keys = &batch.storage.keys;
    visit_run(batch, keys.start_of(panes.start)..keys.start_of(panes.end), times, see);
}

/// Visits each `(key, n)` of the keys with these indexes.
pub fn visit_run<'a>(
    batch: &'a PanesBatch,
    run: Range<usize>,
    times: impl RangeBounds<u64>,
    mut see: impl FnMut(KeyRef<'a>, i64),
) {
    for index in run {
        let n = sum(batch, index, &times);
        if n != 0 {
            see(batch.storage.keys.index(index), n);
        }
    }
}

/// What the updates of one key within `times` add up to.
#[inline]
pub fn sum(batch: &PanesBatch, index: usize, times: &impl RangeBounds<u64>) -> i64 {
    let upds = &batch.storage.upds;
    let (lower, upper) = upds.bounds(index);
    (lower..upper).map(|u| upds.get_abs(u)).filter(|(time, _)| times.contains(*time)).map(|(_, n)| *n).sum()
}
