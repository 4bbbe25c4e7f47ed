//! `--start-fresh` for processes that are started over and over: it counts once.
//!
//! Idea: whether a run has begun anew can be seen in what is kept: the first thing that it makes is a checkpoint. Until there is
//! one that is newer than all before, the wish has not been fulfilled, and the next run is told of it too.
//! Invariant: what a run has counted since it began anew is never left aside by the next one.
//! Cost: a list of a folder before each run.

use std::io;
use std::sync::Arc;

use super::failure::Failure;
use crate::checkpoint::{CheckpointError, Store, keys, open_store};
use crate::config::Config;

/// A wish to begin anew.
pub(super) struct Fresh {
    /// Where checkpoints are and the number of the newest before all runs; `None`: there is no wish, or nothing is kept.
    wish: Option<(Arc<dyn Store>, u64)>,
}

impl Fresh {
    /// Before the first run.
    ///
    /// # Errors
    /// Where it cannot be seen what is kept.
    pub(super) fn new(config: &Config, wanted: bool) -> Result<Fresh, Failure> {
        let wish = match config.checkpoint.dir.as_ref().filter(|_| wanted) {
            None => None,
            Some(address) => {
                let store = open_store(address)?;
                let before = newest(&*store)?;
                Some((store, before))
            }
        };
        Ok(Fresh { wish })
    }

    /// Whether the next run is to begin anew.
    ///
    /// # Errors
    /// As [`Fresh::new`].
    pub(super) fn is_due(&self) -> io::Result<bool> {
        let Some((store, before)) = &self.wish else { return Ok(false) };
        let newest = newest(&**store).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(newest == *before)
    }
}

/// The number of the newest checkpoint; 0: there is none.
fn newest(store: &dyn Store) -> Result<u64, CheckpointError> {
    let kept = store.list(keys::MANIFESTS)?;
    Ok(kept.iter().filter_map(|key| keys::number(key)).max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wish_holds_until_a_run_has_begun_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let address = format!("file://{}", folder.path().display());
        let mut config = Config::default();
        config.checkpoint.dir = Some(address.clone());
        let store = open_store(&address).expect("it can be made");
        store.create(&keys::manifest(7), b"kept before").expect("it can be written");
        let due = |fresh: &Fresh| fresh.is_due().expect("it can be read");
        let (wanted, not_wanted) =
            (Fresh::new(&config, true).expect("read"), Fresh::new(&config, false).expect("read"));
        // A run that was lost before it had begun changes nothing.
        store.create(&keys::generation(9), b"\n").expect("it can be written");
        assert!(due(&wanted) && !due(&not_wanted));
        store.create(&keys::manifest(8), b"begun anew").expect("it can be written");
        assert!(!due(&wanted));
        config.checkpoint.dir = None;
        assert!(!due(&Fresh::new(&config, true).expect("nothing is read")));
    }
}
