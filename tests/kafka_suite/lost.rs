//! Retention that overtakes a run: it ends and says how much is lost, or goes on and says in every stamp what.
//!
//! Idea: the run is held up by a signal once it has read everything. What is written then is taken away in part, by the
//! request that retention comes down to. So the first and the last lost offset are known.

use std::time::Duration;

use serde_json::{Value, json};

use crate::admin::Admin;
use crate::broker::{Broker, shared};
use crate::held::Held;
use crate::load::{Load, settings, until};
use crate::oracle::Oracle;
use crate::oracle::answers::{Answer, Answered, Asked, Offsets, Question, Top};
use crate::oracle::rules::Record;
use crate::support::broker::{read_back, wall_ms};
use crate::support::client::{Client, bound};

/// What was read before, and the first offset that is there afterwards.
const READ: i64 = 100;
const FIRST: i64 = 170;
const WRITTEN: i64 = 250;

/// A run that has read [`READ`] records of each partition and then lost those up to [`FIRST`] of partition 0; what there
/// was, and what is written.
fn overtaken(broker: &Broker, topic: &str, on_gap: &str) -> (Held, Vec<Record>, Offsets) {
    let admin = Admin::of(broker.address());
    admin.create(topic, 2, &[]);
    let mut load = Load::new(broker.address(), topic, 2);
    let before = load.send(2 * READ as u64);
    let held = Held::ready(&settings(broker.address(), &[topic], &format!("on_gap = \"{on_gap}\"")));
    let client = held.client().unwrap();
    assert_eq!(
        client.get(&format!("/v1/counts/words/top?min_offsets={}&wait_ms=9000", bound(&before))).status,
        200
    );
    held.hold();
    // Longer than a fetch waits, so that none is on its way.
    std::thread::sleep(Duration::from_secs(3));
    let written = load.send(2 * (WRITTEN - READ) as u64);
    let records = read_back(broker.address(), &[topic]);
    admin.delete_records(topic, 0, FIRST);
    held.release();
    (held, records, written)
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn a_gap_ends_the_run_which_says_how_large_it_is() {
    const TOPIC: &str = "overtaken";
    let broker = shared();
    let (mut held, ..) = overtaken(&broker, TOPIC, "stop");
    assert_eq!(held.ends_within(Duration::from_secs(15)), Some(65), "{}", held.log());
    let log = held.log();
    for part in ["overtaken 0: 70 records are gone that were not read, offsets 100 to 170", "on_gap"] {
        assert!(log.contains(part), "{part} is not in: {log}");
    }
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn a_gap_is_in_every_stamp_of_a_run_that_goes_on() {
    const TOPIC: &str = "gone-on";
    let broker = shared();
    let (mut held, records, written) = overtaken(&broker, TOPIC, "continue");
    let (client, config) = (held.client().unwrap(), held.config());
    let lost = |record: &Record| record.partition == 0 && (READ..FIRST).contains(&record.offset);
    let left: Vec<Record> = records.iter().filter(|record| !lost(record)).cloned().collect();
    assert_eq!(records.len() - left.len(), (FIRST - READ) as usize);
    let oracle = Oracle::new(&config, &left, wall_ms());

    let gaps = json!({ TOPIC: { "0": [[READ, FIRST]] } });
    for (count, window) in [("hashtags", "all"), ("words", "all"), ("hashtags", "1m/5s"), ("words", "10s/2s")]
    {
        let (answered, stamped) = top(&client, count, window, &written);
        assert_eq!(stamped, gaps, "{answered:?}");
        oracle.check(&answered);
    }
    let status = until(Duration::from_secs(10), "no lag", || {
        let status: Value = client.get("/v1/status").json();
        let partitions = status["partitions"].as_array().unwrap().clone();
        partitions.iter().all(|partition| partition["lag"] == 0).then_some(status)
    });
    assert_eq!(status["stamp"]["gaps"], gaps, "{status}");
    assert_eq!(status["posts"], 2 * WRITTEN - (FIRST - READ), "{status}");
    assert!(held.log().contains("70"), "the log does not say how many: {}", held.log());
    assert!(held.terminate());
}

/// The whole ranking of a window once these offsets are reached, and the gaps in its stamp.
fn top(client: &Client, count: &str, window: &str, written: &Offsets) -> (Answered, Value) {
    let asked = Asked {
        count: count.to_owned(),
        window: window.to_owned(),
        question: Question::Top { k: 1000 },
        min_offsets: written.clone(),
    };
    let path =
        format!("/v1/counts/{count}/top?window={window}&k=1000&min_offsets={}&wait_ms=20000", bound(written));
    let begun = std::time::Instant::now();
    let mut body: Value = until(Duration::from_secs(25), "an answer", || {
        let response = client.get(&path);
        (response.status == 200).then(|| response.json())
    });
    // The recount is given no record of the gap, and so needs not know of it.
    let gaps = body["stamp"].as_object_mut().unwrap().remove("gaps").unwrap_or(Value::Null);
    let top: Top = serde_json::from_value(body).unwrap();
    let answer = Answer::Top(top);
    (Answered { asked, answer, begun, ended: std::time::Instant::now() }, gaps)
}
