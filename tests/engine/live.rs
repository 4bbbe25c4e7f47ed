//! The stream of a running engine: what it shows is what reads show, and it ends when the engine does.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::broker::{Embedded, Producer, wall_ms};
use crate::support::hostile::Sent;
use crate::support::process::Server;
use crate::support::sse::Events;

fn post(text: &str) -> Sent {
    let value = json!({ "id_str": "1", "text": text }).to_string().into_bytes();
    Sent { value: Some(value), timestamp: wall_ms() }
}

fn settings(broker: &Embedded) -> String {
    format!(
        "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[engine]\nworkers = 2\nepoch = \"50ms\"\n\
         [[count]]\nname = \"tags\"\nof = \"hashtags\"\nwindows = [\"5s/1s\", \"all\"]\n\
         [[count]]\nname = \"words\"\nof = \"words\"\nwindows = [\"5s/1s\", \"all\"]\n",
        broker.brokers()
    )
}

/// Applies events to what is known until these hold, which must happen soon.
fn follow(events: &mut Events, known: &mut Value, holds: impl Fn(&Value) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(40);
    let mut last = 0;
    while !holds(known) {
        assert!(Instant::now() < deadline, "{known}");
        let event = events.next().expect("the stream goes on");
        let epoch = event.data["stamp"]["epoch"].as_u64().unwrap();
        assert!(epoch > last && event.id.ends_with(&format!("-{epoch}")), "{event:?} after {last}");
        last = epoch;
        match event.name.as_str() {
            "snapshot" => *known = event.data["counts"].clone(),
            "diff" => {
                let changed = event.data["counts"].as_object().unwrap().clone();
                known.as_object_mut().unwrap().extend(changed);
            }
            "progress" => {}
            other => panic!("an event of the name {other}"),
        }
    }
}

#[test]
fn a_stream_followed_shows_what_reads_show() {
    let broker = Embedded::start(&[("posts", 2)]);
    let producer = Producer::new(&broker.brokers(), "none");
    let server = Server::run(&settings(&broker)).ready();
    let (client, address) = (server.client(), server.address().to_owned());
    let (mut of_all, mut known_all) = (Events::open(&address, "window=all&k=7"), Value::Null);
    let (mut of_five, mut known_five) = (Events::open(&address, "counts=tags&window=5s&k=7"), Value::Null);
    for round in 0..60 {
        let text = format!("#tag{} #tag{} word{}", round % 9, round % 7, round % 11);
        producer.send("posts", round % 2, &post(&text));
        if round % 10 == 0 {
            producer.flush();
            std::thread::sleep(Duration::from_millis(120));
        }
    }
    producer.flush();
    follow(&mut of_all, &mut known_all, |known| {
        known["tags"]["total"] == 120 && known["words"]["total"] == 60
    });
    for count in ["tags", "words"] {
        let mut top: Value = client.get(&format!("/v1/counts/{count}/top?window=all&k=7")).json();
        top.as_object_mut().unwrap().remove("stamp");
        assert_eq!(known_all[count], top);
    }
    // What was seen runs out of the window, and the stream says so without a single post.
    follow(&mut of_five, &mut known_five, |known| known["tags"]["total"] == 0);
    assert_eq!(known_five["tags"], json!({ "total": 0, "distinct": 0, "top": [] }));
}

#[test]
fn sigterm_with_a_thousand_streams_ends_with_0_within_seconds() {
    let broker = Embedded::start(&[("posts", 2)]);
    let producer = Producer::new(&broker.brokers(), "none");
    let mut server = Server::run(&settings(&broker)).ready();
    producer.send("posts", 0, &post("#a b"));
    producer.flush();
    let address = server.address().to_owned();
    let mut streams: Vec<Events> = (0..1000).map(|_| Events::open(&address, "window=all")).collect();
    assert_eq!(streams[999].next().unwrap().name, "snapshot");
    let (status, took) = server.terminate();
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(20), "{took:?}");
    // Whoever followed is told by the end of its answer.
    while streams[500].next().is_some() {}
}
