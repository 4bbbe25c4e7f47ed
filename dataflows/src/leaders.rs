//! The top K of one window, exact under additions and subtractions.
//!
//! Idea: keep a bench of K to 4K candidates: every term at or above a floor, which is a place in the ranking
//! (a count and a term, so that ties are settled too). An addition that lifts a term over the floor benches it; a
//! subtraction only ever drops terms below it. While the bench holds K, the top K are in it; when it does not,
//! all totals are scanned once and the floor is set anew at place 2K. At the beginning, when nearly every term is new, nothing is
//! benched term by term: the first floor comes from such a scan.
//! Invariant: when an epoch closes, a term with a positive total is benched if and only if it ranks at or above
//! the floor (no floor: if it is positive).
//! Cost: a comparison per addition, which the caller makes; per epoch and per compaction O(bench), here 1 to 4 thousand
//! entries; a scan of all D totals only after more than K of the 2K leaders of the last scan have fallen below the floor, and
//! after an epoch that began with no more than 4K terms.

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use crate::term::HEAD;
use crate::top::Top;
use crate::totals::{Moved, Totals};

/// The first K of one window.
pub struct Leaders {
    window: usize,
    k: usize,
    floor: Option<(i64, Vec<u8>)>,
    /// Whether nothing is benched until the next `close`, which scans all totals: there were so few terms at the last one that
    /// most of those that come will be new.
    waits: bool,
    /// The bench at the end of the last epoch.
    bench: Vec<Counted>,
    /// Who has come to it since then.
    risen: Vec<u32>,
    /// Who is on it or has come to it, by id.
    benched: Vec<bool>,
    /// The top K at the end of the last epoch.
    top: Arc<Top>,
}

/// A term with its count and how it begins, see [`Totals::begins`]. Totals of terms stand far from each other, so they are not
/// looked up for each comparison, and most counts are those of many terms.
type Counted = (Reverse<i64>, u64, u32);

impl Leaders {
    /// Of column `window`; `k` must be positive.
    pub fn new(window: usize, k: usize) -> Self {
        assert!(k > 0);
        let (bench, risen, benched) = Default::default();
        Leaders { window, k, floor: None, waits: true, bench, risen, benched, top: Arc::default() }
    }

    /// A total below this is not benched, and one above it is. It stays the same from one `close` to the next.
    pub fn least(&self) -> i64 {
        match &self.floor {
            _ if self.waits => i64::MAX,
            Some((floor, _)) => *floor,
            None => 1,
        }
    }

    /// To be called after additions to the total of `id` by which it reaches `least`, or leaves it upwards: one that was above it
    /// is benched.
    #[inline]
    pub fn rose(&mut self, id: u32, totals: &Totals) {
        let is_benched = self.benched.get(id as usize).is_some_and(|is_benched| *is_benched);
        if !is_benched && self.reaches_floor(totals.count(id, self.window), id, totals) {
            if self.benched.len() <= id as usize {
                self.benched.resize(totals.bound(), false);
            }
            self.benched[id as usize] = true;
            self.risen.push(id);
        }
    }

    /// Ends an epoch. The top K, in no order.
    pub fn close(&mut self, totals: &Totals) -> Arc<Top> {
        let (before, risen) = (std::mem::take(&mut self.bench), std::mem::take(&mut self.risen));
        if !self.waits {
            // They stand far from each other, and some thousands of them are near enough for as long as it takes.
            before.iter().for_each(|(.., id)| totals.fetch(*id));
            let ids = || before.iter().map(|(.., id)| *id).chain(risen.iter().copied());
            ids().for_each(|id| self.benched[id as usize] = false);
            let window = self.window;
            self.bench = self.highest(ids().map(|id| (id, totals.count(id, window))), totals);
        }
        if self.waits || self.bench.len() < self.k && self.floor.is_some() {
            self.scan(totals);
        }
        self.bench.iter().for_each(|(.., id)| self.benched[*id as usize] = true);
        self.waits = totals.len() <= 4 * self.k;
        if self.bench != before {
            self.top = Arc::new(self.first(self.bench.clone(), totals));
        }
        Arc::clone(&self.top)
    }

    /// Those of these terms that rank at or above the floor, which is raised whenever they are more than 4K.
    fn highest(&mut self, terms: impl Iterator<Item = (u32, i64)>, totals: &Totals) -> Vec<Counted> {
        let most = 4 * self.k + 1;
        let mut bench = Vec::with_capacity(terms.size_hint().0.min(most));
        for (id, count) in terms {
            if self.reaches_floor(count, id, totals) {
                bench.push((Reverse(count), totals.begins(id), id));
                if bench.len() == most {
                    self.shrink(&mut bench, totals);
                }
            }
        }
        bench
    }

