//! A topic that gets more partitions while it is counted: they are found, and read from their first records, by one process
//! or by several.

use std::time::{Duration, Instant};

use crate::admin::Admin;
use crate::broker::{Broker, shared};
use crate::load::{Load, settings, until, until_ready};
use crate::oracle::Oracle;
use crate::oracle::answers::Status;
use crate::oracle::history::History;
use crate::support::broker::{read_back, wall_ms};
use crate::support::client::Client;
use crate::support::process::Server;
use crate::support::session::ask_during;
use crate::support::several::{ask_each_during, recount_each, run, stop_all};

/// How long a new partition may go unnoticed.
const NOTICED: Duration = Duration::from_secs(30);

/// A topic of two partitions with some posts, and settings for a run that begins behind them: where a run starts must not
/// matter to partitions that were not there then.
fn begun<'a>(broker: &'a Broker, topic: &'a str) -> (Admin, Load<'a>, String) {
    let admin = Admin::of(broker.address());
    admin.create(topic, 2, &[]);
    let mut load = Load::new(broker.address(), topic, 2);
    load.send(100);
    (admin, load, settings(broker.address(), &[topic], "").replace("earliest", "latest"))
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn partitions_are_found_and_read_from_their_first_records() {
    const TOPIC: &str = "growing";
    let broker = shared();
    let (admin, mut load, text) = begun(&broker, TOPIC);
    let mut server = Server::run(&text).ready();
    let (client, config) = (server.client(), server.config());
    let status = || client.get("/v1/status").json::<Status>();
    let answers = ask_during(&server, &config, 91, |own, answers| {
        load.keep_sending(10, Duration::from_secs(1));
        for partitions in [3, 6] {
            let before = status().stamp.offsets[TOPIC].len();
            admin.grow(TOPIC, partitions);
            let grown = Instant::now();
            let mut late = Load::new(broker.address(), TOPIC, partitions as i32);
            // Written before anybody may have noticed the partition.
            let written = late.send(20 * partitions as u64);
            until(NOTICED, "the new partitions are in the status", || {
                (status().partitions.len() == partitions).then_some(())
            });
            println!("{before} partitions became {partitions} after {:?}", grown.elapsed());
            answers.extend(own.ask_everything(&written));
            // The old producer does not learn of new partitions for minutes.
            load = late;
            load.keep_sending(10, Duration::from_secs(1));
        }
        load.send(60)
    });
    let end = status();
    assert_eq!(end.processes, 1);
    for partition in 2..6 {
        assert_eq!(end.stamp.start_offsets[TOPIC][&partition], 0, "{:?}", end.stamp);
    }
    assert!(server.log().contains(TOPIC) && server.terminate().0.success());
    let records = read_back(broker.address(), &[TOPIC]);
    Oracle::new(&config, &records, wall_ms()).check_all(&answers);
    History::new(&answers).check();
}

/// All processes read a new partition from its first record under the same number, whoever has found it.
#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn several_processes_find_them_too() {
    const TOPIC: &str = "growing-together";
    let broker = shared();
    let (admin, mut load, text) = begun(&broker, TOPIC);
    let mut servers = run(&text.replace("workers = 2", "workers = 1"), 3);
    let (clients, config): (Vec<Client>, _) =
        (servers.iter().map(Server::client).collect(), servers[0].config());
    for client in &clients {
        until_ready(client, Duration::from_secs(60));
    }
    let answers = ask_each_during(&clients, &config, 92, || {
        load.keep_sending(10, Duration::from_secs(1));
        for partitions in [3, 7] {
            admin.grow(TOPIC, partitions);
            let grown = Instant::now();
            let mut late = Load::new(broker.address(), TOPIC, partitions as i32);
            // Written before anybody may have noticed the partition.
            late.send(20 * partitions as u64);
            for client in &clients {
                until(NOTICED, "the new partitions are in the status", || {
                    let status = client.get("/v1/status").json::<Status>();
                    (status.stamp.offsets[TOPIC].len() == partitions).then_some(())
                });
            }
            println!("{partitions} partitions are read by all after {:?}", grown.elapsed());
            load = late;
            load.keep_sending(10, Duration::from_secs(1));
        }
        load.send(60)
    });
    for client in &clients {
        let end = client.get("/v1/status").json::<Status>();
        assert_eq!(end.processes, 3);
        for partition in 2..7 {
            assert_eq!(end.stamp.start_offsets[TOPIC][&partition], 0, "{:?}", end.stamp);
        }
    }
    stop_all(&mut servers);
    recount_each(broker.address(), &[TOPIC], &config, &answers);
}
