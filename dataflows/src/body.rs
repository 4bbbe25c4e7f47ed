//! Terms of one pane, ascending, each with its count: what a batch of the base arrangement is made of.
//!
//! Idea: a record is its count, as LEB128 has it (seven bits a byte, the lowest first), and the term's bytes; records stand
//! end to end. A body does not know its pane nor its time, so a pane moves to another tier by a new label on the same
//! body, and is negated by the same body with another sign.
//! Invariant: terms ascend by their bytes (which is code point order), none stands twice, and every count is positive.
//! Cost: four bytes, the count's own, one as a rule, and the term's; two allocations and 48 bytes a body.

use std::cmp::Ordering;
use std::hint::select_unpredictable;

use crate::term::{HEAD, head, head_within, order};

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
        let apart = self.head ^ other.head;
        let lengths_tell = (self.len == other.len) & (self.len <= HEAD);
        // One branch, on what is rare: that heads are equal is as good as a toss, and that lengths are too.
        if (apart >> 64) as u64 | apart as u64 | u64::from(lengths_tell) == 0 {
            self.is_le_ge_behind(other)
        } else {
            [self.head <= other.head, self.head >= other.head]
        }
    }

    /// The same where their heads are equal, which do not tell.
    #[inline(never)]
    fn is_le_ge_behind(&self, other: &Record<'_>) -> [bool; 2] {
        let (one, two) = ((self.head, self.len), (other.head, other.len));
        let order = order(one, two, || self.term().cmp(other.term()));
        [order.is_le(), order.is_ge()]
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
        let (mut n, mut from) = (u64::from(record[0]), &record[1..]);
        if n >= 0x80 {
            (n, from) = long_count(record);
        }
        let len = from.len() - (self.bytes.len() - end);
        Record { n, head: head_within(from, 0, len), from, len }
    }
}

/// A count of more than one byte, and what follows it.
#[cold]
fn long_count(record: &[u8]) -> (u64, &[u8]) {
    let (mut n, mut at) = (0, 0);
    loop {
        n |= u64::from(record[at] & 0x7F) << (7 * at);
        at += 1;
        if record[at - 1] < 0x80 {
            return (n, &record[at..]);
        }
    }
}

/// Bytes that a count takes at most.
const MOST_OF_COUNT: usize = 10;

/// A body whose records take more bytes than this is not copied out of the room that it was made in.
const LARGE: usize = if cfg!(test) { 1 << 12 } else { 1 << 20 };

/// Makes bodies, one after another, in the same room unless they are large.
#[derive(Default)]
pub struct Builder {
    ends: Vec<u32>,
    /// Records, and behind them room that is written already, so that there is one look at it a record.
    bytes: Vec<u8>,
    /// Bytes of the records.
    used: usize,
}

