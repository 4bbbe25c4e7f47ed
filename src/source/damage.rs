//! Records that a broker holds and nobody can read: damaged on its disk, or packed so that they do not unpack.
//!
//! Idea: what cannot be read is a batch of records, whose bounds only its reader learns. librdkafka asks for it over and over, and
//! where its checksum is wrong goes on from an offset that it has made up. So a partition that fails so is taken from its consumer, and
//! a thread with a client of its own finds out whether it was the line's fault, and if not, from which offset on records can be read:
//! steps that double until one can be, then bisection.
//! Invariant: neither the offset at which the search began nor the one before the offset that it finds can be read. Between two
//! batches that are both damaged, and stand near each other, some may be passed over that could be.
//! Cost: some ten milliseconds an offset that is tried, about twice the logarithm of how many records are damaged.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::{Message, Offset, TopicPartitionList};

use super::SourceError;
use super::client::{Watch, create};
use super::ends::{Ends, spawn};
use super::partitions::{Client, consumer_config};
use crate::config::Kafka;

/// How often a record is asked for before it counts as damaged: a line may be at fault.
const TRIES: usize = 3;

/// Between two of these, and after a broker did not answer.
const AGAIN: Duration = Duration::from_millis(500);

/// How long a broker has to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether a failure to fetch lies in what was fetched.
pub fn is_damage(error: Code) -> bool {
    use Code::{BadCompression, BadMessage, InvalidMessage, MessageSizeTooLarge, NotImplemented, Underflow};
    // What a wrong checksum leads librdkafka to read as records may be of any format, and end anywhere.
    let misread = matches!(error, NotImplemented | Underflow);
    misread || matches!(error, BadCompression | BadMessage | InvalidMessage | MessageSizeTooLarge)
}

/// A search for the first offset of a partition from which on records can be read.
pub struct Search(Receiver<i64>);

impl Search {
    /// Begins one at an offset that could not be read; `wake` is called when it has ended.
    ///
    /// # Errors
    /// Where librdkafka refuses the settings, or there are no more threads.
    pub fn start(
        kafka: &Kafka,
        (topic, partition, from): (&str, i32, i64),
        ends: Arc<Ends>,
        wake: impl Fn() + Send + 'static,
    ) -> Result<Search, SourceError> {
        let consumer: Client = create(&consumer_config(kafka, 1), Watch::default())?;
        let probe = Probe { consumer, topic: topic.to_owned(), partition };
        let (found, search) = channel();
        spawn("kafka-damage", move || {
            while !ends.stopped() {
                match probe.search(from) {
                    Ok(at) => {
                        // Nobody may want to know any more.
                        let _ = found.send(at);
                        return wake();
                    }
                    // Brokers that are away are said, and waited for, where ends are asked for.
                    Err(error) => tracing::debug!(%error, "what is damaged is not found out yet"),
                }
                ends.rest(AGAIN);
            }
        })?;
        Ok(Search(search))
    }

    /// What it has found: the offset that it began at where that can be read after all. `None`: nothing yet.
    pub fn found(&self) -> Option<i64> {
        self.0.try_recv().ok()
    }
}

/// A client that asks for single offsets.
struct Probe {
    consumer: Client,
    topic: String,
    partition: i32,
}

impl Probe {
    fn search(&self, from: i64) -> Result<i64, KafkaError> {
        // What retention has taken meanwhile is no damage: whoever reads on learns that it is gone.
        if self.bounds()?.0 > from {
            return Ok(from);
        }
        for _ in 0..TRIES {
            if self.can_read(from)? {
                return Ok(from);
            }
            std::thread::sleep(AGAIN);
        }
        let (_, end) = self.bounds()?;
        first_readable(from, end.max(from + 1), |offset| self.can_read(offset))
    }

    /// The first offset that there is, and the one behind the last.
    fn bounds(&self) -> Result<(i64, i64), KafkaError> {
        self.consumer.fetch_watermarks(&self.topic, self.partition, PATIENCE)
    }

    /// Whether a record, or the end, comes from an offset on.
    fn can_read(&self, offset: i64) -> Result<bool, KafkaError> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, self.partition, Offset::Offset(offset))?;
        self.consumer.assign(&list)?;
        let (until, mut last) = (Instant::now() + PATIENCE, Code::OperationTimedOut);
        while Instant::now() < until {
            match self.consumer.poll(Duration::from_millis(100)) {
                None => {}
                Some(Ok(message)) if message.offset() < offset => {}
                Some(Ok(_)) | Some(Err(KafkaError::PartitionEOF(_))) => return Ok(true),
                Some(Err(error)) => match error.rdkafka_error_code() {
                    Some(code) if is_damage(code) => return Ok(false),
                    Some(code) => last = code,
                    None => {}
                },
            }
        }
        Err(KafkaError::MessageConsumption(last))
    }
}

/// The first offset behind `from`, which cannot be read, that can be, as far as a search of few steps finds it. The end can be.
fn first_readable<E>(
    from: i64,
    end: i64,
    mut can_read: impl FnMut(i64) -> Result<bool, E>,
) -> Result<i64, E> {
    let (mut damaged, mut step) = (from, 1);
    let mut readable = loop {
        let next = damaged + step;
        if next >= end {
            break end;
        }
        if can_read(next)? {
            break next;
        }
        (damaged, step) = (next, 2 * step);
    };
    while readable - damaged > 1 {
        let middle = damaged + (readable - damaged) / 2;
        if can_read(middle)? { readable = middle } else { damaged = middle }
    }
    Ok(readable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Wherever a batch that cannot be read begins and ends, exactly that is passed over, in few steps.
        #[test]
        fn exactly_what_is_damaged_is_passed_over(first in 0i64..1 << 40, damaged in 1i64..1 << 20, behind in 0i64..1 << 20) {
            let (end, mut asked) = (first + damaged + behind, 0);
            let can_read = |offset| {
                asked += 1;
                Ok::<_, ()>(offset >= first + damaged)
            };
            prop_assert_eq!(first_readable(first, end, can_read), Ok(first + damaged));
            prop_assert!(asked <= 2 * (i64::BITS - damaged.leading_zeros()) + 2, "{}", asked);
        }

        /// Whatever is damaged: neither the first offset nor the last that is passed over can be read.
        #[test]
        fn what_is_passed_over_begins_and_ends_with_damage(batches in prop::collection::vec((1i64..40, any::<bool>()), 1..20)) {
            let mut readable = vec![false];
            batches.iter().for_each(|(records, can)| readable.extend((0..*records).map(|_| *can)));
            let found = first_readable(0, readable.len() as i64, |at| Ok::<_, ()>(readable[at as usize])).unwrap() as usize;
            prop_assert!(!readable[found - 1]);
            prop_assert!(found == readable.len() || readable[found]);
        }
    }
}
