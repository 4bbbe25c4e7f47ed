//! Combines the terms of one epoch before they are sent: one update per distinct `(pane, term)`, as a rule.
//!
//! Idea: a table for each pane, so that what is looked up stands together whatever the epoch holds. Terms are staged and counted a
//! group at a time: when one is full, its slots are asked for, and the group before it is counted, whose slots have come meanwhile.
//! Invariant: what the blocks of an epoch add up to is exactly what was added since the last drain. A term stands in them once,
//! but for what came after its pane had been sent. At the end of an epoch they go pane by pane, in their order, but for panes that
//! make a block by themselves, which go first; so most blocks have none that is late.
//! Cost: one probe per term; what `filling` says. Groups are of one pane, so posts that alternate between panes are counted post by
//! post.

use crate::block::Block;
use crate::filling::Filling;
use crate::outgoing::Outgoing;
use crate::rows::{Row, Rows, Update};
use crate::table::GROUP;
use crate::term::{HEAD, HashKeys, head, head_within};
use crate::windows::Pane;

/// The pane before any is known.
const NONE: u32 = u32::MAX;

/// A longer term before it is looked up.
struct StagedLong {
    head: u128,
    n: i64,
    tag: u32,
    len: usize,
}

/// The terms of one epoch, so far.
pub struct Combine {
    keys: HashKeys,
    filling: Filling,
    /// The index of the pane of all that is staged.
    pane: u32,
    staged: Box<[Row; GROUP]>,
    /// How many of those there are.
    waiting: usize,
    /// The group before them, whose slots have been asked for.
    asked: Box<[Row; GROUP]>,
    /// Whether there is one.
    has_asked: bool,
    /// Longer terms that are staged, and their bytes end to end.
    staged_long: Vec<StagedLong>,
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
            pane: NONE,
            staged: Box::new([Row::default(); GROUP]),
            waiting: 0,
            asked: Box::new([Row::default(); GROUP]),
            has_asked: false,
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
    #[inline]
    pub fn add(&mut self, pane: PaneIndex, term: &[u8], n: i64) {
        self.turn_to(pane);
        let head = head(term);
        self.stage(head, self.keys.tag(head, term), term, n);
    }

