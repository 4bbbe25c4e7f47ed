//! Ten million posts through a real Kafka that goes away twice: `cargo bench --bench endurance`.
//!
//! Idea: what only shows with time: whether anything is lost over the long run, whether memory grows, whether a post
//! costs more at the end than at the beginning. The program under test is the real binary with its own HTTP interface;
//! posts come from `tidings produce`; in the end the topic is read back and counted by `tidings count`.
//! Invariant: it fails where a single record or occurrence is missing or doubled, where the last million posts take more
//! than the tolerated share of memory or processor time above what the first million took, once the windows were full.
//! Cost: at the defaults some ten minutes, 3 GB of memory, 3 GB of disk, Java; run by hand on a machine that does nothing
//! else. Processor time is the program's own, but caches that are shared with others make it dearer.

#[path = "../broker/mod.rs"]
mod broker;
#[path = "../program/mod.rs"]
mod program;
mod recount;
mod samples;
mod under_test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;

use broker::Broker;
use program::Program;
use samples::Samples;
use under_test::Producer;

/// The topic that is written and read.
const TOPIC: &str = "endurance";

/// Windows of both counts; hashtags have `all` as well, by which nothing that was lost can hide.
const WINDOWS: &str = "\"10s\", \"30s\", \"1m\"";
/// How long the largest of them takes to be full, with some seconds for the first posts to come.
const FULL: Duration = Duration::from_secs(65);
/// How long the engine may take to count what is left once everything has been written.
const PATIENCE: Duration = Duration::from_secs(120);
/// Rows that show the course of a run.
const PARTS: u64 = 20;
/// Between two samples.
const EVERY: Duration = Duration::from_secs(1);

/// Many posts through a real Kafka that goes away now and then
#[derive(Parser, Debug)]
struct Args {
    /// Posts, broken ones included
    #[arg(long, default_value_t = 10_000_000)]
    posts: u64,
    /// Posts a second
    #[arg(long, default_value_t = 20_000)]
    rate: u64,
    /// Posts at the beginning and at the end that are compared
    #[arg(long, default_value_t = 1_000_000)]
    span: u64,
    /// How often the broker is stopped
    #[arg(long, default_value_t = 2)]
    outages: u64,
    /// For how many seconds each time
    #[arg(long, default_value_t = 20)]
    away: u64,
    /// Workers of the engine
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Percent that the last span may take more than the first
    #[arg(long, default_value_t = 15.0)]
    tolerance: f64,
    /// Folder for the broker's data, which are left there [default: one that is removed]
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Handed over by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("endurance: {what}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), String> {
    let removed = tempfile::tempdir().map_err(|error| error.to_string())?;
    let folder = args.folder.clone().unwrap_or_else(|| removed.path().to_owned());
    let broker = Broker::start(&folder)?;
    broker::create_topic(broker.address(), TOPIC)?;
    let counts = format!(
        "[[count]]\nname = \"hashtags\"\nof = \"hashtags\"\nwindows = [{WINDOWS}, \"all\"]\n\
         [[count]]\nname = \"words\"\nof = \"words\"\nwindows = [{WINDOWS}]\n"
    );
    let mut program = under_test::run(removed.path(), broker.address(), args.workers, &counts)?;
    let producer = Producer::start(broker.address(), args.posts, args.rate)?;

    let counted = AtomicU64::new(0);
    let samples = std::thread::scope(|scope| {
        let outages = scope.spawn(|| outages(args, &broker, &folder, &counted));
        let samples = watch(args, &mut program, producer, &counted);
        // The outages wait for posts that would never come.
        counted.store(u64::MAX, Ordering::Relaxed);
        let told = outages.join().map_err(|_| "the outages panicked".to_owned())?;
        samples.and_then(|samples| told.map(|()| samples))
    })?;
    let totals = under_test::totals(&program)?;
    program.stop()?;
    recount::check(broker.address(), args.posts, &totals)?;
    println!("nothing lost, nothing doubled: {} records of {}", totals.records, args.posts);
    report(args, &samples)
}

/// Stops the broker for a while, each time when the next part of the first half of the posts has been counted: what
/// catching up takes is given back within two minutes, as batches merge, and must not be taken for growth.
fn outages(args: &Args, broker: &Broker, folder: &Path, counted: &AtomicU64) -> Result<(), String> {
    for outage in 1..=args.outages {
        let at = args.posts / (2 * args.outages) * outage;
        while counted.load(Ordering::Relaxed) < at {
            std::thread::sleep(EVERY);
        }
        if counted.load(Ordering::Relaxed) == u64::MAX {
            return Err("the posts ended before the broker was stopped as often as was asked".to_owned());
        }
        let begun = Instant::now();
        broker.stop()?;
        std::thread::sleep(Duration::from_secs(args.away));
        let address = broker::kafka_sh("start", folder)?;
        if address != broker.address() {
            return Err(format!("the broker is at {address} now"));
        }
        println!("the broker was away for {:.0} s at {at} posts", begun.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Takes a sample a second until all that the producer has written has been counted.
fn watch(
    args: &Args,
    program: &mut Program,
    mut producer: Producer,
    counted: &AtomicU64,
) -> Result<Samples, String> {
    let (mut samples, mut written, mut next) = (Samples::default(), None, Instant::now());
    loop {
        let sample = under_test::sample(program)?;
        counted.store(sample.records, Ordering::Relaxed);
        samples.push(sample);
        if written.is_none() && producer.ended()? {
            written = Some(Instant::now());
        }
        if let Some(written) = written {
            if sample.records >= args.posts {
                return Ok(samples);
            }
            if written.elapsed() > PATIENCE {
                return Err(format!("{} of {} records were counted", sample.records, args.posts));
            }
        }
        next += EVERY;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

fn report(args: &Args, samples: &Samples) -> Result<(), String> {
    let full = samples.records_after(FULL);
    let spans = [full, args.posts - args.span].map(|from| (from, from + args.span));
    if spans[0].1 > spans[1].0 {
        return Err(format!("{} posts end before the two spans lie apart", args.posts));
    }
    println!("{:<28} {:>14} {:>14} {:>14}", "posts", "CPU µs a post", "MiB, median", "MiB, most");
    let row = |from, to| {
        let span = samples.between(from, to);
        let name = format!("{from} to {to}");
        println!("{name:<28} {:>14.3} {:>14.1} {:>14.1}", span.cpu_us, span.median_mib, span.most_mib);
        span
    };
    let part = (args.posts / PARTS).max(1);
    for number in 0..PARTS {
        row(number * part, (number + 1) * part);
    }
    println!("of these, the first once the windows were full, and the last:");
    let [first, last] = spans.map(|(from, to)| row(from, to));
    let most = samples.most_mib();
    println!("most memory at any time, outages included: {most:.1} MiB");
    let more = |last: f64, first: f64| (last / first - 1.0) * 100.0;
    let (cpu, memory) = (more(last.cpu_us, first.cpu_us), more(last.median_mib, first.median_mib));
    println!("the last span against the first: CPU a post {cpu:+.1} %, memory {memory:+.1} %");
    match cpu > args.tolerance || memory > args.tolerance {
        true => Err(format!("more than {} % above the first span", args.tolerance)),
        false => Ok(()),
    }
}
