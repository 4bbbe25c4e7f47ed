//! Sorts the blocks of an epoch straight into runs, and lets moves of whole panes pass.
//!
//! Idea: all updates of a block share one time and arrive combined, so a ladder of merges (what `MergeBatcher`
//! does) buys nothing: sort numbers that stand for the updates, pane by pane, then write the bodies in order.
//! Invariant: `extract(upper)` takes exactly what has a time before `upper`; equal keys are summed.
//! Cost: about log2(n) integer comparisons per update and 8 bytes for each of n, n being the updates of one pane, so that what is
//! sorted is mostly in a near cache, and what `joined` says; terms are touched only where heads tie, and longer ones once more to
//! be copied.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use differential_dataflow::batcher::{Batcher, Extract};
use differential_dataflow::logging::Logger;
use timely::Accountable;
use timely::progress::Antichain;
use timely::progress::frontier::AntichainRef;

use crate::block::Sealed;
use crate::body::Builder;
use crate::joined::{Joined, Piece};
use crate::panes::PanesBatch;
use crate::rows::Row;
use crate::runs::{Run, Runs};
use crate::windows::Pane;

/// What goes into the base arrangement.
#[derive(Clone)]
pub enum Feed {
    /// Updates.
    Block(Sealed),
    /// Whole runs of panes that move.
    Runs(Vec<Run>),
}

impl Feed {
    /// Adds the panes that it changes.
    pub fn list(&self, panes: &mut BTreeSet<Pane>) {
        match self {
            Feed::Block(block) => panes.extend(block.panes()),
            Feed::Runs(runs) => panes.extend(runs.iter().map(|run| run.pane)),
        }
    }
}

impl Default for Feed {
    fn default() -> Self {
        Feed::Runs(Vec::new())
    }
}

impl Accountable for Feed {
    fn record_count(&self) -> i64 {
        match self {
            Feed::Block(block) => block.record_count(),
            Feed::Runs(runs) => runs.len() as i64,
        }
    }
}

/// What is of epochs that are not complete.
#[derive(Default)]
pub struct RunsBatcher {
    blocks: Vec<Sealed>,
    runs: Vec<Run>,
    frontier: Antichain<u64>,
    room: Room,
}

/// Room that is kept from batch to batch, as far as they are alike: new memory of this size costs more than the sort.
#[derive(Default)]
struct Room {
    rows: Vec<Row>,
    ends: Vec<usize>,
    keys: Vec<u64>,
    builder: Builder,
}

impl RunsBatcher {
    /// As `arrange_core` wants it.
    pub fn new(_logger: Option<Logger>, _operator: usize) -> Self {
        RunsBatcher::default()
    }
}

impl Batcher<Sealed> for RunsBatcher {
    fn insert(&mut self, block: &mut Sealed) {
        if !block.is_empty() {
            self.blocks.push(std::mem::take(block));
        }
    }
}

impl Batcher<Feed> for RunsBatcher {
    fn insert(&mut self, feed: &mut Feed) {
        match std::mem::take(feed) {
            Feed::Block(mut block) => self.insert(&mut block),
            Feed::Runs(mut runs) => self.runs.append(&mut runs),
        }
    }
}

impl Extract for RunsBatcher {
    type Time = u64;
    type Output = PanesBatch;

    fn extract<'a>(
        &'a mut self,
        upper: AntichainRef<'_, u64>,
    ) -> (Option<PanesBatch>, AntichainRef<'a, u64>) {
        let mut runs: Vec<Run> = self.runs.extract_if(.., |run| !upper.less_equal(&run.time)).collect();
        let mut ready: Vec<Sealed> =
            self.blocks.extract_if(.., |block| !upper.less_equal(&block.epoch)).collect();
        ready.sort_by_key(|block| block.epoch);
        for epoch in ready.chunk_by(|one, two| one.epoch == two.epoch) {
            let most = 4 * build(epoch, &mut self.room, &mut runs).max(1 << 16);
            self.room.rows.clear();
            self.room.rows.shrink_to(most);
            self.room.ends.clear();
            self.room.ends.shrink_to(1 << 10);
            self.room.keys.clear();
            self.room.keys.shrink_to(most);
        }
        let waiting = self.blocks.iter().map(|block| block.epoch);
        self.frontier = waiting.chain(self.runs.iter().map(|run| run.time)).collect();
        (Runs::new(runs), self.frontier.borrow())
    }
}

