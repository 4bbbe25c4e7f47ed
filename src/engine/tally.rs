//! What became of the records, besides their terms.
//!
//! Idea: a worker tallies what it decodes epoch by epoch, as the terms themselves go, so that the numbers of a status
//! belong to the same records as the counts beside them.
//! Invariant: every record is a post, bad or other, once; `ahead`, `undated` and `late` are parts of `posts`.
//! Cost: a few words per epoch, and one entry per pane of the smallest window that had posts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::posts::Reason;

/// Numbers of records and posts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Records that are posts.
    pub posts: u64,
    /// Records that are not, by reason.
    pub bad: BTreeMap<Reason, u64>,
    /// Records that are no posts and need not be, by kind.
    pub other: BTreeMap<Cow<'static, str>, u64>,
    /// Posts that came when the smallest window had already left their pane.
    pub late: u64,
    /// Posts more than 24 h ahead of the wall clock.
    pub ahead: u64,
    /// Posts without a usable time.
    pub undated: u64,
    /// Occurrences of terms that are too long to be counted.
    pub too_long: u64,
    /// The newest event time by partition number, in Unix milliseconds.
    pub newest: BTreeMap<u32, u64>,
    /// Posts by the pane of the smallest window in which their time lies, until `late` is known.
    #[serde(skip)]
    pub panes: BTreeMap<u64, u64>,
}

impl Tally {
    /// Takes note of a post's event time; `slide` is that of the smallest sliding window, in milliseconds, if there is one.
    pub fn dated(&mut self, partition: u32, time: u64, slide: Option<u64>) {
        let newest = self.newest.entry(partition).or_default();
        *newest = time.max(*newest);
        if let Some(slide) = slide {
            *self.panes.entry(time / slide).or_default() += 1;
        }
    }

    /// Settles which posts were late: those whose pane ended before the smallest window began, at the clock of their epoch.
    /// 0 where there is no such window, or no clock yet.
    pub fn settle_late(&mut self, first_covered_pane: u64) {
        self.late += self.panes.range(..first_covered_pane).map(|(_, posts)| posts).sum::<u64>();
        self.panes.clear();
    }

    /// Adds another tally, whose `late` is settled, to this one.
    pub fn add(&mut self, other: &Tally) {
        self.posts += other.posts;
        self.late += other.late;
        self.ahead += other.ahead;
        self.undated += other.undated;
        self.too_long += other.too_long;
        other.bad.iter().for_each(|(reason, n)| *self.bad.entry(*reason).or_default() += n);
        other.other.iter().for_each(|(kind, n)| *self.other.entry(kind.clone()).or_default() += n);
        for (partition, time) in &other.newest {
            let newest = self.newest.entry(*partition).or_default();
            *newest = (*newest).max(*time);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_is_what_the_smallest_window_has_left() {
        let mut tally = Tally::default();
        for time in [100, 109, 110, 125] {
            tally.dated(0, time, Some(10));
        }
        tally.settle_late(11);
        assert_eq!((tally.late, tally.newest[&0]), (2, 125));
        let mut sum = Tally { late: 1, ..Tally::default() };
        sum.add(&tally);
        assert_eq!(sum.late, 3);
        assert!(sum.panes.is_empty());
    }
}
