//! `tidings produce`: posts into a topic of Kafka.
//!
//! Idea: standard output has one line at the end, whose last word is the offsets behind what was sent, in the form in
//! which `min_offsets=` of the HTTP interface takes it; so a script can send, and then ask for an answer that holds it.

use std::path::PathBuf;

use crate::cli::failure::{Code, Failure};
use crate::cli::topic::{begin, print};
use crate::config::Config;
use crate::posts::Decoder;
use crate::produce::connection::Connection;
use crate::produce::feed::{self, Plan};
use crate::produce::limits::Limits;
use crate::produce::pace::{Replay, Speed};
use crate::produce::progress::{self, Progress};
use crate::produce::sender::Sender;
use crate::produce::stop::Stop;
use crate::produce::synthetic::{Mix, Synthetic};
use crate::produce::topics::Topics;
use crate::produce::{lines, replay};
use crate::wall::wall_ms;

/// Send posts into Kafka
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Both make the topic if it is not there. Ctrl-C stops and waits for what is on its way. At the \
    end standard output has one line; its last word can be handed to the engine as it is:\n  \
    curl 'localhost:8080/v1/counts/words/top?wait_ms=5000&min_offsets=posts:0:123,posts:1:77'"
)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Invent posts, as a real stream has them: many languages, hashtags that burst, reposts, late and broken records
    #[command(after_help = "Examples:\n  \
        tidings produce synthetic --brokers localhost:9092 --topic posts --rate 2000\n  \
        tidings produce synthetic --brokers localhost:9092 --topic posts --posts 1000000 --seed 7\n\n\
        The same seed gives the same posts. Their times come from the wall clock, and so do the ids and the moment of \
        each burst; with --start-time they are fixed too, and the whole load repeats byte for byte.")]
    Synthetic(SyntheticArgs),
    /// Send the lines of files: posts as JSON, one a line, or plain text; blank lines are skipped
    #[command(after_help = "Examples:\n  \
        tidings produce file posts.jsonl --brokers localhost:9092 --topic posts\n  \
        tidings produce file morning.jsonl evening.jsonl --topic posts --speed 200x\n  \
        zcat posts.jsonl.gz | tidings produce file - --topic posts\n\n\
        Lines are sent as they are. The id of a post becomes the key of its record, and its own time the record's \
        timestamp; a line without gets the time of the moment. A topic that is made here keeps its records for ever \
        (retention.ms=-1), since old posts would else be deleted at once.")]
    File(FileArgs),
}

#[derive(clap::Args, Debug)]
struct Target {
    #[command(flatten)]
    connection: Connection,
    /// Topic to send to [default: the first of the configuration, else posts]
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    /// Partitions of the topic, where it has to be made
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(i32).range(1..=100_000))]
    partitions: i32,
}

#[derive(clap::Args, Debug)]
struct SyntheticArgs {
    #[command(flatten)]
    target: Target,
    /// How many posts [default: without end, until Ctrl-C]
    #[arg(long, value_name = "N")]
    posts: Option<u64>,
    /// Posts a second, 0 for as fast as possible [default: 1000; with --posts 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=10_000_000))]
    rate: Option<u64>,
    /// Which posts: the same seed gives the same ones
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Share of broken records, from 0 to 1: cut off, wrong types, invalid UTF-8, empty, tombstones
    #[arg(long, value_name = "SHARE", default_value_t = Mix::default().bad, value_parser = share)]
    bad: f64,
    /// Share of posts that come late, by seconds to hours, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = Mix::default().late, value_parser = share)]
    late: f64,
    /// Time of the first post, RFC 3339, such as 2026-01-01T00:00:00Z; the next ones follow by the rate (by 10000 a
    /// second if that is 0), so that nothing depends on the clock
    #[arg(long, value_name = "TIME")]
    start_time: Option<jiff::Timestamp>,
}

#[derive(clap::Args, Debug)]
struct FileArgs {
    /// Files to send, one after the other; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How fast: max, or by the posts' own times, as in 1x, 60x, 200x; a hole of more than a day is skipped
    #[arg(long, default_value = "max")]
    speed: Speed,
    #[command(flatten)]
    target: Target,
}

