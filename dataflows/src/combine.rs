//! Combines the terms of one epoch before anything is sent: one update per distinct `(pane, term)`.
//!
//! Idea: a table for each pane, since posts come roughly in the order of time: that of the newest pane stays in a near cache,
//! whatever the epoch holds, and where an epoch has many panes, those that are past are sent on before it ends, so that the
//! next fills the table that was theirs. Terms are staged and probed a group at a time; what a probe will read is asked for
//! when its term is staged.
//! Invariant: what the blocks of an epoch add up to is exactly what was added since the last drain, and as a rule each term stands
//! in them once; at the end of an epoch they go pane by pane, in their order: of the finest tier, where most is, those that are
//! late stand first, so that most blocks have none.
//! Cost: one probe per term; what `table` says, for this epoch and the next that has any, as much again for the smaller tables
//! that one outgrew, and where posts thin out within an epoch as much for a pane as for the one before it; the rest of a
//! longer term once.

use std::collections::{HashMap, VecDeque};

use crate::block::Block;
use crate::index::size_of;
use crate::long::Long;
use crate::outgoing::Outgoing;
use crate::table::{Counted, LONG, Pool, SMALLEST, Table};
use crate::term::{HEAD, HashKeys, head, head_within};
use crate::windows::Pane;

/// Terms staged before they are probed.
const GROUP: usize = 32;

/// Newest panes of an epoch that get the expected room whatever the one before took: an epoch may begin in the last moments
/// of a pane.
const AHEAD: usize = 2;

