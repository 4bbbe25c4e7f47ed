//! Every codec, several topics with different numbers of partitions, and workers with equal shares of them.

use std::time::Duration;

use crate::admin::Admin;
use crate::broker::shared;
use crate::load::{Load, count_of, settings, status};
use crate::oracle::answers::Offsets;
use crate::support::broker::{Producer, wall_ms};
use crate::support::hostile::Hostile;
use crate::support::process::Server;
use crate::support::random::{Random, seed};
use crate::support::session::{ask_during, recount};

/// The codecs that Kafka has, each with a topic of its own and a number of partitions.
const TOPICS: [(&str, &str, i32); 4] = [
    ("packed-gzip", "gzip", 1),
    ("packed-snappy", "snappy", 3),
    ("packed-lz4", "lz4", 2),
    ("packed-zstd", "zstd", 2),
];

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn every_codec_is_read_and_counted_exactly() {
    let (broker, seed) = (shared(), seed(41));
    let admin = Admin::of(broker.address());
    TOPICS.iter().for_each(|(topic, _, partitions)| admin.create(topic, *partitions, &[]));
    let topics = TOPICS.map(|(topic, ..)| topic);
    let producers = TOPICS.map(|(_, codec, _)| Producer::new(broker.address(), codec));
    let mut server = Server::run(&settings(broker.address(), &topics, "")).ready();
    let config = server.config();
    let answers = ask_during(&server, &config, seed, |own, answers| {
        let (mut random, mut hostile) = (Random::new(seed), Hostile::new(seed));
        let mut written = Offsets::new();
        for _ in 0..40 {
            for ((topic, _, partitions), producer) in TOPICS.iter().zip(&producers) {
                // A batch of several records is what gets compressed.
                for _ in 0..random.below(50) {
                    let mut sent = hostile.next(wall_ms());
                    // Kafka takes no negative timestamps.
                    sent.timestamp = sent.timestamp.max(1);
                    producer.send(topic, random.below(*partitions as u64) as i32, &sent);
                }
            }
            producers.iter().for_each(|producer| written.extend(producer.flush()));
            answers.push(own.ask(&written));
            std::thread::sleep(Duration::from_millis(random.below(50)));
        }
        written
    });
    assert!(server.terminate().0.success());
    let (_, records) = recount(broker.address(), &topics, &config, &answers);
    for topic in topics {
        assert!(records.iter().filter(|record| record.topic == topic).count() > 500, "{topic}");
    }
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn partitions_of_several_topics_are_spread_evenly() {
    let broker = shared();
    let admin = Admin::of(broker.address());
    // By topic the shares would be 4 to 2; all partitions numbered through they are 3 to 3.
    let topics = [("even-1", 1), ("even-2", 3), ("even-3", 1), ("even-4", 1)];
    let mut written = Offsets::new();
    for (topic, partitions) in topics {
        admin.create(topic, partitions, &[]);
        written.extend(Load::new(broker.address(), topic, partitions).send(20_000 * partitions as u64));
    }
    let server = Server::run(&settings(broker.address(), &topics.map(|(topic, _)| topic), "")).ready();
    count_of(&server.client(), "tag1", &written);
    assert_eq!(status(&server.client())["posts"], 6 * 20_000);
    let used = server.cpu_of_threads("timely");
    println!("processor time of the workers: {used:?} microseconds");
    assert_eq!(used.len(), 2, "{used:?}");
    let (least, most) = (used[0].min(used[1]), used[0].max(used[1]));
    assert!(most >= 20_000, "too little work to tell: {used:?}");
    assert!(least * 2 >= most, "work is not spread: {used:?} microseconds");
}
