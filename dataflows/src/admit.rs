//! Puts each update where it belongs at the clock of its epoch, so that a dead pane stays empty.
//!
//! Idea: updates arrive in the panes that an earlier clock gave them. At epoch `e` the clock of `e` decides: blocks wait until
//! it is known, then pass whole if all their panes are alive; otherwise what is late goes to the finest tier that still
//! covers it, in the end into `all`, and what nothing covers is left out.
//! Invariant: nothing gets past this operator at `e` or later into a pane that is dead at `e`; hence what `expire`
//! reads when a pane dies is all that the pane will ever hold. No more than `limit` terms are alive, give or
//! take those of the epochs in flight; beyond it an update passes only if its term is alive already.
//! Cost: one pass over a block's panes; a copy of a block that has late ones, and one probe per late update; beyond the limit
//! one per update.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use timely::container::NoopBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

use crate::block::{Block, Sealed, to_owner};
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Occurrences.
    pub occurrences: u64,
    /// No window that begins after this event time has missed any; `None`: nothing was refused.
    pub newest: Option<u64>,
    /// Spellings not noted, a block at a time.
    pub spellings: u64,
}

impl Refused {
    /// Adds what another worker did not take.
    pub fn add(&mut self, other: &Refused) {
        self.occurrences += other.occurrences;
        self.newest = self.newest.max(other.newest);
        self.spellings += other.spellings;
    }

    /// Whether a window has missed updates at a clock, or spellings have been, so that displays may not be right.
    pub fn touches(&self, windows: &Windows, window: usize, clock: u64) -> bool {
        let from = if window < windows.len() { windows.covered(window, clock).start } else { 0 };
        self.spellings > 0 || self.newest.is_some_and(|missed| missed >= from)
    }
}

/// Lets updates in at the clock of their epoch.
pub fn admit<'scope>(
    updates: Stream<'scope, u64, Block>,
    clock: Stream<'scope, u64, Vec<u64>>,
    windows: Windows,
    live: Live,
    keys: HashKeys,
) -> Stream<'scope, u64, Sealed> {
    let mut builder = OperatorBuilder::new("Admit".to_owned(), updates.scope());
    let mut updates = builder.new_input(updates, to_owner());
    let mut ticks = builder.new_input(clock, Pipeline);
    let (output, admitted) = builder.new_output();
    let mut output = OutputBuilder::<_, NoopBuilder<Sealed>>::from(output);

    builder.build(move |_capabilities| {
        // Late updates: coarser panes make equal what was different, so they are combined anew.
        let (mut clock, mut late) = (Heard::default(), Combine::new(keys));
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
                let mut pass = |mut block: Block| {
                    if live.totals.borrow().alive() >= live.limit {
                        block = without_new_terms(&block, &windows, &live);
                    }
                    if !block.is_empty() {
                        session.give_container(&mut block.into());
                    }
                };
                let alive = FirstAlive::new(&windows, now);
                for mut block in blocks {
                    if block.panes().iter().any(|pane| alive.is_dead(*pane)) {
                        block = without_late(&block, &alive, &windows, now, &mut late);
                    }
                    pass(block);
                }
                // All of them are this worker's own, whatever the hash.
                late.drain(*cap.time(), 1, |block| pass(std::mem::take(block)));
            }
        }
    });
    admitted
}

/// The first pane of each tier that is alive.
struct FirstAlive(Vec<Pane>);

impl FirstAlive {
    fn new(windows: &Windows, clock: u64) -> FirstAlive {
        FirstAlive(
            (0..windows.tiers()).map(|tier| Pane::new(tier, windows.first_alive(tier, clock))).collect(),
        )
    }
    #[inline]
    fn is_dead(&self, pane: Pane) -> bool {
        self.0.get(pane.tier()).is_some_and(|first| pane < *first)
    }
}

/// The updates of a block that are in time; the others go where they belong now.
fn without_late(
    block: &Block,
    alive: &FirstAlive,
    windows: &Windows,
    clock: u64,
    late: &mut Combine,
) -> Block {
    let mut kept = Block::new(block.epoch, block.owner);
    for (pane, range) in block.pieces() {
        if !alive.is_dead(pane) {
            kept.extend(pane, block.rows(), range);
        } else if let Some(to) = windows.pane_at(windows.time_of(pane), pane.tier() + 1, clock) {
            let to = late.pane(to);
            block.range(range).for_each(|update| late.add_update(to, &update));
        }
    }
    kept
}

#[cold]
fn without_new_terms(block: &Block, windows: &Windows, live: &Live) -> Block {
    let totals = live.totals.borrow();
    let mut refused = live.refused.borrow_mut();
    let mut kept = Block::new(block.epoch, block.owner);
    for (pane, update) in block.iter() {
        if totals.is_alive(&update) {
            kept.push(pane, update);
        } else {
            refused.occurrences += update.n.unsigned_abs();
            refused.newest = refused.newest.max(Some(windows.time_of(pane)));
        }
    }
    kept
}
