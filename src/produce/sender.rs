//! Records into one topic, as fast as Kafka takes them, none lost without a word.
//!
//! Idea: an idempotent producer with large batches, whose queue is bounded: where it is full, the caller waits until
//! Kafka has taken something off it. While the broker is away librdkafka tries again, for five minutes by its default
//! `message.timeout.ms`; only then is a record given up, counted and reported.
//! A source that can be resumed never gives a record up by time: it waits, as what comes next can wait where it is.
//! Invariant: every record for which [`Sender::send`] returned true is delivered or counted as failed once
//! [`Sender::finish`] returns; duplicates do not arise by retries, and the order within a partition holds. Headers say
//! where a record comes from: `source`, `id`, and of a source that can be resumed `position` and `resume` (see [`Marks`]).
//! Cost: librdkafka copies each record once; at most 64 MiB or 200,000 records wait. One thread counts what is
//! acknowledged, so that who sends never waits for that.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, PurgeConfig, ThreadedProducer};

use super::marks::Marks;
use super::progress::Progress;
use super::stop::Stop;
use super::tally::Tally;
use crate::config::Kafka;
use crate::source::client::{self, ClientError, Silence, Watch};

const DEFAULTS: [(&str, &str); 7] = [
    ("enable.idempotence", "true"),
    ("linger.ms", "20"),
    ("compression.codec", "lz4"),
    ("batch.size", "1000000"),
    ("batch.num.messages", "100000"),
    ("queue.buffering.max.kbytes", "65536"),
    ("queue.buffering.max.messages", "200000"),
];
/// What a source needs on top that goes on for days: no record is given up while a broker is away.
const PATIENT: [(&str, &str); 1] = [("message.timeout.ms", "0")];
/// After how many records the clock is asked whether to show how far it is.
const SHOW_EVERY: u32 = 256;
/// How long one wait lasts at least.
const TICK: Duration = Duration::from_millis(2);
/// How long one wait lasts at most, so that a signal is seen soon.
const SLICE: Duration = Duration::from_millis(50);
/// How long what is on its way may take once the user has asked to stop.
const LAST_CALL: Duration = Duration::from_secs(25);

/// A record on its way.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The post's id where it has one.
    pub key: Option<&'a [u8]>,
    /// The post as its source wrote it; `None` is Kafka's null.
    pub value: Option<&'a [u8]>,
    /// Its timestamp in Unix milliseconds, at least 1.
    pub time_ms: i64,
    /// Where it comes from, such as `bluesky`.
    pub source: &'static str,
    /// Where its source can be resumed, if it can.
    pub position: Option<u64>,
}

/// A producer for one topic.
pub struct Sender {
    producer: ThreadedProducer<Deliveries>,
    topic: String,
    brokers: String,
    stop: Stop,
    progress: Progress,
    unshown: u32,
    silence: Silence,
    /// Until when what has been read is still sent and waited for; set once the user has asked to stop.
    deadline: Option<Instant>,
}

/// The producer can do no more; what it had is counted as failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SendError(String);

impl Sender {
    /// A producer for this topic, which should be there.
    ///
    /// # Errors
    /// Where the settings are wrong.
    pub fn new(kafka: &Kafka, topic: &str, stop: Stop, progress: Progress) -> Result<Self, ClientError> {
        Self::with(kafka, topic, stop, progress, &DEFAULTS)
    }

    /// The same for a source that goes on for days: no record is given up while a broker is away.
    ///
    /// # Errors
    /// The same.
    pub fn patient(kafka: &Kafka, topic: &str, stop: Stop, progress: Progress) -> Result<Self, ClientError> {
        Self::with(kafka, topic, stop, progress, &[DEFAULTS.as_slice(), &PATIENT].concat())
    }

    fn with(
        kafka: &Kafka,
        topic: &str,
        stop: Stop,
        progress: Progress,
        defaults: &[(&str, &str)],
    ) -> Result<Self, ClientError> {
        let config = client::client_config_with(kafka, defaults);
        let producer = client::create(&config, Deliveries::default())?;
        let (topic, brokers) = (topic.to_owned(), kafka.brokers.clone());
        let silence = Silence::new(&brokers);
        Ok(Self { producer, topic, brokers, stop, progress, unshown: 0, silence, deadline: None })
    }

    /// Hands a record over, and waits as long as the queue is full. False: it was not taken, since the user asked to stop
    /// 25 seconds ago.
    ///
    /// # Errors
    /// Where the producer is of no more use. A record that is too large is counted as failed, and is no error here.
    pub fn send(&mut self, outgoing: Outgoing<'_>) -> Result<bool, SendError> {
        let (mark, headers) = self.mark(&outgoing);
        let mut record: BaseRecord<'_, [u8], [u8], usize> = BaseRecord::with_opaque_to(&self.topic, mark);
        record.key = outgoing.key;
        record.payload = outgoing.value;
        record.headers = Some(headers);
        // librdkafka takes 0 for "now".
        record.timestamp = Some(outgoing.time_ms.max(1));
        while let Err((error, again)) = self.producer.send(record) {
            match error {
                KafkaError::MessageProduction(Code::QueueFull) if is_over(&self.stop, &mut self.deadline) => {
                    // Its mark stays open: what was not taken must be read again.
                    return Ok(false);
                }
                KafkaError::MessageProduction(Code::QueueFull) => {
                    record = again;
                    std::thread::sleep(TICK);
                    show(&mut self.progress, &self.producer, &mut self.silence, &self.brokers);
                }
                KafkaError::MessageProduction(Code::MessageSizeTooLarge) => {
                    self.producer.context().tally().failed(&error);
                    self.producer.context().close(mark);
                    return Ok(true);
                }
                error => return Err(self.broken(&error)),
            }
        }
        self.unshown += 1;
        if self.unshown >= SHOW_EVERY {
            self.unshown = 0;
            self.show();
        }
        Ok(true)
    }

