//! Terms of one pane and how often each came: a table that is cheap to fill, to empty and to make larger.
//!
//! Idea: terms stand in rows, in the order in which they first came, so the common ones stand together; an index says where.
//! A term of up to sixteen bytes is wholly in its place. Emptying a table is reading its rows or handing them on, and the half of
//! each hash that is kept says which worker a term goes to, without the term.
//! Invariant: the size of the index says how many rows there may be, and there is room for those at once.
//! Cost: a probe reads a slot and a place; 40 to 80 bytes per term, 250 bytes a table at least.

use crate::ahead::fetch;
use crate::index::Index;
use crate::rows::{Row, Rows, Update};

/// Slots of the smallest table, as a power of two: there may be many panes with a few late posts each.
pub(crate) const SMALLEST: usize = 3;

/// Terms that are counted together.
pub(crate) const GROUP: usize = 32;

/// Rows that are written ahead of their use at a time; as many are asked for that will be written next.
const STEP: usize = 2 * GROUP;

/// The terms of one pane.
pub(crate) struct Table {
    index: Index,
    /// Rows, and behind them room that is written already, so that a group needs none of its own.
    rows: Rows,
    /// Number of rows.
    len: usize,
}

impl Table {
    fn new(size: usize) -> Table {
        Table { index: Index::new(size), rows: Rows::default(), len: 0 }
    }

    /// The power of two that is the number of its slots.
    pub(crate) fn size(&self) -> usize {
        self.index.size()
    }

    /// Number of terms.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Its rows.
    pub(crate) fn rows(&mut self) -> &mut Rows {
        self.rows.all.truncate(self.len);
        &mut self.rows
    }

    /// Terms for which it has room.
    #[cfg(test)]
    pub(crate) fn room(&self) -> usize {
        self.rows.all.capacity()
    }

    /// Asks for the slot of a tag.
    #[inline]
    pub(crate) fn fetch_slot(&self, tag: u32) {
        self.index.fetch(tag);
    }

    /// Asks for the place of the term of a tag, whose slot should be near by now.
    #[inline]
    pub(crate) fn fetch_place(&self, tag: u32) {
        fetch(&self.rows.all, self.index.guess(tag));
    }

    /// Whether so many more terms leave more than half of the slots vacant.
    #[inline]
    pub(crate) fn has_room_for(&self, terms: usize) -> bool {
        2 * (self.len + terms) < 1 << self.size()
    }

    /// Counts terms that their heads hold, [`GROUP`] at most, for which there is room and whose slots should be near by now; asks
    /// for those of the `next`. Whether a term is new is as good as a toss, so nothing branches on it: each is made a row behind all
    /// others, which a new one finds as its own. A slot that another of the group has taken meanwhile leads to a row that is not the
    /// term's, so that it is looked for anew.
    #[inline]
    pub(crate) fn count(&mut self, staged: &[Row], next: &[Row]) {
        self.make_room(staged.len());
        let (mut slots, mut len) = (self.index.slots(), self.len);
        let (all, mut likely) = (&mut self.rows.all[..], [0; GROUP]);
        for (at, new) in likely.iter_mut().zip(staged) {
            *at = slots.likely(new.tag);
            fetch(all, slots.guess(*at));
        }
        next.iter().for_each(|new| slots.fetch(new.tag));
        for (new, at) in staged.iter().zip(&likely) {
            all[len] = Row { n: 0, ..*new };
            let place = slots.place(*at);
            let is_new = place == usize::MAX;
            let place = if is_new { len } else { place };
            let is = |known: &Row| known.head == new.head && known.len == new.len;
            let row = &mut all[place];
            if is(row) {
                row.n += new.n;
                slots.put(*at, new.tag, place);
                len += usize::from(is_new);
                continue;
            }
            match slots.find(new.tag, |place| is(&all[place])) {
                Ok(place) => all[place].n += new.n,
                Err(vacant) => {
                    all[len] = *new;
                    slots.put(vacant, new.tag, len);
                    len += 1;
                }
            }
        }
        self.len = len;
    }

    /// Makes sure that there is room for so many more rows.
    #[inline]
    fn make_room(&mut self, rows: usize) {
        if self.rows.all.len() < self.len + rows {
            self.write_ahead(self.len + rows);
        }
    }

