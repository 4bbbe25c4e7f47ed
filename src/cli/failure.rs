//! How a command fails: one line for a person, one number for a script.
//!
//! Idea: the errors of all other modules become this one at the edge, each with the exit code that says whether trying
//! again makes sense.

use std::fmt;
use std::process::ExitCode;

use crate::checkpoint::CheckpointError;
use crate::cluster::ClusterError;
use crate::config::ConfigError;
use crate::engine::EngineError;
use crate::serve::ServeError;

/// Exit codes, as documented; a bad command line is 2, by clap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// The command line makes no sense.
    Usage = 2,
    /// The data are not what they were, or are refused: records lost, topic made anew.
    Data = 65,
    /// A bug.
    Bug = 70,
    /// Reading, writing or reaching something failed.
    Io = 74,
    /// Another process of the cluster was lost; try again.
    Peer = 75,
    /// The configuration asks for what cannot be.
    Config = 78,
}

impl Code {
    /// The code of this number.
    pub fn of(number: u8) -> Code {
        let all = [Code::Usage, Code::Data, Code::Bug, Code::Io, Code::Peer, Code::Config];
        all.into_iter().find(|code| *code as u8 == number).unwrap_or(Code::Bug)
    }
}

/// Why a command ends without success.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// For scripts.
    pub code: Code,
    /// For people; a line or several.
    pub message: String,
}

impl Failure {
    /// A failure.
    pub fn new(code: Code, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for ExitCode {
    fn from(failure: Failure) -> ExitCode {
        ExitCode::from(failure.code as u8)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        Failure::new(Code::Config, error.to_string())
    }
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Failure {
        Failure::new(Code::of(error.exit()), error.to_string())
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Failure {
        let code = match &error {
            ServeError::Access(_) => Code::Config,
            ServeError::Listen { .. } => Code::Io,
        };
        Failure::new(code, error.to_string())
    }
}

impl From<CheckpointError> for Failure {
    fn from(error: CheckpointError) -> Failure {
        Failure::new(Code::of(error.exit()), error.to_string())
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Failure {
        Failure::new(Code::of(error.exit()), error.to_string())
    }
}
