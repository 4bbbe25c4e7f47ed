//! The parts of the serve bench: who writes, who follows, who asks, and what is served.

pub mod engine;
pub mod feeder;
pub mod http;
pub mod requests;
pub mod streams;

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since the Unix epoch, the same clock in all processes of the machine.
pub fn now_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as i64
}

/// This program in another role, ended with its handle.
pub struct Child {
    child: std::process::Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Child {
    /// With these arguments.
    pub fn start(arguments: &[&str]) -> Result<Child, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let spawned =
            Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| format!("cannot start {arguments:?}: {error}"))?;
        let output = child.stdout.take().ok_or("no output")?;
        Ok(Child { child, output: BufReader::new(output) })
    }

    /// Its next line.
    pub fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|error| error.to_string())?;
        Ok(line.trim().to_owned())
    }

    /// All that it still has to say, once it has ended.
    pub fn rest(mut self) -> Result<String, String> {
        let mut text = String::new();
        self.output.read_to_string(&mut text).map_err(|error| error.to_string())?;
        let status = self.child.wait().map_err(|error| error.to_string())?;
        if status.success() { Ok(text) } else { Err(format!("a client ended with {status}")) }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Times in microseconds, as a row of a table.
pub struct Quantiles(Vec<i64>);

impl Quantiles {
    /// What stands above the numbers.
    pub const HEAD: &str = "   p50 ms    p90 ms    p99 ms  p99.9 ms    max ms         n";

    /// Of times in any order.
    pub fn of(mut times: Vec<i64>) -> Quantiles {
        times.sort_unstable();
        Quantiles(times)
    }

    fn at(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let index = ((last as f64) * share).ceil() as usize;
        self.0.get(index.min(last)).map_or(f64::NAN, |time| *time as f64 / 1000.0)
    }
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for share in [0.5, 0.9, 0.99, 0.999, 1.0] {
            write!(f, "{:>9.2} ", self.at(share))?;
        }
        write!(f, "{:>9}", self.0.len())
    }
}
