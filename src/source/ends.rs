//! What is known of the partitions: which there are, and where they end. Asked for in a thread of its own.
//!
//! Idea: a worker must never wait for an answer, so one thread a process asks where every partition ends; workers only
//! look at what it noted. It does nothing else, since the wall clock waits for it; where partitions begin it asks only while
//! somebody misses records, and what is slower, such as looking for new partitions, is `lookout`'s.
//! Invariant: partitions are only ever added, so a partition's number stays its own. An end says what was true at some
//! moment after `asked`; one older than [`FRESH`] proves nothing, so that a partition whose broker cannot be reached
//! counts as behind.
//! Cost: two requests a second and broker; a broker may take a second for each before ends are no longer fresh.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::Offset;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;

use super::SourceError;
use super::client::{Silence, Watch, create};
use super::partitions::{Client, Partition, ask_leaders, ask_offsets, asking_config};
use crate::config::Kafka;

/// How old an end may be for a partition to count as caught up.
pub const FRESH: Duration = Duration::from_secs(2);

/// How long a broker may take to answer. What comes later than [`FRESH`] still says that the broker is there.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);

/// How often ends are asked for.
const PERIOD: Duration = Duration::from_millis(500);

/// Events of the client that are served in a turn: one a call, log lines among them.
const EVENTS: usize = 100;

/// Where a partition ends.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// The offset behind the last record that may be read: what belongs to a transaction that is open stands behind it.
    pub offset: i64,
    /// When it was asked for.
    pub asked: Instant,
}

/// Where partitions begin, as far as somebody wanted to know.
#[derive(Default)]
struct Firsts {
    /// Whether somebody waits for them.
    wanted: bool,
    /// When they were last asked for, and by number the offset of the oldest record that the broker holds.
    learnt: Option<(Instant, Vec<i64>)>,
}

/// What is known of all partitions, by their numbers; any thread may look.
pub struct Ends {
    at_start: usize,
    partitions: RwLock<Arc<Vec<Partition>>>,
    ends: Mutex<Vec<End>>,
    firsts: Mutex<Firsts>,
    /// Kafka's ids of topics that were not known at the start.
    ids: Mutex<BTreeMap<String, u128>>,
    stopped: AtomicBool,
    stop: (Mutex<()>, Condvar),
}

impl Ends {
    /// What was known when the partitions were resolved, which was asked for at this moment or later.
    pub fn new(partitions: &[Partition], asked: Instant) -> Arc<Ends> {
        let ends = partitions.iter().map(|partition| End { offset: partition.end, asked });
        Arc::new(Ends {
            at_start: partitions.len(),
            ends: Mutex::new(ends.collect()),
            firsts: Mutex::default(),
            ids: Mutex::default(),
            partitions: RwLock::new(Arc::new(partitions.to_vec())),
            stopped: AtomicBool::new(false),
            stop: (Mutex::new(()), Condvar::new()),
        })
    }

    /// Takes note of Kafka's id of a topic.
    pub fn identify(&self, topic: &str, id: u128) {
        self.ids.lock().expect("no holder panics").insert(topic.to_owned(), id);
    }

    /// The ids that came to be known since the start.
    pub fn ids(&self) -> BTreeMap<String, u128> {
        self.ids.lock().expect("no holder panics").clone()
    }

    /// The partitions, by number.
    pub fn partitions(&self) -> Arc<Vec<Partition>> {
        Arc::clone(&self.partitions.read().expect("no holder panics"))
    }

    /// How many of them were known at the start.
    pub fn at_start(&self) -> usize {
        self.at_start
    }

    /// Where a partition ends.
    pub fn get(&self, partition: u32) -> Option<End> {
        self.ends.lock().expect("no holder panics").get(partition as usize).copied()
    }

    /// The offset of the oldest record of a partition, if that was learnt after this moment; else it is asked for soon.
    pub fn first_since(&self, partition: u32, since: Instant) -> Option<i64> {
        let mut firsts = self.firsts.lock().expect("no holder panics");
        let learnt = firsts.learnt.as_ref().filter(|(asked, _)| *asked > since);
        let first = learnt.and_then(|(_, firsts)| firsts.get(partition as usize)).copied();
        firsts.wanted |= first.is_none();
        first
    }

