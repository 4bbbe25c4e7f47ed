//! `tidings run` as a process, asked over HTTP and watched in `/proc`.
//!
//! Invariant: it is gone with its handle, by its own id.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tidings");

/// How long it may take to say where it answers.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program under test.
pub struct Program {
    /// The process.
    pub child: Child,
    agent: ureq::Agent,
    /// `http://host:port`.
    pub address: String,
    log: PathBuf,
}

impl Program {
    /// Starts it with a configuration that lets it choose its port, on this core only if there is one, by `taskset`, and waits until
    /// it says where it answers.
    pub fn start(folder: &Path, configuration: &str, core: Option<usize>) -> Result<Program, String> {
        let mut command = Command::new(core.map_or(PROGRAM, |_| "taskset"));
        if let Some(core) = core {
            command.args(["-c", &core.to_string(), PROGRAM]);
        }
        let (file, log) = (folder.join("tidings.toml"), folder.join("tidings.log"));
        fs::write(&file, configuration).map_err(|error| error.to_string())?;
        let output = File::create(&log).map_err(|error| error.to_string())?;
        let child = command.arg("run").arg("-c").arg(file).stdout(Stdio::null()).stderr(output).spawn();
        let child = child.map_err(|error| format!("tidings run: {error}"))?;
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut program = Program { child, agent, address: String::new(), log };
        let begun = Instant::now();
        while program.address.is_empty() {
            let log = program.log();
            let address = log.split_once("answering on ").and_then(|(_, rest)| rest.split_once('\n'));
            program.address = address.map(|(address, _)| address.trim().to_owned()).unwrap_or_default();
            program.lives()?;
            if begun.elapsed() > PATIENCE {
                return Err(format!("tidings run does not answer: {log}"));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(program)
    }

    fn log(&self) -> String {
        fs::read(&self.log).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }

    /// Asks for a JSON document; an answer that is none of success is an error.
    pub fn get(&self, path: &str) -> Result<Value, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{path}: {error}");
        let mut answer =
            self.agent.get(format!("{}{path}", self.address)).call().map_err(|error| failed(&error))?;
        let body = answer.body_mut().read_to_vec().map_err(|error| failed(&error))?;
        match answer.status().is_success() {
            true => serde_json::from_slice(&body).map_err(|error| failed(&error)),
            false => Err(failed(&answer.status())),
        }
    }

    /// Fails if it has ended.
    pub fn lives(&mut self) -> Result<(), String> {
        match self.child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => Err(format!("tidings run ended: {status}\n{}", self.log())),
            None => Ok(()),
        }
    }

    /// Records that have been counted, whatever became of them; 0 while nothing has been published.
    pub fn records(&self) -> u64 {
        self.get("/v1/status").map_or(0, |status| records(&status))
    }

    /// Processor time that it has used, user and system, in seconds: fields 14 and 15 of proc_pid_stat(5), in hundredths.
    pub fn cpu(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        // The name in field 2 may hold spaces.
        let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let times = behind_name.split_whitespace().skip(11).take(2);
        times.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
    }

    /// Its resident memory, in MiB.
    pub fn mib(&self) -> Result<f64, String> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = resident.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        Ok(kib.ok_or("its memory cannot be read")? / 1024.0)
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
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Records of a status, whatever became of them.
pub fn records(status: &Value) -> u64 {
    let sum = |name: &str| -> u64 {
        status[name].as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum()
    };
    status["posts"].as_u64().unwrap_or(0) + sum("bad") + sum("other")
}
