//! The command line: a file per command, each with its flags and one `run`.
//!
//! Idea: a command parses, calls the modules below, and turns what went wrong into a [`Failure`]; it decides nothing
//! that another program could want to decide too.

pub mod check;
pub mod checkpoint;
pub mod cluster;
pub mod count;
pub mod demo;
pub mod failure;
mod fresh;
pub mod log;
pub mod produce;
pub mod run;
mod serving;
mod stopping;
pub mod tail;
pub mod top;
pub mod topic;
mod visible;

pub use failure::{Code, Failure};

/// Live, exact counts of the words and hashtags in a stream of posts
#[derive(clap::Parser, Debug)]
#[command(
    version,
    about,
    arg_required_else_help = true,
    after_help = "\
    Start with `tidings demo`: it needs nothing else. Then `tidings run --brokers localhost:9092 --topic posts`.\n\
    Exit codes: 2 usage, 65 data refused, 70 bug, 74 input or output, 75 peer lost, 78 configuration."
)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Show live trends of invented posts, with a broker inside the program: nothing to install
    Demo(demo::Args),
    /// Count the posts in Kafka topics and answer over HTTP
    Run(run::Args),
    /// Run several processes on this host as one, and start all anew when one is lost
    Cluster(cluster::Args),
    /// Count the posts in files, and print the result
    Count(count::Args),
    /// Put posts into a Kafka topic
    Produce(produce::Args),
    /// Make topics and look at them
    Topic(topic::Args),
    /// Print the records of a topic as they come
    Tail(tail::Args),
    /// Show a ranking live in the terminal, from a running engine
    Top(top::Args),
    /// Say what is wrong with a configuration
    Check(check::Args),
    /// Look into checkpoints
    Checkpoint(checkpoint::Args),
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    /// What went wrong, for people and for scripts.
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Command::Demo(args) => demo::run(args),
            Command::Run(args) => run::run(args),
            Command::Cluster(args) => cluster::run(args),
            Command::Count(args) => count::run(args),
            Command::Produce(args) => produce::run(args),
            Command::Topic(args) => topic::run(args),
            Command::Tail(args) => tail::run(args),
            Command::Top(args) => top::run(args),
            Command::Check(args) => check::run(args),
            Command::Checkpoint(args) => checkpoint::run(args),
        }
    }
}
