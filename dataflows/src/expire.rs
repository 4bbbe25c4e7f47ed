//! Moves a pane to a coarser tier, or out, once its own tier's largest window has left it.
//!
//! Idea: the operator follows the arrangement. When epoch `e` is complete and its clock has left panes behind, it walks
//! their key ranges in its own trace and sends the negation of what is there, together with its addition to the
//! pane of the next tier that covers it, at `e + 1`, round a loop into the arrangement's input. The owner of a
//! term does this itself: nothing is exchanged.
//! Invariant: `admit` keeps dead panes empty, so what is walked is final and no pane is walked twice. Both halves of a
//! move have the same time: no read and no window sees one without the other.
//! Cost: a sequential read and two updates per key of the dead pane, once per tier. An epoch in which no pane dies holds no
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

use crate::block::{Block, Sealed};
use crate::follow::Follower;
use crate::panes::{PanesTrace, visit_run};
use crate::windows::{Pane, Windows};

/// The moves of dead panes, to be fed back into the arrangement.
pub fn expire<'scope>(
    panes: Arranged<'scope, PanesTrace>,
    clock: Stream<'scope, u64, Vec<u64>>,
    windows: Windows,
) -> Stream<'scope, u64, Sealed> {
    let scope = panes.stream.scope();
    let owner = scope.index() as u32;
    let mut builder = OperatorBuilder::new("Expire".to_owned(), scope);
    let mut spans = builder.new_input(panes.stream, Pipeline);
    let mut ticks = builder.new_input(clock, Pipeline);
    let (output, moves) = builder.new_output();
    let mut output = OutputBuilder::<_, NoopBuilder<Sealed>>::from(output);
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
                let mut session = output.session_with_builder(&cap);
                let new = || Block::new(*cap.time() + 1, owner);
                let mut block = new();
                for batch in trace.batches() {
                    for (pane, run) in
                        dead(&windows, acted, now).flat_map(|panes| batch.storage.keys.runs(panes))
                    {
                        let to = windows.pane_at(windows.time_of(pane), pane.tier() + 1, now);
                        let mut places = None;
                        visit_run(&batch, run, .., |key, n| {
                            let (from, to) = *places
                                .get_or_insert_with(|| (block.list(pane), to.map(|to| block.list(to))));
                            block.push(from, key.term, -n);
                            if let Some(to) = to {
                                block.push(to, key.term, n);
                            }
                            if block.is_full() {
                                session.give_container(&mut std::mem::replace(&mut block, new()).into());
                                places = None;
                            }
                        });
                    }
                }
                if !block.is_empty() {
                    session.give_container(&mut block.into());
                }
                acted = now;
            }
        }
    });
    moves
}

/// The panes of each tier that die when the clock goes from `was` to `now`.
fn dead(windows: &Windows, was: u64, now: u64) -> impl Iterator<Item = Range<Pane>> + '_ {
    (0..windows.tiers()).map(move |tier| {
        Pane::new(tier, windows.first_alive(tier, was))..Pane::new(tier, windows.first_alive(tier, now))
    })
}
