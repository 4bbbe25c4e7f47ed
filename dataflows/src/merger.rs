//! Merges two batches of runs, a bit at every insertion.
//!
//! Idea: which runs of a pane and time are added up is decided when the merge begins: those that are worth it, however many. So
//! it is known how many records there are to read at most, and they are spread evenly over the fuel that is due before the spine
//! needs the result, one unit for each record of the two: no insertion waits for much more than its share. (The spine
//! gives eight for each record inserted; where a merge takes two for each of its own, it may come too late, and the spine
//! panics.) What is not added up stands side by side.
//! Invariant: what all runs of a pane add up to at any time from `since` on is what the two batches hold.
//! Cost: that of `sum` where a run is added to others, which it is whenever those have become a quarter of what it has itself.
//! Since the spine merges batches of about one size, a record is so about as often as log2 of the pane's terms to an epoch's. To
//! plan takes a sort of the runs, and for each that is counted off a look at the others of its pane.

use std::collections::VecDeque;

use differential_dataflow::trace::implementations::spine_fueled::Merger;
use timely::progress::frontier::AntichainRef;

use crate::body::FULL;
use crate::runs::{Run, Runs, cancel};
use crate::sum::{Sum, reads, records};

/// A run is added to smaller ones if it has at most so many times their records.
const WORTH: usize = 4;

/// A merge in progress.
pub struct RunsMerger {
    /// Records of both batches.
    records: usize,
    /// Records that were to be read at most when it began.
    planned: usize,
    /// Runs that are to be added up, each set of one pane and time.
    waiting: VecDeque<Vec<Run>>,
    /// The set that is being added up.
    sum: Sum,
    done: Vec<Run>,
}

impl Merger<Runs> for RunsMerger {
    fn new(one: &Runs, two: &Runs, since: AntichainRef<u64>) -> Self {
        let since = since.first().copied().unwrap_or(0);
        let mut runs: Vec<Run> = one.all().iter().chain(two.all()).cloned().collect();
        runs.iter_mut().for_each(|run| run.time = run.time.max(since));
        runs.sort_by_key(|run| (run.pane, run.time));
        let groups = runs.chunk_by(|one, two| (one.pane, one.time) == (two.pane, two.time));
        let (waiting, alone): (Vec<_>, Vec<_>) =
            groups.flat_map(|group| sets(cancel(group.to_vec()))).partition(|set| set.len() > 1);
        RunsMerger {
            records: records(&runs),
            planned: waiting.iter().map(|set| reads(set)).sum(),
            waiting: waiting.into(),
            sum: Sum::default(),
            done: alone.into_iter().flatten().collect(),
        }
    }

    fn work(&mut self, _one: &Runs, _two: &Runs, fuel: &mut isize) {
        if *fuel <= 0 {
            return;
        }
        // As large a part of what there is to read as the fuel is of what is due; all of it where the spine wants it now, since a
        // batch comes that is as large.
        let share = fuel.unsigned_abs() as u128 * self.planned as u128;
        let mut left = usize::try_from(share / self.records.max(1) as u128)
            .map_or(usize::MAX, |left| left.saturating_add(1));
        let ended = self.advance(&mut left);
        *fuel = if ended { (*fuel).min(isize::try_from(left).unwrap_or(isize::MAX)).max(1) } else { 0 };
    }

    fn done(self) -> Option<Runs> {
        Runs::new(self.done)
    }
}

impl RunsMerger {
    /// Reads so many records, or all there are; whether it was all.
    fn advance(&mut self, left: &mut usize) -> bool {
        while self.sum.advance(left, &mut self.done) {
            let Some(set) = self.waiting.pop_front() else { return true };
            self.sum.begin(set);
        }
        false
    }
}

