//! What the sources that are read over the network have in common.
//!
//! ```text
//! a thread of its own:  dial --> session of a source (bluesky, x, mastodon) --> inbox
//!                         ^---- follow: how long to wait, which address next ----v
//! the calling thread:   inbox --> deliver: read, drop what was had already --> sender --> Kafka
//! ```
//! Idea: a source is one connection until it breaks, and why it broke. All else is the same for each: when to try again,
//! where, what was had already, how it is shown. Between the network and Kafka stands an inbox bounded in bytes; where
//! Kafka is slow the connection is not read, which is what its server then sees.
//! Invariant: what entered the inbox is sent, is counted as something else than a post, or is counted as failed, a stop
//! included. Cost: at most [`inbox::ROOM`] bytes wait.

pub mod address;
pub mod backoff;
pub mod broken;
pub mod deliver;
pub mod dial;
pub mod follow;
pub mod http;
pub mod inbox;
pub mod known;
pub mod lines;
pub mod seen;
pub mod token;
