//! Brings rows of an earlier run into the dataflow, before its first epoch closes.
//!
//! Idea: a row `(pane, term, n)` is an update like any other, so it takes the way that updates take: into a block for the
//! owner of its term, by this run's own hash. So it does not matter how many workers the earlier run had.
//! Invariant: what is loaded belongs to the first epoch. No more can be loaded once an epoch has closed.
//! Cost: a hash and a copy a row, with several workers two hashes; all rows wait in memory for the first epoch to be complete.

use timely::container::NoopBuilder;
use timely::dataflow::InputHandle;

use crate::block::{Block, Update};
use crate::outgoing::owner_of;
use crate::term::HashKeys;
use crate::windows::Pane;

/// One worker's way into the tables of a pipeline.
pub struct Load {
    keys: HashKeys,
    tables: Vec<Table>,
}

/// The way into one table.
pub(crate) type Input = InputHandle<u64, NoopBuilder<Block>>;

struct Table {
    input: Input,
    /// What is being filled, by owner.
    blocks: Vec<Block>,
}

impl Load {
    pub(crate) fn new(inputs: Vec<Input>, peers: usize, keys: HashKeys) -> Load {
        let tables =
            inputs.into_iter().map(|input| Table { input, blocks: (0..peers).map(block_for).collect() });
        Load { keys, tables: tables.collect() }
    }

    /// Adds a row to a table, see [`crate::pipeline::Plan::tables`].
    pub fn push(&mut self, table: usize, pane: Pane, term: &[u8], n: i64) {
        let Table { input, blocks } = &mut self.tables[table];
        let peers = blocks.len();
        let owner = if peers == 1 { 0 } else { owner_of(self.keys, term, peers) };
        let block = &mut blocks[owner];
        block.push(pane, Update::new(self.keys, term, n));
        if block.is_full() {
            input.send_batch(&mut std::mem::replace(block, block_for(owner)));
        }
    }

    /// Sends what has not filled a block.
    pub fn flush(&mut self) {
        for Table { input, blocks } in &mut self.tables {
            for (owner, block) in blocks.iter_mut().enumerate().filter(|(_, block)| !block.is_empty()) {
                input.send_batch(&mut std::mem::replace(block, block_for(owner)));
            }
        }
    }
}

fn block_for(owner: usize) -> Block {
    Block::new(0, owner as u32)
}
