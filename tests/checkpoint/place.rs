//! Where checkpoints are kept in these tests: a folder.

use std::path::PathBuf;

use tempfile::TempDir;

/// A folder of its own.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Place {
        Place(TempDir::new().unwrap())
    }

    /// As `checkpoint.dir` names it.
    pub fn address(&self) -> String {
        format!("file://{}", self.folder().display())
    }

    /// Where its files are.
    pub fn folder(&self) -> PathBuf {
        self.0.path().join("kept")
    }

    /// What the program needs to reach it.
    pub fn environment(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}
