//! What was written into a topic, with keys, timestamps and headers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Written {
    pub key: Option<String>,
    pub value: String,
    pub time_ms: i64,
    pub headers: BTreeMap<String, String>,
}

/// All records of a topic that are there now, in order within each partition.
pub fn written(brokers: &str, topic: &str) -> Vec<Written> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "written")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(10)).unwrap();
    let (mut list, mut left) = (TopicPartitionList::new(), 0);
    for partition in metadata.topics()[0].partitions() {
        let (first, end) = consumer.fetch_watermarks(topic, partition.id(), Duration::from_secs(10)).unwrap();
        list.add_partition_offset(topic, partition.id(), Offset::Beginning).unwrap();
        left += end - first;
    }
    consumer.assign(&list).unwrap();
    let (mut records, deadline) = (Vec::new(), Instant::now() + Duration::from_secs(30));
    while (records.len() as i64) < left {
        assert!(Instant::now() < deadline, "reading back takes too long");
        let Some(message) = consumer.poll(Duration::from_millis(100)) else { continue };
        let message = message.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
        records.push(Written {
            key: message.key().map(text),
            value: message.payload().map(text).unwrap_or_default(),
            time_ms: message.timestamp().to_millis().unwrap(),
            headers: headers.map(|header| (header.key.to_owned(), text(header.value.unwrap()))).collect(),
        });
    }
    records
}

/// Waits until there are so many records in a topic.
pub fn awaits(brokers: &str, topic: &str, number: usize) -> Vec<Written> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let records = written(brokers, topic);
        if records.len() >= number {
            return records;
        }
        assert!(Instant::now() < deadline, "only {} records of {number}", records.len());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Keys in order of the alphabet.
pub fn keys(records: &[Written]) -> Vec<String> {
    let mut keys: Vec<String> = records.iter().map(|record| record.key.clone().unwrap_or_default()).collect();
    keys.sort();
    keys
}
