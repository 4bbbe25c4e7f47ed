//! Points at which a test can have the process die, as a power cut would have it, panic, as a bug would, or hang, as a disk would
//! that does not answer.
//!
//! Idea: `TIDINGS_FAILPOINT=commit.before` kills the process when it first comes to that point, `commit.before:3` when it
//! does so for the third time; `panic worker.epoch` has the thread that comes there panic instead, and `hang commit.before` whoever
//! comes there from then on wait for good. It is read once; unset, a point costs one look at a static.
//! Invariant: a process that dies ends at the point itself: nothing is flushed, dropped or told.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

enum Act {
    Die,
    Panic,
    Hang,
}

struct Armed {
    name: String,
    act: Act,
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
        let (act, name) = match name.split_once(' ') {
            Some(("panic", name)) => (Act::Panic, name),
            Some(("hang", name)) => (Act::Hang, name),
            _ => (Act::Die, name),
        };
        Some(Armed { name: name.to_owned(), act, left })
    };
    ARMED.get_or_init(read).as_ref()
}

/// Dies here, or whatever else a test wants.
pub fn point(name: &str) {
    let Some(armed) = armed().filter(|armed| armed.name == name) else { return };
    let left = armed.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    match (&armed.act, left) {
        (Act::Hang, Ok(1) | Err(_)) => loop {
            std::thread::park();
        },
        (Act::Panic, Ok(1)) => panic!("at {name}, as {VARIABLE} has it"),
        (Act::Die, Ok(1)) => {
            eprintln!("tidings: dies at {name}, as {VARIABLE} has it");
            std::process::abort();
        }
        _ => {}
    }
}
