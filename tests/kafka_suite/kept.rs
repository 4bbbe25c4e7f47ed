//! What becomes of a topic between two runs, on a broker that knows ids of topics and takes records away.

use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::admin::Admin;
use crate::broker::shared;
use crate::held::Held;
use crate::load::{Load, settings, until};
use crate::oracle::answers::Offsets;

/// The settings of a run that keeps what it has counted in a folder.
pub fn kept_in(brokers: &str, folder: &TempDir, topic: &str, more: &str) -> String {
    let settings = settings(brokers, &[topic], more);
    format!(
        "{settings}[checkpoint]\ndir = \"file://{}\"\ninterval = \"200ms\"\n",
        folder.path().join("kept").display()
    )
}

/// A run that has read all of this, and kept it.
pub fn counted(text: &str, written: &Offsets) {
    let mut held = Held::ready(text);
    let client = held.client().unwrap();
    until(Duration::from_secs(20), "all is read", || {
        let status: Value = client.get("/v1/status").json();
        let at = |topic: &String, partition: &i32| {
            status["stamp"]["offsets"][topic][partition.to_string()].as_i64()
        };
        let read = |(topic, all): (&String, &std::collections::BTreeMap<i32, i64>)| {
            all.iter().all(|(partition, next)| at(topic, partition) >= Some(*next))
        };
        written.iter().all(read).then_some(())
    });
    // Its last act is a checkpoint.
    assert!(held.terminate(), "{}", held.log());
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn a_topic_made_again_between_two_runs_is_refused_though_its_offsets_would_do() {
    const TOPIC: &str = "made-again-between";
    let (broker, folder) = (shared(), TempDir::new().unwrap());
    let admin = Admin::of(broker.address());
    admin.create(TOPIC, 2, &[]);
    let text = kept_in(broker.address(), &folder, TOPIC, "");
    counted(&text, &Load::new(broker.address(), TOPIC, 2).send(100));
    admin.delete(TOPIC);
    admin.create(TOPIC, 2, &[]);
    Load::new(broker.address(), TOPIC, 2).send(400);
    let mut held = Held::start(&text);
    assert_eq!(held.ends_within(Duration::from_secs(30)), Some(65), "{}", held.log());
    let log = held.log();
    assert!(log.contains(TOPIC) && log.contains("made anew since the checkpoint"), "{log}");
    assert!(log.contains("--start-fresh"), "{log}");
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn records_taken_away_between_two_runs_end_the_next_or_are_named_by_it() {
    const TOPIC: &str = "cut-between";
    let (broker, folder) = (shared(), TempDir::new().unwrap());
    let admin = Admin::of(broker.address());
    admin.create(TOPIC, 1, &[]);
    let mut load = Load::new(broker.address(), TOPIC, 1);
    counted(&kept_in(broker.address(), &folder, TOPIC, ""), &load.send(100));
    load.send(50);
    // What was counted may go.
    admin.delete_records(TOPIC, 0, 90);
    counted(&kept_in(broker.address(), &folder, TOPIC, ""), &load.send(10));
    load.send(40);
    admin.delete_records(TOPIC, 0, 170);
    let mut held = Held::start(&kept_in(broker.address(), &folder, TOPIC, ""));
    assert_eq!(held.ends_within(Duration::from_secs(30)), Some(65), "{}", held.log());
    let told = format!("{TOPIC} 0: 10 records are gone that were not read, offsets 160 to 170");
    assert!(held.log().contains(&told), "{}", held.log());
    let mut held = Held::ready(&kept_in(broker.address(), &folder, TOPIC, "on_gap = \"continue\""));
    let client = held.client().unwrap();
    let status = until(Duration::from_secs(20), "all is read", || {
        let status: Value = client.get("/v1/status").json();
        (status["stamp"]["offsets"][TOPIC]["0"] == 200).then_some(status)
    });
    assert_eq!(status["stamp"]["gaps"], json!({ TOPIC: { "0": [[160, 170]] } }), "{status}");
    assert_eq!(
        (&status["posts"], &status["stamp"]["start_offsets"][TOPIC]["0"]),
        (&json!(190), &json!(0)),
        "{status}"
    );
    assert!(held.terminate());
}
