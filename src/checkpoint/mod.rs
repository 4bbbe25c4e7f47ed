//! What is kept across restarts: the counts as of an epoch, together with the offsets up to which they count.
//!
//! ```text
//! <root>/LOCK                      held by the process that leads (directories only)
//! <root>/cluster.json              whose directory this is                       written once
//! <root>/generations/<generation>  a run began; a later run fences an earlier    written once
//! <root>/leases/<generation>       how far epochs may go, written ahead          overwritten
//! <root>/segments/<generation>-<number>-<process>-<part>   rows                  written once
//! <root>/manifests/<number>        offsets, clock, and which rows belong to them written once: the commit
//! ```
//! Idea: counting is a sum, so a pane that is closed is written once and referred to by every later manifest; only panes
//! that changed are written again. A manifest binds rows and offsets of one epoch, and exists whole or not at all.
//! Invariant: whatever is recovered is what the records before its own offsets come to. Nothing that is whole is ever changed in
//! place but a lease. Numbers of manifests ascend, and whoever has not made the newest run can make none.
//! Cost: a sequential read of the panes that changed, on a thread of its own, and their bytes; see `segment`.
//!
//! Nothing here knows of Kafka, the engine or who asks it. `files` and, in builds that have it, `s3` keep bytes under names;
//! `segment` and `rows` are how rows are laid out, `manifest` what binds them; `capture` writes them, `load` reads them; `choose`, `garbage` decide,
//! apart from input and output; `open` is how a run begins, `lease` how far it may go.

pub mod capture;
pub mod choose;
pub mod commit;
pub mod failpoint;
pub mod files;
pub mod garbage;
pub mod keys;
pub mod lease;
pub mod load;
pub mod manifest;
pub mod open;
pub mod rows;
#[cfg(feature = "s3")]
pub mod s3;
pub mod segment;
pub mod store;
pub mod verify;
pub mod writer;

pub use manifest::Manifest;
pub use store::{Store, open_store};

/// Why checkpoints cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Reading or writing failed.
    #[error("checkpoint: cannot {action} {key}: {why}")]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// The file or object.
        key: String,
        /// Why not.
        why: String,
    },
    /// What is there is not what was written.
    #[error("checkpoint: {key} is damaged: {why}")]
    Damaged {
        /// The file or object.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// The settings and what is kept do not fit together.
    #[error("{0}")]
    Refused(String),
    /// There are checkpoints, and none of them is whole.
    #[error("{0}")]
    Unusable(String),
    /// Another run is at work on the same state.
    #[error("{0}")]
    Busy(String),
    /// A later run has taken over.
    #[error("{0}")]
    Fenced(String),
}

impl CheckpointError {
    /// The exit code of a process that ends for this reason.
    pub fn exit(&self) -> u8 {
        match self {
            CheckpointError::Io { .. } => 74,
            CheckpointError::Damaged { .. } | CheckpointError::Unusable(_) | CheckpointError::Fenced(_) => 65,
            CheckpointError::Refused(_) => 78,
            CheckpointError::Busy(_) => 75,
        }
    }

    pub(crate) fn damaged(key: &str, why: impl Into<String>) -> CheckpointError {
        CheckpointError::Damaged { key: key.to_owned(), why: why.into() }
    }
}
