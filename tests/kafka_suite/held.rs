//! The real binary, to be held up by signals, and to end by itself.
//!
//! Invariant: the process is gone with its handle, by its own id, even one that is held up.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use tidings::config::Config;

use crate::support::client::Client;
use crate::support::process::{Settings, end, memory_kib, program};

/// `tidings run`, which may end by itself.
pub struct Held {
    child: Child,
    settings: Settings,
    log: PathBuf,
}

impl Held {
    /// Starts it, whatever comes of it.
    pub fn start(text: &str) -> Held {
        let settings = Settings::new(text);
        let log = settings.folder().join("log");
        let output = File::create(&log).unwrap();
        let mut command = program();
        command.args(["run", "--bind", "127.0.0.1:0", "-c"]).arg(settings.file());
        let child = command.stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
        Held { child, settings, log }
    }

    /// Starts it and waits until it is ready.
    pub fn ready(text: &str) -> Held {
        let mut held = Held::start(text);
        let deadline = Instant::now() + Duration::from_secs(60);
        while held.client().is_none_or(|client| client.get("/readyz").status != 200) {
            assert!(Instant::now() < deadline, "it does not become ready");
            assert!(held.child.try_wait().unwrap().is_none(), "it ended");
            std::thread::sleep(Duration::from_millis(20));
        }
        held
    }

    /// To ask it, as soon as it says where.
    pub fn client(&self) -> Option<Client> {
        let log = self.log();
        let (_, rest) = log.split_once("answering on http://")?;
        rest.split_once('\n').map(|(address, _)| Client::new(address.trim()))
    }

    pub fn config(&self) -> Config {
        self.settings.config()
    }

    /// All that it has printed so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned()
    }

    /// Holds it up, as a machine without memory or a debugger does.
    pub fn hold(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn release(&self) {
        self.signal("-CONT");
    }

    /// Ends it in good order; whether it said 0.
    pub fn terminate(&mut self) -> bool {
        self.signal("-TERM");
        self.ends_within(Duration::from_secs(30)) == Some(0)
    }

    /// Its exit code once it has ended; `None` if a signal ended it.
    pub fn ends_within(&mut self, patience: Duration) -> Option<i32> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it goes on, for {patience:?} already");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A value of its memory in KiB, such as `VmHWM`.
    pub fn memory_kib(&self, field: &str) -> u64 {
        memory_kib(self.child.id(), field)
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "it had ended before");
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        end(&mut self.child, &self.log);
    }
}
