//! How a cluster starts: in any order, from one start, and with what does not fit said on both sides.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::group::{Group, Process, other_build, settings};
use crate::support::broker::{Embedded, Producer, wall_ms};
use crate::support::client::Client;
use crate::support::hostile::Hostile;

/// "latest" is found out once: what was written while processes wait for each other is behind the start of all.
#[test]
fn all_begin_at_one_start_with_one_number() {
    let broker = Embedded::start(&[("posts", 4)]);
    let producer = Producer::new(&broker.brokers(), "none");
    let text = settings(&broker.brokers(), 1).replace("earliest", "latest");
    let (mut group, mut hostile) = (Group::new(&text, 3), Hostile::new(3));
    for index in [2, 0, 1] {
        group.processes.push(Process::start(group.command(index, &[]), group.log(index)));
        (0..40).for_each(|n| producer.send("posts", n % 4, &hostile.next(wall_ms())));
        producer.flush();
    }
    group.processes.iter_mut().for_each(Process::ready);
    let stamps = group.processes.iter_mut().map(|process| {
        let status: Value = process.client().get("/v1/status").json();
        (status["stamp"]["generation"].clone(), status["stamp"]["start_offsets"]["posts"].clone())
    });
    let (generations, starts): (Vec<_>, Vec<_>) = stamps.unzip();
    assert!(generations.iter().all(|generation| *generation == generations[0]), "{generations:?}");
    let mut at = std::collections::BTreeMap::<String, Value>::new();
    for (partition, start) in starts.iter().flat_map(|starts| starts.as_object().unwrap()) {
        assert_eq!(at.entry(partition.clone()).or_insert_with(|| start.clone()), start, "{starts:?}");
    }
    assert_eq!(at.len(), 4, "{starts:?}");
}

/// What makes a process one that does not fit.
type Change = fn(&Group, &mut Command);

#[test]
fn what_does_not_fit_is_said_on_both_sides_and_disturbs_nobody() {
    let broker = Embedded::start(&[("posts", 2)]);
    let group = Group::new(&settings(&broker.brokers(), 1), 2);
    let mut zero = Process::start(group.command(0, &[]), group.log(0));
    zero.says("waiting for the others");
    let wrong: [(&str, &str, Change); 4] = [
        ("secret", "`cluster.secret_file` must hold the same everywhere", |group, command| {
            fs::write(group.path("other-secret"), "another secret, just as long").unwrap();
            command.env("TIDINGS__CLUSTER__SECRET_FILE", group.path("other-secret"));
        }),
        ("posts", "differ in [posts]", |_, command| {
            command.env("TIDINGS__POSTS__TIME", "post");
        }),
        ("workers", "process 0 has 1 workers, process 1 has 3", |_, command| {
            command.args(["-w", "3"]);
        }),
        ("build", "another build", |group, command| {
            let mut other = Command::new(other_build(group.folder.path()));
            other.env_clear().args(command.get_args());
            for (key, value) in command.get_envs() {
                other.env(key, value.unwrap_or_default());
            }
            *command = other;
        }),
    ];
    for (name, reason, change) in wrong {
        let mut command = group.command(1, &[]);
        change(&group, &mut command);
        let mut one = Process::start(command, group.path(&format!("log-wrong-{name}")));
        one.says(reason);
        assert!(zero.child.try_wait().unwrap().is_none(), "{name}: {}", zero.log());
        one.child.kill().unwrap();
        one.child.wait().unwrap();
    }
    for reason in ["secret", "[posts]"] {
        assert!(zero.log().contains(reason) || zero.log().contains("refused"), "{reason}: {}", zero.log());
    }
    let mut one = Process::start(group.command(1, &[]), group.log(1));
    one.ready();
    zero.ready();
    // Once more on the same address: it waits for the one that is there.
    let mut late = Process::start(group.command(1, &[]), group.path("log-late"));
    late.says("cannot listen on");
    assert!(zero.child.try_wait().unwrap().is_none() && one.child.try_wait().unwrap().is_none());
}

/// A supervisor that asks before the others are there is told so, instead of being left to wait.
#[test]
fn whoever_asks_before_all_are_there_is_told_so() {
    let broker = Embedded::start(&[("posts", 2)]);
    let group = Group::new(&settings(&broker.brokers(), 1), 2);
    let mut zero = Process::start(group.command(0, &[]), group.log(0));
    zero.says("/livez and /readyz");
    let log = zero.log();
    let (_, rest) = log.split_once("until the engine is there, http://").unwrap();
    let client = Client::new(rest.split_once(' ').unwrap().0);
    assert_eq!(client.get("/livez").status, 200);
    let ready = client.get("/readyz");
    assert_eq!((ready.status, ready.json::<Value>()["reasons"][0].as_str()), (503, Some("starting")));
    let status = client.get("/v1/status");
    assert_eq!((status.status, status.content_type.as_str()), (503, "application/problem+json"));
    assert_eq!(status.json::<Value>()["reasons"][0], "starting");
    let mut one = Process::start(group.command(1, &[]), group.log(1));
    one.ready();
    // The same client, and the same connection if it kept one.
    zero.ready();
    assert_eq!((client.get("/readyz").status, client.get("/v1/status").status), (200, 200));
}
