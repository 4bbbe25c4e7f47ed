//! What is known of the partitions: which there are, where they begin and end. Asked for in a thread of its own.
//!
//! Idea: a worker must never wait for an answer, so one thread a process asks where every partition begins and ends, looks
//! for new partitions, and for topics that are gone or are not the ones they were; workers only look at what it noted.
//! Invariant: partitions are only ever added, so a partition's number stays its own. An end says what was true at some
//! moment after `asked`; one older than [`FRESH`] proves nothing, so that a partition whose broker cannot be reached
//! counts as behind.
//! Cost: a few requests a second and broker.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::Offset;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaRespErr;

use super::SourceError;
use super::client::{Watch, create};
use super::partitions::{Client, Partition, ask_offsets, consumer_config};
use super::topic_ids::topic_ids;
use crate::config::Kafka;

/// How old an end may be for a partition to count as caught up.
pub const FRESH: Duration = Duration::from_secs(2);

/// How often ends are asked for.
const PERIOD: Duration = Duration::from_millis(500);

/// Events of the client that are served in a turn: one a call, log lines among them.
const EVENTS: usize = 100;

/// How often new partitions are looked for.
const DISCOVERY: Duration = Duration::from_secs(4);

/// How often in a row a topic must be unknown to be gone: a broker that has just started may not know it yet.
const GONE_AFTER: u32 = 3;

/// Where a partition begins and ends.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// The offset of the oldest record that the broker holds.
    pub first: i64,
    /// The offset behind its last record.
    pub offset: i64,
    /// When it was asked for.
    pub asked: Instant,
}

/// What is known of all partitions, by their numbers; any thread may look.
pub struct Ends {
    partitions: RwLock<Arc<Vec<Partition>>>,
    ends: Mutex<Vec<End>>,
    stopped: AtomicBool,
    stop: (Mutex<()>, Condvar),
}

impl Ends {
    /// What was known when the partitions were resolved.
    pub fn new(partitions: &[Partition]) -> Arc<Ends> {
        let asked = Instant::now();
        let ends = partitions.iter().map(|p| End { first: p.start, offset: p.end, asked });
        Arc::new(Ends {
            ends: Mutex::new(ends.collect()),
            partitions: RwLock::new(Arc::new(partitions.to_vec())),
            stopped: AtomicBool::new(false),
            stop: (Mutex::new(()), Condvar::new()),
        })
    }

    /// The partitions, by number.
    pub fn partitions(&self) -> Arc<Vec<Partition>> {
        Arc::clone(&self.partitions.read().expect("no holder panics"))
    }

    /// Where a partition begins and ends.
    pub fn get(&self, partition: u32) -> Option<End> {
        self.ends.lock().expect("no holder panics").get(partition as usize).copied()
    }

    /// For how long some partition's end has not been learnt.
    pub fn age(&self) -> Duration {
        let ends = self.ends.lock().expect("no holder panics");
        ends.iter().map(|end| end.asked.elapsed()).max().unwrap_or_default()
    }

    /// Ends the thread that asks, at its next turn.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.stop.1.notify_all();
    }

    fn note(&self, asked: Instant, first: Vec<i64>, end: Vec<i64>) {
        let mut ends = self.ends.lock().expect("no holder panics");
        let noted = first.into_iter().zip(end).map(|(first, offset)| End { first, offset, asked });
        ends.iter_mut().zip(noted).for_each(|(end, noted)| *end = noted);
    }

    fn add(&self, partition: Partition, end: End) {
        // The end first: whoever sees the partition then finds it.
        self.ends.lock().expect("no holder panics").push(end);
        let mut partitions = self.partitions.write().expect("no holder panics");
        Arc::make_mut(&mut partitions).push(partition);
    }
}

