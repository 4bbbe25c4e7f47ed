//! Against librdkafka's own test cluster, which lives in this process.

use super::*;
use crate::config::{OnGap, Property, Start};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

type Cluster = MockCluster<'static, DefaultProducerContext>;

fn cluster(partitions: i32) -> Cluster {
    let cluster = MockCluster::new(1).expect("a test cluster");
    cluster.create_topic("posts", partitions, 1).expect("a topic");
    cluster
}

fn sender(cluster: &Cluster, properties: &[(&str, &str)], stop: &Stop) -> Sender {
    let property = |value: &str| Property { value: value.to_owned(), secret: false };
    let kafka = Kafka {
        brokers: cluster.bootstrap_servers(),
        topics: vec!["posts".to_owned()],
        start: Start::Latest,
        group_id: "tidings".to_owned(),
        on_gap: OnGap::Stop,
        properties: properties.iter().map(|(key, value)| ((*key).to_owned(), property(value))).collect(),
    };
    Sender::new(&kafka, "posts", stop.clone(), Progress::silent()).expect("settings")
}

fn record<'a>(key: Option<&'a [u8]>, value: Option<&'a [u8]>) -> Outgoing<'a> {
    Outgoing { key, value, time_ms: 1, source: "test", position: None }
}

#[test]
fn a_full_queue_loses_nothing() {
    let cluster = cluster(3);
    let mut sender = sender(&cluster, &[("queue.buffering.max.messages", "10")], &Stop::new());
    for post in 0..5_000_u32 {
        assert_eq!(sender.send(record(Some(&post.to_be_bytes()), Some(b"post"))), Ok(true));
    }
    let (tally, why) = sender.finish();
    assert_eq!((tally.posts, tally.bytes, tally.failed, why), (5_000, 40_000, 0, None));
    let next: u64 = tally
        .next_offsets("posts")
        .split(',')
        .filter_map(|place| place.rsplit(':').next()?.parse::<u64>().ok())
        .sum();
    assert_eq!(next, 5_000);
}

#[test]
fn what_a_lost_broker_does_not_take_is_counted_with_its_reason() {
    let cluster = cluster(1);
    let mut sender = sender(&cluster, &[("message.timeout.ms", "6000")], &Stop::new());
    assert_eq!(sender.send(record(None, Some(b"before"))), Ok(true));
    while sender.producer.in_flight_count() > 0 {
        sender.wait_until(Instant::now() + Duration::from_millis(20));
    }
    cluster.broker_down(1).expect("a broker");
    for _ in 0..100 {
        assert_eq!(sender.send(record(None, Some(b"after"))), Ok(true));
    }
    let (tally, why) = sender.finish();
    assert_eq!((tally.posts, tally.failed), (1, 100));
    assert!(why.is_some_and(|why| why.contains("Kafka")));
}

#[test]
fn a_broker_that_comes_back_gets_everything_once() {
    let cluster = cluster(1);
    let mut sender = sender(&cluster, &[], &Stop::new());
    for post in 0..300_u32 {
        match post {
            100 => cluster.broker_down(1).expect("a broker"),
            200 => cluster.broker_up(1).expect("a broker"),
            _ => {}
        }
        assert_eq!(sender.send(record(None, Some(&post.to_be_bytes()))), Ok(true));
        sender.wait_until(Instant::now() + Duration::from_millis(2));
    }
    let (tally, why) = sender.finish();
    assert_eq!((tally.posts, tally.failed, why), (300, 0, None));
    assert_eq!(tally.next_offsets("posts"), "posts:0:300");
}

#[test]
fn a_record_that_is_too_large_is_counted_and_the_rest_goes_on() {
    let cluster = cluster(1);
    let mut sender = sender(&cluster, &[], &Stop::new());
    assert_eq!(sender.send(record(None, Some(&vec![b'x'; 2_000_000]))), Ok(true));
    assert_eq!(sender.send(record(None, None)), Ok(true));
    let (tally, why) = sender.finish();
    assert_eq!((tally.posts, tally.failed), (1, 1));
    assert!(why.is_some_and(|why| why.contains("message.max.bytes")));
}

#[test]
fn who_asks_to_stop_waits_for_a_full_queue_until_it_is_too_long() {
    let cluster = cluster(1);
    cluster.broker_down(1).expect("a broker");
    let stop = Stop::new();
    let properties = [("queue.buffering.max.messages", "1"), ("message.timeout.ms", "2000")];
    let mut sender = sender(&cluster, &properties, &stop);
    stop.raise();
    assert_eq!(sender.send(record(None, Some(b"queued"))), Ok(true));
    // There is room as soon as what is queued has been given up.
    let begun = Instant::now();
    assert_eq!(sender.send(record(None, Some(b"waits"))), Ok(true));
    assert!(begun.elapsed() > Duration::from_secs(1), "{:?}", begun.elapsed());
    sender.deadline = Some(Instant::now());
    assert_eq!(sender.send(record(None, Some(b"not taken"))), Ok(false));
    let (tally, _) = sender.finish();
    assert_eq!((tally.posts, tally.failed), (0, 2));
}
