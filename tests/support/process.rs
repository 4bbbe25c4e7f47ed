//! The real binary: run to its end, or started and asked.
//!
//! Invariant: a process that was started is gone when its handle is, by its own id; its log is shown where a test fails.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tidings::config::{self, Config};

use super::client::Client;

/// The program under test.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
    // Nothing of the machine's own configuration.
    command.env_clear().stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

/// Runs it to its end with something on its standard input.
pub fn run_with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = program()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).unwrap());
        child.wait_with_output().unwrap()
    })
}

/// Standard error as text.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder with a configuration in it, and the environment in which it is read.
pub struct Settings {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

impl Settings {
    pub fn new(text: &str) -> Settings {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("tidings.toml"), text).unwrap();
        Settings { folder, environment: Vec::new() }
    }

    /// The same with variables of the environment.
    pub fn with(mut self, variables: &[(String, String)]) -> Settings {
        self.environment.extend_from_slice(variables);
        self
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join("tidings.toml")
    }

    /// As the program reads it.
    pub fn config(&self) -> Config {
        config::load(Some(&self.file()), [], Vec::new()).unwrap_or_else(|error| panic!("{error}")).config
    }
}

/// A running server.
pub struct Server {
    child: Child,
    log: PathBuf,
    address: String,
    settings: Settings,
}

impl Server {
    /// `tidings run` with this configuration, once it is ready to be asked.
    pub fn run(text: &str) -> Server {
        let settings = Settings::new(text);
        let file = settings.file();
        Server::start(settings, &["run", "-c", file.to_str().unwrap(), "--bind", "127.0.0.1:0"])
    }

    /// `tidings run` with this configuration and variable of the environment, once it says where it answers; its log, where
    /// it ends before that.
    pub fn try_run_with(settings: Settings, variable: (&str, &str)) -> Result<Server, String> {
        let file = settings.file();
        let arguments = ["run", "-c", file.to_str().unwrap(), "--bind", "127.0.0.1:0"];
        let mut server = Server::spawn(settings, &arguments, Some(variable));
        let deadline = Instant::now() + Duration::from_secs(30);
        while server.said_where().is_none() {
            if !server.lives() {
                return Err(server.log());
            }
            assert!(Instant::now() < deadline, "it says nothing");
            std::thread::sleep(Duration::from_millis(10));
        }
        server.address = server.said_where().unwrap();
        Ok(server)
    }

    /// Any command that serves, once it says where; nothing is awaited beyond that.
    pub fn start(settings: Settings, arguments: &[&str]) -> Server {
        Server::spawn(settings, arguments, None).located()
    }

    /// One that was started with others, once it says where it answers.
    pub fn located(mut self) -> Server {
        self.address = self.awaits(Duration::from_secs(60), |server| server.said_where());
        self
    }

    fn said_where(&self) -> Option<String> {
        let log = self.log();
        let (_, rest) = log.split_once("answering on http")?;
        let (_, rest) = rest.split_once("://")?;
        let (address, _) = rest.split_once('\n')?;
        Some(address.trim().to_owned())
    }

    /// Any command that serves; nothing is awaited.
    pub fn spawn(settings: Settings, arguments: &[&str], variable: Option<(&str, &str)>) -> Server {
        let log = settings.folder().join("log");
        let output = File::create(&log).unwrap();
        let child = program()
            .args(arguments)
            .envs(settings.environment.iter().map(|(name, value)| (name, value)))
            .envs(variable)
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Server { child, log, address: String::new(), settings }
    }

    /// Waits until it is ready.
    pub fn ready(self) -> Server {
        let client = self.client();
        let mut server = self;
        server.awaits(Duration::from_secs(60), |_| {
            client.try_get("/readyz").ok().filter(|response| response.status == 200).map(|_| ())
        });
        server
    }

