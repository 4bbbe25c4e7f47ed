//! `tidings tail`: the records of a topic as they arrive.
//!
//! Idea: one line a record, for people: what is not text is made visible, and nothing that a record holds can reach
//! the terminal as a command. With `--json` one JSON object a line, whole, for tools.

mod line;

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::str::FromStr;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Offset, TopicPartitionList};

use crate::cli::failure::{Code, Failure};
use crate::cli::topic::begin;
use crate::config::{Kafka, parse_duration};
use crate::produce::connection::Connection;
use crate::produce::stop::Stop;
use crate::produce::topics::Topics;
use crate::say::say;
use crate::source::client::{self, Silence, Watch};
use crate::wall::wall_ms;

/// How long one wait for a record lasts, so that a signal is seen soon.
const SLICE: Duration = Duration::from_millis(100);
/// How long the broker may take to find offsets.
const REQUEST: Duration = Duration::from_secs(10);
const DEFAULTS: [(&str, &str); 5] = [
    // Without a group librdkafka assigns no partitions; nothing is ever committed to it.
    ("group.id", "tidings-tail"),
    ("enable.auto.commit", "false"),
    ("auto.offset.reset", "earliest"),
    ("fetch.wait.max.ms", "100"),
    ("queued.max.messages.kbytes", "16384"),
];

/// Print the records of a topic as they arrive
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tidings tail posts --brokers localhost:9092\n  \
    tidings tail posts --from -10m --max 100\n  \
    tidings tail posts --from earliest --json | jq -r .value\n  \
    tidings tail dead-letters --from -1h --json | jq -c '[.headers.reason, .headers.detail]'\n\n\
    A line has the record's time, its partition and offset, its key, and its value, cut at the width of the terminal. \
    A record without a key has - in its place, one without a value (a tombstone) has (null).")]
pub struct Args {
    /// Topic to read, all its partitions
    topic: String,
    /// Where to begin: earliest, latest, an age such as -1h, or a time such as 2026-01-01T00:00:00Z
    #[arg(long, default_value = "latest", allow_hyphen_values = true)]
    from: Begin,
    /// Stop after this many records [default: go on until Ctrl-C]
    #[arg(long, value_name = "N")]
    max: Option<u64>,
    /// One JSON object a line, whole: time, topic, partition, offset, key, value, headers
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begin {
    Earliest,
    Latest,
    Ago(Duration),
    /// Unix milliseconds.
    At(i64),
}

impl FromStr for Begin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "earliest" => Ok(Self::Earliest),
            "latest" => Ok(Self::Latest),
            _ => match (text.strip_prefix('-'), text.parse::<jiff::Timestamp>()) {
                (Some(age), _) => parse_duration(age).map(Self::Ago),
                (None, Ok(time)) => Ok(Self::At(time.as_millisecond())),
                (None, Err(_)) => Err("earliest, latest, an age such as -1h, or a time such as \
                                       2026-01-01T00:00:00Z"
                    .to_owned()),
            },
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Where the configuration is wrong, Kafka cannot be reached, or there is no such topic.
pub fn run(args: Args) -> Result<(), Failure> {
    let config = begin(&args.connection)?;
    let stop = Stop::on_signals().map_err(|error| Failure::new(Code::Io, format!("signals: {error}")))?;
    let consumer = open(&config.kafka, &args.topic, args.from)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let format = line::Format::new(args.json, io::stdout().is_terminal());
    let mut left = args.max.unwrap_or(u64::MAX);
    let mut silence = Silence::new(&config.kafka.brokers);
    while left > 0 && !stop.asked() {
        let record = match consumer.poll(Duration::ZERO) {
            None => {
                if done(out.flush())?.is_none() {
                    return Ok(());
                }
                consumer.poll(SLICE)
            }
            record => record,
        };
        match record {
            Some(_) => silence.heard(),
            None => silence.goes_on(consumer.client()),
        }
        let written = match record {
            Some(Ok(record)) => {
                left -= 1;
                show(&mut out, format, &record)
            }
            Some(Err(error)) => judge(&consumer, &error, &config.kafka.brokers).map(|()| Ok(()))?,
            None => Ok(()),
        };
        if done(written)?.is_none() {
            return Ok(());
        }
    }
    done(out.flush()).map(|_| ())
}

/// A consumer of all partitions of the topic, from there on.
fn open(kafka: &Kafka, topic: &str, from: Begin) -> Result<BaseConsumer<Watch>, Failure> {
    let partitions = Topics::connect(kafka)?.describe(topic)?;
    let consumer: BaseConsumer<Watch> =
        client::create(&client::client_config_with(kafka, &DEFAULTS), Watch::default())?;
    let fail = |error: KafkaError| Failure::new(Code::Io, consumer.context().explain(&error, &kafka.brokers));
    let since = match from {
        Begin::Ago(age) => Some(wall_ms().saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX))),
        Begin::At(time_ms) => Some(time_ms),
        Begin::Earliest | Begin::Latest => None,
    };
    let mut places = TopicPartitionList::new();
    for partition in &partitions {
        let offset = match (since, from, partition.offsets) {
            (Some(time_ms), ..) => Offset::Offset(time_ms.max(0)),
            (None, Begin::Earliest, _) => Offset::Beginning,
            // Fixed now, so that nothing that comes from now on is missed.
            (None, _, Some((_, next))) => Offset::Offset(next),
            (None, _, None) => Offset::End,
        };
        places.add_partition_offset(topic, partition.number, offset).map_err(fail)?;
    }
    if since.is_some() {
        places = consumer.offsets_for_times(places, REQUEST).map_err(fail)?;
    }
    consumer.assign(&places).map_err(fail)?;
    Ok(consumer)
}

/// Whether an error of the consumer ends the program; a broker that is away may come back.
fn judge(consumer: &BaseConsumer<Watch>, error: &KafkaError, brokers: &str) -> Result<(), Failure> {
    use RDKafkaErrorCode as Kind;
    let text = consumer.context().explain(error, brokers);
    match client::code(error) {
        Some(Kind::UnknownTopic | Kind::UnknownTopicOrPartition | Kind::UnknownPartition) => {
            Err(Failure::new(Code::Config, text))
        }
        Some(Kind::TopicAuthorizationFailed | Kind::SaslAuthenticationFailed | Kind::Authentication) => {
            Err(Failure::new(Code::Config, text))
        }
        Some(Kind::AllBrokersDown) => {
            say(format_args!("warning: {text}; trying again"));
            Ok(())
        }
        _ => {
            tracing::debug!("{text}");
            Ok(())
        }
    }
}

fn show(out: &mut impl Write, format: line::Format, record: &BorrowedMessage<'_>) -> io::Result<()> {
    out.write_all(format.line(record).as_bytes())
}

/// What a write came to; `None`: whoever was reading has had enough.
fn done(written: io::Result<()>) -> Result<Option<()>, Failure> {
    match written {
        Ok(()) => Ok(Some(())),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(None),
        Err(error) => Err(Failure::new(Code::Io, format!("standard output: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_read_and_refused() {
        assert_eq!("earliest".parse(), Ok(Begin::Earliest));
        assert_eq!("-1h".parse(), Ok(Begin::Ago(Duration::from_secs(3_600))));
        assert_eq!("2026-01-01T00:00:00Z".parse(), Ok(Begin::At(1_767_225_600_000)));
        for wrong in ["", "now", "-", "1h", "-1", "2026-01-01"] {
            assert!(wrong.parse::<Begin>().is_err(), "{wrong}");
        }
    }
}
