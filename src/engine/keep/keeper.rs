//! A worker's part in checkpoints.
//!
//! Idea: between two checkpoints it notes which panes have changed; when one is asked for, it hands over what it publishes of
//! that epoch. The worker that leads also decides when, and passes on what has become of it.
//! Invariant: one checkpoint at a time; the last one is of the last epoch.
//! Cost: a few insertions into a set an epoch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tidings_dataflows::pipeline::{Pipeline, Touched};
use tidings_dataflows::snapshot::Snapshot;
use timely::worker::Worker;

use super::Kept;
use super::thread::{Offer, Task};
use crate::engine::commands::{Command, Commands, Request};
use crate::engine::error::EngineError;
use crate::engine::job::Job;
use crate::engine::tally::Tally;
use crate::source::{Gap, Position, Source};

/// A checkpoint that takes long is not followed by the next before so many times as long.
const REST: u32 = 3;

/// Nor before so many intervals: what took long because its place had hung says nothing of the next.
const MOST_REST: u32 = 10;

/// How long a checkpoint may take at least before it is given up.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long one may take at most, after others were given up.
const MOST_PATIENCE: Duration = Duration::from_secs(3600);

/// How long a checkpoint may take, at least, before it is said that it does.
const LONG: Duration = Duration::from_secs(10);

/// How long stopping waits for the last checkpoint: the process has 30 s.
const LAST: Duration = Duration::from_secs(25);

/// What a worker publishes of an epoch.
pub(crate) struct Published<'a> {
    pub(crate) snapshot: &'a Arc<Snapshot>,
    pub(crate) positions: &'a [Position],
    pub(crate) gaps: &'a [Gap],
    pub(crate) tally: &'a Arc<Tally>,
}

/// A worker's part in checkpoints; nothing, where there are none.
pub(crate) struct Keeper<'a> {
    job: &'a Job,
    /// The first worker of its process does what is to be done once a process.
    is_first: bool,
    /// What has changed since it was last handed over.
    touched: Vec<Touched>,
    /// The checkpoint that the next epoch to close is for.
    wanted: Option<u64>,
    /// The checkpoint that is asked for, and its epoch.
    asked: Option<(u64, u64)>,
    /// Whether what was handed over last still waits for the thread.
    waits: Arc<AtomicBool>,
    /// The offsets of a checkpoint that was handed over.
    positions: Option<(u64, Vec<Position>)>,
    lead: Lead,
}

/// What the worker that leads knows.
struct Lead {
    number: u64,
    in_flight: Option<Instant>,
    /// The last of which it has been said that it takes long.
    told: u64,
    /// How long the next may take before it is given up, and the last that was.
    patience: Duration,
    given_up: u64,
    due: Instant,
    /// Since when the end is wanted.
    ending: Option<Instant>,
    /// Whether the last checkpoint has been asked for, and whether it is settled.
    last_asked: bool,
    last_settled: bool,
}

/// How long a checkpoint may take where the one before has come about.
fn patience(interval: Duration) -> Duration {
    PATIENCE.max(10 * interval)
}

/// When the next checkpoint is due after one that was begun at `since` and is settled now.
fn due(interval: Duration, since: Instant, now: Instant) -> Instant {
    let rest = ((now - since) * REST).min(MOST_REST * interval);
    (since + interval).max(now + rest)
}

impl Lead {
    /// Whether the checkpoint that was begun then is to be given up, which is said once. The next may take twice as long: one that
    /// does nothing but take long comes about some day.
    fn gives_up(&mut self, now: Instant, since: Instant) -> bool {
        let is_late = now > since + self.patience && self.given_up < self.number;
        if is_late {
            self.given_up = self.number;
            self.patience = (2 * self.patience).min(MOST_PATIENCE.max(self.patience));
        }
        is_late
    }
}

