//! Running totals per term and window: compact tables of the worker's own, outside differential.
//!
//! Idea: a term gets an id; what tells it from others and its totals are one row of a flat array, so that a change
//! misses the cache twice, at the slot and at the row, where that is one line. So both are asked for ahead: the slot two
//! groups of changes before it is read, the row one group. A change costs a quarter of a differential update.
//! Terms are spread by their hashes over `SHARDS` tables, each of which grows and is compacted for itself: where millions of
//! terms are to be hashed again or copied, no epoch waits for all of them.
//! Invariant: an id stays valid until `compact`, which drops only terms whose totals are all 0.
//! Cost: per term that lives in a window: 24 bytes and 8 per window, filled up to a whole cache line where 8 bytes do that, and
//! 8 to 16 bytes of slots; a term longer than sixteen bytes is kept beside.

mod shard;

use std::array::from_fn;
use std::cmp::Ordering;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::rows::{Row, Rows, Update};
use crate::term::{HEAD, HashKeys, head, order};
use crate::windows::Mask;
use shard::{Known, Shard};

/// Rows worth collecting before `add`: some groups of those that are applied together.
pub(crate) const WORTH: usize = 32 * GROUP;

/// Rows that are applied together.
const GROUP: usize = 32;

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
    /// All ids.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        let rows = |(shard, table): (usize, &Shard)| (0..table.len()).map(move |row| join(shard, row));
        self.shards.iter().enumerate().flat_map(rows)
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
    /// The total of an id in a window.
    #[inline]
    pub fn count(&self, id: u32, window: usize) -> i64 {
        let (shard, row) = split(id);
        self.shards[shard].totals(row, window)[0]
    }
    /// What a row says, and the term where its head does not hold it.
    #[inline]
    fn known(&self, id: u32) -> (Known, Option<&[u8]>) {
        let (shard, row) = split(id);
        let known = self.shards[shard].known(row);
        (known, self.shards[shard].long(known))
    }

    /// Asks for the slots of some rows.
    #[inline]
    fn fetch_slots(&self, group: &[Row]) {
        for row in group {
            self.shards[shard_of(row.tag)].fetch_slot(row.tag);
        }
    }

    /// Asks for what stands for some rows, whose slots should be near by now. Where that most likely is.
    #[inline]
    fn fetch_rows(&self, group: &[Row]) -> [usize; GROUP] {
        let mut guesses = [0; GROUP];
        for (guess, row) in guesses.iter_mut().zip(group) {
            *guess = self.shards[shard_of(row.tag)].fetch_row(row.tag);
        }
        guesses
    }

    /// Adds what some rows say in each of `windows`, a bit for each column. Of each addition after which a total is not below the
    /// floor of its column, of which `floors` has one each, `risen` gets the column and the id.
    pub(crate) fn add(
        &mut self,
        rows: &Rows,
        range: Range<usize>,
        windows: Mask,
        floors: &[i64],
        risen: &mut Vec<(usize, u32)>,
    ) {
        debug_assert_eq!(floors.len(), self.windows);
        let all = &rows.all[range];
        let group = |number: usize| all.chunks(GROUP).nth(number).unwrap_or_default();
        [0, 1].into_iter().for_each(|number| self.fetch_slots(group(number)));
        let (mut ids, mut next) = ([0; GROUP], self.fetch_rows(group(0)));
        for number in 0..all.len().div_ceil(GROUP) {
            self.fetch_slots(group(number + 2));
            let guesses = std::mem::replace(&mut next, self.fetch_rows(group(number + 1)));
            let group = group(number);
            for ((id, row), guess) in ids.iter_mut().zip(group).zip(guesses) {
                *id = self.id(&rows.update(row), guess);
            }
            self.apply(group, &ids, windows, floors, risen);
        }
    }

    /// Adds rows whose ids are known, a few columns at a time.
    #[inline]
    fn apply(
        &mut self,
        group: &[Row],
        ids: &[u32],
        windows: Mask,
        floors: &[i64],
        risen: &mut Vec<(usize, u32)>,
    ) {
        let (mut from, mut rest) = (0, floors);
        while let Some((four, more)) = rest.split_first_chunk() {
            // A pane leaves one window at a time, and there may be many.
            if windows >> from & 0b1111 != 0 {
                self.apply_in::<4>(from, group, ids, windows, four, risen);
            }
            (from, rest) = (from + 4, more);
        }
        match *rest {
            [] => {}
            [one] => self.apply_in(from, group, ids, windows, &[one], risen),
            [one, two] => self.apply_in(from, group, ids, windows, &[one, two], risen),
            [one, two, three, ..] => self.apply_in(from, group, ids, windows, &[one, two, three], risen),
        }
    }

    /// The same in `N` columns, for one of which the changes are. The others are walked through all the same: a branch for each
    /// costs more.
    #[inline(always)]
    fn apply_in<const N: usize>(
        &mut self,
        from: usize,
        group: &[Row],
        ids: &[u32],
        windows: Mask,
        floors: &[i64; N],
        risen: &mut Vec<(usize, u32)>,
    ) {
        let has: [bool; N] = from_fn(|column| windows >> (from + column) & 1 == 1);
        let masks = has.map(|has| if has { -1 } else { 0 });
        let (mut distinct, mut total) = ([0; N], 0);
        for (id, Row { n, .. }) in ids.iter().zip(group) {
            let (shard, row) = split(*id);
            let row: &mut [i64; N] = self.shards[shard].columns(row, from);
            let mut is_high = false;
            for column in 0..N {
                let before = row[column];
                let after = before + (n & masks[column]);
                row[column] = after;
                distinct[column] += i64::from(after != 0) - i64::from(before != 0);
                is_high |= after >= floors[column];
            }
            total += n;
            if is_high && *n > 0 {
                let high = (0..N).filter(|column| has[*column] && row[*column] >= floors[*column]);
                risen.extend(high.map(|column| (from + column, *id)));
            }
        }
        for column in 0..N {
            let figures = &mut self.figures[from + column];
            figures.total += total & masks[column];
            debug_assert!(figures.distinct as i64 + distinct[column] >= 0);
            figures.distinct = figures.distinct.wrapping_add_signed(distinct[column]);
        }
    }

    #[inline(always)]
    fn id(&mut self, update: &Update<'_>, guess: usize) -> u32 {
        debug_assert_eq!(update.tag, self.keys.tag(update.head, &update.term()), "hashed with other keys");
        let number = shard_of(update.tag);
        let shard = &mut self.shards[number];
        let row = if shard.is_at(guess, update) { Ok(guess) } else { shard.find(update) };
        let row = row.unwrap_or_else(|vacant| {
            self.len += 1;
            shard.push(vacant, update, self.keys)
        });
        join(number, row)
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
