//! What is refused, and what is said to be valid instead.

use super::client::{get, post, send};
use super::server::served;

#[test]
fn each_mistake_has_its_problem() {
    let (_fed, server) = served();
    let long = "a".repeat(7000);
    for (path, status, problem, first_valid) in [
        ("/v2/counts", 404, "unknown_path", "/v1/status"),
        ("/v1/counts/", 404, "unknown_path", "/v1/status"),
        ("/v1/events?counts=hashtag", 404, "unknown_count", "hashtags"),
        ("/v1/events?counts=", 404, "unknown_count", "hashtags"),
        ("/v1/events?counts=hashtags,", 404, "unknown_count", "hashtags"),
        ("/v1/events?counts=words,words", 400, "bad_parameter", ""),
        ("/v1/events?window=2m", 400, "unknown_window", "1m"),
        ("/v1/events?k=1001", 400, "bad_parameter", "a whole number from 1 to 1000"),
        ("/v1/events?count=words", 400, "unknown_parameter", "counts"),
        ("//", 404, "unknown_path", "/v1/status"),
        ("/v1/counts/hashtag/top", 404, "unknown_count", "hashtags"),
        ("/v1/counts/%F0%9F%99%82/terms", 404, "unknown_count", "hashtags"),
        ("/v1/counts/hashtags/top?window=2m", 400, "unknown_window", "1m"),
        ("/v1/counts/hashtags/top?window=", 400, "unknown_window", "1m"),
        ("/v1/counts/hashtags/top?window=5m%2F1s", 400, "unknown_window", "1m"),
        ("/v1/counts/hashtags/top?windw=5m", 400, "unknown_parameter", "window"),
        ("/v1/counts/hashtags/top?limit=5", 400, "unknown_parameter", ""),
        ("/v1/counts?x", 400, "unknown_parameter", ""),
        ("/v1/counts/hashtags/top?k=0", 400, "bad_parameter", "a whole number from 1 to 1000"),
        ("/v1/counts/hashtags/top?k=1001", 400, "bad_parameter", "a whole number from 1 to 1000"),
        ("/v1/counts/hashtags/top?k=-1", 400, "bad_parameter", ""),
        ("/v1/counts/hashtags/top?k", 400, "bad_parameter", ""),
        ("/v1/counts/hashtags/top?k=99999999999999999999999", 400, "bad_parameter", ""),
        ("/v1/counts/hashtags/top?k=1&k=2", 400, "bad_parameter", ""),
        ("/v1/counts/hashtags/top?k=%zz", 400, "bad_parameter", ""),
        ("/v1/counts/hashtags/top?k=%ff", 400, "bad_parameter", ""),
        ("/v1/counts/hashtags/terms?limit=1001", 400, "bad_parameter", "a whole number from 1 to 1000"),
        ("/v1/counts/hashtags/terms?prefix=%c3", 400, "bad_parameter", ""),
        ("/v1/counts/hashtags/top?wait_ms=30001", 400, "bad_parameter", "a whole number from 0 to 30000"),
        ("/v1/counts/hashtags/top?min_epoch=x", 400, "bad_parameter", ""),
        ("/v1/counts/hashtags/top?min_offsets=posts:0", 400, "bad_parameter", ""),
        ("/v1/counts/hashtags/top?min_offsets=posts:2:5", 400, "bad_parameter", "posts:0"),
        ("/v1/status?min_offsets=post:0:5", 400, "bad_parameter", "posts:0"),
        ("/v1/counts/hashtags/terms/", 400, "bad_term", ""),
        ("/v1/counts/hashtags/terms/%23", 400, "bad_term", ""),
        ("/v1/counts/phrases/terms/%20", 400, "bad_term", ""),
        ("/v1/counts/hashtags/terms/%zz", 400, "bad_path", ""),
        ("/v1/counts/hashtags/terms/100%", 400, "bad_path", ""),
        ("/v1/counts/hashtags/terms/%ff", 400, "bad_path", ""),
        ("/v1/counts/%ff/top", 400, "bad_path", ""),
        ("/v1/counts/hashtags/terms//series?window=1m", 400, "bad_term", ""),
        ("/v1/counts/hashtags/terms/a/series?window=all", 400, "unknown_window", "1m"),
    ] {
        let answer = get(server.address, path);
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (status, problem),
            "{path}: {}",
            answer.text()
        );
        if !first_valid.is_empty() {
            assert_eq!(
                answer.valid().first().map(String::as_str),
                Some(first_valid),
                "{path}: {}",
                answer.text()
            );
        }
        let long = get(
            server.address,
            &path.replace("hashtag/", &format!("{long}/")).replace("=2m", &format!("={long}")),
        );
        assert!(long.body.len() < 2000, "{}", long.text());
    }
}

#[test]
fn each_path_takes_its_methods_only() {
    let (_fed, server) = served();
    for (method, path, allow) in [
        ("POST", "/v1/counts/hashtags/top", "get, head"),
        ("OPTIONS", "/v1/counts/hashtags/terms", "get, head, post"),
        ("DELETE", "/livez", "get, head"),
        ("PATCH", "/", "get, head"),
        ("BREW", "/v1/status", "get, head"),
        ("get", "/v1/status", "get, head"),
    ] {
        let request = format!("{method} {path} HTTP/1.1\r\nhost: here\r\ncontent-length: 0\r\n\r\n");
        let answer = send(server.address, request.as_bytes());
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allow)), "{method} {path}");
        assert_eq!(answer.problem(), "method_not_allowed");
    }
}

#[test]
fn a_body_must_be_what_is_asked_for() {
    let (_fed, server) = served();
    let too_many = serde_json::json!({"terms": vec!["a"; 1001]}).to_string();
    let too_large = serde_json::json!({"terms": ["a".repeat(256 << 10)]}).to_string();
    let far_too_large = vec![b'x'; 3 << 20];
    let unknown = format!("{{\"{}\":1}}", "x".repeat(100_000));
    for (body, status, problem) in [
        (&b""[..], 400, "bad_body"),
        (b"not json", 400, "bad_body"),
        (b"{\"terms\":5}", 400, "bad_body"),
        (b"{\"terms\":[\"\xff\"]}", 400, "bad_body"),
        (&b"[".repeat(200_000), 400, "bad_body"),
        (unknown.as_bytes(), 400, "bad_body"),
        (too_many.as_bytes(), 400, "bad_body"),
        (b"{\"terms\":[\"a\",\"#\"]}", 400, "bad_term"),
        (b"{\"terms\":[\"a\"],\"window\":\"2m\"}", 400, "unknown_window"),
        (too_large.as_bytes(), 413, "body_too_large"),
        (&far_too_large, 413, "body_too_large"),
    ] {
        let answer = post(server.address, "/v1/counts/hashtags/terms", body);
        assert_eq!((answer.status, answer.problem().as_str()), (status, problem), "{}", answer.text());
        assert!(answer.body.len() < 2000, "{}", answer.text());
    }
    assert_eq!(post(server.address, "/v1/counts/none/terms", b"{\"terms\":[]}").problem(), "unknown_count");
    assert_eq!(post(server.address, "/v1/counts/words/terms?window=1m", b"").problem(), "unknown_parameter");
}
