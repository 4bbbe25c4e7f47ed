//! What became of the records, besides their terms.
//!
//! Idea: a worker tallies what it decodes epoch by epoch, as the terms themselves go, so that the numbers of a status
//! belong to the same records as the counts beside them.
//! Invariant: every record is a post, bad or other, once; `ahead`, `undated` and `late` are parts of `posts`.
//! Cost: a few words per epoch, and one entry per pane of the smallest window that had posts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::progress::Progress;
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
    /// Posts by pane of the smallest window, of which it is not known yet whether they are late: that is settled once it is known how
    /// the clock stood in their epoch.
    #[serde(skip)]
    pub panes: BTreeMap<u64, u64>,
}

/// The smallest sliding window of all counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Smallest {
    /// In milliseconds.
    pub size: u64,
    /// In milliseconds.
    pub slide: u64,
}

impl Smallest {
    /// The first pane that it covers, by the number of its slides, when the clock stands there.
    pub fn first(&self, clock: u64) -> u64 {
        (clock / self.slide + 1).saturating_sub(self.size / self.slide)
    }
}

impl Tally {
    /// Settles which of the other posts were late: those whose pane the smallest window no longer covered when their epoch began.
    pub fn settle_late(&mut self, first_covered_pane: u64) {
        self.late += self.panes.range(..first_covered_pane).map(|(_, posts)| posts).sum::<u64>();
        self.panes.clear();
    }

