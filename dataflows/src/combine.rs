//! Combines the terms of one epoch before anything is sent: one update per distinct `(pane, term)`.
//!
//! Idea: an open-addressing table for each pane, since posts come roughly in the order of time: that of the newest pane stays
//! in a near cache, whatever the epoch holds. A slot is half a cache line and holds everything about a term of up to
//! sixteen bytes, so a probe is one miss at most. Terms are staged and probed a group at a time: the probes of a group
//! do not depend on each other, and the processor overlaps their misses.
//! Invariant: what the blocks of an epoch add up to is exactly what was added since the last drain; blocks go pane by pane.
//! Cost: one probe per term; 64 to 128 bytes per distinct key, for this epoch and the next that has any, at most 512 where
//! posts thin out within an epoch, and 256 bytes a pane at least; the rest of a longer term once.

use std::collections::HashMap;

use crate::block::Block;
use crate::spellings::{may_be_spelled, term_of};
use crate::term::{HEAD, HashKeys, head};
use crate::windows::Pane;

/// Terms staged before they are probed.
const GROUP: usize = 32;

/// Slots of the smallest table, as a power of two: there may be many panes with a few late posts each.
const SMALLEST: usize = 3;

/// Tables of the expected size that an epoch gets before it has shown that it fills them: it may begin in the last
/// moments of a pane.
const AHEAD: usize = 2;

/// The worker that owns a term. Takes the high bits of its hash, since tables take the low ones.
pub fn owner(hash: u64, peers: usize) -> usize {
    (((hash >> 32) * peers as u64) >> 32) as usize
}

/// The worker that owns a term; of the key of a spelling, the one that owns the term which is spelled. So whoever has a
/// term's counts can show it too.
pub fn owner_of(keys: HashKeys, key: &[u8], peers: usize) -> usize {
    let term = term_of(key);
    owner(keys.hash(head(term), term), peers)
}

#[derive(Clone, Copy)]
struct Slot {
    head: u128,
    n: i64,
    /// Length of the term, or `LONG` plus an index into `long`, or `VACANT`.
    len: u32,
}

const VACANT: u32 = u32::MAX;
const LONG: u32 = 1 << 16;

#[derive(Clone, Copy)]
struct Staged {
    head: u128,
    hash: u64,
    n: i64,
    pane: u32,
    len: u32,
}

/// The terms of one pane.
struct Table {
    slots: Vec<Slot>,
    used: usize,
}

/// The terms of one epoch, so far.
pub struct Combine {
    keys: HashKeys,
    /// The panes met in this epoch: far fewer than terms, so that they are known by an index.
    panes: Vec<Pane>,
    /// Where each stands in `panes`.
    indexes: HashMap<Pane, u32>,
    /// The table of each.
    tables: Vec<Table>,
    pool: Pool,
    /// The newest pane of the finest tier, and its index.
    newest: Option<(Pane, u32)>,
    /// Tables of the expected size so far.
    ahead: usize,
    /// The size that the largest table of a pane of the finest tier should have had in the epoch before.
    expected: usize,
    /// The same of `ALL`.
    expected_all: usize,
    /// Terms longer than a head, whole.
    long: Vec<Box<[u8]>>,
    staged: Vec<Staged>,
}

impl Slot {
    const VACANT: Slot = Slot { head: 0, n: 0, len: VACANT };

    fn term<'a>(&self, bytes: &'a [u8; HEAD], long: &'a [Box<[u8]>]) -> &'a [u8] {
        if self.len < LONG { &bytes[..self.len as usize] } else { &long[(self.len - LONG) as usize] }
    }
}

/// A pane as [`Combine::pane`] knows it, good until the next drain.
#[derive(Clone, Copy)]
pub struct PaneIndex(u32);

impl Combine {
    /// An empty table; `keys` must be those of all workers.
    pub fn new(keys: HashKeys) -> Combine {
        Combine {
            keys,
            panes: Vec::new(),
            indexes: HashMap::new(),
            tables: Vec::new(),
            pool: Pool::default(),
            newest: None,
            ahead: 0,
            expected: SMALLEST,
            expected_all: SMALLEST,
            long: Vec::new(),
            staged: Vec::with_capacity(GROUP),
        }
    }

    /// To be asked once for all terms of a post. Posts come roughly in the order of time, so it is often the newest pane.
    pub fn pane(&mut self, pane: Pane) -> PaneIndex {
        if self.panes.last() == Some(&pane) {
            return PaneIndex(self.panes.len() as u32 - 1);
        }
        if let Some((_, index)) = self.newest.filter(|(newest, _)| *newest == pane) {
            return PaneIndex(index);
        }
        if let Some(index) = self.indexes.get(&pane) {
            return PaneIndex(*index);
        }
        let is_newest = pane.tier() == 0 && self.newest.is_none_or(|(newest, _)| newest < pane);
        let (index, size) = (self.panes.len() as u32, self.size_for(pane, is_newest));
        if is_newest {
            self.newest = Some((pane, index));
        }
        self.indexes.insert(pane, index);
        self.panes.push(pane);
        self.tables.push(self.pool.take(size));
        PaneIndex(index)
    }

