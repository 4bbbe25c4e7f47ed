//! Which partitions there are, and where reading begins: settled once, before the first worker starts.
//!
//! Idea: everything that asks Kafka and waits for an answer happens here, on the starting thread, so that a wrong
//! address, a missing topic or a time without records is one clear message instead of a worker that waits.
//! Invariant: every partition has a start that is an offset, not a name for one; all workers see the same list.
//! Cost: one metadata request and two offset requests per broker.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde::{Deserialize, Serialize};

use super::client::{ClientError, Watch, brokers_flag, client_config_with, create, reach};
use super::resume::{Counted, Found, go_on};
use super::topic_ids::{Unsaid, topic_ids};
use super::{Last, SourceError};
use crate::config::{Kafka, Start};

/// How long Kafka has to answer at the start.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it has to tell the ids of topics where none were known before; brokers that do not know of them may not answer at all.
const IDS: Duration = Duration::from_secs(3);

/// For how long it may know of no topic at all.
const UNKNOWN: Duration = Duration::from_secs(3);

/// How soon it is asked again where the leaders have changed.
const AGAIN: Duration = Duration::from_millis(200);

/// A partition, where reading it begins, and where it ended at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// Its topic.
    pub topic: String,
    /// Its number within the topic.
    pub partition: i32,
    /// The first offset that is read.
    pub start: i64,
    /// The offset behind its last record at the start.
    pub end: i64,
    /// Where reading goes on: behind what was counted before the start.
    pub next: i64,
    /// Offsets before that which were lost.
    pub gaps: Vec<(i64, i64)>,
    /// The last record that was counted before the start, where brokers tell records apart.
    pub last: Option<Last>,
    /// The id of its topic, where the broker gives one.
    pub id: Option<u128>,
}

impl Partition {
    /// One of which nothing has been counted yet.
    pub fn new(topic: &str, partition: i32, start: i64, end: i64) -> Partition {
        let (topic, next, gaps) = (topic.to_owned(), start, Vec::new());
        Partition { topic, partition, start, end, next, gaps, last: None, id: None }
    }
}

/// What a client may fetch ahead of all its partitions, in KiB.
const AHEAD: usize = 64 << 10;

/// The settings with which records of so many partitions are consumed. At most 64 MiB of records
/// are fetched ahead in all; or 1 MiB, which is what one fetch brings, of each partition where that is more. Of a partition that
/// is taken on later as much is fetched as of one of these.
pub fn consumer_config(kafka: &Kafka, partitions: usize) -> ClientConfig {
    // librdkafka bounds the queue of each partition by itself.
    let ahead = (AHEAD / partitions.max(1)).clamp(1 << 10, 16 << 10).to_string();
    // A full queue stalls its partition for the first of these; the default is a whole second. A fetch that is on its way
    // without that partition may delay it for the second, which is what an idle engine spends most of its time with.
    let defaults = [
        ("fetch.queue.backoff.ms", "5"),
        ("fetch.wait.max.ms", "250"),
        ("queued.max.messages.kbytes", &ahead),
    ];
    let mut config = client_config_with(kafka, &defaults);
    config
        .set("group.id", &kafka.group_id)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("enable.partition.eof", "true")
        .set("check.crcs", "true")
        .set("allow.auto.create.topics", "false");
    config
}

/// The same for a client that only asks, and belongs to no group: one that does takes a tenth of a second to leave it.
pub fn asking_config(kafka: &Kafka) -> ClientConfig {
    let mut config = consumer_config(kafka, 1);
    config.remove("group.id");
    config
}

/// A consumer that keeps the reason of the last error.
pub type Client = BaseConsumer<Watch>;

/// How long the end of a client may take.
const LEAVING: Duration = Duration::from_secs(3);

/// Lets a consumer go. It waits for offsets that are on their way, and for the coordinator of its group, which may be away; nobody
/// waits longer than three seconds for that.
pub fn leave(consumer: impl Send + 'static) {
    let (left, waits) = mpsc::channel::<()>();
    let leaves = move || {
        drop(consumer);
        drop(left);
    };
    if thread::Builder::new().name("leave".to_owned()).spawn(leaves).is_ok() {
        let _ = waits.recv_timeout(LEAVING);
    }
}

