//! How far counting has come, as offsets of the group, for tools that watch lag.
//!
//! Idea: the clients that read never commit. librdkafka starts no partition that is assigned while a commit waits, and one waits
//! for as long as there is no coordinator that may be asked: for ever, one after another, where this user has no right on the
//! group. A partition that is found later would never be read. So one more client of each process commits, and reads nothing.
//! Invariant: nothing here is ever read back, and no count depends on it. What cannot be committed costs a line in the log, and
//! another one only after some has been.
//! Cost: a client of librdkafka's; up to three seconds at the end, for offsets that are on their way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};

use super::client::{self, ClientError, Silence};
use super::partitions::{consumer_config, leave};
use super::queue::{commit, waiting};
use crate::config::Kafka;

/// Events of the client that are served at a commit at most: what became of those before, and its log.
const EVENTS: usize = 1000;

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
    /// For the group of these settings.
    pub fn new(kafka: &Kafka) -> Committer {
        Committer { kafka: kafka.clone(), open: Mutex::default() }
    }

    /// Looks for the group's coordinator, so that it is known by the time of the first commit.
    ///
    /// # Errors
    /// Where the settings are wrong.
    pub fn open(&self) -> Result<(), ClientError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.is_none() {
            let client = client::create(&consumer_config(&self.kafka, 1), Heard::default())?;
            *open = Some(Open { client, silence: Silence::new(&self.kafka.brokers) });
        }
        Ok(())
    }

    /// Commits these offsets, sooner or later or not at all.
    pub fn commit(&self, offsets: &TopicPartitionList) {
        if let Some(open) = &mut *self.open.lock().unwrap_or_else(PoisonError::into_inner) {
            open.commit(offsets);
        }
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
    fn commit(&mut self, offsets: &TopicPartitionList) {
        self.serve();
        if self.client.context().waits.swap(true, Ordering::Relaxed) {
            self.silence.goes_on(self.client.client());
        } else {
            self.silence.heard();
        }
        if let Err(error) = commit(&self.client, offsets) {
            tracing::debug!(%error, "offsets are not committed");
        }
    }

    fn serve(&self) {
        for _ in 0..waiting(&self.client).min(EVENTS) {
            if let Some(Err(error)) = self.client.poll(Duration::ZERO) {
                tracing::debug!(%error, "kafka client that commits");
            }
        }
    }
}

/// Hears what became of commits.
#[derive(Default)]
struct Heard {
    /// Whether nothing has been heard since the last one.
    waits: AtomicBool,
    /// Whether it has been said that they fail.
    said: AtomicBool,
}

impl ClientContext for Heard {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka client that commits");
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
                    "offsets are not committed for lag tools, and nothing else depends on them: {error}"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use rdkafka::Offset;
    use rdkafka::mocking::MockCluster;
    use rdkafka::types::RDKafkaApiKey as Api;
    use rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED as NOT_ALLOWED;

    use super::*;
    use crate::config::Config;

    /// Commits until the context says what is wanted.
    fn commits_until(committer: &Committer, next: i64, is: impl Fn(&Heard) -> bool) {
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset("posts", 0, Offset::Offset(next)).expect("an offset");
        let begun = Instant::now();
        loop {
            committer.commit(&offsets);
            let open = committer.open.lock().expect("no holder panics");
            let open = open.as_ref().expect("it was opened");
            std::thread::sleep(Duration::from_millis(50));
            open.serve();
            if is(open.client.context()) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "nothing is heard of commits");
        }
    }

    #[test]
    fn what_becomes_of_a_commit_is_heard_whatever_it_is() {
        let cluster = MockCluster::new(1).expect("a test cluster");
        cluster.create_topic("posts", 1, 1).expect("a topic");
        let mut kafka = Config::default().kafka;
        kafka.brokers = cluster.bootstrap_servers();
        let committer = Committer::new(&kafka);
        committer.open().expect("the settings are valid");
        let is_heard = |heard: &Heard| !heard.waits.load(Ordering::Relaxed);
        let has_failed = |heard: &Heard| heard.said.load(Ordering::Relaxed);
        commits_until(&committer, 7, |heard| is_heard(heard) && !has_failed(heard));
        let committed = {
            let open = committer.open.lock().expect("no holder panics");
            let client = &open.as_ref().expect("it was opened").client;
            let mut asked = TopicPartitionList::new();
            asked.add_partition("posts", 0);
            client.committed_offsets(asked, Duration::from_secs(20)).expect("an answer")
        };
        assert_eq!(committed.elements()[0].offset(), Offset::Offset(7));
        cluster.request_errors(Api::OffsetCommit, &[NOT_ALLOWED; 3]);
        commits_until(&committer, 8, has_failed);
        cluster.clear_request_errors(Api::OffsetCommit);
        commits_until(&committer, 9, |heard| !has_failed(heard));
    }
}
