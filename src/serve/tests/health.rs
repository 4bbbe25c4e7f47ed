//! Health, metrics and the page.

use super::client::{Client, get};
use super::fed::Fed;
use super::server::{Server, served};

#[test]
fn an_engine_that_starts_lives_but_is_not_ready() {
    let fed = Fed::new();
    let server = Server::new(&fed.reader);
    for address in [server.address, server.health] {
        assert_eq!((get(address, "/livez").status, get(address, "/livez?verbose").text()), (200, "ok"));
        let ready = get(address, "/readyz");
        assert_eq!((ready.status, ready.text()), (503, r#"{"ready":false,"reasons":["starting"]}"#));
    }
    fed.feed(1, &[(0, "a")]);
    let ready = get(server.health, "/readyz");
    assert_eq!((ready.status, ready.text()), (200, r#"{"ready":true,"reasons":[]}"#));
}

#[test]
fn the_second_listener_has_nothing_else() {
    let (_fed, server) = served();
    let answer = get(server.health, "/v1/counts/words/top");
    assert_eq!((answer.problem().as_str(), answer.valid().len()), ("unknown_path", 3));
}

#[test]
fn metrics_are_open_metrics() {
    let (_fed, server) = served();
    get(server.address, "/v1/counts/words/terms/secret?window=all");
    get(server.address, "/nothing/here");
    let answer = get(server.address, "/metrics");
    assert!(
        answer.header("content-type").is_some_and(|kind| kind.starts_with("application/openmetrics-text"))
    );
    for line in [
        "tidings_posts_total 5",
        "tidings_late_posts_total 1",
        "tidings_bad_records_total{reason=\"json\"} 0",
        "tidings_epoch_timestamp_seconds 2.0",
        "tidings_clock_timestamp_seconds 1700000105.5",
        "tidings_partition_offset{topic=\"posts\",partition=\"0\"} 13",
        "tidings_partition_end_offset{topic=\"posts\",partition=\"1\"} 10",
        "tidings_partition_lag{topic=\"posts\",partition=\"0\"} 0",
        "tidings_ready 1",
        "tidings_http_requests_total{route=\"/v1/counts/{count}/terms/{term}\",status=\"200\"} 1",
        "tidings_http_requests_total{route=\"other\",status=\"404\"} 1",
        "tidings_http_request_duration_seconds_count{route=\"other\"} 1",
        "tidings_http_panics_total 0",
        concat!("tidings_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        "# EOF",
    ] {
        assert!(answer.text().lines().any(|known| known == line), "{line} in {}", answer.text());
    }
    assert!(!answer.text().contains("secret") && !answer.text().contains("nothing"));
    let names = answer.text().lines().filter_map(|line| line.strip_prefix("# TYPE "));
    for name in names.filter_map(|line| line.split(' ').next()) {
        assert!(answer.text().contains(&format!("# HELP {name} ")), "{name} has no help");
    }
}

#[test]
fn every_answer_has_its_headers() {
    let (_fed, server) = served();
    let mut client = Client::connect(server.address);
    for path in
        ["/v1/status", "/v1/counts", "/nothing", "/livez", "/metrics", "/", "/v1/counts/words/top?k=x"]
    {
        let answer = client.get(path);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert!(answer.header("content-type").is_some() && answer.header("server").is_none(), "{path}");
        let cached = if path == "/" { "no-cache" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), Some(cached), "{path}");
    }
}
