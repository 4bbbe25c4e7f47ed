//! Ranks the terms of each window, and tells only how the top K changes, as a differential collection.
//!
//! Idea: the operator follows the base arrangement and reads each new batch once. It moves its own state, a
//! `Ranking`, from one epoch to the next, and sends what that says has changed.
//! Invariant: at every epoch the output, accumulated, is for each window the first K of this worker's terms by
//! `(count descending, term)` at that epoch's clock. Terms are disjoint over workers, so merging the
//! workers' lists gives the exact top k for every k up to K.
//! Cost: that of `Ranking`, and at most 2K differential updates per window and epoch.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::rc::Rc;

use differential_dataflow::operators::arrange::arrangement::arrange_core;
use differential_dataflow::operators::arrange::{Arranged, TraceAgent};
use differential_dataflow::trace::Span;
use differential_dataflow::trace::implementations::ord_neu::OrdValBatch;
use differential_dataflow::trace::implementations::spine_fueled::Spine;
use differential_dataflow::trace::implementations::{ValBatcher, Vector};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::progress::Antichain;

use crate::follow::Follower;
use crate::panes::{PanesBatch, PanesTrace};
use crate::ranking::Ranking;
use crate::shared::Shared;
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
    panes: Arranged<'scope, PanesTrace>,
    clock: Stream<'scope, u64, Vec<u64>>,
    windows: Windows,
    k: usize,
    totals: Rc<RefCell<Totals>>,
    history: FiguresHistory,
) -> Arranged<'scope, TopTrace> {
    let mut builder = OperatorBuilder::new("Rank".to_owned(), panes.stream.scope());
    let mut spans = builder.new_input(panes.stream, Pipeline);
    let mut ticks = builder.new_input(clock, Pipeline);
    let (output, changes) = builder.new_output();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Told>>>::from(output);
    let mut trace = Follower::new(panes.trace);

    builder.build(move |_capabilities| {
        let mut ranking = Ranking::new(windows, k, totals);
        let mut capabilities = Vec::<Capability<u64>>::new();
        let mut waiting = VecDeque::<Span<u64, Shared<PanesBatch>>>::new();
        move |frontiers| {
            ticks.for_each(|cap, clocks| {
                let cap = cap.retain_least(0).expect("inputs stamp every message");
                clocks.drain(..).for_each(|now| ranking.clock.hear(*cap.time(), now));
                capabilities.push(cap);
            });
            spans.for_each(|cap, spans| {
                capabilities.extend(cap.retain_least(0));
                waiting.extend(spans.drain(..));
            });
            // The two frontiers do not move together.
            let complete =
                frontiers.iter().map(|frontier| bound_of(&frontier.frontier().to_owned())).min().unwrap_or(0);
            let mut output = output.activate();
            let mut act =
                |ranking: &mut Ranking, epoch, before: &[Shared<PanesBatch>], new: Option<&PanesBatch>| {
                    let cap = capabilities
                        .iter()
                        .find(|cap| *cap.time() <= epoch)
                        .expect("a message caused this epoch");
                    let cap = cap.delayed(&epoch);
                    let mut session = output.session_with_builder(&cap);
                    ranking.act(epoch, before, new, |window, place, diff| {
                        session.give(((window, place), epoch, diff))
                    });
                    history.borrow_mut().push_back((epoch, ranking.figures()));
                };
            while let Some(span) = waiting.pop_front_if(|span| bound_of(span.upper()) <= complete) {
                let before = trace.batches();
                let new = span.inner.as_deref();
                for epoch in ranking.epochs(bound_of(span.upper()), new) {
                    act(&mut ranking, epoch, &before, new);
                }
                trace.absorb(&span);
            }
            // A span that waits for the clock holds back the changes of the clock beyond its start.
            let acted = waiting.front().map_or(complete, |span| complete.min(bound_of(span.lower())));
            for epoch in ranking.epochs(acted, None) {
                act(&mut ranking, epoch, &trace.batches(), None);
            }
            trace.allow_compaction();
            capabilities.retain(|cap| *cap.time() >= acted);
        }
    });
    arrange_core::<_, _, ValBatcher<u32, Place, u64, isize>, _>(changes, Pipeline, "Top", ValBatcher::new)
}

/// The first epoch not before the frontier; none is before the end of time.
fn bound_of(frontier: &Antichain<u64>) -> u64 {
    frontier.elements().first().copied().unwrap_or(u64::MAX)
}
