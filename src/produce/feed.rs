//! Invented posts into a topic.
//!
//! Idea: the generator knows no clock; here it gets one. Either the wall clock, or, from a fixed start, one that the
//! number of the post decides, so that the whole load repeats byte for byte.
//! Invariant: at a rate, the n-th post is never sent before its moment; where Kafka was slow, what is behind is sent
//! as fast as it goes until the rate is met again.

use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode as Code;

use super::limits::Limits;
use super::pace::Rate;
use super::sender::{Outgoing, SendError, Sender};
use super::synthetic::Synthetic;
use crate::wall::wall_ms;

/// Posts a second by which times advance from a fixed start where the rate is 0.
pub const UNPACED: u64 = 10_000;
/// How many posts get the time of one look at the clock where there is no rate.
const LOOK_EVERY: u64 = 64;

/// How many posts, how fast, and when.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plan {
    /// How many; `None`: until the user asks to stop.
    pub posts: Option<u64>,
    /// How many a second; 0: as fast as Kafka takes them.
    pub rate: u64,
    /// The time of the first post, in Unix milliseconds, from which the rate decides those of the others; `None`: the
    /// wall clock does.
    pub start_ms: Option<i64>,
}

/// Sends posts until the plan is done or the user asks to stop.
///
/// # Errors
/// Where the producer is of no more use.
pub fn feed(
    sender: &mut Sender,
    posts: &mut Synthetic,
    plan: Plan,
    limits: &mut Limits,
) -> Result<(), SendError> {
    let begun = Instant::now();
    let paced = (plan.rate > 0).then_some(Rate(plan.rate));
    let steps = Rate(if plan.rate > 0 { plan.rate } else { UNPACED });
    let mut now_ms = wall_ms();
    for number in 0..plan.posts.unwrap_or(u64::MAX) {
        if let Some(rate) = paced {
            let due = begun + rate.due(number);
            if due > Instant::now() && !sender.wait_until(due) {
                return Ok(());
            }
        }
        if let Some(start_ms) = plan.start_ms {
            now_ms = start_ms.saturating_add(millis(steps.due(number)));
        } else if paced.is_some() || number % LOOK_EVERY == 0 {
            now_ms = wall_ms();
        }
        let made = posts.next(now_ms);
        let wall_ms = if plan.start_ms.is_some() { wall_ms() } else { now_ms };
        if let Some(warning) = limits.warning(made.time_ms, wall_ms) {
            sender.warn(&warning);
        }
        if limits.takes(made.time_ms, wall_ms) {
            let outgoing = Outgoing {
                key: Some(&made.key),
                value: made.value.as_deref(),
                time_ms: made.time_ms,
                source: "synthetic",
                position: None,
            };
            if !sender.send(outgoing)? {
                return Ok(());
            }
        } else {
            sender.refuse(Code::InvalidTimestamp);
        }
        if sender.stopped() {
            return Ok(());
        }
    }
    Ok(())
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
