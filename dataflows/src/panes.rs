//! The base arrangement: `(pane, term)`, whose diff is the count, all tiers in one.
//!
//! Idea: a batch is a list of runs, each of one pane; the exchange is by `hash(term)` only, so one worker has a term's counts of
//! all panes and windows need no second exchange.
//! Invariant: at every epoch the sum of a key's diffs is its count if the pane is alive, and 0 once it is dead
//! (from the epoch after it died, see `expire`). No count is ever negative.
//! Cost: that of `body` and `runs`.

use std::ops::{Range, RangeBounds};

use differential_dataflow::operators::arrange::arrangement::arrange_core;
use differential_dataflow::operators::arrange::{Arranged, TraceAgent};
use differential_dataflow::trace::implementations::spine_fueled::Spine;
use timely::container::NoopBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;
use timely::dataflow::operators::{Concat, ConnectLoop, Feedback};

use crate::admit::{Live, admit};
use crate::batcher::{Feed, RunsBatcher};
use crate::block::{Block, Sealed};
use crate::expire::expire;
use crate::runs::Runs;
use crate::shared::Shared;
use crate::term::HashKeys;
use crate::touched::{TouchedHistory, note};
use crate::windows::{Pane, Windows};

/// A batch of updates of one or several epochs.
pub type PanesBatch = Runs;
/// The trace, whose batches any thread can read.
pub type PanesTrace = TraceAgent<Spine<Shared<PanesBatch>>>;

const _: () = {
    const fn readable_by_other_threads<T: Send + Sync>() {}
    readable_by_other_threads::<Shared<PanesBatch>>()
};

/// A key of the arrangement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyRef<'a> {
    /// Its pane.
    pub pane: Pane,
    /// Its term.
    pub term: &'a [u8],
}

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
    let blocks =
        admitted.clone().unary::<NoopBuilder<Feed>, _, _, _>(Pipeline, "Feed", |_capability, _info| {
            move |input, output| {
                input.for_each(|cap, block| {
                    let cap = cap.retain_least(0).expect("inputs stamp every message");
                    let mut block = Feed::Block(std::mem::take(block));
                    output.session_with_builder(&cap).give_container(&mut block);
                });
            }
        });
    let panes: Arranged<'scope, PanesTrace> = arrange_core(
        note(blocks.concat(negations), touched, Feed::list),
        Pipeline,
        "Panes",
        RunsBatcher::new,
    );
    expire(panes.clone(), clock, windows.clone()).connect_loop(handle);
    Alive { panes, admitted }
}

/// Visits each `(key, n)` of `panes` in one batch, counting only the updates within `times`: for tests and benches.
///
/// A key may stand in a batch more than once, and in several batches: visit them all and add up.
pub fn visit<'a>(
    batch: &'a PanesBatch,
    panes: Range<Pane>,
    times: impl RangeBounds<u64>,
    mut see: impl FnMut(KeyRef<'a>, i64),
) {
    for run in batch.of(&panes).iter().filter(|run| times.contains(&run.time)) {
        for record in run.body.iter() {
            see(KeyRef { pane: run.pane, term: record.term() }, run.sign() * record.n as i64);
        }
    }
}
