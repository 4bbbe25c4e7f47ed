//! What a stream shows, and to whom.

use serde_json::{Value, json};

use super::client::{Client, get};
use super::fed::{Fed, GENERATION};
use super::server::{Server, served};
use super::sse::{Event, Events};

fn terms(event: &Event, count: &str) -> Vec<(String, i64)> {
    let top = event.data["counts"][count]["top"].as_array().expect("a ranking");
    let text = |term: &Value| term.as_str().expect("text").to_owned();
    top.iter().map(|place| (text(&place["term"]), place["count"].as_i64().expect("a number"))).collect()
}

/// Waits until so many streams are open; a place is free again only some time after its client has gone.
fn open_are(server: &Server, number: usize) {
    let line = format!("\ntidings_streams {number}\n");
    let is_so = || get(server.address, "/metrics").text().contains(&line);
    let so = (0..1000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        is_so()
    });
    assert!(so, "{number} streams should be open");
}

fn epoch(event: &Event) -> u64 {
    let epoch = event.data["stamp"]["epoch"].as_u64().expect("a number");
    assert_eq!(event.id, format!("{GENERATION}-{epoch}"));
    epoch
}

#[test]
fn a_stream_begins_with_everything_and_goes_on_with_what_changed() {
    let (fed, server) = served();
    let mut events = Events::open(server.address, "counts=words,hashtags&window=all&k=2", None);
    assert!(events.head.contains("content-type: text/event-stream\r\n"), "{}", events.head);
    assert!(events.head.contains("cache-control: no-store\r\n"), "{}", events.head);
    let first = events.next().expect("a snapshot");
    assert_eq!((first.name.as_str(), epoch(&first)), ("snapshot", 2000));
    let expected = json!({
        "window": "all", "generation": GENERATION, "epoch": 2000,
        "as_of": "1970-01-01T00:00:02.000Z", "clock": "2023-11-14T22:15:05.500Z", "from": null, "to": null,
        "start_offsets": {"posts": {"0": 10, "1": 10}}, "offsets": {"posts": {"0": 13, "1": 12}},
        "catching_up": false,
    });
    assert_eq!(first.data["stamp"], expected);
    for count in ["hashtags", "words"] {
        let mut top = get(server.address, &format!("/v1/counts/{count}/top?window=all&k=2")).json();
        top.as_object_mut().expect("an object").remove("stamp");
        assert_eq!(first.data["counts"][count], top);
    }
    fed.feed(3000, &[(66_000, "#go #go #go #go")]);
    let second = events.next().expect("a diff");
    assert_eq!((second.name.as_str(), epoch(&second)), ("diff", 3000));
    assert_eq!(second.data["counts"].as_object().map(|counts| counts.len()), Some(1));
    assert_eq!(terms(&second, "hashtags"), [("go".to_owned(), 5), ("rust".to_owned(), 4)]);
}

#[test]
fn where_nothing_changes_there_is_progress() {
    let (fed, server) = served();
    let started = std::time::Instant::now();
    let mut events = Events::open(server.address, "counts=hashtags&window=all", None);
    assert_eq!(events.next().expect("a snapshot").name, "snapshot");
    let feeding = std::sync::Arc::clone(&fed);
    let (seen, enough) = std::sync::mpsc::channel::<()>();
    let until = std::thread::spawn(move || {
        // Until both have been seen, for twenty seconds at most.
        for number in 1..200 {
            feeding.feed(2000 + number, &[(66_000, "word")]);
            let waited = enough.recv_timeout(std::time::Duration::from_millis(100));
            if waited != Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                break;
            }
        }
    });
    for _ in 0..2 {
        let event = events.next().expect("progress");
        assert_eq!(event.name, "progress");
        assert_eq!(event.data.as_object().map(|data| data.len()), Some(1));
        epoch(&event);
    }
    assert!(started.elapsed() > std::time::Duration::from_millis(900), "at most once a second");
    drop(seen);
    until.join().expect("fed");
}

