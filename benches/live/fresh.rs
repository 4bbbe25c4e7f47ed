//! Whether answers stay fresh near the rate that the program can bear.
//!
//! Idea: the program has a core for itself, the last one; broker, sender and readers have the others, so that what they need is
//! not taken from it. What it can bear is how fast it drains a backlog there; then posts come evenly at a share of that. It
//! counts much of each post, since else it can bear more than a sender can send from one core beside a broker.
//! Invariant: both rates are of one run, on the same core, with the same settings but for the length of epochs.
//! Cost: three or four minutes at the defaults; `taskset`, and two cores at least.

use std::path::Path;

use crate::broker::Broker;
use crate::fill::fill;
use crate::middle::median;
use crate::{Load, TOPIC, cores, drain, latency};

/// What is counted.
const COUNTS: &[&str] =
    &["hashtags", "words", "phrases", "mentions", "domains", "words-again", "phrases-again"];

/// A share of what it can bear
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Posts of the backlog
    #[arg(long, default_value_t = 1_000_000)]
    posts: u64,
    /// Drains, whose median counts
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    /// Share of the rate of draining at which posts come afterwards
    #[arg(long, default_value_t = 0.7)]
    share: f64,
    /// Rounds at that rate, whose medians are shown
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of each that are not counted
    #[arg(long, default_value_t = 8)]
    warm: u64,
    /// Seconds of each that are
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Length of an epoch in milliseconds
    #[arg(long, default_value_t = 50)]
    epoch: u64,
}

/// Leaves the last core to the program: to be called before anything else is started.
pub fn stand_aside() -> Result<(), String> {
    let others = match cores::last()? {
        0 => return Err("there is one core only".to_owned()),
        1 => "0".to_owned(),
        last => format!("0-{}", last - 1),
    };
    cores::confine(std::process::id(), &others)
}

/// Drains, then measures.
pub fn run(args: &Args, broker: &Broker, folder: &Path) -> Result<(), String> {
    let load = Load { core: Some(cores::last()?), counts: COUNTS };
    fill(broker.address(), TOPIC, args.posts)?;
    let mut rates = Vec::new();
    for _ in 0..args.repeats.max(1) {
        let cost = drain::drain(args.posts, 1, load, broker, folder)?;
        rates.push(args.posts as f64 / cost.wall);
    }
    let rate = median(rates);
    println!("drained by one core: {rate:.0} records/s; then posts at {:.2} of that", args.share);
    let Args { warm, seconds, epoch, rounds, .. } = *args;
    let rate = (rate * args.share) as u64;
    let args = latency::Args { rate, warm, seconds, epoch, workers: 1, rounds };
    latency::run(&args, load, broker, folder)
}
