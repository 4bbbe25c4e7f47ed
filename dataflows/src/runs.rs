//! A batch of the base arrangement: runs, each a body of terms in one pane and at one time.
//!
//! Idea: posts come roughly in the order of time, so most panes of two batches are different ones, and merging them is to list
//! them side by side: what is added up term by term is only what is of one pane and one time (see `merger`). A negated
//! pane is its own bodies once more, with a minus; where the two meet both go, unread.
//! Invariant: what all runs of a pane with times up to `t` add up to is what the pane holds at `t`; runs ascend by
//! pane, then by time. Counted off is only what is counted in the same or an earlier batch.
//! Cost: some 100 bytes a run.

use std::ops::{Range, RangeBounds};
use std::sync::Arc;

use differential_dataflow::trace::implementations::spine_fueled::SpineBatch;

use crate::body::Body;
use crate::merger::RunsMerger;
use crate::windows::Pane;

/// What a pane holds of one time.
#[derive(Clone)]
pub struct Run {
    /// The pane.
    pub pane: Pane,
    /// The time.
    pub time: u64,
    /// Whether it is counted off.
    pub minus: bool,
    /// The terms.
    pub body: Arc<Body>,
}

impl Run {
    /// What an occurrence in it counts for.
    pub fn sign(&self) -> i64 {
        if self.minus { -1 } else { 1 }
    }
    fn cancels(&self, other: &Run) -> bool {
        self.minus != other.minus && Arc::ptr_eq(&self.body, &other.body)
    }
}

/// Runs, in order.
pub struct Runs {
    runs: Vec<Run>,
    updates: usize,
}

impl Runs {
    /// A batch of these runs; `None` if there are none.
    pub fn new(mut runs: Vec<Run>) -> Option<Runs> {
        runs.sort_unstable_by_key(|run| (run.pane, run.time));
        let updates = runs.iter().map(|run| run.body.len()).sum();
        (!runs.is_empty()).then_some(Runs { runs, updates })
    }
    /// All of them.
    pub fn all(&self) -> &[Run] {
        &self.runs
    }
    /// Those of some panes.
    pub fn of(&self, panes: &Range<Pane>) -> &[Run] {
        let at = |pane| self.runs.partition_point(|run| run.pane < pane);
        let start = at(panes.start);
        &self.runs[start..at(panes.end).max(start)]
    }
}

/// The runs of some panes and times in all batches, but for those that cancel each other.
pub fn gather<'a>(
    batches: impl IntoIterator<Item = &'a Runs>,
    panes: &Range<Pane>,
    times: impl RangeBounds<u64>,
) -> Vec<Run> {
    let runs = batches.into_iter().flat_map(|batch| batch.of(panes));
    let mut runs: Vec<Run> = runs.filter(|run| times.contains(&run.time)).cloned().collect();
    runs.sort_by_key(|run| run.pane);
    let mut left = Vec::with_capacity(runs.len());
    runs.chunk_by(|one, two| one.pane == two.pane).for_each(|group| left.extend(cancel(group.to_vec())));
    left
}

/// Takes out pairs that add up to nothing.
pub fn cancel(mut runs: Vec<Run>) -> Vec<Run> {
    let mut at = 0;
    while at < runs.len() {
        let other =
            if runs[at].minus { runs.iter().position(|other| other.cancels(&runs[at])) } else { None };
        match other {
            Some(other) => {
                runs.swap_remove(at.max(other));
                runs.swap_remove(at.min(other));
                // What was moved here has not been looked at.
                at = at.min(other);
            }
            None => at += 1,
        }
    }
    runs
}

impl SpineBatch for Runs {
    type Time = u64;
    type Merger = RunsMerger;
    fn len(&self) -> usize {
        self.updates
    }
}
