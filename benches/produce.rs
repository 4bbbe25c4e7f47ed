//! `tidings produce file --speed max` against librdkafka alone: `cargo bench --bench produce`.
//!
//! Idea: the rival does what librdkafka's own performance tool does: it has all records in memory beforehand and hands them
//! to a producer with the same settings. The program under test is the real binary: it reads the file, decodes each line
//! to find its key and its time, and sends it with its headers. Both send the same values into a topic of their own.
//! Invariant: both go in turn on one broker within one run; a round counts only if Kafka acknowledged every record. Exit
//! code 1 where the program has less than half of the rival's rate.
//! Cost: Java 17 and Maven; at the defaults half a minute on two idle cores, and 1 GB on the disk.

mod middle;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use middle::{median, spread};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use tidings::produce::synthetic::{Mix, Synthetic};

/// Files into Kafka against librdkafka alone
#[derive(Parser, Debug)]
struct Args {
    /// Posts of the file
    #[arg(long, default_value_t = 400_000)]
    posts: usize,
    /// Rounds; medians of these are shown
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// Handed over by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let folder = tempfile::TempDir::new().expect("a folder for the broker and the file");
    let posts = posts(args.posts);
    let bytes: usize = posts.iter().map(Vec::len).sum();
    let file = folder.path().join("posts.jsonl");
    write(&file, &posts).expect("the disk takes the file");
    let kafka = Kafka::start(folder.path().join("kafka"));
    println!(
        "{} posts of {} bytes on average, {} rounds",
        posts.len(),
        bytes / posts.len().max(1),
        args.repeats
    );
    let (mut program, mut alone) = (Vec::new(), Vec::new());
    for round in 0..=args.repeats {
        let rates =
            (tidings(&kafka.brokers, &file, round, posts.len()), rival(&kafka.brokers, round, &posts));
        // The first one finds the machine cold.
        if round > 0 {
            program.push(rates.0);
            alone.push(rates.1);
            println!(
                "round {round}: tidings {:.0} posts/s, librdkafka alone {:.0} posts/s",
                rates.0, rates.1
            );
        }
    }
    let ratios: Vec<f64> = program.iter().zip(&alone).map(|(ours, theirs)| ours / theirs).collect();
    let ratio = median(ratios.iter().copied());
    println!(
        "medians: tidings {:.0} posts/s, librdkafka alone {:.0} posts/s, ratio {}; at least 0.50 is wanted",
        median(program),
        median(alone),
        spread(2, ratios.iter().copied())
    );
    if ratio >= 0.5 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Good posts; the values only, as the rival has no use for more.
fn posts(number: usize) -> Vec<Vec<u8>> {
    let mut made = Synthetic::new(1, Mix { bad: 0.0, ..Mix::default() });
    let mut next =
        || made.next(1_767_225_600_000).value.filter(|value| !value.is_empty() && !value.contains(&b'\n'));
    let mut posts = Vec::with_capacity(number);
    while posts.len() < number {
        posts.extend(next());
    }
    posts
}

fn write(file: &Path, posts: &[Vec<u8>]) -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    for post in posts {
        out.write_all(post)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// Posts a second of the program, from its start to its end.
fn tidings(brokers: &str, file: &Path, round: usize, posts: usize) -> f64 {
    let topic = format!("tidings-{round}");
    let begun = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_tidings"))
        .args(["produce", "file", "--brokers", brokers, "--topic", &topic])
        .arg(file)
        .stderr(Stdio::inherit())
        .output()
        .expect("the program starts");
    let took = begun.elapsed();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.starts_with(&format!("{posts} posts, ")), "{said}");
    posts as f64 / took.as_secs_f64()
}

/// Posts a second of librdkafka alone, from its first record to its last acknowledgement.
fn rival(brokers: &str, round: usize, posts: &[Vec<u8>]) -> f64 {
    let topic = format!("rival-{round}");
    let made = Command::new(env!("CARGO_BIN_EXE_tidings"))
        .args(["topic", "create", &topic, "--brokers", brokers, "--partitions", "4"])
        .stdout(Stdio::null())
        .status();
    assert!(made.is_ok_and(|made| made.success()), "the topic is made");
    // As in `src/produce/sender.rs`.
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("enable.idempotence", "true")
        .set("linger.ms", "20")
        .set("compression.codec", "lz4")
        .set("batch.size", "1000000")
        .set("batch.num.messages", "100000")
        .set("queue.buffering.max.kbytes", "65536")
        .set("queue.buffering.max.messages", "200000")
        .create()
        .expect("a producer");
    let begun = Instant::now();
    for post in posts {
        let mut record = BaseRecord::<(), [u8]>::to(&topic).payload(post.as_slice());
        while let Err((_, again)) = producer.send(record) {
            producer.poll(Duration::from_millis(1));
            record = again;
        }
    }
    producer.flush(Duration::from_secs(120)).expect("Kafka takes all of it");
    posts.len() as f64 / begun.elapsed().as_secs_f64()
}

/// A broker that ends with its handle.
struct Kafka {
    folder: PathBuf,
    brokers: String,
}

impl Kafka {
    fn start(folder: PathBuf) -> Self {
        let output = script("start", &folder).stderr(Stdio::inherit()).output().expect("bash");
        assert!(output.status.success(), "kafka.sh start: {}", output.status);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        Self { folder, brokers: printed.lines().last().unwrap_or_default().to_owned() }
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        // It ends with the machine at the latest.
        let _ = script("stop", &self.folder).status();
    }
}

fn script(verb: &str, folder: &Path) -> Command {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kafka/kafka.sh"));
    command.arg(verb).arg(folder);
    command
}