    /// What has come to an earlier tally since. What it knows by name stays, with 0 where nothing has come to it; times are those of now.
    pub fn since(&self, before: &Tally) -> Tally {
        let known = |reason: &Reason| before.bad.get(reason).copied().unwrap_or(0);
        let of_kind = |kind: &str| before.other.get(kind).copied().unwrap_or(0);
        let bad = self.bad.iter().map(|(reason, n)| (*reason, n.saturating_sub(known(reason))));
        let other = self.other.iter().map(|(kind, n)| (kind.clone(), n.saturating_sub(of_kind(kind))));
        Tally {
            posts: self.posts.saturating_sub(before.posts),
            bad: bad.collect(),
            other: other.collect(),
            late: self.late.saturating_sub(before.late),
            ahead: self.ahead.saturating_sub(before.ahead),
            undated: self.undated.saturating_sub(before.undated),
            too_long: self.too_long.saturating_sub(before.too_long),
            newest: self.newest.clone(),
            panes: self.panes.clone(),
        }
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

/// Posts in a row that came from one partition and lie in one pane of the smallest window, until they are tallied together:
/// most posts are as the one before.
#[derive(Debug)]
pub struct Dating {
    /// If there is one.
    smallest: Option<Smallest>,
    partition: u32,
    /// The event times that lie in the pane; without such a window all do.
    times: Range<u64>,
    newest: u64,
    /// The event time of the last one.
    last: u64,
    posts: u64,
    /// How far the clock will be at least by what has been tallied.
    reached: u64,
    /// The clock goes no further now, whatever comes.
    pub(super) bound: u64,
    /// How far partitions have come.
    pub(super) progress: Progress,
}

impl Dating {
    /// No posts yet.
    pub fn new(smallest: Option<Smallest>) -> Dating {
        Dating {
            smallest,
            partition: 0,
            times: 0..0,
            newest: 0,
            last: 0,
            posts: 0,
            reached: 0,
            bound: u64::MAX,
            progress: Progress::default(),
        }
    }

    /// Takes note of a post's event time; those that differ from it go into the tally first.
    #[inline]
    pub fn note(&mut self, partition: u32, time: u64, tally: &mut Tally) {
        if partition != self.partition || !self.times.contains(&time) {
            self.settle(tally);
            self.partition = partition;
            self.times = self.smallest.map_or(0..u64::MAX, |Smallest { slide, .. }| {
                let from = time / slide * slide;
                from..from.saturating_add(slide)
            });
        }
        self.newest = self.newest.max(time);
        self.last = time;
        self.posts += 1;
    }

    /// Tallies what has not been yet.
    pub fn settle(&mut self, tally: &mut Tally) {
        let posts = std::mem::take(&mut self.posts);
        if posts == 0 {
            return;
        }
        self.progress.note(self.partition, self.last);
        if let Some(smallest) = self.smallest {
            let pane = self.times.start / smallest.slide;
            // In one epoch there may be hours of posts, and those in their order are not late.
            if pane < smallest.first(self.reached) {
                tally.late += posts;
            } else {
                *tally.panes.entry(pane).or_default() += posts;
            }
        }
        self.reached = self.reached.max(self.newest.min(self.bound));
        let newest = tally.newest.entry(self.partition).or_default();
        *newest = std::mem::take(&mut self.newest).max(*newest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALLEST: Option<Smallest> = Some(Smallest { size: 20, slide: 10 });

    #[test]
    fn late_is_what_the_smallest_window_has_left() {
        let (mut tally, mut dating) = (Tally::default(), Dating::new(SMALLEST));
        // Of those only the last came when another had moved the clock beyond it.
        for time in [80, 100, 109, 110, 125, 109] {
            dating.note(0, time, &mut tally);
        }
        dating.settle(&mut tally);
        assert_eq!(tally.late, 1);
        // The clock stood in pane 10 when they came.
        tally.settle_late(9);
        assert_eq!((tally.late, tally.newest[&0]), (2, 125));
        let mut sum = Tally { late: 1, ..Tally::default() };
        sum.add(&tally);
        assert_eq!(sum.late, 3);
        assert!(sum.panes.is_empty());
    }

    #[test]
    fn what_came_since_and_what_was_before_add_up() {
        let bad = |n| BTreeMap::from([(Reason::ALL[0], n)]);
        let other = |n| BTreeMap::from([(Cow::Borrowed("a kind"), n)]);
        let before = Tally { posts: 7, bad: bad(2), other: other(1), late: 3, ahead: 1, ..Tally::default() };
        let more = Tally {
            posts: 4,
            bad: BTreeMap::from([(Reason::ALL[0], 0), (Reason::ALL[1], 5)]),
            other: other(0),
            undated: 2,
            too_long: 9,
            ..Tally::default()
        };
        let mut sum = before.clone();
        sum.add(&more);
        assert_eq!(sum.since(&before), more);
        assert_eq!(sum.since(&Tally::default()), sum);
    }

    #[test]
    fn posts_that_are_ahead_make_no_other_late() {
        let (mut tally, mut dating) = (Tally::default(), Dating::new(SMALLEST));
        dating.bound = 104;
        for time in [103, 900, 100, 95, 89] {
            dating.note(0, time, &mut tally);
        }
        dating.settle(&mut tally);
        assert_eq!((tally.late, tally.panes.values().sum::<u64>()), (1, 4));
    }

    #[test]
    fn posts_in_a_row_are_tallied_as_each_by_itself() {
        let posts = [(0, 105), (0, 101), (1, 102), (1, 117), (0, 103), (0, 99), (0, u64::MAX), (1, 118)];
        let (mut tally, mut dating) =
            (Tally::default(), Dating::new(Some(Smallest { size: 1000, slide: 10 })));
        for (partition, time) in posts {
            dating.note(partition, time, &mut tally);
        }
        dating.settle(&mut tally);
        dating.settle(&mut tally);
        let last = u64::MAX / 10;
        assert_eq!(tally.panes, BTreeMap::from([(9, 1), (10, 4), (11, 1), (last, 1)]));
        assert_eq!(tally.late, 1, "that which came behind the end of time");
        assert_eq!(tally.newest, BTreeMap::from([(0, u64::MAX), (1, 118)]));
        let (mut tally, mut dating) = (Tally::default(), Dating::new(None));
        posts.iter().for_each(|(partition, time)| dating.note(*partition, *time, &mut tally));
        dating.settle(&mut tally);
        assert_eq!((tally.newest.len(), tally.panes.len()), (2, 0));
    }
}
