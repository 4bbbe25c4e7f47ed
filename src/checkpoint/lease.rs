//! How far epochs may go: written ahead, so that no later run begins with a number that was shown already.
//!
//! Idea: epochs are numbered by the wall clock, which can be set back between two runs, and an epoch that was shown need
//! not be in any checkpoint. So a bound is written before it is needed, a few seconds ahead, and renewed; a later run
//! begins beyond it. While it is renewed it also says that its run is alive, to whoever would take over a place that has no
//! locks.
//! Invariant: no epoch is larger than a bound that has been written, as long as bounds can be written. Where they cannot
//! (a full disk), epochs go on without: then only a wall clock that is set back, together with a crash, could show.
//! Cost: a file of thirty bytes a second; a start waits for a bound of the run before, three seconds after a crash.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::commit::refuse_if_fenced;
use super::store::Store;
use super::{CheckpointError, keys};

/// Epochs that may be closed within one millisecond of the bound: numbers go on where the clock does not.
const SLACK: u64 = 1000;

/// Bounds further ahead of the wall clock than this are not waited for: the clock was set back.
const LONGEST_WAIT_MS: u64 = 60_000;

/// A run's lease.
#[derive(Debug)]
pub struct Lease {
    generation: u64,
    bound: AtomicU64,
    /// The newest epoch.
    epoch: AtomicU64,
    ended: AtomicU64,
}

impl Lease {
    /// Of a run whose epochs come after `epoch`; nothing is written yet.
    pub fn new(generation: u64, epoch: u64) -> Lease {
        let (bound, ended) = (AtomicU64::new(epoch), AtomicU64::new(0));
        Lease { generation, bound, epoch: AtomicU64::new(epoch), ended }
    }

    /// What an epoch that closes now is numbered by, unless the one before says otherwise.
    pub fn within(&self, wall: u64) -> u64 {
        wall.min(self.bound.load(Ordering::SeqCst))
    }

    /// Takes note of an epoch's number.
    pub fn closed(&self, epoch: u64) {
        self.epoch.fetch_max(epoch, Ordering::SeqCst);
    }

    /// Writes the bound anew.
    ///
    /// # Errors
    /// Where it cannot be written; then epochs go on without.
    pub fn renew(&self, store: &dyn Store, wall: u64) -> Result<(), CheckpointError> {
        let bound = wall.max(self.epoch.load(Ordering::SeqCst)) + store.ahead_ms();
        match write(store, self.generation, bound) {
            Ok(()) => {
                self.bound.store(bound - SLACK, Ordering::SeqCst);
                Ok(())
            }
            Err(error) => {
                self.bound.store(u64::MAX, Ordering::SeqCst);
                Err(error)
            }
        }
    }

    /// Says that no epoch follows, so that the next run need not wait.
    pub fn end(&self, store: &dyn Store) {
        self.ended.store(1, Ordering::SeqCst);
        if let Err(error) = write(store, self.generation, self.epoch.load(Ordering::SeqCst)) {
            tracing::warn!("the next start waits for some seconds: {error}");
        }
    }

    fn ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst) != 0
    }
}

fn write(store: &dyn Store, generation: u64, bound: u64) -> Result<(), CheckpointError> {
    store.replace(&keys::lease(generation), encode(bound).as_bytes())
}

/// A bound and the checksum of its digits.
fn encode(bound: u64) -> String {
    let digits = bound.to_string();
    format!("{digits} {:08x}\n", crc32fast::hash(digits.as_bytes()))
}

/// `None`: it is not as it was written.
fn decode(bytes: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let bound = text.split(' ').next()?.parse().ok()?;
    (encode(bound) == text).then_some(bound)
}

/// The largest bound that any run has written.
///
/// # Errors
/// Where they cannot be read.
pub fn largest(store: &dyn Store) -> Result<u64, CheckpointError> {
    let mut largest = 0;
    for key in store.list(keys::LEASES)? {
        let Some(bytes) = store.read(&key)? else { continue };
        match decode(&bytes) {
            Some(bound) => largest = bound.max(largest),
            // The manifests have their epochs too, and the wall clock its own; no start is refused for this.
            None => tracing::warn!(
                "{} is damaged: it is no lease as one was written, and is passed over",
                store.show(&key)
            ),
        }
    }
    Ok(largest)
}

