//! Rows: terms, each with how often it came, as tables are filled with them and blocks carry them.
//!
//! Idea: thirty-two bytes hold a term of up to sixteen, its count and its hash, so that nobody on the way from a table to the totals
//! has to read, hash or copy the term again, and what a table was filled with becomes a block as it is.
//! Invariant: a row of a longer term says where among its own `Rows` that one stands; no other knows what to make of it.
//! Cost: 32 bytes a term, and of a longer one what `long` says.

use std::ops::{Deref, Range};

use crate::long::Long;
use crate::term::{HEAD, HashKeys, head};

/// A term and how often it came.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Row {
    pub(crate) head: u128,
    pub(crate) n: i64,
    /// Length of the term, or [`LONG`] plus its index among longer terms, which stand elsewhere.
    pub(crate) len: u32,
    /// The high half of its hash.
    pub(crate) tag: u32,
}

/// More than the length of any term that its head holds.
const LONG: u32 = 1 << 16;

impl Row {
    /// The index of its term among longer ones, if it is one of them.
    #[inline]
    pub(crate) fn long(&self) -> Option<usize> {
        self.len.checked_sub(LONG).map(|index| index as usize)
    }
}

/// So many more (or less) of a term.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    /// The head of the term.
    pub head: u128,
    /// How many more.
    pub n: i64,
    /// The high half of its hash.
    pub tag: u32,
    /// Its length in bytes.
    pub len: u32,
    /// The term, where it is longer than its head.
    pub long: &'a [u8],
}

impl<'a> Update<'a> {
    /// `n` more of a term, hashed with the keys of all workers.
    #[inline]
    pub fn new(keys: HashKeys, term: &'a [u8], n: i64) -> Update<'a> {
        Update::with_head(keys, head(term), term, n)
    }
    /// The same where the term's head is known.
    #[inline]
    pub fn with_head(keys: HashKeys, head: u128, term: &'a [u8], n: i64) -> Update<'a> {
        let long = if term.len() > HEAD { term } else { &[] };
        let len = u32::try_from(term.len()).expect("a term is shorter than 4 GiB");
        Update { head, n, tag: keys.tag(head, term), len, long }
    }
    /// The term.
    pub fn term(&self) -> Term<'a> {
        if self.len as usize > HEAD {
            Term::Long(self.long)
        } else {
            Term::Short(self.head.to_be_bytes(), self.len as usize)
        }
    }
}

/// A term's bytes: those of its head as far as it goes, or where it stands whole.
pub enum Term<'a> {
    /// The head, and how much of it.
    Short([u8; HEAD], usize),
    /// The term.
    Long(&'a [u8]),
}

impl Deref for Term<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Term::Short(bytes, len) => &bytes[..*len],
            Term::Long(term) => term,
        }
    }
}

/// Terms, each with how often it came.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rows {
    pub(crate) all: Vec<Row>,
    long: Long,
}

impl Rows {
    /// None, but room for so many.
    pub(crate) fn with_room(rows: usize) -> Rows {
        Rows { all: Vec::with_capacity(rows), long: Long::default() }
    }
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
    /// Whether they fill less than a quarter of their room, so that they had better be copied to be kept for long.
    pub(crate) fn is_roomy(&self) -> bool {
        4 * self.len() < self.all.capacity()
    }
    /// A longer term by its index.
    #[inline]
    pub(crate) fn long(&self, index: usize) -> &[u8] {
        self.long.get(index)
    }
    /// Adds an update as a row of its own.
    #[inline]
    pub(crate) fn push(&mut self, update: Update<'_>) {
        let row = self.row(update);
        self.all.push(row);
    }
    /// Lets a row that nobody wants any more stand for an update.
    pub(crate) fn put(&mut self, place: usize, update: Update<'_>) {
        self.all[place] = self.row(update);
    }
    #[inline]
    fn row(&mut self, Update { head, n, tag, len, long }: Update<'_>) -> Row {
        let len = if len as usize > HEAD { self.keep(long) } else { len };
        Row { head, n, len, tag }
    }
    /// Keeps a longer term, and gives what stands for its length.
    fn keep(&mut self, term: &[u8]) -> u32 {
        let index = u32::try_from(self.long.len()).ok().and_then(|index| index.checked_add(LONG));
        self.long.push(term);
        index.expect("less than 2^32 long terms together")
    }
    /// Adds some of another's.
    pub(crate) fn extend(&mut self, other: &Rows, range: Range<usize>) {
        if other.long.len() == 0 {
            return self.all.extend_from_slice(&other.all[range]);
        }
        self.all.reserve(range.len());
        for row in &other.all[range] {
            let len = row.long().map_or(row.len, |index| self.keep(other.long(index)));
            self.all.push(Row { len, ..*row });
        }
    }
    /// Takes all of another's, having none itself: longer terms stay where they are.
    pub(crate) fn take_over(&mut self, other: &mut Rows) {
        debug_assert_eq!(self.len(), 0);
        self.all.extend_from_slice(&other.all);
        self.long = std::mem::take(&mut other.long);
        other.all.clear();
    }
    /// What a row says.
    #[inline]
    pub(crate) fn update(&self, row: &Row) -> Update<'_> {
        let Row { head, n, len, tag } = *row;
        match row.long() {
            None => Update { head, n, tag, len, long: &[] },
            Some(index) => {
                let long = self.long(index);
                Update { head, n, tag, len: long.len() as u32, long }
            }
        }
    }
    /// Some of the updates.
    #[inline]
    pub(crate) fn range(&self, range: Range<usize>) -> impl ExactSizeIterator<Item = Update<'_>> {
        self.all[range].iter().map(|row| self.update(row))
    }
    /// Lets all go, but not the room.
    pub(crate) fn clear(&mut self) {
        self.all.clear();
        self.long.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_the_same_wherever_it_is_taken() {
        let keys = HashKeys::new(7);
        let terms =
            ["", "a", "sixteen bytes ok", "more than sixteen bytes", "caf\u{e9}", "another that is long"];
        let mut rows = Rows::default();
        terms.iter().zip(1..).for_each(|(term, n)| rows.push(Update::new(keys, term.as_bytes(), n)));
        let said = |rows: &Rows| -> Vec<_> {
            let all = rows.range(0..rows.len());
            all.map(|update| (update.term().to_vec(), update.n, update.tag)).collect()
        };
        let all = said(&rows);
        assert!(all.iter().zip(terms).all(|((term, ..), own)| *term == own.as_bytes()));
        let mut taken = Rows::default();
        [3..6, 0..0, 0..3, 5..6].into_iter().for_each(|range| taken.extend(&rows, range));
        assert_eq!(said(&taken), [&all[3..6], &all[0..3], &all[5..6]].concat());
        rows.clear();
        rows.push(Update::new(keys, terms[3].as_bytes(), 9));
        assert_eq!(said(&rows)[0].0, terms[3].as_bytes());
    }
}
