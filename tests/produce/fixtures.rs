//! Real events of a Jetstream and real posts, through local servers and files into a broker.

use std::fs;

use crate::producing::Producing;
use crate::servers::{Server, hold, texts};
use crate::support::broker::Embedded;
use crate::written::{awaits, written};

fn shared(path: &str) -> String {
    format!("{}/../shared/data/{path}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
#[ignore = "reads real events in ../shared/data; .ci/run runs it"]
fn the_posts_of_real_events_are_sent_and_nothing_else() {
    let events: Vec<String> = ["jetstream/expected_v1.jsonl", "jetstream/golden_v1.jsonl"]
        .iter()
        .flat_map(|file| {
            fs::read_to_string(shared(file)).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let is_post = |event: &&String| {
        let event: serde_json::Value = serde_json::from_str(event).unwrap();
        event["commit"]["collection"] == "app.bsky.feed.post" && event["commit"]["operation"] == "create"
    };
    let posts: Vec<String> = events.iter().filter(is_post).cloned().collect();
    assert!(posts.len() >= 17, "{}", posts.len());
    let broker = Embedded::start(&[("posts", 2)]);
    let server = Server::websocket(
        |_, _| None,
        move |_, socket| {
            texts(socket, &events);
            hold(socket);
        },
    );
    let (brokers, url) = (broker.brokers(), server.url("ws"));
    let arguments = ["bluesky", "--brokers", &brokers, "--topic", "posts", "--url", &url];
    let producing = Producing::start(&arguments, &[]);
    let mut sent: Vec<String> =
        awaits(&brokers, "posts", posts.len()).into_iter().map(|record| record.value).collect();
    producing.stop().well();
    let mut posts = posts;
    posts.sort();
    sent.sort();
    assert_eq!(sent, posts);
}

#[test]
#[ignore = "reads real posts in ../shared/data; .ci/run runs it"]
fn a_table_of_real_posts_is_sent_whole() {
    let broker = Embedded::start(&[("posts", 4)]);
    let brokers = broker.brokers();
    let file = shared("posts/mayweather-mcgregor.csv");
    let arguments = ["file", &file, "--brokers", &brokers, "--topic", "posts"];
    Producing::start(&arguments, &[]).ended().well();
    let records = written(&brokers, "posts");
    let rows = csv::Reader::from_path(&file).unwrap().into_records().count();
    assert_eq!(records.len(), rows);
    let evening = 1_503_792_000_000..1_503_900_000_000_i64;
    assert!(records.iter().all(|record| record.key.is_some() && evening.contains(&record.time_ms)));
}
