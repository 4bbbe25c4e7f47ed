//! The totals of some of the terms: a table of rows, and an index into it.
//!
//! Idea: a row says its term (the head, the length, where a longer one stands) and then its totals, end to end.
//! Invariant: every row is in the index, which has at least twice as many slots.
//! Cost: see `totals`; a table that grows hashes its terms again.

use crate::ahead::fetch;
use crate::index::Index;
use crate::rows::Update;
use crate::term::{HEAD, HashKeys};

use super::SHARDS;

/// Slots of the smallest index, as a power of two.
const SMALLEST: usize = 3;

/// Where the totals of a row begin: after the two halves of the term's head, and its length, above which stands the index in
/// `long` of one that is longer than a head.
const TOTALS: usize = 3;

/// What a row says of its term.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) head: u128,
    pub(super) len: usize,
    long: usize,
}

/// Rows, and where they stand.
pub(super) struct Shard {
    index: Index,
    /// `stride` numbers for each term: its row, then nothing.
    rows: Vec<i64>,
    /// Numbers from row to row: a row that is nearly a cache line is made as long as one.
    stride: usize,
    /// Terms longer than a head, whole.
    long: Vec<Box<[u8]>>,
}

/// What the index knows a term by: the bits that all terms of the table share go to where they matter least.
#[inline]
fn known_by(tag: u32) -> u32 {
    tag.rotate_right(SHARDS.ilog2())
}

