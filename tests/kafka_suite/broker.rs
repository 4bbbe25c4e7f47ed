//! Brokers with settings of their own, which can be stopped and started again.
//!
//! Invariant: whatever was started is stopped with its handle; one that is started again has its address and its data.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, Weak};

use tempfile::TempDir;

/// A broker in a folder of its own.
pub struct Broker {
    folder: TempDir,
    address: String,
}

impl Broker {
    /// Starts one; `settings` are lines added to its `server.properties`, see `kafka.sh`.
    pub fn start(settings: &str) -> Broker {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("extra.properties"), settings).unwrap();
        let address = address(&kafka_sh("start", folder.path()));
        Broker { folder, address }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where its logs are.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Stops it in good order; its data stay.
    pub fn stop(&self) {
        kafka_sh("stop", self.folder.path());
    }

    /// Starts it again, at the same address with the same data.
    pub fn start_again(&self) {
        assert_eq!(address(&kafka_sh("start", self.folder.path())), self.address);
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // The handle may be dropped by a failing test, which must not fail twice.
        let _ = script("kafka.sh").arg("stop").arg(self.folder.path()).stderr(Stdio::null()).status();
    }
}

/// The broker of whatever tests run at this moment; it compacts topics without delay.
pub fn shared() -> Arc<Broker> {
    static SHARED: Mutex<Weak<Broker>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(|failed| failed.into_inner());
    shared.upgrade().unwrap_or_else(|| {
        let broker = Arc::new(Broker::start("log.cleaner.backoff.ms=500\n"));
        *shared = Arc::downgrade(&broker);
        broker
    })
}

/// A script beside `kafka.sh`.
pub fn script(name: &str) -> Command {
    Command::new(format!("{}/tests/kafka/{name}", env!("CARGO_MANIFEST_DIR")))
}

fn kafka_sh(what: &str, folder: &Path) -> String {
    let output = script("kafka.sh").arg(what).arg(folder).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "kafka.sh {what}: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

fn address(printed: &str) -> String {
    printed.lines().last().expect("the last line is the address").to_owned()
}
