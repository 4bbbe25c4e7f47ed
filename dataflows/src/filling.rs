//! The tables of an epoch, one for each pane, and how large each of them begins.
//!
//! Idea: posts come roughly in the order of time, so that a pane gets about as much as the one before it, and begins with the
//! room that this one took; what is late finds no such neighbour and begins small. A pane that all posts have passed is taken
//! out before its epoch ends, so that the next one fills slots that are still near.
//! Invariant: an index stays with its pane until the epoch ends, whatever is taken out of its table. However many panes come, and
//! in whatever order, their room is no more than some times what is used of it.
//! Cost: what `table` says, for this epoch and the next that has any, as much again for the smaller tables that one outgrew, and
//! where posts thin out within an epoch as much for a pane as for the one before it. A comparison a post, and a search where
//! its pane is not that of the post before.

use std::collections::{BTreeMap, HashMap};

use crate::index::size_of;
use crate::table::{Pool, SMALLEST, Table};
use crate::windows::Pane;

/// Newest panes of an epoch that get the expected room whatever the one before took: an epoch may begin in the last moments
/// of a pane.
const AHEAD: usize = 2;

/// A pane that is being filled.
struct Open {
    pane: Pane,
    table: Table,
    /// Terms that were taken out of it already.
    taken: usize,
}

/// The tables of an epoch.
pub(crate) struct Filling {
    /// The panes met in this epoch: far fewer than terms, so that they are known by an index.
    open: Vec<Open>,
    /// Where each stands in `open`.
    indexes: HashMap<Pane, u32>,
    /// The pane that was asked for last, and its index.
    asked: Option<(Pane, u32)>,
    /// The newest pane of the finest tier.
    newest: Option<Pane>,
    /// Panes of the finest tier that are not passed yet.
    unpassed: BTreeMap<Pane, u32>,
    /// Indexes of those that are, and are still to be taken out.
    passed: Vec<u32>,
    pool: Pool,
    /// How many panes of the epoch were the newest when they came.
    advanced: usize,
    /// Terms of the largest table of a pane of the finest tier, of those taken out.
    largest: usize,
    /// The size that such a table should have had in the epoch before.
    expected: usize,
    /// The same of `ALL`.
    expected_all: usize,
}

impl Filling {
    /// No panes yet.
    pub(crate) fn new() -> Filling {
        Filling {
            open: Vec::new(),
            indexes: HashMap::new(),
            asked: None,
            newest: None,
            unpassed: BTreeMap::new(),
            passed: Vec::new(),
            pool: Pool::default(),
            advanced: 0,
            largest: 0,
            expected: SMALLEST,
            expected_all: SMALLEST,
        }
    }

    /// The index of a pane.
    #[inline]
    pub(crate) fn index(&mut self, pane: Pane) -> u32 {
        match self.asked {
            Some((asked, index)) if asked == pane => index,
            _ => self.look_up(pane),
        }
    }

    fn look_up(&mut self, pane: Pane) -> u32 {
        let index = self.indexes.get(&pane).copied().unwrap_or_else(|| self.begin(pane));
        self.asked = Some((pane, index));
        index
    }

    fn begin(&mut self, pane: Pane) -> u32 {
        let (index, size) = (self.open.len() as u32, self.size_for(pane));
        self.open.push(Open { pane, table: self.pool.take(size), taken: 0 });
        self.indexes.insert(pane, index);
        if pane.tier() == 0 {
            self.unpassed.insert(pane, index);
        }
        index
    }

    fn size_for(&mut self, pane: Pane) -> usize {
        if pane == Pane::ALL {
            return self.expected_all;
        }
        if pane.tier() > 0 {
            return SMALLEST;
        }
        // One post with a clock that is ahead is the newest for long, and does not say how much others will get.
        let neighbour = pane.number().checked_sub(1).map(|before| Pane::new(0, before));
        let before = neighbour.map_or(SMALLEST, |before| self.size_of(before));
        if self.newest.is_some_and(|newest| pane <= newest) {
            return before;
        }
        let before = self.newest.replace(pane).map_or(before, |newest| self.size_of(newest).max(before));
        self.advanced += 1;
        if self.advanced <= AHEAD { self.expected.max(before) } else { before }
    }

