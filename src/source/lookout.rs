//! Looks for partitions that were added, and for topics that are gone or are not the ones they were.
//!
//! Idea: a thread and a connection of its own, since there is a request for each topic, and where partitions end must be
//! known on time however many topics there are and however slowly a broker answers.
//! Invariant: a partition is found once it has an owner, to be read from its first record; that it is found again until
//! somebody has adopted it does no harm. One process of a cluster looks, so that all add the same. Of a topic that was deleted, or made anew under
//! its old name, the run is told, once.
//! Cost: every four seconds one request, and one more a topic.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::Offset;
use rdkafka::consumer::Consumer;
use rdkafka::types::RDKafkaRespErr;

use super::SourceError;
use super::client::{Silence, Watch, create};
use super::ends::{Ends, PATIENCE, spawn};
use super::partitions::{Client, Partition, ask_offsets, asking_config};
use super::topic_ids::topic_ids;
use crate::config::Kafka;

/// Between two looks.
const PERIOD: Duration = Duration::from_secs(4);

/// How often in a row a topic must be unknown to be gone: a broker that has just started may not know it yet.
const GONE_AFTER: u32 = 3;

/// Events of the client that are served after a look.
const EVENTS: usize = 100;

/// Starts the thread that looks. It calls `found` with a partition that is not known yet and the offset at which it ends;
/// and `fail`, and ends, where a topic is not the one that was read any more.
///
/// # Errors
/// Where librdkafka refuses the settings.
pub fn watch(
    kafka: &Kafka,
    ends: Arc<Ends>,
    found: impl Fn(Partition, i64) + Send + 'static,
    fail: impl Fn(SourceError) + Send + 'static,
) -> Result<JoinHandle<()>, SourceError> {
    let client: Client = create(&asking_config(kafka), Watch::default())?;
    let (topics, silence) = (kafka.topics.clone(), Silence::new(&kafka.brokers));
    let known = ends.partitions();
    // Those of the topics that are read: what is there at the first look may be another already.
    let ids = topics.iter().map(|topic| known.iter().find(|known| known.topic == *topic)?.id).collect();
    let watch = move || {
        let mut lookout = Lookout { client, silence, topics, ids, unknown: BTreeMap::new() };
        while !ends.stopped() {
            if let Err(fence) = lookout.look(&ends, &found) {
                fail(fence);
                return;
            }
            (0..EVENTS).for_each(|_| drop(lookout.client.poll(Duration::ZERO)));
            ends.rest(PERIOD);
        }
    };
    spawn("kafka-topics", watch)
}

struct Lookout {
    client: Client,
    silence: Silence,
    topics: Vec<String>,
    ids: Vec<Option<u128>>,
    /// How often in a row a topic was not known.
    unknown: BTreeMap<String, u32>,
}

impl Lookout {
    fn look(&mut self, ends: &Ends, tell: &dyn Fn(Partition, i64)) -> Result<(), SourceError> {
        let now = topic_ids(&self.client, &self.topics, PATIENCE);
        for ((topic, was), is) in self.topics.iter().zip(&mut self.ids).zip(now.unwrap_or_default()) {
            match (*was, is) {
                (Some(was), Some(is)) if was != is => {
                    return Err(SourceError::Fence(format!(
                        "topic {topic:?} was deleted and made anew: what has been counted and what stands in it now \
                         do not belong together; start again to count the new one, with --start-fresh where checkpoints \
                         are kept"
                    )));
                }
                (None, Some(id)) => {
                    *was = is;
                    // Else the next run would take another topic of this name for it.
                    ends.identify(topic, id);
                }
                _ => {}
            }
        }
        for topic in &self.topics {
            // Brokers that cannot be reached are seen, and said, where ends are asked for; the next look begins anew.
            let Ok(metadata) = self.client.fetch_metadata(Some(topic), PATIENCE) else {
                self.silence.goes_on(self.client.client());
                break;
            };
            self.silence.heard();
            if ends.stopped() {
                break;
            }
            let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else { continue };
            let unknown = self.unknown.entry(topic.clone()).or_default();
            let gone = found.error() == Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
            *unknown = if gone { *unknown + 1 } else { 0 };
            if *unknown >= GONE_AFTER {
                return Err(SourceError::Fence(format!(
                    "topic {topic:?} was deleted; make it again and start again to count the new one, with \
                     --start-fresh where checkpoints are kept"
                )));
            }
            let known = ends.partitions();
            for partition in found.partitions().iter().filter(|partition| partition.error().is_none()) {
                let number = partition.id();
                if !known.iter().any(|known| known.topic == *topic && known.partition == number) {
                    resolve(&self.client, topic, number, tell);
                }
            }
        }
        Ok(())
    }
}

/// Tells of a partition that was not there before, to be read from its first record. Where that cannot be learnt now, it is
/// tried again at the next look.
fn resolve(client: &Client, topic: &str, partition: i32, tell: &dyn Fn(Partition, i64)) {
    let ask = |offset| ask_offsets(client, &[(topic, partition)], offset, PATIENCE).ok()?.first().copied();
    if let Some((first, end)) = ask(Offset::Beginning).zip(ask(Offset::End)) {
        tracing::info!(topic, partition, first, "a new partition, read from its first record");
        tell(Partition::new(topic, partition, first, first), end);
    }
}
