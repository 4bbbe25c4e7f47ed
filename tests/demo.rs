//! The demonstration: one command, and there are trends to be seen.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod oracle;
mod support;

use std::time::{Duration, Instant};

use oracle::answers::{Status, Top};
use support::process::{Server, Settings};

/// A demonstration that has trends, and how long after its start.
fn trends() -> (Server, Duration) {
    let begun = Instant::now();
    let server =
        Server::start(Settings::new(""), &["demo", "--bind", "127.0.0.1:0", "--rate", "500", "-w", "2"]);
    let client = server.client();
    let mut shown = Vec::new();
    while shown.len() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(30), "only these have trends: {shown:?}");
        let has_trends = |count: &&str| {
            let response = client.get(&format!("/v1/counts/{count}/top?window=1m&k=5"));
            response.status == 200 && response.json::<Top>().top.len() == 5
        };
        shown = ["hashtags", "words"].into_iter().filter(has_trends).collect();
        std::thread::sleep(Duration::from_millis(50));
    }
    let took = begun.elapsed();
    println!("trends after {took:?}");
    (server, took)
}

#[test]
fn top_hashtags_and_words_within_five_seconds_of_the_start() {
    // A busy machine may hold up one start or two.
    let in_time = (0..3).map(|_| trends()).find(|(_, took)| *took < Duration::from_secs(5));
    let (mut server, _) = in_time.expect("none of three has trends within five seconds");
    let client = server.client();
    let page = client.get("/");
    let html = String::from_utf8(page.body).unwrap();
    assert_eq!(page.status, 200);
    assert!(
        page.content_type.starts_with("text/html") && html.to_lowercase().starts_with("<!doctype html>"),
        "{html}"
    );
    for (part, content_type) in [("/page/main.js", "javascript"), ("/page/page.css", "text/css")] {
        let response = client.get(part);
        assert!(
            response.status == 200 && response.content_type.contains(content_type),
            "{part}: {}",
            response.content_type
        );
    }
    assert!(server.log().contains("Ctrl-C stops"), "{}", server.log());
    let (status, took) = server.terminate();
    assert!(status.success() && took < Duration::from_secs(25), "{status} after {took:?}");
}

#[test]
fn with_a_rate_of_0_nothing_is_sent() {
    let mut server =
        Server::start(Settings::new(""), &["demo", "--bind", "127.0.0.1:0", "--rate", "0"]).ready();
    std::thread::sleep(Duration::from_secs(1));
    let status: Status = server.client().get("/v1/status").json();
    assert_eq!((status.posts, status.bad.len()), (0, 0));
    assert!(server.terminate().0.success());
}