/// Waits until the bounds of earlier runs have passed; returns the number after which epochs may begin.
///
/// # Errors
/// `Busy` where one of them is being renewed.
pub fn wait(store: &dyn Store, wall: impl Fn() -> u64) -> Result<u64, CheckpointError> {
    let bound = largest(store)?;
    if bound.saturating_sub(wall()) > LONGEST_WAIT_MS {
        tracing::warn!(
            bound,
            "an earlier run closed epochs later than the wall clock says it is: they go on from there"
        );
        return Ok(bound);
    }
    while wall() <= bound {
        std::thread::sleep(Duration::from_millis(bound.saturating_sub(wall()).clamp(1, 200)));
        if largest(store)? > bound {
            return Err(CheckpointError::Busy(format!(
                "another run is at work on the checkpoints in {}; stop it first, or choose another checkpoint.dir",
                store.show("")
            )));
        }
    }
    Ok(bound)
}

/// Renews a lease until it has ended; calls `fenced` once where a later run has begun.
///
/// # Errors
/// Where no thread can be started.
pub fn keep(
    store: Arc<dyn Store>,
    lease: Arc<Lease>,
    wall: impl Fn() -> u64 + Send + 'static,
    fenced: impl FnOnce(CheckpointError) + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    let period = Duration::from_millis(store.ahead_ms() / 3);
    let renew = move || {
        let (mut failing, mut fenced) = (false, Some(fenced));
        while !lease.ended() {
            let begun = Instant::now();
            match lease.renew(&*store, wall()) {
                Ok(()) => failing = false,
                Err(error) if !std::mem::replace(&mut failing, true) => tracing::warn!("{error}"),
                Err(_) => {}
            }
            if let Err(error @ CheckpointError::Fenced(_)) = refuse_if_fenced(&*store, lease.generation)
                && let Some(fenced) = fenced.take()
            {
                fenced(error);
            }
            while !lease.ended() && begun.elapsed() < period {
                std::thread::sleep(Duration::from_millis(50).min(period));
            }
        }
    };
    std::thread::Builder::new().name("lease".to_owned()).spawn(renew)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::files::Files;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_bound_is_read_as_it_was_written_or_not_at_all(bound in any::<u64>(), at in any::<prop::sample::Index>(), bit in 0u8..8, cut in any::<bool>()) {
            let mut bytes = encode(bound).into_bytes();
            prop_assert_eq!(decode(&bytes), Some(bound));
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] ^= 1 << bit }
            prop_assert_eq!(decode(&bytes), None);
        }
    }

    #[test]
    fn epochs_stay_within_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let store = Files::new(folder.path());
        let lease = Lease::new(7, 500);
        assert_eq!(lease.within(9_000_000), 500, "nothing is written yet");
        lease.renew(&store, 10_000).unwrap();
        assert_eq!((lease.within(9_000_000), largest(&store).unwrap()), (12_000, 13_000));
        lease.closed(11_000);
        lease.renew(&store, 400).unwrap();
        assert_eq!(largest(&store).unwrap(), 14_000, "the wall clock was set back");
        lease.end(&store);
        assert_eq!(largest(&store).unwrap(), 11_000);
        assert_eq!(wait(&store, || 11_001).unwrap(), 11_000);
        lease.renew(&store, 1_000_000).unwrap();
        assert_eq!(wait(&store, || 11_001).unwrap(), 1_003_000, "too far ahead to be waited for");
    }

    #[test]
    fn a_lease_that_is_renewed_is_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let store = Files::new(folder.path());
        let lease = Lease::new(7, 0);
        lease.renew(&store, 100).unwrap();
        let begun = Instant::now();
        let wall = || {
            lease.renew(&store, 200).unwrap();
            100 + begun.elapsed().as_millis() as u64
        };
        assert!(matches!(wait(&store, wall), Err(CheckpointError::Busy(_))));
    }
}