#[test]
fn who_comes_back_goes_on() {
    let (fed, server) = served();
    let query = "counts=hashtags&window=all&k=3";
    // Keeps the feed, whose memory is the last state but one.
    let mut witness = Events::open(server.address, query, None);
    let id = witness.next().expect("a snapshot").id;
    let mut same = Events::open(server.address, query, Some(&id));
    let old = format!("{GENERATION}-1000");
    let (newer, other) = (format!("{GENERATION}-9000"), format!("{}-2000", GENERATION - 1));
    for last in [old.as_str(), newer.as_str(), other.as_str(), "", "x", "-", "42-", "42-2000-1", "42-x"] {
        let mut events = Events::open(server.address, query, Some(last));
        assert_eq!(events.next().expect("an event").name, "snapshot", "{last}");
        drop(events);
        open_are(&server, 2);
    }
    fed.feed(3000, &[(66_000, "#go")]);
    for events in [&mut same, &mut witness] {
        let event = events.next().expect("a diff");
        assert_eq!((event.name.as_str(), epoch(&event)), ("diff", 3000));
    }
    let mut behind = Events::open(server.address, query, Some(&id));
    let event = behind.next().expect("a diff");
    assert_eq!((event.name.as_str(), epoch(&event)), ("diff", 3000));
    fed.feed(4000, &[(66_000, "#go")]);
    assert_eq!(witness.next().expect("a diff").name, "diff");
    let mut far_behind = Events::open(server.address, query, Some(&id));
    assert_eq!(far_behind.next().expect("an event").name, "snapshot");
}

#[test]
fn a_stream_can_be_opened_before_anything_is_counted() {
    let fed = Fed::new();
    let server = Server::new(&fed.reader);
    let mut events = Events::open(server.address, "", None);
    fed.feed(7, &[(0, "#a b")]);
    let event = events.next().expect("a snapshot");
    assert_eq!((event.name.as_str(), epoch(&event)), ("snapshot", 7));
    let counts: Vec<_> = event.data["counts"].as_object().expect("counts").keys().cloned().collect();
    assert_eq!((counts.len(), event.data["stamp"]["window"].as_str()), (3, Some("1m")));
}

#[test]
fn there_are_no_more_streams_than_places() {
    let (_fed, server) = served();
    let mut open: Vec<_> = (0..10).map(|_| Events::open(server.address, "k=3", None)).collect();
    let refused = get(server.address, "/v1/events");
    assert_eq!((refused.status, refused.problem().as_str()), (503, "too_many_streams"));
    assert_eq!(refused.header("retry-after"), Some("5"));
    assert_eq!(get(server.address, "/v1/counts/words/top").status, 200);
    open_are(&server, 10);
    open.pop();
    open_are(&server, 9);
    assert_eq!(Events::open(server.address, "k=3", None).next().expect("an event").name, "snapshot");
}

/// Each costs reads of its own at every epoch, however few streams there are.
#[test]
fn there_are_no_more_different_streams_than_a_server_takes() {
    let (_fed, server) = served();
    let mut open: Vec<_> = (1..=4).map(|k| Events::open(server.address, &format!("k={k}"), None)).collect();
    let refused = get(server.address, "/v1/events?k=5");
    assert_eq!((refused.status, refused.problem().as_str()), (503, "too_many_streams"));
    assert_eq!(refused.header("retry-after"), Some("5"));
    open.push(Events::open(server.address, "k=4", None));
    assert_eq!(open[4].next().expect("an event").name, "snapshot", "it is one of those that there are");
    open_are(&server, 5);
    open.truncate(2);
    open_are(&server, 2);
    // A feed without clients notices at its next turn.
    let opens = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        Events::open(server.address, "k=5", None).head.contains("200 ok")
    });
    assert!(opens, "what is closed leaves its place to others");
}

#[test]
fn a_stream_is_not_opened_for_its_head() {
    let (_fed, server) = served();
    let mut client = Client::connect(server.address);
    client.send(b"HEAD /v1/events HTTP/1.1\r\nhost: here\r\n\r\n");
    let head = client.answer(true).expect("an answer");
    assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
    assert!(get(server.address, "/metrics").text().contains("\ntidings_streams 0\n"));
}

#[test]
fn streams_end_when_the_server_stops() {
    let (_fed, mut server) = served();
    let mut streams: Vec<_> = (0..8).map(|_| Events::open(server.address, "", None)).collect();
    let started = std::time::Instant::now();
    server.stop();
    for events in &mut streams {
        while events.next().is_some() {}
    }
    server.join();
    assert!(started.elapsed() < std::time::Duration::from_secs(4), "{:?}", started.elapsed());
}
