//! A log that loses its end and grows again beyond where it was, as a broker's does whose disk lost what it had not written:
//! other records stand at offsets that were counted.
//!
//! Idea: a broker is stopped, the last batches are taken off its segment, and as many records and more are written anew.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::admin::Admin;
use crate::broker::Broker;
use crate::held::Held;
use crate::kept::{counted, kept_in};
use crate::load::{Load, settings, until_fresh};
use crate::oracle::answers::Offsets;
use crate::segment::batches;
use crate::transactions::Transactional;

/// Records before the cut.
const COUNTED: u64 = 300;

fn broker_with(topic: &str) -> Broker {
    let broker = Broker::start("");
    Admin::of(broker.address()).create(topic, 1, &[]);
    broker
}

/// Writes so many, in some batches.
fn write(load: &mut Load<'_>) -> Offsets {
    (0..5).for_each(|_| drop(load.send(COUNTED / 6)));
    load.send(COUNTED / 6)
}

/// Lets a broker lose what stands from this offset on, and another producer write so many records in its place.
fn cut_and_grow(broker: &Broker, topic: &str, from: u64, posts: u64) {
    broker.stop();
    cut(broker, topic, from as i64);
    broker.start_again();
    Load::new(broker.address(), topic, 1).send(posts);
}

/// Takes all batches from this offset or a little before it off the end of a stopped broker's log.
fn cut(broker: &Broker, topic: &str, from: i64) {
    let folder: PathBuf = broker.data().join(format!("{topic}-0"));
    let segment = folder.join("00000000000000000000.log");
    let bytes = std::fs::read(&segment).unwrap();
    let found = batches(&bytes);
    let batch = found.iter().find(|batch| batch.last >= from).unwrap();
    assert!(batch.first > 0, "{found:?}");
    std::fs::write(&segment, &bytes[..batch.at]).unwrap();
    // What it has noted of batches that are gone would keep it from starting, or it from noticing.
    let _ = std::fs::remove_file(broker.data().join(".kafka_cleanshutdown"));
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let is = |ending: &str| path.extension().is_some_and(|extension| extension == Path::new(ending));
        if is("index") || is("timeindex") || is("snapshot") {
            std::fs::remove_file(&path).unwrap();
        }
    }
}

fn is_refused(held: &mut Held, topic: &str) {
    assert_eq!(held.ends_within(Duration::from_secs(60)), Some(65), "{}", held.log());
    let log = held.log();
    assert!(log.contains(topic) && log.contains("its log was cut") && log.contains("--start-fresh"), "{log}");
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn a_log_cut_and_grown_again_between_two_runs_is_refused_though_its_offsets_would_do() {
    const TOPIC: &str = "cut-and-grown-between";
    let (broker, folder) = (broker_with(TOPIC), TempDir::new().unwrap());
    let text = kept_in(broker.address(), &folder, TOPIC, "");
    let mut load = Load::new(broker.address(), TOPIC, 1);
    counted(&text, &write(&mut load));
    // As it is, reading goes on; also where nothing has come since.
    counted(&text, &load.send(0));
    cut_and_grow(&broker, TOPIC, COUNTED * 2 / 3, 2 * COUNTED);
    for more in ["", "on_gap = \"continue\""] {
        is_refused(&mut Held::start(&kept_in(broker.address(), &folder, TOPIC, more)), TOPIC);
    }
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn a_log_cut_and_grown_again_while_it_is_counted_ends_the_run() {
    const TOPIC: &str = "cut-and-grown-under";
    let broker = broker_with(TOPIC);
    write(&mut Load::new(broker.address(), TOPIC, 1));
    let mut held = Held::ready(&settings(broker.address(), &[TOPIC], ""));
    until_fresh(&held.client().unwrap(), Duration::from_secs(20));
    held.hold();
    cut_and_grow(&broker, TOPIC, COUNTED * 2 / 3, 2 * COUNTED);
    held.release();
    is_refused(&mut held, TOPIC);
}

/// Where nothing but an aborted transaction stood behind the last record, that one is still there.
#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn records_that_take_the_place_of_an_aborted_transaction_are_not_passed_over() {
    const TOPIC: &str = "cut-behind-the-last";
    let (broker, folder) = (broker_with(TOPIC), TempDir::new().unwrap());
    let text = kept_in(broker.address(), &folder, TOPIC, "");
    write(&mut Load::new(broker.address(), TOPIC, 1));
    let ours = Transactional::of(broker.address(), "aborts");
    ours.begin(TOPIC, &[0], "#aborted", 10);
    ours.abort();
    // Behind the marker.
    counted(&text, &Offsets::from([(TOPIC.to_owned(), [(0, COUNTED as i64 + 11)].into())]));
    cut_and_grow(&broker, TOPIC, COUNTED, COUNTED);
    is_refused(&mut Held::start(&text), TOPIC);
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn a_broker_that_comes_back_with_all_of_its_log_is_read_on() {
    const TOPIC: &str = "whole-again";
    let (broker, folder) = (broker_with(TOPIC), TempDir::new().unwrap());
    let text = kept_in(broker.address(), &folder, TOPIC, "");
    let mut load = Load::new(broker.address(), TOPIC, 1);
    counted(&text, &write(&mut load));
    // Another leader epoch, the same records.
    broker.stop();
    broker.start_again();
    counted(&text, &Load::new(broker.address(), TOPIC, 1).send(10));
    // All that was counted is gone, and nothing else.
    Admin::of(broker.address()).delete_records(TOPIC, 0, COUNTED as i64 + 10);
    counted(&text, &Load::new(broker.address(), TOPIC, 1).send(10));
}
