//! Settings that change between two runs: what goes on, what begins now, and what says so.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;
use tidings::checkpoint::Manifest;

use crate::oracle::answers::{Answered, Offsets, Stamp};
use crate::stage::Stage;
use crate::support::process::Server;
use crate::support::sse::Events;

/// The first offsets that a window's stamps name.
fn starts(server: &Server, count: &str, window: &str) -> Offsets {
    let top: Value = server.client().get(&format!("/v1/counts/{count}/top?window={window}")).json();
    serde_json::from_value(top["stamp"]["start_offsets"].clone()).unwrap()
}

/// The offsets up to which the newest checkpoint counts.
fn counted(stage: &Stage) -> Offsets {
    let newest = newest(stage);
    let next = |topic: &tidings::checkpoint::manifest::Topic| {
        topic.partitions.iter().map(|partition| (partition.partition, partition.next)).collect()
    };
    newest.topics.iter().map(|topic| (topic.name.clone(), next(topic))).collect()
}

fn newest_file(stage: &Stage) -> std::path::PathBuf {
    let entries = fs::read_dir(stage.kept_in().join("manifests")).unwrap();
    entries.map(|entry| entry.unwrap().path()).max().unwrap()
}

fn newest(stage: &Stage) -> Manifest {
    Manifest::decode("newest", &fs::read(newest_file(stage)).unwrap()).unwrap()
}

/// A run that has counted something, all of which is kept; it is killed.
fn counted_something(stage: &mut Stage) {
    let server = stage.start(2);
    stage.work(&server, 4);
    let written = stage.produce(40);
    stage.kept(&server, &written);
    server.kill();
}

#[test]
fn a_count_that_is_added_begins_now_and_one_that_is_gone_is_dropped() {
    let mut stage = Stage::new(61);
    counted_something(&mut stage);
    let before = counted(&stage);
    let words = stage.counts.split_once("[[count]]\nname = \"words\"").unwrap().1.to_owned();
    let (tags, added) = (
        stage.counts.split_once("[[count]]\nname = \"words\"").unwrap().0.to_owned(),
        "[[count]]\nname = \"shouted\"\nof = \"emoji\"\nwindows = [\"2s/500ms\", \"all\"]\n",
    );
    // Written meanwhile, and so counted by all.
    stage.produce(30);
    stage.counts = format!("{tags}{added}");
    for workers in [1, 3] {
        let server = stage.start(workers);
        stage.work(&server, 3);
        assert_eq!(starts(&server, "shouted", "all"), before, "where the checkpoint ended");
        assert!(starts(&server, "tags", "all") != before);
        let written = stage.produce(10);
        stage.kept(&server, &written);
        server.kill();
    }
    assert!(newest(&stage).counts.iter().all(|count| count.name != "words"));
    // What was dropped begins anew when it comes back.
    stage.counts = format!("{tags}{added}[[count]]\nname = \"words\"{words}");
    let again = counted(&stage);
    let server = stage.start(2);
    stage.work(&server, 2);
    assert_eq!((starts(&server, "words", "3s/1s"), starts(&server, "shouted", "all")), (again, before));
    stage.recount();
}

#[test]
fn a_window_that_reaches_further_back_begins_now_and_the_others_go_on() {
    let mut stage = Stage::new(62);
    // Shown as they are spelled, by posts without a usable time too: so what is shown does not depend on other windows.
    stage.counts += "[[count]]\nname = \"names\"\nof = \"hashtags\"\nwindows = [\"3s/1s\"]\n";
    counted_something(&mut stage);
    let (first, whole) =
        (counted(&stage), Offsets::from([("posts".to_owned(), [(0, 0), (1, 0), (2, 0)].into())]));
    stage.produce(30);
    stage.counts = stage.counts.replace("\"3s/1s\"]", "\"3s/1s\", \"30s/5s\", \"all\"]");
    for workers in [3, 2] {
        let server = stage.start(workers);
        stage.work(&server, 4);
        for (count, window) in [("words", "30s/5s"), ("words", "all")] {
            assert_eq!(starts(&server, count, window), first, "{count} {window}");
        }
        for (count, window) in [("words", "3s/1s"), ("words", "1s/200ms"), ("tags", "1m"), ("tags", "all")] {
            assert_eq!(starts(&server, count, window), whole, "{count} {window}");
        }
        // The stamp of several says of the one that began later when it did.
        let mut events = Events::open(server.address(), "counts=tags,words&window=all");
        let event = events.next().unwrap();
        let of = |value: &Value| serde_json::from_value::<Offsets>(value.clone()).unwrap();
        assert_eq!(of(&event.data["stamp"]["start_offsets"]), whole, "{event:?}");
        assert_eq!(of(&event.data["counts"]["words"]["start_offsets"]), first, "{event:?}");
        assert_eq!(event.data["counts"]["tags"]["start_offsets"], Value::Null, "{event:?}");
        let written = stage.produce(10);
        stage.kept(&server, &written);
        server.kill();
    }
    // One more, later still; and the count is on three sheets.
    let second = counted(&stage);
    stage.counts = stage.counts.replace("\"30s/5s\"", "\"30s/5s\", \"1h/5s\"");
    let mut server = stage.start(1);
    stage.work(&server, 3);
    assert_eq!((starts(&server, "words", "1h/5s"), starts(&server, "words", "all")), (second, first));
    assert!(server.terminate().0.success());
    let names = newest(&stage).counts.into_iter().filter(|count| count.name == "words").count();
    assert_eq!(names, 3);
    let exported = stage.look(&["export"]);
    assert!(exported.status.success());
    stage.recount();
}

#[test]
fn rules_that_have_changed_are_said_for_as_long_as_they_matter() {
    let mut stage = Stage::new(63);
    counted_something(&mut stage);
    // As a version with another Unicode would have written it.
    let file = newest_file(&stage);
    let manifest = Manifest { rules: "Unicode 1.1".to_owned(), ..newest(&stage) };
    let newest_ms = manifest.newest.unwrap() as i64;
    fs::write(&file, manifest.encode().unwrap()).unwrap();
    let said = |answers: &[Answered]| {
        let stamps: Vec<Stamp> = answers.iter().map(|answered| answered.answer.stamp().clone()).collect();
        let of_windows = stamps.into_iter().filter(|stamp| stamp.window.is_some());
        let mut said = BTreeSet::new();
        for stamp in of_windows {
            // Nothing that came before the change lies in a window that begins after the newest of it.
            let may = stamp.from.is_none_or(|from| from.0 <= newest_ms);
            assert_eq!(stamp.rules_changed, may, "{stamp:?}");
            said.insert(stamp.rules_changed);
        }
        said
    };
    let mut seen = BTreeSet::new();
    for workers in [2, 1] {
        let server = stage.start(workers);
        assert!(workers == 1 || server.log().contains("taken apart by other rules"), "{}", server.log());
        let (config, deadline) = (server.config(), Instant::now() + Duration::from_secs(60));
        loop {
            let answers = Stage::asker(&server, &config, 3).ask_everything(&Offsets::new());
            seen.append(&mut said(&answers));
            // Some posts are ten seconds ahead, and the smallest windows have to leave them behind.
            if seen.len() == 2 {
                break;
            }
            assert!(Instant::now() < deadline, "it is said, or not said, of all windows: {seen:?}");
            stage.produce(10);
            std::thread::sleep(Duration::from_millis(700));
        }
        stage.work(&server, 1);
        let written = stage.produce(10);
        stage.kept(&server, &written);
        server.kill();
    }
    stage.recount();
}
