//! How a run begins on what earlier ones have left.
//!
//! Idea: it takes the lock, notes that it has begun, waits until no earlier one can have shown a later epoch, and reads the
//! newest checkpoint that is whole. Then it makes the next manifest, with the same content and its own number: from there on
//! no earlier run can make one (`seal`).
//! Invariant: of two that begin at once one is refused, or is fenced at its first manifest or soon after. Where there are no locks
//! the later takes over from one that is still loading, and at worst both end; no manifest is ever written by two.
//! Cost: a verification, which reads everything once; some small files.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::choose::{Choice, Verdict, choose};
use super::manifest::FORMAT;
use super::store::{Store, open_store};
use super::{CheckpointError, Manifest, commit, keys, lease, verify};

/// For how long a process that is just ending may hold the lock.
const PATIENCE: Duration = Duration::from_secs(10);

/// For how long the manifest with which the process that leads has begun may take to be seen here. It stands before that process
/// tells others anything.
const LEADER: Duration = Duration::from_secs(120);

/// After how long it is said that it is waited for.
const LONG: Duration = Duration::from_secs(3);

/// Whose directory it is.
#[derive(Debug, Serialize, Deserialize)]
struct Owner {
    format: u32,
    cluster: String,
}

/// What a run found.
pub struct Opened {
    /// Where checkpoints are.
    pub store: Arc<dyn Store>,
    /// The number of this run: larger than that of any earlier one.
    pub generation: u64,
    /// The checkpoint to go on from; `None`: there is none.
    pub found: Option<Manifest>,
    /// The number of the newest manifest, whole or not.
    pub last: u64,
    /// The number after which epochs may begin.
    pub after: u64,
}

/// Begins a run, with this number where it has one already. `fresh`: leave what there is alone, and begin anew.
///
/// # Errors
/// Where it is another cluster's, where another run is at work, and where there are checkpoints but none is whole.
pub fn open(
    address: &str,
    cluster: &str,
    generation: Option<u64>,
    fresh: bool,
    wall: impl Fn() -> u64,
) -> Result<Opened, CheckpointError> {
    let store = open_store(address)?;
    lock(&*store)?;
    own(&*store, cluster, fresh)?;
    let mut after = lease::wait(&*store, &wall)?;
    let generation = begin(&*store, generation, wall())?;
    let numbers: Vec<u64> = store.list(keys::MANIFESTS)?.iter().filter_map(|key| keys::number(key)).collect();
    let last = numbers.iter().copied().max().unwrap_or(0);
    if fresh {
        if last > 0 {
            tracing::warn!(
                "--start-fresh: {} checkpoints are not loaded and go once three newer ones stand; counting begins anew",
                numbers.len()
            );
        }
        // Epochs go on all the same.
        let newest = numbers.iter().rev().find_map(|number| verify::manifest(&*store, *number).ok());
        after = after.max(newest.map_or(0, |manifest| manifest.epoch));
        return Ok(Opened { store, generation, found: None, last, after });
    }
    let mut found = None;
    let choice = choose(numbers, |number| {
        let (verdict, manifest) = verify::judge(&*store, number)?;
        found = manifest;
        Ok::<Verdict, CheckpointError>(verdict)
    })?;
    match choice {
        Choice::Anew => {}
        Choice::From(number, damage) => {
            damage.iter().for_each(|why| tracing::error!("{why}"));
            if !damage.is_empty() {
                tracing::error!(number, "going on from an older checkpoint: more is counted again");
            }
        }
        Choice::Refuse(damage) => {
            return Err(CheckpointError::Unusable(format!(
                "{}\nno checkpoint in {} is whole; restore one from a backup, or begin anew with --start-fresh",
                damage.join("\n"),
                store.show("")
            )));
        }
    }
    after = after.max(found.as_ref().map_or(0, |manifest| manifest.epoch));
    Ok(Opened { store, generation, found, last, after })
}

/// Makes the first manifest of a run: `manifest` with the run's own number and generation.
///
/// # Errors
/// `Fenced` where another run was faster.
pub fn seal(opened: &Opened, manifest: Manifest) -> Result<Manifest, CheckpointError> {
    let sealed = Manifest { number: opened.last + 1, generation: opened.generation, ..manifest };
    commit::refuse_if_fenced(&*opened.store, opened.generation)?;
    commit::create(&*opened.store, &sealed)?;
    Ok(sealed)
}