    /// The newest pane will get most of what comes, and what has no pane but `ALL` goes there; others get what is late. But
    /// however many panes come, and in whatever order, room is no more than some times what is used of it.
    fn size_for(&mut self, pane: Pane, is_newest: bool) -> usize {
        let expected = 1 << self.expected;
        let is_used = |(_, index): (Pane, u32)| 8 * self.tables[index as usize].used >= expected;
        match pane {
            Pane::ALL => self.expected_all,
            _ if is_newest && (self.ahead < AHEAD || self.newest.is_some_and(is_used)) => {
                self.ahead += 1;
                self.expected
            }
            _ => SMALLEST,
        }
    }

    /// Adds `n` occurrences of a term.
    #[inline]
    pub fn add(&mut self, PaneIndex(pane): PaneIndex, term: &[u8], n: i64) {
        let head = head(term);
        let hash = self.keys.hash(head, term);
        if term.len() > HEAD {
            return self.add_long(hash, head, pane, term, n);
        }
        self.staged.push(Staged { head, hash, n, pane, len: term.len() as u32 });
        if self.staged.len() == GROUP {
            self.probe_staged();
        }
    }

    /// Empties the table into blocks of `epoch`, each for one of `peers` workers.
    pub fn drain(&mut self, epoch: u64, peers: usize, mut send: impl FnMut(&mut Block)) {
        self.probe_staged();
        let mut blocks: Vec<Block> =
            (0..peers).map(|owner| Block::of(epoch, owner as u32, &self.panes)).collect();
        let (mut largest, mut largest_all) = (0, 0);
        for (place, mut table) in self.tables.drain(..).enumerate() {
            for slot in table.slots.iter_mut().filter(|slot| slot.len != VACANT) {
                let bytes = slot.head.to_be_bytes();
                let term = slot.term(&bytes, &self.long);
                let owner = match peers {
                    1 => 0,
                    // What fits in its head and has no separator there is a term, whose head is known.
                    _ if term.len() <= HEAD && !may_be_spelled(slot.head) => {
                        owner(self.keys.hash(slot.head, term), peers)
                    }
                    _ => owner_of(self.keys, term, peers),
                };
                let block = &mut blocks[owner];
                block.push(place as u32, term, slot.n);
                if block.is_full() {
                    send(block);
                    *block = Block::of(epoch, owner as u32, &self.panes);
                }
                *slot = Slot::VACANT;
            }
            let used = std::mem::take(&mut table.used);
            match self.panes[place] {
                Pane::ALL => largest_all = used,
                pane if pane.tier() == 0 => largest = used.max(largest),
                _ => {}
            }
            self.pool.give(table);
        }
        self.pool.end_epoch();
        (self.expected, self.expected_all) = (size_of(largest), size_of(largest_all));
        blocks.iter_mut().filter(|block| !block.is_empty()).for_each(send);
        (self.newest, self.ahead) = (None, 0);
        self.panes.clear();
        self.indexes.clear();
        self.long.clear();
    }

    fn probe_staged(&mut self) {
        let mut staged = std::mem::take(&mut self.staged);
        for new in staged.drain(..) {
            let table = &mut self.tables[new.pane as usize];
            let mask = table.slots.len() - 1;
            let mut at = new.hash as usize & mask;
            loop {
                let slot = &mut table.slots[at];
                if slot.head == new.head && slot.len == new.len {
                    slot.n += new.n;
                    break;
                }
                if slot.len == VACANT {
                    *slot = Slot { head: new.head, n: new.n, len: new.len };
                    self.count_used(new.pane);
                    break;
                }
                at = (at + 1) & mask;
            }
        }
        self.staged = staged;
    }

    #[cold]
    fn add_long(&mut self, hash: u64, head: u128, pane: u32, term: &[u8], n: i64) {
        let slots = &mut self.tables[pane as usize].slots;
        let mask = slots.len() - 1;
        let mut at = hash as usize & mask;
        while slots[at].len != VACANT {
            let slot = &mut slots[at];
            if slot.head == head && slot.len >= LONG && &*self.long[(slot.len - LONG) as usize] == term {
                slot.n += n;
                return;
            }
            at = (at + 1) & mask;
        }
        slots[at] = Slot { head, n, len: LONG + self.long.len() as u32 };
        self.long.push(term.into());
        self.count_used(pane);
    }

