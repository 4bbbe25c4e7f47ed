//! What has been combined, on its way into blocks for those who own it.
//!
//! Idea: an owner is said by the hash that a term has anyway. A table is read in the order of its rows, once, into one open block
//! for each worker; a single worker gets the rows themselves.
//! Invariant: a term goes to one worker, whoever sends it, and so do all its spellings.
//! Cost: a copy of each row, where there are several workers; room for all is made at once, as far as blocks go.

use crate::block::Block;
use crate::rows::Rows;
use crate::spellings::{may_be_spelled, term_of};
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

/// Terms of a pane from which on they become a block of their own, as they are, where all are for one worker.
const WHOLE: usize = 1 << 10;

/// Blocks of one epoch that are being filled, one for each worker.
pub(crate) struct Outgoing {
    keys: HashKeys,
    epoch: u64,
    blocks: Vec<Block>,
    /// How many updates each is expected to get yet.
    left: Vec<usize>,
}

impl Outgoing {
    /// For tables with so many terms each. Owners are nearly even; a single worker gets what makes no block by itself.
    pub(crate) fn new(
        keys: HashKeys,
        epoch: u64,
        peers: usize,
        tables: impl Iterator<Item = usize>,
    ) -> Outgoing {
        let share = match peers {
            1 => tables.filter(|terms| *terms < WHOLE).sum(),
            _ => {
                let even = tables.sum::<usize>() / peers;
                even + even / 16
            }
        };
        let blocks = (0..peers).map(|owner| Block::with_room(epoch, owner as u32, share)).collect();
        Outgoing { keys, epoch, blocks, left: vec![share; peers] }
    }

    /// Takes the terms of a pane; for a single worker together with the room that they stand in, if they fill enough of it.
    /// Blocks that are full are sent.
    pub(crate) fn take(&mut self, pane: Pane, rows: &mut Rows, send: &mut impl FnMut(&mut Block)) {
        match self.blocks.len() {
            1 if rows.len() >= WHOLE => {
                let rows = if rows.is_roomy() { rows.clone() } else { std::mem::take(rows) };
                send(&mut Block::of_pane(self.epoch, 0, pane, rows));
            }
            1 if rows.len() == 0 => {}
            1 => {
                self.blocks[0].extend(pane, rows, 0..rows.len());
                self.send_if_full(0, send);
            }
            peers => {
                for row in &rows.all {
                    let update = rows.update(row);
                    let owner = match row.long() {
                        // What fits in its head and has no separator there is a term of its own, whose hash is known.
                        None if !may_be_spelled(row.head) => owner(row.tag, peers),
                        _ => owner_of(self.keys, &update.term(), peers),
                    };
                    self.blocks[owner].push(pane, update);
                    self.send_if_full(owner, send);
                }
            }
        }
    }

    #[inline]
    fn send_if_full(&mut self, owner: usize, send: &mut impl FnMut(&mut Block)) {
        let block = &mut self.blocks[owner];
        if block.is_full() {
            self.left[owner] = self.left[owner].saturating_sub(block.len());
            send(block);
            *block = Block::with_room(self.epoch, owner as u32, self.left[owner]);
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
            for (_, update) in block.iter() {
                let key = update.term();
                let term = term_of(&key);
                assert!(terms.iter().any(|known| known.as_bytes() == term));
                assert_eq!(owner(keys.tag(head(term), term), 5), block.owner as usize);
                found += 1;
            }
        });
        assert_eq!(found, 2 * terms.len());
    }
}
