//! Running totals per term and window: a compact table of the worker's own, outside differential.
//!
//! Idea: a term gets a dense id; its totals are one row of a flat array. Changes are applied a group at a time,
//! first all probes, then all additions: within a group nothing depends on what came before, and the
//! processor overlaps the misses. A change costs a quarter of a differential update.
//! Invariant: an id stays valid until `compact`, which drops exactly the terms whose totals are all 0.
//! Cost: per term that lives in a window: 8 bytes per window, 24 bytes, and 16 to 32 bytes of slots; a term longer
//! than sixteen bytes is kept beside.

use crate::term::{HEAD, HashKeys, head};
use crate::windows::Mask;

/// Changes worth collecting before `add`.
pub const GROUP: usize = 32;

/// `n` more (or less) of `term` in each of `windows`.
pub struct Change<'a> {
    /// The term.
    pub term: &'a [u8],
    /// A bit for each column.
    pub windows: Mask,
    /// How many.
    pub n: i64,
}

/// What a window holds as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Occurrences.
    pub total: i64,
    /// Terms with a count.
    pub distinct: u64,
}

#[derive(Clone, Copy)]
struct Slot {
    tag: u32,
    /// Id plus one; 0 is vacant.
    id: u32,
}

const VACANT: Slot = Slot { tag: 0, id: 0 };

#[derive(Clone, Copy)]
struct Term {
    head: [u8; HEAD],
    len: u32,
    /// Index into `long`, if `len` says so.
    long: u32,
}

/// A row of totals for each term.
pub struct Totals {
    keys: HashKeys,
    windows: usize,
    figures: Vec<Figures>,
    slots: Vec<Slot>,
    terms: Vec<Term>,
    counts: Vec<i64>,
    /// Terms longer than a head, whole.
    long: Vec<Box<[u8]>>,
}

/// Where each id went in a compaction.
pub struct Moved(Vec<Option<u32>>);

impl Moved {
    /// Its new id; `None` if it was dropped.
    pub fn to(&self, id: u32) -> Option<u32> {
        self.0[id as usize]
    }
}

impl Totals {
    /// No terms yet; a column for each of `windows`.
    pub fn new(windows: usize, keys: HashKeys) -> Self {
        let figures = vec![Figures::default(); windows];
        Totals {
            keys,
            windows,
            figures,
            slots: vec![VACANT; 64],
            terms: Vec::new(),
            counts: Vec::new(),
            long: Vec::new(),
        }
    }
    /// Number of ids, including those of terms whose totals have become 0.
    pub fn len(&self) -> usize {
        self.terms.len()
    }
    /// Whether there are no ids.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
    /// Number of terms with a total that is not 0: those of the last column, which holds whatever any other does.
    pub fn alive(&self) -> usize {
        self.figures.last().map_or(0, |held| held.distinct as usize)
    }
    /// Whether a term has a total that is not 0.
    pub fn is_alive(&self, term: &[u8]) -> bool {
        let head = head(term);
        self.find(head, self.keys.hash(head, term), term).is_ok_and(|id| self.row(id).iter().any(|n| *n != 0))
    }
    /// What each window holds as a whole.
    pub fn figures(&self) -> &[Figures] {
        &self.figures
    }
    /// The term of an id.
    pub fn term(&self, id: u32) -> &[u8] {
        let term = &self.terms[id as usize];
        if term.len as usize <= HEAD {
            &term.head[..term.len as usize]
        } else {
            &self.long[term.long as usize]
        }
    }
    /// The total of an id in a window.
    #[inline]
    pub fn count(&self, id: u32, window: usize) -> i64 {
        self.counts[id as usize * self.windows + window]
    }
    fn row(&self, id: u32) -> &[i64] {
        &self.counts[id as usize * self.windows..][..self.windows]
    }

