//! Time that passed, and time that the processors spent.
//!
//! Idea: on a machine that others use too, the time that passed says little; what the processors spent says more, and a
//! ratio of two runs that followed each other says most.
//! Invariant: CPU time is that of all threads of this process, in user and kernel mode, to a hundredth of a second.

use std::time::Instant;

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

/// From `/proc/self/stat`, whose fields 14 and 15 are in hundredths of a second (proc(5)); 0 where there is no such file.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is a name in brackets and may hold spaces.
    let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields = behind_name.split_whitespace().skip(11).take(2);
    fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
}
