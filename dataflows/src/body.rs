//! Terms of one pane, ascending, each with its count: what a batch of the base arrangement is made of.
//!
//! Idea: a record is its count, as LEB128 has it (seven bits a byte, the lowest first), and the term's bytes; records stand
//! end to end. A body does not know its pane nor its time, so a pane moves to another tier by a new label on the same
//! body, and is negated by the same body with another sign.
//! Invariant: terms ascend by their bytes (which is code point order), none stands twice, and every count is positive.
//! Cost: four bytes, the count's own, one as a rule, and the term's; two allocations and 40 bytes a body.

use std::cmp::Ordering;

use crate::term::{append, head};

/// Bytes behind the last record, so that eight can be read wherever a term begins.
const PADDING: usize = 8;

/// Bodies that are as large as this together are not merged any more: ends are `u32`.
pub const FULL: usize = 1 << 31;

/// Terms, each with its count.
pub struct Body {
    ends: Box<[u32]>,
    bytes: Box<[u8]>,
}

/// A record in a body.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    /// All of it.
    whole: &'a [u8],
    /// Its term.
    pub term: &'a [u8],
    /// Its count.
    pub n: u64,
    /// The first eight bytes of the term as a number, padded with zeros.
    prefix: u64,
}

impl Record<'_> {
    /// The order of two terms.
    #[inline]
    pub(crate) fn compare(&self, other: &Record<'_>) -> Ordering {
        self.prefix.cmp(&other.prefix).then_with(|| self.term.cmp(other.term))
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
        let sought = Record { whole: term, term, n: 0, prefix: (head(term) >> 64) as u64 };
        let (mut lower, mut upper) = (0, self.len());
        while lower < upper {
            let middle = lower + (upper - lower) / 2;
            if self.get(middle).compare(&sought).is_lt() { lower = middle + 1 } else { upper = middle }
        }
        lower
    }
    /// A record by its index.
    #[inline]
    pub fn get(&self, index: usize) -> Record<'_> {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        self.read(start as usize, self.ends[index] as usize)
    }
    /// The same; `None` behind the last.
    #[inline]
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
    #[inline]
    fn read(&self, start: usize, end: usize) -> Record<'_> {
        let whole = &self.bytes[start..end];
        let (mut n, mut at) = (u64::from(whole[0]), 1);
        if n >= 0x80 {
            (n, at) = long_count(whole);
        }
        let eight = self.bytes[start + at..][..8].try_into().expect("eight bytes");
        let missing = 8 * 8usize.saturating_sub(whole.len() - at) as u32;
        let prefix = u64::from_be_bytes(eight).checked_shr(missing).unwrap_or(0) << (missing & 63);
        Record { whole, term: &whole[at..], n, prefix }
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
const LARGE: usize = 1 << 20;

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
    #[inline]
    fn copy(&mut self, record: &Record<'_>) {
        self.bytes.extend_from_slice(record.whole);
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

/// A body that is counted, or counted off.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    /// The body.
    pub body: &'a Body,
    /// Whether it is counted off.
    pub minus: bool,
}

/// Adds two bodies up from where `at` says, until `fuel` records have been written or a sum is full: what comes to more than 0
/// into the first of `sums`, what comes to less into the second. Returns whether that was all.
pub fn add(
    [one, two]: [Signed<'_>; 2],
    at: &mut [usize; 2],
    sums: &mut [Builder; 2],
    fuel: &mut isize,
) -> bool {
    let (mut a, mut b) = (one.body.at(at[0]), two.body.at(at[1]));
    while *fuel > 0 && !sums.iter().any(Builder::is_full) {
        let order = match (&a, &b) {
            (Some(a), Some(b)) => a.compare(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return true,
        };
        if let (Ordering::Equal, Some(a), Some(b)) = (order, &a, &b) {
            let (minus, n) = match (one.minus == two.minus, a.n.cmp(&b.n)) {
                (true, _) => (one.minus, a.n + b.n),
                (false, Ordering::Less) => (two.minus, b.n - a.n),
                (false, _) => (one.minus, a.n - b.n),
            };
            if n != 0 {
                sums[usize::from(minus)].push(a.term, n);
            }
        } else if let (Ordering::Less, Some(a)) = (order, &a) {
            sums[usize::from(one.minus)].copy(a);
        } else if let Some(b) = &b {
            sums[usize::from(two.minus)].copy(b);
        }
        if order.is_le() {
            at[0] += 1;
            a = one.body.at(at[0]);
        }
        if order.is_ge() {
            at[1] += 1;
            b = two.body.at(at[1]);
        }
        *fuel -= 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn body(terms: &BTreeMap<Vec<u8>, u64>) -> Body {
        let mut builder = Builder::default();
        terms.iter().for_each(|(term, n)| builder.push(term, *n));
        // An empty one has records no more than none.
        builder.body().unwrap_or(Body { ends: Box::default(), bytes: [0; PADDING].into() })
    }

    fn terms() -> impl Strategy<Value = BTreeMap<Vec<u8>, u64>> {
        let term = proptest::collection::vec(prop_oneof![Just(0u8), Just(b'a'), Just(0xFF)], 0..12);
        let n = prop_oneof![1u64..4, 120u64..140, Just(u64::from(u32::MAX) * 7)];
        proptest::collection::btree_map(term, n, 0..40)
    }

    proptest! {
        /// However often a sum is interrupted, and whatever the signs, it is that of plain maps.
        #[test]
        fn adds_up(one in terms(), two in terms(), signs in any::<[bool; 2]>(), step in 1isize..9) {
            let bodies = [body(&one), body(&two)];
            let signed = [0, 1].map(|side| Signed { body: &bodies[side], minus: signs[side] });
            let (mut at, mut sums) = ([0, 0], <[Builder; 2]>::default());
            while !add(signed, &mut at, &mut sums, &mut step.clone()) {}
            let mut expected = BTreeMap::new();
            for (terms, minus) in [(&one, signs[0]), (&two, signs[1])] {
                for (term, n) in terms {
                    *expected.entry(term.clone()).or_insert(0) += if minus { -(*n as i64) } else { *n as i64 };
                }
            }
            expected.retain(|_, n| *n != 0);
            let mut found = BTreeMap::new();
            for (sum, sign) in sums.iter_mut().zip([1, -1]) {
                for record in sum.body().iter().flat_map(Body::iter) {
                    prop_assert!(found.insert(record.term.to_vec(), sign * record.n as i64).is_none());
                }
            }
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn every_term_is_found(terms in terms(), other in proptest::collection::vec(any::<u8>(), 0..12)) {
            let body = body(&terms);
            let all: Vec<_> = terms.iter().collect();
            for (index, (term, n)) in all.iter().enumerate() {
                prop_assert_eq!(body.seek(term), index);
                prop_assert_eq!((body.get(index).term, body.get(index).n), (&term[..], **n));
            }
            prop_assert_eq!(body.seek(&other), all.partition_point(|(term, _)| **term < other));
        }
    }
}
