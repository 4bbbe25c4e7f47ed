//! One worker's share of the partitions.
//!
//! Idea: partitions are assigned by hand, each to one worker; the worker reads the queue of each in turn, a batch at a time, so
//! that a partition with a backlog does not starve the others. librdkafka wakes the worker when a queue fills.
//! Invariant: a partition's position is behind the last record handed out, or at an end that lies behind it; offsets
//! ascend. What cannot be delivered in order ends the run, or is noted as a gap where that is allowed; never a silent
//! jump: what comes behind a record that is damaged is not looked at until `damage` has found out where to go on.
//! Cost: a copy of each record's bytes, by whoever takes them; and what librdkafka fetches ahead, see [`consumer_config`].

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use tidings_dataflows::records::Origin;

use super::client::{Silence, Watch, create, explain};
use super::damage::{Search, is_damage};
use super::ends::{Ends, FRESH};
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
    /// Since when Kafka has said that it has no record at `next`.
    lost: Option<Instant>,
    /// What is damaged at `next` is looked into; nothing is read meanwhile.
    search: Option<Search>,
    /// The failure that was told last, unless a record has come since.
    told: Option<RDKafkaErrorCode>,
    /// Bytes of the largest records of late.
    largest: usize,
    queue: PartitionQueue,
}

/// Bytes of the largest records before any is known.
const LARGEST: usize = 1 << 12;

/// Events of the client that are served in a turn.
const EVENTS: usize = 4;

type Wake = Arc<dyn Fn() + Send + Sync>;

/// How long the end of a source may take.
const LEAVING: Duration = Duration::from_secs(3);

