//! Clients that take what they can, all at once: each gets what the interface says, and nothing else suffers.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::oracle::answers::Status;
use crate::support::broker::{Embedded, Producer, wall_ms};
use crate::support::hostile::Sent;
use crate::support::process::Server;
use crate::support::session::StopAtEnd;

/// Connections at once, in the configuration of this test.
const MOST: usize = 60;

fn connect(address: &str) -> Option<TcpStream> {
    let stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    Some(stream)
}

fn ask(address: &str, request: &[u8]) -> Option<String> {
    let mut stream = connect(address)?;
    // The refusal may come, and the connection end, before all is sent.
    let _ = stream.write_all(request);
    let (mut answer, mut part) = (Vec::new(), [0; 1024]);
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut part) {
            Ok(length @ 1..) => answer.extend_from_slice(&part[..length]),
            _ => break,
        }
    }
    (!answer.is_empty()).then(|| String::from_utf8_lossy(&answer).into_owned())
}

/// Connections that say nothing, or one byte at a time: as many as come in, again and again.
fn flood(address: &str, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let mut held: Vec<TcpStream> = (0..2 * MOST).filter_map(|_| connect(address)).collect();
        for byte in b"GET /livez HT" {
            held.iter_mut().for_each(|stream| drop(stream.write_all(&[*byte])));
            std::thread::sleep(Duration::from_millis(100));
            if stop.load(Ordering::Relaxed) {
                return;
            }
        }
    }
}

/// Bodies that are announced and do not come.
fn promise(address: &str, stop: &AtomicBool) {
    let head = b"POST /v1/counts/words/terms HTTP/1.1\r\nhost: a\r\ncontent-length: 9000\r\n\r\n{\"terms\":[";
    while !stop.load(Ordering::Relaxed) {
        let mut held: Vec<TcpStream> = (0..10).filter_map(|_| connect(address)).collect();
        held.iter_mut().for_each(|stream| drop(stream.write_all(head)));
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Queries far beyond what is read of a head; where there is an answer it is the right one.
fn shout(address: &str, stop: &AtomicBool) {
    let request =
        format!("GET /v1/counts/words/top?window={} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(100_000));
    while !stop.load(Ordering::Relaxed) {
        if let Some(answer) = ask(address, request.as_bytes()) {
            let status = answer.split(' ').nth(1).unwrap_or("");
            assert!(matches!(status, "431" | "503"), "{answer}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn under_siege_livez_answers_and_every_post_is_counted() {
    let broker = Embedded::start(&[("posts", 2)]);
    let producer = Producer::new(&broker.brokers(), "none");
    let mut server = Server::run(&format!(
        "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[http]\nmax_connections = {MOST}\nmax_streams = 5\n",
        broker.brokers()
    ))
    .ready();
    let (address, stop, sent) = (server.address().to_owned(), AtomicBool::new(false), AtomicU64::new(0));
    let (answered, unanswered) = std::thread::scope(|scope| {
        let _stopping = StopAtEnd(&stop);
        scope.spawn(|| flood(&address, &stop));
        scope.spawn(|| promise(&address, &stop));
        scope.spawn(|| shout(&address, &stop));
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let value = json!({ "text": "one #two" }).to_string().into_bytes();
                for _ in 0..100 {
                    producer.send("posts", 0, &Sent { value: Some(value.clone()), timestamp: wall_ms() });
                }
                sent.fetch_add(100, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
            }
            producer.flush();
        });
        let (begun, mut answered, mut unanswered) = (Instant::now(), 0, 0);
        // For longer where the machine is busy.
        while begun.elapsed() < Duration::from_secs(if answered > 20 { 15 } else { 60 }) {
            let answer = ask(&address, b"GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
            match answer {
                Some(answer) => {
                    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
                    answered += 1;
                }
                None => unanswered += 1,
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        (answered, unanswered)
    });
    assert!(answered > 20, "answered {answered} times only");
    // A busy machine may leave one in the queue for too long.
    assert!(answered >= 4 * unanswered, "answered {answered} times, not answered {unanswered} times");
    let (sent, deadline) = (sent.load(Ordering::Relaxed), Instant::now() + Duration::from_secs(40));
    loop {
        let response = server.client().try_get("/v1/status").ok().filter(|response| response.status == 200);
        if response.is_some_and(|response| response.json::<Status>().posts == sent) {
            break;
        }
        assert!(Instant::now() < deadline, "not all of {sent} posts are counted");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(server.terminate().0.success());
}

#[test]
fn a_follower_that_never_reads_is_dropped_and_others_stay_current() {
    let broker = Embedded::start(&[("posts", 1)]);
    let producer = Producer::new(&broker.brokers(), "none");
    let server = Server::run(&format!(
        "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[engine]\nworkers = 1\nepoch = \"20ms\"\n\
         [[count]]\nname = \"words\"\nof = \"words\"\nwindows = [\"all\"]\n",
        broker.brokers()
    ))
    .ready();
    let post = |text: &str| {
        let value = json!({ "text": text }).to_string().into_bytes();
        producer.send("posts", 0, &Sent { value: Some(value), timestamp: wall_ms() });
    };
    let many: String = (0..1000).map(|number| format!("a_rather_long_word_{number} ")).collect();
    post(&many);
    producer.flush();
    let mut deaf = connect(server.address()).unwrap();
    deaf.write_all(b"GET /v1/events?k=1000 HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let client = server.client();
    let begun = Instant::now();
    while client.metric("tidings_http_dropped_connections_total") == Some(0) {
        assert!(begun.elapsed() < Duration::from_secs(120), "still there");
        post("again");
        producer.flush();
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(begun.elapsed() > Duration::from_secs(5), "not before it has had its time");
    assert_eq!(client.metric("tidings_streams"), Some(0));
    // It holds no more than the buffers of the system and of the server, so there was nothing to wait for.
    assert!(client.get("/v1/counts/words/terms/again?window=all").status == 200);
}
