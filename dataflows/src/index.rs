//! Which row a term stands in, by its hash: the slots of a table whose rows stand elsewhere.
//!
//! Idea: open addressing with slots of four bytes, so that a near cache holds many. Where a slot stands says the low bits of
//! a term's tag, as far as nothing stood there before; the slot has the other bits, and in place of the low ones the row's
//! number, which needs no more bits since there are more slots than rows. What a row holds is the caller's.
//! Invariant: each row has one slot; at most half of the slots are taken where the caller grows when told.
//! Cost: a probe reads a slot and, where the bits are equal, the caller's row. A larger index asks for the tag of each row.

use crate::ahead::fetch;

/// Nothing stands here.
const VACANT: u32 = 0;

/// How many slots so many terms need, as a power of two.
pub(crate) fn size_of(terms: usize) -> usize {
    (2 * terms + 1).next_power_of_two().ilog2() as usize
}

/// Slots, a power of two of them.
pub(crate) struct Index {
    /// The high bits of a tag above a place plus one.
    slots: Vec<u32>,
}

impl Index {
    /// With two to the power of `size` slots, all vacant.
    pub(crate) fn new(size: usize) -> Index {
        assert!(size <= 32, "less than 2^31 terms in a table");
        Index { slots: vec![VACANT; 1 << size] }
    }

    /// With room for so many terms before it should grow, and at least two to the power of `smallest` slots.
    pub(crate) fn with_room(terms: usize, smallest: usize) -> Index {
        Index::new(size_of(terms).max(smallest))
    }

    /// The power of two that is the number of slots.
    pub(crate) fn size(&self) -> usize {
        self.slots.len().ilog2() as usize
    }

    /// Of a tag the bits that say where a slot stands, of a slot those that say where a row does.
    #[inline]
    fn low(&self) -> u32 {
        (self.slots.len() - 1) as u32
    }

    /// Asks for the first slot of a tag.
    #[inline]
    pub(crate) fn fetch(&self, tag: u32) {
        fetch(&self.slots, (tag & self.low()) as usize);
    }

    /// The slots themselves, for whoever looks many tags up at once.
    #[inline(always)]
    pub(crate) fn slots(&mut self) -> Slots<'_> {
        Slots { low: self.low(), slots: &mut self.slots }
    }

    /// The place that a tag most likely stands for; any where it stands for none.
    #[inline(always)]
    pub(crate) fn guess(&self, tag: u32) -> usize {
        let low = self.low();
        guess(&self.slots, low, likely(&self.slots, low, tag))
    }

    /// The place of the term that `is` it, or the slot where it would go.
    #[inline(always)]
    pub(crate) fn find(&self, tag: u32, is: impl Fn(usize) -> bool) -> Result<usize, usize> {
        find(&self.slots, self.low(), tag, is)
    }

    /// Takes the slot that `find` said for a place. Whether half of the slots are taken, as far as places ascend from 0.
    #[inline]
    pub(crate) fn put(&mut self, at: usize, tag: u32, place: usize) -> bool {
        debug_assert!(place < self.slots.len() / 2);
        self.slots().put(at, tag, place);
        2 * (place + 1) >= self.slots.len()
    }

    /// Takes the rows with these tags, which stand at the places from 0 on. It must be empty and have room for them.
    pub(crate) fn fill(&mut self, tags: impl Iterator<Item = u32>) {
        for (place, tag) in tags.enumerate() {
            let vacant = self.find(tag, |_| false).unwrap_or_else(|vacant| vacant);
            self.put(vacant, tag, place);
        }
    }

    /// Empties it.
    pub(crate) fn clear(&mut self) {
        self.slots.fill(VACANT);
    }
}

/// The slot in which a tag most likely stands, or would: its first, or the one behind that where the first is another's. No
/// branch, since which of the two it is nobody can guess.
#[inline(always)]
fn likely(slots: &[u32], low: u32, tag: u32) -> usize {
    let first = slots[(tag & low) as usize];
    let is_others = (first != VACANT) & ((first ^ tag) & !low != 0);
    (tag.wrapping_add(u32::from(is_others)) & low) as usize
}

/// The place that a slot stands for; any where it is vacant.
#[inline(always)]
fn guess(slots: &[u32], low: u32, at: usize) -> usize {
    (slots[at] & low).saturating_sub(1) as usize
}

/// As [`Index::find`].
#[inline(always)]
fn find(slots: &[u32], low: u32, tag: u32, is: impl Fn(usize) -> bool) -> Result<usize, usize> {
    let mut at = tag & low;
    loop {
        let slot = slots[at as usize];
        if slot == VACANT {
            return Err(at as usize);
        }
        let place = (slot & low) as usize - 1;
        if slot & !low == tag & !low && is(place) {
            return Ok(place);
        }
        at = at.wrapping_add(1) & low;
    }
}

/// The slots of an index, held so that the compiler knows that nothing else moves them.
pub(crate) struct Slots<'a> {
    slots: &'a mut [u32],
    low: u32,
}

impl Slots<'_> {
    /// The slot in which a tag most likely stands, or would.
    #[inline(always)]
    pub(crate) fn likely(&self, tag: u32) -> usize {
        likely(self.slots, self.low, tag)
    }

    /// The place that a slot stands for; `usize::MAX` where it is vacant.
    #[inline(always)]
    pub(crate) fn place(&self, at: usize) -> usize {
        ((self.slots[at] & self.low) as usize).wrapping_sub(1)
    }

    /// The place that a slot stands for; any where it is vacant.
    #[inline(always)]
    pub(crate) fn guess(&self, at: usize) -> usize {
        guess(self.slots, self.low, at)
    }

    /// Asks for the first slot of a tag.
    #[inline(always)]
    pub(crate) fn fetch(&self, tag: u32) {
        fetch(self.slots, (tag & self.low) as usize);
    }

    /// Lets a slot stand for the place of a tag's row.
    #[inline(always)]
    pub(crate) fn put(&mut self, at: usize, tag: u32, place: usize) {
        self.slots[at] = tag & !self.low | (place + 1) as u32;
    }

    /// As [`Index::find`].
    #[inline(always)]
    pub(crate) fn find(&self, tag: u32, is: impl Fn(usize) -> bool) -> Result<usize, usize> {
        find(self.slots, self.low, tag, is)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows are found by their tags whatever bits of these are alike, before and after the index has grown.
    #[test]
    fn rows_are_found_by_their_tags() {
        let alike = [0u32, 0xFFFF_FFFF, 0x8000_0000, 7, 0x0001_0007];
        let tags: Vec<u32> =
            alike.into_iter().cycle().zip(0..3000).map(|(tag, n)| tag ^ n << (n % 20)).collect();
        let mut index = Index::new(3);
        let mut rows: Vec<(u32, usize)> = Vec::new();
        for (number, tag) in tags.into_iter().enumerate() {
            let vacant = index.find(tag, |place| rows[place] == (tag, number)).expect_err("it is new");
            rows.push((tag, number));
            if index.put(vacant, tag, number) {
                index = Index::new(index.size() + 1);
                index.fill(rows.iter().map(|(tag, _)| *tag));
            }
        }
        for (place, row) in rows.iter().enumerate() {
            assert_eq!(index.find(row.0, |place| rows[place] == *row), Ok(place));
        }
        index.clear();
        assert!(rows.iter().all(|(tag, _)| index.find(*tag, |_| true).is_err()));
    }
}
