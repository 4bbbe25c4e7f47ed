//! `tidings cluster`: it starts, watches, restarts and stops all processes of this host.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::group::{PATIENCE, Process, signal};
use crate::support::broker::{Embedded, Producer, wall_ms};
use crate::support::client::Client;
use crate::support::hostile::Hostile;
use crate::support::process::{program, run, said};

fn start(brokers: &str, folder: &TempDir) -> Process {
    start_with(brokers, folder, "log", &["--start", "earliest"])
}

fn start_with(brokers: &str, folder: &TempDir, log: &str, arguments: &[&str]) -> Process {
    let mut command = program();
    command.args(["cluster", "-n", "2", "-w", "1", "--brokers", brokers, "--topic", "posts"]);
    command.args(["--bind", "127.0.0.1:0"]).args(arguments);
    command.env("TMPDIR", folder.path());
    command.env("TIDINGS__CHECKPOINT__INTERVAL", "1s");
    Process::start(command, folder.path().join(log))
}

/// The processes that another has started.
fn children(parent: u32) -> BTreeSet<u32> {
    let listed = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    listed.split_whitespace().map(|id| id.parse().unwrap()).collect()
}

fn lives(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Waits until both processes answer, for the `n`th time, and are ready; how to ask the second.
fn ready(supervisor: &mut Process, n: usize) -> Client {
    let until = Instant::now() + PATIENCE;
    let clients = ["[0] ", "[1] "].map(|mark| {
        let client = loop {
            let log = supervisor.log();
            let mut own = log.lines().filter(|line| line.starts_with(mark));
            if let Some(line) = own.by_ref().filter(|line| line.contains("answering on http://")).nth(n - 1) {
                break Client::new(line.split_once("http://").unwrap().1.trim());
            }
            assert!(Instant::now() < until, "{log}");
            std::thread::sleep(Duration::from_millis(20));
        };
        while !client.try_get("/readyz").is_ok_and(|response| response.status == 200) {
            assert!(Instant::now() < until, "{}", supervisor.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        client
    });
    clients[1].clone()
}

#[test]
fn all_start_anew_when_one_is_lost_and_stop_together() {
    let (broker, folder) = (Embedded::start(&[("posts", 2)]), TempDir::new().unwrap());
    let mut supervisor = start(&broker.brokers(), &folder);
    ready(&mut supervisor, 1);
    let first = children(supervisor.child.id());
    assert_eq!(first.len(), 2);
    signal(*first.last().unwrap(), "KILL");
    ready(&mut supervisor, 2);
    supervisor.says("ended with a signal; all start anew");
    let second = children(supervisor.child.id());
    assert!(second.len() == 2 && first.is_disjoint(&second), "{first:?} {second:?}");
    supervisor.signal("TERM");
    assert_eq!(supervisor.ends(Duration::from_secs(40)).0, Some(0), "{}", supervisor.log());
    assert!(!second.iter().any(|child| lives(*child)));
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1, "only the log is left: the secret is gone");
}

/// `--start-fresh` leaves aside what was there before, and not what has been counted since: a loss later on costs nothing.
#[test]
fn a_fresh_start_is_made_once() {
    let (broker, folder) = (Embedded::start(&[("posts", 2)]), TempDir::new().unwrap());
    let (producer, mut hostile) = (Producer::new(&broker.brokers(), "none"), Hostile::new(8));
    let mut write = |records: i32| {
        (0..records).for_each(|n| producer.send("posts", n % 2, &hostile.next(wall_ms())));
        producer.flush();
    };
    let dir = format!("file://{}", folder.path().join("kept").display());
    fs::write(folder.path().join("tidings.toml"), format!("[checkpoint]\ndir = \"{dir}\"\n")).unwrap();
    let file = folder.path().join("tidings.toml");
    let with_file = ["-c", file.to_str().unwrap(), "--start"];
    let counted = |client: &Client, records: u64| {
        let until = Instant::now() + PATIENCE;
        loop {
            let status: Value = client.get("/v1/status").json();
            let seen = recorded(&status);
            if seen == records && !status["checkpoint"]["last"].is_null() {
                return;
            }
            assert!(seen <= records && Instant::now() < until, "{seen} of {records}: {status}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    write(100);
    let mut supervisor =
        start_with(&broker.brokers(), &folder, "log-1", &[&with_file[..], &["earliest"]].concat());
    counted(&ready(&mut supervisor, 1), 100);
    supervisor.signal("TERM");
    assert_eq!(supervisor.ends(Duration::from_secs(45)).0, Some(0), "{}", supervisor.log());

    let fresh = [&with_file[..], &["latest", "--start-fresh"]].concat();
    let mut supervisor = start_with(&broker.brokers(), &folder, "log-2", &fresh);
    counted(&ready(&mut supervisor, 1), 0);
    write(40);
    counted(&ready(&mut supervisor, 1), 40);
    let first = children(supervisor.child.id());
    signal(*first.first().unwrap(), "KILL");
    counted(&ready(&mut supervisor, 2), 40);
    supervisor.signal("TERM");
    assert_eq!(supervisor.ends(Duration::from_secs(45)).0, Some(0), "{}", supervisor.log());
}

/// All records of a status, whatever became of them.
fn recorded(status: &Value) -> u64 {
    let sum = |name: &str| -> u64 {
        status[name].as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum()
    };
    status["posts"].as_u64().unwrap() + sum("bad") + sum("other")
}

#[test]
fn no_process_outlives_its_supervisor() {
    let (broker, folder) = (Embedded::start(&[("posts", 2)]), TempDir::new().unwrap());
    let mut supervisor = start(&broker.brokers(), &folder);
    ready(&mut supervisor, 1);
    let started = children(supervisor.child.id());
    supervisor.signal("KILL");
    supervisor.ends(Duration::from_secs(5));
    let until = Instant::now() + Duration::from_secs(20);
    while started.iter().any(|child| lives(*child)) {
        assert!(Instant::now() < until, "{started:?} go on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_would_be_refused_again_is_not_tried_again() {
    let broker = Embedded::start(&[("posts", 2)]);
    let output = run(&[
        "cluster",
        "-n",
        "2",
        "-w",
        "1",
        "--brokers",
        &broker.brokers(),
        "--topic",
        "others",
        "--bind",
        "127.0.0.1:0",
    ]);
    assert_eq!(output.status.code(), Some(78), "{}", said(&output));
    assert!(said(&output).contains("[0] tidings: there is no topic \"others\""), "{}", said(&output));
    let output = run(&["cluster", "-n", "2", "--bind", "127.0.0.1:65535"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(said(&output).contains("choose a lower one"), "{}", said(&output));
}
