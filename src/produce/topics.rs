//! The topics of a broker: which there are, how they stand, and making one.
//!
//! Idea: what the console tools of Kafka do, by the same requests, without a JVM.
//! Invariant: looking never makes a topic, whatever the broker's `auto.create.topics.enable` says; a topic that was
//! made can be written to when the call returns.

mod refusal;

use std::collections::BTreeMap;
use std::future::Future;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code};
use rdkafka::metadata::Metadata;

use crate::config::Kafka;
use crate::source::client::{self, ClientError, Watch};

pub use refusal::TopicError;
use refusal::check_name;

/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(10);
/// Lets the broker use its `default.replication.factor`.
pub const BROKERS_DEFAULT: i32 = -1;

/// One partition as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its number.
    pub number: i32,
    /// The broker that leads it; `None` while there is none.
    pub leader: Option<i32>,
    /// The brokers that hold it.
    pub replicas: Vec<i32>,
    /// Those of them that are in sync.
    pub in_sync: Vec<i32>,
    /// The first offset it holds, and the one that the next record gets; `None` where it cannot be asked.
    pub offsets: Option<(i64, i64)>,
}

/// A connection for requests about topics.
pub struct Topics {
    consumer: BaseConsumer<Watch>,
    config: ClientConfig,
    brokers: String,
}

impl Topics {
    /// Connects. Not to be called within an asynchronous task, since it waits.
    ///
    /// # Errors
    /// Where the settings are wrong or no broker answers within ten seconds.
    pub fn connect(kafka: &Kafka) -> Result<Self, TopicError> {
        let config = client::client_config(kafka);
        let consumer: BaseConsumer<Watch> = client::create(&config, Watch::default())?;
        let topics = Self { consumer, config, brokers: kafka.brokers.clone() };
        client::reach(topics.consumer.client(), topics.consumer.context(), &topics.brokers, || {
            topics.serve()
        })?;
        Ok(topics)
    }

    /// All topics in order of name, each with its number of partitions; Kafka's own, which begin with two underscores,
    /// as well.
    ///
    /// # Errors
    /// Where the broker does not answer.
    pub fn list(&self) -> Result<BTreeMap<String, usize>, TopicError> {
        let metadata = self.metadata()?;
        Ok(metadata
            .topics()
            .iter()
            .map(|topic| (topic.name().to_owned(), topic.partitions().len()))
            .collect())
    }

    /// The partitions of a topic.
    ///
    /// # Errors
    /// `Missing`, naming those that are there; or where the broker does not answer.
    pub fn describe(&self, name: &str) -> Result<Vec<Partition>, TopicError> {
        let metadata = self.metadata()?;
        let Some(topic) = metadata.topics().iter().find(|topic| topic.name() == name) else {
            return Err(self.missing(name, &metadata));
        };
        let mut partitions: Vec<Partition> = topic
            .partitions()
            .iter()
            .map(|partition| Partition {
                number: partition.id(),
                leader: Some(partition.leader()).filter(|leader| *leader >= 0),
                replicas: partition.replicas().to_vec(),
                in_sync: partition.isr().to_vec(),
                offsets: None,
            })
            .collect();
        partitions.sort_by_key(|partition| partition.number);
        for partition in partitions.iter_mut().filter(|partition| partition.leader.is_some()) {
            partition.offsets = self.consumer.fetch_watermarks(name, partition.number, REQUEST).ok();
        }
        Ok(partitions)
    }

