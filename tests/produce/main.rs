//! `tidings produce` from each of its sources, against servers of our own that speak their protocols.
//!
//! Idea: a server here is a script: what it answers to the first connection, to the second, and so on, in the documented
//! messages. The program under test is the real binary, and what it wrote is read back from the broker with its keys,
//! timestamps and headers.
//! Invariant: servers listen on loopback at free ports, and end with their test.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;

mod bluesky;
mod dictionary;
mod fixtures;
mod from_files;
mod mastodon;
mod producing;
mod real;
mod secrets;
mod servers;
mod slow;
mod tls;
mod unheard;
mod written;
mod x;
