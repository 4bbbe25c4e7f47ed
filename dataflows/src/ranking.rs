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
use std::rc::Rc;
use std::sync::Arc;

use crate::block::{Sealed, Update};
use crate::clock::Heard;
use crate::leaders::Leaders;
use crate::panes::PanesBatch;
use crate::runs::{Run, gather};
use crate::shared::Shared;
use crate::top::Top;
use crate::totals::{Change, Figures, Totals, WORTH};
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

    /// Moves on to `epoch`: `before` holds at least all earlier updates, `new` what is let in at this epoch.
    pub fn act(&mut self, epoch: u64, before: &[Shared<PanesBatch>], new: &[Sealed]) -> Ranks {
        let (was, now) = (self.clock.now(), self.clock.at(epoch));
        let Ranking { windows, totals, leaders, .. } = self;
        let totals = &mut *totals.borrow_mut();
        let keys = totals.keys();
        let left: Vec<Run> = windows
            .passed(was, now)
            .iter()
            .flat_map(|panes| gather(before.iter().map(|batch| &**batch), panes, ..epoch))
            .collect();
        // Of what is not ranked no total is of interest.
        let floors = (0..=windows.len()).map(|window| leaders.get(window).map_or(i64::MAX, Leaders::least));
        let mut changes = Changes {
            totals,
            floors: floors.collect(),
            leaders,
            waiting: Vec::with_capacity(WORTH),
            risen: Vec::new(),
        };
        for run in &left {
            let (old, new) = (windows.covering(run.pane, was), windows.covering(run.pane, now));
            for record in run.body.iter() {
                let n = run.sign() * record.n as i64;
                let mut push = |windows, n| {
                    if windows != 0 {
                        changes.push(Update::with_head(keys, record.head, record.term(), n), windows);
                    }
                };
                push(old & !new, -n);
                // Entered by the clock, not by time: the update ran ahead of it.
                push(new & !old, n);
            }
        }
        for block in new {
            for (pane, range) in block.pieces() {
                let windows = windows.covering(pane, now);
                if windows != 0 {
                    block.range(range).for_each(|update| changes.push(update, windows));
                }
            }
        }
        changes.apply();
        let top = leaders.iter_mut().map(|leaders| leaders.close(totals)).collect();
        let ranks = Ranks { figures: totals.figures().to_vec(), top };
        if let Some(moved) = totals.compact() {
            leaders.iter_mut().for_each(|leaders| leaders.follow(&moved, totals));
        }
        ranks
    }
}

/// Collects changes of totals into groups, and lets the leaders see each total that rose high enough.
struct Changes<'a, 'b> {
    totals: &'b mut Totals,
    leaders: &'b mut [Leaders],
    /// What is high enough, by column.
    floors: Vec<i64>,
    waiting: Vec<Change<'a>>,
    risen: Vec<(usize, u32)>,
}

impl<'a> Changes<'a, '_> {
    #[inline]
    fn push(&mut self, update: Update<'a>, windows: Mask) {
        self.waiting.push(self.totals.change(update, windows));
        if self.waiting.len() == WORTH {
            self.apply();
        }
    }
    fn apply(&mut self) {
        self.totals.add(&self.waiting, &self.floors, &mut self.risen);
        self.waiting.clear();
        for (window, id) in self.risen.drain(..) {
            if let Some(leaders) = self.leaders.get_mut(window) {
                leaders.rose(id, self.totals);
            }
        }
    }
}
