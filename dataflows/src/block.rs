//! A block: combined updates of one epoch in columns, all for one worker.
//!
//! Idea: `(pane, term, n)` in flat arrays instead of `Vec<((Key, ()), u64, i64)>`. Nothing is allocated per
//! update, and another worker of the same process gets the arrays themselves, not a copy of each record. Panes are few,
//! so they are listed once: whoever asks something of every pane does so before it looks at any update.
//! Invariant: every update has the time `epoch` and belongs to worker `owner`; `ends` ascends to `bytes.len()`, and `places`
//! are indexes into `panes`, which may list a pane twice, or one that has no update.
//! Cost: 16 bytes and the term's bytes per update.

use std::ops::{Deref, Range};
use std::rc::Rc;

use timely::Accountable;
use timely::bytes::arc::Bytes;
use timely::communication::Push;
use timely::dataflow::channels::pact::DistributorPact;
use timely::dataflow::channels::pushers::exchange::Distributor;
use timely::dataflow::channels::{ContainerBytes, Message};
use timely::progress::Stamp;

use crate::term::{HEAD, append, head_within};
use crate::windows::Pane;
use crate::wire;

/// Updates in a block at most; keeps offsets in a `u32` and lets a large epoch flow in pieces.
pub const FULL: usize = 1 << 16;

/// Bytes of a term, for which room is made beforehand.
const TERM: usize = 10;

/// Updates `(pane, term, n)`, all of one time and for one worker.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// The time of all its updates.
    pub epoch: u64,
    /// Index of the worker that it is for.
    pub owner: u32,
    panes: Vec<Pane>,
    counts: Vec<i64>,
    places: Vec<u32>,
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

/// An update of a block.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    /// Where its pane is listed.
    pub place: u32,
    /// The head of its term.
    pub head: u128,
    /// Its term.
    pub term: &'a [u8],
    /// How many more.
    pub n: i64,
}

impl Block {
    /// A block without updates.
    pub fn new(epoch: u64, owner: u32) -> Self {
        Block { epoch, owner, ..Block::default() }
    }
    /// A block without updates, for these panes.
    pub fn of(epoch: u64, owner: u32, panes: &[Pane]) -> Self {
        Block { panes: panes.to_vec(), ..Block::new(epoch, owner) }
    }
    /// A block without updates, with room for so many, or until it is full.
    pub fn with_room(epoch: u64, owner: u32, updates: usize) -> Self {
        let updates = updates.min(FULL);
        Block {
            counts: Vec::with_capacity(updates),
            places: Vec::with_capacity(updates),
            ends: Vec::with_capacity(updates),
            bytes: Vec::with_capacity(updates * TERM + HEAD),
            ..Block::new(epoch, owner)
        }
    }
    /// Lists a pane, unless it is the last one listed, and says where.
    pub fn list(&mut self, pane: Pane) -> u32 {
        if self.panes.last() != Some(&pane) {
            self.panes.push(pane);
        }
        self.panes.len() as u32 - 1
    }
    /// Adds an update in the pane listed at `place`.
    pub fn push(&mut self, place: u32, term: &[u8], n: i64) {
        self.bytes.extend_from_slice(term);
        self.end(place, n);
    }
    /// The same of a term of `len` bytes that its head holds.
    #[inline]
    pub fn push_short(&mut self, place: u32, head: u128, len: usize, n: i64) {
        append(&mut self.bytes, head, len);
        self.end(place, n);
    }
    #[inline]
    fn end(&mut self, place: u32, n: i64) {
        debug_assert!((place as usize) < self.panes.len());
        self.counts.push(n);
        self.places.push(place);
        self.ends.push(u32::try_from(self.bytes.len()).expect("a block holds less than 4 GiB of terms"));
    }
    /// Updates of one pane that stand together, as ranges: where the pane is listed, and which. As a rule one for each pane.
    pub fn pieces(&self) -> impl Iterator<Item = (u32, Range<usize>)> {
        let mut start = 0;
        self.places.chunk_by(|one, two| one == two).map(move |together| {
            let range = start..start + together.len();
            start = range.end;
            (together[0], range)
        })
    }
    /// Adds a range of the updates of another block that lists the same panes, column by column.
    pub fn extend(&mut self, other: &Block, range: Range<usize>) {
        debug_assert_eq!(self.panes, other.panes);
        let from = if range.start == 0 { 0 } else { other.ends[range.start - 1] };
        let ends = &other.ends[range.clone()];
        let to = ends.last().copied().unwrap_or(from);
        let moved = self.bytes.len() as u32;
        self.bytes.extend_from_slice(&other.bytes[from as usize..to as usize]);
        u32::try_from(self.bytes.len()).expect("a block holds less than 4 GiB of terms");
        self.ends.extend(ends.iter().map(|end| end - from + moved));
        self.counts.extend_from_slice(&other.counts[range.clone()]);
        self.places.extend_from_slice(&other.places[range]);
    }
    /// Number of updates.
    pub fn len(&self) -> usize {
        self.counts.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
    /// Whether it should be sent and a new one begun.
    pub fn is_full(&self) -> bool {
        self.len() >= FULL
    }
    /// The panes of its updates.
    pub fn panes(&self) -> &[Pane] {
        &self.panes
    }
    /// The term of an update.
    pub fn term(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start as usize..self.ends[index] as usize]
    }
    /// How many more an update says.
    pub fn count(&self, index: usize) -> i64 {
        self.counts[index]
    }
    /// All updates.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = Update<'_>> {
        self.range(0..self.len())
    }
    /// A range of the updates.
    #[inline]
    pub fn range(&self, range: Range<usize>) -> impl ExactSizeIterator<Item = Update<'_>> {
        let mut start = if range.start == 0 { 0 } else { self.ends[range.start - 1] as usize };
        let (places, ends, counts) = (&self.places, &self.ends, &self.counts);
        let rows = places[range.clone()].iter().zip(&ends[range.clone()]).zip(&counts[range]);
        rows.map(move |((place, end), n)| {
            let (from, to) = (std::mem::replace(&mut start, *end as usize), *end as usize);
            let head = head_within(&self.bytes, from, to);
            Update { place: *place, head, term: &self.bytes[from..to], n: *n }
        })
    }
    /// Bytes of all terms together.
    pub fn term_bytes(&self) -> usize {
        self.bytes.len()
    }
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

