//! Clients that take their time. These tests take as long as the limits that they test.

use std::thread;
use std::time::{Duration, Instant};

use super::client::{Client, get, send};
use super::fed::Fed;
use super::server::{Server, served};

fn is_about_ten_seconds(started: Instant) -> bool {
    (Duration::from_millis(9500)..Duration::from_secs(19)).contains(&started.elapsed())
}

#[test]
fn slow_and_silent_clients_are_let_go() {
    let (_fed, server) = served();
    let address = server.address;
    let ends = |bytes: &'static [u8]| {
        thread::spawn(move || {
            let (started, mut client) = (Instant::now(), Client::connect(address));
            client.send(bytes);
            assert!(client.is_ended() && is_about_ten_seconds(started), "{:?}", started.elapsed());
        })
    };
    let silent = [
        ends(b""),
        ends(b"GET /livez HTTP/1.1\r\nhost: he"),
        ends(b"GET /livez HTTP/1.1\r\nhost: here\r\n\r\n"),
    ];
    let dripping = thread::spawn(move || {
        let (started, mut client) = (Instant::now(), Client::connect(address));
        for byte in b"GET /livez HTTP/1.1\r\nx-long: 12345678901234567890" {
            client.send(&[*byte]);
            thread::sleep(Duration::from_millis(220));
        }
        assert!(client.is_ended() && started.elapsed() < Duration::from_secs(19));
    });
    let started = Instant::now();
    let slow_body =
        send(address, b"POST /v1/counts/words/terms HTTP/1.1\r\ncontent-length: 50\r\n\r\n{\"terms\":");
    assert_eq!((slow_body.status, slow_body.problem().as_str()), (408, "body_timeout"));
    assert!(is_about_ten_seconds(started));
    silent.into_iter().chain([dripping]).for_each(|thread| thread.join().expect("let go"));
}

#[test]
fn a_client_that_never_reads_is_let_go() {
    let fed = Fed::new();
    let tags: Vec<String> = (0..1000).map(|number| format!("#a_rather_long_hashtag_{number}")).collect();
    fed.feed(1, &[(0, &tags.join(" "))]);
    let server = Server::new(&fed.reader);
    let mut client = Client::connect(server.address);
    let request = b"GET /v1/counts/hashtags/terms?limit=1000 HTTP/1.1\r\nhost: here\r\n\r\n";
    client.send(&request.repeat(150));
    let open = || {
        let metrics = get(server.address, "/metrics");
        let line = metrics.text().lines().find_map(|line| line.strip_prefix("tidings_http_connections "));
        line.map(str::to_owned)
    };
    // The one that asks is open as well.
    assert_eq!(open().as_deref(), Some("2"));
    let started = Instant::now();
    while open().as_deref() != Some("1") {
        assert!(started.elapsed() < Duration::from_secs(30), "still open");
        thread::sleep(Duration::from_millis(250));
    }
    assert!(started.elapsed() > Duration::from_secs(5), "not before it stalled");
}
