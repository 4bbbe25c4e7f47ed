//! `[engine]`: how posts are counted.
//!
//! Invariant: there is a worker at least, and an epoch lasts at least a millisecond, since its number is the Unix time
//! in milliseconds and must grow.

use std::time::Duration;

use super::super::durations::duration_within;
use super::super::model::{Clock, Engine};
use super::Reader;

/// Threads beyond this are a mistake on any machine.
const MOST_WORKERS: u32 = 1024;

/// Far more than any machine has memory for; workers number their terms within 31 bits, and each of the tables that they spread them
/// over has a part of these, which must not run out where terms are spread unevenly.
const MOST_TERMS: u32 = 1 << 30;

/// Shorter epochs cost more than they show.
const SHORT_EPOCH: Duration = Duration::from_millis(10);

pub(super) fn read(reader: &mut Reader<'_>) -> Engine {
    let workers = match reader.number("engine.workers", 0..=MOST_WORKERS) {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let epoch = reader.parse("engine.epoch", |text| {
        duration_within(text, Duration::from_millis(1), Duration::from_secs(3600))
    });
    if epoch < SHORT_EPOCH {
        reader.warn(
            "engine.epoch",
            "is under 10ms: most of the time will go into closing epochs, 250ms is usual",
        );
    }
    Engine {
        workers,
        epoch,
        clock: reader.choice("engine.clock", &[("wall", Clock::Wall), ("event", Clock::Event)]),
        max_terms: reader.number("engine.max_terms", 1..=MOST_TERMS),
    }
}
