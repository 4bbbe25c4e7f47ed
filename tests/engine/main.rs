//! The engine as a whole: the real binary on an embedded broker, asked over HTTP, compared with the oracle.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod dead_letters;
mod exact;
mod lifecycle;
mod limits;
mod live;
mod outage;
mod siege;
mod top;
