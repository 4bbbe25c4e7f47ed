//! How far counting has come, as offsets of the group, for tools that watch lag.
//!
//! Idea: the clients that read never commit. librdkafka starts no partition that is assigned while a commit waits, and one waits
//! for as long as there is no coordinator that may be asked: for ever, one after another, where this user has no right on the
//! group. A partition that is found later would never be read. So one more client of each process commits, and reads nothing.
//! Invariant: nothing here is ever read back, and nothing waits for it. What cannot be committed costs a line in the log and no
//! count.
//! Cost: a client of librdkafka's, from the first commit on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::KafkaResult;

use super::client::{self, ClientError, Silence};
use super::partitions::{consumer_config, leave};
use crate::config::Kafka;

/// Events of the client that are served at a commit: what became of those before, and its log.
const EVENTS: usize = 100;

/// Commits for all workers of a process.
pub struct Committer {
    kafka: Kafka,
    open: Mutex<Option<Open>>,
}

struct Open {
    client: BaseConsumer<Heard>,
    silence: Silence,
}

impl Committer {
    /// For the group of these settings. Nobody is asked yet.
    pub fn new(kafka: &Kafka) -> Committer {
        Committer { kafka: kafka.clone(), open: Mutex::default() }
    }

    /// Commits these offsets, sooner or later or not at all.
    pub fn commit(&self, offsets: &TopicPartitionList) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = match &mut *open {
            Some(open) => open,
            none => match Open::new(&self.kafka) {
                Ok(new) => none.insert(new),
                Err(error) => return tracing::debug!(%error, "offsets are not committed"),
            },
        };
        open.commit(offsets);
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        let open = self.open.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = open.take() {
            leave(open.client);
        }
    }
}

impl Open {
    fn new(kafka: &Kafka) -> Result<Open, ClientError> {
        let client = client::create(&consumer_config(kafka, 1), Heard::default())?;
        Ok(Open { client, silence: Silence::new(&kafka.brokers) })
    }

    fn commit(&mut self, offsets: &TopicPartitionList) {
        for _ in 0..EVENTS {
            if let Some(Err(error)) = self.client.poll(Duration::ZERO) {
                tracing::debug!(%error, "kafka client that commits");
            }
        }
        if self.client.context().waits.swap(true, Ordering::Relaxed) {
            self.silence.goes_on(self.client.client());
        } else {
            self.silence.heard();
        }
        if let Err(error) = self.client.commit(offsets, CommitMode::Async) {
            tracing::debug!(%error, "offsets are not committed");
        }
    }
}

/// Hears what became of commits.
#[derive(Default)]
struct Heard {
    /// Whether nothing was heard since the last one.
    waits: AtomicBool,
    /// Whether it has been said that they fail.
    said: AtomicBool,
}

impl ClientContext for Heard {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if facility != "COMMITFAIL" || !self.said.swap(true, Ordering::Relaxed) {
            client::log(level, facility, message);
        }
    }
}

impl ConsumerContext for Heard {
    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        self.waits.store(false, Ordering::Relaxed);
        match result {
            Ok(()) => self.said.store(false, Ordering::Relaxed),
            Err(error) if self.said.swap(true, Ordering::Relaxed) => {
                tracing::debug!(%error, "offsets are not committed");
            }
            Err(error) => {
                tracing::warn!(
                    "offsets are not committed for lag tools ({error}); counting does not depend on them"
                );
            }
        }
    }
}
