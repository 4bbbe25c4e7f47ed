//! `tidings produce`: posts into a topic of Kafka.
//!
//! Idea: a file per source. Standard output has one line at the end, whose last word is the offsets behind what was sent,
//! in the form in which `min_offsets=` of the HTTP interface takes it; so a script can send, and then ask for an answer
//! that holds it.

mod bluesky;
mod file;
mod live;
mod mastodon;
mod outlet;
mod synthetic;
mod x;

use crate::cli::failure::Failure;

/// Send posts into Kafka
#[derive(clap::Args, Debug)]
#[command(
    after_help = "All make the topic if it is not there. Ctrl-C stops and waits for what is on its way. At the \
    end standard output has one line; its last word can be handed to the engine as it is:\n  \
    curl 'localhost:8080/v1/counts/words/top?wait_ms=5000&min_offsets=posts:0:123,posts:1:77'\n\n\
    Each record has the post's id as its key, the post's time as its timestamp, and headers: source, id, and where the \
    source can be resumed position and resume. A token comes from a file or the environment, never from an argument."
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
    Synthetic(synthetic::Args),
    /// Send the posts of files: JSON, one a line, plain text, or CSV; as they are or packed by gzip or zstd
    #[command(after_help = "Examples:\n  \
        tidings produce file posts.jsonl.zst --brokers localhost:9092 --topic posts\n  \
        tidings produce file morning.jsonl evening.jsonl --topic posts --speed 200x\n  \
        tidings produce file posts.csv --column text=body --column created_at=posted --topic posts\n  \
        tidings produce file posts.jsonl --topic posts --speed 10x --loop --timestamps now\n\n\
        Lines are sent as they are, rows of CSV as JSON. The id of a post becomes the key of its record, and its own \
        time the record's timestamp; a line without gets the time of the moment. Blank lines are skipped. A topic that \
        is made here keeps its records for ever (retention.ms=-1), since old posts would else be deleted at once. \
        Stopped early, it says how many lines to --skip to go on.")]
    File(file::Args),
    /// Send the posts of Bluesky, as they are written, by a public Jetstream; needs no account
    #[command(after_help = "Examples:\n  \
        tidings produce bluesky --brokers localhost:9092 --topic posts\n  \
        tidings produce bluesky --topic posts --language en --from -1h\n  \
        tidings produce bluesky --topic posts --api v2 --zstd --url wss://jetstream.example\n\n\
        Started again it goes on where the topic ends: nothing is missing, as far as the instances keep it, and nothing \
        is there twice.")]
    Bluesky(bluesky::Args),
    /// Send the posts of X that match rules, or a sample of all, by its API v2; needs a bearer token
    #[command(after_help = "Examples:\n  \
        tidings produce x --token-file x.token --topic posts --track rust,\"big data\",#kafka --language en\n  \
        tidings produce x --token-file x.token --topic posts --rule \"cat has:images -is:retweet\"\n  \
        tidings produce x --token-file x.token --topic posts --stream sample\n  \
        tidings produce x rules list --token-file x.token\n\n\
        X keeps the rules of an app. Those that are named here are added, those that were named before are removed, \
        those of others are left alone; without --track, --follow, --locations and --rule they stay as they are.")]
    X(Box<x::Args>),
    /// Send the posts of a Mastodon server, as they arrive there; needs an access token
    #[command(after_help = "Examples:\n  \
        tidings produce mastodon --token-file m.token --brokers localhost:9092 --topic posts\n  \
        tidings produce mastodon --url https://mastodon.example --token-file m.token --topic posts --tag rust --tag kafka\n\n\
        A server keeps no events: what passes while no connection stands is not had, and is said.")]
    Mastodon(mastodon::Args),
}

/// Runs the command.
///
/// # Errors
/// Where the configuration is wrong, Kafka cannot be reached, a source refuses, a file cannot be read, or a record was not
/// delivered.
pub fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Synthetic(args) => synthetic::run(&args),
        Command::File(args) => file::run(args),
        Command::Bluesky(args) => bluesky::run(args),
        Command::X(args) => x::run(*args),
        Command::Mastodon(args) => mastodon::run(args),
    }
}
