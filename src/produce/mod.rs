//! Posts into Kafka: what stands where a connector would stand.
//!
//! Idea: a file or a folder per source, [`synthetic`], [`replay`] of files, [`bluesky`], [`x`] and [`mastodon`], and one
//! way out for all of them, [`sender`]. What the sources of the network have in common is in [`live`]. Around that stand
//! pacing, the topics of the broker, and what the user sees of it all.
//! Invariant: what was handed to the sender is delivered or reported; nothing is lost without a word.

pub mod bluesky;
pub mod connection;
pub mod feed;
pub mod limits;
pub mod lines;
pub mod live;
pub mod marks;
pub mod mastodon;
pub mod pace;
pub mod progress;
pub mod replay;
pub mod sender;
pub mod stop;
pub mod table;
pub mod tally;
pub mod topics;
pub mod x;

pub use tidings_synthetic as synthetic;
