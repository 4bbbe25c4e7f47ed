//! The engine's numbers, read from its newest cut when metrics are asked for.
//!
//! Idea: nothing is counted twice: these are the numbers of `/v1/status`.
//! Invariant: all of one answer are of one cut; before there is one, only readiness is shown.
//! Cost: a few lines of text a partition.

use std::fmt::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, LabelSetEncoder};
use prometheus_client::encoding::{EncodeLabel, EncodeLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::engine::{Cut, Reader};
use crate::posts::Reason;
use crate::serve::progress::{Progress as Row, progress};

/// Reads the engine's numbers.
pub struct Progress(Reader);

impl Progress {
    /// Over a reader.
    pub fn new(reader: Reader) -> Progress {
        Progress(reader)
    }
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Progress")
    }
}

impl Collector for Progress {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let ready = i64::from(self.0.not_ready().is_empty());
        gauge(&mut encoder, "tidings_ready", "Whether the engine is ready: 1 or 0", ready)?;
        let Some(cut) = self.0.newest() else { return Ok(()) };
        records(&mut encoder, &cut)?;
        times(&mut encoder, &cut)?;
        partitions(&mut encoder, &self.0, &cut)
    }
}

fn records(encoder: &mut DescriptorEncoder<'_>, cut: &Cut) -> Result<(), Error> {
    let tally = &cut.tally;
    counter(encoder, "tidings_posts", "Records that are posts", tally.posts)?;
    counter(
        encoder,
        "tidings_late_posts",
        "Posts older than the smallest window when they came",
        tally.late,
    )?;
    counter(encoder, "tidings_ahead_posts", "Posts more than 24 hours ahead of the wall clock", tally.ahead)?;
    counter(encoder, "tidings_undated_posts", "Posts without a usable time", tally.undated)?;
    let bad =
        Reason::ALL.map(|reason| (("reason", reason.as_str()), tally.bad.get(&reason).copied().unwrap_or(0)));
    family(encoder, "tidings_bad_records", "Records that should be posts and are not, by reason", bad)?;
    let other = tally.other.iter().map(|(kind, n)| (("kind", *kind), *n));
    family(encoder, "tidings_other_records", "Records that are no posts and need not be, by kind", other)
}

fn times(encoder: &mut DescriptorEncoder<'_>, cut: &Cut) -> Result<(), Error> {
    gauge(
        encoder,
        "tidings_epoch",
        "Unix time at which the newest epoch closed, in milliseconds",
        cut.epoch as i64,
    )?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let age = (now - cut.epoch as f64 / 1000.0).max(0.0);
    gauge(encoder, "tidings_epoch_age_seconds", "Time since the newest epoch closed, in seconds", age)?;
    let Some(clock) = cut.clock else { return Ok(()) };
    let help = "Event time at which windows end, in seconds since the Unix epoch";
    gauge(encoder, "tidings_clock_seconds", help, clock as f64 / 1000.0)
}

/// One number of a row, where it is known.
type Column = fn(&Row) -> Option<i64>;

fn partitions(encoder: &mut DescriptorEncoder<'_>, reader: &Reader, cut: &Cut) -> Result<(), Error> {
    let rows: Vec<Row> = progress(reader, cut);
    let columns: [(&str, &str, Column); 3] = [
        ("tidings_partition_offset", "Next offset that is read", |row| Some(row.offset)),
        ("tidings_partition_end_offset", "Offset behind the last record, as far as known", |row| {
            row.end_offset
        }),
        ("tidings_partition_lag", "Records that have not been read yet", |row| row.lag),
    ];
    for (name, help, value) in columns {
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (row, value) in rows.iter().filter_map(|row| Some((row, value(row)?))) {
            metric.encode_family(&Of(row))?.encode_gauge(&value)?;
        }
    }
    Ok(())
}

/// The labels of a partition.
struct Of<'a>(&'a Row);

impl EncodeLabelSet for Of<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), Error> {
        ("topic", self.0.topic.as_str()).encode(encoder.encode_label())?;
        ("partition", self.0.partition).encode(encoder.encode_label())
    }
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> Result<(), Error> {
    let counter = ConstCounter::new(value);
    counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)
}

fn gauge<V>(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: V) -> Result<(), Error>
where
    ConstGauge<V>: EncodeMetric,
{
    let gauge = ConstGauge::new(value);
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}

fn family<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: impl IntoIterator<Item = ((&'a str, &'a str), u64)>,
) -> Result<(), Error> {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (label, value) in values {
        let labels = [label];
        ConstCounter::new(value).encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}
