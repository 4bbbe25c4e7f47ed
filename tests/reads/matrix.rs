//! Any number of processes with any number of workers, on a real Apache Kafka: the same answers from all of them.
//!
//! Idea: one broker, and a topic of its own for each combination, with as many partitions as make workers idle, share, or
//! have several.
//! Cost: a minute; Java and Maven, see `tests/kafka/kafka.sh`.

use std::time::Instant;

use crate::exact::Case;
use crate::support::kafka::Kafka;
use crate::support::process::{run, said};
use crate::support::random::seed;

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn one_to_four_processes_of_one_and_two_workers_say_what_the_records_say() {
    let kafka = Kafka::start();
    let seed = seed(600);
    for processes in 1..=4 {
        for workers in 1..=2 {
            let begun = Instant::now();
            let topic = format!("posts-{processes}-{workers}");
            let partitions = [1, 3, 4, 7][(processes + workers) % 4];
            let (number, settings) = (partitions.to_string(), message_settings());
            let create = ["topic", "create", &topic, "--brokers", kafka.brokers(), "--partitions", &number];
            let created = run(&[create.as_slice(), settings.as_slice()].concat());
            assert!(created.status.success(), "{}", said(&created));
            let clock = if processes % 2 == 0 { "event" } else { "wall" };
            let seed = seed + 10 * processes as u64 + workers as u64;
            // Kafka takes no negative timestamps.
            let (brokers, topic, records, from_ms) = (kafka.brokers(), topic.as_str(), 500, 1);
            Case { brokers, topic, partitions, records, processes, workers, clock, from_ms, seed }.is_exact();
            println!(
                "{processes} processes of {workers} workers, {partitions} partitions: {:?}",
                begun.elapsed()
            );
        }
    }
}

/// Old posts must stay, and posts from the future be taken.
fn message_settings() -> [&'static str; 4] {
    ["--config", "retention.ms=-1", "--config", "message.timestamp.after.max.ms=9223372036854775807"]
}