/// Makes a run of each pane of these blocks, which are of one epoch. Returns how many updates the largest had.
fn build(
    blocks: &[Sealed],
    Room { rows: room, ends, keys, builder }: &mut Room,
    into: &mut Vec<Run>,
) -> usize {
    let (time, mut largest) = (blocks[0].epoch, 0);
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    for block in blocks {
        pieces.extend(block.pieces().map(|(pane, range)| Piece { pane, rows: block.rows(), range }));
    }
    pieces.sort_by_key(|piece| (piece.pane, Reverse(piece.range.len())));

    for pieces in pieces.chunk_by(|one, two| one.pane == two.pane) {
        let pane = pieces[0].pane;
        let Some(joined) = Joined::new(pieces, room, ends) else { continue };
        largest = largest.max(joined.len());
        let mut end = |builder: &mut Builder| {
            let body = builder.body().map(Arc::new);
            into.extend(body.map(|body| Run { pane, time, minus: false, body }));
        };
        let low = in_order(&joined, keys);
        let of = |key: &u64| (key & low) as usize;
        let mut rest = &keys[..];
        while let Some((key, behind)) = rest.split_first() {
            rest = behind;
            let index = of(key);
            let row = joined.row(index);
            let mut n = row.n;
            // Equal terms have equal keys, which are nearer.
            while let Some((next, behind)) = rest.split_first()
                && (key ^ next) & !low == 0
                && joined.compare(index, of(next)).is_eq()
            {
                n += joined.row(of(next)).n;
                rest = behind;
            }
            debug_assert!(n > 0, "what is taken off again comes as a run");
            let n = u64::try_from(n).expect("what is taken off again comes as a run");
            match row.long() {
                None => builder.push_short(row.head, row.len as usize, n),
                Some(long) => builder.push(joined.home(index).long(long), n),
            }
            if builder.is_full() {
                end(builder);
            }
        }
        end(builder);
    }
    largest
}

/// Tied keys from which on it is worth another pass over the bits that follow.
const MANY: usize = 16;

/// Leaves the indices of the rows in `keys`, as their low bits, in the order of the terms. Above an index stand as many bits
/// of the head as there is room for, since numbers of eight bytes are moved and compared for less than what they stand for.
/// What they leave tied, in scripts of two and three bytes a letter nearly all, is sorted by the bits that follow.
fn in_order(joined: &Joined<'_>, keys: &mut Vec<u64>) -> u64 {
    let low = (1u64 << (usize::BITS - joined.len().leading_zeros())) - 1;
    keys.clear();
    keys.extend(joined.iter().zip(0..).map(|(row, at)| key_of(row, 0, low) | at));
    sort_from(joined, keys, 0, low);
    low
}

/// Bits of a head from one on, as many as stand above an index.
#[inline]
fn key_of(row: &Row, from: u32, low: u64) -> u64 {
    ((row.head << from) >> 64) as u64 & !low
}

