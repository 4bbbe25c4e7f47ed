//! `tidings topic`: what Kafka's console tools do with topics.
//!
//! Idea: standard output has one line a topic or partition, in columns that tools can cut; errors name what is there.

use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use crate::cli::failure::{Code, Failure};
use crate::cli::log;
use crate::config::Config;
use crate::produce::connection::Connection;
use crate::produce::limits::span;
use crate::produce::topics::{self, Partition, TopicError, Topics};
use crate::say::say;
use crate::source::client::ClientError;

/// Make, list and describe topics of Kafka
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Make a topic
    #[command(after_help = "Example: four partitions that keep everything\n  \
        tidings topic create posts --brokers localhost:9092 --partitions 4 --config retention.ms=-1")]
    Create(Create),
    /// List all topics with the number of their partitions
    #[command(after_help = "Example:\n  tidings topic list --brokers localhost:9092")]
    List(List),
    /// Show the partitions of a topic: leader, replicas, offsets, number of records; and how long it keeps them
    #[command(after_help = "Example:\n  tidings topic describe posts --brokers localhost:9092\n\n\
        `first` is the oldest offset held, `next` the one that the next record gets. `records` is the difference: \
        an upper bound where the topic is compacted or written in transactions.")]
    Describe(Describe),
}

#[derive(clap::Args, Debug)]
struct Create {
    /// Its name: letters, digits, dots, underscores and hyphens
    name: String,
    /// Partitions: the most processes or workers that can read at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(i32).range(1..=100_000))]
    partitions: i32,
    /// How many brokers hold each record [default: the cluster's own]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=1_000))]
    replication: Option<i32>,
    /// A topic setting, such as retention.ms=-1 or compression.type=zstd; may be given several times
    #[arg(id = "setting", long = "config", value_name = "KEY=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
    /// Kafka brokers, host:port separated by commas [default: those of the configuration, else localhost:9092]
    #[arg(long, value_name = "HOST:PORT")]
    brokers: Option<String>,
    /// Configuration file of tidings, for its [kafka] section [default: ./tidings.toml where it exists]
    #[arg(short = 'c', long = "config-file", value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(clap::Args, Debug)]
struct List {
    /// Those as well that Kafka keeps for itself, with two underscores in front
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(clap::Args, Debug)]
struct Describe {
    /// Its name
    name: String,
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
///
/// # Errors
/// Where the configuration is wrong, Kafka cannot be reached, or there is no such topic.
pub fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Create(args) => create(&args),
        Command::List(args) => list(&args),
        Command::Describe(args) => describe(&args),
    }
}

fn create(args: &Create) -> Result<(), Failure> {
    let topics = connect(&Connection { brokers: args.brokers.clone(), config: args.file.clone() })?;
    let replication = args.replication.unwrap_or(topics::BROKERS_DEFAULT);
    topics.create(&args.name, args.partitions, replication, &args.settings)?;
    print(&format!("topic {} has been made, with {} partitions\n", args.name, args.partitions))
}

fn list(args: &List) -> Result<(), Failure> {
    let all = connect(&args.connection)?.list()?;
    let shown: Vec<_> = all.into_iter().filter(|(name, _)| args.all || !name.starts_with("__")).collect();
    let width = shown.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines = shown.iter().map(|(name, partitions)| format!("{name:width$}  {partitions} partitions\n"));
    print(&lines.collect::<String>())
}

fn describe(args: &Describe) -> Result<(), Failure> {
    let topics = connect(&args.connection)?;
    let partitions = topics.describe(&args.name)?;
    // What keeps the records is worth knowing, but not worth failing for: not every broker tells everybody.
    let settings = topics.settings(&args.name).unwrap_or_default();
    let kept = |key: &str| settings.get(key).map_or_else(|| "unknown".to_owned(), |value| limit(key, value));
    let records: i64 =
        partitions.iter().filter_map(|partition| partition.offsets).map(|(first, next)| next - first).sum();
    let mut text = format!(
        "topic {}: {} partitions, {records} records; keeps {} and {} a partition, cleanup {}\n",
        args.name,
        partitions.len(),
        kept("retention.ms"),
        kept("retention.bytes"),
        settings.get("cleanup.policy").map_or("unknown", String::as_str),
    );
    text.push_str("partition  leader  replicas      in sync       first         next          records\n");
    text.extend(partitions.iter().map(row));
    print(&text)
}

fn row(partition: &Partition) -> String {
    let brokers = |ids: &[i32]| ids.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
    let leader = partition.leader.map_or_else(|| "none".to_owned(), |leader| leader.to_string());
    let (first, next, records) = match partition.offsets {
        Some((first, next)) => (first.to_string(), next.to_string(), (next - first).to_string()),
        None => ("?".to_owned(), "?".to_owned(), "?".to_owned()),
    };
    let (number, replicas, in_sync) =
        (partition.number, brokers(&partition.replicas), brokers(&partition.in_sync));
    format!("{number:<9}  {leader:<6}  {replicas:<12}  {in_sync:<12}  {first:<12}  {next:<12}  {records}\n")
}

/// A retention setting in words.
fn limit(key: &str, value: &str) -> String {
    match (key, value.parse::<i64>()) {
        (_, Ok(limit)) if limit < 0 => {
            if key == "retention.ms" { "records for ever" } else { "any number of bytes" }.to_owned()
        }
        ("retention.ms", Ok(limit)) => format!("records for {}", span(limit)),
        (_, Ok(limit)) => format!("at most {limit} bytes"),
        (_, Err(_)) => value.to_owned(),
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("a setting is KEY=VALUE, such as retention.ms=-1".to_owned()),
    }
}

/// Loads the settings of a command beside the engine and sets up its log. Unless a level is set, that holds errors
/// only: what librdkafka says of a connection that fails, the command says itself, once and in plain words.
pub fn begin(connection: &Connection) -> Result<Config, Failure> {
    let loaded = connection.load()?;
    for warning in loaded.warnings() {
        say(format_args!("warning: {warning}"));
    }
    let mut config = loaded.config;
    if config.log.level == Config::default().log.level {
        config.log.level = "error".to_owned();
    }
    log::init(&config.log)?;
    Ok(config)
}

fn connect(connection: &Connection) -> Result<Topics, Failure> {
    Ok(Topics::connect(&begin(connection)?.kafka)?)
}

/// Prints to standard output; that nobody reads it any more is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(Code::Io, format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let code = match error {
            ClientError::Settings(_) => Code::Config,
            ClientError::Unreachable(_) => Code::Io,
        };
        Failure::new(code, error.to_string())
    }
}

impl From<TopicError> for Failure {
    fn from(error: TopicError) -> Self {
        match error {
            TopicError::Client(error) => error.into(),
            other => Failure::new(Code::Config, other.to_string()),
        }
    }
}