/// Terms of a pane from which on it is worth blocks of its own before the end of an epoch.
const WORTH: usize = 1 << 12;

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
    /// The pane that was asked for last, and its index.
    asked: Option<(Pane, u32)>,
    /// The newest pane of the finest tier, and its index.
    newest: Option<(Pane, u32)>,
    /// The panes that were the newest once, and their indexes, in order, as far as more may come for them.
    filling: VecDeque<(Pane, u32)>,
    /// Indexes of those for which little will come any more.
    passed: Vec<u32>,
    /// Terms of the largest table of a pane of the finest tier, of those that have been emptied in this epoch.
    largest: usize,
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
    /// The same of longer ones, and their bytes end to end.
    staged_long: Vec<Staged>,
    staged_bytes: Vec<u8>,
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
            asked: None,
            newest: None,
            filling: VecDeque::new(),
            passed: Vec::new(),
            largest: 0,
            ahead: 0,
            expected: SMALLEST,
            expected_all: SMALLEST,
            long: Long::default(),
            staged: Box::new([NOTHING; GROUP]),
            waiting: 0,
            staged_long: Vec::new(),
            staged_bytes: Vec::new(),
        }
    }

    /// To be asked once for all terms of a post. Posts come roughly in the order of time, so it is often the newest pane.
    #[inline]
    pub fn pane(&mut self, pane: Pane) -> PaneIndex {
        match self.asked {
            Some((asked, index)) if asked == pane => PaneIndex(index),
            _ => self.other_pane(pane),
        }
    }

    fn other_pane(&mut self, pane: Pane) -> PaneIndex {
        let of_newest = self.newest.filter(|(newest, _)| *newest == pane).map(|(_, index)| index);
        let known = of_newest.or_else(|| self.indexes.get(&pane).copied());
        let index = known.unwrap_or_else(|| self.new_pane(pane));
        self.asked = Some((pane, index));
        PaneIndex(index)
    }

    fn new_pane(&mut self, pane: Pane) -> u32 {
        let is_newest = pane.tier() == 0 && self.newest.is_none_or(|(newest, _)| newest < pane);
        let (index, size) = (self.panes.len() as u32, self.size_for(pane, is_newest));
        if is_newest {
            self.newest = Some((pane, index));
            self.filling.push_back((pane, index));
        }
        self.indexes.insert(pane, index);
        self.panes.push(pane);
        self.tables.push(self.pool.take(size));
        index
    }

    /// Takes note that little will come any more for panes of the finest tier that are earlier than this one.
    pub fn passed(&mut self, pane: Pane) {
        while let Some((_, index)) = self.filling.pop_front_if(|(filling, _)| *filling < pane) {
            self.passed.push(index);
        }
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
        self.tables[pane as usize].fetch_slot(tag);
        self.staged[self.waiting] =
            Staged { counted: Counted { head, n, len: term.len() as u32, tag }, pane };
        self.waiting += 1;
        if self.waiting == GROUP {
            self.probe_staged();
        }
    }

    /// Empties tables of panes that are passed, if much stands in them, into blocks as [`Combine::drain`] does. What comes for
    /// them all the same is sent then. So an epoch of many panes needs no more room than some of them, which is still near.
    pub fn send_passed(&mut self, epoch: u64, peers: usize, mut send: impl FnMut(&mut Block)) {
        if self.passed.is_empty() {
            return;
        }
        self.settle();
        for index in std::mem::take(&mut self.passed) {
            if self.tables[index as usize].row.len() < WORTH {
                continue;
            }
            let vacant = self.pool.take(SMALLEST);
            let table = std::mem::replace(&mut self.tables[index as usize], vacant);
            self.largest = table.row.len().max(self.largest);
            let mut out = Outgoing::new(self.keys, epoch, peers, table.row.len());
            out.take(self.panes[index as usize], &table.row, &self.long, &mut send);
            out.finish(&mut send);
            self.pool.give(table);
        }
    }

    /// Empties all tables into blocks of `epoch`, each for one of `peers` workers.
    pub fn drain(&mut self, epoch: u64, peers: usize, mut send: impl FnMut(&mut Block)) {
        self.settle();
        let updates = self.tables.iter().map(|table| table.row.len()).sum();
        let mut out = Outgoing::new(self.keys, epoch, peers, updates);
        let (mut largest, mut largest_all) = (std::mem::take(&mut self.largest), 0);
        let mut tables: Vec<(Pane, Table)> = self.panes.drain(..).zip(self.tables.drain(..)).collect();
        tables.sort_unstable_by_key(|(pane, _)| *pane);
        for (pane, table) in tables {
            match pane {
                Pane::ALL => largest_all = table.row.len(),
                pane if pane.tier() == 0 => largest = table.row.len().max(largest),
                _ => {}
            }
            out.take(pane, &table.row, &self.long, &mut send);
            self.pool.give(table);
        }
        out.finish(&mut send);
        self.pool.end_epoch();
        (self.expected, self.expected_all) =
            (size_of(largest).max(SMALLEST), size_of(largest_all).max(SMALLEST));
        (self.asked, self.newest, self.ahead) = (None, None, 0);
        self.filling.clear();
        self.passed.clear();
        self.indexes.clear();
        self.long.clear();
    }

    fn probe_staged(&mut self) {
        let staged = &self.staged[..self.waiting];
        staged.iter().for_each(|new| self.tables[new.pane as usize].fetch_place(new.counted.tag));
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
        self.tables[pane as usize].fetch_slot(tag);
        self.staged_bytes.extend_from_slice(term);
        let len = u32::try_from(term.len()).expect("a term is shorter than 4 GiB");
        self.staged_long.push(Staged { counted: Counted { head, n, len, tag }, pane });
        if self.staged_long.len() == GROUP {
            self.probe_staged_long();
        }
    }

    fn probe_staged_long(&mut self) {
        let staged = std::mem::take(&mut self.staged_long);
        staged.iter().for_each(|new| self.tables[new.pane as usize].fetch_place(new.counted.tag));
        let bytes = std::mem::take(&mut self.staged_bytes);
        let mut rest = &bytes[..];
        for Staged { counted, pane } in &staged {
            let (term, behind) = rest.split_at(counted.len as usize);
            rest = behind;
            let (table, long) = (&mut self.tables[*pane as usize], &self.long);
            let is = |known: &Counted| {
                known.head == counted.head
                    && known.len >= LONG
                    && long.get((known.len - LONG) as usize) == term
            };
            match table.find(counted.tag, is) {
                Ok(place) => table.row[place].n += counted.n,
                Err(vacant) => {
                    let number =
                        u32::try_from(self.long.len()).ok().and_then(|number| number.checked_add(LONG));
                    let len = number.expect("less than 2^32 long terms in an epoch");
                    let is_full = table.put(vacant, Counted { len, ..*counted });
                    self.long.push(term);
                    if is_full {
                        self.grow(*pane);
                    }
                }
            }
        }
        (self.staged_long, self.staged_bytes) = (staged, bytes);
        self.staged_long.clear();
        self.staged_bytes.clear();
    }

    /// Counts what is only staged yet.
    fn settle(&mut self) {
        self.probe_staged();
        self.probe_staged_long();
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
