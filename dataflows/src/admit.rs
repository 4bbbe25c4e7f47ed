//! Puts each update where it belongs at the clock of its epoch, so that a dead pane stays empty.
//!
//! Idea: updates arrive in the panes that an earlier clock gave them. At epoch `e` the clock of `e` decides: blocks wait until
//! it is known, then pass whole if all their panes are alive; otherwise what is late goes to the finest tier that still
//! covers it, in the end into `all`, and what nothing covers is left out.
//! Invariant: nothing gets past this operator at `e` or later into a pane that is dead at `e`; hence what `expire`
//! reads when a pane dies is all that the pane will ever hold. No epoch leaves more than `limit` terms alive; beyond it an
//! update passes only if its term is alive already, or has passed in the same epoch. What was kept passes whole.
//! Cost: one pass over a block's panes; a copy of a block that has late ones, and one probe per late update; where an epoch could
//! go beyond the limit a wait until those before it are ranked, one probe per update and a copy of each new term.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use timely::container::NoopBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::scheduling::Activator;

use crate::block::{Block, Sealed, to_owner};
use crate::clock::Heard;
use crate::combine::Combine;
use crate::quota::Share;
use crate::term::HashKeys;
use crate::totals::Totals;
use crate::windows::{Pane, Windows};

/// Which terms are alive on this worker, and how many may be.
#[derive(Clone)]
pub struct Live {
    /// The totals that `rank` keeps.
    pub totals: Rc<RefCell<Totals>>,
    /// How far they are.
    pub ranked: Rc<Ranked>,
    /// What this worker holds of the terms that may be alive.
    pub room: Rc<Share>,
    /// Whether the first epoch has what an earlier run kept, and nothing else.
    pub restored: Rc<Cell<bool>>,
    /// What was refused because of the limit.
    pub refused: Rc<RefCell<Refused>>,
}

/// How far `rank` is, for whoever has to wait for it.
#[derive(Default)]
pub struct Ranked {
    /// The first epoch that is not ranked yet.
    next: Cell<u64>,
    waits: RefCell<Option<Rc<Activator>>>,
}

impl Ranked {
    /// All epochs before this one are ranked.
    pub fn reach(&self, next: u64) {
        if self.next.replace(next) < next
            && let Some(waits) = self.waits.take()
        {
            waits.activate();
        }
    }

    /// Has an operator run when more is.
    fn wait(&self, operator: Rc<Activator>) {
        self.waits.replace(Some(operator));
    }
}

/// Updates not taken for want of room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Occurrences.
    pub occurrences: u64,
    /// No window that begins after this event time has missed any; `None`: nothing was refused.
    pub newest: Option<u64>,
    /// Updates of spellings not noted.
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
    let activator = Rc::new(updates.scope().activator_for(builder.operator_info().address));
    let mut updates = builder.new_input(updates, to_owner());
    let mut ticks = builder.new_input(clock, Pipeline);
    let (output, admitted) = builder.new_output();
    let mut output = OutputBuilder::<_, NoopBuilder<Sealed>>::from(output);

    builder.build(move |_capabilities| {
        // Late updates: coarser panes make equal what was different, so they are combined anew.
        let (mut clock, mut late) = (Heard::default(), Combine::new(keys));
        let mut waiting = BTreeMap::<u64, (Capability<u64>, Vec<Block>)>::new();
        // Updates of epochs that are not ranked yet.
        let mut passed = VecDeque::<(u64, usize)>::new();
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
                let (epoch, updates) = (*entry.key(), entry.get().1.iter().map(Block::len).sum::<usize>());
                while passed.pop_front_if(|(epoch, _)| *epoch < live.ranked.next.get()).is_some() {}
                let unranked: usize = passed.iter().map(|(_, updates)| updates).sum();
                let is_kept = epoch == 0 && live.restored.get();
                let most = live.totals.borrow().alive() + unranked + updates;
                // How many terms all the panes have that were kept is only known once they are ranked.
                let is_near_limit = !is_kept && !live.room.hold(most);
                if is_near_limit && unranked > 0 {
                    live.ranked.wait(Rc::clone(&activator));
                    break;
                }
                let mut room = is_near_limit.then(|| NearLimit::new(&windows, &live));
                let (cap, blocks) = entry.remove();
                passed.push_back((epoch, updates));
                let now = clock.at(epoch);
                let mut session = output.session_with_builder(&cap);
                let mut pass = |mut block: Block| {
                    if let Some(room) = &mut room {
                        block = room.within(&block);
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
                late.drain(epoch, 1, |block| pass(std::mem::take(block)));
            }
            // What died in silence is others' to take.
            if passed.back().is_none_or(|(epoch, _)| *epoch < live.ranked.next.get()) {
                live.room.must_hold(live.totals.borrow().alive());
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

/// An epoch after which there may be more terms than are wanted.
struct NearLimit<'a> {
    windows: &'a Windows,
    live: &'a Live,
    /// Terms that have come to those that are alive, in this epoch.
    new: HashSet<Box<[u8]>>,
}

impl<'a> NearLimit<'a> {
    fn new(windows: &'a Windows, live: &'a Live) -> NearLimit<'a> {
        live.room.must_hold(live.totals.borrow().alive());
        NearLimit { windows, live, new: HashSet::new() }
    }

    /// The updates of a block for which there is room; the others are refused.
    #[cold]
    fn within(&mut self, block: &Block) -> Block {
        let totals = self.live.totals.borrow();
        let mut refused = self.live.refused.borrow_mut();
        let mut kept = Block::new(block.epoch, block.owner);
        for (pane, update) in block.iter() {
            let passes = totals.is_alive(&update) || self.new.contains(&*update.term()) || {
                self.live.room.hold_one_more() && self.new.insert(update.term().to_vec().into())
            };
            if passes {
                kept.push(pane, update);
            } else {
                refused.occurrences += update.n.unsigned_abs();
                refused.newest = refused.newest.max(Some(self.windows.time_of(pane)));
            }
        }
        kept
    }
}
