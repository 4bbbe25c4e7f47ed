//! What a topic holds of a source already.
//!
//! Idea: the newest records of each partition are read back. Their headers say from where the source has to be read
//! again (see [`Marks`](crate::produce::marks::Marks)), and their keys are the ids that will come once more. There is no
//! state file that could be lost, be ahead of the topic, or stay behind on another machine.
//! Invariant: nothing is written. All records of the source that lie behind [`Known::resume`] are among the ids, as long
//! as a partition has at most 200,000 of them. Cost: some thousand records a partition, at the start.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};

use crate::config::Kafka;
use crate::produce::topics::TopicError;
use crate::source::client::{self, Watch};

/// How many records of a partition are read at first; eight times as many while that is too few.
const FIRST: i64 = 1_000;
/// How many at most.
const MOST: i64 = 200_000;
/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(10);
/// How long reading may take without a record coming.
const PATIENCE: Duration = Duration::from_secs(20);
/// Posts of the last minutes count as known where the source has no positions: X repeats five at most.
const RECENT_MS: i64 = 6 * 60_000;

/// What a topic holds of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// From where the source has to be read again so that nothing is missed.
    pub resume: Option<u64>,
    /// The newest timestamp, in Unix milliseconds.
    pub newest_ms: Option<i64>,
    /// The ids of the posts behind that.
    pub ids: Vec<Vec<u8>>,
}

/// One record of the source.
#[derive(Clone)]
struct Had {
    id: Option<Vec<u8>>,
    time_ms: i64,
    position: Option<u64>,
    resume: Option<u64>,
}

/// Reads what the topic, which is there, holds of this source.
///
/// # Errors
/// Where Kafka does not answer.
pub fn known(kafka: &Kafka, topic: &str, source: &str) -> Result<Known, TopicError> {
    let mut config = client::client_config(kafka);
    config.set("group.id", &kafka.group_id).set("enable.auto.commit", "false");
    config.set("enable.partition.eof", "true");
    let consumer: BaseConsumer<Watch> = client::create(&config, Watch::default())?;
    let fail =
        |error: KafkaError| TopicError::Client(consumer.context().client_error(&error, &kafka.brokers));
    let metadata = consumer.fetch_metadata(Some(topic), REQUEST).map_err(fail)?;
    let numbers: Vec<i32> = metadata
        .topics()
        .iter()
        .flat_map(|topic| topic.partitions())
        .map(|partition| partition.id())
        .collect();
    let mut ends = BTreeMap::new();
    for number in numbers {
        let (first, next) = consumer.fetch_watermarks(topic, number, REQUEST).map_err(fail)?;
        if next > first {
            ends.insert(number, (first, next));
        }
    }
    let mut had: BTreeMap<i32, Vec<Had>> = BTreeMap::new();
    let mut span = FIRST;
    loop {
        let wanted: BTreeMap<i32, (i64, i64)> = ends
            .iter()
            .filter(|(number, _)| !had.contains_key(number) || !reaches(&had, **number))
            .map(|(number, (first, next))| (*number, ((next - span).max(*first), *next)))
            .collect();
        if wanted.is_empty() {
            break;
        }
        for (number, records) in read(&consumer, topic, source, &wanted).map_err(fail)? {
            had.insert(number, records);
        }
        if span >= MOST || wanted.iter().all(|(number, (from, _))| ends[number].0 == *from) {
            break;
        }
        span = (span * 8).min(MOST);
    }
    Ok(summary(&had))
}

/// Whether what was read of a partition goes back beyond what has to be known.
fn reaches(had: &BTreeMap<i32, Vec<Had>>, number: i32) -> bool {
    let resume = had.values().flatten().filter_map(|had| had.resume).max();
    let newest = had.values().flatten().map(|had| had.time_ms).max().unwrap_or_default();
    had[&number].iter().any(|had| match (resume, had.position) {
        (Some(resume), Some(position)) => position < resume,
        _ => had.time_ms < newest - RECENT_MS,
    })
}

fn summary(had: &BTreeMap<i32, Vec<Had>>) -> Known {
    let all = || had.values().flatten();
    Known {
        resume: all().filter_map(|had| had.resume).max(),
        newest_ms: all().map(|had| had.time_ms).max(),
        ids: all().filter_map(|had| had.id.clone()).collect(),
    }
}

/// The records of this source between the offsets, by partition.
fn read(
    consumer: &BaseConsumer<Watch>,
    topic: &str,
    source: &str,
    wanted: &BTreeMap<i32, (i64, i64)>,
) -> Result<BTreeMap<i32, Vec<Had>>, KafkaError> {
    let mut list = TopicPartitionList::new();
    for (number, (from, _)) in wanted {
        list.add_partition_offset(topic, *number, Offset::Offset(*from))?;
    }
    consumer.assign(&list)?;
    let mut found: BTreeMap<i32, Vec<Had>> = wanted.keys().map(|number| (*number, Vec::new())).collect();
    let mut open: BTreeMap<i32, i64> = wanted.iter().map(|(number, (_, next))| (*number, *next)).collect();
    let mut moved = Instant::now();
    while !open.is_empty() {
        let (number, offset) = match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                if let Some(had) = Had::of(&message, source) {
                    found.entry(message.partition()).or_default().push(had);
                }
                (message.partition(), message.offset() + 1)
            }
            // Behind the last record there may be markers of transactions, which no consumer sees.
            Some(Err(KafkaError::PartitionEOF(number))) => (number, i64::MAX),
            Some(Err(error)) if moved.elapsed() > PATIENCE => return Err(error),
            None if moved.elapsed() > PATIENCE => {
                return Err(KafkaError::MessageConsumption(
                    rdkafka::error::RDKafkaErrorCode::OperationTimedOut,
                ));
            }
            Some(Err(_)) | None => continue,
        };
        moved = Instant::now();
        if open.get(&number).is_some_and(|next| offset >= *next) {
            open.remove(&number);
        }
    }
    Ok(found)
}

impl Had {
    fn of(message: &BorrowedMessage<'_>, source: &str) -> Option<Self> {
        let headers = message.headers()?;
        let header =
            |key: &str| headers.iter().find(|header| header.key == key).and_then(|header| header.value);
        let number = |key| std::str::from_utf8(header(key)?).ok()?.parse().ok();
        (header("source")? == source.as_bytes()).then(|| Self {
            id: message.key().map(<[u8]>::to_vec),
            time_ms: message.timestamp().to_millis().unwrap_or_default(),
            position: number("position"),
            resume: number("resume"),
        })
    }
}
