//! Brokers to write to and to read back from.
//!
//! Idea: the embedded broker is librdkafka's own for tests: it speaks the real protocol within this process, keeps the last
//! 5 MiB or 100,000 batches of a partition, and finds no offsets by time. All else works with any broker.
//! Invariant: what [`Producer::flush`] has returned for is in the topic; [`read_back`] returns all that is there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{
    BaseRecord, DefaultProducerContext, Producer as _, ProducerContext, ThreadedProducer,
};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};
use tidings::source::client::Silence;

use super::hostile::Sent;
use crate::oracle::answers::Offsets;
use crate::oracle::rules::Record;

/// The wall clock in Unix milliseconds.
pub fn wall_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// A broker within this process.
pub struct Embedded {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl Embedded {
    /// A broker with these topics, each with a number of partitions.
    pub fn start(topics: &[(&str, i32)]) -> Embedded {
        let cluster = MockCluster::new(1).unwrap();
        for (topic, partitions) in topics {
            cluster.create_topic(topic, *partitions, 1).unwrap();
        }
        Embedded { cluster }
    }

    pub fn brokers(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// The offset of the oldest record that it still has.
    pub fn first_offset(&self, topic: &str, partition: i32) -> i64 {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.brokers())
            .set("group.id", "first")
            .create()
            .unwrap();
        consumer.fetch_watermarks(topic, partition, Duration::from_secs(10)).unwrap().0
    }

    /// Refuses a topic to all from now on.
    pub fn refuse(&self, topic: &str, why: RDKafkaRespErr) {
        self.cluster.topic_error(topic, why).unwrap();
    }

    /// Nobody can reach it until [`Embedded::up`].
    pub fn down(&self) {
        self.cluster.broker_down(1).unwrap();
    }

    pub fn up(&self) {
        self.cluster.broker_up(1).unwrap();
    }
}

/// What was acknowledged: the offset behind it by partition, and what failed.
#[derive(Default)]
struct Delivered {
    next: Offsets,
    failed: Vec<String>,
    settled: u64,
}

#[derive(Clone, Default)]
struct Reports(Arc<Mutex<Delivered>>);

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        let mut delivered = self.0.lock().unwrap();
        delivered.settled += 1;
        match result {
            Ok(message) => {
                let partitions = delivered.next.entry(message.topic().to_owned()).or_default();
                let next = partitions.entry(message.partition()).or_default();
                *next = (*next).max(message.offset() + 1);
            }
            Err((error, _)) => delivered.failed.push(error.to_string()),
        }
    }
}

/// Writes records.
pub struct Producer {
    producer: ThreadedProducer<Reports>,
    reports: Reports,
    silence: Mutex<Silence>,
}

impl Producer {
    /// For these brokers; `compression` as librdkafka names it.
    pub fn new(brokers: &str, compression: &str) -> Producer {
        let reports = Reports::default();
        let producer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("compression.type", compression)
            .set("linger.ms", "2")
            .set("message.max.bytes", "10000000")
            .set("enable.idempotence", "false")
            .set("log_level", "0")
            .create_with_context(reports.clone())
            .unwrap();
        Producer { producer, reports, silence: Mutex::new(Silence::new(brokers)) }
    }

    /// Hands a record over; it is in the topic after the next [`Producer::flush`].
    pub fn send(&self, topic: &str, partition: i32, sent: &Sent) {
        let mut record = BaseRecord::<[u8], [u8]>::to(topic).partition(partition).timestamp(sent.timestamp);
        record.payload = sent.value.as_deref();
        while let Err((error, back)) = self.producer.send(record) {
            assert!(error.to_string().contains("QueueFull"), "{error}");
            std::thread::sleep(Duration::from_millis(5));
            record = back;
        }
    }

    /// To be called now and then where a broker may go away: a client that has forgotten its brokers is told them again.
    pub fn listen(&self) {
        let settled = self.reports.0.lock().unwrap().settled;
        self.silence.lock().unwrap().listen(&self.producer, settled);
    }

    /// Waits until all records are in their topics; returns the offsets behind them.
    pub fn flush(&self) -> Offsets {
        let until = Instant::now() + Duration::from_secs(30);
        while let Err(error) = self.producer.flush(Duration::from_millis(500)) {
            assert!(Instant::now() < until, "{error}");
            self.listen();
        }
        let delivered = self.reports.0.lock().unwrap();
        assert!(delivered.failed.is_empty(), "not delivered: {:?}", delivered.failed);
        delivered.next.clone()
    }
}

/// All records of the topics, as a consumer that has nothing to do with the program reads them; and the ends of all
/// partitions. Records that are not there any more are an error of the test, which wrote too much.
pub fn read_back(brokers: &str, topics: &[&str]) -> Vec<Record> {
    read_back_as(brokers, topics, <[u8]>::to_vec)
}

/// The same, with what is to be kept of each value.
pub fn read_back_as(brokers: &str, topics: &[&str], keep: impl Fn(&[u8]) -> Vec<u8>) -> Vec<Record> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "read-back")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "error")
        .set("enable.partition.eof", "true")
        .set("fetch.message.max.bytes", "10000000")
        .create()
        .unwrap();
    let mut open = BTreeMap::new();
    let mut assignment = TopicPartitionList::new();
    for topic in topics {
        let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(10)).unwrap();
        for partition in metadata.topics()[0].partitions() {
            let place = ((*topic).to_owned(), partition.id());
            let (first, end) =
                consumer.fetch_watermarks(topic, partition.id(), Duration::from_secs(10)).unwrap();
            assert_eq!(first, 0, "{place:?}: the test wrote more than the broker keeps");
            assignment.add_partition_offset(topic, partition.id(), Offset::Beginning).unwrap();
            if end > 0 {
                open.insert(place, end);
            }
        }
    }
    consumer.assign(&assignment).unwrap();
    let (mut records, deadline) = (Vec::new(), Instant::now() + Duration::from_secs(60));
    while !open.is_empty() {
        assert!(Instant::now() < deadline, "reading back takes too long; left: {open:?}");
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                let place = (message.topic().to_owned(), message.partition());
                if open.get(&place).is_some_and(|end| message.offset() + 1 >= *end) {
                    open.remove(&place);
                }
                records.push(Record {
                    topic: place.0,
                    partition: place.1,
                    offset: message.offset(),
                    timestamp: message.timestamp().to_millis().unwrap_or(-1),
                    value: message.payload().map(&keep),
                });
            }
            // Behind the last record there may be markers of transactions, which no consumer sees.
            Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) | None => {}
            Some(Err(error)) => panic!("reading back: {error}"),
        }
    }
    records
}
