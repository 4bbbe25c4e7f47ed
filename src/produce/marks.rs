//! How far a source has been read so that nothing before is missing in Kafka.
//!
//! Idea: partitions acknowledge at different times, so the newest record in the topic says nothing of those before it.
//! Each record therefore carries, beside its own position, the position before which everything had been acknowledged
//! when it was sent. Whoever starts again takes the largest such value in the topic and misses nothing; the topic itself
//! is the state, which can neither be lost apart from the records nor be ahead of them.
//! Invariant: nothing before [`Marks::safe`] is on its way. Cost: an entry in an ordered set while a record is on its way.

use std::collections::{BTreeSet, HashMap};

/// Positions on their way, and how far it is safe.
#[derive(Debug, Default)]
pub struct Marks {
    /// By position, then by number.
    open: BTreeSet<(u64, usize)>,
    positions: HashMap<usize, u64>,
    passed: u64,
    last: usize,
}

impl Marks {
    /// A position has been read, whether or not a record comes of it.
    pub fn pass(&mut self, position: u64) {
        self.passed = self.passed.max(position);
    }

    /// A record of this position is about to be sent; the number under which it is known, never 0.
    pub fn open(&mut self, position: u64) -> usize {
        self.pass(position);
        self.last += 1;
        self.open.insert((position, self.last));
        self.positions.insert(self.last, position);
        self.last
    }

    /// It was acknowledged, or given up for good.
    pub fn close(&mut self, number: usize) {
        if let Some(position) = self.positions.remove(&number) {
            self.open.remove(&(position, number));
        }
    }

    /// From where the source has to be read again so that nothing is missed; the position itself included.
    pub fn safe(&self) -> u64 {
        self.open.first().map_or(self.passed, |(position, _)| *position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_on_its_way_holds_it_back() {
        let mut marks = Marks::default();
        let (a, b) = (marks.open(10), marks.open(20));
        marks.pass(30);
        marks.close(b);
        assert_eq!(marks.safe(), 10);
        marks.close(a);
        assert_eq!(marks.safe(), 30);
        marks.close(a);
        assert_eq!(marks.safe(), 30);
    }

    proptest! {
        #[test]
        fn nothing_before_it_is_on_its_way(steps in prop::collection::vec((0_u64..50, any::<bool>()), 1..60)) {
            let (mut marks, mut open, mut most) = (Marks::default(), Vec::new(), 0);
            for (position, closes) in steps {
                if closes && !open.is_empty() {
                    let (number, _) = open.swap_remove(position as usize % open.len());
                    marks.close(number);
                } else {
                    most = most.max(position);
                    open.push((marks.open(position), position));
                }
                let naive = open.iter().map(|(_, position)| *position).min().unwrap_or(most);
                prop_assert_eq!(marks.safe(), naive);
            }
        }
    }
}