impl Shard {
    /// No terms yet; a column for each of `windows`.
    pub(super) fn new(windows: usize) -> Shard {
        let row = TOTALS + windows;
        let stride = if row % 8 == 7 { row + 1 } else { row };
        Shard { index: Index::new(SMALLEST), rows: Vec::new(), stride, long: Vec::new() }
    }
    /// Number of rows.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.rows.len() / self.stride
    }
    /// The totals of a row in the columns from one on.
    #[inline]
    pub(super) fn totals(&self, row: usize, from: usize) -> &[i64] {
        &self.rows[self.start(row) + TOTALS + from..self.start(row + 1)]
    }
    /// The totals of all rows in a column.
    pub(super) fn column(&self, column: usize) -> impl Iterator<Item = i64> {
        self.rows.chunks_exact(self.stride).map(move |row| row[TOTALS + column])
    }
    /// Where a row begins.
    #[inline]
    pub(super) fn start(&self, row: usize) -> usize {
        row * self.stride
    }
    /// The row that begins there.
    pub(super) fn row_at(&self, start: usize) -> usize {
        start / self.stride
    }
    /// The totals of the row that begins there, of so many columns from one on, to be changed.
    #[inline(always)]
    pub(super) fn columns<const N: usize>(&mut self, start: usize, from: usize) -> &mut [i64; N] {
        self.rows[start + TOTALS + from..].first_chunk_mut().expect("a row has all columns")
    }
    /// The same of the first columns, if a row begins there and is that of a term which its head holds.
    #[inline(always)]
    pub(super) fn at<const N: usize>(&mut self, start: usize, head: u128, len: u32) -> Option<&mut [i64; N]> {
        let (known, totals) = self.rows.get_mut(start..)?.split_first_chunk_mut::<TOTALS>()?;
        let other = (known[0] ^ (head >> 64) as i64) | (known[1] ^ head as i64) | (known[2] ^ i64::from(len));
        if other == 0 && len as usize <= HEAD { totals.first_chunk_mut() } else { None }
    }
    /// Whether any of its totals is not 0.
    pub(super) fn is_alive(&self, row: usize) -> bool {
        self.totals(row, 0).iter().any(|n| *n != 0)
    }
    /// What it says of its term.
    #[inline]
    pub(super) fn known(&self, row: usize) -> Known {
        let row: &[i64; TOTALS] = self.rows[self.start(row)..].first_chunk().expect("there is such a row");
        let head = u128::from(row[0] as u64) << 64 | u128::from(row[1] as u64);
        Known { head, len: row[2] as u32 as usize, long: (row[2] as u64 >> 32) as usize }
    }
    /// A term that its head does not hold, whole.
    #[inline]
    pub(super) fn long(&self, known: Known) -> Option<&[u8]> {
        (known.len > HEAD).then(|| &*self.long[known.long])
    }
    /// The term of a row; `room` takes the bytes of one that only its head holds.
    pub(super) fn spell<'a>(&'a self, row: usize, room: &'a mut [u8; HEAD]) -> &'a [u8] {
        let known = self.known(row);
        *room = known.head.to_be_bytes();
        self.long(known).unwrap_or(&room[..known.len.min(HEAD)])
    }

    /// Asks for the slot of a tag.
    #[inline]
    pub(super) fn fetch_slot(&self, tag: u32) {
        self.index.fetch(known_by(tag));
    }
    /// Asks for a row.
    #[inline(always)]
    pub(super) fn fetch(&self, row: usize) {
        fetch(&self.rows, self.start(row));
    }
    /// Asks for the row of a tag, whose slot should be near by now. Where the row begins that it most likely is.
    #[inline(always)]
    pub(super) fn fetch_row(&self, tag: u32) -> usize {
        let row = self.index.guess(known_by(tag));
        self.fetch(row);
        self.start(row)
    }
    /// The row of a term, or the slot where it would go.
    #[inline(always)]
    pub(super) fn find(&self, update: &Update<'_>) -> Result<usize, usize> {
        self.index.find(known_by(update.tag), |row| {
            let known = self.known(row);
            known.len == update.len as usize
                && known.head == update.head
                && self.long(known).is_none_or(|long| long == update.long)
        })
    }
    /// A row for a new term, whose slot is vacant.
    pub(super) fn push(&mut self, vacant: usize, update: &Update<'_>, keys: HashKeys) -> usize {
        let row = self.append(update.head, update.len, update.long);
        if self.index.put(vacant, known_by(update.tag), row) {
            self.index_anew(keys);
        }
        row
    }
    /// A new row; `long` is the term where it is longer than its head.
    fn append(&mut self, head: u128, len: u32, long: &[u8]) -> usize {
        let row = self.len();
        assert!(row < (1 << 31) / SHARDS, "less than 2^31 terms per worker");
        let mut length = u64::from(len);
        if len as usize > HEAD {
            length |= (self.long.len() as u64) << 32;
            self.long.push(long.into());
        }
        self.rows.extend([(head >> 64) as i64, head as i64, length as i64]);
        self.rows.resize((row + 1) * self.stride, 0);
        // Else the next new row would wait for memory that nobody has asked for.
        fetch(self.rows.spare_capacity_mut(), 0);
        row
    }

    /// Puts all terms into an index that has room for one more at least.
    #[cold]
    fn index_anew(&mut self, keys: HashKeys) {
        // What there was is given back first.
        self.index = Index::new(SMALLEST);
        let mut index = Index::with_room(self.len(), SMALLEST);
        index.fill(
            (0..self.len())
                .map(|row| known_by(keys.tag(self.known(row).head, self.spell(row, &mut [0; HEAD])))),
        );
        self.index = index;
    }

    /// Drops terms whose totals are 0. The new row of each old one.
    pub(super) fn compact(&mut self, keys: HashKeys) -> Vec<Option<u32>> {
        let (mut alive, rows) = (0, 0..self.len());
        let next = |row| {
            self.is_alive(row).then(|| {
                alive += 1;
                alive - 1
            })
        };
        let moved: Vec<Option<u32>> = rows.map(next).collect();
        let mut kept = Shard {
            index: Index::new(SMALLEST),
            // About as many come until its turn comes again.
            rows: Vec::with_capacity((alive + alive / 4) as usize * self.stride),
            stride: self.stride,
            long: Vec::new(),
        };
        for (row, _) in moved.iter().enumerate().filter(|(_, to)| to.is_some()) {
            let known = self.known(row);
            let to = kept.append(known.head, known.len as u32, self.long(known).unwrap_or_default());
            kept.rows[to * self.stride + TOTALS..].copy_from_slice(self.totals(row, 0));
        }
        kept.index_anew(keys);
        *self = kept;
        moved
    }
}