/// Between processes: five little-endian numbers, then the columns, padded to eight bytes. Both ends are the same build.
impl ContainerBytes for Block {
    fn from_bytes(bytes: Bytes) -> Self {
        let mut rest = &bytes[..];
        let (epoch, owner) = (wire::number(&mut rest), wire::number(&mut rest) as u32);
        let [panes, len, term_bytes] = [(); 3].map(|()| wire::number(&mut rest) as usize);
        Block {
            epoch,
            owner,
            panes: wire::numbers(&mut rest, panes).map(Pane).collect(),
            counts: wire::numbers(&mut rest, len).map(|n| n as i64).collect(),
            places: wire::halves(&mut rest, len).collect(),
            ends: wire::halves(&mut rest, len).collect(),
            bytes: wire::take(&mut rest, term_bytes).to_vec(),
        }
    }
    fn length_in_bytes(&self) -> usize {
        40 + 8 * self.panes.len() + 16 * self.len() + self.bytes.len().next_multiple_of(8)
    }
    fn into_bytes<W: std::io::Write>(&self, writer: &mut W) {
        let mut out = wire::Padded::new(writer);
        out.numbers([self.epoch, u64::from(self.owner)]);
        out.numbers([self.panes.len(), self.len(), self.bytes.len()].map(|n| n as u64));
        out.numbers(self.panes.iter().map(|pane| pane.0));
        out.numbers(self.counts.iter().map(|n| *n as u64));
        out.halves(self.places.iter().copied());
        out.halves(self.ends.iter().copied());
        out.bytes(&self.bytes);
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
    use timely::bytes::arc::BytesMut;

    #[test]
    fn survives_the_wire() {
        for terms in [&["", "a", "caf\u{e9}", "longer than eight"][..], &[]] {
            let mut block = Block::new(7, 3);
            for (i, term) in terms.iter().enumerate() {
                let place = block.list(Pane(i as u64 / 2 * 1000));
                block.push(place, term.as_bytes(), -(i as i64));
            }
            let mut wire = Vec::new();
            block.into_bytes(&mut wire);
            assert_eq!(wire.len(), block.length_in_bytes());
            assert_eq!(wire.len() % 8, 0);
            assert_eq!(Block::from_bytes(BytesMut::from(wire).freeze()), block);
        }
    }

    #[test]
    fn ranges_put_together_are_the_whole() {
        let mut block = Block::of(7, 0, &[Pane(3), Pane(5)]);
        for (i, term) in ["", "a", "caf\u{e9}", "longer than eight", "b"].iter().enumerate() {
            block.push(i as u32 / 3, term.as_bytes(), 1 + i as i64);
        }
        let mut again = Block::of(7, 0, block.panes());
        [0..0, 0..2, 2..2, 2..4, 4..5].into_iter().for_each(|range| again.extend(&block, range));
        assert_eq!(again, block);
        let mut tail = Block::of(7, 0, block.panes());
        tail.extend(&block, 3..5);
        assert_eq!((tail.term(0), tail.term(1)), (block.term(3), block.term(4)));
    }
}
