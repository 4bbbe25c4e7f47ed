//! What became of the records that were sent.
//!
//! Invariant: a record is counted once, as delivered or as failed, when Kafka has acknowledged it or librdkafka has
//! given it up; what was never counted is still on its way.

use rdkafka::error::KafkaError;

/// Counts of one producer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records that Kafka has acknowledged.
    pub posts: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// Records that were given up.
    pub failed: u64,
    /// Why the first of them was.
    pub failure: Option<KafkaError>,
    /// For each partition the offset behind the last record delivered to it; `None` where none was.
    next: Vec<Option<i64>>,
}

impl Tally {
    /// Counts a delivered record of this size.
    pub fn delivered(&mut self, partition: i32, offset: i64, bytes: usize) {
        self.posts += 1;
        self.bytes += bytes as u64;
        let Ok(index) = usize::try_from(partition) else { return };
        if self.next.len() <= index {
            self.next.resize(index + 1, None);
        }
        // Not every acknowledgement carries an offset: a retried batch that Kafka had already has -1.
        if offset >= 0 {
            self.next[index] = self.next[index].max(Some(offset + 1));
        }
    }

    /// Counts a record that was given up.
    pub fn failed(&mut self, error: &KafkaError) {
        self.failed += 1;
        self.failure.get_or_insert_with(|| error.clone());
    }

    /// The next offsets as `min_offsets=` of the HTTP interface takes them: `posts:0:123,posts:1:77`.
    pub fn next_offsets(&self, topic: &str) -> String {
        let known = self.next.iter().enumerate().filter_map(|(partition, next)| Some((partition, (*next)?)));
        known.map(|(partition, next)| format!("{topic}:{partition}:{next}")).collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::error::RDKafkaErrorCode as Code;

    #[test]
    fn next_offsets_are_those_behind_the_last_record() {
        let mut tally = Tally::default();
        assert_eq!(tally.next_offsets("posts"), "");
        for (partition, offset) in [(2, 76), (0, 122), (0, 5), (2, -1)] {
            tally.delivered(partition, offset, 10);
        }
        assert_eq!(tally.next_offsets("posts"), "posts:0:123,posts:2:77");
        assert_eq!((tally.posts, tally.bytes), (4, 40));
    }

    #[test]
    fn the_first_failure_is_kept() {
        let mut tally = Tally::default();
        tally.failed(&KafkaError::MessageProduction(Code::MessageTimedOut));
        tally.failed(&KafkaError::MessageProduction(Code::PurgeQueue));
        assert_eq!(tally.failed, 2);
        assert_eq!(tally.failure, Some(KafkaError::MessageProduction(Code::MessageTimedOut)));
    }
}