    /// The size that the table of a pane should have had so far.
    fn size_of(&self, pane: Pane) -> usize {
        let open = self.indexes.get(&pane).map(|index| &self.open[*index as usize]);
        open.map_or(SMALLEST, |open| size_of(open.table.len().max(open.taken)).max(SMALLEST))
    }

    /// The table of an index.
    #[inline]
    pub(crate) fn table(&self, index: u32) -> &Table {
        &self.open[index as usize].table
    }

    /// The same, to be filled.
    #[inline]
    pub(crate) fn table_mut(&mut self, index: u32) -> &mut Table {
        &mut self.open[index as usize].table
    }

    /// Puts a larger table in the place of one that is full.
    #[cold]
    pub(crate) fn grow(&mut self, index: u32) {
        let table = &mut self.open[index as usize].table;
        let mut larger = self.pool.take(table.size() + 1);
        larger.take_over(table);
        self.pool.give(std::mem::replace(table, larger));
    }

    /// Takes note that little will come any more for panes of the finest tier before this one; tables with so many terms at least
    /// are to be taken out.
    pub(crate) fn pass(&mut self, before: Pane, worth: usize) {
        while let Some(first) = self.unpassed.first_entry().filter(|first| *first.key() < before) {
            let index = first.remove();
            if self.table(index).len() >= worth {
                self.passed.push(index);
            }
        }
    }

    /// Whether any are to be taken out.
    pub(crate) fn has_passed(&self) -> bool {
        !self.passed.is_empty()
    }

    /// Takes out the next that is passed. What comes for it all the same goes into a small table in its place.
    pub(crate) fn take_passed(&mut self) -> Option<(Pane, Table)> {
        let index = self.passed.pop()?;
        let small = self.pool.take(SMALLEST);
        let open = &mut self.open[index as usize];
        let table = std::mem::replace(&mut open.table, small);
        open.taken = table.len();
        self.largest = self.largest.max(open.taken);
        Some((open.pane, table))
    }

    /// Takes all out, in the order of their panes, and begins anew.
    pub(crate) fn take_all(&mut self) -> Vec<(Pane, Table)> {
        let mut all: Vec<_> = self.open.drain(..).map(|open| (open.pane, open.table)).collect();
        all.sort_unstable_by_key(|(pane, _)| *pane);
        let (mut largest, mut largest_all) = (std::mem::take(&mut self.largest), 0);
        for (pane, table) in &all {
            match pane.tier() {
                0 => largest = largest.max(table.len()),
                _ if *pane == Pane::ALL => largest_all = table.len(),
                _ => {}
            }
        }
        self.expected = size_of(largest).max(SMALLEST);
        self.expected_all = size_of(largest_all).max(SMALLEST);
        (self.asked, self.newest, self.advanced) = (None, None, 0);
        self.indexes.clear();
        self.unpassed.clear();
        self.passed.clear();
        all
    }

    /// Takes a table back that was taken out.
    pub(crate) fn give(&mut self, table: Table) {
        self.pool.give(table);
    }

    /// To be called when all have been given back: what this epoch had no use for is let go.
    pub(crate) fn end_epoch(&mut self) {
        self.pool.end_epoch();
    }

    /// Slots of all tables, and terms for which there is room in them and in those that are kept.
    #[cfg(test)]
    pub(crate) fn room(&self) -> (usize, usize) {
        let slots = self.open.iter().map(|open| 1 << open.table.size()).sum();
        let rows: usize = self.open.iter().map(|open| open.table.room()).sum();
        (slots, rows + self.pool.room())
    }
}
