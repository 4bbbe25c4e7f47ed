//! What waits to be sent to one peer.
//!
//! Idea: what was published and signs of life go first and are never many: of the first only the newest are kept, the second
//! is written when it is due. Questions and answers follow, as many as fit.
//! Invariant: no more than [`TELLS`] of the first and [`ROOM`] bytes of the others wait, whatever the peer does; what does not
//! fit is refused to whoever wanted it sent, who can say so. Nothing waits that is not going to be sent: closing drops it.
//! Cost: a lock a frame.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Published epochs that wait, at most; older ones are of no use to a peer that is so far behind.
const TELLS: usize = 64;

/// Bytes of questions and answers that wait, at most.
const ROOM: usize = 32 << 20;

#[derive(Default)]
struct Waiting {
    tells: VecDeque<Vec<u8>>,
    others: VecDeque<Vec<u8>>,
    bytes: usize,
    closed: bool,
}

/// The frames for one peer.
#[derive(Default)]
pub struct Outbox {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

/// What the sender has to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Send this.
    Send(Vec<u8>),
    /// Nothing has been sent for as long as may be.
    Due,
    /// Everything has been sent, and nothing will follow.
    Closed,
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("nobody panics while they hold the lock")
    }

    /// Takes a frame about what was published, ahead of all others.
    pub fn tell(&self, frame: Vec<u8>) {
        let mut waiting = self.lock();
        if !waiting.closed {
            waiting.tells.push_back(frame);
            if waiting.tells.len() > TELLS {
                waiting.tells.pop_front();
            }
            self.changed.notify_one();
        }
    }

    /// Takes any other frame; false where there is no room for it, or nothing is sent any more.
    pub fn push(&self, frame: Vec<u8>) -> bool {
        let mut waiting = self.lock();
        let fits = !waiting.closed && waiting.bytes + frame.len() <= ROOM;
        if fits {
            waiting.bytes += frame.len();
            waiting.others.push_back(frame);
            self.changed.notify_one();
        }
        fits
    }

    /// The last frame has been handed in: what waits is sent, then the sender ends.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Nothing can be sent any more.
    pub fn discard(&self) {
        *self.lock() = Waiting { closed: true, ..Waiting::default() };
        self.changed.notify_all();
    }

    /// What is to be sent next, waited for until `due`.
    pub fn next(&self, due: Instant) -> Next {
        let mut waiting = self.lock();
        loop {
            if let Some(frame) = waiting.tells.pop_front() {
                return Next::Send(frame);
            }
            let left = due.saturating_duration_since(Instant::now());
            if left == Duration::ZERO && !waiting.closed {
                return Next::Due;
            }
            if let Some(frame) = waiting.others.pop_front() {
                waiting.bytes -= frame.len();
                return Next::Send(frame);
            }
            if waiting.closed {
                return Next::Closed;
            }
            waiting = self.changed.wait_timeout(waiting, left).expect("nobody panics with the lock").0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_published_goes_first_and_only_the_newest() {
        let (outbox, later) = (Outbox::default(), Instant::now() + Duration::from_secs(60));
        assert!(outbox.push(vec![200]));
        (0..100).for_each(|n| outbox.tell(vec![n]));
        for n in 100 - TELLS as u8..100 {
            assert_eq!(outbox.next(later), Next::Send(vec![n]));
        }
        assert_eq!(outbox.next(later), Next::Send(vec![200]));
        assert_eq!(outbox.next(Instant::now()), Next::Due);
    }

    #[test]
    fn a_peer_that_takes_nothing_fills_nobodys_memory() {
        let outbox = Outbox::default();
        let taken = (0..100).filter(|_| outbox.push(vec![0; 1 << 20])).count();
        assert_eq!(taken, ROOM >> 20);
        assert!(matches!(outbox.next(Instant::now() + Duration::from_secs(60)), Next::Send(_)));
        assert!(outbox.push(vec![0; 1 << 20]));
    }

    #[test]
    fn what_waits_is_sent_before_the_end() {
        let (outbox, past) = (Outbox::default(), Instant::now());
        assert!(outbox.push(vec![1]));
        outbox.close();
        assert!(!outbox.push(vec![2]));
        assert_eq!(outbox.next(past), Next::Send(vec![1]));
        assert_eq!(outbox.next(past), Next::Closed);
        outbox.discard();
        assert_eq!(outbox.next(past), Next::Closed);
    }
}
