//! Combines the terms of one epoch before anything is sent: one update per distinct `(pane, term)`.
//!
//! Idea: a table for each pane, since posts come roughly in the order of time: that of the newest pane stays in a near cache,
//! whatever the epoch holds. Terms are staged and probed a group at a time: the probes of a group do not depend on each
//! other, and the processor overlaps their misses.
//! Invariant: what the blocks of an epoch add up to is exactly what was added since the last drain; blocks go pane by pane, in
//! their order: of the finest tier, where most is, those that are late stand first, so that most blocks have none.
//! Cost: one probe per term; what `table` says, for this epoch and the next that has any, as much again for the smaller tables
//! that one outgrew, and where posts thin out within an epoch as much for a pane as for the one before it; the rest of a
//! longer term once.

use std::collections::HashMap;

use crate::block::Block;
use crate::index::size_of;
use crate::long::Long;
use crate::spellings::{may_be_spelled, term_of};
use crate::table::{Counted, LONG, Pool, SMALLEST, Table};
use crate::term::{HEAD, HashKeys, head, head_within};
use crate::windows::Pane;

/// Terms staged before they are probed.
const GROUP: usize = 32;

/// Newest panes of an epoch that get the expected room whatever the one before took: an epoch may begin in the last moments
/// of a pane.
const AHEAD: usize = 2;

/// The worker that owns a term, by its tag. Takes the high bits of that, since tables take the low ones.
pub fn owner(tag: u32, peers: usize) -> usize {
    ((u64::from(tag) * peers as u64) >> 32) as usize
}

/// The worker that owns a term; of the key of a spelling, the one that owns the term which is spelled. So whoever has a
/// term's counts can show it too.
pub fn owner_of(keys: HashKeys, key: &[u8], peers: usize) -> usize {
    let term = term_of(key);
    owner(keys.tag(head(term), term), peers)
}

#[derive(Clone, Copy)]
struct Staged {
    counted: Counted,
    pane: u32,
}

