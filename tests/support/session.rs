//! A load, those who ask meanwhile, and the recount at the end.
//!
//! Idea: two clients ask at random for as long as the load lasts, the one that writes reads its own writes, and at the end
//! it asks everything. Then the topics are read back, and every answer is compared with a recount of its own records.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tidings::config::Config;

use super::asker::Asker;
use super::broker::{read_back, wall_ms};
use super::process::Server;
use crate::oracle::Oracle;
use crate::oracle::answers::{Answered, Offsets};
use crate::oracle::history::History;
use crate::oracle::rules::Record;

/// Runs the load, which hands its last written offsets back, and returns all answers that were given meanwhile and after.
pub fn ask_during(
    server: &Server,
    config: &Config,
    seed: u64,
    load: impl FnOnce(&mut Asker<'_>, &mut Vec<Answered>) -> Offsets,
) -> Vec<Answered> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let ask = |number: u64| {
            let (mut asker, stop) = (Asker::new(server.client(), config, seed + number), &stop);
            scope.spawn(move || {
                asker.ready();
                asker.ask_until(stop, Duration::from_millis(8))
            })
        };
        let askers = [ask(1), ask(2)];
        let stopping = StopAtEnd(&stop);
        let mut own = Asker::new(server.client(), config, seed + 3);
        own.ready();
        let mut answers = Vec::new();
        let written = load(&mut own, &mut answers);
        answers.extend(own.ask_everything(&written));
        // With the wall clock, windows drain in silence.
        std::thread::sleep(Duration::from_millis(1200));
        answers.extend(own.ask_everything(&Offsets::new()));
        drop(stopping);
        answers.extend(askers.into_iter().flat_map(|asker| asker.join().unwrap()));
        answers
    })
}

/// Reads the topics back and recounts all answers; returns the oracle and the records.
pub fn recount(
    brokers: &str,
    topics: &[&str],
    config: &Config,
    answers: &[Answered],
) -> (Oracle, Vec<Record>) {
    let records = read_back(brokers, topics);
    let begun = Instant::now();
    let oracle = Oracle::new(config, &records, wall_ms());
    oracle.check_all(answers);
    let history = History::new(answers);
    history.check();
    history.check_late(&oracle, config);
    println!("{} answers of {} epochs recounted in {:?}", answers.len(), history.epochs(), begun.elapsed());
    assert!(history.epochs() >= 5, "too few epochs were seen for this to mean much");
    (oracle, records)
}

/// Tells other threads to stop, also where its own fails: a scope waits for all its threads.
pub struct StopAtEnd<'a>(pub &'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
