//! What it costs to be several: `cargo bench --bench cluster`.
//!
//! Idea: one backlog on a real Kafka, drained by one process of two workers and by two processes of one worker each, in turn.
//! The work is the same, and so is the number of workers; what is different is that half of what they hand each other goes
//! through sockets.
//! Invariant: what is drained is every record, once, and both say the same of it; the time is from the moment when all
//! processes answer, which is when they begin to read, to the one at which a process shows the last record counted.
//! Cost: Java and the broker's jars (`tests/kafka/kafka.sh install`); two minutes.

#[path = "broker/mod.rs"]
mod broker;
#[path = "broker/fill.rs"]
mod fill;
#[path = "middle/mod.rs"]
mod middle;
#[path = "program/mod.rs"]
mod program;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::Value;

use broker::Broker;
use fill::fill;
use middle::{median, spread};
use program::Program;
use tidings::cluster::ports;

/// The topic that is written and read.
const TOPIC: &str = "posts";

/// How long a backlog may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// Between two looks at how far the program is.
const LOOK: Duration = Duration::from_millis(10);

/// Two processes of one worker beside one process of two
#[derive(Parser, Debug)]
struct Args {
    /// Posts of the backlog
    #[arg(long, default_value_t = 1_000_000)]
    posts: u64,
    /// Rounds, whose medians are shown
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// Handed over by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// What a backlog took.
#[derive(Clone, Copy)]
struct Cost {
    /// Seconds from the start of the processes to the moment when all answer.
    start: f64,
    /// Seconds from there to the last record.
    wall: f64,
    /// Processor seconds of all processes, starts included.
    cpu: f64,
    /// MiB that all processes hold at the end.
    mib: f64,
}

/// What a backlog came to.
type Came = (Cost, Value);

fn main() -> ExitCode {
    let args = Args::parse();
    let done = tempfile::tempdir()
        .map_err(|error| format!("no temporary folder: {error}"))
        .and_then(|folder| run(&args, folder.path()));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("cluster bench: {what}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args, folder: &Path) -> Result<(), String> {
    let broker = Broker::start(&folder.join("kafka"))?;
    broker::create_topic(broker.address(), TOPIC)?;
    fill(broker.address(), TOPIC, args.posts)?;
    let drained = |processes| drain(args.posts, broker.address(), processes, folder);
    // The first to read a topic finds it cold.
    drained(1)?;
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for round in 0..args.repeats {
        // Who comes second finds the machine as the first has left it.
        let order = if round % 2 == 0 { [1, 2] } else { [2, 1] };
        let mut said = Vec::new();
        for processes in order {
            let (cost, ranking) = drained(processes)?;
            if processes == 1 {
                one.push(cost)
            } else {
                two.push(cost)
            }
            said.push(ranking);
        }
        if said[0] != said[1] {
            return Err(format!("one process and two say different things: {} and {}", said[0], said[1]));
        }
    }
    println!("{} records; medians of {} rounds", args.posts, args.repeats);
    println!("{:<32} {:>12} {:>16} {:>10} {:>8}", "", "records/s", "CPU s a million", "start, s", "MiB");
    for (name, costs) in [("one process of two workers", &one), ("two processes of one worker", &two)] {
        println!(
            "{name:<32} {:>12.0} {:>16.2} {:>10.2} {:>8.0}",
            args.posts as f64 / median(costs.iter().map(|cost| cost.wall)),
            median(costs.iter().map(|cost| cost.cpu / (args.posts as f64 / 1e6))),
            median(costs.iter().map(|cost| cost.start)),
            median(costs.iter().map(|cost| cost.mib)),
        );
    }
    let ratios = one.iter().zip(&two).map(|(one, two)| one.wall / two.wall);
    println!("two processes, of one process: {} (records/s, a ratio each round)", spread(2, ratios));
    Ok(())
}

/// Drains the topic from its first record to its last with two workers in so many processes.
fn drain(posts: u64, brokers: &str, processes: usize, folder: &Path) -> Result<Came, String> {
    let hosts = ports::free(processes).map_err(|error| error.to_string())?;
    let begun = Instant::now();
    let mut programs = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..processes)
            .map(|process| {
                let text = configuration(brokers, &hosts, process);
                let own = folder.join(format!("process-{process}"));
                scope.spawn(move || {
                    fs::create_dir_all(&own).map_err(|error| error.to_string())?;
                    // Each answers only when all are there.
                    Program::start(&own, &text, None)
                })
            })
            .collect();
        let started = starting.into_iter().map(|starting| starting.join().expect("starting does not panic"));
        started.collect::<Result<Vec<_>, String>>()
    })?;
    let (start, answering) = (begun.elapsed().as_secs_f64(), Instant::now());
    loop {
        programs.iter_mut().try_for_each(Program::lives)?;
        let (wall, records) = (answering.elapsed().as_secs_f64(), programs[0].records());
        if records == posts {
            let cpu = programs.iter().map(Program::cpu).sum();
            let mib = programs.iter().map(Program::mib).sum::<Result<f64, String>>()?;
            let ranking = programs[processes - 1].get("/v1/counts/words/top?window=all&k=100")?;
            stop(&mut programs)?;
            let of_all = (ranking["total"].clone(), ranking["distinct"].clone(), ranking["top"].clone());
            return Ok((Cost { start, wall, cpu, mib }, serde_json::json!(of_all)));
        }
        if records > posts || answering.elapsed() > PATIENCE {
            return Err(format!("{records} of {posts} records were counted"));
        }
        std::thread::sleep(LOOK);
    }
}

/// One that is told to stop ends all.
fn stop(programs: &mut [Program]) -> Result<(), String> {
    std::thread::scope(|scope| {
        let stopping: Vec<_> = programs.iter_mut().map(|program| scope.spawn(|| program.stop())).collect();
        stopping.into_iter().try_for_each(|stopping| stopping.join().expect("stopping does not panic"))
    })
}

/// Hashtags and words over three windows each and since the start, so that both say the same whenever they are asked.
fn configuration(brokers: &str, hosts: &[String], process: usize) -> String {
    let windows = "windows = [\"1m\", \"5m\", \"1h\", \"all\"]";
    let (workers, cluster) = match hosts {
        [_] => (2, String::new()),
        _ => (1, format!("[cluster]\nhosts = {hosts:?}\nprocess = {process}\n")),
    };
    format!(
        "[kafka]\nbrokers = \"{brokers}\"\ntopics = [\"{TOPIC}\"]\nstart = \"earliest\"\n\
         [engine]\nworkers = {workers}\nepoch = \"250ms\"\n[http]\nbind = \"127.0.0.1:0\"\n\
         [[count]]\nname = \"hashtags\"\nof = \"hashtags\"\n{windows}\n\
         [[count]]\nname = \"words\"\nof = \"words\"\n{windows}\n{cluster}"
    )
}
