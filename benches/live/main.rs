//! The real program on a real Kafka: `cargo bench --bench live -- drain`, `latency`, `fresh` or `idle`.
//!
//! Idea: what only the whole shows: what a backlog costs beside the same posts in a file, how long a post takes from its
//! producer to an answer, what a program costs that has nothing to do, and how soon it is there.
//! Invariant: every broker and process is this bench's own, on loopback, and gone with it; what was counted is compared
//! with what was sent before a figure is printed.
//! Cost: Java and Maven (`tests/kafka/kafka.sh install`), and the broker's jars, which the first start fetches; a minute
//! or two each, `fresh` five.

#[path = "../broker/mod.rs"]
mod broker;
mod cores;
mod drain;
mod events;
#[path = "../broker/fill.rs"]
mod fill;
mod fresh;
mod idle;
mod latency;
#[path = "../middle/mod.rs"]
mod middle;
mod probes;
#[path = "../program/mod.rs"]
mod program;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use broker::Broker;
use program::Program;

/// The topic that is written and read.
const TOPIC: &str = "posts";

/// The real program on a real Kafka
#[derive(Parser, Debug)]
struct Args {
    #[command(subcommand)]
    what: What,
    /// Handed over by cargo
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Subcommand, Debug)]
enum What {
    /// CPU time of a backlog, beside that of `tidings count` over the same posts and of the client library alone
    Drain(drain::Args),
    /// From a post's intended time of sending to its count in an answer and in the stream of events
    Latency(latency::Args),
    /// The same latency at a share of what the same program drains of a backlog in a second of its processor time
    Fresh(fresh::Args),
    /// From start to ready on an empty topic, and processor time where nothing happens
    Idle(idle::Args),
}

fn main() -> ExitCode {
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => {
            eprintln!("live bench: no temporary folder: {error}");
            return ExitCode::FAILURE;
        }
    };
    match run(&Args::parse().what, folder.path()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("live bench: {what}");
            ExitCode::FAILURE
        }
    }
}

fn run(what: &What, folder: &Path) -> Result<(), String> {
    if let What::Fresh(_) = what {
        fresh::stand_aside()?;
    }
    let broker = Broker::start(&folder.join("kafka"))?;
    broker::create_topic(broker.address(), TOPIC)?;
    match what {
        What::Drain(args) => drain::run(args, &broker, folder),
        What::Latency(args) => latency::run(args, &broker, folder),
        What::Fresh(args) => fresh::run(args, &broker, folder),
        What::Idle(args) => idle::run(args, &broker, folder),
    }
}

/// What is counted as a rule.
const COUNTS: &[&str] = &["hashtags", "words"];

/// The program's settings: the topic and the counts of a load, over three windows each, of the kind of term that their name
/// begins with.
fn configuration(brokers: &str, start: &str, workers: usize, epoch_ms: u64, load: Load<'_>) -> String {
    let Load { topic, counts, .. } = load;
    let engine = format!(
        "[kafka]\nbrokers = \"{brokers}\"\ntopics = [\"{topic}\"]\nstart = \"{start}\"\n\
         [engine]\nworkers = {workers}\nepoch = \"{epoch_ms}ms\"\n[http]\nbind = \"127.0.0.1:0\"\n"
    );
    let counts =
        counts.iter().map(|name| (name, name.split('-').next().unwrap_or(name))).map(|(name, of)| {
            format!("[[count]]\nname = \"{name}\"\nof = \"{of}\"\nwindows = [\"1m\", \"5m\", \"1h\"]\n")
        });
    engine + &counts.collect::<String>()
}

/// What a program has to bear: a topic and what of it is counted, and whether on a core of its own.
#[derive(Clone, Copy)]
struct Load<'a> {
    core: Option<usize>,
    topic: &'a str,
    counts: &'a [&'a str],
}

impl Load<'_> {
    /// Starts the program with these settings.
    fn start(self, folder: &Path, configuration: &str) -> Result<Program, String> {
        Program::start(folder, configuration, self.core)
    }
}

/// Any core, the usual topic and counts.
const USUAL: Load<'static> = Load { core: None, topic: TOPIC, counts: COUNTS };
