//! The wall clock, as the one number that the rest of the program takes it for.
//!
//! Idea: `TIDINGS_WALL_OFFSET_MS=-60000` has this process see a wall clock that is a minute slow, as a test of clocks that are
//! set back needs it: nothing else in the machine has to believe it. It is read once; unset, it costs one look at a static.

mod steady;

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use steady::Steady;

/// The environment variable.
pub const VARIABLE: &str = "TIDINGS_WALL_OFFSET_MS";

/// One for all: what numbers epochs and what bounds them must not differ.
static STEADY: Mutex<Steady> = Mutex::new(Steady::new());

static OFFSET: OnceLock<i64> = OnceLock::new();

fn offset() -> i64 {
    *OFFSET.get_or_init(|| std::env::var(VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// The wall clock in Unix milliseconds; 0 where it is set before 1970.
pub fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX).saturating_add(offset()).max(0)
}

/// The same as far as it is to be believed, see `steady.rs`; `newest`: the time of the newest post, if there is any.
pub fn believed_ms(newest: Option<u64>) -> u64 {
    let (now, wall) = look();
    STEADY.lock().unwrap_or_else(PoisonError::into_inner).believe(now, wall, newest)
}

/// What has been believed of it so far.
pub fn steady_ms() -> u64 {
    let (now, wall) = look();
    STEADY.lock().unwrap_or_else(PoisonError::into_inner).see(now, wall)
}

fn look() -> (Instant, u64) {
    (Instant::now(), u64::try_from(wall_ms()).unwrap_or(0))
}
