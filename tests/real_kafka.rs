//! End to end on a real Apache Kafka: the commands that write, the engine, and the oracle on what Kafka holds.
//!
//! Idea: one broker serves all tests that run at the same time; each has topics of its own. Where a run starts in its
//! topics is recounted from the records, as everything else is.
//! Cost: some two minutes, 1 GB of memory. `TIDINGS_KAFKA_HOME` says where the jars are; see `tests/kafka/kafka.sh`.

mod oracle;
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use oracle::answers::{Answered, Offsets};
use oracle::rules::Record;
use serde_json::json;
use support::broker::{Producer, read_back, wall_ms};
use support::counting::{Printed, expected, lines};
use support::hostile::Hostile;
use support::kafka::Kafka;
use support::process::{Server, Settings, program, run, said};
use support::random::{Random, seed};
use support::session::{ask_during, recount};

/// The broker of whatever tests run at this moment.
fn kafka() -> Arc<Kafka> {
    static SHARED: Mutex<Weak<Kafka>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(|failed| failed.into_inner());
    shared.upgrade().unwrap_or_else(|| {
        let kafka = Arc::new(Kafka::start());
        *shared = Arc::downgrade(&kafka);
        kafka
    })
}

/// Runs a command that must succeed; what it printed.
fn done(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn create(kafka: &Kafka, topic: &str, partitions: i32) {
    let partitions = partitions.to_string();
    // Old posts must stay, and posts from the future be taken.
    let settings =
        ["--config", "retention.ms=-1", "--config", "message.timestamp.after.max.ms=9223372036854775807"];
    let create = ["topic", "create", topic, "--brokers", kafka.brokers(), "--partitions", &partitions];
    done(&[create.as_slice(), settings.as_slice()].concat());
}

const HOUR_MS: i64 = 3_600_000;

/// Where a run begins to read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Start {
    Earliest,
    Latest,
    Time,
    AnHourAgo,
}

fn everything_is_exact(
    topic: &str,
    own_seed: u64,
    partitions: i32,
    workers: usize,
    start: Start,
    clock: &str,
) {
    let (kafka, seed) = (kafka(), seed(own_seed));
    create(&kafka, topic, partitions);
    let (mut random, mut hostile) = (Random::new(seed), Hostile::new(seed));
    let producer = Producer::new(kafka.brokers(), random.pick(&["none", "lz4", "zstd", "gzip", "snappy"]));
    let mut send = |random: &mut Random, now_ms: i64| {
        let mut sent = hostile.next(now_ms);
        // Kafka takes no negative timestamps.
        sent.timestamp = sent.timestamp.max(1);
        producer.send(topic, random.below(partitions as u64) as i32, &sent);
    };
    let begun_ms = wall_ms();
    for second in 0..600 {
        send(&mut random, begun_ms - 2 * HOUR_MS + second * 10_000);
    }
    let before = producer.flush();

    let time_ms = begun_ms - HOUR_MS / 2;
    let time = jiff::Timestamp::from_millisecond(time_ms).unwrap().to_string();
    let written = match start {
        Start::Earliest => "earliest",
        Start::Latest => "latest",
        Start::Time => &time,
        Start::AnHourAgo => "-1h",
    };
    let text = format!(
        "[kafka]\nbrokers = \"{}\"\ntopics = [\"{topic}\"]\nstart = \"{written}\"\n[posts]\ntime = \"{}\"\n\
         [engine]\nworkers = {workers}\nclock = \"{clock}\"\nepoch = \"{}ms\"\n\
         [[count]]\nname = \"hashtags\"\nof = \"hashtags\"\nwindows = [\"1s/100ms\", \"5s/500ms\", \"1m/5s\", \"1h/1m\", \"all\"]\n\
         [[count]]\nname = \"words\"\nof = \"words\"\nwindows = [\"10s/2s\", \"5m/1m\", \"all\"]\nstop_words = [\"en\"]\n\
         [[count]]\nname = \"phrases\"\nof = \"phrases\"\nwindows = [\"3s/1s\"]\n",
        kafka.brokers(),
        random.pick(&["record", "post"]),
        random.between(20, 200),
    );
    let starting_ms = wall_ms();
    let mut server = Server::run(&text);
    let started_ms = wall_ms();
    let config = server.config();
    let answers = ask_during(&server, &config, seed, |own, answers| {
        for _ in 0..60 {
            for _ in 0..random.below(60) {
                send(&mut random, wall_ms());
            }
            let written = producer.flush();
            if random.one_in(4) {
                answers.push(own.ask(&written));
            }
            std::thread::sleep(Duration::from_millis(random.below(50)));
        }
        producer.flush()
    });
    let (status, took) = server.terminate();
    assert!(status.success() && took < Duration::from_secs(10), "{status} after {took:?}");
    let (_, records) = recount(kafka.brokers(), &[topic], &config, &answers);
    let begins = |earliest_ms: i64, latest_ms: i64| {
        check_start(&answers, |partition, start| {
            let end = next(&before, topic, partition);
            let places = first_at(&records, partition, end, earliest_ms)
                ..=first_at(&records, partition, end, latest_ms);
            assert!(
                places.contains(&start),
                "partition {partition} starts at {start}, but must at {places:?}"
            );
        });
    };
    match start {
        Start::Earliest => check_start(&answers, |_, start| assert_eq!(start, 0)),
        Start::Latest => {
            check_start(&answers, |partition, start| assert_eq!(start, next(&before, topic, partition)))
        }
        Start::Time => begins(time_ms, time_ms),
        Start::AnHourAgo => begins(starting_ms - HOUR_MS, started_ms - HOUR_MS),
    }
}

