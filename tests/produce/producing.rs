//! A running `tidings produce`, and what it says.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::process::{end, program};

/// `tidings produce` in the background; it ends with the handle.
pub struct Producing {
    child: Child,
    log: PathBuf,
    folder: TempDir,
}

/// How it ended, and all that it said.
pub struct Ended {
    pub status: ExitStatus,
    pub said: String,
}

impl Producing {
    /// Starts it with these arguments and variables.
    pub fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Producing {
        let folder = TempDir::new().unwrap();
        let log = folder.path().join("log");
        let output = File::create(&log).unwrap();
        let child = program()
            .current_dir(folder.path())
            .arg("produce")
            .args(arguments)
            .envs(variables.iter().copied())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Producing { child, log, folder }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// Waits until it has said this so many times.
    pub fn says(&mut self, part: &str, times: usize) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while self.said().matches(part).count() < times {
            let ended = self.child.try_wait().unwrap();
            let unsaid = self.said().matches(part).count() < times;
            assert!(ended.is_none() || !unsaid, "it ended without {part:?}: {ended:?}");
            assert!(Instant::now() < deadline, "it does not say {part:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends SIGTERM and waits for the end.
    pub fn stop(self) -> Ended {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success(), "it had ended before");
        self.ended()
    }

    /// Ends it at once, as a loss of power would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the end.
    pub fn ended(mut self) -> Ended {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Ended { status, said: self.said() };
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Producing {
    fn drop(&mut self) {
        end(&mut self.child, &self.log);
        let _ = &self.folder;
    }
}

impl Ended {
    /// It must have ended well; what it said.
    pub fn well(&self) -> &str {
        assert!(self.status.success(), "{}: {}", self.status, self.said);
        assert!(!self.said.contains("panicked"), "{}", self.said);
        &self.said
    }

    /// It must have failed with this code; what it said.
    pub fn badly(&self, code: i32) -> &str {
        assert_eq!(self.status.code(), Some(code), "{}", self.said);
        assert!(!self.said.contains("panicked"), "{}", self.said);
        &self.said
    }
}