impl Builder {
    /// Adds a term that comes after all others, and its count, which is not 0.
    #[inline(never)]
    pub fn push(&mut self, term: &[u8], n: u64) {
        self.make_room(MOST_OF_COUNT + term.len());
        let mut rest = n;
        while rest >= 0x80 {
            self.bytes[self.used] = rest as u8 | 0x80;
            self.used += 1;
            rest >>= 7;
        }
        self.bytes[self.used] = rest as u8;
        let start = self.used + 1;
        self.used = start + term.len();
        self.bytes[start..self.used].copy_from_slice(term);
        self.end();
    }
    /// The same of a term of `len` bytes that its head holds. The halves of the head are written one by one: put together in
    /// memory first, they would be read as one before the processor has them as one, and it would wait.
    #[inline]
    pub fn push_short(&mut self, head: u128, len: usize, n: u64) {
        match self.room() {
            Some((count, to)) if (n < 0x80) & (len <= HEAD) => {
                *count = n as u8;
                let (one, two) = to.split_at_mut(HEAD / 2);
                one.copy_from_slice(&((head >> 64) as u64).to_be_bytes());
                two.copy_from_slice(&(head as u64).to_be_bytes());
                self.used += 1 + len;
                self.end();
            }
            _ => self.push(&head.to_be_bytes()[..len], n),
        }
    }
    /// The same of a term of `len` bytes, which others may follow. Of a short one as many bytes as a head has are copied, whatever
    /// it has itself: the next record stands on what is too much.
    #[inline(always)]
    fn push_from(&mut self, from: &[u8], len: usize, n: u64) {
        if let Some((count, to)) = self.room()
            && let Some(from) = from.first_chunk::<HEAD>()
            && (n < 0x80) & (len <= HEAD)
        {
            *count = n as u8;
            *to = *from;
            self.used += 1 + len;
            self.end();
        } else {
            self.push(&from[..len], n);
        }
    }
    /// Where the next record goes if its count takes one byte and its term no more than a head, and there is room.
    #[inline(always)]
    fn room(&mut self) -> Option<(&mut u8, &mut [u8; HEAD])> {
        let (count, to) = self.bytes.get_mut(self.used..)?.split_first_mut()?;
        Some((count, to.first_chunk_mut()?))
    }
    /// Makes sure of so many bytes and the padding, and of some more, a little at a time: a body may be large, and much of what
    /// was reserved for it may not be needed.
    fn make_room(&mut self, bytes: usize) {
        let least = self.used + bytes + PADDING;
        if self.bytes.len() < least {
            // No more than was reserved, where that will do: else all would be moved for its last records.
            let room = self.bytes.capacity().max(least);
            self.bytes.resize((least + self.used.clamp(1 << 8, 1 << 16)).min(room), 0);
        }
    }
    #[inline]
    fn end(&mut self) {
        self.ends.push(u32::try_from(self.used).expect("a body holds less than 4 GiB"));
    }
    /// Makes room for so many terms, whose records take so many bytes.
    pub fn reserve(&mut self, terms: usize, bytes: usize) {
        self.ends.reserve(terms);
        self.bytes.reserve((self.used + bytes + MOST_OF_COUNT + PADDING).saturating_sub(self.bytes.len()));
    }
    /// Whether this body should be ended and a new one begun.
    pub fn is_full(&self) -> bool {
        self.used >= FULL
    }
    /// What has been added since the last body; `None`: nothing.
    pub fn body(&mut self) -> Option<Body> {
        if self.ends.is_empty() {
            return None;
        }
        self.make_room(0);
        let size = std::mem::take(&mut self.used) + PADDING;
        self.bytes[size - PADDING..size].fill(0);
        // As large as it has to be, one way or the other: it may live long, and there are many.
        if size > LARGE {
            let (ends, mut bytes) = (std::mem::take(&mut self.ends), std::mem::take(&mut self.bytes));
            bytes.truncate(size);
            return Some(Body { ends: ends.into(), bytes: bytes.into() });
        }
        let body = Body { ends: self.ends[..].into(), bytes: self.bytes[..size].into() };
        self.ends.clear();
        Some(body)
    }
}

/// Adds two bodies up from where `at` says, until so many of their records have been read (one more, if two are the same term),
/// or the sum is full. Which of two terms comes first decides no branch, as long as they are short.
pub fn add([one, two]: [&Body; 2], at: &mut [usize; 2], sum: &mut Builder, fuel: &mut isize) {
    let ([mut first, mut second], mut left) = (*at, *fuel);
    while left > 0
        && !sum.is_full()
        && let Some(a) = one.at(first)
        && let Some(b) = two.at(second)
    {
        let [le, ge] = a.is_le_ge(&b);
        let n = select_unpredictable(le, a.n, 0) + select_unpredictable(ge, b.n, 0);
        sum.push_from(select_unpredictable(le, a.from, b.from), select_unpredictable(le, a.len, b.len), n);
        first += usize::from(le);
        second += usize::from(ge);
        left -= isize::from(le) + isize::from(ge);
    }
    (*at, *fuel) = ([first, second], left);
    for (body, at) in [one, two].into_iter().zip(at) {
        // Of one there is nothing left, or it is over.
        while *fuel > 0
            && !sum.is_full()
            && let Some(record) = body.at(*at)
        {
            sum.push_from(record.from, record.len, record.n);
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
