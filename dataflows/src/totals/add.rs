//! How rows are added to totals, a group of them at a time.
//!
//! Idea: a row that is asked for a group ahead is near when its turn comes, and its four columns are added, compared with 0 and
//! with their floors by one instruction each where the processor has those that take four numbers: the same code, compiled twice.
//! Invariant: which of the two runs changes no number.
//! Cost: see `totals`. A further walk over the group for each four columns after the first.

use std::array::from_fn;
use std::ops::Range;

use super::{Totals, join, shard_of};
use crate::ahead::fetch;
use crate::rows::{Row, Rows};
use crate::windows::Mask;

/// Rows worth collecting before `add`: some groups of those that are added together.
pub(crate) const WORTH: usize = 32 * GROUP;

/// Rows that are added together.
const GROUP: usize = 32;

/// Groups between asking for rows and reading them.
const FAR: usize = 8;

/// What is added where.
pub(super) struct Adding<'a> {
    pub(super) rows: &'a Rows,
    /// A bit for each column.
    pub(super) windows: Mask,
    /// What a total has to reach to be told, for each column.
    pub(super) floors: &'a [i64],
    /// Columns and ids of those that have.
    pub(super) risen: &'a mut Vec<(usize, u32)>,
}

impl Totals {
    /// Adds what some rows say in each of `windows`, a bit for each column. Of each addition by which a total reaches the floor of
    /// its column, of which `floors` has one each, or leaves it upwards, `risen` gets the column and the id.
    pub(crate) fn add(
        &mut self,
        rows: &Rows,
        range: Range<usize>,
        windows: Mask,
        floors: &[i64],
        risen: &mut Vec<(usize, u32)>,
    ) {
        debug_assert_eq!(floors.len(), self.windows);
        let adding = Adding { rows, windows, floors, risen };
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2") {
            #[expect(unsafe_code, reason = "the compiler cannot know what the processor has")]
            // SAFETY: it has just been asked.
            return unsafe { self.add_by_fours(range, adding) };
        }
        self.add_range(range, adding);
    }

    /// The same with instructions that take four numbers.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn add_by_fours(&mut self, range: Range<usize>, adding: Adding<'_>) {
        self.add_range(range, adding);
    }

    #[inline(always)]
    pub(super) fn add_range(&mut self, range: Range<usize>, mut adding: Adding<'_>) {
        let all = &adding.rows.all[range];
        let group = |number: usize| all.chunks(GROUP).nth(number).unwrap_or_default();
        [0, 1].into_iter().for_each(|number| self.fetch_slots(group(number)));
        let mut next = self.fetch_rows(group(0));
        for number in 0..all.len().div_ceil(GROUP) {
            // The rows themselves were written when their epoch was drained, which may be long ago. Two to a cache line.
            (0..GROUP).step_by(2).for_each(|row| fetch(all, (number + FAR) * GROUP + row));
            self.fetch_slots(group(number + 2));
            let mut starts = std::mem::replace(&mut next, self.fetch_rows(group(number + 1)));
            match self.windows {
                1 => self.add_first::<1>(group(number), &mut starts, &mut adding),
                2 => self.add_first::<2>(group(number), &mut starts, &mut adding),
                3 => self.add_first::<3>(group(number), &mut starts, &mut adding),
                _ => self.add_first::<4>(group(number), &mut starts, &mut adding),
            }
        }
    }

    /// Asks for the slots of some rows.
    #[inline(always)]
    fn fetch_slots(&self, group: &[Row]) {
        for row in group {
            self.shards[shard_of(row.tag)].fetch_slot(row.tag);
        }
    }

    /// Asks for what stands for some rows, whose slots should be near by now. Where in its table each most likely begins.
    #[inline(always)]
    fn fetch_rows(&self, group: &[Row]) -> [usize; GROUP] {
        let mut starts = [0; GROUP];
        for (start, row) in starts.iter_mut().zip(group) {
            *start = self.shards[shard_of(row.tag)].fetch_row(row.tag);
        }
        starts
    }

    /// Finds where the rows of a group begin, and adds in the first `N` columns; then in the others, if there are more.
    #[inline(always)]
    fn add_first<const N: usize>(
        &mut self,
        group: &[Row],
        starts: &mut [usize; GROUP],
        adding: &mut Adding<'_>,
    ) {
        let mut columns = Columns::<N>::new(0, adding);
        for (new, start) in group.iter().zip(&mut *starts) {
            debug_assert!(
                new.tag == self.keys.tag(new.head, &adding.rows.update(new).term()),
                "hashed with other keys"
            );
            let shard = shard_of(new.tag);
            let totals = match self.shards[shard].at(*start, new.head, new.len) {
                Some(totals) => totals,
                None => {
                    *start = self.find_or_push(adding.rows, new);
                    self.shards[shard].columns(*start, 0)
                }
            };
            if columns.add(totals, new.n) {
                let totals = *totals;
                self.tell(&columns, totals, new, *start, adding);
            }
        }
        columns.settle(self);
        for from in (N..self.windows).step_by(4) {
            // A pane leaves one window at a time, and there may be many.
            if adding.windows >> from & 0b1111 == 0 {
                continue;
            }
            match self.windows - from {
                1 => self.add_next::<1>(from, group, starts, adding),
                2 => self.add_next::<2>(from, group, starts, adding),
                3 => self.add_next::<3>(from, group, starts, adding),
                _ => self.add_next::<4>(from, group, starts, adding),
            }
        }
    }

    /// Adds in `N` more columns.
    fn add_next<const N: usize>(
        &mut self,
        from: usize,
        group: &[Row],
        starts: &[usize; GROUP],
        adding: &mut Adding<'_>,
    ) {
        let mut columns = Columns::<N>::new(from, adding);
        for (new, start) in group.iter().zip(starts) {
            let totals = self.shards[shard_of(new.tag)].columns(*start, from);
            if columns.add(totals, new.n) {
                let totals = *totals;
                self.tell(&columns, totals, new, *start, adding);
            }
        }
        columns.settle(self);
    }

    /// Where the row of a term begins, which may be new.
    #[inline(never)]
    fn find_or_push(&mut self, rows: &Rows, new: &Row) -> usize {
        let (shard, update) = (&mut self.shards[shard_of(new.tag)], rows.update(new));
        let row = shard.find(&update).unwrap_or_else(|vacant| {
            self.len += 1;
            shard.push(vacant, &update, self.keys)
        });
        shard.start(row)
    }

    /// Tells which of a term's totals have risen.
    #[inline(never)]
    fn tell<const N: usize>(
        &self,
        columns: &Columns<N>,
        totals: [i64; N],
        new: &Row,
        start: usize,
        adding: &mut Adding<'_>,
    ) {
        let shard = shard_of(new.tag);
        let id = join(shard, self.shards[shard].row_at(start));
        let has_risen = |column: &usize| {
            let (floor, after) = (columns.floors[*column], totals[*column]);
            columns.masks[*column] != 0 && after - new.n <= floor && after >= floor
        };
        adding.risen.extend((0..N).filter(has_risen).map(|column| (columns.from + column, id)));
    }
}

