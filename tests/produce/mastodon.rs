//! A Mastodon server's streams: server-sent events with heartbeats, and what is no new post.

use std::time::Duration;

use serde_json::json;

use crate::producing::Producing;
use crate::servers::{Answer, Server};
use crate::support::broker::{Embedded, wall_ms};
use crate::written::{awaits, keys};
use crate::x::CANARY;

/// A status of this number, as a server writes it.
pub fn status(number: u32) -> String {
    let now = jiff::Timestamp::from_millisecond(wall_ms()).unwrap();
    json!({
        "id": number.to_string(), "uri": id(number), "created_at": format!("{now:.3}"), "language": "en", "visibility": "public",
        "content": "<p>hi <a href=\"https://m.s/tags/rust\" class=\"mention hashtag\" rel=\"tag\">#<span>Rust</span></a></p>",
        "reblog": null, "account": { "id": "1", "acct": "ann@m.s", "bot": false }, "mentions": [],
        "tags": [{ "name": "rust", "url": "https://m.s/tags/rust" }],
    })
    .to_string()
}

pub fn id(number: u32) -> String {
    format!("https://m.s/users/ann/statuses/{number}")
}

fn event(answer: &mut Answer, name: &str, data: &str) {
    answer.piece(&format!("event: {name}\ndata: {data}\n\n"));
}

fn start(broker: &Embedded, server: &Server, more: &[&str]) -> Producing {
    let (brokers, url) = (broker.brokers(), server.url("http"));
    let arguments = ["mastodon", "--brokers", &brokers, "--topic", "posts", "--url", &url];
    Producing::start(&[arguments.as_slice(), more].concat(), &[("TIDINGS_MASTODON_TOKEN", CANARY)])
}

#[test]
fn new_posts_arrive_once_and_what_may_be_missing_is_said() {
    let broker = Embedded::start(&[("posts", 2)]);
    let server = Server::http(|connection, _, answer| {
        answer.stream("text/event-stream");
        answer.piece(":)\n");
        match connection {
            0 => {
                event(answer, "update", &status(1));
                answer.piece(":thump\n\n");
                event(answer, "update", &status(1));
                event(answer, "status.update", &status(1));
                event(answer, "delete", "106692867363994015");
                event(answer, "update", "{garbage");
                event(answer, "update", &"x".repeat(2 << 20));
                let whole = format!("event: update\ndata: {}\n\n", status(2));
                answer.piece(&whole[..70]);
                answer.piece(&whole[70..]);
            }
            _ => {
                event(answer, "update", &status(3));
                answer.hold();
            }
        }
    });
    let mut producing = start(&broker, &server, &[]);
    producing.says("connected to http://", 2);
    let records = awaits(&broker.brokers(), "posts", 3);
    let ended = producing.stop();
    let said = ended.well();
    assert_eq!(keys(&records), [1, 2, 3].map(id));
    for record in &records {
        assert_eq!(
            (&*record.headers["source"], &record.headers["id"]),
            ("mastodon", record.key.as_ref().unwrap())
        );
        assert!((wall_ms() - record.time_ms).abs() < 60_000 && record.value.starts_with('{'));
    }
    for part in
        ["1 duplicates", "2 other messages", "2 unreadable", "may be missing, as the server keeps none"]
    {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    let request = &server.requests()[0];
    assert_eq!(request.path, "/api/v1/streaming/public");
    assert_eq!(request.headers["authorization"], format!("Bearer {CANARY}"));
    assert!(!said.contains(CANARY), "{said}");
}

#[test]
fn several_hashtags_are_several_streams_and_one_post_in_two_of_them_is_one() {
    let broker = Embedded::start(&[("posts", 1)]);
    let server = Server::http(|_, request, answer| {
        answer.stream("text/event-stream");
        let number = if request.path.ends_with("tag=rust") { 1 } else { 2 };
        event(answer, "update", &status(number));
        event(answer, "update", &status(3));
        answer.hold();
    });
    let mut producing = start(&broker, &server, &["--tag", "#rust", "--tag", "kafka", "--timeline", "local"]);
    producing.says("connected to http://", 2);
    let records = awaits(&broker.brokers(), "posts", 3);
    // The one that comes twice may be on its way still.
    std::thread::sleep(Duration::from_secs(3));
    let ended = producing.stop();
    assert!(ended.well().contains("3 posts, ") && ended.said.contains("1 duplicates"), "{}", ended.said);
    assert_eq!(keys(&records), [1, 2, 3].map(id));
    let mut paths: Vec<String> = server.requests().into_iter().map(|request| request.path).collect();
    paths.sort();
    assert_eq!(paths, ["kafka", "rust"].map(|tag| format!("/api/v1/streaming/hashtag/local?tag={tag}")));
}

#[test]
fn limits_failures_and_silence_are_waited_for() {
    let broker = Embedded::start(&[("posts", 1)]);
    let server = Server::http(|connection, _, answer| match connection {
        0 => {
            let reset = jiff::Timestamp::from_millisecond(wall_ms() + 1500).unwrap().to_string();
            answer.whole(
                "429 Too Many Requests",
                &[("X-RateLimit-Reset", &reset)],
                br#"{"error":"Too many requests"}"#,
            );
        }
        1 => {
            answer.stream("text/event-stream");
            answer.hold();
        }
        2 => {
            answer.stream("text/event-stream");
            for _ in 0..20 {
                answer.piece(":thump\n\n");
                std::thread::sleep(Duration::from_millis(300));
            }
        }
        _ => answer.whole("503 Service Unavailable", &[], b""),
    });
    let mut producing = start(&broker, &server, &["--silence", "4s"]);
    producing.says("429 Too Many Requests: Too many requests; again in 1", 1);
    producing.says("silent for 4s", 1);
    producing.says("503 Service Unavailable; again in 5 s", 1);
    let said = producing.said();
    assert_eq!(said.matches("silent for").count(), 1, "heartbeats are not silence: {said}");
    producing.stop().well();
    let requests = server.requests();
    assert!(requests[1].at - requests[0].at >= Duration::from_secs(1));
}

#[test]
fn a_token_that_is_refused_ends_it() {
    let broker = Embedded::start(&[("posts", 1)]);
    let server = Server::http(|_, request, answer| {
        let body =
            json!({ "error": format!("Missing access token, not {}", request.headers["authorization"]) });
        answer.whole("401 Unauthorized", &[], body.to_string().as_bytes());
    });
    let ended = start(&broker, &server, &[]).ended();
    let said = ended.badly(78);
    assert!(said.contains("Missing access token") && !said.contains(CANARY), "{said}");
    assert!(Producing::start(&["mastodon"], &[]).ended().badly(78).contains("TIDINGS_MASTODON_TOKEN"));
}
