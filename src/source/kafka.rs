//! One worker's share of the partitions.
//!
//! Idea: partitions are assigned by hand, each to one worker; the worker reads the queue of each in turn, a batch at a time, so
//! that a partition with a backlog does not starve the others. librdkafka wakes the worker when a queue fills.
//! Invariant: a partition's position is behind the last record handed out, or at an end that lies behind it; offsets
//! ascend. What cannot be delivered in order ends the run, or is noted as a gap where that is allowed; never a silent
//! jump.
//! Cost: a copy of each record's bytes, by whoever takes them. librdkafka prefetches at most 16 MiB a partition.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use tidings_dataflows::records::Origin;

use super::client::{Watch, create, explain};
use super::ends::{End, Ends, FRESH};
use super::partitions::{Client, Partition, consumer_config};
use super::queue::{Event, PartitionQueue};
use super::{Gap, Polled, Source, SourceError};
use crate::config::{Kafka, OnGap};

struct Share {
    /// The partition's number among all partitions of the run.
    number: u32,
    topic: String,
    partition: i32,
    next: i64,
    /// Whether the record at `next` is not there, as far as Kafka said.
    lost: bool,
    queue: PartitionQueue,
}

type Wake = Arc<dyn Fn() + Send + Sync>;

/// A consumer with its own partitions.
pub struct KafkaSource {
    kafka: Kafka,
    /// Which worker of how many it reads for.
    place: (usize, usize),
    wake: Wake,
    ends: Arc<Ends>,
    /// Partitions of the run that have been looked at, mine or not.
    seen: usize,
    shares: Vec<Share>,
    /// Which partition to begin with next time.
    turn: usize,
    gaps: Vec<Gap>,
    consumer: Option<Arc<Client>>,
}

impl KafkaSource {
    /// Reads those partitions whose number belongs to `worker` of `workers`. `wake` is called on another thread when there is
    /// something to read.
    pub fn new(kafka: &Kafka, place: (usize, usize), ends: Arc<Ends>, wake: Wake) -> KafkaSource {
        KafkaSource {
            kafka: kafka.clone(),
            place,
            wake,
            ends,
            seen: 0,
            shares: Vec::new(),
            turn: 0,
            gaps: Vec::new(),
            consumer: None,
        }
    }

    /// Begins to read the partitions that have not been looked at yet and are this worker's.
    fn adopt(&mut self, partitions: &[Partition]) -> Result<(), SourceError> {
        let (worker, workers) = self.place;
        let mut assignment = TopicPartitionList::new();
        for (number, Partition { topic, partition, start, .. }) in
            partitions.iter().enumerate().skip(self.seen)
        {
            if number % workers != worker {
                continue;
            }
            let consumer = match &self.consumer {
                Some(consumer) => Arc::clone(consumer),
                None => {
                    let consumer = Arc::new(create(&consumer_config(&self.kafka), Watch::default())?);
                    Arc::clone(self.consumer.insert(consumer))
                }
            };
            let wake = Arc::clone(&self.wake);
            let queue = PartitionQueue::split(&consumer, topic, *partition, Box::new(move || wake()))
                .ok_or_else(|| SourceError::Config(format!("no queue for {topic} {partition}")))?;
            let refused = |error| SourceError::Config(explain(&error, &self.kafka.brokers));
            assignment.add_partition_offset(topic, *partition, Offset::Offset(*start)).map_err(refused)?;
            let (number, topic, partition, next) = (number as u32, topic.clone(), *partition, *start);
            self.shares.push(Share { number, topic, partition, next, lost: false, queue });
        }
        self.seen = partitions.len();
        match self.consumer.as_ref().filter(|_| assignment.count() > 0) {
            None => Ok(()),
            Some(consumer) => consumer
                .incremental_assign(&assignment)
                .map_err(|error| SourceError::Config(explain(&error, &self.kafka.brokers))),
        }
    }

    /// Settles what is to become of partitions whose next record is not there, once it is known where they begin.
    fn settle_losses(&mut self) -> Result<(), SourceError> {
        for share in self.shares.iter_mut().filter(|share| share.lost) {
            let Some(End { first, offset: end, .. }) = self.ends.get(share.number) else { continue };
            let Share { topic, partition, next, .. } = &*share;
            if end < *next {
                return Err(SourceError::Fence(format!(
                    "{topic} {partition} ends at offset {end}, before {next}, up to which it has been read: it is not \
                     the partition that it was; start again to count what stands in it now"
                )));
            }
            if first <= *next {
                continue;
            }
            let gone = first - *next;
            if self.kafka.on_gap == OnGap::Stop {
                return Err(SourceError::Fence(format!(
                    "{topic} {partition}: {gone} records are gone that were not read, offsets {next} to {first}: they \
                     were deleted first, by retention or by hand; `kafka.on_gap = \"continue\"` would go on without them"
                )));
            }
            tracing::error!(
                topic,
                partition,
                from = next,
                to = first,
                gone,
                "records are gone that were not read"
            );
            if let Some(consumer) = &self.consumer {
                let to = Offset::Offset(first);
                // Asynchronous with no time to wait; a failure is seen as the same loss again.
                let _ = consumer.seek(topic, *partition, to, Duration::ZERO);
            }
            self.gaps.push(Gap { partition: share.number, from: *next, to: first });
            (share.next, share.lost) = (first, false);
        }
        Ok(())
    }
}

impl Source for KafkaSource {
    fn poll(
        &mut self,
        budget: usize,
        give: &mut dyn FnMut(Origin, Option<&[u8]>),
    ) -> Result<Polled, SourceError> {
        let partitions = self.ends.partitions();
        if partitions.len() > self.seen {
            self.adopt(&partitions)?;
        }
        if let Some(consumer) = &self.consumer {
            // What is not a partition's own: errors of the client as a whole. Brokers away are not fatal.
            while let Some(Err(error)) = consumer.poll(Duration::ZERO) {
                tracing::debug!(%error, "kafka client");
            }
        }
        let (mut left, mut empty) = (budget as i64, 0);
        while left > 0 && empty < self.shares.len() {
            let turn = self.turn % self.shares.len();
            self.turn += 1;
            let Share { number, topic, partition, next, lost, queue } = &mut self.shares[turn];
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
                *lost |= judge(error, topic, *partition, *next)?;
            }
        }
        self.settle_losses()?;
        Ok(if left > 0 { Polled::Idle } else { Polled::More })
    }

    fn positions(&self) -> Vec<(u32, i64)> {
        self.shares.iter().map(|share| (share.number, share.next)).collect()
    }

    fn gaps(&self) -> Vec<Gap> {
        self.gaps.clone()
    }

    fn is_behind(&self) -> bool {
        let caught_up = |share: &Share| {
            let end = self.ends.get(share.number);
            end.is_some_and(|end| end.asked.elapsed() <= FRESH && share.next >= end.offset)
        };
        !self.shares.iter().all(caught_up)
    }
}

/// Whether a failure to fetch means that the next record is gone; if not, it passes.
fn judge(error: RDKafkaErrorCode, topic: &str, partition: i32, next: i64) -> Result<bool, SourceError> {
    match error {
        RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset => Ok(true),
        RDKafkaErrorCode::TopicAuthorizationFailed => Err(SourceError::Config(format!(
            "{topic}: not allowed to read it; grant this user READ and DESCRIBE on the topic"
        ))),
        error => {
            tracing::warn!(topic, partition, next, %error, "fetching failed, it is tried again");
            Ok(false)
        }
    }
}
