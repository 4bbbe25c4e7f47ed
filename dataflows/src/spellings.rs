//! How often each term was written in which way, since the start.
//!
//! Idea: an arrangement of its own, of a term and its spelling with [`SEPARATOR`] between, all in the one pane `ALL`; the
//! spellings of a term are then a contiguous range. Nothing expires, since a display is by the commonest spelling since the start.
//! Invariant: each occurrence that was counted is one of its spelling, until the bound is met; then no more are
//! taken, and what is shown stays as it was. So nobody fills the memory by writing one term in ever new ways.
//! Cost: one update per distinct spelling and epoch, and its bytes for ever.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use differential_dataflow::operators::arrange::Arranged;
use differential_dataflow::operators::arrange::arrangement::arrange_core;
use timely::container::NoopBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;

use crate::admit::Refused;
use crate::batcher::BlockBatcher;
use crate::block::{Block, Sealed, to_owner};
use crate::panes::PanesTrace;

/// How many spellings a worker holds, and how many it may.
#[derive(Clone)]
pub struct Room {
    /// Keys in the batches of the arrangement when they were last looked at.
    pub held: Rc<Cell<usize>>,
    /// More than this are not taken.
    pub limit: usize,
    /// What was refused.
    pub refused: Rc<RefCell<Refused>>,
}

/// Stands between a term and its spelling. No UTF-8 text contains this byte, so no term is taken for the beginning of
/// another, whatever a post calls a hashtag.
pub const SEPARATOR: u8 = 0xFF;

/// Writes the key of a spelling into a buffer.
pub fn spelled(term: &[u8], spelling: &[u8], into: &mut Vec<u8>) {
    into.clear();
    into.extend_from_slice(term);
    into.push(SEPARATOR);
    into.extend_from_slice(spelling);
}

/// Arranges the keys of spellings by how often they came.
pub fn arrange_spellings<'scope>(
    updates: Stream<'scope, u64, Block>,
    room: Room,
) -> Arranged<'scope, PanesTrace> {
    let taken =
        updates.unary::<NoopBuilder<Sealed>, _, _, _>(to_owner(), "Spellings", |_capability, _info| {
            move |input, output| {
                input.for_each(|cap, block| {
                    if room.held.get() < room.limit {
                        let cap = cap.retain_least(0).expect("inputs stamp every message");
                        let mut block = std::mem::take(block).into();
                        output.session_with_builder(&cap).give_container(&mut block);
                    } else {
                        room.refused.borrow_mut().spellings += block.len() as u64;
                    }
                });
            }
        });
    arrange_core(taken, Pipeline, "Spelled", BlockBatcher::new)
}
