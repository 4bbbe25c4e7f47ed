//! Ranks the terms of each window, and tells only how the top K changes, as a differential collection.
//!
//! Idea: the operator reads the blocks that are let in, in whatever order they come, and from the base arrangement only the
//! panes that leave a window. It moves its own state, a `Ranking`, from one epoch to the next, and sends what that
//! says has changed.
//! Invariant: at every epoch the output, accumulated, is for each window the first K of this worker's terms by
//! `(count descending, term)` at that epoch's clock. Terms are disjoint over workers, so merging the
//! workers' lists gives the exact top k for every k up to K.
//! Cost: that of `Ranking`, and at most 2K differential updates per window and epoch.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use differential_dataflow::operators::arrange::arrangement::arrange_core;
use differential_dataflow::operators::arrange::{Arranged, TraceAgent};
use differential_dataflow::trace::implementations::Vector;
use differential_dataflow::trace::implementations::ord_neu::OrdValBatch;
use differential_dataflow::trace::implementations::spine_fueled::Spine;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::progress::frontier::AntichainRef;

use crate::block::Sealed;
use crate::follow::Follower;
use crate::panes::Alive;
use crate::ranking::Ranking;
use crate::shared::Shared;
use crate::told::ToldBatcher;
use crate::totals::{Figures, Totals};
use crate::windows::Windows;

/// A place in a ranking: ordered by count, descending, then by term.
pub type Place = (Reverse<i64>, String);
/// An update of the ranking: window and place, epoch, and whether it came or went.
pub type Told = ((u32, Place), u64, isize);
/// A batch of the ranking.
pub type TopBatch = OrdValBatch<Vector<Told>>;
/// The ranking, whose batches any thread can read.
pub type TopTrace = TraceAgent<Spine<Shared<TopBatch>>>;

/// What each window held as a whole, at each epoch at which something changed, as the worker's publisher reads it.
pub type FiguresHistory = Rc<RefCell<VecDeque<(u64, Vec<Figures>)>>>;

/// The first `k` of each window, arranged by window (its index; `all` comes last), in ranking order.
pub fn rank<'scope>(
    Alive { panes, admitted }: Alive<'scope>,
    clock: Stream<'scope, u64, Vec<u64>>,
    windows: Windows,
    k: usize,
    totals: Rc<RefCell<Totals>>,
    history: FiguresHistory,
) -> Arranged<'scope, TopTrace> {
    let mut builder = OperatorBuilder::new("Rank".to_owned(), panes.stream.scope());
    let mut blocks = builder.new_input(admitted, Pipeline);
    let mut ticks = builder.new_input(clock, Pipeline);
    let mut spans = builder.new_input(panes.stream, Pipeline);
    let (output, changes) = builder.new_output();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Told>>>::from(output);
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
            let [blocks, ticks, spans] = [0, 1, 2].map(|input| bound_of(frontiers[input].frontier()));
            // Of the arrangement all that is earlier than an epoch has to be there, but not the epoch itself.
            let complete = blocks.min(ticks).min(spans.saturating_add(1));
            let mut output = output.activate();
            while let Some(entry) = waiting.first_entry().filter(|entry| *entry.key() < complete) {
                let (epoch, (cap, blocks)) = entry.remove_entry();
                let mut session = output.session_with_builder(&cap);
                ranking.act(epoch, &trace.batches(), &blocks, |window, place, diff| {
                    session.give(((window, place), epoch, diff))
                });
                history.borrow_mut().push_back((epoch, ranking.figures()));
            }
            trace.allow_compaction(complete.saturating_sub(1));
        }
    });
    arrange_core(changes, Pipeline, "Top", ToldBatcher::new)
}

/// The first epoch not before the frontier; none is before the end of time.
fn bound_of(frontier: AntichainRef<'_, u64>) -> u64 {
    frontier.first().copied().unwrap_or(u64::MAX)
}
