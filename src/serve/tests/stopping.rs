//! What happens to connections when the server is told to stop.

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use super::client::{Client, get};
use super::server::served;

#[test]
fn requests_in_hand_are_answered_and_idle_connections_end() {
    let (_fed, mut server) = served();
    let mut idle = Client::connect(server.address);
    assert_eq!(idle.get("/livez").status, 200);
    let mut waiting = Client::connect(server.address);
    waiting.send(b"GET /v1/counts/words/top?min_epoch=9999999&wait_ms=30000 HTTP/1.1\r\nhost: here\r\n\r\n");
    // Until the server has read it.
    thread::sleep(Duration::from_secs(1));
    let started = Instant::now();
    server.stop();
    let answer = waiting.answer(false).expect("an answer");
    assert_eq!((answer.status, answer.problem().as_str()), (503, "draining"));
    assert!(idle.is_ended() && waiting.is_ended());
    server.join();
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert!(TcpStream::connect(server.address).is_err() && TcpStream::connect(server.health).is_err());
}

#[test]
fn a_client_that_hangs_is_cut_off_while_health_goes_on() {
    let (_fed, mut server) = served();
    let mut hanging = Client::connect(server.address);
    hanging.send(b"GET /livez HTTP/1.1\r\nhost: he");
    // Until the server has read it.
    thread::sleep(Duration::from_secs(1));
    let started = Instant::now();
    server.stop();
    thread::sleep(Duration::from_millis(500));
    let ready = get(server.health, "/readyz");
    assert_eq!((ready.status, ready.text()), (503, r#"{"ready":false,"reasons":["draining"]}"#));
    assert_eq!(get(server.health, "/livez").status, 200);
    server.join();
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert!(hanging.is_ended());
}
