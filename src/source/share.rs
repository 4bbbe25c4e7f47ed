//! One partition that is read: where reading stands, and what becomes of it when the next record is not there.
//!
//! Idea: what Kafka has at an offset is what was counted there, as long as nothing is lost. Whether it is, is settled here: what
//! retention took first is a gap, what is damaged is looked into by `damage`, and where another record stands at an offset that
//! was counted, a broker lost the end of its log and wrote on. The last is seen by the leader's epoch: librdkafka looks at it
//! while it reads, and reading begins with the last record that was counted, which has to be that one. Where it is gone, or
//! something was passed over just before, there is nothing to see it by.
//! Invariant: a position is behind the last record handed out, or at an end that lies behind it; offsets ascend. What cannot be
//! delivered in order ends the run, or is noted as a gap where that is allowed; never a silent jump: what comes behind a record
//! that is damaged is not looked at until it is known where to go on.
//! Cost: a record more at the start, for each partition of which something was counted.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use tidings_dataflows::records::Origin;

use super::client::explain;
use super::damage::{Search, is_damage};
use super::ends::{Ends, FRESH};
use super::partitions::{Client, Partition};
use super::queue::{Event, PartitionQueue};
use super::{Gap, Last, Position, SourceError};
use crate::config::{Kafka, OnGap};

/// For how long a partition may be refused that was read before, while it is known that there is something to read: rights that are replaced, or
/// looked up elsewhere, are gone for a moment.
const REFUSED: Duration = Duration::from_secs(120);

/// Bytes of the largest records before any is known.
const LARGEST: usize = 1 << 12;

/// A partition that is read.
pub(super) struct Share {
    /// The partition's number among all partitions of the run.
    pub(super) number: u32,
    pub(super) topic: String,
    pub(super) partition: i32,
    /// The next offset.
    pub(super) next: i64,
    /// The last record before it, where nothing was passed over since.
    last: Option<Last>,
    /// The same at the start, until another has been read.
    counted: Option<Last>,
    /// Records of transactions that were aborted are read too: those that were not counted may be seen now.
    shows_aborted: bool,
    /// Since when Kafka has said that it has no record where reading goes on.
    lost: Option<Instant>,
    /// Since when it may not be read, while there is something to read.
    refused: Option<Instant>,
    /// Whether anything came of it, be it that there is nothing.
    has_answered: bool,
    /// What is damaged at `next` is looked into; nothing is read meanwhile.
    search: Option<Search>,
    /// The failure that was told last, unless a record has come since.
    told: Option<RDKafkaErrorCode>,
    /// Bytes of the largest records of late.
    largest: usize,
    queue: PartitionQueue,
}

/// By what it is read.
pub(super) struct Reading<'a> {
    pub(super) consumer: &'a Arc<Client>,
    pub(super) kafka: &'a Kafka,
    pub(super) ends: &'a Arc<Ends>,
}

/// What came out of its queue.
pub(super) struct Drained {
    /// How much.
    pub(super) events: usize,
    /// Bytes of the records that were handed out.
    pub(super) size: usize,
    /// Why there are no more.
    pub(super) failed: Option<RDKafkaErrorCode>,
}

