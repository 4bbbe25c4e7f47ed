//! Where records come from: partitions of Kafka topics, or files.
//!
//! Idea: a source hands out records partition by partition, in order, and says how far it has got; it knows nothing of
//! posts, epochs or workers' clocks. `kafka` is one worker's share of the partitions, `files` reads lines.
//! Invariant: the positions that a source tells are exactly behind the records it has handed out.

pub mod client;
pub mod committer;
mod damage;
pub mod dead_letters;
pub mod ends;
pub mod files;
pub mod kafka;
pub mod lookout;
pub mod packed;
pub mod partitions;
mod queue;
pub mod resume;
mod share;
mod topic_ids;
pub mod trim;

use serde::{Deserialize, Serialize};
use tidings_dataflows::records::Origin;

/// What one call of [`Source::poll`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// The budget was used up: there is probably more.
    More,
    /// There is nothing for now; the worker is woken when there is.
    Idle,
    /// There will never be more.
    Finished,
}

/// One worker's share of the records.
pub trait Source {
    /// Hands out records until about `budget` bytes have been handed out, or there are no more for now.
    ///
    /// # Errors
    /// Where going on would lose records; the message says which.
    fn poll(
        &mut self,
        budget: usize,
        give: &mut dyn FnMut(Origin, Option<&[u8]>),
    ) -> Result<Polled, SourceError>;

    /// The worker has been told of so many partitions, by their numbers the first: those of them that are its own are read from now on.
    /// Others of its process may know of more already.
    fn adopt(&mut self, _known: usize) {}

    /// How far each of its partitions has been read.
    fn positions(&self) -> Vec<Position>;

    /// Tells whoever watches lag how far counting has come. Nothing here ever reads it back.
    fn commit(&self, _positions: &[Position]) {}

    /// Offsets that were lost and passed over, in the order in which that was noticed.
    fn gaps(&self) -> Vec<Gap> {
        Vec::new()
    }

    /// Whether one of its partitions has not reached an end that is at most two seconds old.
    fn is_behind(&self) -> bool;
}

/// How far a partition has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The partition's number.
    pub partition: u32,
    /// The next offset.
    pub next: i64,
    /// The last record before it, where brokers tell records apart and nothing was passed over since.
    pub last: Option<Last>,
}

/// What tells a record from any other that may come to stand at its offset: a broker that leads a partition writes its epoch
/// into whatever it appends, and no two leaders have the same. See Kafka's KIP-101.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    /// The record's offset.
    pub offset: i64,
    /// The leader's epoch.
    pub leader_epoch: i32,
}

/// Records that were gone before they could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The partition's number.
    pub partition: u32,
    /// The first offset that is missing.
    pub from: i64,
    /// The first that is there again.
    pub to: i64,
}

/// Why a source cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Records are gone that were not read, or the topic is not the one it was.
    #[error("{0}")]
    Fence(String),
    /// What the configuration asks for is not there.
    #[error("{0}")]
    Config(String),
    /// The other side cannot be reached, or reading failed.
    #[error("{0}")]
    Io(String),
}

/// The share of a worker that has none.
pub struct Nothing;

impl Source for Nothing {
    fn poll(&mut self, _: usize, _: &mut dyn FnMut(Origin, Option<&[u8]>)) -> Result<Polled, SourceError> {
        Ok(Polled::Idle)
    }

    fn positions(&self) -> Vec<Position> {
        Vec::new()
    }

    fn is_behind(&self) -> bool {
        false
    }
}
