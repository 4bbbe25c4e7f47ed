//! Every answer from every process equals a recount of the records that it names, during the load and after it, and all
//! processes say the same of the same epoch.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::several::run;
use crate::oracle::Oracle;
use crate::oracle::answers::{Answered, Offsets};
use crate::oracle::history::History;
use crate::support::asker::Asker;
use crate::support::broker::{Embedded, Producer, read_back, wall_ms};
use crate::support::hostile::Hostile;
use crate::support::process::Server;
use crate::support::random::{Random, seed};
use crate::support::session::StopAtEnd;

const TOPIC: &str = "posts";

const RECORDS: usize = 1500;

#[test]
fn two_processes_of_one_worker() {
    exact(21, 2, 1, 3, "wall");
}

#[test]
fn three_processes_of_two_workers_and_one_partition() {
    exact(22, 3, 2, 1, "event");
}

fn exact(own_seed: u64, processes: usize, workers: usize, partitions: i32, clock: &str) {
    let seed = seed(own_seed);
    let broker = Embedded::start(&[(TOPIC, partitions)]);
    let text = format!(
        "[kafka]\nbrokers = \"{}\"\ntopics = [\"{TOPIC}\"]\nstart = \"earliest\"\n[posts]\ntime = \"record\"\n\
         [engine]\nworkers = {workers}\nclock = \"{clock}\"\nepoch = \"60ms\"\n\
         [[count]]\nname = \"tags\"\nof = \"hashtags\"\nwindows = [\"3s/500ms\", \"1m\", \"all\"]\n\
         [[count]]\nname = \"words\"\nof = \"words\"\nwindows = [\"2s/1s\", \"all\"]\n",
        broker.brokers()
    );
    let producer = Producer::new(&broker.brokers(), "zstd");
    let (mut hostile, mut random) = (Hostile::new(seed), Random::new(seed));
    let mut sent = 0;
    let mut send = |records: usize, random: &mut Random| {
        for _ in 0..records {
            let record = hostile.next(wall_ms());
            producer.send(TOPIC, random.below(partitions as u64) as i32, &record);
        }
        sent += records;
        producer.flush();
        sent
    };
    send(RECORDS / 4, &mut random);
    let mut servers = run(&text, processes);
    let config = servers[0].config();
    let stop = AtomicBool::new(false);
    let by_process: Vec<Vec<Answered>> = std::thread::scope(|scope| {
        let ask = |(process, server): (usize, &Server)| {
            let (mut asker, stop) = (Asker::new(server.client(), &config, seed + process as u64), &stop);
            scope.spawn(move || {
                asker.ready();
                asker.ask_until(stop, Duration::from_millis(15))
            })
        };
        let asking: Vec<_> = servers.iter().enumerate().map(ask).collect();
        let stopping = StopAtEnd(&stop);
        while send(1 + random.below(80) as usize, &mut random) < RECORDS {
            std::thread::sleep(Duration::from_millis(random.below(80)));
        }
        let written = producer.flush();
        let everything = |(process, server): (usize, &Server)| {
            let mut asker = Asker::new(server.client(), &config, seed + 100 + process as u64);
            asker.ready();
            // Whoever has written reads it from any process; with the wall clock, windows drain in silence.
            let mut answers = asker.ask_everything(&written);
            std::thread::sleep(Duration::from_millis(600));
            answers.extend(asker.ask_everything(&Offsets::new()));
            answers
        };
        let after: Vec<_> = servers.iter().enumerate().map(everything).collect();
        drop(stopping);
        let during = asking.into_iter().map(|asking| asking.join().unwrap());
        during.zip(after).map(|(during, after)| [during, after].concat()).collect()
    });
    // One that is told to stop ends all of them, as it should.
    let (status, _) = servers[0].terminate();
    assert!(status.success(), "{status}");
    let begun = Instant::now();
    while servers.iter_mut().any(|server| server.lives()) {
        assert!(begun.elapsed() < Duration::from_secs(20), "the others go on");
        std::thread::sleep(Duration::from_millis(20));
    }
    let records = read_back(&broker.brokers(), &[TOPIC]);
    let oracle = Oracle::new(&config, &records, wall_ms());
    let mut all = Vec::new();
    for answers in by_process {
        oracle.check_all(&answers);
        History::new(&answers).check_order();
        assert!(History::new(&answers).epochs() >= 5, "too few epochs were seen for this to mean much");
        all.extend(answers);
    }
    let history = History::new(&all);
    history.check_agreement();
    history.check_late(&oracle, &config);
    println!("{} answers of {processes} processes and {} epochs", all.len(), history.epochs());
}