fn next(offsets: &Offsets, topic: &str, partition: i32) -> i64 {
    offsets.get(topic).and_then(|partitions| partitions.get(&partition)).copied().unwrap_or(0)
}

/// The offset of the first record of a partition before `end` that is at least this young, else the end.
fn first_at(records: &[Record], partition: i32, end: i64, time_ms: i64) -> i64 {
    let young = records.iter().filter(|record| record.partition == partition && record.timestamp >= time_ms);
    young.map(|record| record.offset).min().unwrap_or(end).min(end)
}

fn check_start(answers: &[Answered], check: impl Fn(i32, i64)) {
    let starts = &answers.first().unwrap().answer.stamp().start_offsets;
    starts.values().flatten().for_each(|(partition, start)| check(*partition, *start));
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn one_partition_one_worker_from_the_earliest() {
    everything_is_exact("p1w1", 21, 1, 1, Start::Earliest, "wall");
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn one_partition_two_workers_from_the_latest() {
    everything_is_exact("p1w2", 22, 1, 2, Start::Latest, "wall");
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn three_partitions_one_worker_from_a_time() {
    everything_is_exact("p3w1", 23, 3, 1, Start::Time, "event");
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn three_partitions_two_workers_from_an_hour_ago() {
    everything_is_exact("p3w2", 24, 3, 2, Start::AnHourAgo, "wall");
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn twelve_partitions_one_worker_from_the_latest() {
    everything_is_exact("p12w1", 25, 12, 1, Start::Latest, "event");
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn twelve_partitions_two_workers_from_the_earliest() {
    everything_is_exact("p12w2", 26, 12, 2, Start::Earliest, "wall");
}

/// The real posts as statuses of the v1.1 interface, one a line, with their times in UTC.
fn mayweather(folder: &Path) -> PathBuf {
    let file = folder.join("mayweather.jsonl");
    let mut out = std::io::BufWriter::new(fs::File::create(&file).unwrap());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/posts/mayweather-mcgregor.csv");
    let mut rows = csv::Reader::from_path(path).unwrap();
    for row in rows.deserialize() {
        let row: BTreeMap<String, String> = row.unwrap();
        let time: jiff::civil::DateTime = row["created_at"].parse().unwrap();
        let status = json!({
            "created_at": time.strftime("%a %b %d %H:%M:%S +0000 %Y").to_string(),
            "id_str": row["id"],
            "text": row["text"],
            "user": { "screen_name": row["screen_name"] },
        });
        writeln!(out, "{status}").unwrap();
    }
    out.into_inner().unwrap();
    file
}

const FIGHT: &str = "[posts]\ntime = \"post\"\n[engine]\nclock = \"event\"\nworkers = 2\nepoch = \"50ms\"\n\
    [[count]]\nname = \"hashtags\"\nof = \"hashtags\"\nwindows = [\"1m\", \"5m\", \"1h\", \"all\"]\n\
    [[count]]\nname = \"words\"\nof = \"words\"\nwindows = [\"1m\", \"5m\", \"1h\", \"all\"]\n";

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn a_replay_of_real_posts_is_exact_at_many_moments() {
    let (kafka, folder) = (kafka(), tempfile::TempDir::new().unwrap());
    let file = mayweather(folder.path());
    create(&kafka, "fight", 3);
    let text = format!(
        "[kafka]\nbrokers = \"{}\"\ntopics = [\"fight\"]\nstart = \"earliest\"\n{FIGHT}",
        kafka.brokers()
    );
    let mut server = Server::run(&text).ready();
    let config = server.config();
    let mut moments = 0;
    let answers = ask_during(&server, &config, 31, |own, answers| {
        let arguments =
            ["produce", "file", file.to_str().unwrap(), "--brokers", kafka.brokers(), "--topic", "fight"];
        let child = program()
            .args(arguments)
            .args(["--speed", "400x"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.unwrap();
        while child.try_wait().unwrap().is_none() {
            // Every word and every hashtag of every window.
            answers.extend(own.ask_everything(&Offsets::new()));
            moments += 1;
        }
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let printed = String::from_utf8(output.stdout).unwrap();
        println!("{printed}");
        offsets(printed.split_whitespace().last().unwrap())
    });
    assert!(server.terminate().0.success());
    assert!(moments >= 5, "only {moments} moments");
    let (_, records) = recount(kafka.brokers(), &["fight"], &config, &answers);
    assert_eq!(records.len(), fs::read_to_string(&file).unwrap().lines().count());
}

/// Offsets as `produce` prints them: `topic:partition:offset,..`.
fn offsets(printed: &str) -> Offsets {
    let mut offsets = Offsets::new();
    for item in printed.split(',') {
        let parts: Vec<&str> = item.split(':').collect();
        let [topic, partition, next] = parts[..] else { panic!("no offsets: {printed}") };
        offsets
            .entry(topic.to_owned())
            .or_default()
            .insert(partition.parse().unwrap(), next.parse().unwrap());
    }
    offsets
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn counting_a_file_of_real_posts_is_exact_with_any_number_of_workers() {
    let settings = Settings::new(FIGHT);
    let file = mayweather(settings.folder());
    let records = lines(&[&file]);
    let expected = expected(&settings.config(), &records, usize::MAX);
    for workers in ["1", "2", "4"] {
        let of = settings.file();
        let arguments = [
            "count",
            "-c",
            of.to_str().unwrap(),
            file.to_str().unwrap(),
            "--json",
            "--top",
            "0",
            "-w",
            workers,
        ];
        let printed: Printed = serde_json::from_str(&done(&arguments)).unwrap();
        assert_eq!((printed.posts as usize, printed.bad), (records.len(), 0));
        assert_eq!(printed.counts, expected, "{workers} workers");
    }
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn topics_are_made_listed_described_and_shown() {
    let kafka = kafka();
    create(&kafka, "shown", 3);
    let again = run(&["topic", "create", "shown", "--brokers", kafka.brokers()]);
    assert!(!again.status.success() && said(&again).contains("shown"), "{}", said(&again));
    let listed = done(&["topic", "list", "--brokers", kafka.brokers()]);
    assert!(listed.lines().any(|line| line.split_whitespace().eq(["shown", "3", "partitions"])), "{listed}");

    let produce = [
        "produce",
        "synthetic",
        "--brokers",
        kafka.brokers(),
        "--topic",
        "shown",
        "--posts",
        "500",
        "--seed",
        "7",
    ];
    let printed = done(&produce);
    let written = offsets(printed.split_whitespace().last().unwrap());
    assert_eq!(written["shown"].values().sum::<i64>(), 500);
    let described = done(&["topic", "describe", "shown", "--brokers", kafka.brokers()]);
    assert!(described.contains("3 partitions, 500 records") && described.contains("for ever"), "{described}");
    for (partition, next) in &written["shown"] {
        let row = described.lines().find(|line| line.starts_with(&format!("{partition} "))).unwrap();
        let columns: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(columns[4..], ["0".to_owned(), next.to_string(), next.to_string()], "{described}");
    }

    let tail = ["tail", "shown", "--brokers", kafka.brokers(), "--from", "earliest"];
    let shown = done(&[tail.as_slice(), &["--max", "500", "--json"]].concat());
    let held: BTreeMap<(i32, i64), Option<String>> = read_back(kafka.brokers(), &["shown"])
        .into_iter()
        .map(|record| {
            (
                (record.partition, record.offset),
                record.value.map(|value| String::from_utf8_lossy(&value).into_owned()),
            )
        })
        .collect();
    let mut told = BTreeMap::new();
    for line in shown.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let place = (line["partition"].as_i64().unwrap() as i32, line["offset"].as_i64().unwrap());
        assert_eq!(line["topic"], "shown");
        told.insert(place, line["value"].as_str().map(str::to_owned));
    }
    assert_eq!(told.len(), 500);
    let differing = told.iter().find(|(place, value)| held[place] != **value);
    assert!(differing.is_none(), "{differing:?}, but {:?}", differing.map(|(place, _)| &held[place]));
    assert_eq!(done(&[tail.as_slice(), &["--max", "7"]].concat()).lines().count(), 7);
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn what_is_not_there_is_said_at_once() {
    let kafka = kafka();
    create(&kafka, "there", 1);
    let output = run(&["run", "--brokers", kafka.brokers(), "--topic", "not-there", "--bind", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(78), "{}", said(&output));
    assert!(said(&output).contains("not-there") && said(&output).contains("there"), "{}", said(&output));
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let begun = Instant::now();
    let output = run(&["run", "--brokers", &gone, "--topic", "there", "--bind", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(74), "{}", said(&output));
    assert!(said(&output).contains(&gone) && begun.elapsed() < Duration::from_secs(15), "{}", said(&output));
}
