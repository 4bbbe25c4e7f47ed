//! A batch of the base arrangement: runs, each a body of terms in one pane and at one time.
//!
//! Idea: posts come roughly in the order of time, so most panes of two batches are different ones, and merging them is to list
//! them side by side: what is merged term by term is only what is of one pane and one time. Even that waits until
//! the smaller of two runs is worth the copying of the larger. A negated pane is its own bodies once more, with a minus;
//! where the two meet both go, unread.
//! Invariant: what all runs of a pane with times up to `t` add up to is what the pane holds at `t`; runs ascend by
//! pane, then by time. Counted off is only what is counted in the same or an earlier batch.
//! Cost: some 100 bytes a run; a record is written once, and again whenever its pane has got about as many terms as its
//! run has: log2 of the pane's terms to an epoch's times, and once a level of the spine where all epochs have the same.

use std::collections::VecDeque;
use std::ops::{Range, RangeBounds};
use std::sync::Arc;

use differential_dataflow::trace::implementations::spine_fueled::{Merger, SpineBatch};
use timely::progress::frontier::AntichainRef;

use crate::body::{Body, Builder, FULL, Signed, add};
use crate::windows::Pane;

/// A run is merged with one at most so many times larger.
const WORTH: usize = 4;

/// What a pane holds of one time.
#[derive(Clone)]
pub struct Run {
    /// The pane.
    pub pane: Pane,
    /// The time.
    pub time: u64,
    /// Whether it is counted off.
    pub minus: bool,
    /// The terms.
    pub body: Arc<Body>,
}

impl Run {
    /// What an occurrence in it counts for.
    pub fn sign(&self) -> i64 {
        if self.minus { -1 } else { 1 }
    }
    fn cancels(&self, other: &Run) -> bool {
        self.minus != other.minus && Arc::ptr_eq(&self.body, &other.body)
    }
    fn signed(&self) -> Signed<'_> {
        Signed { body: &self.body, minus: self.minus }
    }
}

/// Runs, in order.
pub struct Runs {
    runs: Vec<Run>,
    updates: usize,
}

impl Runs {
    /// A batch of these runs; `None` if there are none.
    pub fn new(mut runs: Vec<Run>) -> Option<Runs> {
        runs.sort_unstable_by_key(|run| (run.pane, run.time));
        let updates = runs.iter().map(|run| run.body.len()).sum();
        (!runs.is_empty()).then_some(Runs { runs, updates })
    }
    /// All of them.
    pub fn all(&self) -> &[Run] {
        &self.runs
    }
    /// Those of some panes.
    pub fn of(&self, panes: &Range<Pane>) -> &[Run] {
        let at = |pane| self.runs.partition_point(|run| run.pane < pane);
        let start = at(panes.start);
        &self.runs[start..at(panes.end).max(start)]
    }
}

/// The runs of some panes and times in all batches, but for those that cancel each other.
pub fn gather<'a>(
    batches: impl IntoIterator<Item = &'a Runs>,
    panes: &Range<Pane>,
    times: impl RangeBounds<u64>,
) -> Vec<Run> {
    let runs = batches.into_iter().flat_map(|batch| batch.of(panes));
    let mut runs: Vec<Run> = runs.filter(|run| times.contains(&run.time)).cloned().collect();
    runs.sort_by_key(|run| run.pane);
    let mut left = Vec::with_capacity(runs.len());
    runs.chunk_by(|one, two| one.pane == two.pane).for_each(|group| left.extend(cancel(group.to_vec())));
    left
}

/// Takes out pairs that add up to nothing.
fn cancel(mut runs: Vec<Run>) -> Vec<Run> {
    let mut at = 0;
    while at < runs.len() {
        let other =
            if runs[at].minus { runs.iter().position(|other| other.cancels(&runs[at])) } else { None };
        match other {
            Some(other) => {
                runs.swap_remove(at.max(other));
                runs.swap_remove(at.min(other));
                // What was moved here has not been looked at.
                at = at.min(other);
            }
            None => at += 1,
        }
    }
    runs
}

impl SpineBatch for Runs {
    type Time = u64;
    type Merger = RunsMerger;
    fn len(&self) -> usize {
        self.updates
    }
}

/// A merge in progress.
pub struct RunsMerger {
    /// How much work a unit of fuel pays for.
    rate: isize,
    /// What has not been looked at, by pane and time.
    waiting: VecDeque<Run>,
    /// Runs of one pane and time that may have to be merged.
    group: Vec<Run>,
    /// Two that are being merged, and how far.
    pair: Option<([Run; 2], [usize; 2])>,
    sums: [Builder; 2],
    /// Whether what is counted in the group and what is counted off have nothing in common any more.
    parted: bool,
    done: Vec<Run>,
}

