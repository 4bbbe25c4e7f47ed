//! Puts each update where it belongs at the clock of its epoch, so that a dead pane stays empty.
//!
//! Idea: updates arrive in panes of the finest tier. At epoch `e` the clock of `e` decides: blocks wait until it is known,
//! then pass whole if all their panes are alive (always, but for late posts); otherwise what is late goes to the
//! finest tier that still covers it, in the end into `all`, and what nothing covers is left out.
//! Invariant: nothing gets past this operator at `e` or later into a pane that is dead at `e`; hence what `expire`
//! reads when a pane dies is all that the pane will ever hold. No more than `limit` terms are alive, give or
//! take those of the epochs in flight; beyond it an update passes only if its term is alive already.
//! Cost: one pass over a block's panes; one probe per update of a block with late posts; beyond the limit one more.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use timely::container::NoopBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

use crate::block::{Block, to_owner};
use crate::clock::Heard;
use crate::combine::Combine;
use crate::term::HashKeys;
use crate::totals::Totals;
use crate::windows::{Pane, Windows};

/// Which terms are alive on this worker, and how many may be.
#[derive(Clone)]
pub struct Live {
    /// The totals that `rank` keeps.
    pub totals: Rc<RefCell<Totals>>,
    /// Terms that this worker may hold.
    pub limit: usize,
    /// What was refused because of the limit.
    pub refused: Rc<RefCell<Refused>>,
}

/// Updates not taken for want of room.
#[derive(Clone, Copy, Debug, Default)]
pub struct Refused {
    /// Occurrences.
    pub occurrences: u64,
    /// No window that begins after this event time has missed any; `None`: nothing was refused.
    pub newest: Option<u64>,
    /// Spellings not noted, a block at a time.
    pub spellings: u64,
}

/// Lets updates in at the clock of their epoch.
pub fn admit<'scope>(
    updates: Stream<'scope, u64, Block>,
    clock: Stream<'scope, u64, Vec<u64>>,
    windows: Windows,
    live: Live,
    keys: HashKeys,
) -> Stream<'scope, u64, Block> {
    let mut builder = OperatorBuilder::new("Admit".to_owned(), updates.scope());
    let mut updates = builder.new_input(updates, to_owner());
    let mut ticks = builder.new_input(clock, Pipeline);
    let (output, admitted) = builder.new_output();
    let mut output = OutputBuilder::<_, NoopBuilder<Block>>::from(output);

    builder.build(move |_capabilities| {
        let (mut clock, mut combine) = (Heard::default(), Combine::new(keys));
        let mut waiting = BTreeMap::<u64, (Capability<u64>, Vec<Block>)>::new();
        move |frontiers| {
            ticks.for_each(|cap, clocks| {
                let epoch = *cap.least().expect("inputs stamp every message");
                clocks.drain(..).for_each(|now| clock.hear(epoch, now));
            });
            updates.for_each(|cap, block| {
                let cap = cap.retain_least(0).expect("inputs stamp every message");
                waiting.entry(*cap.time()).or_insert_with(|| (cap, Vec::new())).1.push(std::mem::take(block));
            });
            let mut output = output.activate();
            while let Some(entry) =
                waiting.first_entry().filter(|entry| !frontiers[1].less_equal(entry.key()))
            {
                let (cap, blocks) = entry.remove();
                let now = clock.at(*cap.time());
                let mut session = output.session_with_builder(&cap);
                let mut pass = |block: &mut Block| {
                    if live.totals.borrow().alive() >= live.limit {
                        *block = without_new_terms(block, &windows, &live);
                    }
                    if !block.is_empty() {
                        session.give_container(block);
                    }
                };
                let (late, timely): (Vec<_>, Vec<_>) =
                    blocks.into_iter().partition(|block| is_late(block, &windows, now));
                timely.into_iter().for_each(|mut block| pass(&mut block));
                if !late.is_empty() {
                    late.iter().for_each(|block| combine_anew(block, &windows, now, &mut combine));
                    // All of them are this worker's own, whatever the hash.
                    combine.drain(*cap.time(), 1, &mut pass);
                }
            }
        }
    });
    admitted
}

fn is_late(block: &Block, windows: &Windows, clock: u64) -> bool {
    !windows.is_empty() && {
        // Panes that arrive are all of the finest tier or `ALL`, which orders last.
        let first_alive = Pane::new(0, windows.first_alive(0, clock));
        block.panes().iter().any(|pane| *pane < first_alive)
    }
}

/// Puts the updates of a block where they belong. Coarser panes make equal what was different, so they are combined again.
fn combine_anew(block: &Block, windows: &Windows, clock: u64, combine: &mut Combine) {
    for (pane, term, n) in block.iter() {
        let to =
            if pane == Pane::ALL { Some(pane) } else { windows.pane_at(windows.time_of(pane), 0, clock) };
        if let Some(to) = to {
            let to = combine.pane(to);
            combine.add(to, term, n);
        }
    }
}

#[cold]
fn without_new_terms(block: &Block, windows: &Windows, live: &Live) -> Block {
    let totals = live.totals.borrow();
    let mut refused = live.refused.borrow_mut();
    let mut kept = Block::new(block.epoch, block.owner);
    for (pane, term, n) in block.iter() {
        if totals.is_alive(term) {
            kept.push(pane, term, n);
        } else {
            refused.occurrences += n.unsigned_abs();
            refused.newest = refused.newest.max(Some(windows.time_of(pane)));
        }
    }
    kept
}