    fn first(&self, mut counts: Vec<Counted>, totals: &Totals) -> Top {
        if counts.len() > self.k {
            counts.select_nth_unstable_by(self.k - 1, |one, two| compare(one, two, totals));
            counts.truncate(self.k);
        }
        let mut top = Top::with_room(counts.len());
        for (Reverse(n), _, id) in counts {
            top.push(totals.spell(id, &mut [0; HEAD]), n);
        }
        top
    }

    /// Follows a compaction of the totals, between epochs.
    pub fn follow(&mut self, moved: &Moved, totals: &Totals) {
        let to = |id: u32| moved.to(id).expect("benched terms have a positive total");
        self.bench.iter().for_each(|(.., id)| self.benched[*id as usize] = false);
        self.bench.iter_mut().for_each(|(.., id)| *id = to(*id));
        self.benched.truncate(totals.bound());
        self.bench.iter().for_each(|(.., id)| self.benched[*id as usize] = true);
    }

    #[inline]
    fn reaches_floor(&self, count: i64, id: u32, totals: &Totals) -> bool {
        match &self.floor {
            None => count > 0,
            Some((floor, term)) => match count.cmp(floor) {
                Ordering::Equal => totals.compare_to(id, term).is_le(),
                unequal => unequal == Ordering::Greater,
            },
        }
    }

    /// A new bench and a new floor from all totals.
    fn scan(&mut self, totals: &Totals) {
        self.floor = None;
        self.benched.clear();
        self.benched.resize(totals.bound(), false);
        let mut bench = self.highest(totals.column(self.window), totals);
        if bench.len() > 2 * self.k {
            self.shrink(&mut bench, totals);
        }
        self.bench = bench;
    }

    /// Keeps the first 2K, the last of which becomes the floor.
    fn shrink(&mut self, bench: &mut Vec<Counted>, totals: &Totals) {
        let last = 2 * self.k - 1;
        bench.select_nth_unstable_by(last, |one, two| compare(one, two, totals));
        bench.truncate(last + 1);
        let (Reverse(count), _, id) = bench[last];
        self.floor = Some((count, totals.spell(id, &mut [0; HEAD]).to_vec()));
    }
}

/// The order of the ranking: by count, descending, then by term.
#[inline]
fn compare((n, first, one): &Counted, (m, second, two): &Counted, totals: &Totals) -> Ordering {
    (n, first).cmp(&(m, second)).then_with(|| totals.compare(*one, *two))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::rows::{Rows, Update};
    use crate::term::HashKeys;
    use crate::top::first;

    proptest! {
        /// Whatever rises and falls, and however often within a group, after each epoch the places are those of a sort.
        #[test]
        fn places_are_those_of_a_sort(
            (terms, epochs) in prop_oneof![Just(90usize), Just(700)].prop_flat_map(|terms| {
                let epoch = prop::collection::vec((0..terms, -4i64..6), 0..terms);
                (Just(terms), prop::collection::vec(epoch, 1..30))
            }),
            k in 1..4usize,
        ) {
            let term = |number: usize| format!("{}{number}", "a rather long term ".repeat(number % 2)).into_bytes();
            let terms: Vec<Vec<u8>> = (0..terms).map(term).collect();
            let (mut totals, mut leaders) = (Totals::new(2, HashKeys::new(7)), Leaders::new(0, k));
            let mut sums = BTreeMap::<usize, i64>::new();
            for epoch in epochs {
                let (mut rows, mut risen) = (Rows::default(), Vec::new());
                for (number, n) in &epoch {
                    rows.push(Update::new(totals.keys(), &terms[*number], *n));
                    *sums.entry(*number).or_default() += n;
                }
                totals.add(&rows, 0..rows.len(), 3, &[leaders.least(), i64::MAX], &mut risen);
                risen.iter().for_each(|(_, id)| leaders.rose(*id, &totals));
                let top = leaders.close(&totals);
                if let Some(moved) = totals.compact() {
                    leaders.follow(&moved, &totals);
                }
                let positive = sums.iter().filter(|(_, n)| **n > 0);
                let mut places: Vec<_> = positive.map(|(number, n)| (Reverse(*n), terms[*number].clone())).collect();
                places.sort();
                places.truncate(k);
                let first = first(top.places(), k);
                let found: Vec<_> = first.iter().map(|place| (Reverse(place.n()), place.term().to_vec())).collect();
                prop_assert_eq!(found, places);
                // What has not changed is not made anew.
                prop_assert!(Arc::ptr_eq(&top, &leaders.close(&totals)));
            }
        }
    }
}
