//! Runs of one pane and time added up, some records at a time.
//!
//! Idea: two by two, the two smallest first. To add up two is a loop without a branch that nobody can guess; a heap of as many
//! runs as there are takes one for each level and record. What terms the two have in common is read once less from then on. Where
//! something is counted off all go through a heap, since what they come to may have either sign.
//! Invariant: what comes out is what went in, added up, whenever and however often it is interrupted.
//! Cost: a record is read and written about log2 of the runs times, less where they are of different sizes or have terms in common;
//! memory for the runs, what they add up to, and the last two that do.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use crate::body::{Builder, FULL, add};
use crate::merged::Merged;
use crate::runs::Run;

/// A sum in progress.
#[derive(Default)]
pub(crate) struct Sum {
    /// What is not being read yet, the largest first.
    waiting: Vec<Run>,
    /// How many are added up at a time.
    at_once: usize,
    /// Runs that are being added up, each from which record on; as many as have not come to their end.
    rest: Vec<(Run, usize)>,
    /// What they add up to, and what is counted off.
    sums: [Builder; 2],
}

impl Sum {
    /// Takes runs of one pane and time. What was taken before must have come to its end.
    pub(crate) fn begin(&mut self, mut runs: Vec<Run>) {
        debug_assert!(self.waiting.is_empty() && self.rest.is_empty());
        runs.sort_unstable_by_key(|run| Reverse(run.body.len()));
        self.at_once = if by_pairs(&runs) { 2 } else { runs.len() };
        self.waiting = runs;
    }

    /// Reads so many records, or all there are, and gives what has been added up of all. Whether it was all.
    pub(crate) fn advance(&mut self, left: &mut usize, done: &mut Vec<Run>) -> bool {
        loop {
            if self.rest.is_empty() {
                if self.waiting.is_empty() {
                    return true;
                }
                let runs = self.waiting.split_off(self.waiting.len().saturating_sub(self.at_once));
                let (terms, bytes) = (records(&runs), runs.iter().map(|run| run.body.size()).sum::<usize>());
                self.sums[0].reserve(terms, bytes.min(FULL));
                self.rest = runs.into_iter().map(|run| (run, 0)).collect();
            }
            if *left == 0 {
                return false;
            }
            let (pane, time) = (self.rest[0].0.pane, self.rest[0].0.time);
            self.rest = add_up(std::mem::take(&mut self.rest), &mut self.sums, left);
            let has_ended = self.rest.is_empty();
            for (sum, minus) in self.sums.iter_mut().zip([false, true]) {
                if !has_ended && !sum.is_full() {
                    continue;
                }
                let Some(body) = sum.body().map(Arc::new) else { continue };
                let run = Run { pane, time, minus, body };
                if has_ended && !self.waiting.is_empty() {
                    let at = self.waiting.partition_point(|other| other.body.len() > run.body.len());
                    self.waiting.insert(at, run);
                } else {
                    done.push(run);
                }
            }
        }
    }
}

/// Records of these runs.
pub(crate) fn records(runs: &[Run]) -> usize {
    runs.iter().map(|run| run.body.len()).sum()
}

/// Whether runs are added up two by two: nothing is counted off.
fn by_pairs(set: &[Run]) -> bool {
    set.iter().all(|run| !run.minus)
}

/// How many records are read to add these up, the two smallest first each time, if no two are of one term.
pub(crate) fn reads(set: &[Run]) -> usize {
    if !by_pairs(set) {
        return records(set);
    }
    let mut sizes: BinaryHeap<Reverse<usize>> = set.iter().map(|run| Reverse(run.body.len())).collect();
    let mut reads = 0;
    while let Some(Reverse(one)) = sizes.pop()
        && let Some(Reverse(two)) = sizes.pop()
    {
        reads += one + two;
        sizes.push(Reverse(one + two));
    }
    reads
}

/// Adds runs up from these records on, until so many have been read or a sum is full: what comes to more than 0 into the first of
/// `sums`, what comes to less into the second. What is left.
fn add_up(rest: Vec<(Run, usize)>, sums: &mut [Builder; 2], left: &mut usize) -> Vec<(Run, usize)> {
    let mut fuel = isize::try_from(*left).unwrap_or(isize::MAX);
    let rest = if let [(one, from), (two, second)] = &rest[..]
        && !one.minus
        && !two.minus
    {
        let mut at = [*from, *second];
        add([&one.body, &two.body], &mut at, &mut sums[0], &mut fuel);
        let rest = rest.into_iter().zip(at).map(|((run, _), at)| (run, at));
        rest.filter(|(run, at)| *at < run.body.len()).collect()
    } else {
        let mut merged = Merged::at(rest.iter().map(|(run, at)| (run, *at)));
        while fuel > 0
            && !sums.iter().any(Builder::is_full)
            && let Some((term, n, records)) = merged.add_next()
        {
            if n != 0 {
                sums[usize::from(n < 0)].push(term, n.unsigned_abs());
            }
            fuel -= records as isize;
        }
        merged.rest().map(|(run, at)| (run.clone(), at)).collect()
    };
    *left = usize::try_from(fuel).unwrap_or(0);
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::windows::Pane;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// However many runs there are, whatever is counted off, and wherever it is interrupted.
        #[test]
        fn what_comes_out_is_what_went_in(
            runs in proptest::collection::vec((proptest::collection::btree_set(0u8..60, 1..40), 0..4usize), 2..20),
            may_be_minus in any::<bool>(),
            step in 1usize..50,
        ) {
            let mut expected = BTreeMap::<Vec<u8>, i64>::new();
            let set: Vec<Run> = runs.into_iter().map(|(terms, kind)| {
                let (minus, mut builder) = (may_be_minus && kind == 0, Builder::default());
                for term in terms {
                    let (term, n) = ([b"a term that no head holds ".as_slice(), &[term]].concat(), u64::from(term) + 1);
                    let term = if kind == 1 { &term[..] } else { &term[25..] };
                    builder.push(term, n);
                    *expected.entry(term.to_vec()).or_default() += if minus { -(n as i64) } else { n as i64 };
                }
                let body = Arc::new(builder.body().expect("it has terms"));
                Run { pane: Pane(1), time: 7, minus, body }
            }).collect();
            let (most, is_plain) = (reads(&set), by_pairs(&set));
            let (mut sum, mut done, mut read) = (Sum::default(), Vec::new(), 0);
            sum.begin(set);
            loop {
                let mut left = step;
                let has_ended = sum.advance(&mut left, &mut done);
                read += step - left;
                if has_ended {
                    break;
                }
            }
            prop_assert!(read <= most, "{read} instead of {most}");
            prop_assert!(!is_plain || done.len() == 1);
            let mut found = BTreeMap::<Vec<u8>, i64>::new();
            for run in &done {
                let terms: Vec<_> = run.body.iter().map(|record| record.term().to_vec()).collect();
                prop_assert!(terms.is_sorted_by(|one, two| one < two));
                for (term, record) in terms.into_iter().zip(run.body.iter()) {
                    *found.entry(term).or_default() += run.sign() * record.n as i64;
                }
            }
            expected.retain(|_, n| *n != 0);
            prop_assert_eq!(found, expected);
        }
    }
}
