//! Time that passed, and time that the processors spent.
//!
//! Idea: on a machine that others use too, the time that passed says little; what the processors spent says more, and a
//! ratio of two runs that followed each other says most.
//! Invariant: CPU time is that of all threads of this process, in user and kernel mode, by the system's own clock for it.

use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

/// What one run cost, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Passed.
    pub wall: f64,
    /// Spent by all threads.
    pub cpu: f64,
}

/// Runs once and says what it cost.
pub fn measured<T>(run: impl FnOnce() -> T) -> (Cost, T) {
    let (start, spent) = (Instant::now(), cpu_seconds());
    let result = run();
    (Cost { wall: start.elapsed().as_secs_f64(), cpu: cpu_seconds() - spent }, result)
}

/// What all threads of this process have spent so far.
fn cpu_seconds() -> f64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}