impl From<ClientError> for SourceError {
    fn from(error: ClientError) -> SourceError {
        match error {
            ClientError::Settings(text) => SourceError::Config(text),
            ClientError::Unreachable(text) => SourceError::Io(text),
        }
    }
}

/// Whether librdkafka takes these settings, files that they name included. No broker is asked.
///
/// # Errors
/// `Config`, for the first setting that is refused.
pub fn check(kafka: &Kafka) -> Result<(), SourceError> {
    let mut config = asking_config(kafka);
    // Without an address there is nobody whom it could ask.
    config.remove("bootstrap.servers").remove("metadata.broker.list");
    create::<Client, _>(&config, Watch::default())?;
    Ok(())
}

/// All partitions of the topics, in order, with their starts; those of which something has been counted `before` go on where
/// that ended. `None`: nothing is kept, so it does not matter whether a topic is the one that it was at an earlier start.
///
/// # Errors
/// Where a topic does not exist, where Kafka does not answer, where it refuses us, and where what is there is not what was
/// counted before.
pub fn resolve(
    kafka: &Kafka,
    now_ms: i64,
    before: Option<&[Counted]>,
) -> Result<Vec<Partition>, SourceError> {
    let consumer: Client = create(&asking_config(kafka), Watch::default())?;
    let metadata = topics(&consumer, kafka)?;
    let mut partitions = Vec::new();
    for topic in &kafka.topics {
        let found = partitions_of(topic, &metadata, &kafka.brokers)?;
        partitions.extend(found.map(|partition| (topic.clone(), partition)));
    }
    let ask = |offset: Offset| offsets(&consumer, &partitions, offset, kafka);
    let (first, end) = (ask(Offset::Beginning)?, ask(Offset::End)?);
    let start = match kafka.start {
        Start::Earliest => first.clone(),
        Start::Latest => end.clone(),
        Start::Time(time) => ask(Offset::Offset(time.max(0)))?,
        Start::Ago(ago) => ask(Offset::Offset((now_ms - ago.as_millis() as i64).max(0)))?,
    };
    let ids = match before {
        None => vec![None; kafka.topics.len()],
        Some(before) => ids(&consumer, before, kafka)?,
    };
    let bounds = first.into_iter().zip(end).zip(start);
    let found = partitions.into_iter().zip(bounds).map(|((topic, partition), ((first, end), start))| {
        // No record is as young as the time asked for: -1, and reading begins behind the last.
        let start = if start < 0 { end } else { start.max(first) };
        let id = kafka.topics.iter().position(|known| *known == topic).and_then(|at| ids[at]);
        Found { first, partition: Partition { id, ..Partition::new(&topic, partition, start, end) } }
    });
    go_on(found.collect(), before.unwrap_or_default(), kafka.on_gap)
}

/// What Kafka says of its topics. A broker that has just come up may know of none yet, and is asked again for a while.
fn topics(consumer: &Client, kafka: &Kafka) -> Result<Metadata, SourceError> {
    let until = Instant::now() + UNKNOWN;
    loop {
        let serve = || drop(consumer.poll(Duration::ZERO));
        let metadata = reach(consumer.client(), consumer.context(), &kafka.brokers, serve)?;
        if names(&metadata).next().is_some() || Instant::now() >= until {
            return Ok(metadata);
        }
        std::thread::sleep(AGAIN);
    }
}

/// The names of the topics that are not Kafka's own.
fn names(metadata: &Metadata) -> impl Iterator<Item = &str> {
    metadata.topics().iter().map(|topic| topic.name()).filter(|name| !name.starts_with("__"))
}

/// The ids of all topics. Where one was known before, a broker that does not say it now has to be waited for: offsets alone do not
/// tell a topic from another that was made under its name.
fn ids(consumer: &Client, before: &[Counted], kafka: &Kafka) -> Result<Vec<Option<u128>>, SourceError> {
    let is_known = before.iter().any(|counted| counted.id.is_some());
    let until = Instant::now() + if is_known { PATIENCE } else { IDS };
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let unsaid = match topic_ids(consumer, &kafka.topics, left) {
            Ok(ids) => return Ok(ids),
            Err(unsaid) => unsaid,
        };
        if !is_known && (unsaid == Unsaid::Unanswered || left.is_zero()) {
            return Ok(vec![None; kafka.topics.len()]);
        }
        if left.is_zero() {
            return Err(SourceError::Io(format!(
                "Kafka at {} did not say within {} s which ids its topics have, so it is not known whether they are those that \
                 have been counted",
                kafka.brokers,
                PATIENCE.as_secs()
            )));
        }
        std::thread::sleep(AGAIN.min(left));
    }
}

