//! Whether a checkpoint is whole: every byte that it refers to is there as it was written.
//!
//! Invariant: nothing is loaded that has not been verified; what is wrong is told with the name of the file.
//! Cost: one sequential read of all segments.

use super::choose::Verdict;
use super::segment::{read_block, read_index};
use super::store::Store;
use super::{CheckpointError, Manifest, keys};

/// Reads a manifest.
///
/// # Errors
/// `Damaged` where it is not as it was written, `Refused` where a newer version wrote it.
pub fn manifest(store: &dyn Store, number: u64) -> Result<Manifest, CheckpointError> {
    let key = keys::manifest(number);
    let bytes =
        store.read(&key)?.ok_or_else(|| CheckpointError::damaged(&store.show(&key), "it is missing"))?;
    let manifest = Manifest::decode(&store.show(&key), &bytes)?;
    if manifest.number != number {
        return Err(CheckpointError::damaged(&store.show(&key), format!("it is number {}", manifest.number)));
    }
    Ok(manifest)
}

/// Reads all segments of a manifest.
///
/// # Errors
/// `Damaged`, for the first that is not as it was written.
pub fn segments(store: &dyn Store, manifest: &Manifest) -> Result<(), CheckpointError> {
    for segment in &manifest.segments {
        for section in read_index(store, segment)? {
            let (mut rows, mut sum) = (0, 0i64);
            for block in section.blocks {
                read_block(store, &segment.key, block, |_, n| {
                    rows += 1;
                    sum = sum.wrapping_add(n);
                })?;
            }
            if (rows, sum) != (section.placed.rows, section.placed.sum) {
                return Err(CheckpointError::damaged(&store.show(&segment.key), "its rows do not add up"));
            }
        }
    }
    Ok(())
}

/// Judges a checkpoint; returns it where it is whole.
///
/// # Errors
/// What is not damage: it cannot be read, or a newer version wrote it.
pub fn judge(store: &dyn Store, number: u64) -> Result<(Verdict, Option<Manifest>), CheckpointError> {
    let read = manifest(store, number).and_then(|manifest| segments(store, &manifest).map(|()| manifest));
    match read {
        Ok(manifest) => Ok((Verdict::Whole, Some(manifest))),
        Err(damaged @ CheckpointError::Damaged { .. }) => Ok((Verdict::Damaged(damaged.to_string()), None)),
        Err(other) => Err(other),
    }
}
