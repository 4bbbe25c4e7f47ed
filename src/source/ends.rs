//! Where partitions end, asked for in a thread of its own.
//!
//! Idea: a worker must never wait for an answer, so one thread a process asks once a second where every partition ends,
//! and notes when it asked; workers compare their positions with that.
//! Invariant: an end says what was true at some moment after `asked`; one older than [`FRESH`] proves nothing, so that a
//! partition whose broker cannot be reached counts as behind.
//! Cost: one request a second and broker.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::Offset;
use rdkafka::consumer::Consumer;

use super::SourceError;
use super::client::{Watch, create};
use super::partitions::{Client, Partition, ask_offsets, consumer_config};
use crate::config::Kafka;

/// How old an end may be for a partition to count as caught up.
pub const FRESH: Duration = Duration::from_secs(2);

/// How often ends are asked for.
const PERIOD: Duration = Duration::from_millis(500);

/// Where a partition ends.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// The offset behind its last record.
    pub offset: i64,
    /// When it was asked for.
    pub asked: Instant,
}

/// The ends of all partitions, by their numbers; any thread may look.
pub struct Ends {
    ends: Mutex<Vec<End>>,
    stopped: AtomicBool,
    stop: (Mutex<()>, Condvar),
}

impl Ends {
    /// The ends as they were when the partitions were resolved.
    pub fn new(partitions: &[Partition]) -> Arc<Ends> {
        let asked = Instant::now();
        let ends = partitions.iter().map(|partition| End { offset: partition.end, asked });
        Arc::new(Ends {
            ends: Mutex::new(ends.collect()),
            stopped: AtomicBool::new(false),
            stop: (Mutex::new(()), Condvar::new()),
        })
    }

    /// Where a partition ends.
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
}

/// Starts the thread that asks.
///
/// # Errors
/// Where librdkafka refuses the settings.
pub fn watch(
    kafka: &Kafka,
    partitions: Vec<Partition>,
    ends: Arc<Ends>,
) -> Result<JoinHandle<()>, SourceError> {
    let consumer: Client = create(&consumer_config(kafka), Watch::default())?;
    let brokers = kafka.brokers.clone();
    let thread = std::thread::Builder::new().name("kafka-ends".to_owned());
    let watch = move || {
        let pairs: Vec<(&str, i32)> = partitions.iter().map(|p| (p.topic.as_str(), p.partition)).collect();
        let mut failing = false;
        while !ends.stopped.load(Ordering::SeqCst) {
            let asked = Instant::now();
            match ask_offsets(&consumer, &pairs, Offset::End, FRESH) {
                Ok(offsets) => {
                    if std::mem::take(&mut failing) {
                        tracing::info!(%brokers, "kafka answers again");
                    }
                    let mut ends = ends.ends.lock().expect("no holder panics");
                    ends.iter_mut().zip(offsets).for_each(|(end, offset)| *end = End { offset, asked });
                }
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(
                            "cannot learn where partitions end: {}",
                            consumer.context().explain(&error, &brokers)
                        );
                    }
                }
            }
            // Serves what librdkafka has to say, so that the reason of a failure is known.
            consumer.poll(Duration::ZERO);
            let guard = ends.stop.0.lock().expect("no holder panics");
            drop(ends.stop.1.wait_timeout(guard, PERIOD));
        }
    };
    thread.spawn(watch).map_err(|error| SourceError::Io(format!("cannot start a thread: {error}")))
}
