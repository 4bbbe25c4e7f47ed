//! What is asked of the program under test, and the one that feeds it, as a process.
//!
//! Invariant: the producer is gone with its handle, by its own id.

use std::io::Read;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::TOPIC;
use crate::program::{Program, records};
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

/// Starts `tidings run` with these counts, from the earliest record.
pub fn run(folder: &Path, brokers: &str, workers: usize, counts: &str) -> Result<Program, String> {
    let text = format!(
        "[kafka]\nbrokers = \"{brokers}\"\ntopics = [\"{TOPIC}\"]\nstart = \"earliest\"\n\
         [engine]\nworkers = {workers}\n[http]\nbind = \"127.0.0.1:0\"\n{counts}"
    );
    Program::start(folder, &text, None)
}

/// How far it is, and what it has taken.
pub fn sample(program: &mut Program) -> Result<Sample, String> {
    program.lives()?;
    let records = program.records();
    Ok(Sample { at: Instant::now(), records, cpu: program.cpu(), mib: program.mib()? })
}

/// What it has counted, of the newest epoch.
pub fn totals(program: &Program) -> Result<Totals, String> {
    let status = program.get("/v1/status")?;
    let all = program.get("/v1/counts/hashtags/top?window=all&k=1000")?;
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
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
