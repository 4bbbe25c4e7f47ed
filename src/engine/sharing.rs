//! Who decodes what a worker has read.
//!
//! Idea: where each worker reads its own partitions, it decodes them too. Where they do not spread evenly, containers go to
//! whoever has the least to decode; the reader itself is taken to have [`AHEAD`] more, since it hands nothing out while it
//! decodes and the others are not to run dry until then. What other processes have to decode is not known here, so
//! containers for them go round.
//! Invariant: bytes wait for a worker from when they are handed to it until it has decoded them.
//! Cost: two atomic additions a container, and a look at what waits for each worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that others should have before the reader keeps any.
const AHEAD: usize = 1 << 20;

/// How the workers of this process share what they read.
#[derive(Clone, Debug)]
pub(super) enum Sharing {
    /// Each keeps its own.
    Own,
    /// All workers of all processes take turns.
    Round,
    /// Whoever has the least gets the next; the bytes that wait for each worker.
    Least(Arc<[AtomicUsize]>),
}

impl Sharing {
    /// For a process of so many workers. `evenly`: each of them reads as much as the others.
    pub(super) fn new(evenly: bool, threads: usize, processes: usize) -> Sharing {
        match (evenly, processes) {
            (true, _) => Sharing::Own,
            (false, 1) => Sharing::Least((0..threads).map(|_| AtomicUsize::new(0)).collect()),
            (false, _) => Sharing::Round,
        }
    }

    /// Who gets the next container of worker `me`, of `workers` in all, after the last one went to `last`.
    pub(super) fn next(&self, me: usize, last: usize, workers: usize) -> usize {
        match self {
            Sharing::Own => me,
            Sharing::Round => (last + 1) % workers,
            Sharing::Least(waiting) => {
                let load = |worker: &usize| {
                    let ahead = if *worker == me { AHEAD } else { 0 };
                    (waiting[*worker].load(Ordering::Relaxed) + ahead, *worker == me)
                };
                (0..waiting.len()).min_by_key(load).unwrap_or(me)
            }
        }
    }

    /// Takes note of bytes that a worker is handed.
    pub(super) fn handed(&self, worker: usize, bytes: usize) {
        if let Sharing::Least(waiting) = self {
            waiting[worker].fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Takes note of bytes that a worker has decoded.
    pub(super) fn decoded(&self, worker: usize, bytes: usize) {
        if let Sharing::Least(waiting) = self {
            waiting[worker].fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out containers of this many bytes; returns who got them.
    fn hand_out(sharing: &Sharing, me: usize, workers: usize, bytes: usize, times: usize) -> Vec<usize> {
        let mut last = me;
        let mut next = || {
            last = sharing.next(me, last, workers);
            sharing.handed(last, bytes);
            last
        };
        (0..times).map(|_| next()).collect()
    }

    #[test]
    fn others_come_first_and_the_reader_takes_what_they_need_not() {
        let sharing = Sharing::new(false, 3, 1);
        let got = hand_out(&sharing, 1, 3, AHEAD / 2, 6);
        assert_eq!(got[..4], [0, 2, 0, 2], "until each of the others has enough");
        assert!(got[4..].contains(&0) && got[4..].contains(&2) && !got[4..].contains(&1));
        assert_eq!(hand_out(&sharing, 1, 3, AHEAD / 2, 1), [1]);
        // Whoever is faster gets more.
        sharing.decoded(2, 3 * AHEAD / 2);
        assert_eq!(hand_out(&sharing, 1, 3, AHEAD / 2, 2), [2, 2]);
    }

    #[test]
    fn one_worker_keeps_all() {
        assert_eq!(hand_out(&Sharing::new(false, 1, 1), 0, 1, 100, 2), [0, 0]);
        assert_eq!(hand_out(&Sharing::new(true, 4, 1), 2, 4, 100, 2), [2, 2]);
    }

    #[test]
    fn processes_take_turns() {
        assert_eq!(hand_out(&Sharing::new(false, 2, 2), 2, 4, 100, 5), [3, 0, 1, 2, 3]);
    }
}
