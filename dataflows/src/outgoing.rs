//! What has been combined, on its way into blocks for those who own it.
//!
//! Idea: an owner is said by the hash that a term has anyway. A table is read in the order of its row, once, into one open block
//! for each worker.
//! Invariant: a term goes to one worker, whoever sends it, and so do all its spellings.
//! Cost: a copy of each term and 16 bytes; room for all is made at once, as far as blocks go.

use crate::block::Block;
use crate::long::Long;
use crate::spellings::{may_be_spelled, term_of};
use crate::table::{Counted, LONG};
use crate::term::{HashKeys, head};
use crate::windows::Pane;

/// The worker that owns a term, by its tag. Takes the high bits of that, since tables take the low ones.
fn owner(tag: u32, peers: usize) -> usize {
    ((u64::from(tag) * peers as u64) >> 32) as usize
}

/// The worker that owns a term; of the key of a spelling, the one that owns the term which is spelled. So whoever has a
/// term's counts can show it too.
pub fn owner_of(keys: HashKeys, key: &[u8], peers: usize) -> usize {
    let term = term_of(key);
    owner(keys.tag(head(term), term), peers)
}

/// Blocks of one epoch that are being filled, one for each worker.
pub(crate) struct Outgoing {
    keys: HashKeys,
    epoch: u64,
    blocks: Vec<Block>,
    /// How many updates each is expected to get yet.
    left: Vec<usize>,
}

impl Outgoing {
    /// For so many updates in all. Owners are nearly even.
    pub(crate) fn new(keys: HashKeys, epoch: u64, peers: usize, updates: usize) -> Outgoing {
        let share = updates / peers + updates / peers / 16;
        let blocks = (0..peers).map(|owner| Block::with_room(epoch, owner as u32, share)).collect();
        Outgoing { keys, epoch, blocks, left: vec![share; peers] }
    }

    /// Takes the terms of a pane; `long` has those that their heads do not hold. Blocks that are full are sent.
    pub(crate) fn take(
        &mut self,
        pane: Pane,
        row: &[Counted],
        long: &Long,
        send: &mut impl FnMut(&mut Block),
    ) {
        let peers = self.blocks.len();
        for counted in row {
            let bytes = counted.head.to_be_bytes();
            let (term, short) = (counted.term(&bytes, long), counted.len < LONG);
            let owner = match peers {
                1 => 0,
                // What fits in its head and has no separator there is a term of its own, whose hash is known.
                _ if short && !may_be_spelled(counted.head) => owner(counted.tag, peers),
                _ => owner_of(self.keys, term, peers),
            };
            let into = &mut self.blocks[owner];
            let place = into.list(pane);
            match short {
                true => into.push_short(place, counted.head, term.len(), counted.n),
                false => into.push(place, term, counted.n),
            }
            if into.is_full() {
                self.left[owner] = self.left[owner].saturating_sub(into.len());
                send(into);
                *into = Block::with_room(self.epoch, owner as u32, self.left[owner]);
            }
        }
    }

    /// Sends the rest.
    pub(crate) fn finish(mut self, send: &mut impl FnMut(&mut Block)) {
        self.blocks.iter_mut().filter(|block| !block.is_empty()).for_each(send);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combine::Combine;
    use crate::spellings::spelled;

    /// Whatever a term is called and however it is spelled, its spellings are where its counts are.
    #[test]
    fn spellings_go_where_their_terms_go() {
        let (keys, mut combine, mut key) = (HashKeys::new(7), Combine::new(HashKeys::new(7)), Vec::new());
        let terms: Vec<String> = (0..400usize).map(|i| format!("{}{i}", "\u{e9}".repeat(i % 12))).collect();
        let index = combine.pane(Pane::ALL);
        for term in &terms {
            for spelling in ["A", "a rather long spelling"] {
                spelled(term.as_bytes(), spelling.as_bytes(), &mut key);
                combine.add(index, &key, 1);
            }
        }
        let mut found = 0;
        combine.drain(1, 5, |block| {
            for update in block.iter() {
                let term = term_of(update.term);
                assert!(terms.iter().any(|known| known.as_bytes() == term));
                assert_eq!(owner(keys.tag(head(term), term), 5), block.owner as usize);
                found += 1;
            }
        });
        assert_eq!(found, 2 * terms.len());
    }
}
