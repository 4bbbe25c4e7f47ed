//! Records that the broker holds and nobody can read: one byte changed on its disk, and a batch that unpacks to more than
//! librdkafka takes.
//!
//! Idea: where the batches of a log stand is read from its file, so which records are damaged is known exactly.

use std::path::PathBuf;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::{Value, json};

use crate::admin::Admin;
use crate::broker::{Broker, shared};
use crate::held::Held;
use crate::load::{Load, settings, status, until, until_fresh};
use crate::segment::{Batch, batches};

/// Records of the batch that is too large when it is unpacked, each of one MB.
const BOMB: i64 = 140;

/// A broker with a topic of one partition, 300 records in some batches, of which the records of one are damaged.
fn damaged(topic: &str) -> (Broker, Batch) {
    let broker = Broker::start("");
    Admin::of(broker.address()).create(topic, 1, &[]);
    let mut load = Load::new(broker.address(), topic, 1);
    (0..6).for_each(|_| drop(load.send(50)));
    broker.stop();
    let segment: PathBuf = broker.data().join(format!("{topic}-0/00000000000000000000.log"));
    let mut bytes = std::fs::read(&segment).unwrap();
    let found = batches(&bytes);
    let batch = found[found.len() / 2];
    assert!(batch.first > 0 && batch.last < 299, "{found:?}");
    bytes[batch.at + batch.length - 20] ^= 0x55;
    std::fs::write(&segment, bytes).unwrap();
    broker.start_again();
    (broker, batch)
}

/// That it goes on without these records, and names them.
fn goes_on(held: &mut Held, topic: &str, (from, to): (i64, i64), all: i64) {
    let client = held.client().unwrap();
    let status = until(Duration::from_secs(60), "all is read", || {
        let status: Value = status(&client);
        (status["stamp"]["offsets"][topic]["0"] == all).then_some(status)
    });
    assert_eq!(status["stamp"]["gaps"], json!({ topic: { "0": [[from, to]] } }), "{status}");
    assert_eq!(status["posts"], all - (to - from), "{status}");
    until_fresh(&client, Duration::from_secs(20));
    let log = held.log();
    assert!(log.contains("damaged records are passed over"), "{log}");
    assert!(held.terminate(), "{}", held.log());
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn records_damaged_on_the_disk_of_a_broker_end_the_run_or_are_named() {
    const TOPIC: &str = "damaged";
    let (broker, Batch { first, last, .. }) = damaged(TOPIC);
    let mut held = Held::start(&settings(broker.address(), &[TOPIC], ""));
    assert_eq!(held.ends_within(Duration::from_secs(60)), Some(65), "{}", held.log());
    let told = format!("{TOPIC} 0: what stands at offsets {first} to {} is damaged", last + 1);
    assert!(held.log().contains(&told) && held.log().contains("on_gap"), "{}", held.log());
    let mut held = Held::ready(&settings(broker.address(), &[TOPIC], "on_gap = \"continue\""));
    goes_on(&mut held, TOPIC, (first, last + 1), 300);
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn a_batch_that_unpacks_to_too_much_holds_nothing_up() {
    const TOPIC: &str = "bomb";
    let broker = shared();
    Admin::of(broker.address()).create(TOPIC, 1, &[]);
    let mut load = Load::new(broker.address(), TOPIC, 1);
    load.send(100);
    let mut held = Held::ready(&settings(broker.address(), &[TOPIC], "on_gap = \"continue\""));
    drop_bomb(broker.address(), TOPIC);
    load.send(200);
    goes_on(&mut held, TOPIC, (100, 100 + BOMB), 300 + BOMB);
}

/// Writes records that are a few kilobytes together as long as they are packed, in one batch.
fn drop_bomb(brokers: &str, topic: &str) {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("compression.type", "zstd")
        .set("linger.ms", "60000")
        .set("batch.num.messages", BOMB.to_string())
        .set("batch.size", "1000000000")
        .set("message.max.bytes", "1000000000")
        .create()
        .unwrap();
    let value = vec![b'x'; 1_000_000];
    for _ in 0..BOMB {
        producer.send(BaseRecord::<(), _>::to(topic).partition(0).payload(&value)).unwrap();
    }
    producer.flush(Duration::from_secs(60)).unwrap();
}
