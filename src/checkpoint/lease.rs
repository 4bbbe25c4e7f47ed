//! How far epochs may go: written ahead, so that no later run begins with a number that was shown already.
//!
//! Idea: epochs are numbered by the wall clock, which can be set back between two runs, and an epoch that was shown need
//! not be in any checkpoint. So a bound is written before it is needed, a few seconds ahead, and renewed; a later run
//! begins beyond it. While it is renewed it also says that its run is alive, to whoever would take over a place that has no
//! locks.
//! Invariant: no epoch is larger than a bound that has been written, as long as bounds can be written. Where they cannot
//! (a full disk, or one that does not answer), epochs go on without: then only a wall clock that is set back, together with a
//! crash, could show.
//! Cost: a file of thirty bytes a second; a start waits for a bound of the run before, three seconds after a crash. In a
//! bucket it is every two seconds, and six.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::commit::refuse_if_fenced;
use super::store::Store;
use super::{CheckpointError, keys};

/// Epochs that may be closed within one millisecond of the bound: numbers go on where the clock does not.
const SLACK: u64 = 1000;

/// Bounds further ahead of the wall clock than this are not waited for: the clock was set back.
const LONGEST_WAIT_MS: u64 = 60_000;

/// How long epochs wait for a bound that is being written. The clock stands still meanwhile, and it is the same for all.
const LATE: Duration = Duration::from_secs(3);

/// A run's lease.
#[derive(Debug)]
pub struct Lease {
    generation: u64,
    bound: AtomicU64,
    /// Since when epochs wait for the next bound.
    waiting: Mutex<Option<Instant>>,
    /// The newest epoch.
    epoch: AtomicU64,
    ended: AtomicU64,
}

impl Lease {
    /// Of a run whose epochs come after `epoch`; nothing is written yet.
    pub fn new(generation: u64, epoch: u64) -> Lease {
        let (bound, ended) = (AtomicU64::new(epoch), AtomicU64::new(0));
        Lease { generation, bound, waiting: Mutex::default(), epoch: AtomicU64::new(epoch), ended }
    }

    /// What an epoch that closes now is numbered by, unless the one before says otherwise.
    pub fn within(&self, wall: u64) -> u64 {
        let (bound, mut waiting) =
            (self.bound.load(Ordering::SeqCst), self.waiting.lock().expect("no holder panics"));
        if wall <= bound {
            *waiting = None;
            return wall;
        }
        // Counted from when it is first missed: a process that was held up has renewed nothing either, and does so at once.
        if waiting.get_or_insert_with(Instant::now).elapsed() < LATE {
            return bound;
        }
        tracing::warn!(
            "checkpoint: writing takes longer than {LATE:?}; epochs go on without what they wait for"
        );
        self.bound.store(u64::MAX, Ordering::SeqCst);
        *waiting = None;
        wall
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
        match write(store, self.generation, Bound { number: bound, is_last: false }) {
            Ok(()) => {
                // One that took so long that epochs have gone on without it is of no use any more; the next is.
                let is_passed = bound - SLACK < self.epoch.load(Ordering::SeqCst);
                self.bound.store(if is_passed { u64::MAX } else { bound - SLACK }, Ordering::SeqCst);
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
        self.stop();
        let last = Bound { number: self.epoch.load(Ordering::SeqCst), is_last: true };
        if let Err(error) = write(store, self.generation, last) {
            tracing::warn!("the next start waits for some seconds: {error}");
        }
    }

    /// Has whoever renews it end.
    pub fn stop(&self) {
        self.ended.store(1, Ordering::SeqCst);
    }

    fn ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst) != 0
    }
}

/// How far a run may go, or has gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bound {
    /// No epoch of the run has a larger number.
    pub number: u64,
    /// Whether the run has ended, and said so.
    pub is_last: bool,
}

fn write(store: &dyn Store, generation: u64, bound: Bound) -> Result<(), CheckpointError> {
    store.replace(&keys::lease(generation), encode(bound).as_bytes())
}

/// What ends a bound that is the last of its run.
const LAST: &str = "=";

/// A bound and its checksum.
fn encode(Bound { number, is_last }: Bound) -> String {
    let text = format!("{number}{}", if is_last { LAST } else { "" });
    format!("{text} {:08x}\n", crc32fast::hash(text.as_bytes()))
}

/// `None`: it is not as it was written.
fn decode(bytes: &[u8]) -> Option<Bound> {
    let text = std::str::from_utf8(bytes).ok()?;
    let written = text.split(' ').next()?;
    let digits = written.strip_suffix(LAST);
    let bound = Bound { number: digits.unwrap_or(written).parse().ok()?, is_last: digits.is_some() };
    (encode(bound) == text).then_some(bound)
}

