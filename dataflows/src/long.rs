//! Terms that no head holds, whole, beside the rows that are theirs.
//!
//! Idea: end to end in the order in which they came, so that a new one is no allocation of its own.
//! Invariant: a place stays with its term until all are let go.
//! Cost: 8 bytes and the term's own each, and room for as many again.

/// Terms by the order in which they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Long {
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl Long {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Adds one.
    pub(crate) fn push(&mut self, term: &[u8]) {
        self.bytes.extend_from_slice(term);
        self.ends.push(self.bytes.len());
    }

    /// One by its place.
    #[inline]
    pub(crate) fn get(&self, place: usize) -> &[u8] {
        let from = if place == 0 { 0 } else { self.ends[place - 1] };
        &self.bytes[from..self.ends[place]]
    }

    /// Lets all go, and room that was not used this time.
    pub(crate) fn clear(&mut self) {
        self.ends.shrink_to(2 * self.ends.len());
        self.bytes.shrink_to(2 * self.bytes.len());
        self.ends.clear();
        self.bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stay_and_room_is_given_back() {
        let mut long = Long::default();
        let terms: Vec<Vec<u8>> = (0..1000).map(|n| vec![n as u8; n % 7 * 40]).collect();
        terms.iter().for_each(|term| long.push(term));
        assert_eq!(long.len(), terms.len());
        assert!(terms.iter().enumerate().all(|(place, term)| long.get(place) == term));
        long.clear();
        long.push(b"one");
        assert_eq!((long.len(), long.get(0)), (1, &b"one"[..]));
        long.clear();
        assert!(long.bytes.capacity() < 100, "what a burst took is not kept");
    }
}