/// Which runs of one pane and time are to be added up with each other; those that are not are sets of their own.
fn sets(mut group: Vec<Run>) -> Vec<Vec<Run>> {
    let minus = group.iter().filter(|run| run.minus).count();
    if minus == group.len() {
        // Left as they are, so that they are known by what they cancel.
        return group.into_iter().map(|run| vec![run]).collect();
    }
    if minus > 0 {
        // Something was added up while it was on its way out: what is left of all is no more than they are.
        return vec![group];
    }
    group.sort_unstable_by_key(|run| run.body.len());
    let (mut sets, mut terms, mut bytes) = (Vec::<Vec<Run>>::new(), 0, 0);
    for run in group {
        let fits = run.body.len() <= WORTH * terms && bytes + run.body.size() < FULL;
        if !fits {
            (terms, bytes) = (0, 0);
        }
        (terms, bytes) = (terms + run.body.len(), bytes + run.body.size());
        match sets.last_mut().filter(|_| fits) {
            Some(set) => set.push(run),
            None => sets.push(vec![run]),
        }
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Builder;
    use crate::runs::gather;
    use crate::shared::Shared;
    use crate::windows::Pane;
    use differential_dataflow::trace::implementations::spine_fueled::{Spine, SpineBatch};
    use differential_dataflow::trace::{Description, Span, Trace, TraceReader};
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Arc;
    use timely::dataflow::operators::generic::OperatorInfo;
    use timely::progress::Antichain;

    type Held = BTreeMap<(u64, Vec<u8>), i64>;

    fn held(batches: &[Runs], until: u64) -> Held {
        let mut held = Held::new();
        for run in batches.iter().flat_map(Runs::all).filter(|run| run.time <= until) {
            for record in run.body.iter() {
                *held.entry((run.pane.0, record.term().to_vec())).or_default() +=
                    run.sign() * record.n as i64;
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
                assert!(fuel <= 7 && spent <= records + 7, "{runs} {terms} {died}: {spent} for {records}");
            }
        }
    }

    /// A spine of one pane, into which each epoch brings some terms once.
    struct OnePane {
        spine: Spine<Shared<Runs>>,
        time: u64,
    }

    impl OnePane {
        fn new() -> OnePane {
            OnePane { spine: Spine::new(OperatorInfo::new(0, 0, [].into()), None, None), time: 0 }
        }

        fn insert(&mut self, terms: impl IntoIterator<Item = u64>) {
            let (time, frontier) = (self.time, Antichain::from_elem);
            let (terms, mut builder) = (terms.into_iter().collect::<BTreeSet<_>>(), Builder::default());
            terms.into_iter().for_each(|term| builder.push(&term.to_be_bytes(), 1));
            let body = builder.body().map(Arc::new);
            let run = body.map(|body| Run { pane: Pane(1), time, minus: false, body });
            let batch = Runs::new(run.into_iter().collect()).map(Shared::from);
            self.time += 1;
            let desc = Description::new(frontier(time), frontier(self.time), frontier(0));
            self.spine.insert(Span::new(desc, batch));
            self.spine.set_logical_compaction(frontier(self.time).borrow());
            self.spine.set_physical_compaction(frontier(self.time).borrow());
        }

        fn runs(&self) -> Vec<Run> {
            let mut runs = Vec::new();
            self.spine
                .map_spans(|span| runs.extend(span.inner.iter().flat_map(|batch| batch.all()).cloned()));
            runs
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        /// The spine panics where a merge has not come to its end when it needs the room. Batches are of any sizes, most of them
        /// small, and all of one pane and time: as much is to be added up as can be.
        #[test]
        fn the_spine_always_has_room(
            sizes in proptest::collection::vec((0u32..9, 0u64..256), 1..400),
            distinct in 1u64..3000,
        ) {
            let (mut pane, mut held) = (OnePane::new(), BTreeMap::new());
            for (most, size) in sizes {
                let time = pane.time;
                let terms: BTreeSet<u64> =
                    (0..size % (1 << most)).map(|at| (at * 7919 + time * 31) % distinct).collect();
                terms.iter().for_each(|term| *held.entry(term.to_be_bytes().to_vec()).or_insert(0) += 1);
                pane.insert(terms);
            }
            let mut found = BTreeMap::new();
            for run in pane.runs() {
                run.body.iter().for_each(|record| *found.entry(record.term().to_vec()).or_insert(0) += record.n);
            }
            prop_assert_eq!(found, held);
        }
    }

    /// What adds up to more than a body may hold becomes several, wherever the steps of the merge end. Only where something is
    /// counted off are runs added up that may be too much.
    #[test]
    fn what_is_too_much_for_a_body_is_parted() {
        let part = |terms: std::ops::Range<u32>, minus| {
            let mut builder = Builder::default();
            terms.for_each(|term| builder.push(format!("{term:08}").repeat(200).as_bytes(), 1));
            Run { pane: Pane(1), time: 0, minus, body: Arc::new(builder.body().expect("it has terms")) }
        };
        for off in [3..5, 440..442, 600..601] {
            let batch = |runs| Runs::new(runs).expect("there are runs");
            let one = || batch(vec![part(0..250, false), part(off.clone(), true)]);
            let two = || batch(vec![part(200..450, false)]);
            let expected = held(&[one(), two()], 9);
            for step in [1, 77, isize::MAX] {
                let sum = merged(&one(), &two(), 0, step).expect("something is left");
                let sizes: Vec<usize> = sum.all().iter().map(|run| run.body.size()).collect();
                assert!(sizes.iter().all(|size| *size < FULL + 2000) && sizes.len() > 1, "{sizes:?}");
                assert_eq!(held(&[sum], 9), expected);
            }
        }
    }

    /// However unlike epochs are, what a pane holds is at most three records of a term on the whole.
    #[test]
    fn little_is_held_twice() {
        const DISTINCT: u64 = 20_000;
        let sizes: [fn(u64) -> u64; 4] = [
            |epoch| 1 << (14 - epoch % 15),
            |epoch| 8000 << (epoch % 2),
            |epoch| 3 << (epoch % 13),
            |epoch| 1 << (epoch.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 60).min(14),
        ];
        for (pattern, size) in sizes.into_iter().enumerate() {
            let mut pane = OnePane::new();
            for epoch in 0..200 {
                let size = size(epoch);
                pane.insert((0..size).map(|at| (at * (DISTINCT / size) + epoch * 7) % DISTINCT));
                let records = pane.runs().iter().map(|run| run.body.len() as u64).sum::<u64>();
                assert!(records <= 3 * DISTINCT, "{pattern}: {records} after {epoch}");
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
            step in prop_oneof![4 => 1isize..50, 1 => Just(isize::MAX)],
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
