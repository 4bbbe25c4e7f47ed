//! Combines the terms of one epoch before they are sent: one update per distinct `(pane, term)`, as a rule.
//!
//! Idea: a table for each pane, so that what is looked up stands together whatever the epoch holds. Terms are staged and probed a
//! group at a time; what a probe will read first is asked for when its term is staged.
//! Invariant: what the blocks of an epoch add up to is exactly what was added since the last drain. A term stands in them once,
//! but for what came after its pane had been sent. At the end of an epoch they go pane by pane, in their order: of the finest
//! tier, where most is, those that are late stand first, so that most blocks have none.
//! Cost: one probe per term; what `filling` says; the rest of a longer term once, and once more where its pane was sent before,
//! until the epoch ends.

use crate::block::Block;
use crate::filling::Filling;
use crate::long::Long;
use crate::outgoing::Outgoing;
use crate::table::{Counted, LONG};
use crate::term::{HEAD, HashKeys, head, head_within};
use crate::windows::Pane;

/// Terms staged before they are probed.
const GROUP: usize = 32;

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
    filling: Filling,
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
            filling: Filling::new(),
            long: Long::default(),
            staged: Box::new([NOTHING; GROUP]),
            waiting: 0,
            staged_long: Vec::new(),
            staged_bytes: Vec::new(),
        }
    }

    /// To be asked once for all terms of a post.
    #[inline]
    pub fn pane(&mut self, pane: Pane) -> PaneIndex {
        PaneIndex(self.filling.index(pane))
    }

    /// Takes note that little will come any more for panes of the finest tier before this one. [`Combine::send_passed`] sends
    /// those that have so many terms at least.
    pub fn pass(&mut self, before: Pane, worth: usize) {
        self.filling.pass(before, worth);
    }

    /// Whether there is anything for [`Combine::send_passed`] to send.
    pub fn has_passed(&self) -> bool {
        self.filling.has_passed()
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
        self.filling.table(pane).fetch_slot(tag);
        self.staged[self.waiting] =
            Staged { counted: Counted { head, n, len: term.len() as u32, tag }, pane };
        self.waiting += 1;
        if self.waiting == GROUP {
            self.probe_staged();
        }
    }

    /// Empties the tables of panes that are passed into blocks, as [`Combine::drain`] does. What comes for them all the same is
    /// sent then. So dense panes take no more room than some of them at a time.
    pub fn send_passed(&mut self, epoch: u64, peers: usize, mut send: impl FnMut(&mut Block)) {
        self.settle();
        while let Some((pane, table)) = self.filling.take_passed() {
            let mut out = Outgoing::new(self.keys, epoch, peers, table.row.len());
            out.take(pane, &table.row, &self.long, &mut send);
            out.finish(&mut send);
            self.filling.give(table);
        }
    }

    /// Empties all tables into blocks of `epoch`, each for one of `peers` workers.
    pub fn drain(&mut self, epoch: u64, peers: usize, mut send: impl FnMut(&mut Block)) {
        self.settle();
        let tables = self.filling.take_all();
        let updates = tables.iter().map(|(_, table)| table.row.len()).sum();
        let mut out = Outgoing::new(self.keys, epoch, peers, updates);
        for (pane, table) in tables {
            out.take(pane, &table.row, &self.long, &mut send);
            self.filling.give(table);
        }
        out.finish(&mut send);
        self.filling.end_epoch();
        self.long.clear();
    }

    fn probe_staged(&mut self) {
        let staged = &self.staged[..self.waiting];
        staged.iter().for_each(|new| self.filling.table(new.pane).fetch_place(new.counted.tag));
        for at in 0..std::mem::take(&mut self.waiting) {
            let Staged { counted, pane } = self.staged[at];
            let table = self.filling.table_mut(pane);
            match table.find(counted.tag, |known| known.head == counted.head && known.len == counted.len) {
                Ok(place) => table.row[place].n += counted.n,
                Err(vacant) => {
                    if table.put(vacant, counted) {
                        self.filling.grow(pane);
                    }
                }
            }
        }
    }

    #[inline(never)]
    fn add_long(&mut self, head: u128, pane: u32, term: &[u8], n: i64) {
        let tag = self.keys.tag(head, term);
        self.filling.table(pane).fetch_slot(tag);
        self.staged_bytes.extend_from_slice(term);
        let len = u32::try_from(term.len()).expect("a term is shorter than 4 GiB");
        self.staged_long.push(Staged { counted: Counted { head, n, len, tag }, pane });
        if self.staged_long.len() == GROUP {
            self.probe_staged_long();
        }
    }

    fn probe_staged_long(&mut self) {
        let staged = std::mem::take(&mut self.staged_long);
        staged.iter().for_each(|new| self.filling.table(new.pane).fetch_place(new.counted.tag));
        let bytes = std::mem::take(&mut self.staged_bytes);
        let mut rest = &bytes[..];
        for Staged { counted, pane } in &staged {
            let (term, behind) = rest.split_at(counted.len as usize);
            rest = behind;
            let (table, long) = (self.filling.table_mut(*pane), &self.long);
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
                        self.filling.grow(*pane);
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
}

#[cfg(test)]
mod tests;
