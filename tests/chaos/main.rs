//! Chaos: whatever can be done to the processes and the broker is done at random, while a known stream flows.
//!
//! Idea: a seed decides what happens when: kill -9, SIGTERM, SIGSTOP and SIGCONT, a broker that goes away, another number of
//! workers. All the while answers are read, and at the end each is compared with a recount of the records of its own stamp.
//! Invariant: every answer at any time is exact by its stamp; epochs and generations never go back.
//! Cost: `TIDINGS_CHAOS_SECONDS`, 480 by default; an hour and more by hand. The seed is printed; `TIDINGS_TEST_SEED` sets it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[expect(dead_code, reason = "a broker of its own is all that is used")]
#[path = "../kafka_suite/broker.rs"]
mod broker;
#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;

mod acts;
mod fleet;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use broker::Broker;
use fleet::Fleet;
use oracle::Oracle;
use oracle::answers::{Answer, Answered, Offsets};
use oracle::history::History;
use support::asker::Asker;
use support::broker::{Producer, read_back, wall_ms};
use support::hostile::Hostile;
use support::random::{Random, seed};
use support::session::StopAtEnd;

const TOPIC: &str = "posts";
const PARTITIONS: i32 = 4;

/// Posts a second: every answer is a recount, so there should not be too many.
const RATE: u64 = 120;

#[test]
#[ignore = "a real Kafka, and some minutes; see the header"]
fn every_answer_is_exact_whatever_happens() {
    let seconds = std::env::var("TIDINGS_CHAOS_SECONDS").map_or(480, |text| text.parse().unwrap());
    let seed = seed(wall_ms() as u64 % 100_000);
    let broker = Broker::start("");
    let made = support::process::run(&[
        "topic",
        "create",
        TOPIC,
        "--brokers",
        broker.address(),
        "--partitions",
        &PARTITIONS.to_string(),
        // Old posts must stay, and posts from the future be taken.
        "--config",
        "retention.ms=-1",
        "--config",
        "message.timestamp.after.max.ms=9223372036854775807",
    ]);
    assert!(made.status.success(), "{}", support::process::said(&made));
    let (stop, answers) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let mut fleet = Fleet::new(broker.address(), Random::new(seed));
    let until = Instant::now() + Duration::from_secs(seconds);
    let done = std::thread::scope(|scope| {
        let stopping = StopAtEnd(&stop);
        scope.spawn(|| produce(broker.address(), seed, &stop));
        for asker in 0..2 {
            let (whom, answers, stop) = (fleet.addresses(), &answers, &stop);
            let config = fleet.config();
            scope.spawn(move || ask(whom, &config, seed + asker, answers, stop));
        }
        let done = acts::act(&mut fleet, &broker, Random::new(seed ^ 1), until);
        drop(stopping);
        done
    });
    let config = fleet.config();
    let written = ends(broker.address());
    let mut answers = answers.into_inner().unwrap();
    let server = fleet.settle();
    answers.extend(Asker::new(server, &config, seed).ask_everything(&written));
    // Each generation has other numbers of processes and workers, which a status tells.
    answers.retain(|answered| !matches!(answered.answer, Answer::Status(_)));
    recount(&broker, &config, &answers, &done);
}

/// A steady stream, some of it late or broken.
fn produce(brokers: &str, seed: u64, stop: &AtomicBool) {
    let producer = Producer::new(brokers, "zstd");
    let (mut hostile, mut random, begun, mut sent) =
        (Hostile::new(seed), Random::new(seed), Instant::now(), 0);
    while !stop.load(Ordering::Relaxed) {
        while sent < begun.elapsed().as_millis() as u64 * RATE / 1000 {
            let mut sending = hostile.next(wall_ms());
            // Kafka takes no negative timestamps.
            sending.timestamp = sending.timestamp.max(1);
            producer.send(TOPIC, random.below(PARTITIONS as u64) as i32, &sending);
            sent += 1;
        }
        producer.listen();
        std::thread::sleep(Duration::from_millis(20));
    }
    producer.flush();
}

/// Asks whoever is there; nobody need be.
fn ask(
    whom: fleet::Addresses,
    config: &tidings::config::Config,
    seed: u64,
    answers: &Mutex<Vec<Answered>>,
    stop: &AtomicBool,
) {
    let (mut askers, mut random) = (BTreeMap::new(), Random::new(seed));
    while !stop.load(Ordering::Relaxed) {
        let known = whom.lock().unwrap().clone();
        if known.is_empty() {
            std::thread::sleep(Duration::from_millis(50));
            continue;
        }
        let address = random.pick(&known);
        let asker = askers
            .entry(address.clone())
            .or_insert_with(|| Asker::new(support::client::Client::new(&address), config, seed));
        let answered = asker.try_ask();
        answers.lock().unwrap().extend(answered);
        std::thread::sleep(Duration::from_millis(random.below(400)));
    }
}

/// The offsets behind all records.
fn ends(brokers: &str) -> Offsets {
    let mut ends = Offsets::new();
    for record in read_back(brokers, &[TOPIC]) {
        let next = ends.entry(record.topic).or_default().entry(record.partition).or_default();
        *next = (*next).max(record.offset + 1);
    }
    ends
}

fn recount(
    broker: &Broker,
    config: &tidings::config::Config,
    answers: &[Answered],
    done: &BTreeMap<&str, u32>,
) {
    let records = read_back(broker.address(), &[TOPIC]);
    let begun = Instant::now();
    let oracle = Oracle::new(config, &records, wall_ms());
    oracle.check_all(answers);
    let mut runs = BTreeMap::<u64, Vec<Answered>>::new();
    for answered in answers {
        runs.entry(answered.answer.stamp().generation).or_default().push(answered.clone());
    }
    let mut newest = 0;
    for answers in runs.values() {
        // Several processes answer; each may be a little behind another.
        History::new(answers).check_agreement();
        let epochs = answers.iter().map(|answered| answered.answer.stamp().epoch);
        assert!(epochs.clone().min().unwrap() > newest, "an epoch of an earlier run comes after");
        newest = epochs.max().unwrap();
    }
    println!(
        "{} answers of {} runs over {} records recounted in {:?}; done: {done:?}",
        answers.len(),
        runs.len(),
        records.len(),
        begun.elapsed()
    );
    assert!(runs.len() >= 3, "too little has happened for this to mean much");
}