/// Waits for the process that leads to have made the first manifest of a run, and reads it.
///
/// # Errors
/// Where that does not come.
pub fn follow(address: &str, generation: u64) -> Result<(Arc<dyn Store>, Manifest), CheckpointError> {
    let store = open_store(address)?;
    let (begun, mut told) = (Instant::now(), false);
    loop {
        let mut unread = None;
        let numbers = store.list(keys::MANIFESTS)?;
        let mut newest = numbers.iter().rev().filter_map(|key| keys::number(key)).take(3);
        let sealed = newest.find_map(|number| match verify::manifest(&*store, number) {
            Ok(manifest) => (manifest.generation == generation).then_some(manifest),
            Err(why) => {
                unread = Some(why);
                None
            }
        });
        match sealed {
            Some(manifest) => return Ok((store, manifest)),
            None if begun.elapsed() >= LEADER => {
                // What cannot be read may be the one that was waited for.
                return Err(unread.unwrap_or(CheckpointError::Refused(format!(
                    "run {generation} has no checkpoint in {}; checkpoint.dir must be the same place for all processes",
                    store.show("")
                ))));
            }
            None if begun.elapsed() >= LONG && !std::mem::replace(&mut told, true) => {
                tracing::info!("waiting for process 0 to begin run {generation} in {}", store.show(""));
            }
            None => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn lock(store: &dyn Store) -> Result<(), CheckpointError> {
    let until = Instant::now() + PATIENCE;
    while !store.lock()? {
        if Instant::now() >= until {
            return Err(CheckpointError::Busy(format!(
                "another process holds the checkpoints in {}; stop it first, or choose another checkpoint.dir",
                store.show("")
            )));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// Makes the directory this cluster's, unless it is another's. `fresh`: also where it cannot be read whose it is.
fn own(store: &dyn Store, cluster: &str, fresh: bool) -> Result<(), CheckpointError> {
    let owner = Owner { format: FORMAT, cluster: cluster.to_owned() };
    let key = store.show(keys::CLUSTER);
    let broken = |why: serde_json::Error| {
        CheckpointError::damaged(
            &key,
            format!(
                "{why}; where this directory is that of cluster {cluster:?}, remove this one file: it is written anew, and \
                 the checkpoints beside it stay usable"
            ),
        )
    };
    let bytes = serde_json::to_vec(&owner).map_err(broken)?;
    if store.create(keys::CLUSTER, &bytes)? {
        return Ok(());
    }
    let kept = store.read(keys::CLUSTER)?.unwrap_or_default();
    let found: Owner = match serde_json::from_slice(&kept) {
        Ok(found) => found,
        Err(why) if fresh => {
            tracing::warn!("--start-fresh: {key} is damaged and is written anew: {why}");
            return store.replace(keys::CLUSTER, &bytes);
        }
        Err(why) => return Err(broken(why)),
    };
    if found.format > FORMAT {
        return Err(CheckpointError::Refused(format!(
            "the checkpoints in {} are of format {}, and this version reads up to {FORMAT}: run a newer one",
            store.show(""),
            found.format
        )));
    }
    if found.cluster != cluster {
        return Err(CheckpointError::Refused(format!(
            "the checkpoints in {} are of cluster {:?}, and cluster.id is {cluster:?}: choose another checkpoint.dir, or \
             that id",
            store.show(""),
            found.cluster
        )));
    }
    Ok(())
}

/// The latest run that has begun; 0: none has.
///
/// # Errors
/// Where that cannot be read.
pub fn last_run(store: &dyn Store) -> Result<u64, CheckpointError> {
    let runs = store.list(keys::GENERATIONS)?;
    Ok(runs.iter().filter_map(|key| keys::number(key)).max().unwrap_or(0))
}

/// Notes that a run begins; its number is the wall clock's, and larger than any before.
fn begin(store: &dyn Store, given: Option<u64>, wall: u64) -> Result<u64, CheckpointError> {
    loop {
        let last = last_run(store)?;
        let generation = given.unwrap_or(wall.max(last + 1));
        if generation <= last {
            return Err(CheckpointError::Busy(format!(
                "run {last} has begun since, and {generation} is earlier: try again"
            )));
        }
        if store.create(&keys::generation(generation), token().as_bytes())? {
            return Ok(generation);
        }
    }
}

/// What no other run writes: the standard library's hasher is keyed at random.
fn token() -> String {
    format!("{:016x}\n", RandomState::new().hash_one(0))
}

#[cfg(test)]
mod tests {
    use super::super::files::Files;
    use super::*;

    #[test]
    fn a_place_that_does_not_say_whose_it_is_is_taken_only_where_that_is_wanted() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files::new(folder.path());
        own(&files, "one", false).expect("nobody has it");
        let whole = files.read(keys::CLUSTER).expect("it can be read").expect("it is there");
        for torn in [&whole[..whole.len() / 2], b"", b"[]"] {
            files.replace(keys::CLUSTER, torn).expect("it can be written");
            let error = own(&files, "one", false).expect_err("it is damaged");
            let said = error.to_string();
            let parts = ["cluster.json is damaged", "cluster \"one\"", "remove this one file", "stay usable"];
            assert!(parts.iter().all(|part| said.contains(part)), "{said}");
            assert_eq!(error.exit(), 65);
            assert_eq!(files.read(keys::CLUSTER).expect("it can be read").as_deref(), Some(torn));
            own(&files, "one", true).expect("it is written anew");
            assert_eq!(files.read(keys::CLUSTER).expect("it can be read").as_ref(), Some(&whole));
        }
        // What is whole says whose it is, whatever is wanted.
        assert_eq!(own(&files, "two", true).map_err(|error| error.exit()), Err(78));
    }
}
