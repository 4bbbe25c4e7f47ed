//! Who decodes what a worker has read.
//!
//! Idea: where each worker reads as many partitions as the others at the start, it decodes its own. Else a container goes to
//! whoever has the least to decode. A worker that reads for others keeps what is left over: it hands nothing out while it
//! decodes, and they are not to run dry until then; where all read, each keeps its own until another has less. What other
//! processes have to decode is not known here, so between processes containers go round.
//! Invariant: bytes wait for a worker from when they are handed to it until it has decoded them.
//! Cost: two atomic additions a container, and a look at what waits for each worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that workers which do not read should have before one that does keeps any.
const AHEAD: usize = 1 << 20;

/// How the workers of this process share what they read.
#[derive(Clone, Debug)]
pub(super) enum Sharing {
    /// Each keeps its own.
    Own,
    /// All workers of all processes take turns.
    Round,
    /// Whoever has the least gets the next.
    Least {
        /// The bytes that wait for each worker.
        waiting: Arc<[AtomicUsize]>,
        /// Bytes more that the reader is taken to have.
        ahead: usize,
    },
}

impl Sharing {
    /// For workers of whom `readers` have something to read, in a process of so many threads; `evenly`: all have as much.
    pub(super) fn new(evenly: bool, readers: usize, threads: usize, processes: usize) -> Sharing {
        match (evenly, processes) {
            (true, _) => Sharing::Own,
            (false, 1) => Sharing::Least {
                waiting: (0..threads).map(|_| AtomicUsize::new(0)).collect(),
                ahead: if readers < threads { AHEAD } else { 0 },
            },
            (false, _) => Sharing::Round,
        }
    }

    /// Who gets the next container of worker `me`, of `workers` in all, after the last one went to `last`.
    pub(super) fn next(&self, me: usize, last: usize, workers: usize) -> usize {
        match self {
            Sharing::Own => me,
            Sharing::Round => (last + 1) % workers,
            Sharing::Least { waiting, ahead } => {
                let load = |worker: &usize| {
                    let own = if *worker == me { *ahead } else { 0 };
                    let is_other = *ahead == 0 && *worker != me;
                    // Among equals they take turns.
                    let turn = (worker + waiting.len() - 1 - last) % waiting.len();
                    (waiting[*worker].load(Ordering::Relaxed) + own, is_other, turn)
                };
                (0..waiting.len()).min_by_key(load).unwrap_or(me)
            }
        }
    }

    /// Takes note of bytes that a worker is handed.
    pub(super) fn handed(&self, worker: usize, bytes: usize) {
        if let Sharing::Least { waiting, .. } = self {
            waiting[worker].fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Takes note of bytes that a worker has decoded.
    pub(super) fn decoded(&self, worker: usize, bytes: usize) {
        if let Sharing::Least { waiting, .. } = self {
            waiting[worker].fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out containers of this many bytes, each decoded at once or not at all; returns who got them.
    fn hand_out(sharing: &Sharing, me: usize, workers: usize, bytes: usize, decoded: bool) -> [usize; 4] {
        let mut last = me;
        [(); 4].map(|()| {
            last = sharing.next(me, last, workers);
            sharing.handed(last, bytes);
            if decoded {
                sharing.decoded(last, bytes);
            }
            last
        })
    }

    #[test]
    fn others_come_first_and_the_reader_takes_what_they_need_not() {
        let sharing = Sharing::new(false, 1, 3, 1);
        assert_eq!(hand_out(&sharing, 1, 3, AHEAD / 2, false), [2, 0, 2, 0], "until each has enough");
        let mut then = hand_out(&sharing, 1, 3, AHEAD / 2, false);
        then.sort_unstable();
        assert_eq!(then, [0, 1, 2, 2], "each takes one, the reader too");
        // Whoever is faster gets more.
        sharing.decoded(2, 3 * AHEAD / 2);
        assert_eq!(hand_out(&sharing, 1, 3, AHEAD / 4, false), [2, 2, 2, 2]);
    }

    #[test]
    fn while_nothing_waits_the_others_take_turns() {
        assert_eq!(hand_out(&Sharing::new(false, 1, 3, 1), 0, 3, 100, true), [1, 2, 1, 2]);
    }

    #[test]
    fn where_all_read_each_keeps_its_own_until_another_has_less() {
        let sharing = Sharing::new(false, 2, 2, 1);
        assert_eq!(hand_out(&sharing, 0, 2, 100, true), [0, 0, 0, 0]);
        assert_eq!(hand_out(&sharing, 1, 2, 100, true), [1, 1, 1, 1]);
        assert_eq!(hand_out(&sharing, 0, 2, 100, false), [0, 1, 0, 1]);
    }

    #[test]
    fn one_worker_keeps_all() {
        assert_eq!(hand_out(&Sharing::new(false, 1, 1, 1), 0, 1, 100, false), [0; 4]);
        assert_eq!(hand_out(&Sharing::new(true, 4, 4, 1), 2, 4, 100, false), [2; 4]);
    }

    #[test]
    fn processes_take_turns() {
        assert_eq!(hand_out(&Sharing::new(false, 3, 2, 2), 2, 4, 100, false), [3, 0, 1, 2]);
    }
}
