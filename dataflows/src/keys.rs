//! The key of the base arrangement, `(pane, term)`, as a compact key container.
//!
//! Idea: one slab of term bytes, one list of ends, one list of panes; a key is read as a `Copy` reference into them.
//! Invariant: keys of a batch ascend by pane, then by the term's bytes (which is code point order), so the keys
//! of a pane are one contiguous range.
//! Cost: 12 bytes (16 beyond 4 GiB of terms) and the term's bytes per key; `index` is three array reads.

use std::ops::Range;

use differential_dataflow::trace::implementations::{BatchContainer, OffsetList};

use crate::windows::Pane;

/// A key of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Its pane.
    pub pane: Pane,
    /// Its term.
    pub term: Box<[u8]>,
}

/// A key as it stands in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyRef<'a> {
    /// Its pane.
    pub pane: Pane,
    /// Its term.
    pub term: &'a [u8],
}

/// Keys in ascending order.
pub struct Keys {
    panes: Vec<Pane>,
    ends: OffsetList,
    bytes: Vec<u8>,
}

impl Keys {
    /// No keys yet, room for some.
    pub fn with_capacities(keys: usize, bytes: usize) -> Self {
        Keys {
            panes: Vec::with_capacity(keys),
            ends: OffsetList::with_capacity(keys),
            bytes: Vec::with_capacity(bytes),
        }
    }
    /// Index of the first key whose pane is at least `pane`.
    pub fn start_of(&self, pane: Pane) -> usize {
        self.panes.partition_point(|p| *p < pane)
    }
    /// The panes within `panes` that have keys, each with the indexes of its keys. Costs two searches a pane found.
    pub fn runs(&self, panes: Range<Pane>) -> impl Iterator<Item = (Pane, Range<usize>)> + '_ {
        let mut next = self.start_of(panes.start);
        std::iter::from_fn(move || {
            let (start, pane) = (next, *self.panes.get(next).filter(|pane| **pane < panes.end)?);
            next = start + self.panes[start..].partition_point(|p| *p == pane);
            Some((pane, start..next))
        })
    }
    /// Where `term` stands, or would stand, among the keys `run` of one pane.
    pub fn seek(&self, run: Range<usize>, term: &[u8]) -> usize {
        let (mut lower, mut upper) = (run.start, run.end);
        while lower < upper {
            let middle = lower + (upper - lower) / 2;
            if self.term(middle) < term { lower = middle + 1 } else { upper = middle }
        }
        lower
    }
    /// The term of a key.
    pub fn term(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends.index(index - 1) };
        &self.bytes[start..self.ends.index(index)]
    }
}

impl BatchContainer for Keys {
    type Owned = Key;
    type ReadItem<'a> = KeyRef<'a>;

    fn into_owned<'a>(key: KeyRef<'a>) -> Key {
        Key { pane: key.pane, term: key.term.into() }
    }
    fn push_ref(&mut self, key: KeyRef<'_>) {
        self.bytes.extend_from_slice(key.term);
        self.ends.push(self.bytes.len());
        self.panes.push(key.pane);
    }
    fn push_own(&mut self, key: &Key) {
        self.push_ref(KeyRef { pane: key.pane, term: &key.term })
    }
    fn clear(&mut self) {
        self.panes.clear();
        BatchContainer::clear(&mut self.ends);
        self.bytes.clear();
    }
    fn with_capacity(keys: usize) -> Self {
        Keys::with_capacities(keys, 0)
    }
    fn merge_capacity(one: &Self, two: &Self) -> Self {
        Keys::with_capacities(one.panes.len() + two.panes.len(), one.bytes.len() + two.bytes.len())
    }
    fn reborrow<'b, 'a: 'b>(key: KeyRef<'a>) -> KeyRef<'b> {
        key
    }
    fn index(&self, index: usize) -> KeyRef<'_> {
        KeyRef { pane: self.panes[index], term: self.term(index) }
    }
    fn len(&self) -> usize {
        self.panes.len()
    }
}
