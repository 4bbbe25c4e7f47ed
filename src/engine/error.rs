//! Why the engine did not start, or stopped by itself.
//!
//! Invariant: each reason has one exit code, which says whether trying again makes sense.

use crate::checkpoint::CheckpointError;
use crate::cluster::ClusterError;
use crate::source::SourceError;

/// Why the engine did not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The source cannot go on, or could not begin.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The settings ask for what cannot be.
    #[error("{0}")]
    Config(String),
    /// A bad record came, and `posts.on_bad` is `fail`.
    #[error("bad record: {0}; `posts.on_bad = \"count\"` would count it and go on")]
    BadRecord(String),
    /// Threads could not be started.
    #[error("cannot start workers: {0}")]
    Threads(String),
    /// The other processes of the cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Checkpoints cannot be written or read, or do not fit.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The last checkpoint did not come about; the one before it stands.
    #[error("the last checkpoint did not come about, the one before it stands: {0}")]
    Unkept(String),
}

impl EngineError {
    /// The exit code of a process that ends for this reason.
    pub fn exit(&self) -> u8 {
        match self {
            EngineError::Source(SourceError::Fence(_)) | EngineError::BadRecord(_) => 65,
            EngineError::Source(SourceError::Config(_)) | EngineError::Config(_) => 78,
            EngineError::Source(SourceError::Io(_)) | EngineError::Threads(_) => 74,
            EngineError::Cluster(error) => error.exit(),
            EngineError::Checkpoint(error) => error.exit(),
            EngineError::Unkept(_) => 74,
        }
    }
}
