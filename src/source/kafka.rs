//! One worker's share of the partitions.
//!
//! Idea: partitions are assigned by hand, each to one worker; the worker reads the queue of each in turn, a batch at a time, so
//! that a partition with a backlog does not starve the others. librdkafka wakes the worker when a queue fills.
//! Invariant: a partition's position is behind the last record handed out, or at an end that lies behind it; offsets
//! ascend. What librdkafka cannot deliver in order is an error, never a silent jump.
//! Cost: a copy of each record's bytes, by whoever takes them. librdkafka prefetches at most 16 MiB a partition.

use std::sync::Arc;

use rdkafka::consumer::Consumer;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use tidings_dataflows::records::Origin;

use super::client::{Watch, create, explain};
use super::ends::{Ends, FRESH};
use super::partitions::{Client, Partition, consumer_config};
use super::queue::{Event, PartitionQueue};
use super::{Polled, Source, SourceError};
use crate::config::Kafka;

struct Share {
    /// The partition's number among all partitions of the run.
    number: u32,
    topic: String,
    partition: i32,
    next: i64,
    queue: PartitionQueue,
}

/// A consumer with its own partitions.
pub struct KafkaSource {
    shares: Vec<Share>,
    /// Which partition to begin with next time.
    turn: usize,
    ends: Arc<Ends>,
    consumer: Option<Arc<Client>>,
}

impl KafkaSource {
    /// Begins to read those partitions whose number belongs to `worker` of `workers`.
    ///
    /// # Errors
    /// Where librdkafka refuses the settings or the assignment.
    pub fn assign(
        kafka: &Kafka,
        partitions: &[Partition],
        (worker, workers): (usize, usize),
        ends: Arc<Ends>,
        wake: impl Fn() + Clone + Send + Sync + 'static,
    ) -> Result<KafkaSource, SourceError> {
        let refused = |error| SourceError::Config(explain(&error, &kafka.brokers));
        let mine: Vec<(usize, &Partition)> =
            partitions.iter().enumerate().filter(|(number, _)| number % workers == worker).collect();
        if mine.is_empty() {
            return Ok(KafkaSource { shares: Vec::new(), turn: 0, ends, consumer: None });
        }
        let consumer: Arc<Client> = Arc::new(create(&consumer_config(kafka), Watch::default())?);
        let mut assignment = TopicPartitionList::new();
        let mut shares = Vec::new();
        for (number, Partition { topic, partition, start, .. }) in mine {
            let queue = PartitionQueue::split(&consumer, topic, *partition, Box::new(wake.clone()))
                .ok_or_else(|| SourceError::Config(format!("no queue for {topic} {partition}")))?;
            assignment.add_partition_offset(topic, *partition, Offset::Offset(*start)).map_err(refused)?;
            let (number, next) = (number as u32, *start);
            shares.push(Share { number, topic: topic.clone(), partition: *partition, next, queue });
        }
        consumer.assign(&assignment).map_err(refused)?;
        Ok(KafkaSource { shares, turn: 0, ends, consumer: Some(consumer) })
    }
}

impl Source for KafkaSource {
    fn poll(
        &mut self,
        budget: usize,
        give: &mut dyn FnMut(Origin, Option<&[u8]>),
    ) -> Result<Polled, SourceError> {
        if let Some(consumer) = &self.consumer {
            // What is not a partition's own: errors of the client as a whole. Brokers away are not fatal.
            while let Some(Err(error)) = consumer.poll(std::time::Duration::ZERO) {
                tracing::debug!(%error, "kafka client");
            }
        }
        let (mut left, mut empty) = (budget as i64, 0);
        while left > 0 && empty < self.shares.len() {
            let turn = self.turn % self.shares.len();
            self.turn += 1;
            let Share { number, topic, partition, next, queue } = &mut self.shares[turn];
            let mut failed = None;
            let events = queue.drain(|event| match event {
                // After a reconnect librdkafka may deliver what has been seen.
                Event::Record(offset, ..) if offset < *next => {}
                Event::Record(offset, time, value) => {
                    *next = offset + 1;
                    left -= value.map_or(0, <[u8]>::len) as i64 + 32;
                    give(Origin { partition: *number, offset, time }, value);
                }
                Event::End(offset) => *next = offset.max(*next),
                Event::Failed(error) => failed = Some(error),
            });
            empty = if events == 0 { empty + 1 } else { 0 };
            if let Some(error) = failed {
                judge(error, topic, *partition, *next)?;
            }
        }
        Ok(if left > 0 { Polled::Idle } else { Polled::More })
    }

    fn positions(&self) -> Vec<(u32, i64)> {
        self.shares.iter().map(|share| (share.number, share.next)).collect()
    }

    fn is_behind(&self) -> bool {
        let caught_up = |share: &Share| {
            self.ends
                .get(share.number)
                .is_some_and(|end| end.asked.elapsed() <= FRESH && share.next >= end.offset)
        };
        !self.shares.iter().all(caught_up)
    }
}

/// Whether a failure to fetch is one that passes.
fn judge(error: RDKafkaErrorCode, topic: &str, partition: i32, next: i64) -> Result<(), SourceError> {
    match error {
        RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset => {
            Err(SourceError::Fence(format!(
                "{topic} {partition}: offset {next} is not there any more, so records are lost; \
             the topic's retention is shorter than the time for which they were not read"
            )))
        }
        RDKafkaErrorCode::UnknownTopicOrPartition
        | RDKafkaErrorCode::UnknownTopic
        | RDKafkaErrorCode::UnknownPartition => {
            Err(SourceError::Fence(format!("{topic} {partition}: the topic or partition was deleted")))
        }
        RDKafkaErrorCode::TopicAuthorizationFailed => Err(SourceError::Config(format!(
            "{topic}: not allowed to read it; grant this user READ and DESCRIBE on the topic"
        ))),
        error => {
            tracing::warn!(topic, partition, next, %error, "fetching failed, it is tried again");
            Ok(())
        }
    }
}
