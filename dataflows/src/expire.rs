//! Moves a pane to a coarser tier, or out, once its own tier's largest window has left it.
//!
//! Idea: the operator follows the arrangement. When epoch `e` is complete and its clock has left panes behind, it walks
//! their runs in its own trace and sends the negation of what is there, together with its addition to the
//! pane of the next tier that covers it, at `e + 1`, round a loop into the arrangement's input. Both are the same bodies under
//! other labels: no term is read. The owner of a term does this itself: nothing is exchanged.
//! Invariant: `admit` keeps dead panes empty, so what is walked is final and no pane is walked twice. Both halves of a
//! move have the same time: no read and no window sees one without the other.
//! Cost: two runs per run of the dead pane, once per tier; some passes over its terms where the clock jumps and many move to one
//! pane, so that neither reads nor merges find many runs there. An epoch in which no pane dies holds no
//! capability and costs nothing but the loop's share of progress tracking; memory falls when merges meet the
//! negation.

use std::collections::VecDeque;
use std::ops::Range;

use differential_dataflow::operators::arrange::Arranged;
use timely::container::NoopBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

use crate::batcher::Feed;
use crate::follow::Follower;
use crate::panes::PanesTrace;
use crate::runs::{Run, gather};
use crate::sum::Sum;
use crate::windows::{Pane, Windows};

/// Runs that go to one pane at once are merged if they are more.
const MANY: usize = 32;

/// The moves of dead panes, to be fed back into the arrangement.
pub fn expire<'scope>(
    panes: Arranged<'scope, PanesTrace>,
    clock: Stream<'scope, u64, Vec<u64>>,
    windows: Windows,
) -> Stream<'scope, u64, Feed> {
    let scope = panes.stream.scope();
    let mut builder = OperatorBuilder::new("Expire".to_owned(), scope);
    let mut spans = builder.new_input(panes.stream, Pipeline);
    let mut ticks = builder.new_input(clock, Pipeline);
    let (output, moves) = builder.new_output();
    let mut output = OutputBuilder::<_, NoopBuilder<Feed>>::from(output);
    let mut trace = Follower::new(panes.trace);

    builder.build(move |_capabilities| {
        // The clocks heard and acted upon so far; 0 before the first.
        let (mut heard, mut acted) = (0, 0);
        let mut deaths = VecDeque::<(Capability<u64>, u64)>::new();
        move |frontiers| {
            spans.for_each(|_cap, spans| spans.iter().for_each(|span| trace.absorb(span)));
            ticks.for_each(|cap, clocks| {
                let now = clocks.drain(..).max().unwrap_or(0);
                if now > heard && dead(&windows, heard, now).any(|range| !range.is_empty()) {
                    heard = now;
                    deaths.push_back((cap.retain_least(0).expect("inputs stamp every message"), now));
                }
            });
            // What is walked is final: it is read whatever its time.
            trace.allow_compaction(u64::MAX);
            let mut output = output.activate();
            while let Some((cap, now)) = deaths.pop_front_if(|(cap, _)| !frontiers[0].less_equal(cap.time()))
            {
                let (time, batches) = (*cap.time() + 1, trace.batches());
                let mut moves = Vec::new();
                for panes in dead(&windows, acted, now) {
                    let next =
                        |run: &Run| windows.pane_at(windows.time_of(run.pane), run.pane.tier() + 1, now);
                    let runs = gather(batches.iter().map(|batch| &**batch), &panes, ..);
                    // Panes ascend, and so do those that they move to.
                    for runs in runs.chunk_by(|one, two| next(one) == next(two)) {
                        moves.extend(next(&runs[0]).into_iter().flat_map(|pane| moved(runs, pane, time)));
                        moves.extend(runs.iter().map(|run| Run { time, minus: !run.minus, ..run.clone() }));
                    }
                }
                if !moves.is_empty() {
                    output.session_with_builder(&cap).give_container(&mut Feed::Runs(moves));
                }
                acted = now;
            }
        }
    });
    moves
}

/// What `pane` gets of these runs: the same bodies, unless they are many.
fn moved(runs: &[Run], pane: Pane, time: u64) -> Vec<Run> {
    let runs: Vec<Run> = runs.iter().map(|run| Run { pane, time, ..run.clone() }).collect();
    if runs.len() <= MANY {
        return runs;
    }
    let (mut sum, mut moved) = (Sum::default(), Vec::new());
    sum.begin(runs);
    let mut left = usize::MAX;
    while !sum.advance(&mut left, &mut moved) {}
    debug_assert!(moved.iter().all(|run| !run.minus), "what is final has no count below 0");
    moved
}

/// The panes of each tier that die when the clock goes from `was` to `now`.
fn dead(windows: &Windows, was: u64, now: u64) -> impl Iterator<Item = Range<Pane>> + '_ {
    (0..windows.tiers()).map(move |tier| {
        Pane::new(tier, windows.first_alive(tier, was))..Pane::new(tier, windows.first_alive(tier, now))
    })
}
