//! How often each term was written in which way, since the start.
//!
//! Idea: an arrangement of its own, of a term and its spelling with [`SEPARATOR`] between, all in the one pane `ALL`; the
//! spellings of a term are then a contiguous range. They are sent to the worker that owns the term, so that a ranking is
//! read in one step where the counts are, however many processes there are. Nothing expires, since a display is by the
//! commonest spelling since the start.
//! Invariant: each occurrence that was counted is one of its spelling, until a bound is met, that of all spellings or that of
//! one term's; then no more are taken, and what is shown stays as it was. So nobody fills the memory by writing one term in ever
//! new ways, nor holds up who reads it.
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
use crate::batcher::RunsBatcher;
use crate::block::{Block, Sealed, to_owner};
use crate::census::Census;
use crate::panes::PanesTrace;
use crate::term::HashKeys;
use crate::touched::{TouchedHistory, note};

/// How many spellings a worker holds, and how many it may.
#[derive(Clone)]
pub struct Room {
    /// Records in the batches of the arrangement when they were last looked at.
    pub held: Rc<Cell<usize>>,
    /// More than this are not taken.
    pub limit: usize,
    /// Whether the first epoch is what an earlier run kept: there is room for that.
    pub restored: Rc<Cell<bool>>,
    /// What was refused.
    pub refused: Rc<RefCell<Refused>>,
}

/// Spellings that a worker may hold however few terms it may: they are small.
pub const FEW: usize = 1 << 12;

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

/// The term that a key spells; a term is its own.
pub fn term_of(key: &[u8]) -> &[u8] {
    key.iter().position(|byte| *byte == SEPARATOR).map_or(key, |at| &key[..at])
}

/// Whether one of the bytes of a head is [`SEPARATOR`].
#[inline]
pub fn may_be_spelled(head: u128) -> bool {
    const ONES: u128 = u128::MAX / 0xFF;
    // The usual test for a byte that is zero, of the complement.
    (!head).wrapping_sub(ONES) & head & (ONES << 7) != 0
}

/// Arranges the keys of spellings by how often they came.
pub fn arrange_spellings<'scope>(
    updates: Stream<'scope, u64, Block>,
    room: Room,
    keys: HashKeys,
    touched: TouchedHistory,
) -> Arranged<'scope, PanesTrace> {
    let taken =
        updates.unary::<NoopBuilder<Sealed>, _, _, _>(to_owner(), "Spellings", |_capability, _info| {
            let mut census = Census::new(keys);
            move |input, output| {
                input.for_each(|cap, block| {
                    let cap = cap.retain_least(0).expect("inputs stamp every message");
                    let mut block = std::mem::take(block);
                    let is_kept = *cap.time() == 0 && room.restored.get();
                    if !is_kept && room.held.get() >= room.limit {
                        room.refused.borrow_mut().spellings += block.len() as u64;
                        return;
                    }
                    census.note(&block);
                    if !is_kept && let Some((kept, refused)) = census.without_full(&block) {
                        room.refused.borrow_mut().spellings += refused;
                        block = kept;
                    }
                    output.session_with_builder(&cap).give_container(&mut block.into());
                });
            }
        });
    let noted = note(taken, touched, |block: &Sealed, panes| panes.extend(block.panes()));
    arrange_core(noted, Pipeline, "Spelled", RunsBatcher::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::head;

    #[test]
    fn a_separator_is_seen_wherever_it_stands() {
        for term in ["", "a", "\u{7f}\u{10ffff}", "sixteen bytes ok", "\u{fe}\u{ff}\u{1f9e2}"] {
            assert!(!may_be_spelled(head(term.as_bytes())), "{term}");
            assert_eq!(term_of(term.as_bytes()), term.as_bytes());
            let mut key = Vec::new();
            spelled(term.as_bytes(), b"Term", &mut key);
            assert_eq!(may_be_spelled(head(&key)), term.len() < 16, "{term}");
            assert_eq!(term_of(&key), term.as_bytes());
        }
    }
}
