//! The rows of a checkpoint, dealt to those who load them.
//!
//! Idea: blocks are dealt round, whoever wrote them, so any number of workers has about as much to read each.
//! Invariant: each good block is read by one worker.
//! Cost: one index a segment and worker; one read a block.

use super::manifest::Place;
use super::segment::{Block, read_block, read_index};
use super::store::Store;
use super::{CheckpointError, Manifest};

/// A row as it is kept: its count's id, its place, its term, its number.
pub type Row<'a> = (u32, Place, &'a [u8], i64);

/// Shows the rows of worker `index` of `peers`; `pause` is called now and then.
///
/// # Errors
/// Where a segment cannot be read, or is not as it was when it was verified.
pub fn load(
    store: &dyn Store,
    manifest: &Manifest,
    (index, peers): (usize, usize),
    mut see: impl FnMut(Row<'_>),
    mut pause: impl FnMut(),
) -> Result<(), CheckpointError> {
    let mut turn = 0;
    for segment in &manifest.segments {
        for section in read_index(store, segment)? {
            let (count, place) = (section.placed.count, section.placed.place);
            let mine = |_: &Block| {
                turn += 1;
                (turn - 1) % peers == index
            };
            for block in section.blocks.into_iter().filter(mine) {
                read_block(store, &segment.key, block, |term, n| see((count, place, term, n)))?;
                pause();
            }
        }
    }
    Ok(())
}