impl Merger<Runs> for RunsMerger {
    fn new(one: &Runs, two: &Runs, since: AntichainRef<u64>) -> Self {
        let since = since.first().copied().unwrap_or(0);
        let mut waiting: Vec<Run> = one.runs.iter().chain(&two.runs).cloned().collect();
        waiting.iter_mut().for_each(|run| run.time = run.time.max(since));
        waiting.sort_by_key(|run| (run.pane, run.time));
        let groups = waiting.chunk_by(|one, two| (one.pane, one.time) == (two.pane, two.time));
        let largest = groups.map(<[Run]>::len).max().unwrap_or(0);
        RunsMerger {
            rate: rate(largest),
            waiting: waiting.into(),
            group: Vec::new(),
            pair: None,
            sums: Default::default(),
            parted: false,
            done: Vec::new(),
        }
    }

    fn work(&mut self, _one: &Runs, _two: &Runs, fuel: &mut isize) {
        let mut left = fuel.saturating_mul(self.rate);
        *fuel = match self.advance(&mut left) {
            true => 1 + (left - 1) / self.rate,
            false => left / self.rate,
        };
    }

    fn done(self) -> Option<Runs> {
        Runs::new(self.done)
    }
}

/// The spine counts on a merge to take a few units of fuel for each record of the two batches, and panics where one has not come to
/// its end when the next is due. When many epochs have become one time, a record may be written once for each halving of its
/// group, since the smallest go first. So fuel pays for so much more.
fn rate(largest_group: usize) -> isize {
    largest_group.next_power_of_two().ilog2().max(1) as isize
}

impl RunsMerger {
    /// Works until nothing is left to do, and says so, or until nothing is left of the fuel.
    fn advance(&mut self, fuel: &mut isize) -> bool {
        while *fuel > 0 {
            if let Some((pair, at)) = &mut self.pair {
                let ended = add([pair[0].signed(), pair[1].signed()], at, &mut self.sums, fuel);
                if ended {
                    let (pane, time) = (pair[0].pane, pair[0].time);
                    for (sum, minus) in self.sums.iter_mut().zip([false, true]) {
                        let body = sum.body().map(Arc::new);
                        self.group.extend(body.map(|body| Run { pane, time, minus, body }));
                    }
                    self.pair = None;
                }
            } else if let Some((one, two)) = choose(&mut self.group, self.parted) {
                self.parted |= one.minus != two.minus;
                if one.minus == two.minus {
                    self.sums[usize::from(one.minus)].reserve(&one.body, &two.body);
                }
                self.pair = Some(([one, two], [0, 0]));
            } else {
                self.done.append(&mut self.group);
                self.parted = false;
                let Some(first) = self.waiting.pop_front() else { return true };
                let place = (first.pane, first.time);
                let mut group = vec![first];
                while let Some(run) = self.waiting.pop_front_if(|run| (run.pane, run.time) == place) {
                    group.push(run);
                }
                self.group = cancel(group);
                *fuel -= 1;
            }
        }
        false
    }
}

/// Takes out two runs of one pane and time that are to be merged now, if there are any; the smallest come first.
fn choose(group: &mut Vec<Run>, parted: bool) -> Option<(Run, Run)> {
    group.sort_unstable_by_key(|run| (run.minus, run.body.len()));
    let plus = group.partition_point(|run| !run.minus);
    let minus = group.len() - plus;
    let first = match (plus, minus) {
        // Left as they are, so that they are known by what they cancel.
        (0, _) => return None,
        (_, 0) => {
            (1..plus).find(|second| worth(&group[second - 1], &group[*second])).map(|second| second - 1)?
        }
        // Something was merged while it was on its way out: all that is left of it is added up.
        _ if parted => return None,
        (2.., _) if fit(&group[0], &group[1]) => 0,
        (_, 2..) if fit(&group[plus], &group[plus + 1]) => plus,
        // What is left of two that differ in sign is no larger than they are.
        _ => plus - 1,
    };
    let two = group.remove(first + 1);
    Some((group.remove(first), two))
}

/// Whether a run is to be merged with the next larger one.
fn worth(smaller: &Run, larger: &Run) -> bool {
    larger.body.len() <= WORTH * smaller.body.len() && fit(smaller, larger)
}

