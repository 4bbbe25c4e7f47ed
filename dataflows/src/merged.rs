//! Runs read side by side: each term once, in order, with what it adds up to.
//!
//! Idea: terms ascend in every body, so a heap of the next record of each run yields all of them in order, and what
//! several runs say of a term follows one another.
//! Invariant: terms ascend strictly, and none that adds up to nothing is shown.
//! Cost: some comparisons a record where there are several runs, one where there is one.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use crate::body::Record;
use crate::runs::Run;

/// The terms of some runs.
pub struct Merged<'a> {
    heads: BinaryHeap<Reverse<Head<'a>>>,
}

impl<'a> Merged<'a> {
    /// From the first term that is not before `from`.
    pub fn new(runs: impl IntoIterator<Item = &'a Run>, from: &[u8]) -> Merged<'a> {
        Merged::at(runs.into_iter().map(|run| (run, run.body.seek(from))))
    }

    /// From these records on, each run from its own.
    pub fn at(runs: impl IntoIterator<Item = (&'a Run, usize)>) -> Merged<'a> {
        let heads = runs.into_iter().filter_map(|(run, index)| Head::at(run, index).map(Reverse));
        Merged { heads: heads.collect() }
    }

    /// From which records on it would go on; runs that have come to their end are not among them.
    pub fn rest(&self) -> impl Iterator<Item = (&'a Run, usize)> {
        self.heads.iter().map(|Reverse(head)| (head.run, head.index))
    }

    /// The next term, what it adds up to, which may be nothing, and how many records say so.
    pub fn add_next(&mut self) -> Option<(&'a [u8], i64, usize)> {
        let (term, mut sum) = self.step()?;
        let mut records = 1;
        while self.heads.peek().is_some_and(|Reverse(head)| head.record.term() == term) {
            sum += self.step().map_or(0, |(_, n)| n);
            records += 1;
        }
        Some((term, sum, records))
    }

    fn step(&mut self) -> Option<(&'a [u8], i64)> {
        let mut top = self.heads.peek_mut()?;
        let Reverse(head) = *top;
        // In its place: most often the same run has the next term as well.
        match Head::at(head.run, head.index + 1) {
            Some(next) => *top = Reverse(next),
            None => drop(PeekMut::pop(top)),
        }
        Some((head.record.term(), head.run.sign() * head.record.n as i64))
    }
}

impl<'a> Iterator for Merged<'a> {
    type Item = (&'a [u8], i64);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (term, sum, _) = self.add_next()?;
            if sum != 0 {
                return Some((term, sum));
            }
        }
    }
}

/// The next record of one run. Orders by its term.
#[derive(Clone, Copy)]
struct Head<'a> {
    run: &'a Run,
    index: usize,
    record: Record<'a>,
}

impl<'a> Head<'a> {
    fn at(run: &'a Run, index: usize) -> Option<Head<'a>> {
        run.body.at(index).map(|record| Head { run, index, record })
    }
}

impl Ord for Head<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.record.compare(&other.record)
    }
}

impl PartialOrd for Head<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head<'_> {}
