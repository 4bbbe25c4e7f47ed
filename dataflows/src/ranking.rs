//! The state behind `rank`: running totals and leaders of every window, moved on epoch by epoch.
//!
//! Idea: a window's total changes in three ways only: an update arrives in a pane that it covers (+n), a pane leaves
//! it (-n for each key of the pane, read from the arrangement), or a pane enters it (only where updates
//! run ahead of the clock). Nothing here knows of dataflow. One column more than there are windows holds the total of
//! all that is held: the window `all` where there is one, and what is alive in any case.
//! Invariant: after `act(epoch)` the totals are those of all updates up to `epoch` in the panes covered then. One
//! batch may hold several epochs; `act` is called for each of them in turn, and for each change of the clock.
//! Cost: a probe per key that arrives, and per key of a pane that leaves a window; two per key of a pane that changes
//! tiers; then what `leaders` costs.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;

use crate::clock::Heard;
use crate::keys::KeyRef;
use crate::leaders::Leaders;
use crate::panes::{PanesBatch, visit};
use crate::rank::Place;
use crate::shared::Shared;
use crate::totals::{Change, Figures, GROUP, Totals};
use crate::windows::{Mask, Pane, Windows};

/// Totals and leaders of one count on one worker.
pub struct Ranking {
    windows: Windows,
    /// The clock as far as it has been heard.
    pub clock: Heard,
    totals: Rc<RefCell<Totals>>,
    leaders: Vec<Leaders>,
}

impl Ranking {
    /// Nothing counted yet. `totals` has a column for each window and one for all that is held.
    pub fn new(windows: Windows, k: usize, totals: Rc<RefCell<Totals>>) -> Self {
        let ranked = windows.len() + usize::from(windows.all());
        let leaders = (0..ranked).map(|window| Leaders::new(window, k)).collect();
        Ranking { totals, clock: Heard::default(), leaders, windows }
    }

    /// The epochs before `upper` at which something happens: usually one.
    pub fn epochs(&self, upper: u64, new: Option<&PanesBatch>) -> BTreeSet<u64> {
        let times = new.into_iter().flat_map(|batch| batch.storage.upds.times.iter().copied());
        let mut epochs: BTreeSet<u64> = self.clock.changes_before(upper).collect();
        let mut last = None;
        epochs.extend(times.filter(|time| last.replace(*time) != Some(*time)));
        epochs
    }

    /// What each window holds as a whole, after the last `act`.
    pub fn figures(&self) -> Vec<Figures> {
        self.totals.borrow().figures().to_vec()
    }

    /// Moves on to `epoch`: `before` holds all earlier updates but those in `new`, whose times may be several.
    pub fn act<'a>(
        &mut self,
        epoch: u64,
        before: &'a [Shared<PanesBatch>],
        new: Option<&'a PanesBatch>,
        mut tell: impl FnMut(u32, Place, isize),
    ) {
        let (was, now) = (self.clock.now(), self.clock.at(epoch));
        let Ranking { windows, totals, leaders, .. } = self;
        let totals = &mut *totals.borrow_mut();
        let mut changes =
            Changes { totals, leaders, waiting: Vec::with_capacity(GROUP), ids: Vec::with_capacity(GROUP) };
        if was != now {
            for window in 0..windows.len() {
                let (old, covered) = (windows.covered(window, was), windows.covered(window, now));
                let mut move_panes = |times: Range<u64>, sign: i64| {
                    if times.is_empty() {
                        return;
                    }
                    for panes in windows.panes_in(window, times) {
                        let mut add = |key: KeyRef<'a>, n| changes.push(key.term, 1 << window, sign * n);
                        before.iter().for_each(|batch| visit(batch, panes.clone(), .., &mut add));
                        new.iter().for_each(|batch| visit(batch, panes.clone(), ..epoch, &mut add));
                    }
                };
                move_panes(old.start..old.end.min(covered.start), -1);
                // Ahead of the old clock: empty, unless updates run ahead of the clock.
                move_panes(old.end.max(covered.start)..covered.end, 1);
            }
        }
        if let Some(batch) = new {
            let end = Pane(Pane::ALL.0 + 1);
            for (pane, _) in batch.storage.keys.runs(Pane(0)..end) {
                let covering = windows.covering(pane, now);
                visit(batch, pane..Pane(pane.0 + 1), epoch..=epoch, |key, n| {
                    changes.push(key.term, covering, n)
                });
            }
        }
        changes.apply();
        for (window, leaders) in leaders.iter_mut().enumerate() {
            leaders.close(totals, |term, n, diff| {
                let term = std::str::from_utf8(term).expect("terms are text").to_owned();
                tell(window as u32, (Reverse(n), term), diff)
            });
        }
        if let Some(moved) = totals.compact() {
            leaders.iter_mut().for_each(|leaders| leaders.follow(&moved, totals));
        }
    }
}

/// Collects changes of totals into groups, and lets the leaders see each total that rose.
struct Changes<'a, 'b> {
    totals: &'b mut Totals,
    leaders: &'b mut [Leaders],
    waiting: Vec<Change<'a>>,
    ids: Vec<u32>,
}

impl<'a> Changes<'a, '_> {
    fn push(&mut self, term: &'a [u8], windows: Mask, n: i64) {
        self.waiting.push(Change { term, windows, n });
        if self.waiting.len() == GROUP {
            self.apply();
        }
    }
    fn apply(&mut self) {
        self.totals.add(&self.waiting, &mut self.ids);
        for (change, id) in self.waiting.drain(..).zip(&self.ids).filter(|(change, _)| change.n > 0) {
            for (window, leaders) in self.leaders.iter_mut().enumerate() {
                if change.windows >> window & 1 == 1 {
                    leaders.rose(*id, self.totals);
                }
            }
        }
    }
}
