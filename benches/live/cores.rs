//! Which process may use which cores, by `taskset`.

use std::process::{Command, Stdio};

/// Confines all threads of a process, and those that they will start, to these cores.
pub fn confine(process: u32, cores: &str) -> Result<(), String> {
    let mut taskset = Command::new("taskset");
    let status = taskset.args(["-a", "-c", "-p", cores, &process.to_string()]).stdout(Stdio::null()).status();
    match status.map_err(|error| format!("taskset: {error}"))?.success() {
        true => Ok(()),
        false => Err(format!("taskset cannot confine a process to cores {cores}")),
    }
}

/// The core with the highest number.
pub fn last() -> Result<usize, String> {
    let known =
        std::fs::read_to_string("/sys/devices/system/cpu/online").map_err(|error| error.to_string())?;
    let last = known.trim().rsplit(['-', ',']).next().and_then(|last| last.parse().ok());
    last.ok_or(format!("the cores that are there are {known}"))
}