    /// Adds an occurrence of each of these terms, which stand in a text from one place to another.
    #[inline(always)]
    pub fn add_each<'a>(&mut self, pane: PaneIndex, terms: impl Iterator<Item = (&'a [u8], usize, usize)>) {
        self.turn_to(pane);
        // Else the compiler has to look after each term whether they are still the same.
        let (keys, mut waiting) = (self.keys, self.waiting);
        for (text, from, to) in terms {
            let (head, len) = (head_within(text, from, to), to - from);
            if len > HEAD {
                let term = &text[from..to];
                self.stage_long(head, keys.tag(head, term), term, 1);
                continue;
            }
            self.staged[waiting] = Row { head, n: 1, len: len as u32, tag: keys.tag_of_head(head, len) };
            waiting += 1;
            if waiting == GROUP {
                self.waiting = waiting;
                self.ask_for_staged();
                waiting = 0;
            }
        }
        self.waiting = waiting;
    }

    /// Adds an update.
    pub fn add_update(&mut self, pane: PaneIndex, update: &Update<'_>) {
        self.turn_to(pane);
        self.stage(update.head, update.tag, &update.term(), update.n);
    }

    /// Posts have some dozens of terms, all of one pane, so that a group is as full as it should be.
    #[inline(always)]
    fn turn_to(&mut self, PaneIndex(pane): PaneIndex) {
        if pane != self.pane {
            self.settle();
            self.pane = pane;
        }
    }

    #[inline(always)]
    fn stage(&mut self, head: u128, tag: u32, term: &[u8], n: i64) {
        if term.len() > HEAD {
            return self.stage_long(head, tag, term, n);
        }
        self.staged[self.waiting] = Row { head, n, len: term.len() as u32, tag };
        self.waiting += 1;
        if self.waiting == GROUP {
            self.ask_for_staged();
        }
    }

    /// Empties the tables of panes that are passed into blocks, as [`Combine::drain`] does. What comes for them all the same is
    /// sent then. So dense panes take no more room than some of them at a time.
    pub fn send_passed(&mut self, epoch: u64, peers: usize, mut send: impl FnMut(&mut Block)) {
        self.settle();
        while let Some((pane, mut table)) = self.filling.take_passed() {
            let mut out = Outgoing::new(self.keys, epoch, peers, std::iter::once(table.len()));
            out.take(pane, table.rows(), &mut send);
            out.finish(&mut send);
            self.filling.give(table);
        }
    }

    /// Empties all tables into blocks of `epoch`, each for one of `peers` workers.
    pub fn drain(&mut self, epoch: u64, peers: usize, mut send: impl FnMut(&mut Block)) {
        self.settle();
        self.pane = NONE;
        let tables = self.filling.take_all();
        let mut out = Outgoing::new(self.keys, epoch, peers, tables.iter().map(|(_, table)| table.len()));
        for (pane, mut table) in tables {
            out.take(pane, table.rows(), &mut send);
            self.filling.give(table);
        }
        out.finish(&mut send);
        self.filling.end_epoch();
    }

    /// To be called when a group is full.
    #[inline(never)]
    fn ask_for_staged(&mut self) {
        self.ask();
        std::mem::swap(&mut self.staged, &mut self.asked);
        (self.has_asked, self.waiting) = (true, 0);
    }

    /// Asks for the slots of what is staged, and counts the group before it, whose slots have come while this one was filled.
    fn ask(&mut self) {
        if std::mem::take(&mut self.has_asked) {
            self.make_room(GROUP);
            self.filling.table_mut(self.pane).count(&*self.asked, &self.staged[..self.waiting]);
        } else {
            let table = self.filling.table(self.pane);
            self.staged[..self.waiting].iter().for_each(|new| table.fetch_slot(new.tag));
        }
    }

    fn make_room(&mut self, terms: usize) {
        while !self.filling.table(self.pane).has_room_for(terms) {
            self.filling.grow(self.pane);
        }
    }

    #[inline(never)]
    fn stage_long(&mut self, head: u128, tag: u32, term: &[u8], n: i64) {
        self.staged_bytes.extend_from_slice(term);
        self.staged_long.push(StagedLong { head, n, tag, len: term.len() });
        if self.staged_long.len() == GROUP {
            self.probe_staged_long();
        }
    }

    fn probe_staged_long(&mut self) {
        if self.staged_long.is_empty() {
            return;
        }
        let mut table = self.filling.table_mut(self.pane);
        self.staged_long.iter().for_each(|new| table.fetch_slot(new.tag));
        for new in &self.staged_long {
            table.fetch_place(new.tag);
        }
        let mut rest = &self.staged_bytes[..];
        for StagedLong { head, n, tag, len } in self.staged_long.drain(..) {
            let (term, behind) = rest.split_at(len);
            rest = behind;
            let is = |rows: &Rows, known: &Row| {
                known.head == head && known.long().is_some_and(|index| rows.long(index) == term)
            };
            match table.find(tag, is) {
                Ok(place) => table.add(place, n),
                Err(vacant) => {
                    let len = u32::try_from(len).expect("a term is shorter than 4 GiB");
                    if table.put(vacant, Update { head, n, tag, len, long: term }) {
                        self.filling.grow(self.pane);
                        table = self.filling.table_mut(self.pane);
                    }
                }
            }
        }
        self.staged_bytes.clear();
    }

    /// Counts what is only staged yet.
    fn settle(&mut self) {
        if self.has_asked || self.waiting > 0 {
            self.ask();
            self.make_room(self.waiting);
            let waiting = std::mem::take(&mut self.waiting);
            self.filling.table_mut(self.pane).count(&self.staged[..waiting], &[]);
        }
        self.probe_staged_long();
    }
}

#[cfg(test)]
mod tests;
