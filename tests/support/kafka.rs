//! A real Apache Kafka, by `tests/kafka/kafka.sh`.

use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A broker with a folder of its own; both are gone with the handle.
pub struct Kafka {
    folder: TempDir,
    brokers: String,
}

impl Kafka {
    /// Starts it, some five seconds.
    pub fn start() -> Kafka {
        let folder = TempDir::new().unwrap();
        let output = script().arg("start").arg(folder.path()).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "kafka.sh start: {}", output.status);
        let printed = String::from_utf8(output.stdout).unwrap();
        let brokers = printed.lines().last().expect("the last line is the address").to_owned();
        Kafka { folder, brokers }
    }

    pub fn brokers(&self) -> &str {
        &self.brokers
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        // The handle may be dropped by a failing test, which must not fail twice.
        let _ = script().arg("stop").arg(self.folder.path()).status();
    }
}

fn script() -> Command {
    Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kafka/kafka.sh"))
}
