//! What every Kafka client of the program has in common: its settings, its log, and plain words for its errors.
//!
//! Idea: librdkafka says what went wrong in many places at once, in log lines, in error events and in return codes.
//! [`Watch`] keeps the last reason that it gave, and [`explain`] makes one line of it that names what to change.
//! Invariant: what the user sets in `[kafka.properties]` wins over what is set here, by alias too, but not over the few settings
//! without which a consumer would not read each record once and in order; no value of a property that may be a secret is ever part
//! of a message. A broker that is not there is an error within ten seconds, never a wait without end.

mod silence;
mod tls;
mod words;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::{Client, ClientContext};
use rdkafka::config::{ClientConfig, FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::metadata::Metadata;

use crate::config::Kafka;

pub use silence::Silence;
use words::words;
pub use words::{brokers_flag, code, explain, short};

/// How long a client may try to reach a broker that does not answer at all.
const PATIENCE: Duration = Duration::from_secs(9);
/// How long where something answers at once that it is not there: long enough for one that is just starting.
const REFUSED: Duration = Duration::from_secs(3);

/// How many events are served at a time: more than come in the seconds between two times.
const EVENTS: usize = 1000;

/// Settings of every client; sockets that died are noticed, and a broker that is back is found within a second.
const DEFAULTS: [(&str, &str); 7] = [
    ("client.id", "tidings"),
    ("socket.keepalive.enable", "true"),
    ("socket.connection.setup.timeout.ms", "8000"),
    ("reconnect.backoff.ms", "50"),
    ("reconnect.backoff.max.ms", "1000"),
    ("retry.backoff.max.ms", "1000"),
    ("log.connection.close", "false"),
];

/// Properties that librdkafka knows by two names, of which its documentation says that they are one.
const ALIASES: [(&str, &str); 7] = [
    ("bootstrap.servers", "metadata.broker.list"),
    ("linger.ms", "queue.buffering.max.ms"),
    ("compression.codec", "compression.type"),
    ("acks", "request.required.acks"),
    ("message.timeout.ms", "delivery.timeout.ms"),
    ("sasl.mechanism", "sasl.mechanisms"),
    ("max.in.flight", "max.in.flight.requests.per.connection"),
];

/// Why there is no client, or none that reaches a broker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The settings cannot work: a property is wrong, or the broker does not accept who is asking.
    #[error("{0}")]
    Settings(String),
    /// The broker is not there, or does not answer in time.
    #[error("{0}")]
    Unreachable(String),
}

/// The settings of a client of these brokers.
pub fn client_config(kafka: &Kafka) -> ClientConfig {
    client_config_with(kafka, &[])
}

/// The same with more defaults, each of which the user's properties override by either of its names.
pub fn client_config_with(kafka: &Kafka, defaults: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &kafka.brokers);
    for (key, value) in DEFAULTS.iter().chain(defaults) {
        config.set(*key, *value);
    }
    for (key, property) in &kafka.properties {
        for (one, other) in ALIASES {
            if key == one || key == other {
                config.remove(one).remove(other);
            }
        }
        config.set(key, &property.value);
    }
    tls::trust_the_systems_authorities(&mut config);
    config.set_log_level(log_level());
    config
}

/// Makes a client with a context.
///
/// # Errors
/// `Settings` where a property is unknown or wrong, or needs what this build lacks.
pub fn create<T, C>(config: &ClientConfig, context: C) -> Result<T, ClientError>
where
    C: ClientContext,
    T: FromClientConfigAndContext<C>,
{
    if let Some(refusal) = tls::unmet(config, tls::TLS) {
        return Err(ClientError::Settings(refusal));
    }
    tls::keep_openssl_to_the_end();
    config.create_with_context(context).map_err(|error| ClientError::Settings(explain(&error, "")))
}

