//! Bytes of memory per live (pane, term) of the whole engine:
//! `cargo bench --bench memory -- --posts 3600000 --minutes 60 --windows 1m,5m,1h,all`.
//!
//! Idea: posts of a file are counted, and what the whole process holds in the end is divided by what is alive. What the
//! dataflow holds by itself is shown by `cargo bench --bench held`.
//! Invariant: what is alive is counted one by one, each (pane, term) once, however often it stands in batches that are not yet
//! merged; the resident memory of the process before anything was counted is taken off, and nothing else.
//! Cost: some minutes for an hour of 1,000 posts a second.

mod load;

use std::collections::HashSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Parser;
use load::Load;
use tidings::engine::{self, Input, Reader};
use tidings_dataflows::panes::visit;
use tidings_dataflows::snapshot::Snapshot;
use tidings_dataflows::windows::Pane;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes of memory per live (pane, term) of the whole engine
#[derive(Parser, Debug)]
struct Args {
    #[command(flatten)]
    load: Load,
    /// Workers
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Handed over by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    tidings::allocator::keep_for_the_next_epoch();
    let args = Args::parse();
    match run(&args.load, args.workers) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("memory bench: {what}");
            ExitCode::FAILURE
        }
    }
}

fn run(load: &Load, workers: usize) -> Result<(), String> {
    let made = load.make().map_err(|error| format!("cannot write the posts: {error}"))?;
    let before = resident()?;
    let files = Input::Files(vec![made.path.clone()], Arc::default());
    let engine = engine::start(&load.config(workers), files, None).map_err(|error| error.to_string())?;
    let (reader, ended) = (engine.reader(), AtomicBool::new(false));
    let (now, most) = std::thread::scope(|scope| {
        let watched = scope.spawn(|| watch(&reader, made.lines, &ended));
        let joined = engine.join().map_err(|error| error.to_string());
        ended.store(true, Ordering::Relaxed);
        let watched = watched.join().map_err(|_| "whoever watched panicked".to_owned())?;
        joined.and(watched)
    })?;
    let cut = reader.newest().ok_or("nothing was published")?;
    let live = (0..reader.counts().len()).map(|count| alive(&cut.snapshots, count)).sum::<u64>().max(1);
    println!(
        "{} records of {:.0} bytes over {} min of event time, {workers} workers",
        made.lines,
        made.bytes as f64 / made.lines as f64,
        load.minutes
    );
    let mib = |bytes: u64| bytes.saturating_sub(before) as f64 / f64::from(1 << 20);
    println!(
        "{}: {live} live (pane, term), {:.1} MiB, {:.1} bytes each; most at any time {:.1} MiB",
        load.windows.join(", "),
        mib(now),
        mib(now) * f64::from(1 << 20) / live as f64,
        mib(most)
    );
    Ok(())
}

/// Resident memory when all has been counted, or as last seen, and the most of it.
fn watch(reader: &Reader, lines: u64, ended: &AtomicBool) -> Result<(u64, u64), String> {
    let (mut now, mut most) = (0, 0);
    while !ended.load(Ordering::Relaxed) {
        now = resident()?;
        most = now.max(most);
        let counted = reader.newest().map_or(0, |cut| cut.tally.posts + cut.tally.bad.values().sum::<u64>());
        if counted == lines {
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok((now, most))
}

/// How many (pane, term) are alive in a count.
fn alive(snapshots: &[Arc<Snapshot>], count: usize) -> u64 {
    let mut alive = 0;
    for snapshot in snapshots {
        let batches = &snapshot.counts[count].panes;
        let mut panes: Vec<Pane> = Vec::new();
        panes.extend(batches.iter().flat_map(|batch| batch.all()).map(|run| run.pane));
        panes.sort_unstable();
        panes.dedup();
        for pane in panes {
            let (mut total, mut terms) = (0, HashSet::new());
            for batch in batches {
                visit(batch, pane..Pane(pane.0 + 1), ..=snapshot.epoch, |key, n| {
                    total += n;
                    terms.insert(key.term);
                });
            }
            // A dead pane adds up to nothing, all of it at once.
            alive += if total > 0 { terms.len() as u64 } else { 0 };
        }
    }
    alive
}

/// Bytes of this process that are in memory, by proc_pid_status(5).
fn resident() -> Result<u64, String> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| "no VmRSS in /proc/self/status".to_owned())
}
