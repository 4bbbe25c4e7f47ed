//! Bad records, sent on to a topic of their own, for whoever wants to mend or to judge them.
//!
//! Idea: the bytes as they were, and headers that say where they came from: `topic`, `partition`, `offset`, `timestamp`
//! (Unix milliseconds; left out where the record had none), `reason`, and `detail` in words. The producer is idempotent
//! and never waited for: handing a letter over only copies it into a queue.
//! Invariant: the stream is never held up. Where the topic is missing, slow or away the queue fills, and what does not
//! fit, or could not be delivered in time, is lost: counted, and logged once in ten seconds at most. Every letter is
//! counted as written or lost by the end of [`DeadLetters::finish`].
//! Cost: at most [`QUEUE_KB`] and [`QUEUE_LETTERS`]; a copy of each bad record, and a thread of librdkafka's.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, PurgeConfig, ThreadedProducer};

use super::client::{self, ClientError, Silence, Watch};
use crate::config::Kafka;

/// Kilobytes of letters that may wait to be written.
pub const QUEUE_KB: &str = "32768";

/// Letters that may wait to be written.
pub const QUEUE_LETTERS: &str = "50000";

/// Least time between two lines in the log about lost letters.
const QUIET: Duration = Duration::from_secs(10);

/// How long one wait of the end is.
const SLICE: Duration = Duration::from_millis(500);

/// How long the end waits for letters on their way.
const LAST_CALL: Duration = Duration::from_secs(10);

const DEFAULTS: [(&str, &str); 7] = [
    ("enable.idempotence", "true"),
    ("linger.ms", "50"),
    ("compression.codec", "lz4"),
    ("queue.buffering.max.kbytes", QUEUE_KB),
    ("queue.buffering.max.messages", QUEUE_LETTERS),
    // The broker decides what is too large, since it took the record in the first place.
    ("message.max.bytes", "1000000000"),
    ("message.timeout.ms", "120000"),
];

/// A bad record.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// The topic that it stood in.
    pub topic: &'a str,
    /// The partition of the topic.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// The record's timestamp in Unix milliseconds; negative: it has none.
    pub time: i64,
    /// Why it is bad, in a word.
    pub reason: &'a str,
    /// Why it is bad, in a line.
    pub detail: &'a str,
    /// Its bytes; `None`: Kafka's null.
    pub value: Option<&'a [u8]>,
}

/// What became of the letters so far.
#[derive(Clone, Debug, Default)]
pub struct Fates(Arc<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    written: AtomicU64,
    lost: AtomicU64,
}

impl Fates {
    /// Letters that Kafka has acknowledged.
    pub fn written(&self) -> u64 {
        self.0.written.load(Ordering::Relaxed)
    }

    /// Letters that are in no topic.
    pub fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }
}

/// Writes dead letters; shared by all workers.
pub struct DeadLetters {
    producer: ThreadedProducer<Reports>,
    silence: Mutex<Silence>,
}

impl DeadLetters {
    /// Into this topic of the brokers that records are read from. Nothing is asked of them yet.
    ///
    /// # Errors
    /// Where the settings are wrong.
    pub fn new(kafka: &Kafka, topic: &str) -> Result<DeadLetters, ClientError> {
        let config = client::client_config_with(kafka, &DEFAULTS);
        let reports = Reports {
            fates: Fates::default(),
            quiet: Mutex::default(),
            watch: Watch::default(),
            topic: topic.to_owned(),
            brokers: kafka.brokers.clone(),
        };
        let silence = Mutex::new(Silence::new(&kafka.brokers));
        Ok(DeadLetters { producer: client::create(&config, reports)?, silence })
    }

    /// What became of the letters, to be asked at any time.
    pub fn fates(&self) -> Fates {
        self.producer.context().fates.clone()
    }

    /// Hands a letter over, and never waits.
    pub fn send(&self, letter: &Letter<'_>) {
        let (partition, offset, time) =
            (letter.partition.to_string(), letter.offset.to_string(), letter.time.to_string());
        let named = [
            ("topic", letter.topic),
            ("partition", &partition),
            ("offset", &offset),
            ("timestamp", &time),
            ("reason", letter.reason),
            ("detail", letter.detail),
        ];
        let known = named.into_iter().filter(|(key, _)| *key != "timestamp" || letter.time >= 0);
        let headers = known.fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value) })
        });
        let mut record: BaseRecord<'_, [u8], [u8]> =
            BaseRecord::to(&self.producer.context().topic).headers(headers);
        record.payload = letter.value;
        if let Err((error, _)) = self.producer.send(record) {
            self.producer.context().lost(&error);
        }
    }

    /// Hears whether anything has become of the letters on their way; to be called now and then.
    pub fn listen(&self) {
        let fates = &self.producer.context().fates;
        let mut silence = self.silence.lock().unwrap_or_else(PoisonError::into_inner);
        silence.listen(&self.producer, fates.written() + fates.lost());
    }

    /// Waits for the letters on their way, for so long or ten seconds at most; those that are then still waiting are lost.
    pub fn finish(&self, patience: Duration) {
        let until = Instant::now() + patience.min(LAST_CALL);
        while self.producer.flush(SLICE).is_err() && Instant::now() < until {
            self.listen();
        }
        if self.producer.in_flight_count() > 0 {
            self.producer.purge(PurgeConfig::default().queue().inflight());
            // Only serves the reports of what was just taken out of the queue.
            let _ = self.producer.flush(Duration::from_secs(1));
        }
        let reports = self.producer.context();
        reports.say(&mut reports.quiet.lock().unwrap_or_else(PoisonError::into_inner), true);
    }
}

/// Hears what became of each letter.
struct Reports {
    fates: Fates,
    quiet: Mutex<Quiet>,
    watch: Watch,
    topic: String,
    brokers: String,
}

/// What has not been logged yet.
#[derive(Default)]
struct Quiet {
    last: Option<Instant>,
    unsaid: u64,
    /// Of the last of them.
    why: Option<KafkaError>,
}

impl Reports {
    fn lost(&self, error: &KafkaError) {
        self.fates.0.lost.fetch_add(1, Ordering::Relaxed);
        let mut quiet = self.quiet.lock().unwrap_or_else(PoisonError::into_inner);
        quiet.unsaid += 1;
        quiet.why = Some(error.clone());
        self.say(&mut quiet, false);
    }

    /// Logs what was lost since the last time; `now`: however short ago that was.
    fn say(&self, quiet: &mut Quiet, now: bool) {
        let due = now || quiet.last.is_none_or(|last| last.elapsed() >= QUIET);
        if let Some(why) = quiet.why.take_if(|_| due) {
            let why = match why {
                KafkaError::MessageProduction(Code::QueueFull) => {
                    "they come faster than Kafka takes them".to_owned()
                }
                error => self.watch.explain(&error, &self.brokers),
            };
            let (topic, lost) = (&self.topic, quiet.unsaid);
            tracing::warn!(topic, lost, "dead letters were lost: {why}");
            (quiet.last, quiet.unsaid) = (Some(Instant::now()), 0);
        }
    }
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.watch.heard(&error, reason);
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        match result {
            Ok(_) => {
                self.fates.0.written.fetch_add(1, Ordering::Relaxed);
            }
            Err((error, _)) => self.lost(error),
        }
    }
}
