//! Terms of one pane, ascending, each with its count: what a batch of the base arrangement is made of.
//!
//! Idea: a record is its count, as LEB128 has it (seven bits a byte, the lowest first), and the term's bytes; records stand
//! end to end. A body does not know its pane nor its time, so a pane moves to another tier by a new label on the same
//! body, and is negated by the same body with another sign.
//! Invariant: terms ascend by their bytes (which is code point order), none stands twice, and every count is positive.
//! Cost: four bytes, the count's own, one as a rule, and the term's; two allocations and 48 bytes a body.

use std::cmp::Ordering;
use std::hint::select_unpredictable;

use crate::term::{HEAD, append, head, head_within};

/// Bytes behind the last record, so that as many can be read wherever a term begins.
const PADDING: usize = HEAD;

/// No body becomes larger than this by more than one record: ends are `u32`. Tests have no time for large ones.
pub const FULL: usize = if cfg!(test) { 1 << 19 } else { 1 << 31 };

/// Terms, each with its count.
pub struct Body {
    ends: Box<[u32]>,
    bytes: Box<[u8]>,
}

/// A record in a body.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    /// Its count.
    pub n: u64,
    /// The head of its term.
    pub head: u128,
    /// The term and, of one in a body, what follows.
    from: &'a [u8],
    len: usize,
}

impl<'a> Record<'a> {
    /// Its term.
    #[inline]
    pub fn term(&self) -> &'a [u8] {
        &self.from[..self.len]
    }

    /// Whether its term is not after the other's, and whether it is not before it: two answers that can be used as numbers,
    /// since no processor can guess which of two terms comes first.
    #[inline]
    fn is_le_ge(&self, other: &Record<'_>) -> [bool; 2] {
        // Where a head holds one of them whole, the other begins with it.
        let (one, two) = ((self.head, self.len), (other.head, other.len));
        let (mut le, mut ge) = (one <= two, one >= two);
        if self.head == other.head && self.len.min(other.len) > HEAD {
            let order = self.term().cmp(other.term());
            (le, ge) = (order.is_le(), order.is_ge());
        }
        [le, ge]
    }

    /// The order of two terms.
    #[inline]
    pub(crate) fn compare(&self, other: &Record<'_>) -> Ordering {
        let [le, ge] = self.is_le_ge(other);
        ge.cmp(&le)
    }
}

impl Body {
    /// Number of terms.
    pub fn len(&self) -> usize {
        self.ends.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
    /// Bytes of all records.
    pub fn size(&self) -> usize {
        self.bytes.len() - PADDING
    }
    /// Where `term` stands, or would stand.
    pub fn seek(&self, term: &[u8]) -> usize {
        let sought = Record { n: 0, head: head(term), from: term, len: term.len() };
        let (mut lower, mut upper) = (0, self.len());
        while lower < upper {
            let middle = lower + (upper - lower) / 2;
            if self.get(middle).compare(&sought).is_lt() { lower = middle + 1 } else { upper = middle }
        }
        lower
    }
    /// A record by its index.
    #[inline(always)]
    pub fn get(&self, index: usize) -> Record<'_> {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        self.read(start as usize, self.ends[index] as usize)
    }
    /// The same; `None` behind the last.
    #[inline(always)]
    pub fn at(&self, index: usize) -> Option<Record<'_>> {
        (index < self.len()).then(|| self.get(index))
    }
    /// All records in order.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let record = self.read(start, *end as usize);
            start = *end as usize;
            record
        })
    }
    #[inline(always)]
    fn read(&self, start: usize, end: usize) -> Record<'_> {
        let record = &self.bytes[start..];
        let (mut n, mut at) = (u64::from(record[0]), 1);
        if n >= 0x80 {
            (n, at) = long_count(record);
        }
        let (from, len) = (&record[at..], end - start - at);
        Record { n, head: head_within(from, 0, len), from, len }
    }
}

/// A count of more than one byte, and how many it takes.
#[cold]
fn long_count(record: &[u8]) -> (u64, usize) {
    let (mut n, mut at) = (0, 0);
    loop {
        n |= u64::from(record[at] & 0x7F) << (7 * at);
        at += 1;
        if record[at - 1] < 0x80 {
            return (n, at);
        }
    }
}

/// A body whose records take more bytes than this is not copied out of the room that it was made in.
const LARGE: usize = if cfg!(test) { 1 << 12 } else { 1 << 20 };

