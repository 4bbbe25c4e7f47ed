//! Several processes as one: what holds them together, what ends them, and who is not let in.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;

mod ends;
mod group;
mod guise;
mod namespaces;
mod network;
mod probes;
mod relay;
mod starts;
mod supervised;
