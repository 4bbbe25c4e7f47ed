//! A cluster of three brokers of which the one that leads a partition dies: another takes over, nothing is lost.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use tempfile::TempDir;

use crate::admin::Admin;
use crate::broker::script;
use crate::load::{Load, settings, until, until_ready};
use crate::support::process::Server;
use crate::support::session::{ask_during, recount};

const TOPIC: &str = "replicated";

/// Three brokers, see `cluster.sh`.
struct Cluster {
    folder: TempDir,
    brokers: String,
}

impl Cluster {
    fn start() -> Cluster {
        let folder = TempDir::new().unwrap();
        // From here on the handle stops what was started.
        let mut cluster = Cluster { folder, brokers: String::new() };
        cluster.brokers = cluster.told(&["start"]).lines().last().unwrap().to_owned();
        cluster
    }

    fn told(&self, arguments: &[&str]) -> String {
        let (what, node) = (arguments[0], &arguments[1..]);
        let mut command = script("cluster.sh");
        command.arg(what).arg(self.folder.path()).args(node).stderr(Stdio::inherit());
        let output = command.output().unwrap();
        assert!(output.status.success(), "cluster.sh {arguments:?}: {}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// The node that leads a partition, as the brokers that live see it, if any does.
    fn leader(&self, partition: usize) -> Option<i32> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .set("log_level", "0")
            .create()
            .unwrap();
        let metadata = consumer.fetch_metadata(Some(TOPIC), Duration::from_secs(5)).ok()?;
        let partition = metadata.topics().first()?.partitions().get(partition)?;
        (partition.error().is_none() && partition.leader() > 0).then(|| partition.leader())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The handle may be dropped by a failing test, which must not fail twice.
        let _ = script("cluster.sh").arg("stop").arg(self.folder.path()).stderr(Stdio::null()).status();
    }
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn the_death_of_a_leader_loses_and_doubles_nothing() {
    let cluster = Cluster::start();
    Admin::of(&cluster.brokers).create_replicated(TOPIC, 3, 3, &[]);
    let mut load = Load::new(&cluster.brokers, TOPIC, 3);
    let mut server = Server::run(&settings(&cluster.brokers, &[TOPIC], "")).ready();
    let (client, config) = (server.client(), server.config());
    let mut dead = 0;
    let answers = ask_during(&server, &config, 101, |own, answers| {
        answers.extend(own.ask_everything(&load.keep_sending(20, Duration::from_secs(2))));
        dead = until(Duration::from_secs(10), "a leader", || cluster.leader(0));
        cluster.told(&["kill", &dead.to_string()]);
        let killed = Instant::now();
        load.hand_over(300);
        until(Duration::from_secs(30), "another leader", || {
            cluster.leader(0).filter(|leader| *leader != dead)
        });
        println!("another leads after {:?}", killed.elapsed());
        let written = load.send(300);
        answers.extend(own.ask_everything(&written));
        until_ready(&client, Duration::from_secs(60));
        println!("ready with all of it {:?} after the death", killed.elapsed());

        // The dead one comes back and is nobody's leader at first; reading goes on all the same.
        cluster.told(&["revive", &dead.to_string()]);
        let written = load.keep_sending(20, Duration::from_secs(3));
        until_ready(&client, Duration::from_secs(60));
        answers.extend(own.ask_everything(&written));
        written
    });
    assert!(server.terminate().0.success());
    let (_, records) = recount(&cluster.brokers, &[TOPIC], &config, &answers);
    let last =
        answers.iter().map(|answered| answered.answer.stamp()).max_by_key(|stamp| stamp.epoch).unwrap();
    let read: i64 = last.offsets[TOPIC].values().sum();
    assert_eq!(read as usize, records.len(), "not all was read");
}
