//! Which row a term stands in, by its hash: the slots of a table whose rows stand elsewhere.
//!
//! Idea: open addressing with slots of eight bytes, each with the high half of a term's hash, its tag, and the row's place. What
//! a place holds is the caller's; where a slot is follows from its tag alone, so a larger index is made without any term.
//! Invariant: each place has one slot; at most half of the slots are taken where the caller grows when told.
//! Cost: a probe reads a slot and, where tags are equal, the caller's row; eight bytes a slot.

/// Where a term stands.
#[derive(Clone, Copy)]
struct Slot {
    tag: u32,
    /// Its place plus one; 0 is vacant.
    place: u32,
}

const VACANT: Slot = Slot { tag: 0, place: 0 };

/// How many slots so many terms need, as a power of two.
pub(crate) fn size_of(terms: usize) -> usize {
    (2 * terms + 1).next_power_of_two().ilog2() as usize
}

/// Slots, a power of two of them.
pub(crate) struct Index {
    slots: Vec<Slot>,
}

impl Index {
    /// With two to the power of `size` slots, all vacant.
    pub(crate) fn new(size: usize) -> Index {
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

    /// The first slot that a tag may have. The worker that owns a term takes the high bits of it.
    #[inline]
    fn first(&self, tag: u32) -> usize {
        tag as usize & (self.slots.len() - 1)
    }

    /// What stands in the first slot of a tag, if anything does.
    #[inline]
    pub(crate) fn guess(&self, tag: u32) -> usize {
        (self.slots[self.first(tag)].place as usize).saturating_sub(1)
    }

    /// The place of the term that `is` it, or the slot where it would go.
    #[inline]
    pub(crate) fn find(&self, tag: u32, is: impl Fn(usize) -> bool) -> Result<usize, usize> {
        let (mut at, mask) = (self.first(tag), self.slots.len() - 1);
        loop {
            let slot = self.slots[at];
            if slot.place == 0 {
                return Err(at);
            }
            let place = slot.place as usize - 1;
            if slot.tag == tag && is(place) {
                return Ok(place);
            }
            at = (at + 1) & mask;
        }
    }

    /// Takes the slot that `find` said for a place. Whether half of the slots are taken, as far as places ascend from 0.
    #[inline]
    pub(crate) fn put(&mut self, at: usize, tag: u32, place: usize) -> bool {
        let next = u32::try_from(place + 1).expect("less than 2^32 terms");
        self.slots[at] = Slot { tag, place: next };
        2 * (place + 1) >= self.slots.len()
    }

    /// Takes what another one has and is to be kept, each at its new place. It must have room here.
    pub(crate) fn take_over(&mut self, other: &Index, to: impl Fn(usize) -> Option<usize>) {
        let mask = self.slots.len() - 1;
        for slot in other.slots.iter().filter(|slot| slot.place != 0) {
            let Some(place) = to(slot.place as usize - 1) else { continue };
            let mut at = self.first(slot.tag);
            while self.slots[at].place != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = Slot { tag: slot.tag, place: place as u32 + 1 };
        }
    }

    /// Empties it.
    pub(crate) fn clear(&mut self) {
        self.slots.fill(VACANT);
    }
}
