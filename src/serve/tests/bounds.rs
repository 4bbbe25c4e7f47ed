//! Bounds: what is waited for, and what is said when it does not come.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::client::{get, offsets_of};
use super::fed::Fed;
use super::server::{Server, served};

#[test]
fn before_anything_is_counted_reads_are_refused() {
    let fed = Fed::new();
    let server = Server::new(&fed.reader);
    for path in ["/v1/status", "/v1/counts/words/top", "/v1/counts/words/terms", "/v1/counts/words/terms/a"] {
        let answer = get(server.address, path);
        assert_eq!((answer.status, answer.problem().as_str()), (503, "starting"), "{path}");
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(answer.json()["reasons"], serde_json::json!(["starting"]));
    }
    assert_eq!(get(server.address, "/v1/counts").status, 200);
}

#[test]
fn the_first_results_can_be_waited_for() {
    let fed = Arc::new(Fed::new());
    let server = Server::new(&fed.reader);
    fed.feed_later(Duration::from_millis(100), 7, &[(0, "#a")]);
    let answer = get(server.address, "/v1/counts/hashtags/terms/a?wait_ms=20000");
    assert_eq!((answer.status, answer.json()["count"].as_i64()), (200, Some(1)));
}

#[test]
fn what_is_met_is_answered_at_once() {
    let (_fed, server) = served();
    for bound in
        ["min_epoch=2000", "min_epoch=0", "min_offsets=posts:0:13,posts:1:12", "min_offsets=posts:1:0"]
    {
        assert_eq!(get(server.address, &format!("/v1/counts/words/top?{bound}")).status, 200, "{bound}");
    }
}

#[test]
fn what_is_not_met_is_answered_with_what_was_reached() {
    let (_fed, server) = served();
    for bound in ["min_epoch=2001", "min_offsets=posts:0:14", "min_offsets=posts:0:13,posts:1:13"] {
        let started = Instant::now();
        let answer = get(server.address, &format!("/v1/counts/words/top?{bound}&wait_ms=150"));
        assert!(started.elapsed() >= Duration::from_millis(150), "{bound}");
        assert_eq!((answer.status, answer.problem().as_str()), (503, "not_up_to_bound"), "{bound}");
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(answer.json()["stamp"]["epoch"], 2000);
        assert_eq!(offsets_of(&answer.json()).values().sum::<i64>(), 25);
    }
}

#[test]
fn what_comes_in_time_is_waited_for() {
    let (fed, server) = served();
    fed.feed_later(Duration::from_millis(100), 3000, &[(66_000, "#rust"), (66_000, "#rust")]);
    let path = "/v1/counts/hashtags/terms/rust?window=all&wait_ms=20000&min_offsets=posts:0:14,posts:1:13";
    let answer = get(server.address, path).json();
    assert_eq!((answer["count"].as_i64(), answer["stamp"]["epoch"].as_i64()), (Some(6), Some(3000)));
}