/// Sorts keys that hold bits of the heads from one on; all before it are equal.
fn sort_from(joined: &Joined<'_>, keys: &mut [u64], from: u32, low: u64) {
    keys.sort_unstable();
    let next = from + low.leading_zeros();
    let of = |key: &u64| (key & low) as usize;
    for tied in keys.chunk_by_mut(|one, two| (one ^ two) & !low == 0) {
        match tied.len() {
            1 => {}
            MANY.. if next < u128::BITS => {
                tied.iter_mut().for_each(|key| {
                    *key = key_of(joined.row(of(key)), next, low) | *key & low;
                });
                sort_from(joined, tied, next, low);
            }
            _ => tied.sort_unstable_by(|one, two| joined.compare(of(one), of(two))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{Block, Update};
    use crate::term::HashKeys;
    use std::collections::BTreeMap;

    /// Whatever panes blocks list, twice or in any order, and however updates of several stand among each other, the runs are
    /// what all of them add up to.
    #[test]
    fn blocks_of_any_shape_add_up() {
        let panes = [3, 5, 3, 9].map(|number| Pane::new(0, number));
        let mut expected: BTreeMap<Pane, BTreeMap<Vec<u8>, u64>> = BTreeMap::new();
        let mut batcher = RunsBatcher::default();
        for block in 0..4u32 {
            let mut made = Block::new(7, 0);
            for i in 0..500u32 {
                // Long ones tie in their heads, over blocks as well.
                let place = if block % 2 == 0 { i * 7 % 4 } else { i / 125 };
                let term = format!("{}{}", "as long as a head".repeat((i % 3) as usize), i * 13 % 60);
                let (pane, n) = (panes[place as usize], i64::from(1 + i % 5));
                made.push(pane, Update::new(HashKeys::new(1), term.as_bytes(), n));
                let pane = expected.entry(pane).or_default();
                *pane.entry(term.into_bytes()).or_default() += u64::from(1 + i % 5);
            }
            Batcher::<Sealed>::insert(&mut batcher, &mut made.into());
        }
        let upper = Antichain::from_elem(8);
        let (batch, _) = batcher.extract(upper.borrow());
        let mut found: BTreeMap<Pane, BTreeMap<Vec<u8>, u64>> = BTreeMap::new();
        for run in batch.expect("there are updates").all() {
            let records: Vec<_> = run.body.iter().map(|record| (record.term().to_vec(), record.n)).collect();
            assert!(records.is_sorted_by(|one, two| one.0 < two.0));
            assert!(found.insert(run.pane, records.into_iter().collect()).is_none(), "one run a pane");
        }
        assert_eq!(found, expected);
    }

    /// Whatever bits of their heads terms share, and however many of them stand in how many blocks.
    #[test]
    fn keys_are_in_the_order_of_the_heads_and_no_term_is_another() {
        let mut expected: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        let sizes = [1, 2, 3, 127, 128, 129, 2000];
        let mut pane = 0;
        for ((size, alike), blocks) in sizes
            .into_iter()
            .flat_map(|size| [0, 5, 7, 12, 15, 16, 30].map(|alike| (size, alike)))
            .flat_map(|case| [1, 3].map(|blocks| (case, blocks)))
        {
            pane += 1;
            expected.clear();
            let mut batcher = RunsBatcher::default();
            for block in 0..blocks {
                let mut made = Block::new(7, 0);
                // Some terms twice.
                for i in (0..size).chain(0..size / 3) {
                    // What tells them apart stands behind what they share, as one, two or three bytes.
                    let own = (i * 7 + block) % (size + 1);
                    let term = format!(
                        "{}{}",
                        &"abcdefghijklmnopqrstuvwxyzabcdefgh"[..alike],
                        ["x", "\u{431}", "\u{3042}"][own as usize % 3].repeat(own as usize % 4)
                    ) + &own.to_string();
                    made.push(Pane::new(0, pane), Update::new(HashKeys::new(1), term.as_bytes(), 1));
                    *expected.entry(term.into_bytes()).or_default() += 1;
                }
                Batcher::<Sealed>::insert(&mut batcher, &mut made.into());
            }
            let (batch, _) = batcher.extract(Antichain::from_elem(8).borrow());
            let batch = batch.expect("there are updates");
            let runs = batch.all();
            let records: Vec<_> =
                runs[0].body.iter().map(|record| (record.term().to_vec(), record.n)).collect();
            assert_eq!((runs.len(), records), (1, expected.clone().into_iter().collect()), "{size} {alike}");
        }
    }
}
