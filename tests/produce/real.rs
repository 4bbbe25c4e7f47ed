//! From each source through a real Kafka to an answer of the engine.

use crate::bluesky::{now_us, post as skeet};
use crate::mastodon::status;
use crate::producing::Producing;
use crate::servers::{Server, hold, texts};
use crate::support::kafka::Kafka;
use crate::support::process::Server as Engine;
use crate::x::{CANARY, api, post as x_post};

/// Sends with these arguments until so many posts are there, while an engine counts; the hashtag is in each of them.
fn counts_to(kafka: &Kafka, topic: &str, arguments: &[&str], number: u64) {
    let text = format!(
        "[kafka]\nbrokers = \"{}\"\ntopics = [\"{topic}\"]\nstart = \"earliest\"\n[engine]\nepoch = \"50ms\"\n",
        kafka.brokers()
    );
    let target = ["--brokers", kafka.brokers(), "--topic", topic, "--partitions", "3"];
    let variables = [("TIDINGS_X_TOKEN", CANARY), ("TIDINGS_MASTODON_TOKEN", CANARY)];
    let mut producing = Producing::start(&[arguments, &target].concat(), &variables);
    producing.says(&format!("topic {topic} has been made, with 3 partitions"), 1);
    let engine = Engine::run(&text).ready();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let answer = engine.client().get("/v1/counts/hashtags/terms/rust?window=all");
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        if body["count"] == number {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{body}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let ended = if arguments[0] == "file" { producing.ended() } else { producing.stop() };
    ended.well();
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn every_source_reaches_an_answer() {
    let kafka = Kafka::start();
    let bluesky = Server::websocket(
        |_, _| None,
        |_, socket| {
            texts(socket, &(0..50).map(|number| skeet(number, now_us())).collect::<Vec<_>>());
            hold(socket);
        },
    );
    counts_to(&kafka, "bluesky", &["bluesky", "--url", &bluesky.url("ws")], 50);
    let x = api(|_, _, answer| {
        answer.stream("application/json");
        for number in 0..40 {
            answer.piece(&format!("{}\r\n", x_post(number)));
        }
        answer.hold();
    });
    counts_to(&kafka, "x", &["x", "--url", &x.url("http"), "--track", "rust"], 40);
    let mastodon = Server::http(|_, _, answer| {
        answer.stream("text/event-stream");
        for number in 0..30 {
            answer.piece(&format!("event: update\ndata: {}\n\n", status(number)));
        }
        answer.hold();
    });
    counts_to(&kafka, "mastodon", &["mastodon", "--url", &mastodon.url("http")], 30);
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("posts.csv");
    let rows: String = (0..20).map(|number| format!("{number},hi #Rust\n")).collect();
    std::fs::write(&file, format!("id,text\n{rows}")).unwrap();
    counts_to(&kafka, "file", &["file", file.to_str().unwrap()], 20);
}
