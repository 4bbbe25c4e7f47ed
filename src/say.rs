//! Lines for whoever sits at the terminal.
//!
//! Invariant: that nobody reads them any more is no reason to end: a pipe whose reader is gone, a terminal that was closed and a
//! full disk take no line, and what is being done goes on. The standard library's macros would panic there.

use std::fmt::Display;
use std::io::{Write, stderr, stdout};

/// A line on standard error.
pub fn say(line: impl Display) {
    let _ = writeln!(stderr(), "{line}");
}

/// A line on standard output, which is not what the command is there for.
pub fn show(line: impl Display) {
    let _ = writeln!(stdout(), "{line}");
}
