//! What windows cost: `cargo bench --bench windows -- --minutes 6`.
//!
//! Idea: the same posts with other windows, in turn, against those with the first: one window in 1, 6 and 60 panes, then one
//! to four windows of the default slides.
//! Invariant: every run counts the same posts, several windows long, so that panes leave windows as they do all day; ratios are
//! of processor time, round by round, to the first run of the same round.
//! Cost: about half a minute at the defaults on an idle machine.

mod load;
mod measure;
mod middle;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use load::Load;
use measure::{Cost, measured};
use middle::{median, spread};
use tidings::engine::{self, Input};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Windows that are compared; the first is what the others are compared with.
const WINDOWS: [&str; 7] = ["1m/1m", "1m/10s", "1m/1s", "1m", "1m,5m", "1m,5m,1h", "1m,5m,1h,all"];

/// What windows cost
#[derive(Parser, Debug)]
struct Args {
    #[command(flatten)]
    load: Load,
    /// Rounds; medians of these are shown
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// Workers
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// Handed over by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    tidings::allocator::keep_for_the_next_epoch();
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("windows bench: {what}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), String> {
    let load = |windows: &str| Load {
        windows: windows.split(',').map(str::to_owned).collect(),
        ..args.load.clone()
    };
    let posts = args.load.make().map_err(|error| format!("cannot write the posts: {error}"))?;
    let mut all: Vec<Vec<Cost>> = vec![Vec::new(); WINDOWS.len()];
    // The first round warms up and is not counted.
    for round in 0..=args.repeats {
        for (windows, costs) in WINDOWS.iter().zip(&mut all) {
            let files = Input::Files(vec![posts.path.clone()], Arc::default());
            let (cost, ended) = measured(|| {
                let engine = engine::start(&load(windows).config(args.workers), files, None);
                engine.map_err(|error| error.to_string())?.join().map_err(|error| error.to_string())
            });
            ended?;
            if round > 0 {
                costs.push(cost);
            }
        }
    }
    println!(
        "{} records of {:.0} bytes over {} min of event time; {} workers; medians of {}",
        posts.lines,
        posts.bytes as f64 / posts.lines as f64,
        args.load.minutes,
        args.workers,
        args.repeats
    );
    println!("{:<16} {:>10} {:>14}  CPU time, of the first line's", "windows", "records/s", "CPU s/million");
    for (windows, costs) in WINDOWS.iter().zip(&all) {
        let ratios = costs.iter().zip(&all[0]).map(|(cost, first)| cost.cpu / first.cpu);
        println!(
            "{windows:<16} {:>10.0} {:>14.2}  {}",
            posts.lines as f64 / median(costs.iter().map(|cost| cost.wall)),
            median(costs.iter().map(|cost| cost.cpu)) / posts.lines as f64 * 1e6,
            spread(2, ratios)
        );
    }
    Ok(())
}
