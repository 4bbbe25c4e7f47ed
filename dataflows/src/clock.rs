//! The clock: one value per epoch for the whole cluster.
//!
//! Idea: every worker tells all others what it knows at an epoch (its newest event time, whether it is behind, what the
//! wall clock says), and each works out the same clock. Operators hear of it only when it enters another pane.
//! Invariant: the clock never goes back, is the same on all workers, and `at(epoch)` is final once the stream's
//! frontier is beyond `epoch`.
//! Cost: a few facts per worker and epoch, each sent to every worker; one queue entry per change not yet reached.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::operators::vec::Broadcast;

/// What a worker knows at an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    /// The newest event time among the posts of the epoch, in milliseconds.
    Newest(u64),
    /// One of its partitions is not caught up, or cannot be reached.
    Behind,
    /// The wall clock, in milliseconds. One worker tells it; without it the clock follows the posts alone.
    Wall(u64),
    /// Where an earlier run stood whose counts this one goes on from. One worker tells it.
    Resumed(Standing),
}

/// All that the clock is worked out from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The newest event time of all posts, in milliseconds.
    pub newest: Option<u64>,
    /// The clock; `None` before the first post, and before the wall clock is trusted.
    pub clock: Option<u64>,
}

/// Where the clock stood at each epoch at which that changed, as one worker's publisher reads it.
pub type History = Rc<RefCell<VecDeque<(u64, Standing)>>>;

/// The latest clock that a worker knows of: that of no later epoch is before it.
pub type Reached = Rc<Cell<u64>>;

/// Works the clock out of all workers' facts. The stream says what it is whenever it has passed into another pane of
/// `slide` milliseconds; `history` says what it is at each epoch that had facts, `reached` what it is at the last of them.
pub fn clock<'scope>(
    facts: Stream<'scope, u64, Vec<Fact>>,
    slide: u64,
    history: History,
    reached: Reached,
) -> Stream<'scope, u64, Vec<u64>> {
    let mut builder = OperatorBuilder::new("Clock".to_owned(), facts.scope());
    let mut facts = builder.new_input(facts.broadcast(), Pipeline);
    let (output, ticks) = builder.new_output();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<u64>>>::from(output);

    builder.build(move |_capabilities| {
        let mut waiting = BTreeMap::<u64, (Capability<u64>, Vec<Fact>)>::new();
        let mut standing = Standing::default();
        move |frontiers| {
            facts.for_each(|cap, facts| {
                let cap = cap.retain_least(0).expect("inputs stamp every message");
                waiting.entry(*cap.time()).or_insert_with(|| (cap, Vec::new())).1.append(facts);
            });
            while let Some(entry) =
                waiting.first_entry().filter(|entry| !frontiers[0].less_equal(entry.key()))
            {
                let (epoch, (cap, facts)) = entry.remove_entry();
                let before = standing;
                standing.hear(&facts);
                if standing == before {
                    continue;
                }
                history.borrow_mut().push_back((epoch, standing));
                let (was, now) = (before.clock, standing.clock);
                reached.set(reached.get().max(now.unwrap_or(0)));
                if let Some(now) = now.filter(|now| was.is_none_or(|was| was / slide != now / slide)) {
                    output.activate().session_with_builder(&cap).give(now);
                }
            }
        }
    });
    ticks
}

impl Standing {
    /// Moves on by the facts of an epoch; returns the clock.
    fn hear(&mut self, facts: &[Fact]) -> Option<u64> {
        let (mut wall, mut behind) = (None, false);
        for fact in facts {
            match fact {
                Fact::Newest(time) => self.newest = self.newest.max(Some(*time)),
                Fact::Behind => behind = true,
                Fact::Wall(time) => wall = wall.max(Some(*time)),
                Fact::Resumed(was) => {
                    self.newest = self.newest.max(was.newest);
                    self.clock = self.clock.max(was.clock);
                }
            }
        }
        let clock = match wall {
            None => self.newest,
            Some(wall) if behind => self.newest.map(|newest| newest.min(wall)),
            Some(wall) => Some(wall),
        };
        self.clock = self.clock.max(clock);
        self.clock
    }
}

/// The clock as an operator hears it, asked for in the order of epochs; it stands at 0 before the first change.
#[derive(Default)]
pub struct Heard {
    now: u64,
    changes: VecDeque<(u64, u64)>,
}

impl Heard {
    /// Takes note of a change.
    pub fn hear(&mut self, epoch: u64, clock: u64) {
        debug_assert!(self.changes.back().is_none_or(|(last, _)| *last <= epoch));
        self.changes.push_back((epoch, clock));
    }
    /// The clock at `epoch`. Epochs asked for must not descend: earlier changes are forgotten.
    pub fn at(&mut self, epoch: u64) -> u64 {
        while let Some((_, clock)) = self.changes.pop_front_if(|(at, _)| *at <= epoch) {
            self.now = self.now.max(clock);
        }
        self.now
    }
    /// The clock as last asked for.
    pub fn now(&self) -> u64 {
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::Fact::{Behind, Newest, Resumed, Wall};
    use super::Standing;

    #[test]
    fn wall_clock_only_when_caught_up() {
        let mut state = Standing::default();
        assert_eq!(state.hear(&[Wall(1000), Behind]), None);
        assert_eq!(state.hear(&[Newest(300), Newest(200), Behind, Wall(1100)]), Some(300));
        assert_eq!(state.hear(&[Newest(9999), Behind, Wall(1200)]), Some(1200));
        assert_eq!(state.hear(&[Wall(1300)]), Some(1300));
        assert_eq!(state.hear(&[Behind, Wall(1250)]), Some(1300), "never back");
    }

    #[test]
    fn goes_on_where_an_earlier_run_stood() {
        let mut state = Standing::default();
        let was = Standing { newest: Some(900), clock: Some(500) };
        assert_eq!(
            state.hear(&[Resumed(was), Behind, Wall(600)]),
            Some(600),
            "newest, but not ahead of the wall"
        );
        let mut state = Standing::default();
        assert_eq!(
            state.hear(&[Resumed(Standing { newest: Some(300), ..was }), Behind, Wall(600)]),
            Some(500)
        );
    }

    #[test]
    fn without_a_wall_clock_the_newest_post_decides() {
        let mut state = Standing::default();
        assert_eq!(state.hear(&[Newest(500), Behind]), Some(500));
        assert_eq!(state.hear(&[Newest(400)]), Some(500));
        assert_eq!(state.hear(&[]), Some(500));
    }
}