    #[inline(never)]
    fn write_ahead(&mut self, least: usize) {
        let most = self.rows.all.capacity().max(least);
        self.rows.all.resize((least + STEP).min(most), Row::default());
        let ahead = self.rows.all.spare_capacity_mut();
        (0..STEP).step_by(2).for_each(|row| fetch(ahead, row));
    }

    /// Adds to a row.
    #[inline]
    pub(crate) fn add(&mut self, place: usize, n: i64) {
        self.rows.all[place].n += n;
    }

    /// The place of the term that `is` it, or the slot where it would go.
    #[inline]
    pub(crate) fn find(&self, tag: u32, is: impl Fn(&Rows, &Row) -> bool) -> Result<usize, usize> {
        self.index.find(tag, |place| is(&self.rows, &self.rows.all[place]))
    }

    /// Puts a new term where `find` said. Whether the table is full now, and must be taken over by a larger one.
    #[inline]
    pub(crate) fn put(&mut self, at: usize, update: Update<'_>) -> bool {
        self.make_room(1);
        self.rows.put(self.len, update);
        self.len += 1;
        self.index.put(at, update.tag, self.len - 1)
    }

    /// Takes the terms of a smaller table, which is of no use then but to the pool. The room of its rows stays with it: else
    /// every small table would come by that of a large one in the end.
    pub(crate) fn take_over(&mut self, smaller: &mut Table) {
        self.rows.take_over(smaller.rows());
        self.len = self.rows.len();
        self.index.fill(self.rows.all.iter().map(|row| row.tag));
    }
}

/// Empty tables, by their sizes. What an epoch has no use for is let go at its end: posts that come after a burst give its
/// memory back.
#[derive(Default)]
pub(crate) struct Pool {
    /// Of the epoch before.
    spare: Vec<Vec<Table>>,
    /// Of this epoch.
    given: Vec<Vec<Table>>,
}

impl Pool {
    /// An empty table of this size.
    pub(crate) fn take(&mut self, size: usize) -> Table {
        let mut lists = [&mut self.given, &mut self.spare].into_iter();
        let kept = lists.find_map(|list| list.get_mut(size).and_then(Vec::pop));
        let mut table = kept.unwrap_or_else(|| Table::new(size));
        // Rows that went into a block took their room along.
        table.rows.all.reserve_exact(1 << size >> 1);
        table
    }

    /// Takes a table back and empties it.
    pub(crate) fn give(&mut self, mut table: Table) {
        let size = table.size();
        table.index.clear();
        table.rows.clear();
        table.len = 0;
        if self.given.len() <= size {
            self.given.resize_with(size + 1, Vec::new);
        }
        self.given[size].push(table);
    }

    /// Lets go of what was not taken.
    pub(crate) fn end_epoch(&mut self) {
        self.spare = std::mem::take(&mut self.given);
    }

    /// Terms for which what is kept has room.
    #[cfg(test)]
    pub(crate) fn room(&self) -> usize {
        self.spare.iter().chain(&self.given).flatten().map(Table::room).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// However tags collide, within a group as well, and wherever groups end: each term has one row, with all its occurrences.
        #[test]
        fn each_term_has_one_row(
            terms in proptest::collection::vec((0u128..40, 1i64..4), 0..400),
            tags in proptest::collection::vec(0u32..12, 40),
            group in 1..=GROUP,
        ) {
            let (mut pool, mut expected) = (Pool::default(), BTreeMap::new());
            let mut table = pool.take(SMALLEST);
            let row = |(head, n): &(u128, i64)| Row { head: *head, n: *n, len: 3, tag: tags[*head as usize] << 28 | 5 };
            let rows: Vec<Row> = terms.iter().map(row).collect();
            let mut groups = rows.chunks(group).peekable();
            while let Some(staged) = groups.next() {
                while !table.has_room_for(staged.len()) {
                    let mut larger = pool.take(table.size() + 1);
                    larger.take_over(&mut table);
                    table = larger;
                }
                table.count(staged, groups.peek().copied().unwrap_or_default());
            }
            terms.iter().for_each(|(head, n)| *expected.entry(*head).or_insert(0) += n);
            prop_assert_eq!(table.len(), expected.len());
            prop_assert_eq!(table.rows().len(), expected.len());
            for Row { head, n, len, tag } in &table.rows().all {
                prop_assert_eq!((Some(n), *len, *tag), (expected.get(head), 3, tags[*head as usize] << 28 | 5));
            }
        }
    }
}