/// Columns beside each other, in some of which is added. The others are walked through all the same: a branch for each costs
/// more.
struct Columns<const N: usize> {
    from: usize,
    masks: [i64; N],
    floors: [i64; N],
    /// How many terms more have a total, by column.
    distinct: [i64; N],
    /// What was added.
    total: i64,
}

impl<const N: usize> Columns<N> {
    #[inline(always)]
    fn new(from: usize, adding: &Adding<'_>) -> Self {
        let masks = from_fn(|column| -((adding.windows >> (from + column) & 1) as i64));
        Columns {
            from,
            masks,
            floors: from_fn(|column| adding.floors[from + column]),
            distinct: [0; N],
            total: 0,
        }
    }

    /// Whether any of the totals may have risen to its floor, or from there.
    #[inline(always)]
    fn add(&mut self, totals: &mut [i64; N], n: i64) -> bool {
        let before = *totals;
        let after: [i64; N] = from_fn(|column| before[column] + (n & self.masks[column]));
        *totals = after;
        self.distinct = from_fn(|column| {
            self.distinct[column] + i64::from(before[column] == 0) - i64::from(after[column] == 0)
        });
        self.total += n;
        // Less than 0 where a total was not above its floor and is not below it now: who was above is known for it already,
        // and those are the common terms, which most additions are to.
        let reached: [i64; N] = from_fn(|column| {
            let floor = self.floors[column];
            before[column].wrapping_sub(floor).wrapping_sub(1) & !after[column].wrapping_sub(floor)
        });
        reached.into_iter().fold(0, |any, one| any | one) < 0 && n > 0
    }

    #[inline(always)]
    fn settle(self, totals: &mut Totals) {
        for column in 0..N {
            let figures = &mut totals.figures[self.from + column];
            figures.total += self.total & self.masks[column];
            debug_assert!(figures.distinct as i64 + self.distinct[column] >= 0);
            figures.distinct = figures.distinct.wrapping_add_signed(self.distinct[column]);
        }
    }
}
