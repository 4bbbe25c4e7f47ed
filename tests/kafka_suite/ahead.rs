//! Posts of times that a topic does not take.

use serde_json::json;

use crate::broker::shared;
use crate::support::broker::{read_back, wall_ms};
use crate::support::process::{run, said};

const POSTS: i64 = 1000;

/// A broker takes no record that is more than an hour ahead, nor any that comes in one batch with it.
#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn one_post_of_tomorrow_takes_no_other_along() {
    const TOPIC: &str = "ahead";
    let broker = shared();
    let day = 86_400_000;
    let line = |number: i64| {
        let time = wall_ms() + if number == POSTS / 2 { day } else { 0 };
        json!({ "id_str": number.to_string(), "text": "a", "timestamp_ms": time.to_string() }).to_string()
    };
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("posts.jsonl");
    std::fs::write(&file, (0..POSTS).map(line).collect::<Vec<_>>().join("\n")).unwrap();
    let file = file.to_str().unwrap();
    // It makes the topic, as brokers do by default.
    let output =
        run(&["produce", "file", file, "--brokers", broker.address(), "--topic", TOPIC, "--partitions", "1"]);
    let said = said(&output);
    assert!(said.contains("message.timestamp.after.max.ms=3600000"), "{said}");
    assert!(!output.status.success() && said.contains("1 of 1000 records were not delivered"), "{said}");
    assert_eq!(read_back(broker.address(), &[TOPIC]).len() as i64, POSTS - 1);
}
