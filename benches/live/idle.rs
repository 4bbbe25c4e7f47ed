//! How soon it is there, and what it costs where nothing happens.
//!
//! Idea: ready is when `/readyz` says so, counted from before the process exists; the processor time is the system's own
//! account of the process.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::broker::Broker;
use crate::middle::{median, spread};
use crate::program::Program;
use crate::{USUAL, configuration};

/// How long it may take to be ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// An empty topic
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Starts, whose median is shown
    #[arg(long, default_value_t = 5)]
    starts: usize,
    /// Seconds for which the last one is watched
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Workers of the engine
    #[arg(long, default_value_t = 2)]
    workers: usize,
}

/// Starts it some times, and watches the last.
pub fn run(args: &Args, broker: &Broker, folder: &Path) -> Result<(), String> {
    let text = configuration(broker.address(), "latest", args.workers, 250, USUAL);
    let mut took = Vec::new();
    for left in (0..args.starts.max(1)).rev() {
        let begun = Instant::now();
        let mut program = Program::start(folder, &text, None)?;
        while let Err(why) = program.get("/readyz") {
            program.lives()?;
            if begun.elapsed() > PATIENCE {
                return Err(why);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        took.push(begun.elapsed().as_secs_f64() * 1000.0);
        if left == 0 {
            watch(args, &program)?;
        }
        program.stop()?;
    }
    println!("from start to ready, ms: {}; median {:.0}", spread(0, took.clone()), median(took));
    Ok(())
}

fn watch(args: &Args, program: &Program) -> Result<(), String> {
    // What it does at its start is not what it does all day.
    std::thread::sleep(Duration::from_secs(5));
    let (before, begun) = (program.cpu(), Instant::now());
    std::thread::sleep(Duration::from_secs(args.seconds));
    let (spent, passed) = (program.cpu() - before, begun.elapsed().as_secs_f64());
    println!(
        "idle with {} workers: {spent:.2} s of processor time in {passed:.1} s, {:.2} % of a core; {:.1} MiB",
        args.workers,
        spent / passed * 100.0,
        program.mib()?
    );
    Ok(())
}