/// Makes bodies, one after another, in the same room unless they are large.
#[derive(Default)]
pub struct Builder {
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

impl Builder {
    /// Adds a term that comes after all others, and its count, which is not 0.
    #[inline]
    pub fn push(&mut self, term: &[u8], n: u64) {
        self.count(n);
        self.bytes.extend_from_slice(term);
        self.end();
    }
    /// The same of a term of `len` bytes that its head holds.
    #[inline]
    pub fn push_short(&mut self, head: u128, len: usize, n: u64) {
        self.count(n);
        append(&mut self.bytes, head, len);
        self.end();
    }
    #[inline]
    fn count(&mut self, n: u64) {
        let mut rest = n;
        while rest >= 0x80 {
            self.bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.bytes.push(rest as u8);
    }
    /// The same of a term of `len` bytes, which others follow. As many bytes as a head has are copied at a time, which takes no
    /// call, and what is too much is taken off again.
    #[inline(always)]
    fn push_from(&mut self, from: &[u8], len: usize, n: u64) {
        self.count(n);
        let (end, mut rest) = (self.bytes.len() + len, from);
        while let Some((next, more)) = rest.split_first_chunk::<HEAD>() {
            self.bytes.extend_from_slice(next);
            rest = more;
            if self.bytes.len() >= end {
                break;
            }
        }
        debug_assert!(self.bytes.len() >= end, "as much follows a term as a head has");
        self.bytes.truncate(end);
        self.end();
    }
    #[inline]
    fn end(&mut self) {
        self.ends.push(u32::try_from(self.bytes.len()).expect("a body holds less than 4 GiB"));
    }
    /// Makes room for so many terms, whose records take so many bytes.
    pub fn reserve(&mut self, terms: usize, bytes: usize) {
        self.ends.reserve(terms);
        self.bytes.reserve(bytes + PADDING);
    }
    /// Whether this body should be ended and a new one begun.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= FULL
    }
    /// What has been added since the last body; `None`: nothing.
    pub fn body(&mut self) -> Option<Body> {
        if self.ends.is_empty() {
            return None;
        }
        self.bytes.extend_from_slice(&[0; PADDING]);
        // As large as it has to be, one way or the other: it may live long, and there are many.
        if self.bytes.len() > LARGE {
            let (ends, bytes) = (std::mem::take(&mut self.ends), std::mem::take(&mut self.bytes));
            return Some(Body { ends: ends.into(), bytes: bytes.into() });
        }
        let body = Body { ends: self.ends[..].into(), bytes: self.bytes[..].into() };
        self.ends.clear();
        self.bytes.clear();
        Some(body)
    }
}

/// Adds two bodies up from where `at` says, until so many of their records have been read (one more, if two are the same term),
/// or the sum is full. Which of two terms comes first decides no branch, as long as they are short.
pub fn add([one, two]: [&Body; 2], at: &mut [usize; 2], sum: &mut Builder, fuel: &mut isize) {
    let [first, second] = at;
    while *fuel > 0
        && !sum.is_full()
        && let Some(a) = one.at(*first)
        && let Some(b) = two.at(*second)
    {
        let [le, ge] = a.is_le_ge(&b);
        let n = select_unpredictable(le, a.n, 0) + select_unpredictable(ge, b.n, 0);
        sum.push_from(select_unpredictable(le, a.from, b.from), select_unpredictable(le, a.len, b.len), n);
        *first += usize::from(le);
        *second += usize::from(ge);
        *fuel -= isize::from(le) + isize::from(ge);
    }
    for (body, at) in [(one, first), (two, second)] {
        // Of one there is nothing left, or it is over.
        while *fuel > 0
            && !sum.is_full()
            && let Some(record) = body.at(*at)
        {
            sum.push(record.term(), record.n);
            *at += 1;
            *fuel -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn body(terms: &BTreeMap<Vec<u8>, u64>) -> Body {
        let mut builder = Builder::default();
        terms.iter().for_each(|(term, n)| builder.push(term, *n));
        body_of(builder)
    }

    fn body_of(mut builder: Builder) -> Body {
        // An empty one has records no more than none.
        builder.body().unwrap_or(Body { ends: Box::default(), bytes: [0; PADDING].into() })
    }

    fn terms() -> impl Strategy<Value = BTreeMap<Vec<u8>, u64>> {
        let term =
            proptest::collection::vec(prop_oneof![6 => Just(0u8), 3 => Just(b'a'), 1 => Just(0xFF)], 0..40);
        let n = prop_oneof![1u64..4, 120u64..140, Just(u64::from(u32::MAX) * 7)];
        proptest::collection::btree_map(term, n, 0..40)
    }

    proptest! {
        /// However often a sum is interrupted, it is that of plain maps.
        #[test]
        fn adds_up(one in terms(), two in terms(), step in 1isize..9) {
            let bodies = [body(&one), body(&two)];
            let (mut at, mut sum, mut read) = ([0, 0], Builder::default(), 0);
            while at != [one.len(), two.len()] {
                let mut fuel = step;
                add([&bodies[0], &bodies[1]], &mut at, &mut sum, &mut fuel);
                prop_assert!((-1..=0).contains(&fuel) || at == [one.len(), two.len()]);
                read += step - fuel;
            }
            prop_assert_eq!(read as usize, one.len() + two.len());
            let mut expected = one;
            two.into_iter().for_each(|(term, n)| *expected.entry(term).or_insert(0) += n);
            let sum = body_of(sum);
            let found: Vec<_> = sum.iter().map(|record| (record.term().to_vec(), record.n)).collect();
            prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn every_term_is_found(terms in terms(), other in proptest::collection::vec(any::<u8>(), 0..12)) {
            let body = body(&terms);
            let all: Vec<_> = terms.iter().collect();
            for (index, (term, n)) in all.iter().enumerate() {
                prop_assert_eq!(body.seek(term), index);
                prop_assert_eq!((body.get(index).term(), body.get(index).n), (&term[..], **n));
            }
            prop_assert_eq!(body.seek(&other), all.partition_point(|(term, _)| **term < other));
        }
    }
}
