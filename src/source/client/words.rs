//! Plain words for the errors of Kafka.
//!
//! Invariant: one line, which says what is wrong and what to change; the value of a property that may be a secret is never in it.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use crate::config::{Config, is_secret};

/// One line for an error: what is wrong and what to change. `brokers` are those that were asked.
pub fn explain(error: &KafkaError, brokers: &str) -> String {
    match (error, code(error)) {
        // The description may quote the value, so only the name is given.
        (KafkaError::ClientConfig(_, description, key, _), _) => setting(description, key),
        (KafkaError::ClientCreation(description), _) => setting(description, ""),
        (_, Some(code)) => words(code, "", brokers),
        (other, None) => other.to_string(),
    }
}

/// What a command that a message names needs behind it to ask the same brokers: nothing where they are the default ones.
pub fn brokers_flag(brokers: &str) -> String {
    let is_default = brokers.is_empty() || brokers == Config::default().kafka.brokers;
    if is_default { String::new() } else { format!(" --brokers {brokers}") }
}

/// The code within an error; the library leaves out that of its administrative calls.
pub fn code(error: &KafkaError) -> Option<Code> {
    match error {
        KafkaError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    }
}

fn setting(description: &str, key: &str) -> String {
    let description = description.trim();
    if description.contains("not supported in this build") || description.contains("at build time") {
        return format!(
            "what `{key}` in [kafka.properties] asks for is not part of the librdkafka that tidings was built with"
        );
    }
    if description.contains("No such configuration property") {
        return format!(
            "[kafka.properties] has `{key}`, which librdkafka does not know; its CONFIGURATION.md has all names"
        );
    }
    match key {
        "" => format!("the settings in [kafka] do not go together: {description}"),
        _ if is_secret(key) || key == "security.protocol" => {
            format!("the value of `{key}` in [kafka.properties] is not valid")
        }
        _ => format!("the value of `{key}` in [kafka.properties] is not valid: {description}"),
    }
}

/// A reason without what librdkafka appends on the state it was in and on how often it has said so.
pub fn short(reason: &str) -> &str {
    reason.split(" (after ").next().unwrap_or_default().trim()
}

/// The line for a code, with the reason that librdkafka gave, which may be empty.
pub(super) fn words(code: Code, reason: &str, brokers: &str) -> String {
    let reason = short(reason);
    let because = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    let elsewhere =
        "is it running, and is this its address? Name another with --brokers or `brokers` in [kafka]";
    match code {
        // What librdkafka takes for the size of an answer is how another kind of server begins its own, or TLS an alert.
        _ if reason.contains("Invalid response size") => format!(
            "what answers at {brokers} is no Kafka broker, or one that wants TLS{because}: {elsewhere}; for TLS set \
             security.protocol in [kafka.properties]"
        ),
        Code::BrokerTransportFailure
        | Code::AllBrokersDown
        | Code::BrokerNotAvailable
        | Code::NetworkException => {
            // A listener for TLS hangs up on plain words, of which librdkafka tells its log alone.
            let secured = if reason.contains("refused") {
                ""
            } else if reason.starts_with("ssl://") || reason.starts_with("sasl_ssl://") {
                "; if it wants no TLS, set security.protocol in [kafka.properties] to PLAINTEXT or SASL_PLAINTEXT"
            } else {
                "; if it wants TLS or SASL, set security.protocol in [kafka.properties]"
            };
            format!("no Kafka broker can be reached at {brokers}{because}: {elsewhere}{secured}")
        }
        Code::Resolve => format!(
            "the host of a Kafka broker is unknown, asked by way of {brokers}{because}: check the name in --brokers or \
             `brokers` in [kafka], and the broker's advertised.listeners"
        ),
        Code::OperationTimedOut | Code::MessageTimedOut | Code::RequestTimedOut | Code::TimedOutQueue => {
            format!("Kafka at {brokers} did not answer in time{because}: {elsewhere}")
        }
        Code::UnknownTopic | Code::UnknownTopicOrPartition => {
            let list = format!("tidings topic list{}", brokers_flag(brokers));
            format!("Kafka at {brokers} has no such topic or partition{because}: `{list}` shows those it has")
        }
        Code::Authentication | Code::SaslAuthenticationFailed | Code::UnsupportedSASLMechanism => format!(
            "Kafka at {brokers} does not accept the credentials{because}: check sasl.mechanism, sasl.username and \
             sasl.password in [kafka.properties]"
        ),
        Code::SSL => format!(
            "no TLS connection with Kafka at {brokers}{because}: check security.protocol and ssl.ca.location in \
             [kafka.properties]; the broker's certificate has to be by an authority in there, and for the host name \
             that is asked"
        ),
        Code::TopicAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::GroupAuthorizationFailed => {
            format!(
                "Kafka at {brokers} does not allow this{because}: ask for the rights, or use other credentials"
            )
        }
        Code::InvalidTimestamp => format!(
            "Kafka refuses the time of the record{because}: message.timestamp.before.max.ms or \
             message.timestamp.after.max.ms of the topic bounds it"
        ),
        Code::MessageSizeTooLarge | Code::InvalidMessageSize => {
            format!(
                "the record is larger than Kafka takes{because}: raise message.max.bytes, or leave it out"
            )
        }
        Code::PurgeQueue | Code::PurgeInflight => {
            format!("Kafka at {brokers} had not taken it when the program stopped")
        }
        Code::UnknownPartition => format!("Kafka at {brokers} has no such partition{because}"),
        other => format!("Kafka at {brokers}: {other}{because}"),
    }
}
