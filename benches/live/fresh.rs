//! Whether answers stay fresh near the rate that the program can bear.
//!
//! Idea: the program has a core for itself, the last one; broker, sender and readers have the others, so that what they need is
//! not taken from it. What it can bear is how fast it drains a backlog there; then posts come evenly at a share of that. It
//! counts five kinds of term, since of two it counts more than a sender can send from one core beside a broker.
//! Invariant: both rates are of one round, one right after the other on the same core, with the same settings but for the length of
//! epochs; each round has a broker of its own. Medians of the rounds are shown, since a machine that others use too may be slower
//! in the second half of a round than in the first.
//! Cost: four minutes at the defaults; `taskset`, and two cores at least.

use std::path::Path;

use crate::broker::Broker;
use crate::fill::fill;
use crate::latency::{self, Measured, at};
use crate::middle::median;
use crate::{Load, TOPIC, broker, cores, drain};

/// A share of what it can bear
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Posts of the backlog
    #[arg(long, default_value_t = 1_000_000)]
    posts: u64,
    /// Rounds
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Share of the rate of draining at which posts come afterwards
    #[arg(long, default_value_t = 0.7)]
    share: f64,
    /// Seconds that are not counted
    #[arg(long, default_value_t = 8)]
    warm: u64,
    /// Seconds that are
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Length of an epoch in milliseconds
    #[arg(long, default_value_t = 50)]
    epoch: u64,
}

/// Leaves the last core to the program.
fn stand_aside() -> Result<(), String> {
    let others = match cores::last()? {
        0 => return Err("there is one core only".to_owned()),
        1 => "0".to_owned(),
        last => format!("0-{}", last - 1),
    };
    cores::confine(std::process::id(), &others)
}

/// Drains, then measures, round by round.
pub fn run(args: &Args, folder: &Path) -> Result<(), String> {
    // Before anything else is started.
    stand_aside()?;
    let load =
        Load { core: Some(cores::last()?), counts: &["hashtags", "words", "phrases", "mentions", "domains"] };
    let (mut names, mut all) = (Vec::new(), Vec::new());
    for round in 0..args.rounds.max(1) {
        let broker = Broker::start(&folder.join(format!("kafka-{round}")))?;
        broker::create_topic(broker.address(), TOPIC)?;
        fill(broker.address(), TOPIC, args.posts)?;
        let drained = args.posts as f64 / drain::drain(args.posts, 1, load, &broker, folder)?.wall;
        let rate = (drained * args.share) as u64;
        let Args { warm, seconds, epoch, .. } = *args;
        let args = latency::Args { rate, warm, seconds, epoch, workers: 1 };
        let Measured { latencies, core, .. } = latency::measure(&args, load, &broker, folder)?;
        let figures = latencies.iter().flat_map(|(_, all)| [0.5, 0.99].map(|share| at(all, share)));
        let figures: Vec<f64> = [drained, rate as f64, core * 100.0].into_iter().chain(figures).collect();
        println!("round {round}: {figures:.1?}");
        names = latencies.iter().map(|(name, _)| *name).collect();
        all.push(figures);
    }
    let median = |figure: usize| median(all.iter().map(|figures| figures[figure]));
    println!("medians of {} rounds, epochs of {} ms:", args.rounds.max(1), args.epoch);
    println!(
        "drained by one core: {:.0} records/s; then {:.0} posts/s, {:.0} % of it",
        median(0),
        median(1),
        median(2)
    );
    println!("{:<34} {:>8} {:>8}  ms", "", "p50", "p99");
    for (number, name) in names.iter().enumerate() {
        println!("{name:<34} {:>8.1} {:>8.1}", median(3 + 2 * number), median(4 + 2 * number));
    }
    Ok(())
}