/// Runs the command.
///
/// # Errors
/// Where the configuration is wrong, Kafka cannot be reached, a file cannot be read, or a record was not delivered.
pub fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Synthetic(args) => synthetic(&args),
        Command::File(args) => file(args),
    }
}

fn synthetic(args: &SyntheticArgs) -> Result<(), Failure> {
    // Old times would be deleted at once by a topic with the broker's own retention.
    let (mut outlet, _) = Outlet::open(&args.target, args.start_time.is_some())?;
    let unless_said = if args.posts.is_some() { 0 } else { 1_000 };
    let plan = Plan {
        posts: args.posts,
        rate: args.rate.unwrap_or(unless_said),
        start_ms: args.start_time.map(jiff::Timestamp::as_millisecond),
    };
    let mut posts = Synthetic::new(args.seed, Mix { bad: args.bad, late: args.late, ..Mix::default() });
    let fed = feed::feed(&mut outlet.sender, &mut posts, plan, &mut outlet.limits);
    outlet.close(fed.err().map(|error| error.to_string()))
}

fn file(args: FileArgs) -> Result<(), Failure> {
    let pieces = lines::read(args.files).map_err(|error| Failure::new(Code::Io, error.to_string()))?;
    let (mut outlet, config) = Outlet::open(&args.target, true)?;
    let decoder =
        Decoder::new(&config.posts).map_err(|error| Failure::new(Code::Config, error.to_string()))?;
    let pace = Replay::new(args.speed);
    let replayed = replay::replay(&mut outlet.sender, &pieces, &decoder, pace, &mut outlet.limits);
    let trouble = match replayed {
        Ok(met) => {
            if met.unreadable > 0 {
                outlet.sender.warn(&format!("lines that are no posts, sent as they are: {}", met.unreadable));
            }
            if met.undated > 0 && args.speed != Speed::Max {
                outlet
                    .sender
                    .warn(&format!("posts without a time of their own, sent at once: {}", met.undated));
            }
            None
        }
        Err(error) => Some(error.to_string()),
    };
    outlet.close(trouble)
}

/// A sender for the topic that the flags name, with what the topic allows.
struct Outlet {
    sender: Sender,
    limits: Limits,
    topic: String,
    begun: std::time::Instant,
}

impl Outlet {
    /// Connects, and makes the topic if it is not there.
    fn open(target: &Target, keep: bool) -> Result<(Self, Config), Failure> {
        let config = begin(&target.connection)?;
        let topic = target.topic.clone().or_else(|| config.kafka.topics.first().cloned());
        let topic =
            topic.ok_or_else(|| Failure::new(Code::Config, "no topic is set: name one with --topic"))?;
        let topics = Topics::connect(&config.kafka)?;
        let for_ever = [("retention.ms".to_owned(), "-1".to_owned())];
        let made = topics.ensure(&topic, target.partitions, if keep { &for_ever } else { &[] })?;
        if made {
            eprintln!("topic {topic} has been made, with {} partitions", target.partitions);
        }
        // Not every broker tells everybody its settings; then nothing can be warned of.
        let settings = topics.settings(&topic).unwrap_or_default();
        let limits = Limits::new(&topic, &settings, wall_ms());
        let stop = Stop::on_signals().map_err(|error| Failure::new(Code::Io, format!("signals: {error}")))?;
        let progress = Progress::new();
        let begun = progress.begun();
        let sender = Sender::new(&config.kafka, &topic, stop, progress)?;
        Ok((Self { sender, limits, topic, begun }, config))
    }

    /// Waits for what is on its way, prints the summary, and fails where something was not delivered.
    fn close(self, trouble: Option<String>) -> Result<(), Failure> {
        let (tally, why) = self.sender.finish();
        print(&format!("{}\n", progress::summary(&tally, self.begun.elapsed(), &self.topic)))?;
        if let Some(trouble) = trouble {
            return Err(Failure::new(Code::Io, trouble));
        }
        match why {
            Some(why) => {
                let all = tally.posts + tally.failed;
                Err(Failure::new(
                    Code::Io,
                    format!("{} of {all} records were not delivered: {why}", tally.failed),
                ))
            }
            None => Ok(()),
        }
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 1, such as 0.01".to_owned())
}
