//! The whole engine against a loop: `cargo bench --bench engine -- --posts 400000 --repeats 5`.
//!
//! Idea: both read the same file, with the same decoder and extractor, and must give the same totals and the same first
//! thousand of every window before any time counts. What an engine costs over a loop is what it has to justify.
//! Invariant: rivals run in turn, so that whatever disturbs the machine disturbs all of them; ratios are taken round by
//! round, to the loop of the same round. A round has several turns, and what counts of each rival is the fastest: others on the
//! machine only ever make a run slower, and seldom all of them.
//! Cost: about a minute at the defaults on an idle machine.

mod load;
mod measure;
mod middle;
mod rival;
mod stages;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use load::{Load, Posts};
use measure::{Cost, measured};
use middle::{median, spread};
use rival::Rival;
use tidings::engine::{self, Cut, Input, Reader};
use tidings_dataflows::windows::Windows;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Places that are compared.
const TOP: usize = 1000;

/// The whole engine against a hand-written loop
#[derive(Parser, Debug)]
struct Args {
    #[command(flatten)]
    load: Load,
    /// Rounds; medians of these are shown
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// Turns in each round; of each rival the fastest counts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    turns: u8,
    /// Numbers of workers to measure
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    workers: Vec<usize>,
    /// Only run the engine, with the first number of workers: for a profiler
    #[arg(long)]
    only_engine: bool,
    /// Only run the loop: for a profiler
    #[arg(long, conflicts_with = "only_engine")]
    only_loop: bool,
    /// Handed over by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    tidings::allocator::keep_for_the_next_epoch();
    let args = Args::parse();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("engine bench: {what}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), String> {
    let posts = args.load.make().map_err(|error| format!("cannot write the posts: {error}"))?;
    let one = args.workers.first().copied().unwrap_or(1);
    for _ in 0..args.repeats {
        if args.only_engine {
            drop(count(args, &posts, one)?);
        } else if args.only_loop {
            Rival::new(&args.load.config(1), &rival::windows(&args.load.config(1))).run(&posts.path);
        }
    }
    if args.only_engine || args.only_loop {
        return Ok(());
    }
    let windows = rival::windows(&args.load.config(1));
    let mut runs: Vec<(String, Vec<Cost>)> = vec![("loop".to_owned(), Vec::new())];
    runs.extend(args.workers.iter().map(|workers| (format!("engine, workers: {workers}"), Vec::new())));
    runs.extend(stages::STAGES.iter().map(|(name, _)| ((*name).to_owned(), Vec::new())));
    // The first round warms up and is not counted; every round is checked.
    for round in 0..=args.repeats {
        let mut costs = turn(args, &posts, &windows)?;
        for _ in 1..args.turns {
            for (least, cost) in costs.iter_mut().zip(turn(args, &posts, &windows)?) {
                *least = Cost { wall: least.wall.min(cost.wall), cpu: least.cpu.min(cost.cpu) };
            }
        }
        if round > 0 {
            runs.iter_mut().zip(costs).for_each(|((_, all), cost)| all.push(cost));
        }
    }
    show(args, &posts, &runs);
    Ok(())
}

/// What the loop, the engine with each number of workers, and each stage cost, once all answers of the engine are those of the loop.
fn turn(args: &Args, posts: &Posts, windows: &[Windows]) -> Result<Vec<Cost>, String> {
    let config = args.load.config(1);
    let mut rival = Rival::new(&config, windows);
    let mut costs = vec![measured(|| rival.run(&posts.path)).0];
    for workers in &args.workers {
        let (cost, counted) = measured(|| count(args, posts, *workers));
        let (reader, cut) = counted?;
        same(&rival, &reader, &cut).map_err(|what| format!("with workers {workers}: {what}"))?;
        costs.push(cost);
    }
    drop(rival);
    costs.extend(stages::STAGES.iter().map(|(_, stage)| measured(|| stage(&posts.path, &config, windows)).0));
    Ok(costs)
}

/// Runs the engine over the posts until it has ended, and gives what it published last.
fn count(args: &Args, posts: &Posts, workers: usize) -> Result<(Reader, Arc<Cut>), String> {
    let files = Input::Files(vec![posts.path.clone()], Arc::default());
    let engine = engine::start(&args.load.config(workers), files, None).map_err(|error| error.to_string())?;
    let reader = engine.reader();
    engine.join().map_err(|error| error.to_string())?;
    let cut = reader.newest().ok_or("nothing was published")?;
    Ok((reader, cut))
}

/// Whether the engine's last answer is that of the loop.
fn same(rival: &Rival, reader: &Reader, cut: &Cut) -> Result<(), String> {
    let bad: u64 = cut.tally.bad.values().sum();
    if (rival.posts, rival.bad) != (cut.tally.posts, bad) {
        return Err(format!(
            "{} posts and {bad} bad, not {} and {}",
            cut.tally.posts, rival.posts, rival.bad
        ));
    }
    for (number, (count, (_, own, spellings))) in reader.counts().iter().zip(&rival.counts).enumerate() {
        let view = reader.view(cut, number);
        for window in &count.windows {
            let at = format!("{} {}", count.name, window.name);
            let (figures, top) = own.recount(window.index, TOP);
            if view.figures(window.index) != figures {
                return Err(format!("{at}: {:?}, not {figures:?}", view.figures(window.index)));
            }
            if view.top(window.index, TOP) != top {
                return Err(format!("{at}: another ranking"));
            }
            if own.answer(window.index).len() != top.len().min(10) {
                return Err(format!("{at}: the loop's own first places"));
            }
            for (_, term) in top.iter().take(10) {
                let spelling = spellings.as_ref().map(|all| all.commonest(term));
                if spelling.is_some_and(|spelling| spelling != view.spelling(term.as_bytes())) {
                    return Err(format!("{at}: another spelling of {term}"));
                }
            }
        }
    }
    Ok(())
}

fn show(args: &Args, posts: &Posts, runs: &[(String, Vec<Cost>)]) {
    let Load { minutes, windows, of, .. } = &args.load;
    let kinds: Vec<_> = of.iter().map(|kind| kind.as_str()).collect();
    let size = posts.bytes as f64 / posts.lines as f64;
    println!(
        "{} records of {size:.0} bytes over {minutes} min of event time; {} in {}; medians of {} rounds, of each \
         the fastest of {} turns",
        posts.lines,
        kinds.join(", "),
        windows.join(", "),
        args.repeats,
        args.turns,
    );
    println!("{:<20} {:>10} {:>14}  speed of the loop's, passed | spent", "", "records/s", "CPU s/million");
    for (name, costs) in runs {
        let to_loop = |pick: fn(&Cost) -> f64| {
            runs[0].1.iter().zip(costs).map(move |(own, cost)| pick(own) / pick(cost))
        };
        let ratios =
            format!("{} | {}", spread(2, to_loop(|cost| cost.wall)), spread(2, to_loop(|cost| cost.cpu)));
        println!(
            "{name:<20} {:>10.0} {:>14.2}  {ratios}",
            posts.lines as f64 / median(costs.iter().map(|cost| cost.wall)),
            median(costs.iter().map(|cost| cost.cpu)) / posts.lines as f64 * 1e6,
        );
    }
}
