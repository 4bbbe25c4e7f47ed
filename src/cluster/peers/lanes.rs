//! Answering what other processes ask.
//!
//! Idea: reads walk batches, so they run in threads of their own, as those of one's own clients do: signs of life never wait
//! behind them. Short ones have a lane of their own, since a long one takes a hundred times as long.
//! Invariant: a question that nobody waits for any more is not answered; where too many wait, the next is told so at once.
//! A read that meets a bug is the failure of its question, as it is the failure of a request.
//! Cost: a hand-over between threads a question; idle threads cost nothing.

use std::collections::VecDeque;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::frame::{Ask, Frame};
use super::outbox::Outbox;

/// Questions that wait in a lane, at most.
const MOST: usize = 4096;

/// Their bytes, at most.
const ROOM: usize = 32 << 20;

/// Answers a question; `None`: it makes no sense.
pub type Answer = dyn Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync;

/// A question, and who is to be answered.
struct Job {
    ask: Ask,
    until: Instant,
    to: Arc<Outbox>,
}

#[derive(Default)]
struct Lane {
    /// `None` once no more is answered.
    jobs: Mutex<Option<VecDeque<Job>>>,
    changed: Condvar,
}

/// The threads that answer, and what waits for them.
pub struct Lanes {
    short: Arc<Lane>,
    long: Arc<Lane>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Lanes {
    /// Starts the threads: one for each core that answer what is short, half as many for what is long.
    ///
    /// # Errors
    /// Where a thread cannot be started.
    pub fn start(answer: Arc<Answer>) -> io::Result<Lanes> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let lanes =
            Lanes { short: Arc::new(Lane::open()), long: Arc::new(Lane::open()), threads: Mutex::default() };
        for (lane, threads) in [(&lanes.short, cores), (&lanes.long, cores.div_ceil(2))] {
            for _ in 0..threads {
                let (lane, answer) = (Arc::clone(lane), Arc::clone(&answer));
                // As those that answer over HTTP, so that a panic ends the question and not the process: see `main`.
                let thread = std::thread::Builder::new().name("http".to_owned());
                let thread = thread.spawn(move || lane.work(&answer))?;
                lanes.threads().push(thread);
            }
        }
        Ok(lanes)
    }

    /// Has a question answered.
    pub fn answer(&self, ask: Ask, to: &Arc<Outbox>) {
        let (lane, id) = (if ask.long { &self.long } else { &self.short }, ask.id);
        let until = Instant::now() + Duration::from_millis(u64::from(ask.within_ms));
        let job = Job { ask, until, to: Arc::clone(to) };
        if !lane.push(job) {
            send(to, &Frame::Busy(id));
        }
    }

    /// Ends the threads, each after the question at hand.
    pub fn stop(&self) {
        self.short.close();
        self.long.close();
        // A panic has been said already.
        std::mem::take(&mut *self.threads()).into_iter().for_each(|thread| drop(thread.join()));
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().expect("nobody panics while they hold the lock")
    }
}

impl Lane {
    fn open() -> Lane {
        Lane { jobs: Mutex::new(Some(VecDeque::new())), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Option<VecDeque<Job>>> {
        self.jobs.lock().expect("nobody panics while they hold the lock")
    }

    fn push(&self, job: Job) -> bool {
        let mut jobs = self.lock();
        let Some(jobs) = jobs.as_mut().filter(|jobs| jobs.len() < MOST) else { return false };
        let size = jobs.iter().chain([&job]).map(|job| job.ask.question.len()).sum::<usize>();
        if size > ROOM {
            return false;
        }
        jobs.push_back(job);
        self.changed.notify_one();
        true
    }

    fn close(&self) {
        *self.lock() = None;
        self.changed.notify_all();
    }

    fn next(&self) -> Option<Job> {
        let mut jobs = self.lock();
        loop {
            if let Some(job) = jobs.as_mut()?.pop_front() {
                return Some(job);
            }
            jobs = self.changed.wait(jobs).expect("nobody panics while they hold the lock");
        }
    }

    fn work(&self, answer: &Arc<Answer>) {
        while let Some(Job { ask, until, to }) = self.next() {
            if Instant::now() >= until {
                continue;
            }
            let answered = std::panic::catch_unwind(AssertUnwindSafe(|| answer(&ask.question)));
            match answered {
                Ok(Some(answer)) => {
                    if !send(&to, &Frame::Answer(ask.id, answer)) {
                        send(&to, &Frame::Busy(ask.id));
                    }
                }
                _ => drop(send(&to, &Frame::Failed(ask.id))),
            }
        }
    }
}

fn send(to: &Outbox, frame: &Frame) -> bool {
    frame.to_bytes().is_some_and(|frame| to.push(frame))
}
