//! The only broker is stopped for half a minute: reads go on, readiness says so, and in the end nothing is lost or doubled.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::admin::Admin;
use crate::broker::Broker;
use crate::load::{Load, settings, until, until_ready, until_unready};
use crate::oracle::answers::{Offsets, Status};
use crate::support::process::Server;
use crate::support::session::{ask_during, recount};

const AWAY: Duration = Duration::from_secs(30);

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn half_a_minute_without_a_broker_loses_and_doubles_nothing() {
    let broker = Broker::start("");
    Admin::of(broker.address()).create("outage", 4, &[]);
    let mut load = Load::new(broker.address(), "outage", 4);
    let mut server = Server::run(&settings(broker.address(), &["outage"], "")).ready();
    let (client, config) = (server.client(), server.config());
    let clock = || client.get("/v1/status").json::<Status>().stamp.clock.unwrap();
    let answers = ask_during(&server, &config, 51, |own, answers| {
        let before = load.keep_sending(20, Duration::from_secs(2));
        answers.extend(own.ask_everything(&before));

        // It may take its time to end, and is away for as long already.
        let going = Instant::now();
        broker.stop();
        let gone = Instant::now();
        // What is handed over now is written when the broker is back.
        load.hand_over(500);
        until_unready(&client, "source_unavailable", Duration::from_secs(15));
        let noticed = going.elapsed();
        assert!(noticed > Duration::from_secs(1), "no grace: it took {noticed:?}");
        let held = clock();
        while gone.elapsed() < AWAY {
            answers.extend(own.ask_everything(&before));
            std::thread::sleep(Duration::from_secs(1));
        }
        assert_eq!(clock(), held, "the wall clock goes on although nobody knows what has been written");

        broker.start_again();
        println!("ready again after {:?}", until_ready(&client, Duration::from_secs(60)));
        let written = load.send(500);
        answers.extend(own.ask_everything(&written));
        until(Duration::from_secs(20), "the clock goes on", || (clock() > held).then_some(()));
        load.keep_sending(20, Duration::from_secs(2))
    });
    assert!(server.terminate().0.success());
    let (_, records) = recount(broker.address(), &["outage"], &config, &answers);
    let last = answers.iter().max_by_key(|answered| answered.answer.stamp().epoch).unwrap();
    let read: i64 = total(&last.answer.stamp().offsets) - total(&last.answer.stamp().start_offsets);
    assert_eq!(read as usize, records.len(), "not all was read");
    // By one producer throughout, which was told of every post that it is written.
    let there: BTreeSet<_> = records.iter().map(|record| record.value.clone()).collect();
    assert_eq!(there.len() as u64, load.sent());
}

fn total(offsets: &Offsets) -> i64 {
    offsets.values().flat_map(|partitions| partitions.values()).sum()
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn a_start_without_a_broker_ends_at_once_and_says_so() {
    let broker = Broker::start("");
    Admin::of(broker.address()).create("gone", 1, &[]);
    broker.stop();
    let mut held = crate::held::Held::start(&settings(broker.address(), &["gone"], ""));
    assert_eq!(held.ends_within(Duration::from_secs(15)), Some(74), "{}", held.log());
    assert!(held.log().contains(broker.address()) && held.log().contains("--brokers"), "{}", held.log());
}
