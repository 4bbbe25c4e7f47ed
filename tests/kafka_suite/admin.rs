//! What an operator does to topics, by Kafka's administrative interface.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::MetadataPartition;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::load::until;

/// Somebody with all rights, at one cluster.
pub struct Admin {
    client: AdminClient<DefaultClientContext>,
    options: AdminOptions,
    runtime: tokio::runtime::Runtime,
}

impl Admin {
    pub fn of(brokers: &str) -> Admin {
        let patience = Some(Duration::from_secs(20));
        Admin {
            client: ClientConfig::new()
                .set("bootstrap.servers", brokers)
                .set("log_level", "0")
                .create()
                .unwrap(),
            options: AdminOptions::new().request_timeout(patience).operation_timeout(patience),
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
        }
    }

    /// Makes a topic that keeps all records, old ones too, unless the settings say otherwise.
    pub fn create(&self, topic: &str, partitions: i32, settings: &[(&str, &str)]) {
        self.create_replicated(topic, partitions, 1, settings);
    }

    pub fn create_replicated(&self, topic: &str, partitions: i32, replicas: i32, settings: &[(&str, &str)]) {
        let mut new = NewTopic::new(topic, partitions, TopicReplication::Fixed(replicas))
            .set("retention.ms", "-1")
            .set("message.timestamp.after.max.ms", "9223372036854775807");
        for (key, value) in settings {
            new = new.set(key, value);
        }
        all_done(self.runtime.block_on(self.client.create_topics([&new], &self.options)));
    }

    /// Gives a topic so many partitions in all, and waits until the broker tells everybody of them.
    pub fn grow(&self, topic: &str, partitions: usize) {
        let more = NewPartitions::new(topic, partitions);
        all_done(self.runtime.block_on(self.client.create_partitions([&more], &self.options)));
        let told = || {
            // A busy broker may take longer to answer.
            let Ok(metadata) = self.client.inner().fetch_metadata(Some(topic), Duration::from_secs(5)) else {
                return false;
            };
            let led = |partition: &MetadataPartition| partition.error().is_none() && partition.leader() >= 0;
            metadata.topics()[0].partitions().iter().filter(|partition| led(partition)).count() == partitions
        };
        until(Duration::from_secs(30), "the new partitions have leaders", || told().then_some(()));
    }

    pub fn delete(&self, topic: &str) {
        all_done(self.runtime.block_on(self.client.delete_topics(&[topic], &self.options)));
    }

    /// Takes away all records of a partition before an offset, as retention does.
    pub fn delete_records(&self, topic: &str, partition: i32, before: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(before)).unwrap();
        let deleted = self.runtime.block_on(self.client.delete_records(&list, &self.options)).unwrap();
        deleted.elements()[0].error().unwrap();
    }
}

fn all_done(results: KafkaResult<Vec<Result<String, (String, RDKafkaErrorCode)>>>) {
    for result in results.unwrap() {
        result.unwrap();
    }
}