    /// The number of its mark, 0 for none, and its headers.
    fn mark(&self, outgoing: &Outgoing<'_>) -> (usize, OwnedHeaders) {
        let fields = 1 + usize::from(outgoing.key.is_some()) + 2 * usize::from(outgoing.position.is_some());
        let mut headers = OwnedHeaders::new_with_capacity(fields)
            .insert(Header { key: "source", value: Some(outgoing.source) });
        if let Some(id) = outgoing.key {
            headers = headers.insert(Header { key: "id", value: Some(id) });
        }
        let Some(position) = outgoing.position else { return (0, headers) };
        let (mark, safe) = {
            let mut marks = self.producer.context().marks();
            let mark = marks.open(position);
            (mark, marks.safe())
        };
        headers = headers
            .insert(Header { key: "position", value: Some(&position.to_string()) })
            .insert(Header { key: "resume", value: Some(&safe.to_string()) });
        (mark, headers)
    }

    /// A position of the source has been read of which no record comes.
    pub fn pass(&self, position: u64) {
        self.producer.context().marks().pass(position);
    }

    /// Shows how far it is, when that is due.
    pub fn show(&mut self) {
        show(&mut self.progress, &self.producer, &mut self.silence, &self.brokers);
    }

    /// Tells the user something that is no warning.
    pub fn say(&self, text: &str) {
        self.progress.say(text);
    }

    /// What the line says beside the counts; empty: nothing.
    pub fn note(&mut self, text: String) {
        self.progress.note(text);
    }

    /// How far it is, where the end is known.
    pub fn reached(&mut self, done: u64) {
        self.progress.reached(done);
    }

    /// Waits until this moment. False: the user has asked to stop. It may be two milliseconds later, since that many
    /// shorter waits would cost more than what is sent between them.
    pub fn wait_until(&mut self, moment: Instant) -> bool {
        let moment = moment.max(Instant::now() + TICK);
        while !self.stop.asked() {
            self.show();
            let left = moment.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(SLICE));
        }
        false
    }

    /// Whether the user has asked to stop.
    pub fn stopped(&self) -> bool {
        self.stop.asked()
    }

    /// Counts a record that was never handed over as failed.
    pub fn refuse(&self, error: Code) {
        self.producer.context().tally().failed(&KafkaError::MessageProduction(error));
    }

    /// Shows a warning to the user.
    pub fn warn(&self, text: &str) {
        self.progress.warn(text);
    }

    /// Waits for all that is on its way and says what became of it, and why the first that failed did. Once the user
    /// has asked to stop that takes 25 seconds at most; what is then still waiting counts as failed.
    pub fn finish(mut self) -> (Tally, Option<String>) {
        while self.producer.in_flight_count() > 0 {
            if is_over(&self.stop, &mut self.deadline) {
                self.producer.purge(PurgeConfig::default().queue().inflight());
            }
            std::thread::sleep(TICK);
            self.show();
        }
        self.progress.end();
        let tally = self.producer.context().tally().clone();
        let why = tally.failure.as_ref().map(|error| self.explain(error));
        (tally, why)
    }

    /// One line for an error of a record.
    fn explain(&self, error: &KafkaError) -> String {
        self.producer.context().watch.explain(error, &self.brokers)
    }

    fn broken(&self, error: &KafkaError) -> SendError {
        match self.producer.client().fatal_error() {
            Some((code, reason)) => {
                SendError(format!("Kafka at {} ended the producer: {code} ({reason})", self.brokers))
            }
            None => SendError(self.explain(error)),
        }
    }
}

/// Whether the user asked to stop so long ago that nothing is waited for any more; a free function for the same reason as `show`.
fn is_over(stop: &Stop, deadline: &mut Option<Instant>) -> bool {
    stop.asked() && Instant::now() > *deadline.get_or_insert_with(|| Instant::now() + LAST_CALL)
}

/// Hears whether Kafka still answers, and shows the state of affairs when that is due; a free function, since a record may still
/// borrow the sender's topic.
fn show(
    progress: &mut Progress,
    producer: &ThreadedProducer<Deliveries>,
    silence: &mut Silence,
    brokers: &str,
) {
    let settled = {
        let tally = producer.context().tally();
        tally.posts + tally.failed
    };
    silence.listen(producer, settled);
    if progress.due() {
        let tally = producer.context().tally().clone();
        let trouble = producer.context().watch.last();
        let waiting = producer.in_flight_count();
        let why =
            || trouble.map_or_else(|| brokers.to_owned(), |(_, reason)| client::short(&reason).to_owned());
        progress.show(&tally, waiting, why);
    }
}

/// The context of the producer: counts what is acknowledged.
#[derive(Default)]
struct Deliveries {
    watch: Watch,
    tally: Mutex<Tally>,
    marks: Mutex<Marks>,
}

impl Deliveries {
    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A record is no longer on its way; 0 is one without a mark.
    fn close(&self, mark: usize) {
        if mark != 0 {
            self.marks().close(mark);
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.watch.heard(&error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, mark: usize) {
        self.close(mark);
        match result {
            Ok(message) => {
                let bytes = message.payload_len() + message.key_len();
                self.tally().delivered(message.partition(), message.offset(), bytes);
            }
            Err((error, _)) => self.tally().failed(error),
        }
    }
}

#[cfg(test)]
mod tests;
