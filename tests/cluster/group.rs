//! All processes of a cluster, each started by `tidings run`, with its own log.
//!
//! Invariant: whatever becomes of a test, no process outlives its handle.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tidings::cluster::ports;

use crate::support::client::Client;
use crate::support::process::{end, program};

/// How long what is awaited may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// One process.
pub struct Process {
    pub child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a command, with its output in `log`.
    pub fn start(mut command: Command, log: PathBuf) -> Process {
        let output = File::create(&log).unwrap();
        let child = command.stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
        Process { child, log }
    }

    /// All that it has printed so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// Waits until it has printed this.
    pub fn says(&mut self, part: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.log().contains(part) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended ({ended:?}) without {part:?}: {}", self.log());
            assert!(Instant::now() < until, "it never said {part:?}: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Where it answers, once it does.
    pub fn address(&mut self) -> String {
        self.says("answering on http://");
        let log = self.log();
        let (_, rest) = log.split_once("answering on http://").unwrap();
        rest.lines().next().unwrap().trim().to_owned()
    }

    pub fn client(&mut self) -> Client {
        Client::new(&self.address())
    }

    /// Waits until it is ready to be asked.
    pub fn ready(&mut self) {
        self.answers("/readyz", 200, PATIENCE);
    }

    /// Waits until a path has this status, for at most so long; how long it took, and the answer.
    pub fn answers(&mut self, path: &str, status: u16, within: Duration) -> (Duration, String) {
        let (client, begun) = (self.client(), Instant::now());
        loop {
            if let Ok(response) = client.try_get(path)
                && response.status == status
            {
                return (begun.elapsed(), String::from_utf8_lossy(&response.body).into_owned());
            }
            assert!(begun.elapsed() < within, "no {status} from {path} within {within:?}: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Waits until it ends, for at most so long: its exit code, and how long that took.
    pub fn ends(&mut self, within: Duration) -> (Option<i32>, Duration) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), begun.elapsed());
            }
            assert!(begun.elapsed() < within, "it goes on after {within:?}: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        end(&mut self.child, &self.log);
    }
}

/// Sends a signal to a process by its id.
pub fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status();
    assert!(sent.unwrap().success(), "it had ended before");
}

/// All of them, with the folder of their configuration.
pub struct Group {
    pub processes: Vec<Process>,
    pub hosts: Vec<String>,
    pub folder: TempDir,
}

impl Group {
    /// Not started yet: the configuration, and free addresses for `n` processes.
    pub fn new(text: &str, n: usize) -> Group {
        Group::at(text, ports::free(n).unwrap())
    }

    /// The same at these addresses.
    pub fn at(text: &str, hosts: Vec<String>) -> Group {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("tidings.toml"), text).unwrap();
        fs::write(folder.path().join("hosts"), hosts.join("\n")).unwrap();
        fs::write(folder.path().join("secret"), "the secret of the tests, long enough").unwrap();
        Group { processes: Vec::new(), hosts, folder }
    }

    /// Started, and all ready.
    pub fn start(text: &str, n: usize) -> Group {
        let mut group = Group::new(text, n);
        for process in 0..n {
            let process = Process::start(group.command(process, &[]), group.log(process));
            group.processes.push(process);
        }
        group.processes.iter_mut().for_each(Process::ready);
        group
    }

    pub fn log(&self, process: usize) -> PathBuf {
        self.path(&format!("log-{process}"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What starts a process; with `before` in front of it.
    pub fn command(&self, process: usize, before: &[&str]) -> Command {
        let mut command = match before {
            [] => program(),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program().get_program());
                command
            }
        };
        command.arg("run").arg("-c").arg(self.path("tidings.toml"));
        command.arg("--hosts").arg(self.path("hosts")).args(["--process", &process.to_string()]);
        command.env("TIDINGS__HTTP__BIND", "127.0.0.1:0");
        command.env("TIDINGS__CLUSTER__SECRET_FILE", self.path("secret"));
        command
    }
}

/// A configuration for these brokers.
pub fn settings(brokers: &str, workers: usize) -> String {
    format!(
        "[kafka]\nbrokers = \"{brokers}\"\nstart = \"earliest\"\n[engine]\nworkers = {workers}\nepoch = \"50ms\"\n"
    )
}

/// A copy of the program that is another build: a byte more.
pub fn other_build(folder: &Path) -> PathBuf {
    use std::io::Write;
    let copy = folder.join("other-build");
    fs::copy(program().get_program(), &copy).unwrap();
    fs::OpenOptions::new().append(true).open(&copy).unwrap().write_all(b"x").unwrap();
    copy
}
