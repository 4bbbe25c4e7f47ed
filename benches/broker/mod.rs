//! The broker, by `tests/kafka/kafka.sh`.
//!
//! Invariant: it is stopped with its handle; its data stay, and one that is started again has the same address.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A broker with its data in a folder.
pub struct Broker {
    folder: PathBuf,
    address: String,
}

impl Broker {
    /// Starts it.
    pub fn start(folder: &Path) -> Result<Broker, String> {
        let address = kafka_sh("start", folder)?;
        Ok(Broker { folder: folder.to_owned(), address })
    }

    /// `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Stops it in good order.
    pub fn stop(&self) -> Result<(), String> {
        kafka_sh("stop", &self.folder).map(drop)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Where this fails the script has said why, and there is nobody left to tell.
        let _ = self.stop();
    }
}

/// Makes a topic of four partitions, which must be new and keeps everything.
pub fn create_topic(brokers: &str, topic: &str) -> Result<(), String> {
    let arguments = ["topic", "create", topic, "--partitions", "4", "--config", "retention.ms=-1"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
    let status = command.args(arguments).args(["--brokers", brokers]).status();
    let status = status.map_err(|error| format!("tidings topic create: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("tidings topic create: {status}")) }
}

/// What the script does with the broker in a folder; the last line that it prints.
pub fn kafka_sh(what: &str, folder: &Path) -> Result<String, String> {
    let mut script = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kafka/kafka.sh"));
    let output = script.arg(what).arg(folder).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("kafka.sh: {error}"))?;
    if !output.status.success() {
        return Err(format!("kafka.sh {what}: {}", output.status));
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    Ok(printed.lines().last().unwrap_or_default().to_owned())
}