impl<'a> Keeper<'a> {
    pub(crate) fn new(job: &'a Job, is_first: bool) -> Keeper<'a> {
        let (number, interval) =
            job.keeping.as_ref().map_or((0, Duration::ZERO), |keeping| (keeping.number, keeping.interval));
        let lead = Lead {
            number,
            in_flight: None,
            told: 0,
            patience: patience(interval),
            given_up: 0,
            due: Instant::now() + interval,
            ending: None,
            last_asked: false,
            last_settled: false,
        };
        let touched = vec![Touched::default(); job.config.counts.len()];
        let (wanted, asked, positions, waits) = (None, None, None, Arc::default());
        Keeper { job, is_first, touched, wanted, asked, waits, positions, lead }
    }

    /// Whether there are checkpoints.
    pub(crate) fn is_on(&self) -> bool {
        self.job.keeping.is_some()
    }

    /// Whether the first epoch is to be what was kept and nothing else; loads this worker's share of it.
    pub(crate) fn restore(&self, worker: &mut Worker, pipeline: &mut Pipeline<Tally>) -> bool {
        let Some(restore) = &self.job.restore else { return false };
        let begun = Instant::now();
        if let Err(error) = restore.load(worker, pipeline, &self.job.spelled()) {
            self.job.keeping.iter().for_each(|keeping| keeping.break_off());
            self.job.control.fail(EngineError::Checkpoint(error));
        }
        tracing::info!(
            worker = worker.index(),
            took_ms = begun.elapsed().as_millis() as u64,
            "read what was kept"
        );
        true
    }

    /// The wall clock as far as epochs may be numbered by it.
    pub(crate) fn within(&self, wall: u64) -> u64 {
        let lease = self.job.keeping.as_ref().and_then(|keeping| keeping.lease.as_ref());
        lease.map_or(wall, |lease| lease.within(wall))
    }

    /// Takes note of an epoch that closes.
    pub(crate) fn closes(&mut self, epoch: u64, leads: bool) {
        if let Some(number) = self.wanted.take() {
            self.asked = Some((number, epoch));
        }
        let lease = self.job.keeping.as_ref().filter(|_| leads).and_then(|keeping| keeping.lease.as_ref());
        lease.into_iter().for_each(|lease| lease.closed(epoch));
    }

    /// On the worker that leads, before an epoch is told to close: what to command where it is to be kept.
    pub(crate) fn wants(&mut self, now: Instant) -> Option<Command> {
        self.job.keeping.as_ref()?;
        let lead = &mut self.lead;
        let wanted = lead.ending.is_some() && !lead.last_asked || lead.ending.is_none() && now >= lead.due;
        if !wanted || lead.in_flight.is_some() || self.job.control.has_failed() {
            return None;
        }
        lead.number += 1;
        lead.in_flight = Some(now);
        lead.last_asked = lead.ending.is_some();
        Some(Command::Keep(lead.number))
    }

    /// The next epoch to close is to be kept.
    pub(crate) fn keep(&mut self, number: u64) {
        self.wanted = Some(number);
    }

    /// Takes note of an epoch that is published, and hands it over where it is to be kept.
    pub(crate) fn published(&mut self, pipeline: &Pipeline<Tally>, published: Published<'_>) {
        let Some(keeping) = &self.job.keeping else { return };
        for (sum, more) in self.touched.iter_mut().zip(pipeline.touched()) {
            sum.panes.extend(&more.panes);
            sum.spellings |= more.spellings;
        }
        let Published { snapshot, positions, gaps, tally } = published;
        let Some((number, _)) = self.asked.take_if(|(_, epoch)| *epoch == snapshot.epoch) else { return };
        // A place that hangs holds the thread up, and one after another would wait for it with all its counts.
        if self.waits.swap(true, Ordering::SeqCst) {
            return;
        }
        self.positions = Some((number, positions.to_vec()));
        let none = vec![Touched::default(); self.touched.len()];
        keeping.send(Task::Offer(Offer {
            number,
            snapshot: Arc::clone(snapshot),
            positions: positions.to_vec(),
            gaps: gaps.to_vec(),
            tally: Arc::clone(tally),
            standing: pipeline.standing(),
            touched: std::mem::replace(&mut self.touched, none),
            waits: Arc::clone(&self.waits),
        }));
    }

    /// Takes note of what has become of a checkpoint: its offsets are told to whoever watches lag.
    pub(crate) fn settled(&mut self, number: u64, kept: Option<Kept>, source: &dyn Source) {
        let Some(keeping) = &self.job.keeping else { return };
        if self.is_first {
            keeping.send(Task::Settled(kept.is_some()));
        }
        if let Some(kept) = kept {
            let mut history = keeping.history.lock().expect("no holder panics");
            history.last = Some(kept);
            history.error = None;
            drop(history);
            if let Some((_, positions)) = self.positions.take_if(|(of, _)| *of == number) {
                source.commit(&positions);
            }
        }
    }

    /// Passes on what there is to pass on: on the worker that leads what has become of checkpoints, on the one that speaks for
    /// another process its shares.
    pub(crate) fn exchange(&mut self, commands: &mut Commands, now: Instant) {
        let Some(keeping) = &self.job.keeping else { return };
        if commands.leads() {
            self.outcomes(now).into_iter().for_each(|outcome| commands.give(outcome));
        } else if commands.speaks() {
            keeping.shares().into_iter().for_each(|share| commands.ask(Request::Share(share)));
        }
    }

    /// What has become of checkpoints since the last time.
    fn outcomes(&mut self, now: Instant) -> Vec<Command> {
        let Some(keeping) = &self.job.keeping else { return Vec::new() };
        let lead = &mut self.lead;
        if let Some(since) = lead.in_flight {
            let long = LONG.max(3 * keeping.interval);
            if now > since + long && std::mem::replace(&mut lead.told, lead.number) != lead.number {
                let why =
                    format!("checkpoint {} is not written after {long:?}, and is waited for", lead.number);
                tracing::warn!("{why}");
                keeping.history.lock().expect("no holder panics").error = Some(why);
            }
            if lead.gives_up(now, since) {
                keeping.send(Task::GiveUp(lead.number));
            }
        }
        let outcomes = std::mem::take(&mut *keeping.outcomes.lock().expect("no holder panics"));
        for (number, kept) in &outcomes {
            let Some(since) = lead.in_flight.take_if(|_| *number == lead.number) else { continue };
            lead.due = due(keeping.interval, since, now);
            if kept.is_some() {
                lead.patience = patience(keeping.interval);
            }
            if lead.last_asked {
                lead.last_settled = true;
                if kept.is_none() && !self.job.control.has_failed() {
                    let why = keeping.history.lock().expect("no holder panics").error.clone();
                    let why = why.unwrap_or_default();
                    self.job.control.fail(EngineError::Unkept(why));
                }
            }
        }
        outcomes.into_iter().map(|(number, kept)| Command::Settled(number, kept)).collect()
    }

    /// On the worker that leads, when the end is wanted: whether the last epoch may close, or a checkpoint is on its way.
    pub(crate) fn may_end(&mut self, now: Instant) -> bool {
        let since = *self.lead.ending.get_or_insert(now);
        !self.is_on() || self.lead.in_flight.is_none() || now > since + LAST / 2
    }

    /// On the worker that leads, after the last epoch has closed: whether there is nothing more to wait for.
    pub(crate) fn has_ended(&mut self, now: Instant) -> bool {
        let since = *self.lead.ending.get_or_insert(now);
        if !self.is_on() || self.lead.last_settled || self.job.control.has_failed() {
            return true;
        }
        let Lead { last_asked, in_flight, number, .. } = &self.lead;
        let why = match in_flight {
            Some(_) if now <= since + LAST => return false,
            Some(_) if *last_asked => format!("it was not written within {LAST:?}"),
            // The last epoch did not wait for it any longer.
            _ => format!("checkpoint {number}, which was being written when the end came, took too long"),
        };
        self.job.control.fail(EngineError::Unkept(why));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_place_has_its_rest_and_one_that_hung_is_written_to_soon() {
        let (interval, begun) = (Duration::from_secs(30), Instant::now());
        let due = |took: u64| (due(interval, begun, begun + Duration::from_secs(took)) - begun).as_secs();
        assert_eq!([1, 10, 60, 8 * 3600].map(due), [30, 40, 240, 8 * 3600 + 300]);
    }

    #[test]
    fn a_checkpoint_is_given_up_once_and_the_next_may_take_longer() {
        let begun = Instant::now();
        let mut lead = Lead {
            number: 7,
            in_flight: Some(begun),
            told: 0,
            patience: PATIENCE,
            given_up: 0,
            due: begun,
            ending: None,
            last_asked: false,
            last_settled: false,
        };
        assert!(!lead.gives_up(begun + PATIENCE, begun));
        let late = begun + PATIENCE + Duration::from_millis(1);
        assert_eq!([(); 3].map(|()| lead.gives_up(late, begun)), [true, false, false]);
        lead.number = 8;
        assert!(!lead.gives_up(late, begun));
        assert!(lead.gives_up(begun + 3 * PATIENCE, begun));
        lead.number = 9;
        assert!(!lead.gives_up(begun + 4 * PATIENCE, begun));
    }
}