    /// For how long some partition's end has not been learnt.
    pub fn age(&self) -> Duration {
        let ends = self.ends.lock().expect("no holder panics");
        ends.iter().map(|end| end.asked.elapsed()).max().unwrap_or_default()
    }

    /// Ends the threads that ask, at their next turns.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Whoever is about to rest has looked before this, or looks after it.
        drop(self.stop.0.lock().expect("no holder panics"));
        self.stop.1.notify_all();
    }

    /// Whether they are to end.
    pub(super) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Waits for as long, or until all is to end.
    pub(super) fn rest(&self, time: Duration) {
        let guard = self.stop.0.lock().expect("no holder panics");
        drop(self.stop.1.wait_timeout_while(guard, time, |()| !self.stopped()));
    }

    /// Adds a partition that was found later, and ended at this offset then; every worker of a process may, in the same
    /// order. Until its end has been asked for here it counts as behind. How many partitions there are up to this one.
    pub fn adopt(&self, partition: Partition, end: i64) -> usize {
        let mut partitions = self.partitions.write().expect("no holder panics");
        let is =
            |known: &Partition| (&known.topic, known.partition) == (&partition.topic, partition.partition);
        let known = partitions.iter().position(is).unwrap_or(partitions.len());
        if known == partitions.len() {
            let now = Instant::now();
            let asked = now.checked_sub(FRESH + Duration::from_millis(1)).unwrap_or(now);
            self.ends.lock().expect("no holder panics").push(End { offset: end, asked });
            Arc::make_mut(&mut partitions).push(partition);
        }
        known + 1
    }

    fn look(&self, client: &Client) -> Result<(), KafkaError> {
        let partitions = self.partitions();
        let pairs: Vec<(&str, i32)> = partitions.iter().map(|p| (p.topic.as_str(), p.partition)).collect();
        let asked = Instant::now();
        let offsets = ask_offsets(client, &pairs, Offset::End, PATIENCE)
            .inspect_err(|_| ask_leaders(client, &pairs, PATIENCE))?;
        let noted = offsets.into_iter().map(|offset| End { offset, asked });
        let mut ends = self.ends.lock().expect("no holder panics");
        ends.iter_mut().zip(noted).for_each(|(end, noted)| *end = noted);
        drop(ends);
        if std::mem::take(&mut self.firsts.lock().expect("no holder panics").wanted) {
            let asked = Instant::now();
            let firsts = ask_offsets(client, &pairs, Offset::Beginning, PATIENCE)?;
            self.firsts.lock().expect("no holder panics").learnt = Some((asked, firsts));
        }
        Ok(())
    }
}

/// Starts the thread that asks.
///
/// # Errors
/// Where librdkafka refuses the settings.
pub fn watch(kafka: &Kafka, ends: Arc<Ends>) -> Result<JoinHandle<()>, SourceError> {
    let client: Client = create(&asking_config(kafka), Watch::default())?;
    let brokers = kafka.brokers.clone();
    let watch = move || {
        let (mut failing, mut silence) = (false, Silence::new(&brokers));
        while !ends.stopped() {
            let begun = Instant::now();
            match ends.look(&client) {
                Ok(()) => {
                    silence.heard();
                    if std::mem::take(&mut failing) {
                        tracing::info!(%brokers, "kafka answers again");
                    }
                }
                Err(error) => {
                    silence.goes_on(client.client());
                    if !std::mem::replace(&mut failing, true) {
                        let error = client.context().explain(&error, &brokers);
                        tracing::warn!("cannot learn where partitions end: {error}");
                    }
                }
            }
            // Serves what librdkafka has to say, so that the reason of a failure is known.
            (0..EVENTS).for_each(|_| drop(client.poll(Duration::ZERO)));
            ends.rest(PERIOD.saturating_sub(begun.elapsed()));
        }
    };
    spawn("kafka-ends", watch)
}

pub(super) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, SourceError> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(run).map_err(|error| SourceError::Io(format!("cannot start a thread: {error}")))
}