    /// Applies the changes, and leaves the id of each in `ids`.
    pub fn add(&mut self, changes: &[Change<'_>], ids: &mut Vec<u32>) {
        let keys = self.keys;
        let hashed = |change: &Change<'_>| {
            let head = head(change.term);
            (head, keys.hash(head, change.term))
        };
        let mut hashes = [(0, 0); GROUP];
        ids.clear();
        for group in changes.chunks(GROUP) {
            hashes.iter_mut().zip(group).for_each(|(to, change)| *to = hashed(change));
            for ((head, hash), change) in hashes.iter().zip(group) {
                let id = self.id(*head, *hash, change.term);
                ids.push(id);
            }
        }
        for (id, change) in ids.iter().zip(changes) {
            let row = &mut self.counts[*id as usize * self.windows..][..self.windows];
            let mut windows = change.windows;
            while windows != 0 {
                let window = windows.trailing_zeros() as usize;
                windows &= windows - 1;
                let (total, figures) = (&mut row[window], &mut self.figures[window]);
                let before = std::mem::replace(total, *total + change.n);
                figures.total += change.n;
                figures.distinct = (figures.distinct + u64::from(*total != 0)) - u64::from(before != 0);
            }
        }
    }

    /// The id of a term, or the slot where it would go.
    #[inline]
    fn find(&self, head: u128, hash: u64, term: &[u8]) -> Result<u32, usize> {
        let (tag, mask) = ((hash >> 32) as u32, self.slots.len() - 1);
        let mut at = hash as usize & mask;
        while self.slots[at].id != 0 {
            let slot = self.slots[at];
            if slot.tag == tag && self.is(slot.id - 1, head, term) {
                return Ok(slot.id - 1);
            }
            at = (at + 1) & mask;
        }
        Err(at)
    }

    #[inline]
    fn id(&mut self, head: u128, hash: u64, term: &[u8]) -> u32 {
        let at = match self.find(head, hash, term) {
            Ok(id) => return id,
            Err(vacant) => vacant,
        };
        let id = self.push(term);
        self.slots[at] = Slot { tag: (hash >> 32) as u32, id: id + 1 };
        if 2 * self.terms.len() > self.slots.len() {
            self.index(2 * self.slots.len());
        }
        id
    }

    #[inline]
    fn is(&self, id: u32, head: u128, term: &[u8]) -> bool {
        let known = &self.terms[id as usize];
        known.len as usize == term.len()
            && u128::from_be_bytes(known.head) == head
            && (term.len() <= HEAD || &*self.long[known.long as usize] == term)
    }

    fn push(&mut self, term: &[u8]) -> u32 {
        let id = u32::try_from(self.terms.len()).expect("less than 2^32 terms per worker");
        let long = self.long.len() as u32;
        if term.len() > HEAD {
            self.long.push(term.into());
        }
        self.terms.push(Term { head: head(term).to_be_bytes(), len: term.len() as u32, long });
        self.counts.resize(self.counts.len() + self.windows, 0);
        id
    }

    fn index(&mut self, slots: usize) {
        self.slots = vec![VACANT; slots];
        let mask = slots - 1;
        for id in 0..self.len() as u32 {
            let hash = self.keys.hash(u128::from_be_bytes(self.terms[id as usize].head), self.term(id));
            let mut at = hash as usize & mask;
            while self.slots[at].id != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = Slot { tag: (hash >> 32) as u32, id: id + 1 };
        }
    }

    /// Drops terms whose totals are 0, once they are the majority; so its cost is a constant per term dropped.
    pub fn compact(&mut self) -> Option<Moved> {
        if self.len() < 64 || self.len() < 2 * self.alive() {
            return None;
        }
        let mut kept = Totals::new(self.windows, self.keys);
        kept.figures.clone_from(&self.figures);
        let moved = (0..self.len() as u32).map(|id| {
            self.row(id).iter().any(|n| *n != 0).then(|| {
                let to = kept.push(self.term(id));
                kept.counts[to as usize * self.windows..].copy_from_slice(self.row(id));
                to
            })
        });
        let moved = Moved(moved.collect());
        kept.index((2 * kept.len()).next_power_of_two().max(64));
        *self = kept;
        Some(moved)
    }
}
