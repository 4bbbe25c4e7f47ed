//! What becomes of a process that has lost another: it ends, at once, with one line that names it.
//!
//! Idea: timely notices a broken connection in a thread of its own and panics there, which would look like a bug of ours; that
//! panic is told by its words, and becomes the quiet end that it is. So whoever crashed first has the only loud message.
//! Invariant: a process ends so at most once, whoever notices first; with `EXIT`, which says: try again.

use std::panic::PanicHookInfo;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Mesh;
use crate::say::say;

/// The exit code: a peer was lost, try again.
const EXIT: i32 = 75;

/// How timely's messages begin; it keeps them so for whoever looks for them.
const TIMELY: &str = "timely communication error: ";

static HOSTS: OnceLock<Vec<String>> = OnceLock::new();

static ENDING: AtomicBool = AtomicBool::new(false);

/// From now on this process ends with the others of the mesh.
pub fn enter(mesh: &Mesh) {
    // A process is in one generation for life; in tests, where several are in one process, names matter little.
    let _ = HOSTS.set(mesh.hosts.clone());
}

/// Ends this process, since `process` is lost.
pub fn lost(process: usize, why: &str) -> ! {
    let host = HOSTS.get().and_then(|hosts| hosts.get(process)).map_or("", String::as_str);
    end(&format!("lost process {process} ({host}): {why}"))
}

/// Ends this process where a panic is only how the loss of another was noticed; else returns.
pub fn end_if_lost(panic: &PanicHookInfo<'_>) {
    let Some(message) = panic.payload_as_str().and_then(|message| message.strip_prefix(TIMELY)) else {
        return;
    };
    let thread = std::thread::current();
    let process = thread.name().and_then(|name| name.rsplit_once('-')?.1.parse().ok());
    match process {
        Some(process) => lost(process, message),
        None => end(&format!("lost another process: {message}")),
    }
}

fn end(line: &str) -> ! {
    if ENDING.swap(true, Ordering::SeqCst) {
        // Another thread has said so, and ends the process.
        loop {
            std::thread::park();
        }
    }
    say(format_args!("tidings: {line}; this process ends too, and all have to start anew"));
    std::process::exit(EXIT);
}
