//! A topic that is not what it was when a run begins again: cut by retention, or made anew under its name.
//!
//! The embedded broker keeps five MiB of a partition and knows no ids of topics; what takes those is in `kafka_suite`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::stage::{PARTITIONS, Stage};
use crate::support::broker::{Embedded, Producer, wall_ms};
use crate::support::hostile::Sent;
use crate::support::process::{Server, said};

/// Writes more into partition 0 than the broker keeps; the first offset that is still there.
fn overtake(stage: &Stage) -> i64 {
    let producer = Producer::new(&stage.broker.brokers(), "none");
    for _ in 0..100 {
        producer.send("posts", 0, &Sent { value: Some(vec![b'x'; 100_000]), timestamp: wall_ms() });
        producer.flush();
    }
    stage.broker.first_offset("posts", 0)
}

/// The status once it is as wanted.
fn until(server: &Server, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let status = server.client().get("/v1/status");
        if status.status == 200 {
            let status = status.json();
            if wanted(&status) {
                return status;
            }
        }
        assert!(Instant::now() < deadline, "not within half a minute: {}", server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn records_that_are_gone_since_the_checkpoint_end_the_start_or_are_named() {
    let mut stage = Stage::new(71);
    let server = stage.start(2);
    stage.work(&server, 2);
    let written = stage.produce(20);
    stage.kept(&server, &written);
    server.kill();
    let next = written["posts"][&0];
    // Exact as long as all is there.
    stage.recount();
    let first = overtake(&stage);
    assert!(first > next, "nothing was lost, the first is {first}");
    let (code, why) = stage.refused(&stage.settings(1));
    assert_eq!(code, 65, "{why}");
    let told =
        format!("posts 0: {} records are gone that were not read, offsets {next} to {first}", first - next);
    assert!(why.contains(&told) && why.contains("kafka.on_gap = \"continue\""), "{why}");
    // The checkpoint stands as it stood.
    let verified = stage.look(&["verify"]);
    assert!(verified.status.success(), "{}", said(&verified));
    let settings =
        stage.settings(2).replace("start = \"earliest\"", "start = \"earliest\"\non_gap = \"continue\"");
    for _ in 0..2 {
        let server = stage.start_with(&settings, &[]);
        let gap = json!({ "posts": { "0": [[next, first]] } });
        let status = until(&server, |status| status["stamp"]["gaps"] == gap);
        assert_eq!(status["stamp"]["start_offsets"]["posts"]["0"], 0, "{status}");
        // Once in a checkpoint, it is named after the next start as well.
        let reached = status["stamp"]["epoch"].as_u64();
        until(&server, |status| status["checkpoint"]["last"]["epoch"].as_u64() >= reached);
        server.kill();
    }
}

#[test]
fn a_topic_that_is_shorter_than_what_was_counted_is_another() {
    let mut stage = Stage::new(72);
    let server = stage.start(1);
    stage.work(&server, 2);
    let written = stage.produce(20);
    stage.kept(&server, &written);
    server.kill();
    stage.recount();
    // The same name, and nothing in it.
    stage.broker = Embedded::start(&[("posts", PARTITIONS)]);
    let (code, why) = stage.refused(&stage.settings(1));
    assert_eq!(code, 65, "{why}");
    assert!(why.contains("ends at offset 0") && why.contains("made anew"), "{why}");
    // Fewer partitions than were counted.
    stage.broker = Embedded::start(&[("posts", PARTITIONS - 1)]);
    let (code, why) = stage.refused(&stage.settings(1));
    assert_eq!(code, 65, "{why}");
    assert!(why.contains("has no partition 2 any more"), "{why}");
    // Another topic than was counted.
    stage.broker = Embedded::start(&[("others", 1)]);
    let settings = stage.settings(1).replace("start = ", "topics = [\"others\"]\nstart = ");
    let (code, why) = stage.refused(&settings);
    assert_eq!(code, 78, "{why}");
    assert!(why.contains("\"posts\"") && why.contains("not among kafka.topics"), "{why}");
    // What was counted is left alone; it takes a word to begin anew.
    stage.broker = Embedded::start(&[("posts", PARTITIONS)]);
    let server = stage.start_fresh(1);
    let status = until(&server, |status| status["stamp"]["epoch"].is_u64());
    assert_eq!(status["posts"], 0, "{status}");
}
