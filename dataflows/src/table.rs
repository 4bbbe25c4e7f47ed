//! Terms of one pane and how often each came: a table that is cheap to fill, to empty and to make larger.
//!
//! Idea: terms stand in a row, in the order in which they first came, so the common ones stand together; slots of eight bytes
//! say where. A term of up to sixteen bytes is wholly in its place of the row. Emptying a table is reading the row, and the
//! half of each hash that is kept says which worker a term goes to, and where its slot is in a larger table, without
//! the term.
//! Invariant: at most half of the slots are taken; a row stays with its slots, whose number says how long it may become.
//! Cost: a probe reads a slot and a place; 48 to 96 bytes per term, 200 bytes a table at least.

use crate::term::HEAD;

/// Slots of the smallest table, as a power of two: there may be many panes with a few late posts each.
pub(crate) const SMALLEST: usize = 3;

/// Where a term stands.
#[derive(Clone, Copy)]
struct Slot {
    tag: u32,
    /// Its place in the row plus one; 0 is vacant.
    place: u32,
}

const VACANT: Slot = Slot { tag: 0, place: 0 };

/// A term and how often it came.
#[derive(Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) head: u128,
    pub(crate) n: i64,
    /// Length of the term, or [`LONG`] plus its index among longer terms, which stand elsewhere.
    pub(crate) len: u32,
    /// The high half of its hash.
    pub(crate) tag: u32,
}

/// More than the length of any term that its head holds.
pub(crate) const LONG: u32 = 1 << 16;

impl Counted {
    /// Its bytes; `bytes` are those of its head.
    pub(crate) fn term<'a>(&self, bytes: &'a [u8; HEAD], long: &'a [Box<[u8]>]) -> &'a [u8] {
        if self.len < LONG { &bytes[..self.len as usize] } else { &long[(self.len - LONG) as usize] }
    }
}

/// The terms of one pane.
pub(crate) struct Table {
    slots: Vec<Slot>,
    pub(crate) row: Vec<Counted>,
}

impl Table {
    fn new(size: usize) -> Table {
        Table { slots: vec![VACANT; 1 << size], row: Vec::new() }
    }

    /// The power of two that is the number of its slots.
    pub(crate) fn size(&self) -> usize {
        self.slots.len().ilog2() as usize
    }

    /// Where the slot of a tag is to be looked for first. The worker that owns a term takes the high bits of it.
    fn first(&self, tag: u32) -> usize {
        tag as usize & (self.slots.len() - 1)
    }

    /// The place of the term that `is` it, or the slot where it would go.
    #[inline]
    pub(crate) fn find(&self, tag: u32, is: impl Fn(&Counted) -> bool) -> Result<usize, usize> {
        let (mut at, mask) = (self.first(tag), self.slots.len() - 1);
        loop {
            let slot = self.slots[at];
            if slot.place == 0 {
                return Err(at);
            }
            let place = slot.place as usize - 1;
            if slot.tag == tag && is(&self.row[place]) {
                return Ok(place);
            }
            at = (at + 1) & mask;
        }
    }

    /// Puts a new term where `find` said. Whether the table is full now, and must be taken over by a larger one.
    #[inline]
    pub(crate) fn put(&mut self, at: usize, counted: Counted) -> bool {
        self.row.push(counted);
        let place = u32::try_from(self.row.len()).expect("less than 2^32 terms in a pane");
        self.slots[at] = Slot { tag: counted.tag, place };
        2 * self.row.len() >= self.slots.len()
    }

    /// Takes the terms of a smaller table, which is empty afterwards. Its row stays with it: else every small table would come
    /// by the room of a large one in the end.
    pub(crate) fn take_over(&mut self, smaller: &mut Table) {
        self.row.append(&mut smaller.row);
        smaller.clear();
        let mask = self.slots.len() - 1;
        for (counted, place) in self.row.iter().zip(1..) {
            let mut at = self.first(counted.tag);
            while self.slots[at].place != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = Slot { tag: counted.tag, place };
        }
    }

    /// Empties it.
    pub(crate) fn clear(&mut self) {
        self.slots.fill(VACANT);
        self.row.clear();
    }
}

/// The size of a table that has room for so many terms, as a power of two.
pub(crate) fn size_of(terms: usize) -> usize {
    ((2 * terms + 1).next_power_of_two().ilog2() as usize).max(SMALLEST)
}

/// Empty tables, by their sizes. What an epoch has no use for is let go at its end: posts that come after a burst give its
/// memory back.
#[derive(Default)]
pub(crate) struct Pool {
    /// Of the epoch before.
    spare: Vec<Vec<Table>>,
    /// Of this epoch.
    given: Vec<Vec<Table>>,
}

impl Pool {
    /// An empty table of this size.
    pub(crate) fn take(&mut self, size: usize) -> Table {
        let mut lists = [&mut self.given, &mut self.spare].into_iter();
        let kept = lists.find_map(|list| list.get_mut(size).and_then(Vec::pop));
        kept.unwrap_or_else(|| Table::new(size))
    }

    /// Takes an empty table back.
    pub(crate) fn give(&mut self, table: Table) {
        let size = table.size();
        if self.given.len() <= size {
            self.given.resize_with(size + 1, Vec::new);
        }
        self.given[size].push(table);
    }

    /// Lets go of what was not taken.
    pub(crate) fn end_epoch(&mut self) {
        self.spare = std::mem::take(&mut self.given);
    }

    /// Terms for which what is kept has room.
    #[cfg(test)]
    pub(crate) fn room(&self) -> usize {
        self.spare.iter().chain(&self.given).flatten().map(|table| table.row.capacity()).sum()
    }
}