/// A consumer with its own partitions.
pub struct KafkaSource {
    kafka: Kafka,
    /// Which worker of how many it reads for.
    place: (usize, usize),
    wake: Wake,
    ends: Arc<Ends>,
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
    pub fn new(kafka: &Kafka, place: (usize, usize), ends: Arc<Ends>, wake: Wake) -> KafkaSource {
        KafkaSource {
            kafka: kafka.clone(),
            place,
            wake,
            known: ends.at_start(),
            ends,
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
        for (number, Partition { topic, partition, next, .. }) in
            partitions.iter().enumerate().skip(self.seen)
        {
            if number % workers != worker {
                continue;
            }
            let consumer = match &self.consumer {
                Some(consumer) => Arc::clone(consumer),
                None => {
                    let config = consumer_config(&self.kafka, partitions.len().div_ceil(workers));
                    let consumer = Arc::new(create(&config, Watch::default())?);
                    Arc::clone(self.consumer.insert(consumer))
                }
            };
            let wake = Arc::clone(&self.wake);
            let queue = PartitionQueue::split(&consumer, topic, *partition, Box::new(move || wake()))
                .ok_or_else(|| SourceError::Config(format!("no queue for {topic} {partition}")))?;
            assignment
                .add_partition_offset(topic, *partition, Offset::Offset(*next))
                .map_err(|error| refused(&error, &self.kafka))?;
            let (number, topic, partition, next) = (number as u32, topic.clone(), *partition, *next);
            let (lost, search, told, largest) = (None, None, None, LARGEST);
            self.shares.push(Share { number, topic, partition, next, lost, search, told, largest, queue });
        }
        self.seen = partitions.len();
        match self.consumer.as_ref().filter(|_| assignment.count() > 0) {
            None => Ok(()),
            Some(consumer) => {
                consumer.incremental_assign(&assignment).map_err(|error| refused(&error, &self.kafka))
            }
        }
    }

    /// Settles what is to become of partitions whose next record is not there, once it is known where they begin.
    fn settle_losses(&mut self) -> Result<(), SourceError> {
        for share in &mut self.shares {
            // What was learnt before the loss says nothing of it.
            let first = share.lost.and_then(|since| self.ends.first_since(share.number, since));
            let Some(first) = first else { continue };
            let Share { topic, partition, next, .. } = &*share;
            if first <= *next {
                return Err(SourceError::Fence(format!(
                    "{topic} {partition} begins at offset {first} and was read up to {next}, but cannot be read on from \
                     there: its log was cut or made anew; start again to count what stands in it now, with \
                     --start-fresh where checkpoints are kept"
                )));
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
            self.gaps.push(Gap { partition: share.number, from: *next, to: first });
            if let Some(consumer) = &self.consumer {
                // A partition that failed so does not fetch again by itself, nor after a seek.
                leave_off(consumer, share, &self.kafka)?;
                take_up(consumer, share, first, &self.kafka)?;
            }
            (share.next, share.lost) = (first, None);
        }
        Ok(())
    }

    /// Goes on with partitions of which it is known by now what of them is damaged.
    fn settle_damage(&mut self) -> Result<(), SourceError> {
        for share in &mut self.shares {
            let Some(to) = share.search.as_ref().and_then(Search::found) else { continue };
            let Share { topic, partition, next: from, .. } = &*share;
            if to == *from {
                tracing::info!(topic, partition, from, "what could not be read can be at another try");
            } else if self.kafka.on_gap == OnGap::Stop {
                return Err(SourceError::Fence(format!(
                    "{topic} {partition}: what stands at offsets {from} to {to} is damaged and cannot be read; \
                     `kafka.on_gap = \"continue\"` would go on without it"
                )));
            } else {
                tracing::error!(topic, partition, from, to, "damaged records are passed over");
                self.gaps.push(Gap { partition: share.number, from: *from, to });
            }
            if let Some(consumer) = &self.consumer {
                take_up(consumer, share, to, &self.kafka)?;
            }
            (share.next, share.search) = (to, None);
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
        if self.known > self.seen {
            let partitions = self.ends.partitions();
            self.begin(&partitions[..self.known])?;
        }
        if let Some(consumer) = &self.consumer {
            // What is not a partition's own: errors of the client as a whole. Brokers away are not fatal.
            // One call serves one of its events, log lines among them.
            for _ in 0..EVENTS {
                if let Some(Err(error)) = consumer.poll(Duration::ZERO) {
                    tracing::debug!(%error, "kafka client");
                }
            }
        }
        let (mut left, mut empty) = (budget as i64, 0);
        while left > 0 && empty < self.shares.len() {
            let turn = self.turn % self.shares.len();
            self.turn += 1;
            let share = &mut self.shares[turn];
            let Share { number, topic, partition, next, search, told, largest, queue, .. } = &mut *share;
            let (mut failed, mut larger) = (None, *largest / 2);
            // No more than what is left, if they are as large as those before.
            let most = left as usize / (*largest).max(1) + 1;
            let events = queue.drain(most, |event| match event {
                // What follows damage is not where it seems to be.
                _ if search.is_some() || failed.is_some_and(is_damage) => {}
                // After a reconnect librdkafka may deliver what has been seen.
                Event::Record(offset, ..) if offset < *next => {}
                Event::Record(offset, time, value) => {
                    *next = offset + 1;
                    *told = None;
                    let size = value.map_or(0, <[u8]>::len) + 32;
                    larger = larger.max(size);
                    left -= size as i64;
                    give(Origin { partition: *number, offset, time }, value);
                }
                Event::End(offset) => {
                    *next = offset.max(*next);
                    *told = None;
                }
                Event::Failed(error) => failed = Some(error),
            });
            *largest = larger;
            empty = if events == 0 { empty + 1 } else { 0 };
            let Some(error) = failed else { continue };
            match judge(error, topic, *partition, *next, told)? {
                Loss::None => {}
                Loss::Gone => share.lost = share.lost.or(Some(Instant::now())),
                Loss::Damaged => {
                    let (wake, at) = (Arc::clone(&self.wake), (topic.as_str(), *partition, *next));
                    *search = Some(Search::start(&self.kafka, at, Arc::clone(&self.ends), move || wake())?);
                    if let Some(consumer) = &self.consumer {
                        leave_off(consumer, share, &self.kafka)?;
                    }
                }
            }
        }
        // Whoever may take nothing, or has all there is, waits for nothing.
        if budget == 0 || left < budget as i64 || !self.is_behind() {
            self.silence.heard();
        } else if let Some(consumer) = &self.consumer {
            self.silence.goes_on(consumer.client());
        }
        self.settle_losses()?;
        self.settle_damage()?;
        Ok(if left > 0 { Polled::Idle } else { Polled::More })
    }

    fn adopt(&mut self, known: usize) {
        self.known = self.known.max(known);
    }

    fn positions(&self) -> Vec<(u32, i64)> {
        self.shares.iter().map(|share| (share.number, share.next)).collect()
    }

    fn commit(&self, positions: &[(u32, i64)]) {
        let Some(consumer) = &self.consumer else { return };
        let mut offsets = TopicPartitionList::new();
        for (number, next) in positions {
            let share = self.shares.iter().find(|share| share.number == *number);
            let added =
                share.map(|s| offsets.add_partition_offset(&s.topic, s.partition, Offset::Offset(*next)));
            debug_assert!(matches!(added, Some(Ok(()))));
        }
        // For lag tools only: a group that may not commit, or has members, costs a line in the log and no count.
        if offsets.count() > 0
            && let Err(error) = consumer.commit(&offsets, CommitMode::Async)
        {
            tracing::debug!(%error, "offsets are not committed");
        }
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

impl Drop for KafkaSource {
    fn drop(&mut self) {
        self.shares.clear();
        if let Some(consumer) = self.consumer.take() {
            leave(consumer);
        }
    }
}

/// Lets a consumer go. It waits for offsets that are on their way, and so for a coordinator of its group that may be away;
/// they are for lag tools only, so nobody waits longer than [`LEAVING`] for that.
fn leave(consumer: Arc<Client>) {
    let (left, waits) = mpsc::channel::<()>();
    let leaves = move || {
        drop(consumer);
        drop(left);
    };
    if thread::Builder::new().name("leave".to_owned()).spawn(leaves).is_ok() {
        let _ = waits.recv_timeout(LEAVING);
    }
}

/// What a failure to fetch means for the next record.
enum Loss {
    /// Nothing: it passes.
    None,
    /// It is not there.
    Gone,
    /// It cannot be read, and what comes next may lie behind it.
    Damaged,
}

fn judge(
    error: RDKafkaErrorCode,
    topic: &str,
    partition: i32,
    next: i64,
    told: &mut Option<RDKafkaErrorCode>,
) -> Result<Loss, SourceError> {
    match error {
        RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset => Ok(Loss::Gone),
        RDKafkaErrorCode::TopicAuthorizationFailed => Err(SourceError::Config(format!(
            "{topic}: not allowed to read it; grant this user READ and DESCRIBE on the topic"
        ))),
        error if is_damage(error) => {
            tracing::warn!(topic, partition, next, %error, "records that cannot be read are looked into");
            Ok(Loss::Damaged)
        }
        // It may go on failing, twice a second.
        error if told.replace(error) == Some(error) => Ok(Loss::None),
        error => {
            tracing::warn!(topic, partition, next, %error, "fetching failed, it is tried again");
            Ok(Loss::None)
        }
    }
}

/// Fetches nothing more of a partition.
fn leave_off(consumer: &Client, share: &Share, kafka: &Kafka) -> Result<(), SourceError> {
    let mut is = TopicPartitionList::new();
    is.add_partition(&share.topic, share.partition);
    consumer.incremental_unassign(&is).map_err(|error| refused(&error, kafka))
}

/// Fetches a partition from an offset on.
fn take_up(consumer: &Client, share: &Share, from: i64, kafka: &Kafka) -> Result<(), SourceError> {
    let mut to_be = TopicPartitionList::new();
    to_be
        .add_partition_offset(&share.topic, share.partition, Offset::Offset(from))
        .and_then(|()| consumer.incremental_assign(&to_be))
        .map_err(|error| refused(&error, kafka))
}

/// That a client does not take what it is told to read.
fn refused(error: &KafkaError, kafka: &Kafka) -> SourceError {
    SourceError::Config(explain(error, &kafka.brokers))
}
