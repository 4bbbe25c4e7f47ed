//! Checkpoints: the real binary is ended in every way, started again, and compared with the oracle before and after.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;

mod damage;
mod failpoints;
mod fence;
mod kill;
mod stage;
