//! The wall clock, as the one number that the rest of the program takes it for.
//!
//! Idea: `TIDINGS_WALL_OFFSET_MS=-60000` has this process see a wall clock that is a minute slow, as a test of clocks that are
//! set back needs it: nothing else in the machine has to believe it. It is read once; unset, it costs one look at a static.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// The environment variable.
pub const VARIABLE: &str = "TIDINGS_WALL_OFFSET_MS";

static OFFSET: OnceLock<i64> = OnceLock::new();

fn offset() -> i64 {
    *OFFSET.get_or_init(|| std::env::var(VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// The wall clock in Unix milliseconds; 0 where it is set before 1970.
pub fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX).saturating_add(offset()).max(0)
}
