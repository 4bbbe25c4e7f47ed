//! `tidings top` as another program runs it: plain lines, and what is said where something is wrong.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::oracle::answers::Top;
use crate::support::broker::{Embedded, Producer, wall_ms};
use crate::support::hostile::Sent;
use crate::support::process::{Server, program, run, said};

fn spawn(arguments: &[&str]) -> Child {
    program().arg("top").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ends(child: &mut Child) -> std::process::ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if begun.elapsed() > Duration::from_secs(40) {
            child.kill().unwrap();
            panic!("it does not end");
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn fails(arguments: &[&str], code: i32, parts: &[&str]) {
    let output = run(&[&["top"], arguments].concat());
    let said = said(&output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.starts_with("tidings: ") && !said.contains("panicked"), "{said}");
    parts.iter().for_each(|part| assert!(said.contains(part), "no {part:?} in {said}"));
}

/// A server that answers each connection in turn with what it is told, and returns the requests.
fn scripted(answers: Vec<String>) -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let answer = |answer: String| {
            let (mut stream, _) = listener.accept().unwrap();
            let request = head(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
            request
        };
        answers.into_iter().map(answer).collect()
    });
    (url, serving)
}

fn head(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

fn answer(status: &str, content_type: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn event(name: &str, epoch: u64, term: &str) -> String {
    let place = json!({ "rank": 1, "term": term, "display": term, "count": epoch });
    let stamp = json!({ "window": "1m", "generation": 7, "epoch": epoch, "as_of": "2026-01-01T00:00:00.000Z",
        "clock": null, "catching_up": false, "of": "the future" });
    let counts = json!({ "tags": { "total": epoch, "distinct": 1, "top": [place] } });
    format!("event: {name}\nid: 7-{epoch}\ndata: {}\n\n", json!({ "stamp": stamp, "counts": counts }))
}

fn counts() -> String {
    answer("200 OK", "application/json", r#"[{"name":"tags","of":"hashtags","windows":[{"name":"1m"}]}]"#)
}

#[test]
fn lines_are_the_ranking_that_the_engine_answers() {
    let broker = Embedded::start(&[("posts", 2)]);
    let producer = Producer::new(&broker.brokers(), "none");
    let server =
        Server::run(&format!("[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n", broker.brokers())).ready();
    for (number, text) in ["#Rust #été", "#rust", "#日本語 #rust"].into_iter().enumerate() {
        let value = json!({ "text": text }).to_string().into_bytes();
        producer.send("posts", number as i32 % 2, &Sent { value: Some(value), timestamp: wall_ms() });
    }
    let client = server.client();
    let written = producer.flush();
    let bound: Vec<_> =
        written["posts"].iter().map(|(partition, next)| format!("posts:{partition}:{next}")).collect();
    let path =
        format!("/v1/counts/hashtags/top?window=all&k=2&wait_ms=20000&min_offsets={}", bound.join(","));
    let top: Top = client.get(&path).json();
    let url = format!("http://{}", server.address());
    let output = run(&["top", "--url", &url, "--window", "all", "-k", "2", "--updates", "1"]);
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("# 20") && lines[0].ends_with("hashtags all total 5 distinct 3"), "{text}");
    let places = top.top.iter().map(|place| format!("{}\t{}\t{}", place.rank, place.count, place.display));
    assert_eq!(lines[1..], [places.collect::<Vec<_>>(), vec![String::new()]].concat());

    // Whoever reads the first line only has seen enough.
    let mut child = spawn(&["--url", &url, "--window", "all"]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("# "), "{line}");
    // The next ranking finds that out.
    let value = json!({ "text": "#more" }).to_string().into_bytes();
    producer.send("posts", 0, &Sent { value: Some(value), timestamp: wall_ms() });
    producer.flush();
    let status = ends(&mut child);
    let output = Output { status, stdout: Vec::new(), stderr: read_all(child.stderr.take().unwrap()) };
    assert!(status.success() && said(&output).is_empty(), "{status}: {}", said(&output));

    fails(&["--url", &url, "--count", "nothing"], 2, &["nothing", "hashtags, words"]);
    fails(&["--url", &url, "--window", "7m"], 2, &["7m", "5m"]);
    fails(&["--url", &format!("{url}/elsewhere")], 2, &["nothing at this path"]);
    fails(&["--url", &url.replace("http:", "https:")], 74, &["no TLS", "http://"]);
}

fn read_all(mut from: impl Read) -> Vec<u8> {
    let mut all = Vec::new();
    from.read_to_end(&mut all).unwrap();
    all
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    fails(&["--url", &format!("http://{free}")], 74, &["cannot reach", "refused", "tidings run", "--url"]);
    let (url, serving) = scripted(vec![answer("200 OK", "text/html", "<html>")]);
    fails(&["--url", &url], 74, &["not as tidings does", "text/html"]);
    serving.join().unwrap();
    let (url, serving) = scripted(vec!["SSH-2.0-OpenSSH_9.9\r\n".to_owned()]);
    fails(&["--url", &url], 74, &["cannot reach", "HTTP"]);
    serving.join().unwrap();
    let refused = answer("401 Unauthorized", "application/problem+json", "{}");
    let (url, serving) = scripted(vec![refused.clone()]);
    fails(&["--url", &url], 2, &["token", "--token-file"]);
    assert!(!serving.join().unwrap()[0].contains("authorization"));
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "s3cret\n").unwrap();
    let (url, serving) = scripted(vec![refused]);
    fails(
        &["--url", &url, "--token-file", token.path().to_str().unwrap()],
        2,
        &["does not accept the token"],
    );
    assert!(serving.join().unwrap()[0].contains("\r\nauthorization: bearer s3cret\r\n"));
    std::fs::write(token.path(), "two\nlines").unwrap();
    fails(&["--url", &url, "--token-file", token.path().to_str().unwrap()], 2, &["one token"]);
    fails(&["--url", &url, "--token-file", "/nowhere"], 2, &["/nowhere"]);
}

#[test]
fn a_lost_stream_is_asked_for_again_from_its_last_event() {
    let stream =
        |events: String| format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n{events}");
    let busy =
        answer("503 Service Unavailable", "application/problem+json", r#"{"detail":"too many streams"}"#);
    let (url, serving) = scripted(vec![
        counts(),
        stream(format!("retry: 2000\n\n:\n\n{}", event("snapshot", 5, "a\u{1b}[2J\u{202e}b"))),
        busy,
        stream(event("diff", 6, "شكرا")),
    ]);
    let output = run(&["top", "--url", &url, "--updates", "2"]);
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(text.contains("1\t5\ta\\u{1b}[2J\\u{202e}b\n") && text.contains("1\t6\tشكرا\n"), "{text:?}");
    let said = said(&output);
    assert!(said.contains("connection lost") && said.contains("too many streams"), "{said}");
    let requests = serving.join().unwrap();
    assert!(requests[1].starts_with("get /v1/events?counts=tags&k=10 "), "{}", requests[1]);
    assert!(!requests[1].contains("last-event-id"));
    assert!(
        requests[2..].iter().all(|request| request.contains("\r\nlast-event-id: 7-5\r\n")),
        "{requests:?}"
    );
}
