//! Several processes, one answer: the real binary as a cluster on an embedded broker or a real one, each process asked over
//! HTTP while records come, everything compared with the oracle.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;

mod exact;
mod matrix;
mod stopped;