/// What stands in a place that none was staged in yet.
const NOTHING: Staged = Staged { counted: Counted { head: 0, n: 0, len: 0, tag: 0 }, pane: 0 };

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
    /// Newest panes so far.
    ahead: usize,
    /// The size that the largest table of a pane of the finest tier should have had in the epoch before.
    expected: usize,
    /// The same of `ALL`.
    expected_all: usize,
    /// Terms longer than a head, whole.
    long: Long,
    staged: Box<[Staged; GROUP]>,
    /// How many of those there are.
    waiting: usize,
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
            long: Long::default(),
            staged: Box::new([NOTHING; GROUP]),
            waiting: 0,
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

    /// The newest pane will get most of what comes, about as much as the one before, and what has no pane but `ALL` goes
    /// there; others get what is late. But however many panes come, and in whatever order, room is no more than some times
    /// what is used of it.
    fn size_for(&mut self, pane: Pane, is_newest: bool) -> usize {
        let used = |(_, index): (Pane, u32)| size_of(self.tables[index as usize].row.len()).max(SMALLEST);
        match pane {
            Pane::ALL => self.expected_all,
            _ if is_newest => {
                let before = self.newest.map_or(SMALLEST, used);
                self.ahead += 1;
                if self.ahead <= AHEAD { self.expected.max(before) } else { before }
            }
            _ => SMALLEST,
        }
    }

    /// Adds `n` occurrences of a term.
    #[inline(always)]
    pub fn add(&mut self, pane: PaneIndex, term: &[u8], n: i64) {
        self.add_head(pane, head(term), term, n);
    }

    /// The same of a term that is the first `len` bytes of a text.
    #[inline(always)]
    pub fn add_first(&mut self, pane: PaneIndex, text: &[u8], len: usize, n: i64) {
        self.add_head(pane, head_within(text, 0, len), &text[..len], n);
    }

    #[inline(always)]
    fn add_head(&mut self, PaneIndex(pane): PaneIndex, head: u128, term: &[u8], n: i64) {
        if term.len() > HEAD {
            return self.add_long(head, pane, term, n);
        }
        let tag = self.keys.tag(head, term);
        self.staged[self.waiting] =
            Staged { counted: Counted { head, n, len: term.len() as u32, tag }, pane };
        self.waiting += 1;
        if self.waiting == GROUP {
            self.probe_staged();
        }
    }

    /// Empties the table into blocks of `epoch`, each for one of `peers` workers.
    pub fn drain(&mut self, epoch: u64, peers: usize, mut send: impl FnMut(&mut Block)) {
        self.probe_staged();
        // Owners are nearly even.
        let share = self.tables.iter().map(|table| table.row.len()).sum::<usize>() / peers;
        let mut left = vec![share + share / 16; peers];
        let room = |owner: usize, left| Block::with_room(epoch, owner as u32, left);
        let mut blocks: Vec<Block> = (0..peers).map(|owner| room(owner, left[owner])).collect();
        let (mut largest, mut largest_all) = (0, 0);
        let mut tables: Vec<(Pane, Table)> = self.panes.drain(..).zip(self.tables.drain(..)).collect();
        tables.sort_unstable_by_key(|(pane, _)| *pane);
        for (pane, mut table) in tables {
            for counted in &table.row {
                let bytes = counted.head.to_be_bytes();
                let (term, short) = (counted.term(&bytes, &self.long), counted.len < LONG);
                let owner = match peers {
                    1 => 0,
                    // What fits in its head and has no separator there is a term of its own, whose hash is known.
                    _ if short && !may_be_spelled(counted.head) => owner(counted.tag, peers),
                    _ => owner_of(self.keys, term, peers),
                };
                let into = &mut blocks[owner];
                let place = into.list(pane);
                match short {
                    true => into.push_short(place, counted.head, term.len(), counted.n),
                    false => into.push(place, term, counted.n),
                }
                if into.is_full() {
                    left[owner] = left[owner].saturating_sub(into.len());
                    send(into);
                    *into = room(owner, left[owner]);
                }
            }
            match pane {
                Pane::ALL => largest_all = table.row.len(),
                pane if pane.tier() == 0 => largest = table.row.len().max(largest),
                _ => {}
            }
            table.clear();
            self.pool.give(table);
        }
        self.pool.end_epoch();
        (self.expected, self.expected_all) =
            (size_of(largest).max(SMALLEST), size_of(largest_all).max(SMALLEST));
        blocks.iter_mut().filter(|block| !block.is_empty()).for_each(send);
        (self.newest, self.ahead) = (None, 0);
        self.indexes.clear();
        self.long.clear();
    }

    /// Reads what the probes will read first, without a branch on it: a branch that was guessed wrong would wait for its own
    /// miss before the next begins.
    #[inline]
    fn touch(&self) {
        let staged = &self.staged[..self.waiting];
        let mut places = [0; GROUP];
        for (place, Staged { counted, pane }) in places.iter_mut().zip(staged) {
            *place = self.tables[*pane as usize].guess(counted.tag);
        }
        let read = places.iter().zip(staged).fold(0, |read, (place, Staged { pane, .. })| {
            read ^ self.tables[*pane as usize].row.get(*place).map_or(0, |counted| counted.n)
        });
        std::hint::black_box(read);
    }

    fn probe_staged(&mut self) {
        self.touch();
        for at in 0..std::mem::take(&mut self.waiting) {
            let Staged { counted, pane } = self.staged[at];
            let table = &mut self.tables[pane as usize];
            match table.find(counted.tag, |known| known.head == counted.head && known.len == counted.len) {
                Ok(place) => table.row[place].n += counted.n,
                Err(vacant) => {
                    if table.put(vacant, counted) {
                        self.grow(pane);
                    }
                }
            }
        }
    }

    #[inline(never)]
    fn add_long(&mut self, head: u128, pane: u32, term: &[u8], n: i64) {
        let tag = self.keys.tag(head, term);
        let (table, long) = (&mut self.tables[pane as usize], &self.long);
        let is = |known: &Counted| {
            known.head == head && known.len >= LONG && long.get((known.len - LONG) as usize) == term
        };
        match table.find(tag, is) {
            Ok(place) => table.row[place].n += n,
            Err(vacant) => {
                let number = u32::try_from(self.long.len()).ok().and_then(|number| number.checked_add(LONG));
                let len = number.expect("less than 2^32 long terms in an epoch");
                let is_full = table.put(vacant, Counted { head, n, len, tag });
                self.long.push(term);
                if is_full {
                    self.grow(pane);
                }
            }
        }
    }

    #[cold]
    fn grow(&mut self, pane: u32) {
        let table = &mut self.tables[pane as usize];
        let mut larger = self.pool.take(table.size() + 1);
        larger.take_over(table);
        self.pool.give(std::mem::replace(table, larger));
    }
}

#[cfg(test)]
mod tests;
