//! Running totals per term and window: compact tables of the worker's own, outside differential.
//!
//! Idea: a term gets an id; what tells it from others and its totals are one row of a flat array, so that a change
//! misses the cache twice, at the slot and at the row, where that is one line. So `add` asks for both ahead: for the slot two
//! groups of changes before it is read, for the row one group. A change costs a quarter of a differential update.
//! Terms are spread by their hashes over `SHARDS` tables, each of which grows and is compacted for itself: where millions of
//! terms are to be hashed again or copied, no epoch waits for all of them.
//! Invariant: an id stays valid until `compact`, which drops only terms whose totals are all 0.
//! Cost: per term that lives in a window: 24 bytes and 8 per window, filled up to a whole cache line where 8 bytes do that, and
//! 8 to 16 bytes of slots; a term longer than sixteen bytes is kept beside.

mod add;
mod shard;

use std::array::from_fn;
use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::rows::Update;
use crate::term::{HEAD, HashKeys, head, order};
pub(crate) use add::WORTH;
use shard::{Known, Shard};

/// What a window holds as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Occurrences.
    pub total: i64,
    /// Terms with a count.
    pub distinct: u64,
}

impl Figures {
    /// Adds what the window holds on another worker, which owns other terms.
    pub fn add(&mut self, other: &Figures) {
        self.total += other.total;
        self.distinct += other.distinct;
    }
}

/// Tables. More would make the smallest count large.
const SHARDS: usize = 64;

/// The table of a term.
#[inline]
fn shard_of(tag: u32) -> usize {
    tag as usize % SHARDS
}

/// The table of an id, and the row there.
#[inline]
fn split(id: u32) -> (usize, usize) {
    (id as usize % SHARDS, id as usize / SHARDS)
}

/// The id of a row.
#[inline]
fn join(shard: usize, row: usize) -> u32 {
    (row * SHARDS + shard) as u32
}

/// A row of totals for each term.
pub struct Totals {
    keys: HashKeys,
    windows: usize,
    figures: Vec<Figures>,
    shards: Box<[Shard; SHARDS]>,
    /// Number of ids.
    len: usize,
    /// Which table is compacted next.
    next: usize,
}

/// Where the ids of some tables went in a compaction.
pub struct Moved {
    /// The first of these tables; the others follow it, in a circle.
    first: usize,
    /// The new row of each old one.
    rows: Vec<Vec<Option<u32>>>,
}

impl Moved {
    /// Its new id; `None` if it was dropped.
    pub fn to(&self, id: u32) -> Option<u32> {
        let (shard, row) = split(id);
        match self.rows.get((shard + SHARDS - self.first) % SHARDS) {
            Some(rows) => rows[row].map(|row| join(shard, row as usize)),
            None => Some(id),
        }
    }
}

impl Totals {
    /// No terms yet; a column for each of `windows`.
    pub fn new(windows: usize, keys: HashKeys) -> Self {
        Totals {
            keys,
            windows,
            figures: vec![Figures::default(); windows],
            shards: Box::new(from_fn(|_| Shard::new(windows))),
            len: 0,
            next: 0,
        }
    }
    /// Number of ids, including those of terms whose totals have become 0.
    pub fn len(&self) -> usize {
        self.len
    }
    /// Whether there are no ids.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// A number above all ids.
    pub fn bound(&self) -> usize {
        SHARDS * self.shards.iter().map(Shard::len).max().unwrap_or(0)
    }
    /// Number of terms with a total that is not 0: those of the last column, which holds whatever any other does.
    pub fn alive(&self) -> usize {
        self.figures.last().map_or(0, |held| held.distinct as usize)
    }
    /// Whether a term has a total that is not 0.
    pub fn is_alive(&self, update: &Update<'_>) -> bool {
        let shard = &self.shards[shard_of(update.tag)];
        shard.find(update).is_ok_and(|row| shard.is_alive(row))
    }
    /// The keys with which all terms are hashed.
    pub fn keys(&self) -> HashKeys {
        self.keys
    }
    /// What each window holds as a whole.
    pub fn figures(&self) -> &[Figures] {
        &self.figures
    }
    /// The term of an id; `room` takes the bytes of one that only its row holds.
    pub fn spell<'a>(&'a self, id: u32, room: &'a mut [u8; HEAD]) -> &'a [u8] {
        let (shard, row) = split(id);
        self.shards[shard].spell(row, room)
    }
    /// The order of two terms.
    #[inline]
    pub fn compare(&self, one: u32, two: u32) -> Ordering {
        let [(one, rest), (two, other)] = [one, two].map(|id| self.known(id));
        order((one.head, one.len), (two.head, two.len), || rest.cmp(&other))
    }
    /// The order of an id's term and another.
    #[inline]
    pub fn compare_to(&self, id: u32, term: &[u8]) -> Ordering {
        let (known, rest) = self.known(id);
        order((known.head, known.len), (head(term), term.len()), || rest.cmp(&Some(term)))
    }
    /// The first bytes of an id's term as a number: where those of two terms are not equal, they are in the order of the terms.
    #[inline]
    pub fn begins(&self, id: u32) -> u64 {
        (self.known(id).0.head >> 64) as u64
    }
    /// The total of an id in a window.
    #[inline]
    pub fn count(&self, id: u32, window: usize) -> i64 {
        let (shard, row) = split(id);
        self.shards[shard].totals(row, window)[0]
    }
    /// All ids, each with its total in a window.
    pub fn column(&self, window: usize) -> impl Iterator<Item = (u32, i64)> {
        self.shards.iter().enumerate().flat_map(move |(shard, table)| {
            table.column(window).enumerate().map(move |(row, n)| (join(shard, row), n))
        })
    }
    /// Asks for the row of an id.
    #[inline]
    pub fn fetch(&self, id: u32) {
        let (shard, row) = split(id);
        self.shards[shard].fetch(row);
    }
    /// What a row says, and the term where its head does not hold it.
    #[inline]
    fn known(&self, id: u32) -> (Known, Option<&[u8]>) {
        let (shard, row) = split(id);
        let known = self.shards[shard].known(row);
        (known, self.shards[shard].long(known))
    }

    /// Drops terms whose totals are 0, once they are a quarter as many as the others, of as many tables in turn as it takes to
    /// have fewer; so its cost is a constant per term dropped. Were it later, memory would go on growing long after all windows
    /// are full.
    pub fn compact(&mut self) -> Option<Moved> {
        let mut moved = Moved { first: self.next, rows: Vec::new() };
        while self.len >= SHARDS && 4 * self.len >= 5 * self.alive() && moved.rows.len() < SHARDS {
            let shard = &mut self.shards[self.next];
            let before = shard.len();
            moved.rows.push(shard.compact(self.keys));
            self.len -= before - shard.len();
            self.next = (self.next + 1) % SHARDS;
        }
        (!moved.rows.is_empty()).then_some(moved)
    }
}

#[cfg(test)]
mod tests;
