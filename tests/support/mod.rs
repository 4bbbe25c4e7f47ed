//! What the tests of the real binary share: brokers, posts, the process, and whoever asks it.
//!
//! Idea: a test produces into a broker, runs the program as a user does, asks over HTTP while it works, and in the end
//! reads the topic back with a consumer of its own, so that the oracle counts what Kafka holds and not what was meant.
//! Invariant: whatever a test started ends with it, by its process id; a failing test shows the program's own log.

#![expect(dead_code, reason = "each test program uses its own part of this")]

pub mod asker;
pub mod broker;
pub mod client;
pub mod counting;
pub mod hostile;
pub mod kafka;
pub mod process;
pub mod random;
pub mod session;
pub mod several;
pub mod sse;
