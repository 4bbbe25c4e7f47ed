//! What the program had counted, and what it had taken, second by second.
//!
//! Invariant: samples ascend in time and in records. Between two of them everything is taken to grow evenly.

use std::time::{Duration, Instant};

/// One moment of the program.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// When it was taken.
    pub at: Instant,
    /// Records that had been counted, whatever became of them.
    pub records: u64,
    /// Processor time that the process had used, user and system, in seconds.
    pub cpu: f64,
    /// Its resident memory, in MiB.
    pub mib: f64,
}

/// What a span of records took.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Processor time a record, in microseconds.
    pub cpu_us: f64,
    /// Resident memory while they were counted.
    pub median_mib: f64,
    /// The most that it came to.
    pub most_mib: f64,
}

/// All samples of a run.
#[derive(Debug, Default)]
pub struct Samples(Vec<Sample>);

impl Samples {
    /// Adds the newest.
    pub fn push(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// How many records had been counted so long after the first one.
    pub fn records_after(&self, time: Duration) -> u64 {
        let begun = self.0.iter().find(|sample| sample.records > 0).map(|sample| sample.at);
        let after = |sample: &&Sample| begun.is_some_and(|begun| sample.at >= begun + time);
        self.0.iter().find(after).map_or(0, |sample| sample.records)
    }

    /// What the records from one number to another took; `to` is larger than `from`, and both have been reached.
    pub fn between(&self, from: u64, to: u64) -> Span {
        let within = self.0.iter().filter(|sample| (from..=to).contains(&sample.records));
        let mut mib: Vec<f64> = within.map(|sample| sample.mib).collect();
        mib.sort_unstable_by(f64::total_cmp);
        Span {
            cpu_us: (self.cpu_at(to) - self.cpu_at(from)) * 1e6 / (to - from) as f64,
            median_mib: mib.get(mib.len() / 2).copied().unwrap_or(f64::NAN),
            most_mib: mib.last().copied().unwrap_or(f64::NAN),
        }
    }

    /// The most memory of all samples.
    pub fn most_mib(&self) -> f64 {
        self.0.iter().map(|sample| sample.mib).fold(0.0, f64::max)
    }

    fn cpu_at(&self, records: u64) -> f64 {
        let behind = self.0.partition_point(|sample| sample.records < records);
        match (self.0.get(behind.wrapping_sub(1)), self.0.get(behind)) {
            (Some(one), Some(other)) => {
                let share = (records - one.records) as f64 / (other.records - one.records) as f64;
                one.cpu + (other.cpu - one.cpu) * share
            }
            (None, Some(only)) | (Some(only), None) => only.cpu,
            (None, None) => 0.0,
        }
    }
}