fn partitions_of(
    topic: &str,
    metadata: &Metadata,
    brokers: &str,
) -> Result<impl Iterator<Item = i32>, SourceError> {
    let found =
        metadata.topics().iter().find(|known| known.name() == topic && !known.partitions().is_empty());
    let Some(found) = found else {
        let mut names: Vec<&str> = names(metadata).collect();
        names.sort_unstable();
        let known = if names.is_empty() {
            "there are none".to_owned()
        } else {
            format!("there are: {}", names.join(", "))
        };
        return Err(SourceError::Config(format!(
            "there is no topic {topic:?} that this user may see ({known}); make it with `tidings topic create \
             {topic}{} --partitions 4`, or where it is there grant DESCRIBE and READ on it",
            brokers_flag(brokers)
        )));
    };
    let mut numbers: Vec<i32> = found.partitions().iter().map(|partition| partition.id()).collect();
    numbers.sort_unstable();
    Ok(numbers.into_iter())
}

fn offsets(
    consumer: &Client,
    partitions: &[(String, i32)],
    asked: Offset,
    kafka: &Kafka,
) -> Result<Vec<i64>, SourceError> {
    let pairs: Vec<(&str, i32)> =
        partitions.iter().map(|(topic, partition)| (topic.as_str(), *partition)).collect();
    let until = Instant::now() + PATIENCE;
    loop {
        match ask_offsets(consumer, &pairs, asked, PATIENCE) {
            Ok(offsets) => return Ok(offsets),
            // A topic that was made just now, or whose leader died: it passes.
            Err(error) if has_moved(&error) && Instant::now() < until => {
                ask_leaders(consumer, &pairs, PATIENCE);
                std::thread::sleep(AGAIN);
            }
            Err(error) => return Err(consumer.context().client_error(&error, &kafka.brokers).into()),
        }
    }
}

/// Whether an error says that another broker has to be asked.
fn has_moved(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{LeaderNotAvailable, NotLeaderForPartition, ReplicaNotAvailable};
    let code = error.rdkafka_error_code();
    matches!(code, Some(LeaderNotAvailable | NotLeaderForPartition | ReplicaNotAvailable))
}

/// Asks who leads the partitions now. For a client that reads nothing, librdkafka would go on asking a leader that is dead
/// until it next looks by itself, minutes later.
pub fn ask_leaders(consumer: &Client, partitions: &[(&str, i32)], patience: Duration) {
    let topics: BTreeSet<&str> = partitions.iter().map(|(topic, _)| *topic).collect();
    // Where nobody answers for one topic nobody does for the next, and whatever is asked then says so.
    let _ = topics.into_iter().try_for_each(|topic| consumer.fetch_metadata(Some(topic), patience).map(drop));
}

/// Asks for an offset of each partition in one request per broker: `Beginning`, `End`, or `Offset` with a time in
/// Unix milliseconds, for the first record at least that young (-1: there is none).
///
/// # Errors
/// Those of librdkafka, also where only one partition failed.
pub fn ask_offsets(
    consumer: &Client,
    partitions: &[(&str, i32)],
    asked: Offset,
    patience: Duration,
) -> Result<Vec<i64>, KafkaError> {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for (topic, partition) in partitions {
        list.add_partition_offset(topic, *partition, asked)?;
    }
    if partitions.is_empty() {
        return Ok(Vec::new());
    }
    let answer = consumer.offsets_for_times(list, patience)?;
    let find = |(topic, partition): &(&str, i32)| {
        let element = answer
            .find_partition(topic, *partition)
            .ok_or(KafkaError::OffsetFetch(RDKafkaErrorCode::UnknownPartition))?;
        element.error()?;
        Ok(match element.offset() {
            Offset::Offset(offset) => offset,
            _ => -1,
        })
    };
    partitions.iter().map(find).collect()
}
