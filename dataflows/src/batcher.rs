//! Sorts the blocks of an epoch straight into one batch of the base arrangement.
//!
//! Idea: all updates of a block share one time and arrive combined, so a ladder of merges (what `MergeBatcher`
//! does) buys nothing: sort small entries that point into the blocks, pane by pane, then write the batch's slab in order.
//! Invariant: `extract(upper)` takes exactly the blocks whose epoch is before `upper`; equal keys are summed.
//! Cost: 32 bytes per update, one step to its pane, and about log2(n) integer comparisons, n being the updates of one pane;
//! terms are touched only where heads tie, and once more to be copied.

use std::cmp::Ordering;
use std::ops::Range;

use differential_dataflow::batcher::{Batcher, Extract};
use differential_dataflow::logging::Logger;
use differential_dataflow::trace::implementations::BatchContainer;
use differential_dataflow::trace::implementations::ord_neu::key_batch::{OrdKeyBatch, OrdKeyStorage};
use differential_dataflow::trace::implementations::ord_neu::layers::{Upds, UpdsBuilder};
use timely::progress::Antichain;
use timely::progress::frontier::AntichainRef;

use crate::block::{Block, Sealed};
use crate::keys::{KeyRef, Keys};
use crate::panes::{PanesBatch, PanesLayout};
use crate::term::{HEAD, head};
use crate::windows::Pane;

/// The blocks of epochs that are not complete.
#[derive(Default)]
pub struct BlockBatcher {
    blocks: Vec<Sealed>,
    frontier: Antichain<u64>,
    /// Room that is kept from batch to batch: new memory of this size costs more than the sort.
    entries: Vec<Entry>,
}

impl BlockBatcher {
    /// As `arrange_core` wants it.
    pub fn new(_logger: Option<Logger>, _operator: usize) -> Self {
        BlockBatcher::default()
    }
}

impl Batcher<Sealed> for BlockBatcher {
    fn insert(&mut self, block: &mut Sealed) {
        if !block.is_empty() {
            self.blocks.push(std::mem::take(block));
        }
    }
}

impl Extract for BlockBatcher {
    type Time = u64;
    type Output = PanesBatch;

    fn extract<'a>(
        &'a mut self,
        upper: AntichainRef<'_, u64>,
    ) -> (Option<PanesBatch>, AntichainRef<'a, u64>) {
        let ready: Vec<Sealed> =
            self.blocks.extract_if(.., |block| !upper.less_equal(&block.epoch)).collect();
        self.frontier = self.blocks.iter().map(|block| block.epoch).collect();
        (build(&ready, &mut self.entries), self.frontier.borrow())
    }
}

/// An update, in the run of its pane, by what it is sorted by.
#[derive(Clone, Copy, Default)]
struct Entry {
    head: u128,
    n: i64,
    len: u32,
    /// Its number among the updates of all blocks.
    number: u32,
}

/// Blocks end to end.
struct Joined<'a> {
    blocks: &'a [Sealed],
    /// Number of the first update of each block.
    starts: Vec<u32>,
}

impl<'a> Joined<'a> {
    fn place(&self, entry: &Entry) -> (&'a Block, usize) {
        let block = self.starts.partition_point(|start| *start <= entry.number) - 1;
        (&self.blocks[block], (entry.number - self.starts[block]) as usize)
    }
    fn term(&self, entry: &Entry) -> &'a [u8] {
        let (block, index) = self.place(entry);
        block.term(index)
    }
    fn compare(&self, one: &Entry, two: &Entry) -> Ordering {
        one.head.cmp(&two.head).then_with(|| {
            if one.len.max(two.len) as usize <= HEAD {
                one.len.cmp(&two.len)
            } else {
                self.term(one).cmp(self.term(two))
            }
        })
    }
}

fn build(blocks: &[Sealed], entries: &mut Vec<Entry>) -> Option<PanesBatch> {
    let updates = blocks.iter().map(|block| block.len()).sum();
    if updates == 0 {
        return None;
    }
    u32::try_from(updates).expect("less than 2^32 updates on their way to a worker");
    let (panes, mut runs) = runs(blocks);
    let mut joined = Joined { blocks, starts: Vec::with_capacity(blocks.len()) };
    entries.clear();
    entries.resize(updates, Entry::default());
    let mut number = 0;
    for block in blocks {
        joined.starts.push(number);
        let run_of = ranks(block, &panes);
        for (place, term, n) in block.iter() {
            let end = &mut runs[run_of[place as usize]].end;
            entries[*end] = Entry { head: head(term), n, len: term.len() as u32, number };
            *end += 1;
            number += 1;
        }
    }

    let mut keys = Keys::with_capacities(updates, blocks.iter().map(|block| block.term_bytes()).sum());
    let mut upds = Upds::with_capacity(updates + 1, updates);
    let mut staging = UpdsBuilder::default();
    // Nearly always one epoch is ready, and its updates need not be asked for theirs.
    let first = blocks.first().map(|block| block.epoch);
    let common = first.filter(|first| blocks.iter().all(|block| block.epoch == *first));
    for (pane, run) in panes.into_iter().zip(runs) {
        let entries = &mut entries[run];
        entries.sort_unstable_by(|one, two| joined.compare(one, two));
        for group in entries.chunk_by(|one, two| joined.compare(one, two).is_eq()) {
            for entry in group {
                staging.push(common.unwrap_or_else(|| joined.place(entry).0.epoch), entry.n);
            }
            if staging.seal(&mut upds) {
                let bytes = group[0].head.to_be_bytes();
                let len = group[0].len as usize;
                let term = if len <= HEAD { &bytes[..len] } else { joined.term(&group[0]) };
                keys.push_ref(KeyRef { pane, term });
            }
        }
    }
    (staging.total() > 0).then(|| OrdKeyBatch {
        updates: staging.total(),
        storage: OrdKeyStorage { keys, upds },
        value: OrdKeyBatch::<PanesLayout>::create_value(),
    })
}

/// All panes, ascending, and where the updates of each will stand: runs one after another, empty as yet.
fn runs(blocks: &[Sealed]) -> (Vec<Pane>, Vec<Range<usize>>) {
    let mut panes: Vec<Pane> = blocks.iter().flat_map(|block| block.panes()).copied().collect();
    panes.sort_unstable();
    panes.dedup();
    let mut sizes = vec![0; panes.len()];
    for block in blocks {
        let run_of = ranks(block, &panes);
        block.places().iter().for_each(|place| sizes[run_of[*place as usize]] += 1);
    }
    let mut start = 0;
    let run = |size| {
        let run = start..start;
        start += size;
        run
    };
    (panes, sizes.into_iter().map(run).collect())
}

/// Where each pane that a block lists stands among all.
fn ranks(block: &Block, panes: &[Pane]) -> Vec<usize> {
    block.panes().iter().map(|pane| panes.partition_point(|other| other < pane)).collect()
}