/// Waits until a broker answers and gives back what it says of its topics. `poll` has to serve the client's events, so
/// that `watch`, which is or belongs to its context, hears of the reasons.
///
/// # Errors
/// After three seconds where the broker refuses who is asking, nobody listens or the name is unknown, after nine where nothing
/// answers.
pub fn reach<C>(
    client: &Client<C>,
    watch: &Watch,
    brokers: &str,
    poll: impl Fn(),
) -> Result<Metadata, ClientError>
where
    C: ClientContext,
{
    let begun = Instant::now();
    // Ever longer, since an answer to an earlier question is not waited for, and a slow broker must have its time.
    let mut wait = Duration::from_millis(500);
    loop {
        let error = match client.fetch_metadata(None, wait) {
            Ok(metadata) => return Ok(metadata),
            Err(error) => error,
        };
        // A call serves one event, and log lines are events too: the reason may be behind many of them.
        (0..EVENTS).for_each(|_| poll());
        let patience = match watch.last() {
            // It may be one of several brokers that says so, or one that is just being started.
            Some((
                Code::Authentication
                | Code::SaslAuthenticationFailed
                | Code::SSL
                | Code::BrokerTransportFailure
                | Code::Resolve,
                _,
            )) => REFUSED,
            _ => PATIENCE,
        };
        if begun.elapsed() >= patience {
            return Err(watch.client_error(&error, brokers));
        }
        wait = (2 * wait).min(patience.saturating_sub(begun.elapsed()));
    }
}

/// The context of a client: log lines go into `tracing`, and the last error that it reported is kept.
#[derive(Debug, Default)]
pub struct Watch {
    last: Mutex<Option<(Code, String)>>,
}

impl Watch {
    /// The last error reported, with librdkafka's reason.
    pub fn last(&self) -> Option<(Code, String)> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Like [`explain`], with the last reported reason where the error itself says little.
    pub fn explain(&self, error: &KafkaError, brokers: &str) -> String {
        let vague = matches!(
            code(error),
            Some(Code::BrokerTransportFailure | Code::AllBrokersDown)
                | Some(Code::OperationTimedOut | Code::MessageTimedOut)
                | Some(Code::PurgeQueue | Code::PurgeInflight)
        );
        match self.last().filter(|_| vague) {
            Some((code, reason)) => words(code, &reason, brokers),
            None => explain(error, brokers),
        }
    }

    /// An error of reaching the brokers as one of the two kinds.
    pub fn client_error(&self, error: &KafkaError, brokers: &str) -> ClientError {
        let text = self.explain(error, brokers);
        let code = self.last().map(|(code, _)| code).or_else(|| code(error));
        match code {
            Some(Code::Authentication | Code::SaslAuthenticationFailed | Code::SSL) => {
                ClientError::Settings(text)
            }
            Some(Code::ClusterAuthorizationFailed | Code::TopicAuthorizationFailed) => {
                ClientError::Settings(text)
            }
            _ => ClientError::Unreachable(text),
        }
    }

    /// Keeps an error that was reported. That all brokers are down only repeats the reason before it.
    pub fn heard(&self, error: &KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", "{error}: {reason}");
        if let Some(code) = code(error).filter(|code| *code != Code::AllBrokersDown) {
            // On a busy machine the answer may be there with the first call of a connection, all of whose failures are one code.
            let untrusted =
                code == Code::BrokerTransportFailure && reason.contains("certificate verify failed");
            let code = if untrusted { Code::SSL } else { code };
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((code, reason.to_owned()));
        }
    }
}

impl ClientContext for Watch {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.heard(&error, reason);
    }
}

impl ConsumerContext for Watch {}

/// One log line of librdkafka into `tracing`, under the target `librdkafka`.
pub fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::error!(target: "librdkafka", "{facility}: {message}");
        }
        // A broker away is said several times a second; who waits for it says so once.
        RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning if facility == "FAIL" => {
            tracing::debug!(target: "librdkafka", "{facility}: {message}");
        }
        RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning => {
            tracing::warn!(target: "librdkafka", "{facility}: {message}");
        }
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
            tracing::info!(target: "librdkafka", "{facility}: {message}");
        }
        RDKafkaLogLevel::Debug => tracing::debug!(target: "librdkafka", "{facility}: {message}"),
    }
}

/// How much librdkafka is to say, so that it does not format lines that `tracing` drops.
fn log_level() -> RDKafkaLogLevel {
    if tracing::enabled!(target: "librdkafka", tracing::Level::DEBUG) {
        RDKafkaLogLevel::Debug
    } else if tracing::enabled!(target: "librdkafka", tracing::Level::INFO) {
        RDKafkaLogLevel::Info
    } else {
        RDKafkaLogLevel::Warning
    }
}

#[cfg(test)]
mod tests;
