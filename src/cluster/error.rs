//! Why there is no mesh, or none any more, and what that means for whoever started the process.
//!
//! Invariant: each message says which process it is about, or what to change; each reason has one exit code.

/// Why there is no mesh, or none any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// The settings cannot work.
    #[error("{0}")]
    Config(String),
    /// Something of this process's own failed.
    #[error("{0}")]
    Io(String),
    /// A process of the generation is gone.
    #[error("lost process {process} ({host}): {why}; all processes end and have to start anew")]
    Lost {
        /// Its index.
        process: usize,
        /// Its address.
        host: String,
        /// What happened.
        why: String,
    },
    /// Another process has failed and told why.
    #[error("process {process}: {message}")]
    Told {
        /// Its index.
        process: usize,
        /// The exit code that belongs to it.
        code: u8,
        /// Its message.
        message: String,
    },
}

impl ClusterError {
    /// The exit code of a process that ends for this reason.
    pub fn exit(&self) -> u8 {
        match self {
            ClusterError::Config(_) => 78,
            ClusterError::Io(_) => 74,
            ClusterError::Lost { .. } => 75,
            ClusterError::Told { code, .. } => *code,
        }
    }
}
