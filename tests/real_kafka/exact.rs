//! Exact from wherever a run starts, with any number of partitions and workers.
//!
//! Idea: a third of the records is there before the run starts, over two hours of time; which of them it has to read
//! follows from their timestamps. The rest comes while everybody asks.

use std::time::Duration;

use crate::oracle::answers::{Answered, Offsets};
use crate::oracle::rules::Record;
use crate::support::broker::{Producer, wall_ms};
use crate::support::hostile::Hostile;
use crate::support::process::Server;
use crate::support::random::{Random, seed};
use crate::support::session::{ask_during, recount};
use crate::{create, kafka};

const HOUR_MS: i64 = 3_600_000;

/// Where a run begins to read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Start {
    Earliest,
    Latest,
    Time,
    AnHourAgo,
}

fn everything_is_exact(
    topic: &str,
    own_seed: u64,
    partitions: i32,
    workers: usize,
    start: Start,
    clock: &str,
) {
    let (kafka, seed) = (kafka(), seed(own_seed));
    create(&kafka, topic, partitions);
    let (mut random, mut hostile) = (Random::new(seed), Hostile::new(seed));
    let producer = Producer::new(kafka.brokers(), random.pick(&["none", "lz4", "zstd", "gzip", "snappy"]));
    let mut send = |random: &mut Random, now_ms: i64| {
        let mut sent = hostile.next(now_ms);
        // Kafka takes no negative timestamps.
        sent.timestamp = sent.timestamp.max(1);
        producer.send(topic, random.below(partitions as u64) as i32, &sent);
    };
    let begun_ms = wall_ms();
    for second in 0..600 {
        send(&mut random, begun_ms - 2 * HOUR_MS + second * 10_000);
    }
    let before = producer.flush();

    let time_ms = begun_ms - HOUR_MS / 2;
    let time = jiff::Timestamp::from_millisecond(time_ms).unwrap().to_string();
    let written = match start {
        Start::Earliest => "earliest",
        Start::Latest => "latest",
        Start::Time => &time,
        Start::AnHourAgo => "-1h",
    };
    let text = format!(
        "[kafka]\nbrokers = \"{}\"\ntopics = [\"{topic}\"]\nstart = \"{written}\"\n[posts]\ntime = \"{}\"\n\
         [engine]\nworkers = {workers}\nclock = \"{clock}\"\nepoch = \"{}ms\"\n\
         [[count]]\nname = \"hashtags\"\nof = \"hashtags\"\nwindows = [\"1s/100ms\", \"5s/500ms\", \"1m/5s\", \"1h/1m\", \"all\"]\n\
         [[count]]\nname = \"words\"\nof = \"words\"\nwindows = [\"10s/2s\", \"5m/1m\", \"all\"]\nstop_words = [\"en\"]\n\
         [[count]]\nname = \"phrases\"\nof = \"phrases\"\nwindows = [\"3s/1s\"]\n",
        kafka.brokers(),
        random.pick(&["record", "post"]),
        random.between(20, 200),
    );
    let starting_ms = wall_ms();
    let mut server = Server::run(&text);
    let started_ms = wall_ms();
    let config = server.config();
    let answers = ask_during(&server, &config, seed, |own, answers| {
        for _ in 0..60 {
            for _ in 0..random.below(60) {
                send(&mut random, wall_ms());
            }
            let written = producer.flush();
            if random.one_in(4) {
                answers.push(own.ask(&written));
            }
            std::thread::sleep(Duration::from_millis(random.below(50)));
        }
        producer.flush()
    });
    let (status, took) = server.terminate();
    assert!(status.success() && took < Duration::from_secs(25), "{status} after {took:?}");
    let (_, records) = recount(kafka.brokers(), &[topic], &config, &answers);
    let begins = |earliest_ms: i64, latest_ms: i64| {
        check_start(&answers, |partition, start| {
            let end = next(&before, topic, partition);
            let places = first_at(&records, partition, end, earliest_ms)
                ..=first_at(&records, partition, end, latest_ms);
            assert!(
                places.contains(&start),
                "partition {partition} starts at {start}, but must at {places:?}"
            );
        });
    };
    match start {
        Start::Earliest => check_start(&answers, |_, start| assert_eq!(start, 0)),
        Start::Latest => {
            check_start(&answers, |partition, start| assert_eq!(start, next(&before, topic, partition)))
        }
        Start::Time => begins(time_ms, time_ms),
        Start::AnHourAgo => begins(starting_ms - HOUR_MS, started_ms - HOUR_MS),
    }
}

fn next(offsets: &Offsets, topic: &str, partition: i32) -> i64 {
    offsets.get(topic).and_then(|partitions| partitions.get(&partition)).copied().unwrap_or(0)
}

/// The offset of the first record of a partition before `end` that is at least this young, else the end.
fn first_at(records: &[Record], partition: i32, end: i64, time_ms: i64) -> i64 {
    let young = records.iter().filter(|record| record.partition == partition && record.timestamp >= time_ms);
    young.map(|record| record.offset).min().unwrap_or(end).min(end)
}

fn check_start(answers: &[Answered], check: impl Fn(i32, i64)) {
    let starts = &answers.first().unwrap().answer.stamp().start_offsets;
    starts.values().flatten().for_each(|(partition, start)| check(*partition, *start));
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn one_partition_one_worker_from_the_earliest() {
    everything_is_exact("p1w1", 21, 1, 1, Start::Earliest, "wall");
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn one_partition_two_workers_from_the_latest() {
    everything_is_exact("p1w2", 22, 1, 2, Start::Latest, "wall");
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn three_partitions_one_worker_from_a_time() {
    everything_is_exact("p3w1", 23, 3, 1, Start::Time, "event");
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn three_partitions_two_workers_from_an_hour_ago() {
    everything_is_exact("p3w2", 24, 3, 2, Start::AnHourAgo, "wall");
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn twelve_partitions_one_worker_from_the_latest() {
    everything_is_exact("p12w1", 25, 12, 1, Start::Latest, "event");
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn twelve_partitions_two_workers_from_the_earliest() {
    everything_is_exact("p12w2", 26, 12, 2, Start::Earliest, "wall");
}
