//! The state behind `rank`: running totals and leaders of every window, moved on epoch by epoch.
//!
//! Idea: a window's total changes in three ways only: an update is let in to a pane that it covers (+n), a pane leaves
//! it (-n for each key of the pane, read from the arrangement), or a pane enters it (only where updates
//! run ahead of the clock). What moves from tier to tier changes no total, so moves are never looked at. Nothing here
//! knows of dataflow. One column more than there are windows holds the total of
//! all that is held: the window `all` where there is one, and what is alive in any case.
//! Invariant: after `act(epoch)` the totals are those of all updates up to `epoch` in the panes covered then. `act` is
//! called for each epoch with updates and for each change of the clock, in turn.
//! Cost: a probe per key that arrives, and per key of a pane and window that it leaves; then what `leaders` costs.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use crate::block::Sealed;
use crate::clock::Heard;
use crate::leaders::Leaders;
use crate::panes::PanesBatch;
use crate::rows::{Rows, Update};
use crate::runs::{Run, gather};
use crate::shared::Shared;
use crate::top::Top;
use crate::totals::{Figures, Totals, WORTH};
use crate::windows::{Mask, Windows};

/// How the windows of one count stand on one worker.
#[derive(Clone, Debug, Default)]
pub struct Ranks {
    /// What each holds as a whole; `all`, or all that is held, comes last.
    pub figures: Vec<Figures>,
    /// The first places of each that is ranked; `all` comes last.
    pub top: Vec<Arc<Top>>,
}

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

    /// Moves on to `epoch`: `before` holds at least all earlier updates, `admitted` what is let in at this epoch.
    pub fn act(&mut self, epoch: u64, before: &[Shared<PanesBatch>], admitted: &[Sealed]) -> Ranks {
        let (was, now) = (self.clock.now(), self.clock.at(epoch));
        let Ranking { windows, totals, leaders, .. } = self;
        let totals = &mut *totals.borrow_mut();
        let passed: Vec<Run> = windows
            .passed(was, now)
            .iter()
            .flat_map(|panes| gather(before.iter().map(|batch| &**batch), panes, ..epoch))
            .collect();
        // Of what is not ranked no total is of interest.
        let floors = (0..=windows.len()).map(|window| leaders.get(window).map_or(i64::MAX, Leaders::least));
        let mut changes = Changes { totals, floors: floors.collect(), leaders, risen: Vec::new() };
        let mut waiting = Waiting { rows: Rows::default(), mask: 0 };
        for run in &passed {
            let (old, new) = (windows.covering(run.pane, was), windows.covering(run.pane, now));
            let (left, entered) = (old & !new, new & !old);
            // Entered by the clock's doing: the updates ran ahead of it.
            for (sign, mask) in [(-1, left), (1, entered)] {
                if mask != 0 {
                    waiting.push(run, sign, mask, &mut changes);
                }
            }
        }
        waiting.settle(&mut changes);
        for block in admitted {
            // Panes beside each other are mostly in the same windows.
            let (mut start, mut end, mut mask) = (0, 0, 0);
            for (pane, range) in block.pieces() {
                let next = windows.covering(pane, now);
                if next != mask {
                    changes.add(block.rows(), start..end, mask);
                    (start, mask) = (range.start, next);
                }
                end = range.end;
            }
            changes.add(block.rows(), start..end, mask);
        }
        let top = leaders.iter_mut().map(|leaders| leaders.close(totals)).collect();
        let ranks = Ranks { figures: totals.figures().to_vec(), top };
        if let Some(moved) = totals.compact() {
            leaders.iter_mut().for_each(|leaders| leaders.follow(&moved, totals));
        }
        ranks
    }
}

/// Changes totals, and lets the leaders see each that has become high enough.
struct Changes<'a> {
    totals: &'a mut Totals,
    leaders: &'a mut [Leaders],
    /// What is high enough, by column.
    floors: Vec<i64>,
    risen: Vec<(usize, u32)>,
}

impl Changes<'_> {
    /// Adds some rows in each of some windows.
    fn add(&mut self, rows: &Rows, range: Range<usize>, mask: Mask) {
        if mask == 0 {
            return;
        }
        for start in range.clone().step_by(WORTH) {
            let some = start..range.end.min(start + WORTH);
            self.totals.add(rows, some, mask, &self.floors, &mut self.risen);
            for (window, id) in self.risen.drain(..) {
                if let Some(leaders) = self.leaders.get_mut(window) {
                    leaders.rose(id, self.totals);
                }
            }
        }
    }
}

/// Records of runs, made rows, which are added some hundreds at a time: panes may be many, and have few each.
struct Waiting {
    rows: Rows,
    /// The windows in which all of them are to be added.
    mask: Mask,
}

impl Waiting {
    fn push(&mut self, run: &Run, sign: i64, mask: Mask, changes: &mut Changes<'_>) {
        if mask != self.mask {
            self.settle(changes);
            self.mask = mask;
        }
        let (sign, keys) = (sign * run.sign(), changes.totals.keys());
        for record in run.body.iter() {
            self.rows.push(Update::with_head(keys, record.head, record.term(), sign * record.n as i64));
            if self.rows.len() == WORTH {
                self.settle(changes);
            }
        }
    }

    fn settle(&mut self, changes: &mut Changes<'_>) {
        changes.add(&self.rows, 0..self.rows.len(), self.mask);
        self.rows.clear();
    }
}
