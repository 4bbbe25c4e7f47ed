//! End to end on a real Apache Kafka: the commands that write, the engine, and the oracle on what Kafka holds.
//!
//! Idea: one broker serves all tests that run at the same time; each has topics of its own. Where a run starts in its
//! topics is recounted from the records, as everything else is.
//! Cost: some two minutes, 1 GB of memory. `TIDINGS_KAFKA_HOME` says where the jars are; see `tests/kafka/kafka.sh`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;

mod exact;
mod replay;
mod tools;

use std::sync::{Arc, Mutex, Weak};

use oracle::answers::Offsets;
use support::kafka::Kafka;
use support::process::{run, said};

/// The broker of whatever tests run at this moment.
fn kafka() -> Arc<Kafka> {
    static SHARED: Mutex<Weak<Kafka>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(|failed| failed.into_inner());
    shared.upgrade().unwrap_or_else(|| {
        let kafka = Arc::new(Kafka::start());
        *shared = Arc::downgrade(&kafka);
        kafka
    })
}

/// Runs a command that must succeed; what it printed.
fn done(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn create(kafka: &Kafka, topic: &str, partitions: i32) {
    let partitions = partitions.to_string();
    // Old posts must stay, and posts from the future be taken.
    let settings =
        ["--config", "retention.ms=-1", "--config", "message.timestamp.after.max.ms=9223372036854775807"];
    let create = ["topic", "create", topic, "--brokers", kafka.brokers(), "--partitions", &partitions];
    done(&[create.as_slice(), settings.as_slice()].concat());
}

/// Offsets as `produce` prints them: `topic:partition:offset,..`.
fn offsets(printed: &str) -> Offsets {
    let mut offsets = Offsets::new();
    for item in printed.split(',') {
        let parts: Vec<&str> = item.split(':').collect();
        let [topic, partition, next] = parts[..] else { panic!("no offsets: {printed}") };
        offsets
            .entry(topic.to_owned())
            .or_default()
            .insert(partition.parse().unwrap(), next.parse().unwrap());
    }
    offsets
}
