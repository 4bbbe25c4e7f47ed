//! Ranks the terms of each window.
//!
//! Idea: the operator reads the blocks that are let in, in whatever order they come, and from the base arrangement only the
//! panes that leave a window. It moves its own state, a `Ranking`, from one epoch to the next, and leaves how the windows stand
//! where the publisher finds it; its output says only how far it is.
//! Invariant: at every epoch there are for each window the first K of this worker's terms by `(count descending, term)` at that
//! epoch's clock. Terms are disjoint over workers, so the workers' lists together give the exact top k for every k up to K.
//! Cost: that of `Ranking`.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::progress::frontier::AntichainRef;

use crate::admit::Ranked;
use crate::block::Sealed;
use crate::follow::Follower;
use crate::panes::Alive;
use crate::ranking::{Ranking, Ranks};
use crate::totals::Totals;
use crate::windows::Windows;

/// How the windows stood at each epoch at which something happened, as the worker's publisher reads it.
pub type RanksHistory = Rc<RefCell<VecDeque<(u64, Ranks)>>>;

/// Ranks the first `k` of each window. The stream never holds anything; its frontier is what has been ranked, which
/// `progress` says to operators of the same worker.
pub fn rank<'scope>(
    Alive { panes, admitted }: Alive<'scope>,
    clock: Stream<'scope, u64, Vec<u64>>,
    windows: Windows,
    k: usize,
    totals: Rc<RefCell<Totals>>,
    progress: Rc<Ranked>,
    history: RanksHistory,
) -> Stream<'scope, u64, Vec<()>> {
    let mut builder = OperatorBuilder::new("Rank".to_owned(), panes.stream.scope());
    let mut blocks = builder.new_input(admitted, Pipeline);
    let mut ticks = builder.new_input(clock, Pipeline);
    let mut spans = builder.new_input(panes.stream, Pipeline);
    let (_output, ranked) = builder.new_output();
    let mut trace = Follower::new(panes.trace);

    builder.build(move |_capabilities| {
        let mut ranking = Ranking::new(windows, k, totals);
        // What is to be done at an epoch, a change of the clock included.
        let mut waiting = BTreeMap::<u64, (Capability<u64>, Vec<Sealed>)>::new();
        move |frontiers| {
            ticks.for_each(|cap, clocks| {
                let cap = cap.retain_least(0).expect("inputs stamp every message");
                clocks.drain(..).for_each(|now| ranking.clock.hear(*cap.time(), now));
                waiting.entry(*cap.time()).or_insert_with(|| (cap, Vec::new()));
            });
            blocks.for_each(|cap, block| {
                let cap = cap.retain_least(0).expect("inputs stamp every message");
                waiting.entry(*cap.time()).or_insert_with(|| (cap, Vec::new())).1.push(std::mem::take(block));
            });
            spans.for_each(|_cap, spans| spans.iter().for_each(|span| trace.absorb(span)));
            let [blocks_to, ticks_to, spans_to] =
                [0, 1, 2].map(|input| bound_of(frontiers[input].frontier()));
            // What is let in at an epoch comes by its blocks, and of the arrangement only what left a window is read, which is
            // older: epoch 7 can be ranked once blocks and ticks are beyond 7, and the arrangement has all before 7.
            let complete = blocks_to.min(ticks_to).min(spans_to.saturating_add(1));
            while let Some(entry) = waiting.first_entry().filter(|entry| *entry.key() < complete) {
                // The capability holds the output's frontier until the epoch has been ranked.
                let (epoch, (_cap, blocks)) = entry.remove_entry();
                let ranks = ranking.act(epoch, &trace.batches(), &blocks);
                history.borrow_mut().push_back((epoch, ranks));
            }
            progress.reach(complete);
            trace.allow_compaction(complete.saturating_sub(1));
        }
    });
    ranked
}

/// The first epoch not before the frontier; none is before the end of time.
fn bound_of(frontier: AntichainRef<'_, u64>) -> u64 {
    frontier.first().copied().unwrap_or(u64::MAX)
}
