//! Exact at any moment: every answer, during a load and after it, equals a recount of the records that it names.
//!
//! Idea: each case draws its settings and its records from a seed. Two clients ask at random while records arrive; then one
//! that has seen its own writes acknowledged asks everything. In the end the topics are read back and all is recounted.
//! Cost: some five seconds a case. `TIDINGS_TEST_SEED=n cargo test --test engine exact` repeats or varies them.

use std::time::Duration;

use crate::oracle::answers::Answered;
use crate::support::broker::{Embedded, Producer, wall_ms};
use crate::support::hostile::{Hostile, Sent};
use crate::support::process::Server;
use crate::support::random::{Random, seed};
use crate::support::session::{ask_during, recount};

#[derive(Clone, Copy)]
struct Shape {
    partitions: i32,
    workers: usize,
    clock: &'static str,
    time: &'static str,
}

#[test]
fn one_partition_one_worker_by_the_posts_own_times() {
    run(1, Shape { partitions: 1, workers: 1, clock: "event", time: "post" });
}

#[test]
fn one_partition_four_workers_by_the_wall_clock() {
    run(2, Shape { partitions: 1, workers: 4, clock: "wall", time: "record" });
}

#[test]
fn two_partitions_two_workers_by_the_wall_clock() {
    run(3, Shape { partitions: 2, workers: 2, clock: "wall", time: "post" });
}

#[test]
fn three_partitions_two_workers_by_the_times_of_records() {
    run(4, Shape { partitions: 3, workers: 2, clock: "event", time: "record" });
}

#[test]
fn five_partitions_four_workers_by_the_posts_own_times() {
    run(5, Shape { partitions: 5, workers: 4, clock: "event", time: "post" });
}

#[test]
fn four_partitions_one_worker_by_the_wall_clock() {
    run(6, Shape { partitions: 4, workers: 1, clock: "wall", time: "record" });
}

/// Everything is there before the start, so that the answers are from the middle of catching up.
#[test]
fn a_backlog_while_it_is_read() {
    let seed = seed(7);
    let (partitions, posts) = (4, 16_000);
    let broker = Embedded::start(&[(TOPICS[0], partitions)]);
    let producer = Producer::new(&broker.brokers(), "zstd");
    let (mut hostile, an_hour_ago) = (Hostile::new(seed), wall_ms() - 3_600_000);
    for n in 0..posts {
        producer.send(TOPICS[0], n % partitions, &hostile.next(an_hour_ago + i64::from(n) * 100));
    }
    let written = producer.flush();
    let mut server = Server::run(&format!(
        "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[engine]\nworkers = 2\nepoch = \"5ms\"\n",
        broker.brokers()
    ));
    let config = server.config();
    let answers = ask_during(&server, &config, seed, |own, answers| {
        let behind = |answers: &[Answered]| answers.last().is_none_or(|last| last.answer.stamp().catching_up);
        while behind(answers) {
            answers.push(own.ask_status());
        }
        written
    });
    let caught = answers.iter().filter(|answered| answered.answer.stamp().catching_up).count();
    println!("{caught} answers while catching up");
    assert!(server.terminate().0.success());
    recount(&broker.brokers(), &TOPICS[..1], &config, &answers);
}

const TOPICS: [&str; 2] = ["posts", "more-posts"];

/// How many records a case has: some megabytes, well below what the broker keeps.
const RECORDS: usize = 2500;

