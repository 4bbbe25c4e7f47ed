//! The first places of one window, as readers get them.
//!
//! Idea: a copy of what ranks, in no order, made anew whenever an epoch changed any of it, for readers of any thread to pick their
//! own first few from. Nearly every place of a busy window changes in nearly every epoch, and nobody asks for most of them; so a
//! differential collection of them would be sorted, batched and merged for nothing.
//! Invariant: each term stands here once; none that is left out ranks before one that is here.
//! Cost: 32 bytes a place, and a term of more than sixteen bytes itself; a read looks at all places and sorts as many as it wants.

use std::cmp::Ordering;

use crate::long::Long;
use crate::rows::Term;
use crate::term::{HEAD, head, order};

/// Some terms of a window, each with its count.
#[derive(Debug, Default)]
pub struct Top {
    places: Vec<Place>,
    long: Long,
}

#[derive(Debug)]
struct Place {
    head: u128,
    n: i64,
    len: u32,
    /// Where a term longer than its head stands in `long`.
    long: u32,
}

/// A place among others.
#[derive(Clone, Copy)]
pub struct Ranked<'a> {
    place: &'a Place,
    top: &'a Top,
}

impl Top {
    /// None yet, but room for so many.
    pub fn with_room(places: usize) -> Top {
        Top { places: Vec::with_capacity(places), long: Long::default() }
    }
    /// Adds a place.
    pub fn push(&mut self, term: &[u8], n: i64) {
        let long = self.long.len() as u32;
        if term.len() > HEAD {
            self.long.push(term);
        }
        self.places.push(Place { head: head(term), n, len: term.len() as u32, long });
    }
    /// All places.
    pub fn places(&self) -> impl Iterator<Item = Ranked<'_>> {
        self.places.iter().map(|place| Ranked { place, top: self })
    }
}

impl<'a> Ranked<'a> {
    /// The count.
    pub fn n(&self) -> i64 {
        self.place.n
    }
    /// The term.
    pub fn term(&self) -> Term<'a> {
        match self.place.len as usize {
            len @ ..=HEAD => Term::Short(self.place.head.to_be_bytes(), len),
            _ => Term::Long(self.top.long.get(self.place.long as usize)),
        }
    }
    /// The order of the ranking: by count, descending, then by term.
    pub fn compare(&self, other: &Ranked<'_>) -> Ordering {
        let (one, two) = (self.place, other.place);
        two.n.cmp(&one.n).then_with(|| {
            let [one, two] = [one, two].map(|place| (place.head, place.len as usize));
            order(one, two, || self.term().cmp(&other.term()))
        })
    }
}

/// The first `k` of these, in order.
pub fn first<'a>(places: impl Iterator<Item = Ranked<'a>>, k: usize) -> Vec<Ranked<'a>> {
    let mut places: Vec<_> = places.collect();
    if places.len() > k {
        places.select_nth_unstable_by(k, Ranked::compare);
        places.truncate(k);
    }
    places.sort_unstable_by(Ranked::compare);
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// However terms tie, in their counts, their heads or at their ends, and on whichever worker they are.
        #[test]
        fn the_first_are_those_of_a_sort(
            terms in prop::collection::btree_map("[ab]{0,2}(long as a head, |the same as )?[ab]{0,2}\\x00?", 1i64..4, 0..60),
            k in 0usize..70,
        ) {
            let mut tops = [Top::with_room(3), Top::default()];
            terms.iter().enumerate().for_each(|(at, (term, n))| tops[at * 7 % 2].push(term.as_bytes(), *n));
            let found = first(tops.iter().flat_map(Top::places), k);
            let found: Vec<_> = found.iter().map(|place| (place.n(), place.term().to_vec())).collect();
            let mut expected: Vec<_> = terms.into_iter().map(|(term, n)| (n, term.into_bytes())).collect();
            expected.sort_by(|one, two| two.0.cmp(&one.0).then_with(|| one.1.cmp(&two.1)));
            expected.truncate(k);
            prop_assert_eq!(found, expected);
        }
    }
}
