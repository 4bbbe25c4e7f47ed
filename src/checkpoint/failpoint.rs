//! Points at which a test can have the process die, as a power cut would have it, or panic, as a bug would.
//!
//! Idea: `TIDINGS_FAILPOINT=commit.before` kills the process when it first comes to that point, `commit.before:3` when it
//! does so for the third time; `panic worker.epoch` has the thread that comes there panic instead. It is read once; unset, a point costs one look at a static.
//! Invariant: a process that dies ends at the point itself: nothing is flushed, dropped or told.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

struct Armed {
    name: String,
    panics: bool,
    left: AtomicU64,
}

static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

/// The environment variable.
pub const VARIABLE: &str = "TIDINGS_FAILPOINT";

fn armed() -> Option<&'static Armed> {
    let read = || {
        let text = std::env::var(VARIABLE).ok()?;
        let (name, times) = text.split_once(':').unwrap_or((&text, "1"));
        let left = AtomicU64::new(times.parse().unwrap_or(1).max(1));
        let panics = name.strip_prefix("panic ");
        Some(Armed { name: panics.unwrap_or(name).to_owned(), panics: panics.is_some(), left })
    };
    ARMED.get_or_init(read).as_ref()
}

/// Dies here if a test wants that.
pub fn point(name: &str) {
    let Some(armed) = armed().filter(|armed| armed.name == name) else { return };
    if armed.left.fetch_sub(1, Ordering::SeqCst) == 1 {
        assert!(!armed.panics, "at {name}, as {VARIABLE} has it");
        eprintln!("tidings: dies at {name}, as {VARIABLE} has it");
        std::process::abort();
    }
}
