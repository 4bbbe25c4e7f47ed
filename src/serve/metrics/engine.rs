//! The engine's numbers, read from its newest cut when metrics are asked for.
//!
//! Idea: nothing is counted twice: these are the numbers of `/v1/status`. Only counters are without what a checkpoint held: who
//! reads them takes a smaller number than before for one that began anew at 0, and would add all of it.
//! Invariant: all of one answer are of one cut; before there is one, only readiness and dead letters are shown, which are
//! of the moment.
//! Cost: a few lines of text a partition.

use std::fmt::Error;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, LabelSetEncoder};
use prometheus_client::encoding::{EncodeLabel, EncodeLabelSet};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::about::{self, About};
use crate::engine::keep::History;
use crate::engine::tally::Tally;
use crate::engine::{Cut, Member, Reader};
use crate::posts::Reason;
use crate::serve::progress::{Progress as Row, progress};
use crate::wall::wall_ms;

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
        gauge(&mut encoder, &about::READY, i64::from(self.0.not_ready().is_empty()))?;
        if let Some(fates) = self.0.dead_letters() {
            let fates = [("written", fates.written()), ("lost", fates.lost())];
            family(&mut encoder, &about::DEAD_LETTERS, fates)?;
        }
        members(&mut encoder, &self.0.members())?;
        if let Some(history) = self.0.checkpoints() {
            checkpoints(&mut encoder, &history)?;
        }
        let Some(cut) = self.0.newest() else { return Ok(()) };
        records(&mut encoder, &self.0.tally_of_this_run(&cut))?;
        times(&mut encoder, &cut)?;
        partitions(&mut encoder, &self.0, &cut)
    }
}

fn members(encoder: &mut DescriptorEncoder<'_>, members: &[Member]) -> Result<(), Error> {
    gauge(encoder, &about::PROCESSES, members.len() as i64)?;
    gauge(encoder, &about::WORKERS, members.iter().map(|member| member.workers as i64).sum::<i64>())?;
    let others = || members.iter().filter(|member| member.silence.is_some());
    if others().next().is_none() {
        return Ok(());
    }
    let seconds = |silence: Option<Duration>| silence.map(|silence| silence.as_secs_f64());
    let mut metric = about::PEER_SILENCE.describe(encoder)?;
    for (other, silence) in others().filter_map(|other| Some((other, seconds(other.silence)?))) {
        metric.encode_family(&[("process", other.process as u64)])?.encode_gauge(&silence)?;
    }
    let mut metric = about::PEER_EPOCH.describe(encoder)?;
    for (other, epoch) in others().filter_map(|other| Some((other, other.epoch?))) {
        metric.encode_family(&[("process", other.process as u64)])?.encode_gauge(&(epoch as f64 / 1000.0))?;
    }
    Ok(())
}

fn checkpoints(encoder: &mut DescriptorEncoder<'_>, history: &History) -> Result<(), Error> {
    counter(encoder, &about::CHECKPOINT_FAILURES, history.failures)?;
    let Some(last) = history.last else { return Ok(()) };
    gauge(encoder, &about::CHECKPOINT, last.written as f64 / 1000.0)?;
    gauge(encoder, &about::CHECKPOINT_SIZE, last.bytes as f64)?;
    gauge(encoder, &about::CHECKPOINT_SECONDS, last.took as f64 / 1000.0)
}

fn records(encoder: &mut DescriptorEncoder<'_>, tally: &Tally) -> Result<(), Error> {
    counter(encoder, &about::POSTS, tally.posts)?;
    counter(encoder, &about::LATE, tally.late)?;
    counter(encoder, &about::AHEAD, tally.ahead)?;
    counter(encoder, &about::UNDATED, tally.undated)?;
    counter(encoder, &about::TOO_LONG, tally.too_long)?;
    let bad = Reason::ALL.map(|reason| (reason.as_str(), tally.bad.get(&reason).copied().unwrap_or(0)));
    family(encoder, &about::BAD, bad)?;
    family(encoder, &about::OTHER, tally.other.iter().map(|(kind, n)| (kind.as_ref(), *n)))
}

fn times(encoder: &mut DescriptorEncoder<'_>, cut: &Cut) -> Result<(), Error> {
    let seconds = |ms: u64| ms as f64 / 1000.0;
    gauge(encoder, &about::EPOCH, seconds(cut.epoch))?;
    // Less than nothing where the wall clock was set back.
    let age = wall_ms() as f64 / 1000.0 - seconds(cut.epoch);
    gauge(encoder, &about::EPOCH_AGE, age)?;
    cut.clock.map_or(Ok(()), |clock| gauge(encoder, &about::CLOCK, seconds(clock)))
}

/// One number of a row, where it is known.
type Column = fn(&Row) -> Option<i64>;

fn partitions(encoder: &mut DescriptorEncoder<'_>, reader: &Reader, cut: &Cut) -> Result<(), Error> {
    let rows: Vec<Row> = progress(reader, cut);
    let columns: [(&About, Column); 3] = [
        (&about::OFFSET, |row| Some(row.offset)),
        (&about::END_OFFSET, |row| row.end_offset),
        (&about::LAG, |row| row.lag),
    ];
    for (about, value) in columns {
        let mut metric = about.describe(encoder)?;
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

fn counter(encoder: &mut DescriptorEncoder<'_>, about: &About, value: u64) -> Result<(), Error> {
    ConstCounter::new(value).encode(about.describe(encoder)?)
}

fn gauge<V>(encoder: &mut DescriptorEncoder<'_>, about: &About, value: V) -> Result<(), Error>
where
    ConstGauge<V>: EncodeMetric,
{
    ConstGauge::new(value).encode(about.describe(encoder)?)
}

/// Counters with one label, which is the first of the metric.
fn family<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    about: &About,
    values: impl IntoIterator<Item = (&'a str, u64)>,
) -> Result<(), Error> {
    let label = about.labels.first().map_or("", |(label, _)| *label);
    let mut metric = about.describe(encoder)?;
    for (named, value) in values {
        ConstCounter::new(value).encode(metric.encode_family(&[(label, named)])?)?;
    }
    Ok(())
}
