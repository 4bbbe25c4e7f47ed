//! Posts into Kafka: what stands where a connector would stand.
//!
//! Idea: a file per source, [`synthetic`] and [`replay`], and one way out for all of them, [`sender`]. Around that stand
//! pacing, the topics of the broker, and what the user sees of it all.
//! Invariant: what was handed to the sender is delivered or reported; nothing is lost without a word.

pub mod connection;
pub mod feed;
pub mod limits;
pub mod lines;
pub mod pace;
pub mod progress;
pub mod replay;
pub mod sender;
pub mod stop;
pub mod synthetic;
pub mod tally;
pub mod topics;
