//! What the operating system says of this process, where it can be read from `/proc`.
//!
//! Idea: the two numbers that everybody wants, under the names that dashboards already know.
//! Invariant: where a number cannot be read it is left out, not 0.
//! Cost: two small files are read each time metrics are asked for.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::about;

/// Clock ticks a second in `/proc/self/stat`: the kernel's `USER_HZ`, which is 100 on all common platforms.
const TICKS: f64 = 100.0;

/// Reads the numbers when metrics are asked for.
#[derive(Debug)]
pub struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        if let Some(bytes) = read("/proc/self/status", resident_bytes) {
            ConstGauge::new(bytes).encode(about::MEMORY.describe(&mut encoder)?)?;
        }
        if let Some(seconds) = read("/proc/self/stat", cpu_seconds) {
            ConstCounter::new(seconds).encode(about::CPU.describe(&mut encoder)?)?;
        }
        Ok(())
    }
}

fn read<T>(path: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    parse(&std::fs::read_to_string(path).ok()?)
}

/// The line `VmRSS: N kB` of proc_pid_status(5).
fn resident_bytes(status: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Fields 14 and 15 of proc_pid_stat(5); the second field, the name, may hold spaces and brackets.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_in_their_files() {
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t   12345 kB\nThreads:\t3\n"), Some(12345 * 1024));
        assert_eq!(resident_bytes("VmRSS:\t12\n"), None);
        let stat = "42 (a) b) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 100 1000 10";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!((cpu_seconds(""), cpu_seconds("1 (x) S 1")), (None, None));
    }
}
