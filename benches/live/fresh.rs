//! Whether answers stay fresh near the rate that the program can bear.
//!
//! Idea: the program has a core for itself, the last one; broker, sender and readers have the others, so that what they need is
//! not taken from it. What it can bear is how much of a backlog it drains there in a second of its processor time, whether or
//! not the broker keeps up with that; right after that posts come evenly at a share of it, round by round, since the core is not
//! as fast in one minute as in the next. Each backlog is new: what is too old for fine panes costs more. Much of each post is
//! counted: else the program can bear more than a sender can send from one core beside a broker.
//! Invariant: both rates are of one round, on the same core, with the same settings but for the length of epochs.
//! Cost: five or six minutes and some GB of files at the defaults; `taskset`, and two cores at least.

use std::path::Path;

use crate::broker::{Broker, create_topic};
use crate::fill::fill;
use crate::middle::spread;
use crate::{Load, TOPIC, cores, drain, latency};

/// What is counted.
const COUNTS: &[&str] =
    &["hashtags", "words", "phrases", "mentions", "domains", "words-again", "phrases-again"];

/// A share of what it can bear
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Posts of a backlog
    #[arg(long, default_value_t = 1_000_000)]
    posts: u64,
    /// Share of what it drains in a second of processor time that comes each second afterwards
    #[arg(long, default_value_t = 0.7)]
    share: f64,
    /// Rounds, whose medians are shown
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

/// Drains, then measures, round by round.
pub fn run(args: &Args, broker: &Broker, folder: &Path) -> Result<(), String> {
    let load = Load { core: Some(cores::last()?), topic: TOPIC, counts: COUNTS };
    let Args { warm, seconds, epoch, rounds, .. } = *args;
    let mut even = latency::Args { rate: 0, warm, seconds, epoch, workers: 1, rounds };
    let (mut drained, mut came) = (Vec::new(), Vec::new());
    for round in 0..rounds.max(1) {
        let backlog = format!("backlog-{round}");
        create_topic(broker.address(), &backlog)?;
        fill(broker.address(), &backlog, args.posts)?;
        let cost = drain::drain(args.posts, 1, Load { topic: &backlog, ..load }, broker, folder)?;
        let rate = args.posts as f64 / cost.cpu;
        even.rate = (rate * args.share) as u64;
        drained.push([rate, args.posts as f64 / cost.wall]);
        came.push(latency::round(&even, load, broker, folder)?);
    }
    let [spent, passed] = [0, 1].map(|which| spread(0, drained.iter().map(|rates| rates[which])));
    println!("drained by one core: {spent} records a second of its time, {passed} of all time");
    println!("then posts at {:.2} of the first", args.share);
    latency::show(&even, &came);
    Ok(())
}
