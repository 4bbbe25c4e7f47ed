//! What nobody needs any more.
//!
//! Idea: the newest manifests are kept, with all that they refer to. Everything is classified before anything is deleted.
//! Invariant: what a kept manifest refers to is never deleted, nor what a later run has written, nor what may belong to a
//! checkpoint that is still being written. Where a kept manifest cannot be read, nothing is deleted.
//! Cost: two lists of names a checkpoint.

use std::collections::BTreeSet;

use super::failpoint::point;
use super::store::Store;
use super::{CheckpointError, Manifest, keys};

/// How many manifests are kept.
pub const KEPT: usize = 3;

/// What stands in a store.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Manifests.
    pub manifests: Vec<String>,
    /// Segments.
    pub segments: Vec<String>,
    /// Notes of runs, and leases.
    pub runs: Vec<String>,
}

/// Names of the manifests that are kept.
pub fn kept(manifests: &[String]) -> Vec<String> {
    let mut ours: Vec<&String> = manifests.iter().filter(|key| keys::number(key).is_some()).collect();
    ours.sort_unstable_by_key(|key| keys::number(key));
    ours.into_iter().rev().take(KEPT).cloned().collect()
}

/// What can be deleted, in the order in which to do it. `needed` are the segments that the kept manifests refer to; run
/// `generation` has just written manifest `number`, and nothing is being written.
pub fn plan(standing: &Standing, needed: &BTreeSet<String>, generation: u64, number: u64) -> Vec<String> {
    let kept: BTreeSet<String> = kept(&standing.manifests).into_iter().collect();
    let manifests = standing
        .manifests
        .iter()
        .filter(|key| keys::number(key).is_some_and(|of| of < number) && !kept.contains(*key));
    let segments = standing.segments.iter().filter(|key| {
        let past = |(by, of): (u64, u64)| by < generation || by == generation && of <= number;
        keys::of_segment(key).is_some_and(past) && !needed.contains(*key)
    });
    // The notes of this run and of later ones tell who may write.
    let runs = standing.runs.iter().filter(|key| keys::number(key).is_some_and(|of| of < generation));
    manifests.chain(segments).chain(runs).cloned().collect()
}

/// Deletes what can be deleted.
///
/// # Errors
/// Where the store cannot be read or something cannot be deleted; the rest stays for the next time.
pub fn collect(store: &dyn Store, generation: u64, number: u64) -> Result<(), CheckpointError> {
    let mut runs = store.list(keys::GENERATIONS)?;
    runs.extend(store.list(keys::LEASES)?);
    let standing =
        Standing { manifests: store.list(keys::MANIFESTS)?, segments: store.list(keys::SEGMENTS)?, runs };
    let mut needed = BTreeSet::new();
    for key in kept(&standing.manifests) {
        let Some(bytes) = store.read(&key)? else { return Ok(()) };
        let manifest = Manifest::decode(&store.show(&key), &bytes)?;
        needed.extend(manifest.segments.into_iter().map(|segment| segment.key));
    }
    let plan = plan(&standing, &needed, generation, number);
    point("garbage.before");
    plan.iter().try_for_each(|key| store.delete(key))?;
    point("garbage.after");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_needed_or_later_is_deleted(
            manifests in proptest::collection::btree_set(1u64..30, 0..10),
            segments in proptest::collection::btree_set((1u64..5, 1u64..30), 0..40),
            needed in proptest::collection::btree_set((1u64..5, 1u64..30), 0..40),
            (generation, number) in (1u64..5, 1u64..30),
        ) {
            let name = |(generation, number): &(u64, u64)| keys::segment(*generation, *number, 0, "open");
            let foreign = ["manifests/README".to_owned(), "segments/mine".to_owned()];
            let standing = Standing {
                manifests: manifests.iter().map(|number| keys::manifest(*number)).chain(foreign.clone()).collect(),
                segments: segments.iter().map(name).chain(foreign.clone()).collect(),
                runs: (1..6).flat_map(|run| [keys::generation(run), keys::lease(run)]).collect(),
            };
            let needed: BTreeSet<String> = needed.iter().map(name).collect();
            let plan: BTreeSet<String> = plan(&standing, &needed, generation, number).into_iter().collect();
            for key in plan.iter() {
                prop_assert!(!needed.contains(key) && !foreign.contains(key));
            }
            for key in manifests.iter().rev().take(KEPT).map(|number| keys::manifest(*number)) {
                prop_assert!(!plan.contains(&key));
            }
            for (by, of) in segments {
                let written = by < generation || by == generation && of <= number;
                let key = name(&(by, of));
                prop_assert_eq!(plan.contains(&key), written && !needed.contains(&key), "{}", key);
            }
            for run in 1..6 {
                prop_assert_eq!(plan.contains(&keys::generation(run)), run < generation);
                prop_assert_eq!(plan.contains(&keys::lease(run)), run < generation);
            }
        }
    }
}
