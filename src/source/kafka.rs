//! One worker's share of the partitions.
//!
//! Idea: partitions are assigned by hand, each to one worker; the worker reads the queue of each in turn, a batch at a time, so
//! that a partition with a backlog does not starve the others. librdkafka wakes the worker when a queue fills.
//! Invariant: that of each partition, see `share`. Nothing waits for a broker.
//! Cost: a copy of each record's bytes, by whoever takes them; and what librdkafka fetches ahead, see [`consumer_config`].

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::{Offset, TopicPartitionList};
use tidings_dataflows::records::Origin;

use super::client::{Silence, Watch, create};
use super::committer::Committer;
use super::ends::Ends;
use super::partitions::{Client, Partition, consumer_config, leave};
use super::queue::waiting;
use super::share::{Drained, Reading, Share, is_caught_up, refused};
use super::{Gap, Polled, Position, Source, SourceError};
use crate::config::Kafka;

/// Events of the client that are served in a turn at most. With `debug` among the properties there may be thousands a second.
const EVENTS: usize = 1000;

type Wake = Arc<dyn Fn() + Send + Sync>;

/// A consumer with its own partitions.
pub struct KafkaSource {
    kafka: Kafka,
    /// Which worker of how many it reads for.
    place: (usize, usize),
    wake: Wake,
    ends: Arc<Ends>,
    committer: Arc<Committer>,
    /// Partitions of the run that the worker knows of, and of those how many have been looked at, mine or not.
    known: usize,
    seen: usize,
    shares: Vec<Share>,
    /// Which partition to begin with next time.
    turn: usize,
    gaps: Vec<Gap>,
    consumer: Option<Arc<Client>>,
    silence: Silence,
}

impl KafkaSource {
    /// Reads those partitions whose number belongs to `worker` of `workers`. `wake` is called on another thread when there is
    /// something to read.
    pub fn new(
        kafka: &Kafka,
        place: (usize, usize),
        ends: Arc<Ends>,
        committer: Arc<Committer>,
        wake: Wake,
    ) -> KafkaSource {
        KafkaSource {
            kafka: kafka.clone(),
            place,
            wake,
            known: ends.at_start(),
            ends,
            committer,
            seen: 0,
            shares: Vec::new(),
            turn: 0,
            gaps: Vec::new(),
            consumer: None,
            silence: Silence::new(&kafka.brokers),
        }
    }

    /// Begins to read the partitions that have not been looked at yet and are this worker's.
    fn begin(&mut self, partitions: &[Partition]) -> Result<(), SourceError> {
        let (worker, workers) = self.place;
        let mut assignment = TopicPartitionList::new();
        for (number, mine) in partitions.iter().enumerate().skip(self.seen) {
            if number % workers != worker {
                continue;
            }
            let consumer = match &self.consumer {
                Some(consumer) => Arc::clone(consumer),
                None => {
                    let config = consumer_config(&self.kafka, partitions.len().div_ceil(workers));
                    let consumer = Arc::new(create(&config, Watch::default())?);
                    self.committer.open()?;
                    Arc::clone(self.consumer.insert(consumer))
                }
            };
            let wake = Arc::clone(&self.wake);
            let share = Share::new(number as u32, mine, &consumer, &self.kafka, move || wake())?;
            assignment
                .add_partition_offset(&mine.topic, mine.partition, Offset::Offset(share.begins()))
                .map_err(|error| refused(&error, &self.kafka))?;
            self.shares.push(share);
        }
        self.seen = partitions.len();
        match self.consumer.as_ref().filter(|_| assignment.count() > 0) {
            None => Ok(()),
            Some(consumer) => {
                consumer.incremental_assign(&assignment).map_err(|error| refused(&error, &self.kafka))
            }
        }
    }
}

impl Source for KafkaSource {
    fn poll(
        &mut self,
        budget: usize,
        give: &mut dyn FnMut(Origin, Option<&[u8]>),
    ) -> Result<Polled, SourceError> {
        if self.known > self.seen {
            let partitions = self.ends.partitions();
            self.begin(&partitions[..self.known])?;
        }
        let Some(consumer) = &self.consumer else { return Ok(Polled::Idle) };
        // What is not a partition's own: errors of the client as a whole. Brokers away are not fatal.
        // One call serves one of its events, log lines among them.
        for _ in 0..waiting(consumer).min(EVENTS) {
            if let Some(Err(error)) = consumer.poll(Duration::ZERO) {
                tracing::debug!(%error, "kafka client");
            }
        }
        let reading = Reading { consumer, kafka: &self.kafka, ends: &self.ends };
        let (mut left, mut empty) = (budget as i64, 0);
        while left > 0 && empty < self.shares.len() {
            let turn = self.turn % self.shares.len();
            self.turn += 1;
            let share = &mut self.shares[turn];
            let Drained { events, size, failed } = share.drain(left as usize, give)?;
            left -= size as i64;
            empty = if events == 0 { empty + 1 } else { 0 };
            if let Some(error) = failed {
                let wake = Arc::clone(&self.wake);
                share.fails(error, &reading, move || wake())?;
            }
        }
        // Whoever may take nothing, or has all there is, waits for nothing.
        if budget == 0 || left < budget as i64 || !self.is_behind() {
            self.silence.heard();
        } else {
            self.silence.goes_on(consumer.client());
        }
        for share in &mut self.shares {
            self.gaps.extend(share.settle(&reading)?);
        }
        Ok(if left > 0 { Polled::Idle } else { Polled::More })
    }

    fn adopt(&mut self, known: usize) {
        self.known = self.known.max(known);
    }

    fn positions(&self) -> Vec<Position> {
        self.shares.iter().map(Share::position).collect()
    }

    fn commit(&self, positions: &[Position]) {
        let mut offsets = TopicPartitionList::new();
        for Position { partition: number, next, .. } in positions {
            let share = self.shares.iter().find(|share| share.number == *number);
            let added =
                share.map(|s| offsets.add_partition_offset(&s.topic, s.partition, Offset::Offset(*next)));
            debug_assert!(matches!(added, Some(Ok(()))));
        }
        if offsets.count() > 0 {
            self.committer.commit(&offsets);
        }
    }

    fn gaps(&self) -> Vec<Gap> {
        self.gaps.clone()
    }

    fn is_behind(&self) -> bool {
        !self.shares.iter().all(|share| is_caught_up(&self.ends, share.number, share.next))
    }
}

impl Drop for KafkaSource {
    fn drop(&mut self) {
        self.shares.clear();
        if let Some(consumer) = self.consumer.take() {
            leave(consumer);
        }
    }
}