/// The largest bound that any run has written.
///
/// # Errors
/// Where they cannot be read.
pub fn largest(store: &dyn Store) -> Result<Bound, CheckpointError> {
    let mut largest = Bound::default();
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

/// Waits until the bounds of earlier runs have passed; returns the number after which epochs may begin. Where there are no
/// locks, and the last run has not said that it has ended, it is watched for as long as a bound holds by this machine's own
/// clock: the other's may be another machine's, and go wrong.
///
/// # Errors
/// `Busy` where one of them is being renewed.
pub fn wait(store: &dyn Store, wall: impl Fn() -> u64) -> Result<u64, CheckpointError> {
    let found = largest(store)?;
    let bound = found.number;
    let is_far = bound.saturating_sub(wall()) > LONGEST_WAIT_MS;
    if is_far {
        tracing::warn!(
            bound,
            "an earlier run closed epochs later than the wall clock says it is: they go on from there"
        );
    }
    let begun = Instant::now();
    let is_watched = bound > 0 && !found.is_last && !store.has_locks();
    let watch = Duration::from_millis(if is_watched { store.ahead_ms() } else { 0 });
    while !is_far && wall() <= bound || begun.elapsed() < watch {
        let wait = if is_watched { 200 } else { bound.saturating_sub(wall()) };
        std::thread::sleep(Duration::from_millis(wait.clamp(1, 200)));
        if largest(store)?.number > bound {
            return Err(CheckpointError::Busy(format!(
                "another run is at work on the checkpoints in {}; stop it first, or choose another checkpoint.dir",
                store.show("")
            )));
        }
    }
    Ok(bound)
}

/// Renews a lease until it has ended; calls `fenced` once where a later run has begun. That is asked by a thread of its own,
/// so that no renewal waits for the answer.
///
/// # Errors
/// Where no thread can be started.
pub fn keep(
    store: Arc<dyn Store>,
    lease: Arc<Lease>,
    wall: impl Fn() -> u64 + Send + 'static,
    fenced: impl FnOnce(CheckpointError) + Send + 'static,
) -> std::io::Result<[JoinHandle<()>; 2]> {
    let (place, held) = (Arc::clone(&store), Arc::clone(&lease));
    let mut failing = false;
    let renew = move || {
        in_turns(&held, &*place, || {
            match held.renew(&*place, wall()) {
                Ok(()) => failing = false,
                Err(error) if !std::mem::replace(&mut failing, true) => tracing::warn!("{error}"),
                Err(_) => {}
            }
            true
        });
    };
    let mut fenced = Some(fenced);
    let look = move || {
        in_turns(&lease, &*store, || {
            if let Err(error @ CheckpointError::Fenced(_)) = refuse_if_fenced(&*store, lease.generation)
                && let Some(fenced) = fenced.take()
            {
                fenced(error);
            }
            fenced.is_some()
        });
    };
    let start = std::thread::Builder::new().name("lease".to_owned()).spawn(renew)?;
    Ok([start, std::thread::Builder::new().name("fence".to_owned()).spawn(look)?])
}

/// Does something a few times for each bound, until the lease has ended or `go_on` says false.
fn in_turns(lease: &Lease, store: &dyn Store, mut go_on: impl FnMut() -> bool) {
    let period = Duration::from_millis(store.ahead_ms() / 3);
    while !lease.ended() {
        let begun = Instant::now();
        if !go_on() {
            return;
        }
        while !lease.ended() && begun.elapsed() < period {
            std::thread::sleep(Duration::from_millis(50).min(period));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::files::Files;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_bound_is_read_as_it_was_written_or_not_at_all(number in any::<u64>(), is_last in any::<bool>(), at in any::<prop::sample::Index>(), bit in 0u8..8, cut in any::<bool>()) {
            let bound = Bound { number, is_last };
            let mut bytes = encode(bound).into_bytes();
            prop_assert_eq!(decode(&bytes), Some(bound));
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] ^= 1 << bit }
            prop_assert_eq!(decode(&bytes), None);
        }
    }

    /// A run that has just begun, after `epoch`.
    fn begun(epoch: u64) -> (tempfile::TempDir, Files, Lease) {
        let folder = tempfile::tempdir().unwrap();
        let store = Files::new(folder.path());
        (folder, store, Lease::new(7, epoch))
    }

    #[test]
    fn epochs_stay_within_what_was_written() {
        let (_folder, store, lease) = begun(500);
        assert_eq!(lease.within(9_000_000), 500, "nothing is written yet");
        lease.renew(&store, 10_000).unwrap();
        assert_eq!((lease.within(9_000_000), largest(&store).unwrap().number), (12_000, 13_000));
        lease.closed(11_000);
        lease.renew(&store, 400).unwrap();
        assert_eq!(largest(&store).unwrap().number, 14_000, "the wall clock was set back");
        lease.end(&store);
        assert_eq!(largest(&store).unwrap(), Bound { number: 11_000, is_last: true });
        assert_eq!(wait(&store, || 11_001).unwrap(), 11_000);
        lease.renew(&store, 1_000_000).unwrap();
        assert_eq!(wait(&store, || 11_001).unwrap(), 1_003_000, "too far ahead to be waited for");
    }

    #[test]
    fn epochs_go_on_without_a_bound_that_does_not_come() {
        let (_folder, store, lease) = begun(500);
        lease.renew(&store, 10_000).unwrap();
        assert_eq!(lease.within(90_000), 12_000, "it has only just been missed");
        *lease.waiting.lock().unwrap() = Instant::now().checked_sub(LATE);
        assert_eq!(lease.within(90_000), 90_000);
        lease.closed(90_000);
        lease.renew(&store, 50_000).unwrap();
        assert_eq!(lease.within(94_000), 92_000, "what is renewed goes beyond what has been shown");
        *lease.waiting.lock().unwrap() = Instant::now().checked_sub(LATE);
        assert_eq!(lease.within(91_000), 91_000);
        assert_eq!(lease.within(94_000), 92_000, "it was there meanwhile");
    }

    #[test]
    fn a_lease_that_is_renewed_is_in_use() {
        let (_folder, store, lease) = begun(0);
        lease.renew(&store, 100).unwrap();
        let begun = Instant::now();
        let wall = || {
            lease.renew(&store, 200).unwrap();
            100 + begun.elapsed().as_millis() as u64
        };
        assert!(matches!(wait(&store, wall), Err(CheckpointError::Busy(_))));
    }
}