fn run(own_seed: u64, shape: Shape) {
    let seed = seed(own_seed);
    let mut random = Random::new(seed);
    let broker = Embedded::start(&[(TOPICS[0], shape.partitions), (TOPICS[1], 1)]);
    let text = settings(&broker.brokers(), shape, &mut random);
    println!("{text}");
    let producer = Producer::new(&broker.brokers(), random.pick(&["none", "lz4", "zstd"]));
    let mut load = Load::new(seed, shape, random.clone());
    // What stands in the topic before the start is caught up with.
    load.send(&producer, RECORDS / 4);
    for giant in
        Hostile::giants().into_iter().filter(|_| random.one_in(5)).filter(|giant| giant.len() < 1 << 20)
    {
        producer.send(TOPICS[1], 0, &Sent { value: Some(giant), timestamp: wall_ms() });
    }
    producer.flush();

    let mut server = Server::run(&text);
    let config = server.config();
    let answers = ask_during(&server, &config, seed, |own, answers| {
        while load.sent < RECORDS {
            load.send(&producer, 1 + random.below(150) as usize);
            let written = producer.flush();
            if random.one_in(3) {
                // Whoever has written reads what was written.
                answers.push(own.ask(&written));
            }
            std::thread::sleep(Duration::from_millis(random.below(60)));
        }
        producer.flush()
    });
    let (status, took) = server.terminate();
    assert!(status.success() && took < Duration::from_secs(25), "{status} after {took:?}");
    recount(&broker.brokers(), &TOPICS, &config, &answers);
}

/// A load whose event time goes on by itself, or with the wall clock.
struct Load {
    hostile: Hostile,
    random: Random,
    shape: Shape,
    now_ms: i64,
    sent: usize,
}

impl Load {
    fn new(seed: u64, shape: Shape, random: Random) -> Load {
        Load { hostile: Hostile::new(seed), random, shape, now_ms: 1_503_792_000_000, sent: 0 }
    }

    fn send(&mut self, producer: &Producer, records: usize) {
        for _ in 0..records {
            // Mostly many posts a second; sometimes a silence, after which whole windows are empty.
            let step = if self.random.one_in(500) { 200_000 } else { 400 };
            self.now_ms += self.random.below(step) as i64;
            if self.shape.clock == "wall" {
                self.now_ms = wall_ms();
            }
            let sent = self.hostile.next(self.now_ms);
            if self.random.one_in(10) {
                producer.send(TOPICS[1], 0, &sent);
            } else {
                producer.send(TOPICS[0], self.random.below(self.shape.partitions as u64) as i32, &sent);
            }
            self.sent += 1;
        }
    }
}

/// A configuration with several counts, each with windows whose slides nest.
fn settings(brokers: &str, Shape { workers, clock, time, .. }: Shape, random: &mut Random) -> String {
    let windows: &[&str] = if clock == "wall" {
        &[
            "\"1s/100ms\", \"3s/500ms\", \"1m\", \"all\"",
            "\"all\", \"2s/1s\"",
            "\"900ms/300ms\"",
            "\"4s/2s\", \"10s/2s\"",
        ]
    } else {
        &["\"10s/1s\", \"1m/5s\", \"20m/1m\", \"all\"", "\"all\", \"30s/10s\"", "\"5s/1s\"", "\"1m\", \"5m\""]
    };
    let mut text = format!(
        "[kafka]\nbrokers = \"{brokers}\"\ntopics = [\"{}\", \"{}\"]\nstart = \"earliest\"\n\
         [posts]\ntime = \"{time}\"\nreposts = \"{}\"\n\
         [engine]\nworkers = {workers}\nclock = \"{clock}\"\nepoch = \"{}ms\"\n",
        TOPICS[0],
        TOPICS[1],
        random.pick(&["count", "skip"]),
        random.between(10, 150),
    );
    let filters = [
        "",
        "",
        "stop_words = [\"en\", \"de\"]\n",
        "min_length = 3\n",
        "languages = [\"en\", \"pt\"]\n",
        "track = [\"#rust\", \"good\"]\n",
    ];
    let kinds = ["hashtags", "words", "phrases", "mentions", "emoji", "domains", "cashtags"];
    let drawn = 2 + random.below(3) as usize;
    for number in 0..drawn {
        // Hashtags first, since they have spellings, and words, since there are many.
        let kind = if number < 2 { kinds[number] } else { random.pick(&kinds) };
        let (windows, filter) =
            (if number == 0 { windows[0] } else { random.pick(windows) }, random.pick(&filters));
        text += &format!(
            "[[count]]\nname = \"count-{number}\"\nof = \"{kind}\"\nwindows = [{windows}]\n{filter}"
        );
    }
    text
}
