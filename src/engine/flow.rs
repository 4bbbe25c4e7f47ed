//! How much may be on its way, and when an epoch closes.
//!
//! Idea: nothing in the dataflow bounds its queues, so the source does: a worker reads on only while what it has handed in
//! and what is not yet counted stays below a bound, and an epoch closes late rather than behind another that is
//! not yet counted. Under load epochs so become larger, which combines better; behind a backlog they become larger still, by
//! half of the time for which it has lasted, since nobody waits for what is long past, and what is too old for fine panes then
//! goes to coarse ones at once; but whoever is late by little is not made late by much.
//! Invariant: beyond the output probe there are at most [`EPOCHS`] epochs, and at most [`BYTES`] and one poll's worth of
//! records a worker.
//! Cost: one entry per epoch on its way.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Bytes of records on their way, for each worker.
pub const BYTES: usize = 64 << 20;

/// Epochs on their way.
pub const EPOCHS: usize = 4;

/// How many times longer than usual an epoch may become while the one before is being counted.
const WAITING: u32 = 4;

/// How many times longer an epoch becomes at most while the source has more than can be read.
const BACKLOG: u32 = 8;

/// What one worker has handed in and has not yet seen counted.
#[derive(Debug, Default)]
pub struct Flow {
    /// Closed epochs, each with its bytes.
    closed: VecDeque<(u64, usize)>,
    bytes: usize,
    open: usize,
}

impl Flow {
    /// Takes note of bytes handed in.
    pub fn handed_in(&mut self, bytes: usize) {
        self.open += bytes;
        self.bytes += bytes;
    }

    /// Takes note of an epoch's end.
    pub fn closed(&mut self, epoch: u64) {
        self.closed.push_back((epoch, std::mem::take(&mut self.open)));
    }

    /// The next epoch that is complete, if there is one.
    pub fn complete(&mut self, is_complete: impl Fn(u64) -> bool) -> Option<u64> {
        let (epoch, bytes) = self.closed.pop_front_if(|(epoch, _)| is_complete(*epoch))?;
        self.bytes -= bytes;
        Some(epoch)
    }

    /// How many bytes may be read now.
    pub fn room(&self) -> usize {
        BYTES.saturating_sub(self.bytes)
    }

    /// Whether the epoch being filled holds its share of what may be on its way.
    pub fn is_full(&self) -> bool {
        self.open >= BYTES / 2
    }

    /// Number of epochs closed and not yet complete.
    pub fn on_their_way(&self) -> usize {
        self.closed.len()
    }
}

/// How an epoch is being filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling {
    /// As records come.
    Live,
    /// From a backlog: since then there was always more to read.
    Backlog(Instant),
    /// It holds what it may.
    Full,
    /// Nothing more will come.
    Last,
}

/// Decides when epochs close, on the worker that leads.
#[derive(Debug)]
pub struct Ticker {
    interval: Duration,
    last: Instant,
    number: u64,
}

impl Ticker {
    /// The first epoch closes at once, since until then nobody can be answered; all numbers are larger than `after`.
    pub fn new(interval: Duration, after: u64) -> Ticker {
        let now = Instant::now();
        Ticker { interval, last: now.checked_sub(interval).unwrap_or(now), number: after }
    }

    /// The number of the epoch that closes now, if one does.
    pub fn tick(&mut self, now: Instant, wall_ms: u64, on_their_way: usize, filling: Filling) -> Option<u64> {
        if now < self.due(on_their_way, filling)? {
            return None;
        }
        self.last = now;
        self.number = wall_ms.max(self.number + 1);
        Some(self.number)
    }

    /// When the next epoch closes if nothing changes; `None`: not before one on its way is complete.
    pub fn due(&self, on_their_way: usize, filling: Filling) -> Option<Instant> {
        let length = match (filling, on_their_way) {
            (Filling::Last, _) | (Filling::Full, 0) => Duration::ZERO,
            (_, EPOCHS..) => return None,
            (Filling::Full, _) => self.interval,
            (Filling::Live, _) => self.live(on_their_way),
            (Filling::Backlog(since), _) => {
                let lasted = self.last.saturating_duration_since(since);
                (lasted / 2).max(self.live(on_their_way)).min(self.interval * BACKLOG)
            }
        };
        Some(self.last + length)
    }

    fn live(&self, on_their_way: usize) -> Duration {
        self.interval * if on_their_way == 0 { 1 } else { WAITING }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_grow_while_one_is_on_its_way() {
        let interval = Duration::from_millis(100);
        let mut ticker = Ticker::new(interval, 5000);
        let start = ticker.last;
        assert_eq!(ticker.tick(start + interval / 2, 9000, 0, Filling::Live), None);
        assert_eq!(ticker.tick(start + interval, 9000, 0, Filling::Live), Some(9000));
        assert_eq!(ticker.tick(start + interval * 2, 9100, 1, Filling::Live), None);
        assert_eq!(ticker.tick(start + interval * 5, 9400, 1, Filling::Live), Some(9400));
        assert_eq!(ticker.tick(start + interval * 50, 9900, EPOCHS, Filling::Live), None);
    }

    #[test]
    fn epochs_grow_with_a_backlog_until_they_are_full() {
        let interval = Duration::from_millis(100);
        let mut ticker = Ticker::new(interval, 0);
        let since = ticker.last;
        let length = |ticker: &Ticker, on_their_way| {
            let due = ticker.due(on_their_way, Filling::Backlog(since)).expect("few are on their way");
            due - ticker.last
        };
        assert_eq!([0, 1].map(|on_their_way| length(&ticker, on_their_way)), [interval, interval * 4]);
        for (passed, expected) in [(1, 2), (10, 10), (20, 20), (99, 80)] {
            ticker.last = since + interval * passed;
            assert_eq!(length(&ticker, 0), (interval * expected / 2).clamp(interval, interval * 8));
        }
        let now = ticker.last + interval;
        assert_eq!(ticker.tick(now, 700, 0, Filling::Backlog(since)), None);
        assert_eq!(ticker.tick(now, 700, 0, Filling::Full), Some(700));
    }

    #[test]
    fn numbers_ascend_when_the_wall_clock_goes_back() {
        let mut ticker = Ticker::new(Duration::ZERO, 0);
        let now = Instant::now();
        let numbers: Vec<_> =
            [500, 400, 400, 600].into_iter().map(|wall| ticker.tick(now, wall, 0, Filling::Last)).collect();
        assert_eq!(numbers, [Some(500), Some(501), Some(502), Some(600)]);
    }

    #[test]
    fn room_comes_back_when_an_epoch_is_complete() {
        let mut flow = Flow::default();
        flow.handed_in(BYTES + 10);
        assert_eq!(flow.room(), 0);
        flow.closed(7);
        assert_eq!(flow.complete(|_| false), None);
        assert_eq!(flow.complete(|epoch| epoch <= 7), Some(7));
        assert_eq!(flow.room(), BYTES);
    }
}
