//! Faults put into an embedded broker on purpose: errors of requests, long ways, connections lost, records lost.
//!
//! Idea: librdkafka's own test broker does on demand what a real one does on a bad day. Whatever it does, either every
//! answer stays exact, or the program ends and says what is lost. Nothing in between.
//! Cost: a minute or less; no Java.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "kafka_suite/held.rs"]
#[expect(dead_code, reason = "the suite on a real Kafka uses the rest")]
mod held;
#[path = "kafka_suite/load.rs"]
#[expect(dead_code, reason = "the suite on a real Kafka uses the rest")]
mod load;
#[path = "oracle/mod.rs"]
mod oracle;
#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey as Api, RDKafkaRespErr as Fault};

use held::Held;
use load::{Load, settings, until_ready};
use oracle::answers::Status;
use support::broker::{Producer, wall_ms};
use support::hostile::Sent;
use support::process::Server;
use support::random::{Random, seed};
use support::session::{ask_during, recount};

const TOPIC: &str = "posts";

type Mock = MockCluster<'static, DefaultProducerContext>;

fn cluster(partitions: i32) -> Mock {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, partitions, 1).unwrap();
    cluster
}

/// Counts a load with two partitions while something goes wrong with each of its parts; everything has to stay exact,
/// and it has to be ready in the end.
fn exact_despite(own_seed: u64, parts: u32, mut part: impl FnMut(&Mock, &mut Load<'_>, u32)) {
    let (cluster, seed) = (cluster(2), seed(own_seed));
    let brokers = cluster.bootstrap_servers();
    let mut load = Load::new(&brokers, TOPIC, 2);
    load.send(100);
    let mut server = Server::run(&settings(&brokers, &[TOPIC], "")).ready();
    let config = server.config();
    let answers = ask_during(&server, &config, seed, |_, _| {
        for number in 0..parts {
            part(&cluster, &mut load, number);
            std::thread::sleep(Duration::from_millis(100));
        }
        load.send(1)
    });
    for api in [Api::Fetch, Api::ListOffsets, Api::Metadata] {
        cluster.clear_request_errors(api);
    }
    until_ready(&server.client(), Duration::from_secs(15));
    assert!(server.terminate().0.success());
    let (_, records) = recount(&brokers, &[TOPIC], &config, &answers);
    // Every post was acknowledged, else `send` had failed. One whose acknowledgement was lost may have come twice.
    let there: BTreeSet<_> = records.iter().map(|record| record.value.clone()).collect();
    assert_eq!(there.len() as u64, load.sent());
    assert!(load.sent() > 100 * u64::from(parts));
    let last =
        answers.iter().map(|answered| answered.answer.stamp()).max_by_key(|stamp| stamp.epoch).unwrap();
    assert_eq!(last.offsets[TOPIC].values().sum::<i64>() as usize, records.len(), "not all was read");
}

#[test]
fn errors_of_fetches_pass_and_nothing_is_lost() {
    // What a broker answers while the lead moves, while it has not heard of the topic yet, and when it is at a loss.
    let errors = [
        Fault::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        Fault::RD_KAFKA_RESP_ERR_UNKNOWN,
        Fault::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
        Fault::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        Fault::RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH,
        Fault::RD_KAFKA_RESP_ERR__TRANSPORT,
    ];
    exact_despite(81, 30, |cluster, load, part| {
        load.hand_over(100);
        cluster.request_errors(Api::Fetch, &[errors[part as usize % errors.len()]; 2]);
    });
}

#[test]
fn errors_of_other_requests_pass_too() {
    let errors = [
        Fault::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        Fault::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
        Fault::RD_KAFKA_RESP_ERR__TRANSPORT,
    ];
    exact_despite(82, 20, |cluster, load, part| {
        load.hand_over(100);
        let error = errors[part as usize % errors.len()];
        cluster.request_errors(Api::ListOffsets, &[error; 2]);
        cluster.request_errors(Api::Metadata, &[Fault::RD_KAFKA_RESP_ERR__TRANSPORT]);
    });
}

/// Offsets are committed for lag tools only: where the group has no coordinator, the end waits for none.
#[test]
fn offsets_that_nobody_takes_delay_no_end() {
    let (cluster, folder) = (cluster(2), tempfile::tempdir().unwrap());
    let brokers = cluster.bootstrap_servers();
    cluster
        .request_errors(Api::FindCoordinator, &[Fault::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE; 10_000]);
    let kept = format!("[checkpoint]\ndir = \"file://{}\"\ninterval = \"1s\"\n", folder.path().display());
    Load::new(&brokers, TOPIC, 2).send(100);
    let mut server = Server::run(&settings(&brokers, &[TOPIC], &kept)).ready();
    std::thread::sleep(Duration::from_secs(3));
    let (status, took) = server.terminate();
    assert!(status.success(), "{status} after {took:?}: {}", server.log());
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn a_broker_that_comes_and_goes_loses_nothing() {
    let mut random = Random::new(seed(83));
    exact_despite(83, 4, |cluster, load, _| {
        cluster.broker_down(1).unwrap();
        std::thread::sleep(Duration::from_millis(100 + random.below(1500)));
        cluster.broker_up(1).unwrap();
        // By a producer of its own, since this broker leaves one that was connected without an answer for more than half
        // a minute. What such a one loses, nothing, is seen where a real broker goes away.
        load.producer = Producer::new(&cluster.bootstrap_servers(), "lz4");
        load.send(150);
        std::thread::sleep(Duration::from_secs(1));
    });
}

#[test]
fn two_seconds_there_and_back_delay_and_lose_nothing() {
    exact_despite(84, 40, |cluster, load, part| {
        load.hand_over(100);
        match part {
            0 => cluster.broker_round_trip_time(1, Duration::from_secs(2)).unwrap(),
            39 => cluster.broker_round_trip_time(1, Duration::ZERO).unwrap(),
            _ => std::thread::sleep(Duration::from_millis(50)),
        }
    });
}

#[test]
fn many_topics_on_a_slow_broker_do_not_hold_the_clock() {
    let (cluster, names) = (MockCluster::new(1).unwrap(), (0..40).map(|n| format!("topic{n}")));
    let names: Vec<String> = names.collect();
    names.iter().for_each(|name| cluster.create_topic(name, 1, 1).unwrap());
    let brokers = cluster.bootstrap_servers();
    Load::new(&brokers, "topic7", 1).send(10);
    let topics: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut server = Server::run(&settings(&brokers, &topics, "")).ready();
    let client = server.client();
    // To look at all topics, one after the other, now takes sixteen seconds.
    cluster.broker_round_trip_time(1, Duration::from_millis(400)).unwrap();
    let (begun, mut oldest) = (Instant::now(), 0);
    while begun.elapsed() < Duration::from_secs(20) {
        let status: Status = client.get("/v1/status").json();
        oldest = oldest.max(wall_ms() - status.stamp.clock.unwrap().0);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(oldest < 10_000, "the clock was {oldest} ms behind");
    assert!(server.terminate().0.success());
}

#[test]
fn a_broker_that_is_slow_at_the_start_is_waited_for() {
    let cluster = cluster(2);
    let brokers = cluster.bootstrap_servers();
    let mut load = Load::new(&brokers, TOPIC, 2);
    load.send(100);
    cluster.broker_round_trip_time(1, Duration::from_millis(1200)).unwrap();
    let mut server = Server::run(&settings(&brokers, &[TOPIC], "")).ready();
    let config = server.config();
    let answers = ask_during(&server, &config, seed(85), |_, _| load.send(100));
    assert!(server.terminate().0.success());
    recount(&brokers, &[TOPIC], &config, &answers);
}

/// The broker keeps 5 MiB of a partition, so it loses what a run that was held up has not read.
#[test]
fn records_that_were_lost_end_the_run_which_says_how_many() {
    let cluster = cluster(1);
    let brokers = cluster.bootstrap_servers();
    Load::new(&brokers, TOPIC, 1).send(100);
    let mut held = Held::ready(&settings(&brokers, &[TOPIC], ""));
    held.hold();
    // Longer than a fetch waits, so that none is on its way.
    std::thread::sleep(Duration::from_secs(3));
    let producer = Producer::new(&brokers, "none");
    for _ in 0..100 {
        let value = vec![b'x'; 100_000];
        producer.send(TOPIC, 0, &Sent { value: Some(value), timestamp: wall_ms() });
        producer.flush();
    }
    let first = first_offset(&brokers);
    assert!(first > 100, "nothing was lost, the first is {first}");
    held.release();
    let begun = Instant::now();
    let code = held.ends_within(Duration::from_secs(20));
    let log = held.log();
    assert_eq!(code, Some(65), "{log}");
    assert!(begun.elapsed() < Duration::from_secs(18), "{:?}", begun.elapsed());
    let told =
        format!("{TOPIC} 0: {} records are gone that were not read, offsets 100 to {first}", first - 100);
    for part in [told.as_str(), "on_gap"] {
        assert!(log.contains(part), "{part} is not in: {log}");
    }
}

fn first_offset(brokers: &str) -> i64 {
    use rdkafka::consumer::{BaseConsumer, Consumer};
    let consumer: BaseConsumer = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "first")
        .create()
        .unwrap();
    consumer.fetch_watermarks(TOPIC, 0, Duration::from_secs(10)).unwrap().0
}