    /// The settings of a topic as they are in effect, defaults included.
    ///
    /// # Errors
    /// Where the broker does not answer, or does not tell.
    pub fn settings(&self, name: &str) -> Result<BTreeMap<String, String>, TopicError> {
        let admin = self.admin()?;
        let options = AdminOptions::new().request_timeout(Some(REQUEST));
        let answers = wait(admin.describe_configs(&[ResourceSpecifier::Topic(name)], &options))
            .map_err(|error| self.refused(&error))?;
        let mut settings = BTreeMap::new();
        for answer in answers {
            let resource = answer.map_err(|code| self.refused(&KafkaError::AdminOp(code)))?;
            settings
                .extend(resource.entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?))));
        }
        Ok(settings)
    }

    /// Makes a topic and waits until it can be written to.
    ///
    /// # Errors
    /// `Exists`, `Name`, or what the broker has against it.
    pub fn create(
        &self,
        name: &str,
        partitions: i32,
        replication: i32,
        settings: &[(String, String)],
    ) -> Result<(), TopicError> {
        check_name(name)?;
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(replication));
        for (key, value) in settings {
            topic = topic.set(key, value);
        }
        let options = AdminOptions::new().request_timeout(Some(REQUEST)).operation_timeout(Some(REQUEST));
        let answers =
            wait(self.admin()?.create_topics(&[topic], &options)).map_err(|error| self.refused(&error))?;
        for answer in answers {
            match answer {
                Ok(_) => {}
                Err((_, Code::TopicAlreadyExists)) => {
                    let partitions = self.list()?.get(name).copied().unwrap_or_default();
                    let (name, brokers) = (name.to_owned(), self.brokers.clone());
                    return Err(TopicError::Exists { name, partitions, brokers });
                }
                Err((_, code)) => return Err(self.not_made(name, code, partitions, replication, settings)),
            }
        }
        self.await_leaders(name)
    }

    /// Makes a topic if it is not there; true if it had to.
    ///
    /// # Errors
    /// As for [`Topics::create`], without `Exists`.
    pub fn ensure(
        &self,
        name: &str,
        partitions: i32,
        settings: &[(String, String)],
    ) -> Result<bool, TopicError> {
        check_name(name)?;
        if self.list()?.contains_key(name) {
            return Ok(false);
        }
        match self.create(name, partitions, BROKERS_DEFAULT, settings) {
            Ok(()) => Ok(true),
            // Somebody else has made it since.
            Err(TopicError::Exists { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn await_leaders(&self, name: &str) -> Result<(), TopicError> {
        let begun = Instant::now();
        loop {
            let metadata = self.metadata()?;
            let topic = metadata.topics().iter().find(|topic| topic.name() == name);
            let led = |topic: &rdkafka::metadata::MetadataTopic| {
                !topic.partitions().is_empty()
                    && topic.partitions().iter().all(|partition| partition.leader() >= 0)
            };
            if topic.is_some_and(led) {
                return Ok(());
            }
            if begun.elapsed() > REQUEST {
                let text =
                    format!("topic {name:?} was made, but its partitions have no leaders after {REQUEST:?}");
                return Err(ClientError::Unreachable(text).into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn metadata(&self) -> Result<Metadata, TopicError> {
        self.consumer.client().fetch_metadata(None, REQUEST).map_err(|error| {
            self.serve();
            TopicError::Client(self.consumer.context().client_error(&error, &self.brokers))
        })
    }

    fn admin(&self) -> Result<AdminClient<Watch>, TopicError> {
        Ok(client::create(&self.config, Watch::default())?)
    }

    /// Serves events, so that the reasons of errors are heard.
    fn serve(&self) {
        while self.consumer.poll(Duration::ZERO).is_some() {}
    }

    fn missing(&self, name: &str, metadata: &Metadata) -> TopicError {
        let own = |topic: &&str| !topic.starts_with("__");
        let mut known: Vec<String> =
            metadata.topics().iter().map(|topic| topic.name()).filter(own).map(str::to_owned).collect();
        known.sort();
        TopicError::Missing { name: name.to_owned(), brokers: self.brokers.clone(), known }
    }

    fn refused(&self, error: &KafkaError) -> TopicError {
        let text = client::explain(error, &self.brokers);
        match client::code(error) {
            Some(code) if may_pass(code) => ClientError::Unreachable(text).into(),
            _ => TopicError::Refused(text),
        }
    }

    fn not_made(
        &self,
        name: &str,
        code: Code,
        partitions: i32,
        replication: i32,
        settings: &[(String, String)],
    ) -> TopicError {
        TopicError::Refused(match code {
            Code::InvalidReplicationFactor if replication == BROKERS_DEFAULT => {
                let given: String =
                    settings.iter().map(|(key, value)| format!(" --config {key}={value}")).collect();
                format!(
                    "the brokers at {} are fewer than their own `default.replication.factor`: make the topic by `tidings topic \
                     create {name} --partitions {partitions} --replication 1{given}{}`",
                    self.brokers,
                    client::brokers_flag(&self.brokers)
                )
            }
            Code::InvalidReplicationFactor => format!(
                "the brokers at {} are too few to hold each record {replication} times: lower --replication",
                self.brokers
            ),
            Code::InvalidPartitions => format!("{partitions} is no number of partitions that Kafka takes"),
            Code::InvalidConfig => {
                let given: Vec<String> =
                    settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
                format!("Kafka knows no such topic setting, or not with that value: {}", given.join(", "))
            }
            other => return self.refused(&KafkaError::AdminOp(other)),
        })
    }
}

/// Whether the same may succeed a moment later.
fn may_pass(code: Code) -> bool {
    matches!(
        code,
        Code::RequestTimedOut
            | Code::OperationTimedOut
            | Code::NotController
            | Code::NetworkException
            | Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::LeaderNotAvailable
            | Code::BrokerNotAvailable
    )
}

/// Waits for an answer of the administrative client.
fn wait<T>(answer: impl Future<Output = KafkaResult<T>>) -> KafkaResult<T> {
    match tokio::runtime::Builder::new_current_thread().build() {
        Ok(runtime) => runtime.block_on(answer),
        Err(error) => Err(KafkaError::AdminOpCreation(error.to_string())),
    }
}