    fn count_used(&mut self, pane: u32) {
        let table = &mut self.tables[pane as usize];
        table.used += 1;
        if 2 * table.used <= table.slots.len() {
            return;
        }
        let mut larger = self.pool.take(table.slots.len().ilog2() as usize + 1);
        let mask = larger.slots.len() - 1;
        for slot in table.slots.iter_mut().filter(|slot| slot.len != VACANT) {
            let bytes = slot.head.to_be_bytes();
            let mut at = self.keys.hash(slot.head, slot.term(&bytes, &self.long)) as usize & mask;
            while larger.slots[at].len != VACANT {
                at = (at + 1) & mask;
            }
            larger.slots[at] = std::mem::replace(slot, Slot::VACANT);
        }
        larger.used = std::mem::take(&mut table.used);
        self.pool.give(std::mem::replace(table, larger));
    }
}

/// The size of a table that has room for so many terms, as a power of two.
fn size_of(terms: usize) -> usize {
    ((2 * terms).next_power_of_two().ilog2() as usize).max(SMALLEST)
}

/// Empty tables, by the power of two that is their size. What an epoch has no use for is let go at its end: posts that come
/// after a burst give its memory back.
#[derive(Default)]
struct Pool {
    /// Of the epoch before.
    spare: Vec<Vec<Table>>,
    /// Of this epoch.
    given: Vec<Vec<Table>>,
}

impl Pool {
    fn take(&mut self, size: usize) -> Table {
        let mut lists = [&mut self.given, &mut self.spare].into_iter();
        let kept = lists.find_map(|list| list.get_mut(size).and_then(Vec::pop));
        kept.unwrap_or_else(|| Table { slots: vec![Slot::VACANT; 1 << size], used: 0 })
    }
    fn give(&mut self, table: Table) {
        let size = table.slots.len().ilog2() as usize;
        if self.given.len() <= size {
            self.given.resize_with(size + 1, Vec::new);
        }
        self.given[size].push(table);
    }
    fn end_epoch(&mut self) {
        self.spare = std::mem::take(&mut self.given);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Short and long terms in several panes, over several epochs and table sizes, add up as in a plain map.
    #[test]
    fn adds_up() {
        let mut combine = Combine::new(HashKeys::new(7));
        for epoch in [40_000u64, 3, 0, 500, 2] {
            let mut expected = BTreeMap::new();
            for i in 0..epoch {
                let term = format!("{}{}", "long-".repeat((i % 5) as usize), i % 977);
                let pane = Pane::new((i % 3) as usize, i % 7);
                let index = combine.pane(pane);
                combine.add(index, term.as_bytes(), 2);
                *expected.entry((pane, term.into_bytes())).or_insert(0) += 2;
            }
            let mut found = BTreeMap::new();
            combine.drain(epoch, 3, |block| {
                assert_eq!(block.epoch, epoch);
                for (place, term, n) in block.iter() {
                    let pane = block.panes()[place as usize];
                    assert!(found.insert((pane, term.to_vec()), n).is_none(), "one update per key");
                    assert_eq!(owner_of(HashKeys::new(7), term, 3), block.owner as usize);
                }
            });
            assert_eq!(found, expected);
        }
    }

    /// A dense pane, then thousands of panes with one post each, in the order of their times: none gets the room of the first.
    #[test]
    fn sparse_panes_take_little_room() {
        let mut combine = Combine::new(HashKeys::new(7));
        for _ in 0..2 {
            let index = combine.pane(Pane::new(0, 1));
            (0..20_000).for_each(|i: u32| combine.add(index, &i.to_be_bytes(), 1));
            let index = combine.pane(Pane::ALL);
            (0..20_000).for_each(|i: u32| combine.add(index, &i.to_be_bytes(), 1));
            combine.drain(1, 1, |_| {});
        }
        for number in 0..50_000 {
            let index = combine.pane(Pane::new(0, number));
            combine.add(index, b"post", 1);
        }
        let slots: usize = combine.tables.iter().map(|table| table.slots.len()).sum();
        assert!(slots < (3 << 16) + 50_000 * 8, "{slots} slots");
    }

    /// Whatever a term is called and however it is spelled, its spellings are where its counts are.
    #[test]
    fn spellings_go_where_their_terms_go() {
        let (keys, mut combine, mut key) = (HashKeys::new(7), Combine::new(HashKeys::new(7)), Vec::new());
        let terms: Vec<String> = (0..400usize).map(|i| format!("{}{i}", "\u{e9}".repeat(i % 12))).collect();
        let index = combine.pane(Pane::ALL);
        for term in &terms {
            for spelling in ["A", "a rather long spelling"] {
                crate::spellings::spelled(term.as_bytes(), spelling.as_bytes(), &mut key);
                combine.add(index, &key, 1);
            }
        }
        let mut found = 0;
        combine.drain(1, 5, |block| {
            for (_, key, _) in block.iter() {
                let term = term_of(key);
                assert!(terms.iter().any(|known| known.as_bytes() == term));
                assert_eq!(owner(keys.hash(head(term), term), 5), block.owner as usize);
                found += 1;
            }
        });
        assert_eq!(found, 2 * terms.len());
    }
}