    fn awaits<T>(&mut self, patience: Duration, mut seen: impl FnMut(&Server) -> Option<T>) -> T {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(found) = seen(self) {
                return found;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the program ended: {ended:?}");
            assert!(Instant::now() < deadline, "nothing within {patience:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Where it answers, as `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn client(&self) -> Client {
        Client::new(&self.address)
    }

    pub fn config(&self) -> Config {
        self.settings.config()
    }

    /// All that it has printed so far.
    pub fn log(&self) -> String {
        let mut text = Vec::new();
        File::open(&self.log).unwrap().read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Whether it still runs.
    pub fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// The folder with its configuration.
    pub fn folder(&self) -> &Path {
        self.settings.folder()
    }

    /// Waits until its log has so many lines with this in them.
    pub fn says(&mut self, part: &str, times: usize) {
        self.awaits(Duration::from_secs(60), |server| {
            (server.log().lines().filter(|line| line.contains(part)).count() >= times).then_some(())
        });
    }

    /// Sends a signal, such as `HUP`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success(), "it had ended before");
    }

    /// Sends SIGTERM and waits; how it ended, and how long that took.
    pub fn terminate(&mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        self.signal("TERM");
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, begun.elapsed());
            }
            assert!(begun.elapsed() < Duration::from_secs(40), "it does not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it as a power cut would, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it has ended by itself.
    pub fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it goes on");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Processor time that it has used, in hundredths of a second.
    pub fn cpu(&self) -> u64 {
        cpu_of(Path::new(&format!("/proc/{}/stat", self.child.id())))
    }

    /// How often its threads go to wait for something within this time; of a thread that ends meanwhile nothing is known.
    pub fn switches_in(&self, time: Duration) -> u64 {
        let switches = || -> HashMap<PathBuf, u64> {
            let status =
                |task: PathBuf| fs::read_to_string(task.join("status")).ok().map(|status| (task, status));
            let all = self.tasks().filter_map(status);
            all.map(|(task, status)| (task, field_of(&status, "voluntary_ctxt_switches"))).collect()
        };
        let before = switches();
        std::thread::sleep(time);
        switches().iter().map(|(task, all)| all - before.get(task).unwrap_or(&0)).sum()
    }

    /// A value of its memory in KiB, such as `VmHWM`.
    pub fn memory_kib(&self, field: &str) -> u64 {
        memory_kib(self.child.id(), field)
    }

    /// The id of its thread of this name.
    pub fn thread(&self, name: &str) -> i32 {
        let own =
            |task: &PathBuf| fs::read_to_string(task.join("comm")).is_ok_and(|own| own.trim_end() == name);
        let found = self.tasks().find(own).unwrap_or_else(|| panic!("no thread is called {name}"));
        found.file_name().unwrap().to_str().unwrap().parse().unwrap()
    }

    /// Microseconds of processor time of each of its threads whose name begins so, in the order of the names.
    pub fn cpu_of_threads(&self, name: &str) -> Vec<u64> {
        let mut threads: Vec<(String, u64)> = Vec::new();
        for task in self.tasks() {
            let Ok(own) = fs::read_to_string(task.join("comm")) else { continue };
            if own.starts_with(name) {
                // Its first field are nanoseconds on a processor, see sched-stats of the kernel's documentation.
                let used = fs::read_to_string(task.join("schedstat")).unwrap();
                threads.push((own, used.split(' ').next().unwrap().parse::<u64>().unwrap() / 1000));
            }
        }
        threads.sort();
        threads.into_iter().map(|(_, cpu)| cpu).collect()
    }

    /// Where the system tells of each of its threads.
    fn tasks(&self) -> impl Iterator<Item = PathBuf> + use<> {
        fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap().map(|task| task.unwrap().path())
    }
}

/// A value of `/proc/<pid>/status` in KiB, such as `VmHWM`, see proc_pid_status(5).
pub fn memory_kib(process: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    field_of(&status, field)
}

/// A number of a text like `/proc/<pid>/status`, without its unit.
fn field_of(status: &str, field: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// User and system time of `/proc/.../stat`, see proc(5): fields 14 and 15; the name in field 2 may hold spaces.
fn cpu_of(stat: &Path) -> u64 {
    let text = fs::read_to_string(stat).unwrap();
    let fields: Vec<&str> = text.rsplit_once(") ").unwrap().1.split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// Ends a program that was started here, and shows the end of its log where its test has failed.
pub fn end(child: &mut Child, log: &Path) {
    // It may have ended by itself; then there is nothing to end.
    let _ = child.kill();
    let _ = child.wait();
    if std::thread::panicking() {
        let log = fs::read(log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        eprintln!("the program's log ends so:\n{}", lines[lines.len().saturating_sub(60)..].join("\n"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child, &self.log);
    }
}
