//! Which panes were changed at which epoch.
//!
//! Idea: whoever keeps a copy of the panes copies only those that have changed since. Blocks list their panes and runs
//! have one each, so it is enough to look at that as they go by.
//! Invariant: every pane whose counts changed at an epoch is noted at it; one that is noted need not have changed.
//! Cost: a few insertions into a set a block.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use timely::Container;
use timely::container::NoopBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;

use crate::windows::Pane;

/// The panes changed at each epoch not yet asked for, as one worker's publisher reads them.
pub type TouchedHistory = Rc<RefCell<BTreeMap<u64, BTreeSet<Pane>>>>;

/// Passes updates on and notes the panes that `list` adds for them.
pub fn note<'scope, C: Container>(
    updates: Stream<'scope, u64, C>,
    history: TouchedHistory,
    list: impl Fn(&C, &mut BTreeSet<Pane>) + 'static,
) -> Stream<'scope, u64, C> {
    updates.unary::<NoopBuilder<C>, _, _, _>(Pipeline, "Touched", |_capability, _info| {
        move |input, output| {
            input.for_each(|cap, updates| {
                let cap = cap.retain_least(0).expect("inputs stamp every message");
                list(updates, history.borrow_mut().entry(*cap.time()).or_default());
                output.session_with_builder(&cap).give_container(updates);
            });
        }
    })
}

/// Takes out what was changed up to `epoch`.
pub fn take(history: &TouchedHistory, epoch: u64) -> BTreeSet<Pane> {
    let mut history = history.borrow_mut();
    let later = history.split_off(&(epoch + 1));
    std::mem::replace(&mut *history, later).into_values().flatten().collect()
}
