//! The program under test and the one that feeds it, as processes.
//!
//! Invariant: both are gone with their handles, by their own ids.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kafka::TOPIC;
use crate::samples::Sample;

/// What had been counted in the end.
#[derive(Debug)]
pub struct Totals {
    /// Records, whatever became of them.
    pub records: u64,
    /// Those of them that are posts.
    pub posts: u64,
    /// Occurrences of hashtags since the start.
    pub occurrences: u64,
    /// Different hashtags since the start.
    pub distinct: u64,
    /// The first hashtags since the start, as key and count.
    pub top: Vec<(String, u64)>,
}

/// `tidings run`.
pub struct Program {
    child: Child,
    agent: ureq::Agent,
    address: String,
    log: PathBuf,
}

impl Program {
    /// Starts it with these counts, from the earliest record, and waits until it says where it answers.
    pub fn run(folder: &Path, brokers: &str, workers: usize, counts: &str) -> Result<Program, String> {
        let (file, log) = (folder.join("endurance.toml"), folder.join("endurance.log"));
        let text = format!(
            "[kafka]\nbrokers = \"{brokers}\"\ntopics = [\"{TOPIC}\"]\nstart = \"earliest\"\n\
             [engine]\nworkers = {workers}\n[http]\nbind = \"127.0.0.1:0\"\n{counts}"
        );
        fs::write(&file, text).map_err(|error| error.to_string())?;
        let output = File::create(&log).map_err(|error| error.to_string())?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
        let child = command.arg("run").arg("-c").arg(file).stdout(Stdio::null()).stderr(output).spawn();
        let child = child.map_err(|error| format!("tidings run: {error}"))?;
        let mut program =
            Program { child, agent: ureq::Agent::new_with_defaults(), address: String::new(), log };
        let begun = Instant::now();
        while program.address.is_empty() {
            let log = program.log();
            let address = log.split_once("answering on ").and_then(|(_, rest)| rest.split_once('\n'));
            program.address = address.map(|(address, _)| address.trim().to_owned()).unwrap_or_default();
            if begun.elapsed() > Duration::from_secs(30) {
                return Err(format!("tidings run does not answer: {log}"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(program)
    }

    fn log(&self) -> String {
        fs::read(&self.log).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }

    fn get(&self, path: &str) -> Result<Value, String> {
        let mut answer = self
            .agent
            .get(format!("{}{path}", self.address))
            .call()
            .map_err(|error| format!("{path}: {error}"))?;
        let body = answer.body_mut().read_to_vec().map_err(|error| format!("{path}: {error}"))?;
        serde_json::from_slice(&body).map_err(|error| format!("{path}: {error}"))
    }

    /// How far it is, and what it has taken.
    pub fn sample(&mut self) -> Result<Sample, String> {
        if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
            return Err(format!("tidings run ended: {status}\n{}", self.log()));
        }
        // Nothing has been published at the very start.
        let records = self.get("/v1/status").map_or(0, |status| records(&status));
        let (at, process) = (Instant::now(), format!("/proc/{}", self.child.id()));
        let read = |name: &str| fs::read_to_string(format!("{process}/{name}")).unwrap_or_default();
        let status = read("status");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = resident.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        // Fields 14 and 15, in hundredths of a second; the name in field 2 may hold spaces (proc_pid_stat(5)).
        let stat = read("stat");
        let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let times = behind_name.split_whitespace().skip(11).take(2);
        let cpu = times.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0;
        let mib = kib.ok_or("its memory cannot be read")? / 1024.0;
        Ok(Sample { at, records, cpu, mib })
    }

    /// What it has counted, of the newest epoch.
    pub fn totals(&self) -> Result<Totals, String> {
        let status = self.get("/v1/status")?;
        let all = self.get("/v1/counts/hashtags/top?window=all&k=1000")?;
        let figure = |of: &Value, name: &str| of[name].as_u64().ok_or_else(|| format!("no {name} in {of}"));
        let place = |place: &Value| Some((place["term"].as_str()?.to_owned(), place["count"].as_u64()?));
        Ok(Totals {
            records: records(&status),
            posts: figure(&status, "posts")?,
            occurrences: figure(&all, "total")?,
            distinct: figure(&all, "distinct")?,
            top: all["top"].as_array().into_iter().flatten().filter_map(place).collect(),
        })
    }

    /// Stops it as an operator does.
    pub fn stop(&mut self) -> Result<(), String> {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        told.map_err(|error| format!("kill: {error}"))?;
        let status = self.child.wait().map_err(|error| error.to_string())?;
        if status.success() { Ok(()) } else { Err(format!("tidings run: {status}\n{}", self.log())) }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Records of a status, whatever became of them.
fn records(status: &Value) -> u64 {
    let sum = |name: &str| -> u64 {
        status[name].as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum()
    };
    status["posts"].as_u64().unwrap_or(0) + sum("bad") + sum("other")
}

/// `tidings produce synthetic`.
pub struct Producer {
    child: Child,
    printed: Option<ChildStdout>,
}

impl Producer {
    /// Starts it.
    pub fn start(brokers: &str, posts: u64, rate: u64) -> Result<Producer, String> {
        let (posts, rate) = (posts.to_string(), rate.to_string());
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
        command.args(["produce", "synthetic", "--topic", TOPIC, "--brokers", brokers, "--seed", "7"]);
        command.args(["--posts", &posts, "--rate", &rate]).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("tidings produce: {error}"))?;
        let printed = child.stdout.take();
        Ok(Producer { child, printed })
    }

    /// Whether it has ended, and shows what it printed then.
    pub fn ended(&mut self) -> Result<bool, String> {
        let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? else {
            return Ok(false);
        };
        let mut printed = String::new();
        if let Some(mut stdout) = self.printed.take() {
            stdout.read_to_string(&mut printed).map_err(|error| error.to_string())?;
        }
        print!("{printed}");
        if status.success() { Ok(true) } else { Err(format!("tidings produce: {status}")) }
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    // It may have ended by itself; then there is nothing to end.
    let _ = child.kill();
    let _ = child.wait();
}
