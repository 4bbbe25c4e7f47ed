//! The wall clock, as the one number that the rest of the program takes it for.

use std::time::{SystemTime, UNIX_EPOCH};

/// The wall clock in Unix milliseconds; 0 where it is set before 1970.
pub fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
