//! When epochs close, and when all ends: the worker that leads decides, the others say what they wish.
//!
//! Idea: an epoch closes by a command to all workers. One at a time is told to close; the last one is told to be the last, and
//! once what it leaves is kept, all are told to stop.
//! Invariant: after the last epoch none is told to close, and before it none while another is on its way to be closed.
//! Cost: some comparisons a turn.

use std::time::Instant;

use super::commands::{Command, Commands, Request};
use super::flow::{Filling, Ticker};
use super::job::Job;
use super::keep::Keeper;
use crate::wall::believed_ms;

/// A worker's part in this.
pub(super) struct Leading<'a> {
    job: &'a Job,
    ticker: Ticker,
    /// Whether it has been said of the epoch being filled that it holds what it may: by whoever else reads on the worker that leads,
    /// by this process on a worker that speaks for it.
    has_full: bool,
    /// Whether this process has said that all should stop.
    has_asked_to_stop: bool,
    /// Whether the epoch being filled has been told to close.
    closing: bool,
    end: End,
}

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Epochs go on.
    Ahead,
    /// The last one has been told to close.
    LastEpoch,
    /// All have been told to stop.
    Told,
}

impl<'a> Leading<'a> {
    pub(super) fn new(job: &'a Job) -> Leading<'a> {
        let after = job.keeping.as_ref().map_or(0, |keeping| keeping.after);
        let ticker = Ticker::new(job.config.engine.epoch, after);
        Leading { job, ticker, has_full: false, has_asked_to_stop: false, closing: false, end: End::Ahead }
    }

    /// Takes note of an epoch that has closed.
    pub(super) fn closed(&mut self) {
        (self.closing, self.has_full) = (false, false);
    }

    /// Hears what other processes wish, or tells what this one does. Whether the epoch at hand should be closed soon, as far as
    /// that is known here; `is_full`: this worker holds its share of it.
    pub(super) fn pass_wishes(&mut self, commands: &mut Commands, is_full: bool) -> bool {
        let control = &self.job.control;
        if commands.leads() {
            while let Some(request) = commands.hear() {
                match request {
                    Request::Full => self.has_full = true,
                    Request::Share(share) => {
                        self.job.keeping.iter().for_each(|keeping| keeping.take_share(&share));
                    }
                    Request::Stop => control.stop(),
                    Request::Failed(trouble) => control.fail_elsewhere(trouble),
                }
            }
            for (partition, end) in control.take_found() {
                commands.give(Command::Adopt(partition, end));
            }
            self.has_full |= control.take_full();
            return is_full | self.has_full;
        }
        if !commands.speaks() {
            if is_full {
                control.say_full();
            }
            return is_full;
        }
        if is_full | control.take_full() && !std::mem::replace(&mut self.has_full, true) {
            commands.ask(Request::Full);
        }
        if control.stopping() && !std::mem::replace(&mut self.has_asked_to_stop, true) {
            commands.ask(control.trouble(self.job.process).map_or(Request::Stop, Request::Failed));
        }
        is_full
    }

    /// On the worker that leads, gives the commands that are due now; `newest`: the time of the newest post. When the next one is,
    /// if nothing else happens; `None`: not before something does.
    pub(super) fn decide(
        &mut self,
        commands: &mut Commands,
        keeper: &mut Keeper<'_>,
        filling: Filling,
        on_their_way: usize,
        newest: Option<u64>,
        now: Instant,
    ) -> Option<Instant> {
        let is_last = filling == Filling::Last;
        let may_close = commands.leads()
            && self.end == End::Ahead
            && if is_last { keeper.may_end(now) } else { !self.closing };
        if may_close {
            // The clock is not to be ahead of an epoch's number, which may have to wait for its bound.
            let wall = believed_ms(newest);
            if let Some(epoch) = self.ticker.tick(now, keeper.within(wall), on_their_way, filling) {
                // First, so that all know of it before the epoch can be complete anywhere.
                keeper.wants(now).into_iter().for_each(|keep| commands.give(keep));
                commands.give(Command::Close { epoch, wall: wall.min(epoch), is_last });
                self.closing = true;
            }
            if is_last {
                self.end = End::LastEpoch;
            }
        }
        if self.end == End::LastEpoch && keeper.has_ended(now) {
            let trouble = self.job.control.trouble(self.job.process);
            trouble.into_iter().for_each(|trouble| commands.give(Command::Failed(trouble)));
            commands.give(Command::Stop);
            self.end = End::Told;
        }
        if may_close && !self.closing { self.ticker.due(on_their_way, filling) } else { None }
    }
}