/// Starts the thread that asks. It calls `fail` where a topic is not the one that was read any more.
///
/// # Errors
/// Where librdkafka refuses the settings.
pub fn watch(
    kafka: &Kafka,
    ends: Arc<Ends>,
    fail: impl Fn(SourceError) + Send + 'static,
) -> Result<JoinHandle<()>, SourceError> {
    let client: Client = create(&consumer_config(kafka), Watch::default())?;
    let (topics, brokers) = (kafka.topics.clone(), kafka.brokers.clone());
    let watch = move || {
        let mut lookout =
            Lookout { ids: topic_ids(&client, &topics, FRESH), topics, unknown: BTreeMap::new() };
        let (mut failing, mut looked) = (false, Instant::now());
        while !ends.stopped.load(Ordering::SeqCst) {
            match look_at_ends(&client, &ends) {
                Ok(()) if std::mem::take(&mut failing) => tracing::info!(%brokers, "kafka answers again"),
                Ok(()) => {}
                Err(error) if !std::mem::replace(&mut failing, true) => {
                    let error = client.context().explain(&error, &brokers);
                    tracing::warn!("cannot learn where partitions end: {error}");
                }
                Err(_) => {}
            }
            if looked.elapsed() >= DISCOVERY {
                looked = Instant::now();
                if let Err(fence) = lookout.look(&client, &ends) {
                    fail(fence);
                    return;
                }
            }
            // Serves what librdkafka has to say, so that the reason of a failure is known.
            for _ in 0..EVENTS {
                client.poll(Duration::ZERO);
            }
            let guard = ends.stop.0.lock().expect("no holder panics");
            drop(ends.stop.1.wait_timeout(guard, PERIOD));
        }
    };
    let thread = std::thread::Builder::new().name("kafka-ends".to_owned());
    thread.spawn(watch).map_err(|error| SourceError::Io(format!("cannot start a thread: {error}")))
}

fn look_at_ends(client: &Client, ends: &Ends) -> Result<(), KafkaError> {
    let partitions = ends.partitions();
    let pairs: Vec<(&str, i32)> = partitions.iter().map(|p| (p.topic.as_str(), p.partition)).collect();
    let asked = Instant::now();
    let first = ask_offsets(client, &pairs, Offset::Beginning, FRESH)?;
    let end = ask_offsets(client, &pairs, Offset::End, FRESH)?;
    ends.note(asked, first, end);
    Ok(())
}

/// Looks for new partitions, and for topics that are gone or made anew.
struct Lookout {
    topics: Vec<String>,
    ids: Vec<Option<u128>>,
    /// How often in a row a topic was not known.
    unknown: BTreeMap<String, u32>,
}

impl Lookout {
    fn look(&mut self, client: &Client, ends: &Ends) -> Result<(), SourceError> {
        let now = topic_ids(client, &self.topics, FRESH);
        for ((topic, was), is) in self.topics.iter().zip(&mut self.ids).zip(now) {
            match (*was, is) {
                (Some(was), Some(is)) if was != is => {
                    return Err(SourceError::Fence(format!(
                        "topic {topic:?} was deleted and made anew: what has been counted and what stands in it now \
                         do not belong together; start again to count the new one"
                    )));
                }
                (None, Some(_)) => *was = is,
                _ => {}
            }
        }
        for topic in &self.topics {
            // Brokers that cannot be reached are seen, and said, where ends are asked for.
            let Ok(metadata) = client.fetch_metadata(Some(topic), FRESH) else { continue };
            let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else { continue };
            let unknown = self.unknown.entry(topic.clone()).or_default();
            let gone = found.error() == Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
            *unknown = if gone { *unknown + 1 } else { 0 };
            if *unknown >= GONE_AFTER {
                return Err(SourceError::Fence(format!(
                    "topic {topic:?} was deleted; make it again and start again to count the new one"
                )));
            }
            let known = ends.partitions();
            for partition in found.partitions().iter().filter(|partition| partition.error().is_none()) {
                let number = partition.id();
                if !known.iter().any(|known| known.topic == *topic && known.partition == number) {
                    adopt(client, ends, topic, number);
                }
            }
        }
        Ok(())
    }
}

/// Adds a partition that was not there before, to be read from its first record. Where that cannot be learnt now, it is
/// tried again at the next look.
fn adopt(client: &Client, ends: &Ends, topic: &str, partition: i32) {
    let asked = Instant::now();
    let ask = |offset| ask_offsets(client, &[(topic, partition)], offset, FRESH).ok()?.first().copied();
    if let Some((first, offset)) = ask(Offset::Beginning).zip(ask(Offset::End)) {
        tracing::info!(topic, partition, first, "a new partition, read from its first record");
        let new = Partition { topic: topic.to_owned(), partition, start: first, end: first };
        ends.add(new, End { first, offset, asked });
    }
}
