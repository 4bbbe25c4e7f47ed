//! A block: combined updates of one epoch, all for one worker.
//!
//! Idea: rows as a table has them instead of `Vec<((Key, ()), u64, i64)>`. Nothing is allocated per update, and another worker
//! of the same process gets the array itself, not a copy of each record. Panes are few, so they are listed once, each with the
//! rows that are its own: whoever asks something of every pane does so before it looks at any update.
//! Invariant: every update has the time `epoch` and belongs to worker `owner`; the ends of the panes ascend to the number of
//! rows. A pane may be listed twice, or without any update.
//! Cost: 32 bytes per update, and what is longer than a head once more; between processes 16 bytes and the term's.

use std::ops::{Deref, Range};
use std::rc::Rc;

use timely::Accountable;
use timely::bytes::arc::Bytes;
use timely::communication::Push;
use timely::dataflow::channels::pact::DistributorPact;
use timely::dataflow::channels::pushers::exchange::Distributor;
use timely::dataflow::channels::{ContainerBytes, Message};
use timely::progress::Stamp;

use crate::rows::Rows;
pub use crate::rows::{Term, Update};
use crate::term::{HEAD, head_within};
use crate::windows::Pane;
use crate::wire;

/// Updates in a block at most, unless it is a whole table; lets a large epoch flow in pieces.
pub const FULL: usize = 1 << 16;

/// Updates `(pane, term, n)`, all of one time and for one worker.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// The time of all its updates.
    pub epoch: u64,
    /// Index of the worker that it is for.
    pub owner: u32,
    panes: Vec<Pane>,
    /// Where the updates of each pane end.
    ends: Vec<u32>,
    rows: Rows,
}

impl Block {
    /// A block without updates.
    pub fn new(epoch: u64, owner: u32) -> Self {
        Block { epoch, owner, ..Block::default() }
    }
    /// A block without updates, with room for so many, or until it is full.
    pub fn with_room(epoch: u64, owner: u32, updates: usize) -> Self {
        Block { rows: Rows::with_room(updates.min(FULL)), ..Block::new(epoch, owner) }
    }
    /// A block of a whole table.
    pub(crate) fn of_pane(epoch: u64, owner: u32, pane: Pane, rows: Rows) -> Self {
        Block { epoch, owner, panes: vec![pane], ends: vec![end_of(&rows)], rows }
    }
    /// Adds an update in a pane.
    #[inline]
    pub fn push(&mut self, pane: Pane, update: Update<'_>) {
        self.rows.push(update);
        self.end(pane);
    }
    /// Adds some of the rows of a table or of another block, in a pane.
    pub(crate) fn extend(&mut self, pane: Pane, rows: &Rows, range: Range<usize>) {
        self.rows.extend(rows, range);
        self.end(pane);
    }
    #[inline]
    fn end(&mut self, pane: Pane) {
        let end = end_of(&self.rows);
        match (self.panes.last(), self.ends.last_mut()) {
            (Some(last), Some(last_end)) if *last == pane => *last_end = end,
            _ => {
                self.panes.push(pane);
                self.ends.push(end);
            }
        }
    }
    /// Updates of one pane that stand together: the pane, and which they are. As a rule one range for each pane.
    pub fn pieces(&self) -> impl Iterator<Item = (Pane, Range<usize>)> {
        let mut start = 0;
        self.panes.iter().zip(&self.ends).map(move |(pane, end)| {
            let range = start..*end as usize;
            start = range.end;
            (*pane, range)
        })
    }
    /// Number of updates.
    pub fn len(&self) -> usize {
        self.rows.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Whether it should be sent and a new one begun.
    pub fn is_full(&self) -> bool {
        self.len() >= FULL
    }
    /// The panes of its updates.
    pub fn panes(&self) -> &[Pane] {
        &self.panes
    }
    /// All updates, each with its pane.
    pub fn iter(&self) -> impl Iterator<Item = (Pane, Update<'_>)> {
        self.pieces().flat_map(|(pane, range)| self.range(range).map(move |update| (pane, update)))
    }
    /// Some of the updates.
    #[inline]
    pub fn range(&self, range: Range<usize>) -> impl ExactSizeIterator<Item = Update<'_>> {
        self.rows.range(range)
    }
    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }
    /// Bytes of all terms together.
    fn term_bytes(&self) -> usize {
        self.range(0..self.len()).map(|update| update.len as usize).sum()
    }
}

fn end_of(rows: &Rows) -> u32 {
    u32::try_from(rows.len()).expect("a block holds less than 2^32 updates")
}

/// Progress tracking counts updates; the number only has to be the same at both ends.
impl Accountable for Block {
    fn record_count(&self) -> i64 {
        self.len() as i64
    }
}

/// A block to which nothing is added any more, for several readers on one worker.
#[derive(Clone, Default)]
pub struct Sealed(Rc<Block>);

impl From<Block> for Sealed {
    fn from(block: Block) -> Self {
        Sealed(Rc::new(block))
    }
}

impl Deref for Sealed {
    type Target = Block;
    fn deref(&self) -> &Block {
        &self.0
    }
}

impl Accountable for Sealed {
    fn record_count(&self) -> i64 {
        self.0.record_count()
    }
}

