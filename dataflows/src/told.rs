//! Batches of what a ranking tells.
//!
//! Idea: all changes of an epoch come at once, some thousands of them, and are told apart already. So they are sorted once, when
//! their epoch is complete; a ladder of merges (what `MergeBatcher` does) moves each of them several times.
//! Invariant: `extract(upper)` takes exactly what has a time before `upper`.
//! Cost: a sort of what an epoch changes.

use differential_dataflow::batcher::{Batcher, Extract};
use differential_dataflow::consolidation::consolidate_updates;
use differential_dataflow::logging::Logger;
use differential_dataflow::trace::Builder;
use differential_dataflow::trace::implementations::ord_neu::VecOrdValBuilder;
use timely::progress::Antichain;
use timely::progress::frontier::AntichainRef;

use crate::rank::{Place, Told, TopBatch};

/// What is of epochs that are not complete.
#[derive(Default)]
pub struct ToldBatcher {
    waiting: Vec<Told>,
    frontier: Antichain<u64>,
}

impl ToldBatcher {
    /// As `arrange_core` wants it.
    pub fn new(_logger: Option<Logger>, _operator: usize) -> Self {
        ToldBatcher::default()
    }
}

impl Batcher<Vec<Told>> for ToldBatcher {
    fn insert(&mut self, told: &mut Vec<Told>) {
        self.waiting.append(told);
    }
}

impl Extract for ToldBatcher {
    type Time = u64;
    type Output = TopBatch;

    fn extract<'a>(&'a mut self, upper: AntichainRef<'_, u64>) -> (Option<TopBatch>, AntichainRef<'a, u64>) {
        let mut ready: Vec<Told> =
            self.waiting.extract_if(.., |(_, time, _)| !upper.less_equal(time)).collect();
        consolidate_updates(&mut ready);
        let mut builder = VecOrdValBuilder::<u32, Place, u64, isize>::default();
        builder.push(&mut ready);
        self.frontier = self.waiting.iter().map(|(_, time, _)| *time).collect();
        (builder.done(), self.frontier.borrow())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::Shared;
    use std::cmp::Reverse;

    use differential_dataflow::trace::Cursor;
    use differential_dataflow::trace::cursor::cursor_list;

    #[test]
    fn a_batch_has_what_is_before_its_end_in_order() {
        let place = |n: i64, term: &str| (Reverse(n), term.to_owned());
        let mut batcher = ToldBatcher::new(None, 0);
        batcher.insert(&mut vec![((1, place(2, "b")), 3, 1), ((0, place(2, "a")), 4, 1)]);
        batcher.insert(&mut vec![((0, place(7, "c")), 3, 1), ((0, place(2, "a")), 5, -1)]);
        let upper = Antichain::from_elem(5);
        let (batch, rest) = batcher.extract(upper.borrow());
        assert_eq!(&*rest, [5]);
        let (mut cursor, batches) = cursor_list(vec![Shared::from(batch.expect("there is something"))]);
        let told: Vec<_> = cursor.to_vec(&batches, |window| *window, Clone::clone);
        let at = |time| vec![(time, 1)];
        let expected =
            [((0, place(7, "c")), at(3)), ((0, place(2, "a")), at(4)), ((1, place(2, "b")), at(3))];
        assert_eq!(told, expected);
        let upper = Antichain::from_elem(9);
        assert!(batcher.extract(upper.borrow()).0.is_some());
        assert!(batcher.extract(upper.borrow()).0.is_none());
    }
}