impl Share {
    /// A partition of a consumer to which it is still to be assigned. `wake` is called on another thread when there is something
    /// to read.
    pub(super) fn new(
        number: u32,
        partition: &Partition,
        consumer: &Arc<Client>,
        kafka: &Kafka,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<Share, SourceError> {
        let Partition { topic, partition, next, last, .. } = partition;
        let queue = PartitionQueue::split(consumer, topic, *partition, Box::new(wake))
            .ok_or_else(|| SourceError::Config(format!("no queue for {topic} {partition}")))?;
        Ok(Share {
            number,
            topic: topic.clone(),
            partition: *partition,
            next: *next,
            last: *last,
            counted: *last,
            shows_aborted: kafka.reads_aborted(),
            lost: None,
            refused: None,
            has_answered: false,
            search: None,
            told: None,
            largest: LARGEST,
            queue,
        })
    }

    /// The offset at which reading begins.
    pub(super) fn begins(&self) -> i64 {
        self.counted.map_or(self.next, |last| last.offset.min(self.next))
    }

    /// How far it has been read.
    pub(super) fn position(&self) -> Position {
        Position { partition: self.number, next: self.next, last: self.last }
    }

    /// Hands out what is in its queue, a batch at most, and about so many bytes.
    ///
    /// # Errors
    /// `Fence` where another record stands where one was counted.
    pub(super) fn drain(
        &mut self,
        bytes: usize,
        give: &mut dyn FnMut(Origin, Option<&[u8]>),
    ) -> Result<Drained, SourceError> {
        let Share { number, next, last, counted, shows_aborted, search, told, largest, queue, .. } = self;
        let was = *next;
        let mut ended = false;
        let (mut failed, mut size, mut larger, mut is_another) = (None, 0, *largest / 2, None);
        // No more than what is left, if they are as large as those before.
        let most = bytes / (*largest).max(1) + 1;
        let events = queue.drain(most, |event| match event {
            // What follows damage is not where it seems to be, and what follows another record is not what follows.
            _ if search.is_some() || failed.is_some_and(is_damage) || is_another.is_some() => {}
            // After a reconnect librdkafka may deliver what has been seen.
            Event::Record { offset, leader_epoch, .. } if offset < *next => {
                let is_other = |last: &Last| match offset.cmp(&last.offset) {
                    Ordering::Less => false,
                    Ordering::Equal => leader_epoch >= 0 && leader_epoch != last.leader_epoch,
                    // There was none behind the last, but for what transactions left.
                    Ordering::Greater => !*shows_aborted,
                };
                is_another = counted.filter(is_other).map(|_| offset);
            }
            Event::Record { offset, leader_epoch, time, value } => {
                (*next, *told, *counted) = (offset + 1, None, None);
                *last = (leader_epoch >= 0).then_some(Last { offset, leader_epoch });
                let record = value.map_or(0, <[u8]>::len) + 32;
                larger = larger.max(record);
                size += record;
                give(Origin { partition: *number, offset, time }, value);
            }
            Event::End(offset) => (*next, *told, ended) = (offset.max(*next), None, true),
            Event::Failed(error) => failed = Some(error),
        });
        *largest = larger;
        if ended || *next > was {
            (self.has_answered, self.refused) = (true, None);
        }
        match is_another {
            Some(offset) => {
                Err(self.is_cut(&format!("holds another record at offset {offset}, which was counted")))
            }
            None => Ok(Drained { events, size, failed }),
        }
    }

    fn is_cut(&self, why: &str) -> SourceError {
        SourceError::Fence(format!(
            "{} {} {why}: its log was cut or made anew; start again to count what stands in it now, with --start-fresh where \
             checkpoints are kept",
            self.topic, self.partition
        ))
    }

    /// Takes note that fetching failed. `wake` is called, on another thread, when it is known what of it is damaged.
    ///
    /// # Errors
    /// `Config` where it may not be read.
    pub(super) fn fails(
        &mut self,
        error: RDKafkaErrorCode,
        reading: &Reading<'_>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<(), SourceError> {
        let Share { topic, partition, next, told, .. } = self;
        match error {
            RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset => {
                self.lost = self.lost.or(Some(Instant::now()));
            }
            RDKafkaErrorCode::TopicAuthorizationFailed if !self.has_answered => {
                return Err(SourceError::Config(forbidden(topic)));
            }
            RDKafkaErrorCode::TopicAuthorizationFailed => {
                // It is said once, and tried again until it is allowed.
                if self.refused.replace(Instant::now()).is_none() {
                    tracing::warn!(partition, next, "{}; it is tried again", forbidden(topic));
                }
            }
            error if is_damage(error) => {
                tracing::warn!(topic, partition, next, %error, "records that cannot be read are looked into");
                let at = (topic.as_str(), *partition, *next);
                self.search = Some(Search::start(reading.kafka, at, Arc::clone(reading.ends), wake)?);
                self.counted = None;
                self.leave_off(reading)?;
            }
            // It may go on failing, twice a second.
            error if told.replace(error) == Some(error) => {}
            error => {
                tracing::warn!(topic, partition, next, %error, "fetching failed, it is tried again");
            }
        }
        Ok(())
    }

    /// Settles what is to become of it where its next record is not there, once that is known; what is passed over.
    ///
    /// # Errors
    /// `Fence` where reading cannot go on, or is not to; `Config` where it has not been allowed for long.
    pub(super) fn settle(&mut self, reading: &Reading<'_>) -> Result<Option<Gap>, SourceError> {
        // What was learnt before the loss says nothing of it.
        if let Some(first) = self.lost.and_then(|since| reading.ends.first_since(self.number, since)) {
            return self.settle_loss(first, reading);
        }
        if let Some(to) = self.search.as_ref().and_then(Search::found) {
            return self.settle_damage(to, reading);
        }
        if let Some(since) = &mut self.refused {
            // Where nothing comes, nothing says that it may be read again either.
            if !has_more(reading.ends, self.number, self.next) {
                *since = Instant::now();
            } else if since.elapsed() >= REFUSED {
                return Err(SourceError::Config(forbidden(&self.topic)));
            }
        }
        Ok(None)
    }

    /// The broker has nothing where reading was to go on, and its first record is at `first`.
    fn settle_loss(&mut self, first: i64, reading: &Reading<'_>) -> Result<Option<Gap>, SourceError> {
        let Share { topic, partition, next, .. } = &*self;
        let (from, gone) = (*next, first - *next);
        // What was counted may go, before it was seen once more.
        let is_gone = self.counted.is_some_and(|last| first > last.offset);
        if gone <= 0 && !is_gone {
            return Err(self.is_cut(&format!(
                "begins at offset {first} and was read up to {from}, but cannot be read on from there"
            )));
        }
        if gone > 0 && reading.kafka.on_gap == OnGap::Stop {
            return Err(SourceError::Fence(format!(
                "{topic} {partition}: {gone} records are gone that were not read, offsets {next} to {first}: they \
                 were deleted first, by retention or by hand; `kafka.on_gap = \"continue\"` would go on without them"
            )));
        }
        if gone > 0 {
            tracing::error!(topic, partition, from, to = first, gone, "records are gone that were not read");
        }
        // A partition that failed so does not fetch again by itself, nor after a seek.
        self.leave_off(reading)?;
        (self.next, self.lost, self.counted) = (first.max(from), None, None);
        self.last = self.last.filter(|_| gone <= 0);
        self.take_up(reading)?;
        Ok((gone > 0).then_some(Gap { partition: self.number, from, to: first }))
    }

    /// What is damaged ends before `to`.
    fn settle_damage(&mut self, to: i64, reading: &Reading<'_>) -> Result<Option<Gap>, SourceError> {
        let Share { topic, partition, next, .. } = &*self;
        let from = *next;
        if to == from {
            tracing::info!(topic, partition, from, "what could not be read can be at another try");
        } else if reading.kafka.on_gap == OnGap::Stop {
            return Err(SourceError::Fence(format!(
                "{topic} {partition}: what stands at offsets {from} to {to} is damaged and cannot be read; \
                 `kafka.on_gap = \"continue\"` would go on without it"
            )));
        } else {
            tracing::error!(topic, partition, from, to, "damaged records are passed over");
        }
        (self.next, self.search) = (to, None);
        self.last = self.last.filter(|_| to == from);
        self.take_up(reading)?;
        Ok((to > from).then_some(Gap { partition: self.number, from, to }))
    }

    /// Fetches nothing more of it.
    fn leave_off(&self, reading: &Reading<'_>) -> Result<(), SourceError> {
        let mut is = TopicPartitionList::new();
        is.add_partition(&self.topic, self.partition);
        reading.consumer.incremental_unassign(&is).map_err(|error| refused(&error, reading.kafka))
    }

    /// Fetches it from its next offset on.
    fn take_up(&self, reading: &Reading<'_>) -> Result<(), SourceError> {
        let mut to_be = TopicPartitionList::new();
        to_be
            .add_partition_offset(&self.topic, self.partition, Offset::Offset(self.next))
            .and_then(|()| reading.consumer.incremental_assign(&to_be))
            .map_err(|error| refused(&error, reading.kafka))
    }
}

/// Whether an offset is at a partition's end, as far as that is known of late.
pub(super) fn is_caught_up(ends: &Ends, partition: u32, next: i64) -> bool {
    fresh_end(ends, partition).is_some_and(|end| next >= end)
}

/// Whether a partition is known, of late, to go on behind an offset.
fn has_more(ends: &Ends, partition: u32, next: i64) -> bool {
    fresh_end(ends, partition).is_some_and(|end| next < end)
}

/// Where a partition ends, if that was learnt of late.
fn fresh_end(ends: &Ends, partition: u32) -> Option<i64> {
    ends.get(partition).filter(|end| end.asked.elapsed() <= FRESH).map(|end| end.offset)
}

/// What to do where a topic may not be read.
fn forbidden(topic: &str) -> String {
    format!("{topic}: not allowed to read it; grant this user READ and DESCRIBE on the topic")
}

/// That a client does not take what it is told to read.
pub(super) fn refused(error: &KafkaError, kafka: &Kafka) -> SourceError {
    SourceError::Config(explain(error, &kafka.brokers))
}
