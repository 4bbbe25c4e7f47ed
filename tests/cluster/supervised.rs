//! `tidings cluster`: it starts, watches, restarts and stops all processes of this host.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::group::{PATIENCE, Process, signal};
use crate::support::broker::Embedded;
use crate::support::client::Client;
use crate::support::process::{program, run, said};

fn start(brokers: &str, folder: &TempDir) -> Process {
    let mut command = program();
    command.args(["cluster", "-n", "2", "-w", "1", "--brokers", brokers, "--topic", "posts"]);
    command.args(["--start", "earliest", "--bind", "127.0.0.1:0"]);
    command.env("TMPDIR", folder.path());
    Process::start(command, folder.path().join("log"))
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

/// Waits until both processes answer, for the `n`th time, and are ready.
fn ready(supervisor: &mut Process, n: usize) {
    let until = Instant::now() + PATIENCE;
    for mark in ["[0] ", "[1] "] {
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
    }
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
