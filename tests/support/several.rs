//! Processes of one cluster on this host, each of them asked while records come.
//!
//! Idea: each process is asked as if it were the only one. What each has said is recounted by itself, and then all together:
//! two processes never say different things of one epoch.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use tidings::cluster::ports;
use tidings::config::Config;

use super::asker::Asker;
use super::broker::{read_back, wall_ms};
use super::client::Client;
use super::process::Server;
use super::session::StopAtEnd;
use crate::oracle::Oracle;
use crate::oracle::answers::{Answered, Offsets};
use crate::oracle::history::History;

/// A cluster with this configuration, once all of its processes say where they answer.
pub fn run(text: &str, processes: usize) -> Vec<Server> {
    let hosts = ports::free(processes).unwrap();
    std::thread::scope(|scope| {
        let start = |process: usize| {
            let text = format!("{text}[cluster]\nhosts = {hosts:?}\nprocess = {process}\n");
            scope.spawn(move || Server::run(&text))
        };
        let starting: Vec<_> = (0..processes).map(start).collect();
        starting.into_iter().map(|starting| starting.join().unwrap()).collect()
    })
}

/// Runs the load, which hands its last written offsets back, while each process is asked; then asks each for everything. What
/// each has answered.
pub fn ask_each_during(
    clients: &[Client],
    config: &Config,
    seed: u64,
    load: impl FnOnce() -> Offsets,
) -> Vec<Vec<Answered>> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let ask = |(process, client): (usize, &Client)| {
            let (mut asker, stop) = (Asker::new(client.clone(), config, seed + process as u64), &stop);
            scope.spawn(move || {
                asker.ready();
                asker.ask_until(stop, Duration::from_millis(15))
            })
        };
        let asking: Vec<_> = clients.iter().enumerate().map(ask).collect();
        let stopping = StopAtEnd(&stop);
        let written = load();
        let everything = |(process, client): (usize, &Client)| {
            let mut asker = Asker::new(client.clone(), config, seed + 100 + process as u64);
            asker.ready();
            // Whoever has written reads it from any process; with the wall clock, windows drain in silence.
            let mut answers = asker.ask_everything(&written);
            std::thread::sleep(Duration::from_millis(600));
            answers.extend(asker.ask_everything(&Offsets::new()));
            answers
        };
        let after: Vec<_> = clients.iter().enumerate().map(everything).collect();
        drop(stopping);
        let during = asking.into_iter().map(|asking| asking.join().unwrap());
        during.zip(after).map(|(during, after)| [during, after].concat()).collect()
    })
}

/// Tells one process to stop: that ends all of them.
pub fn stop_all(servers: &mut [Server]) {
    let (status, _) = servers[0].terminate();
    assert!(status.success(), "{status}");
    let begun = Instant::now();
    while servers.iter_mut().any(|server| server.lives()) {
        assert!(begun.elapsed() < Duration::from_secs(20), "the others go on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Reads the topics back and recounts what each process has answered, and all of them together.
pub fn recount_each(brokers: &str, topics: &[&str], config: &Config, by_process: &[Vec<Answered>]) {
    let records = read_back(brokers, topics);
    let oracle = Oracle::new(config, &records, wall_ms());
    for answers in by_process {
        oracle.check_all(answers);
        History::new(answers).check_order();
        assert!(History::new(answers).epochs() >= 5, "too few epochs were seen for this to mean much");
    }
    let all = by_process.concat();
    let history = History::new(&all);
    history.check_agreement();
    history.check_late(&oracle, config);
    println!("{} answers of {} processes and {} epochs", all.len(), by_process.len(), history.epochs());
}