/// Whether their sum has room in one body.
fn fit(one: &Run, two: &Run) -> bool {
    one.body.size() + two.body.size() < FULL
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Held = BTreeMap<(u64, Vec<u8>), i64>;

    fn held(batches: &[Runs], until: u64) -> Held {
        let mut held = Held::new();
        for run in batches.iter().flat_map(Runs::all).filter(|run| run.time <= until) {
            for record in run.body.iter() {
                *held.entry((run.pane.0, record.term.to_vec())).or_default() += run.sign() * record.n as i64;
            }
        }
        held.retain(|_, n| *n != 0);
        held
    }

    fn run(pane: u64, time: u64, terms: &[u8]) -> Run {
        let (mut counts, mut builder) = (BTreeMap::new(), Builder::default());
        terms.iter().for_each(|term| *counts.entry(*term).or_insert(0) += 1);
        counts.into_iter().for_each(|(term, n)| builder.push(&[b'a', term], n));
        Run { pane: Pane(pane), time, minus: false, body: Arc::new(builder.body().expect("it has terms")) }
    }

    fn merged(one: &Runs, two: &Runs, since: u64, step: isize) -> Option<Runs> {
        let mut merger = RunsMerger::new(one, two, AntichainRef::new(&[since]));
        loop {
            let mut fuel = step;
            merger.work(one, two, &mut fuel);
            if fuel > 0 {
                return merger.done();
            }
        }
    }

    /// Whatever many epochs have put into a pane, a merge ends within the fuel that the spine has for it: else it panics.
    #[test]
    fn a_merge_of_many_runs_ends_in_time() {
        for runs in [1u64, 2, 3, 16, 200, 1000] {
            for (terms, died) in [(1, false), (9, false), (1, true), (9, true)] {
                let batch = |from: u64| {
                    let at =
                        |time: u64| (0..terms).map(|term| (time % 13 * 7 + term) as u8).collect::<Vec<_>>();
                    let mut all: Vec<Run> = (from..from + runs).map(|time| run(1, time, &at(time))).collect();
                    // Of some that are counted off nothing is here.
                    let off = (0..runs / 2).map(|time| Run { minus: true, ..run(1, time, &at(time)) });
                    all.extend(off.filter(|_| died));
                    Runs::new(all).expect("there are runs")
                };
                let (one, two) = (batch(0), batch(runs));
                let mut merger = RunsMerger::new(&one, &two, AntichainRef::new(&[2 * runs]));
                let (mut spent, records) = (0, (one.len() + two.len()) as isize);
                let fuel = loop {
                    let mut fuel = 7;
                    merger.work(&one, &two, &mut fuel);
                    spent += 7;
                    if fuel > 0 {
                        break fuel;
                    }
                };
                assert!(
                    fuel <= 7 && spent <= 3 * records + 7,
                    "{runs} {terms} {died}: {spent} for {records}"
                );
            }
        }
    }

    proptest! {
        /// Batches are merged in any order and in any steps; panes die once, some when their bodies have been merged
        /// already, and nothing changes what is held; in the end nothing is left of what has died.
        #[test]
        fn merges_change_nothing(
            epochs in proptest::collection::vec(
                proptest::collection::vec((0u64..4, proptest::collection::vec(0u8..60, 1..60)), 1..5), 2..12),
            early in any::<[bool; 2]>(),
            order in proptest::collection::vec(any::<proptest::sample::Index>(), 30),
            step in 1isize..50,
        ) {
            let epoch = |(time, runs): (usize, Vec<(u64, Vec<u8>)>)| {
                let runs = runs.iter().map(|(pane, terms)| run(*pane, time as u64, terms));
                Runs::new(runs.collect()).expect("there are runs")
            };
            let mut batches: Vec<Runs> = epochs.into_iter().enumerate().map(epoch).collect();
            let end = batches.len() as u64;
            let mut all: Vec<Run> = batches.iter().flat_map(Runs::all).cloned().collect();
            // What has been merged early has lost its times before this one.
            let mut floor = 0;
            let mut order = order.into_iter();
            for (pane, early) in early.into_iter().enumerate() {
                let pane = Pane(pane as u64)..Pane(pane as u64 + 1);
                let mut moves = gather(&batches, &pane, ..);
                moves.iter_mut().for_each(|run| (run.minus, run.time) = (true, end));
                if early && batches.len() > 1 {
                    let at = order.next().expect("enough").index(batches.len() - 1);
                    let two = batches.remove(at + 1);
                    batches[at] = merged(&batches[at], &two, end - 1, step).expect("what died has not left");
                    floor = end - 1;
                }
                all.extend(moves.iter().cloned());
                batches.extend(Runs::new(moves));
            }
            let all = Runs::new(all).into_iter().collect::<Vec<_>>();
            let expected: Vec<Held> = (0..=end).map(|until| held(&all, until)).collect();
            let mut since = 0;
            while batches.len() > 1 {
                let at = order.next().expect("enough").index(batches.len() - 1);
                let two = batches.remove(at + 1);
                let one = batches.remove(at);
                since += 1;
                if let Some(batch) = merged(&one, &two, since.min(end), step) {
                    batches.insert(at, batch);
                }
                for until in since.clamp(floor, end)..=end {
                    prop_assert_eq!(&held(&batches, until), &expected[until as usize]);
                }
            }
            let runs: Vec<Run> = batches.iter().flat_map(Runs::all).cloned().collect();
            prop_assert!(since < end || runs.iter().all(|run| run.pane.0 > 1 && !run.minus));
        }
    }
}
