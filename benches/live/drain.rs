//! What a backlog costs.
//!
//! Idea: the same posts three times in each round: read from Kafka by the client library and dropped, read from a file by
//! `tidings count`, drained from Kafka by `tidings run`. What is between the last two is what Kafka and being live cost.
//! Invariant: what is drained is every record, once; both count the same kinds over the same windows with as many workers,
//! and the program's start is part of what it cost.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::broker::Broker;
use crate::fill::fill;
use crate::middle::{median, spread};
use crate::{Load, TOPIC, USUAL, configuration};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// A backlog
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Posts of the backlog
    #[arg(long, default_value_t = 1_000_000)]
    posts: u64,
    /// Rounds, whose medians are shown
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// Workers of `run` and of `count`
    #[arg(long, default_value_t = 1)]
    workers: usize,
}

/// Seconds that passed and that were spent.
#[derive(Clone, Copy)]
pub struct Cost {
    /// Passed.
    pub wall: f64,
    /// Spent.
    pub cpu: f64,
}

/// Fills the topic, then measures.
pub fn run(args: &Args, broker: &Broker, folder: &Path) -> Result<(), String> {
    fill(broker.address(), TOPIC, args.posts)?;
    let file = folder.join("posts.jsonl");
    let mut lines = BufWriter::new(File::create(&file).map_err(|error| error.to_string())?);
    let mut written = 0;
    read(broker.address(), args.posts, |value| {
        // What is no line by itself is left out; it is bad, and cheap, in Kafka too.
        if !value.is_empty() && !value.contains(&b'\n') {
            written += 1;
            let _ = lines.write_all(value).and_then(|()| lines.write_all(b"\n"));
        }
    })?;
    lines.flush().map_err(|error| error.to_string())?;
    let (mut client, mut count, mut drained) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..args.repeats {
        client.push(read(broker.address(), args.posts, |value| {
            std::hint::black_box(value);
        })?);
        count.push(counted(args, &file, folder)?);
        drained.push(drain(args.posts, args.workers, USUAL, broker, folder)?);
    }
    println!(
        "{} records, {written} of them lines of a file; {} workers; medians of {}",
        args.posts, args.workers, args.repeats
    );
    println!("{:<28} {:>12} {:>16}", "", "records/s", "CPU s a million");
    for (name, costs) in
        [("client library alone", &client), ("tidings count", &count), ("tidings run", &drained)]
    {
        let million = args.posts as f64 / 1e6;
        println!(
            "{name:<28} {:>12.0} {:>16.2}",
            args.posts as f64 / median(costs.iter().map(|cost| cost.wall)),
            median(costs.iter().map(|cost| cost.cpu / million))
        );
    }
    let ratios = drained.iter().zip(&count).map(|(run, count)| run.cpu / count.cpu);
    println!("CPU time of run, of that of count: {}", spread(2, ratios));
    Ok(())
}

/// Reads so many records from the beginning, in this process.
fn read(brokers: &str, posts: u64, mut see: impl FnMut(&[u8])) -> Result<Cost, String> {
    let (begun, spent) = (Instant::now(), own_cpu());
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "bench-drain")
        .set("enable.auto.commit", "false")
        .set("fetch.queue.backoff.ms", "10")
        .create()
        .map_err(|error| error.to_string())?;
    let metadata = consumer.fetch_metadata(Some(TOPIC), PATIENCE).map_err(|error| error.to_string())?;
    let mut assignment = TopicPartitionList::new();
    for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
        let added = assignment.add_partition_offset(TOPIC, partition.id(), Offset::Beginning);
        added.map_err(|error| error.to_string())?;
    }
    consumer.assign(&assignment).map_err(|error| error.to_string())?;
    let mut seen = 0;
    while seen < posts {
        if begun.elapsed() > PATIENCE {
            return Err(format!("{seen} of {posts} records could be read"));
        }
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            see(message.map_err(|error| error.to_string())?.payload().unwrap_or_default());
            seen += 1;
        }
    }
    Ok(Cost { wall: begun.elapsed().as_secs_f64(), cpu: own_cpu() - spent })
}

/// `tidings count` over the file, with the same counts.
fn counted(args: &Args, file: &Path, folder: &Path) -> Result<Cost, String> {
    let settings = folder.join("count.toml");
    let text = configuration("localhost:9", "earliest", args.workers, 250, USUAL);
    fs::write(&settings, text).map_err(|error| error.to_string())?;
    let (begun, spent) = (Instant::now(), children_cpu());
    let mut count = Command::new(env!("CARGO_BIN_EXE_tidings"));
    count.args(["count", "--json", "-w", &args.workers.to_string(), "-c"]).arg(settings).arg(file);
    let status = count.stdout(Stdio::null()).status().map_err(|error| format!("tidings count: {error}"))?;
    match status.success() {
        true => Ok(Cost { wall: begun.elapsed().as_secs_f64(), cpu: children_cpu() - spent }),
        false => Err(format!("tidings count: {status}")),
    }
}

/// `tidings run` from the first record to the last, under a load of its own.
pub fn drain(
    posts: u64,
    workers: usize,
    load: Load<'_>,
    broker: &Broker,
    folder: &Path,
) -> Result<Cost, String> {
    let begun = Instant::now();
    let text = configuration(broker.address(), "earliest", workers, 250, load);
    let mut program = load.start(folder, &text)?;
    loop {
        program.lives()?;
        let cost = Cost { wall: begun.elapsed().as_secs_f64(), cpu: program.cpu() };
        let records = program.records();
        if records == posts {
            program.stop()?;
            return Ok(cost);
        }
        if records > posts || begun.elapsed() > PATIENCE {
            return Err(format!("{records} of {posts} records were counted"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Processor time of this process, and of its children that have ended, in seconds: fields 14 to 17 of proc_pid_stat(5).
fn cpu(fields: std::ops::Range<usize>) -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let times = behind_name.split_whitespace().skip(fields.start - 3).take(fields.len());
    times.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn own_cpu() -> f64 {
    cpu(14..16)
}

fn children_cpu() -> f64 {
    cpu(16..18)
}