/// Between processes: five little-endian numbers, then columns, and the terms end to end, padded to eight bytes. Both ends are
/// the same build.
impl ContainerBytes for Block {
    fn from_bytes(bytes: Bytes) -> Self {
        let mut rest = &bytes[..];
        let (epoch, owner) = (wire::number(&mut rest), wire::number(&mut rest) as u32);
        let [panes, len, size] = [(); 3].map(|()| wire::number(&mut rest) as usize);
        let panes = wire::numbers(&mut rest, panes).map(Pane).collect::<Vec<_>>();
        let counts = wire::numbers(&mut rest, len).map(|n| n as i64);
        let ends = wire::halves(&mut rest, panes.len()).collect();
        let (lens, tags) = (wire::halves(&mut rest, len), wire::halves(&mut rest, len));
        let terms = wire::take(&mut rest, size);
        let (mut rows, mut start) = (Rows::with_room(len), 0);
        for ((n, len), tag) in counts.zip(lens).zip(tags) {
            let (from, to) = (start, start + len as usize);
            start = to;
            let long = if to - from > HEAD { &terms[from..to] } else { &[] };
            rows.push(Update { head: head_within(terms, from, to), n, tag, len, long });
        }
        Block { epoch, owner, panes, ends, rows }
    }
    fn length_in_bytes(&self) -> usize {
        let halves = 4 * self.ends.len() + 8 * self.len() + self.term_bytes();
        40 + 8 * self.panes.len() + 8 * self.len() + halves.next_multiple_of(8)
    }
    fn into_bytes<W: std::io::Write>(&self, writer: &mut W) {
        let mut out = wire::Padded::new(writer);
        out.numbers([self.epoch, u64::from(self.owner)]);
        out.numbers([self.panes.len(), self.len(), self.term_bytes()].map(|n| n as u64));
        out.numbers(self.panes.iter().map(|pane| pane.0));
        let all = || self.range(0..self.len());
        out.numbers(all().map(|update| update.n as u64));
        out.halves(self.ends.iter().copied());
        out.halves(all().map(|update| update.len));
        out.halves(all().map(|update| update.tag));
        all().for_each(|update| out.bytes(&update.term()));
        out.finish();
    }
}

/// The pact of blocks: each goes whole to its owner. The sender has already split by `hash(term)`.
pub fn to_owner() -> DistributorPact<fn(usize) -> ToOwner> {
    DistributorPact(|_peers| ToOwner)
}

/// Hands a container whole to the worker that it names.
pub struct ToOwner;

/// A container all of whose content is for one worker.
pub trait Owned {
    /// Index of that worker.
    fn owner(&self) -> usize;
}

impl Owned for Block {
    fn owner(&self) -> usize {
        self.owner as usize
    }
}

impl<C: Owned + Default> Distributor<C> for ToOwner {
    fn partition<T: Clone, P: Push<Message<T, C>>>(
        &mut self,
        content: &mut C,
        stamp: &Stamp<T>,
        pushers: &mut [P],
    ) {
        let owner = content.owner();
        Message::push_at(content, stamp.clone(), &mut pushers[owner]);
    }
    fn flush<T: Clone, P: Push<Message<T, C>>>(&mut self, _stamp: &Stamp<T>, _pushers: &mut [P]) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::HashKeys;
    use timely::bytes::arc::BytesMut;

    fn filled(terms: &[&str], pane: impl Fn(usize) -> Pane) -> Block {
        let mut block = Block::new(7, 3);
        for (i, term) in terms.iter().enumerate() {
            block.push(pane(i), Update::new(HashKeys::new(1), term.as_bytes(), 5 - i as i64));
        }
        block
    }

    #[test]
    fn survives_the_wire() {
        for terms in [&["", "a", "caf\u{e9}", "longer than sixteen", "sixteen bytes ok"][..], &[]] {
            let block = filled(terms, |i| Pane(i as u64 / 2 * 1000));
            let mut wire = Vec::new();
            block.into_bytes(&mut wire);
            assert_eq!(wire.len(), block.length_in_bytes());
            assert_eq!(wire.len() % 8, 0);
            assert_eq!(Block::from_bytes(BytesMut::from(wire).freeze()), block);
        }
    }

    #[test]
    fn ranges_put_together_are_the_whole() {
        let terms = ["", "a", "caf\u{e9}", "longer than sixteen", "b", "again a longer one"];
        let block = filled(&terms, |i| Pane(3 + i as u64 / 3));
        assert_eq!(block.pieces().collect::<Vec<_>>(), [(Pane(3), 0..3), (Pane(4), 3..6)]);
        let mut again = Block::new(7, 3);
        for (pane, range) in [(3, 0..0), (3, 0..2), (3, 2..2), (3, 2..3), (4, 3..4), (4, 4..6)] {
            again.extend(Pane(pane), block.rows(), range);
        }
        assert_eq!(again, block);
        let mut tail = Block::new(7, 3);
        tail.extend(Pane(4), block.rows(), 4..6);
        let terms: Vec<_> = tail.iter().map(|(pane, update)| (pane.0, update.term().to_vec())).collect();
        assert_eq!(terms, [(4, b"b".to_vec()), (4, b"again a longer one".to_vec())]);
    }
}
