//! What Kafka holds in the end, against what was counted.
//!
//! Idea: the broker's own end offsets say how many records there are. Their values go, one a line, to `tidings count`,
//! which reads them in one go, without outages and without Kafka, and has to come to the same totals and ranking.
//! Invariant: what is no post by itself is not one on a line either, so that both count the same posts; records that
//! are empty or have a line end within, as broken ones may, are left out of the lines.

use std::io::{BufWriter, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::Value;

use crate::TOPIC;
use crate::under_test::Totals;

/// How long the broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether everything that was written has been counted, once.
pub fn check(brokers: &str, posts: u64, totals: &Totals) -> Result<(), String> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "endurance-recount")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "error")
        .create()
        .map_err(|error| error.to_string())?;
    let held = assign(&consumer)?;
    if (held, totals.records) != (posts, posts) {
        return Err(format!(
            "{posts} records were sent, Kafka holds {held}, {} were counted",
            totals.records
        ));
    }
    let counted = count(&consumer, held)?;
    let listed = counted["counts"]["hashtags"].as_array().ok_or("tidings count printed no hashtags")?;
    let place = |place: &Value| Some((place["term"].as_str()?.to_owned(), place["count"].as_u64()?));
    let terms: Vec<(String, u64)> = listed.iter().filter_map(place).collect();
    let occurrences: u64 = terms.iter().map(|(_, count)| count).sum();
    let found = (counted["posts"].as_u64().unwrap_or(0), occurrences, terms.len() as u64);
    let live = (totals.posts, totals.occurrences, totals.distinct);
    println!("posts, hashtags, distinct: {live:?} counted live, {found:?} counted from the topic in one go");
    if found != live {
        return Err("the two counts differ".to_owned());
    }
    match totals.top.iter().zip(&terms).find(|(live, found)| live != found) {
        None => Ok(()),
        Some((live, found)) => Err(format!("the rankings differ: {live:?}, but {found:?}")),
    }
}

/// Begins to read every partition from its first record; how many records there are in all.
fn assign(consumer: &BaseConsumer) -> Result<u64, String> {
    let metadata = consumer.fetch_metadata(Some(TOPIC), PATIENCE).map_err(|error| error.to_string())?;
    let (mut assignment, mut held) = (TopicPartitionList::new(), 0);
    for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
        let ends = consumer.fetch_watermarks(TOPIC, partition.id(), PATIENCE);
        let (first, end) = ends.map_err(|error| error.to_string())?;
        held += (end - first).unsigned_abs();
        let added = assignment.add_partition_offset(TOPIC, partition.id(), Offset::Beginning);
        added.map_err(|error| error.to_string())?;
    }
    consumer.assign(&assignment).map_err(|error| error.to_string())?;
    Ok(held)
}

/// What `tidings count` makes of so many records.
fn count(consumer: &BaseConsumer, records: u64) -> Result<Value, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
    command.args(["count", "-", "--of", "hashtags", "--top", "0", "--json"]);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| format!("tidings count: {error}"))?;
    let fed = feed(consumer, records, &mut child);
    // Its input ends here, also where feeding failed.
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    fed?;
    if !output.status.success() {
        return Err(format!("tidings count: {}", output.status));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("tidings count: {error}"))
}

fn feed(consumer: &BaseConsumer, records: u64, child: &mut Child) -> Result<(), String> {
    let mut lines = BufWriter::new(child.stdin.take().ok_or("tidings count has no input")?);
    for _ in 0..records {
        let message = consumer.poll(PATIENCE).ok_or("Kafka does not hand out what it holds")?;
        let message = message.map_err(|error| error.to_string())?;
        let value = message.payload().unwrap_or_default();
        if !value.contains(&b'\n') {
            lines
                .write_all(value)
                .and_then(|()| lines.write_all(b"\n"))
                .map_err(|error| error.to_string())?;
        }
    }
    lines.flush().map_err(|error| error.to_string())
}
