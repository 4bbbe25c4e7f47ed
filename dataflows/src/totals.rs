//! Running totals per term and window: a compact table of the worker's own, outside differential.
//!
//! Idea: a term gets a dense id; what tells it from others and its totals are one row of a flat array, so that a change
//! misses the cache twice, at the slot and at the row, where that is one line. So both are asked for ahead: the slot when a
//! change is made, the row a group of changes before it is applied. A change costs a quarter of a differential update.
//! Invariant: an id stays valid until `compact`, which drops exactly the terms whose totals are all 0.
//! Cost: per term that lives in a window: 24 bytes and 8 per window, filled up to a whole cache line where 8 bytes do that, and
//! 8 to 16 bytes of slots; a term longer than sixteen bytes is kept beside. When the terms have doubled, all are hashed again.

use std::array::from_fn;
use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::ahead::fetch;
use crate::index::Index;
use crate::rows::Update;
use crate::term::{HEAD, HashKeys, head};
use crate::windows::Mask;

/// Changes worth collecting before `add`: some groups of those that are applied together.
pub const WORTH: usize = 4 * GROUP;

/// Changes that are applied together.
const GROUP: usize = 32;

/// So many more (or less) of a term in each of some windows: see [`Totals::change`].
pub struct Change<'a> {
    update: Update<'a>,
    windows: Mask,
}

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

/// Slots of the smallest index, as a power of two.
const SMALLEST: usize = 6;

/// Where the totals of a row begin: after the two halves of the term's head, and its length, above which stands the index of
/// a longer one in `long`.
const TOTALS: usize = 3;

/// What a row says of its term.
#[derive(Clone, Copy)]
struct Known {
    head: u128,
    len: usize,
    long: usize,
}

/// A row of totals for each term.
pub struct Totals {
    keys: HashKeys,
    windows: usize,
    figures: Vec<Figures>,
    index: Index,
    /// `stride` numbers for each term: its row, then nothing.
    rows: Vec<i64>,
    /// Numbers from row to row: a row that is nearly a cache line is made as long as one.
    stride: usize,
    /// Terms longer than a head, whole.
    long: Vec<Box<[u8]>>,
}

/// Where each id went in a compaction.
pub struct Moved(Vec<Option<u32>>);

impl Moved {
    /// Its new id; `None` if it was dropped.
    pub fn to(&self, id: u32) -> Option<u32> {
        self.0[id as usize]
    }
}

impl Totals {
    /// No terms yet; a column for each of `windows`.
    pub fn new(windows: usize, keys: HashKeys) -> Self {
        let figures = vec![Figures::default(); windows];
        let row = TOTALS + windows;
        let stride = if row % 8 == 7 { row + 1 } else { row };
        Totals {
            keys,
            windows,
            figures,
            index: Index::new(SMALLEST),
            rows: Vec::new(),
            stride,
            long: Vec::new(),
        }
    }
    /// Number of ids, including those of terms whose totals have become 0.
    pub fn len(&self) -> usize {
        self.rows.len() / self.stride
    }
    /// Whether there are no ids.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
    /// Number of terms with a total that is not 0: those of the last column, which holds whatever any other does.
    pub fn alive(&self) -> usize {
        self.figures.last().map_or(0, |held| held.distinct as usize)
    }
    /// Whether a term has a total that is not 0.
    pub fn is_alive(&self, update: &Update<'_>) -> bool {
        self.find(update).is_ok_and(|id| self.totals(id).iter().any(|n| *n != 0))
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
        self.spelt(self.known(id), room)
    }
    /// The order of two terms.
    pub fn compare(&self, one: u32, two: u32) -> Ordering {
        let (one, two) = (self.known(one), self.known(two));
        one.head.cmp(&two.head).then_with(|| match (self.rest(one), self.rest(two)) {
            (Some(one), Some(two)) => one.cmp(two),
            // Where a head holds one of them whole, the other begins with it.
            _ => one.len.cmp(&two.len),
        })
    }
    /// The order of an id's term and another.
    pub fn compare_to(&self, id: u32, term: &[u8]) -> Ordering {
        let known = self.known(id);
        known.head.cmp(&head(term)).then_with(|| match self.rest(known) {
            Some(rest) if term.len() > HEAD => rest.cmp(term),
            _ => known.len.cmp(&term.len()),
        })
    }
    /// The total of an id in a window.
    #[inline]
    pub fn count(&self, id: u32, window: usize) -> i64 {
        self.rows[id as usize * self.stride + TOTALS + window]
    }
    fn totals(&self, id: u32) -> &[i64] {
        &self.rows[id as usize * self.stride + TOTALS..][..self.windows]
    }
    #[inline]
    fn known(&self, id: u32) -> Known {
        let row: &[i64; TOTALS] =
            self.rows[id as usize * self.stride..].first_chunk().expect("a row is longer");
        let head = u128::from(row[0] as u64) << 64 | u128::from(row[1] as u64);
        Known { head, len: row[2] as u32 as usize, long: (row[2] as u64 >> 32) as usize }
    }
    /// A term's bytes; `room` takes those of one that only its head holds.
    fn spelt<'a>(&'a self, known: Known, room: &'a mut [u8; HEAD]) -> &'a [u8] {
        *room = known.head.to_be_bytes();
        self.rest(known).unwrap_or(&room[..known.len.min(HEAD)])
    }
    /// A term that its head does not hold, whole.
    fn rest(&self, known: Known) -> Option<&[u8]> {
        (known.len > HEAD).then(|| &*self.long[known.long])
    }

