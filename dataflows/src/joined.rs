//! All updates of a pane that came in one epoch, wherever they stand, by one number each.
//!
//! Idea: as a rule one piece has nearly all of them, the table that was filled with the pane, and the rest is what came late. That
//! piece is read where it stands, and only the others are put together behind it.
//! Invariant: a number below `len` is that of one row.
//! Cost: a copy of 32 bytes of each row that is not in the largest piece; to read a row, a comparison.

use std::cmp::Ordering;
use std::ops::Range;

use crate::rows::{Row, Rows, Update};
use crate::windows::Pane;

/// Updates of a block that are of one pane and stand together.
pub(crate) struct Piece<'a> {
    pub(crate) pane: Pane,
    pub(crate) rows: &'a Rows,
    pub(crate) range: Range<usize>,
}

/// All updates of a pane.
pub(crate) struct Joined<'a> {
    /// The rows of the first piece, and of the block that it is from.
    most: &'a [Row],
    home: &'a Rows,
    /// The other pieces, and where each ends in `rest`.
    others: &'a [Piece<'a>],
    ends: &'a [usize],
    /// Their rows, end to end.
    rest: &'a [Row],
}

impl<'a> Joined<'a> {
    /// Of these pieces, the largest of which should be the first; the others are copied into `rest`. `None`: there are none.
    pub(crate) fn new(
        pieces: &'a [Piece<'a>],
        rest: &'a mut Vec<Row>,
        ends: &'a mut Vec<usize>,
    ) -> Option<Joined<'a>> {
        let (Piece { rows, range, .. }, others) = pieces.split_first()?;
        rest.clear();
        ends.clear();
        for Piece { rows, range, .. } in others {
            rest.extend_from_slice(&rows.all[range.clone()]);
            ends.push(rest.len());
        }
        Some(Joined { most: &rows.all[range.clone()], home: rows, others, ends, rest })
    }
    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.most.len() + self.rest.len()
    }
    /// All rows in the order of their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'a Row> {
        self.most.iter().chain(self.rest)
    }
    /// A row by its number.
    #[inline]
    pub(crate) fn row(&self, number: usize) -> &'a Row {
        self.most.get(number).unwrap_or_else(|| &self.rest[number - self.most.len()])
    }
    /// The rows of the block that a row is from.
    pub(crate) fn home(&self, number: usize) -> &'a Rows {
        match number.checked_sub(self.most.len()) {
            Some(number) => self.others[self.ends.partition_point(|end| *end <= number)].rows,
            None => self.home,
        }
    }
    fn update(&self, number: usize) -> Update<'a> {
        self.home(number).update(self.row(number))
    }
    /// The order of the terms of two rows.
    pub(crate) fn compare(&self, one: usize, two: usize) -> Ordering {
        let (first, second) = (self.row(one), self.row(two));
        first.head.cmp(&second.head).then_with(|| {
            if first.long().is_none() && second.long().is_none() {
                first.len.cmp(&second.len)
            } else {
                self.update(one).term().cmp(&self.update(two).term())
            }
        })
    }
}