    /// An update in each of `windows`, a bit for each column. What will be looked up first is asked for, so it should be made some
    /// changes before it is added.
    #[inline]
    pub fn change<'a>(&self, update: Update<'a>, windows: Mask) -> Change<'a> {
        debug_assert_eq!(update.tag, self.keys.tag(update.head, &update.term()), "hashed with other keys");
        self.index.fetch(update.tag);
        Change { update, windows }
    }

    /// Asks for the rows of a group, whose slots should be near by now.
    #[inline]
    fn fetch_rows(&self, group: &[Change<'_>]) {
        group.iter().for_each(|change| fetch(&self.rows, self.index.guess(change.update.tag) * self.stride));
    }

    /// Applies the changes. Of each addition after which a total is not below the floor of its column, of which `floors` has
    /// one each, `risen` gets the column and the id.
    pub fn add(&mut self, changes: &[Change<'_>], floors: &[i64], risen: &mut Vec<(usize, u32)>) {
        debug_assert_eq!(floors.len(), self.windows);
        let (mut ids, mut groups) = ([0; GROUP], changes.chunks(GROUP).peekable());
        self.fetch_rows(groups.peek().copied().unwrap_or_default());
        while let Some(group) = groups.next() {
            self.fetch_rows(groups.peek().copied().unwrap_or_default());
            for (id, change) in ids.iter_mut().zip(group) {
                *id = self.id(&change.update);
            }
            let mut ids = &ids[..group.len()];
            for alike in group.chunk_by(|one, two| one.windows == two.windows) {
                let (these, rest) = ids.split_at(alike.len());
                ids = rest;
                self.apply(alike, these, floors, risen);
            }
        }
    }

    /// Applies changes of the same windows, which are not none, a few columns at a time.
    #[inline]
    fn apply(&mut self, alike: &[Change<'_>], ids: &[u32], floors: &[i64], risen: &mut Vec<(usize, u32)>) {
        let windows = alike.first().map_or(0, |change| change.windows);
        let (mut from, mut rest) = (0, floors);
        while let Some((four, more)) = rest.split_first_chunk() {
            // A pane leaves one window at a time, and there may be many.
            if windows >> from & 0b1111 != 0 {
                self.apply_in::<4>(from, alike, ids, four, risen);
            }
            (from, rest) = (from + 4, more);
        }
        match *rest {
            [] => {}
            [one] => self.apply_in(from, alike, ids, &[one], risen),
            [one, two] => self.apply_in(from, alike, ids, &[one, two], risen),
            [one, two, three, ..] => self.apply_in(from, alike, ids, &[one, two, three], risen),
        }
    }

    /// The same in `N` columns, for one of which the changes are. The others are walked through all the same: a branch for each
    /// costs more.
    #[inline(always)]
    fn apply_in<const N: usize>(
        &mut self,
        from: usize,
        alike: &[Change<'_>],
        ids: &[u32],
        floors: &[i64; N],
        risen: &mut Vec<(usize, u32)>,
    ) {
        let windows = alike.first().map_or(0, |change| change.windows >> from);
        let has: [bool; N] = from_fn(|column| windows >> column & 1 == 1);
        let masks = has.map(|has| if has { -1 } else { 0 });
        let (mut distinct, mut total) = ([0; N], 0);
        for (id, change) in ids.iter().zip(alike) {
            let row = &mut self.rows[*id as usize * self.stride + TOTALS + from..];
            let row: &mut [i64; N] = row.first_chunk_mut().expect("a row has all columns");
            let mut is_high = false;
            for column in 0..N {
                let before = row[column];
                let after = before + (change.update.n & masks[column]);
                row[column] = after;
                distinct[column] += i64::from(after != 0) - i64::from(before != 0);
                is_high |= after >= floors[column];
            }
            total += change.update.n;
            if is_high && change.update.n > 0 {
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

    /// The id of a term, or the slot where it would go.
    #[inline(always)]
    fn find(&self, update: &Update<'_>) -> Result<u32, usize> {
        self.index.find(update.tag, |place| self.is(place as u32, update)).map(|place| place as u32)
    }

    #[inline]
    fn id(&mut self, update: &Update<'_>) -> u32 {
        self.find(update).unwrap_or_else(|vacant| {
            let id = self.push(update.head, update.len, update.long);
            if self.index.put(vacant, update.tag, id as usize) {
                self.index_anew();
            }
            id
        })
    }

    /// Puts all terms into an index that has room for one more at least.
    #[cold]
    fn index_anew(&mut self) {
        // What there was is given back first.
        self.index = Index::new(SMALLEST);
        let mut index = Index::with_room(self.len(), SMALLEST);
        index.fill((0..self.len() as u32).map(|id| {
            let known = self.known(id);
            self.keys.tag(known.head, self.spelt(known, &mut [0; HEAD]))
        }));
        self.index = index;
    }

    #[inline]
    fn is(&self, id: u32, update: &Update<'_>) -> bool {
        let known = self.known(id);
        known.len == update.len as usize
            && known.head == update.head
            && self.rest(known).is_none_or(|rest| rest == update.long)
    }

    /// A new row; `long` is the term where it is longer than its head.
    fn push(&mut self, head: u128, len: u32, long: &[u8]) -> u32 {
        let id = u32::try_from(self.len()).expect("less than 2^31 terms per worker");
        let index = self.long.len() as u64;
        if len as usize > HEAD {
            self.long.push(long.into());
        }
        self.rows.extend([(head >> 64) as i64, head as i64, (index << 32 | u64::from(len)) as i64]);
        self.rows.resize((id as usize + 1) * self.stride, 0);
        id
    }

    /// Drops terms whose totals are 0, once they are half as many as the others; so its cost is a constant per term dropped.
    /// Were it later, memory would go on growing long after all windows are full.
    pub fn compact(&mut self) -> Option<Moved> {
        if self.len() < 64 || 2 * self.len() < 3 * self.alive() {
            return None;
        }
        let mut kept = Totals::new(self.windows, self.keys);
        kept.figures.clone_from(&self.figures);
        kept.rows.reserve(self.alive() * kept.stride);
        let moved = (0..self.len() as u32).map(|id| {
            self.totals(id).iter().any(|n| *n != 0).then(|| {
                let known = self.known(id);
                let to = kept.push(known.head, known.len as u32, self.rest(known).unwrap_or_default());
                let from = to as usize * kept.stride + TOTALS;
                kept.rows[from..][..self.windows].copy_from_slice(self.totals(id));
                to
            })
        });
        let moved = Moved(moved.collect());
        kept.index_anew();
        *self = kept;
        Some(moved)
    }
}

#[cfg(test)]
mod tests;
