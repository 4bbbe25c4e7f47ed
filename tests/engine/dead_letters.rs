//! Bad records go on to a topic of their own, with where they came from; where that topic does not take them, nothing
//! else suffers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::types::RDKafkaRespErr;
use serde_json::json;

use crate::oracle::answers::{Answer, Asked, Offsets, Question};
use crate::support::broker::{Embedded, Producer, wall_ms};
use crate::support::hostile::Sent;
use crate::support::process::{Server, Settings, run, said};

/// A letter: its bytes, and its headers.
type Letter = (Option<Vec<u8>>, BTreeMap<String, String>);

fn letters(brokers: &str, topic: &str, number: usize) -> Vec<Letter> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "letters")
        .set("auto.offset.reset", "earliest")
        .create()
        .unwrap();
    let mut assignment = rdkafka::TopicPartitionList::new();
    assignment.add_partition_offset(topic, 0, rdkafka::Offset::Beginning).unwrap();
    consumer.assign(&assignment).unwrap();
    let (mut letters, deadline) = (Vec::new(), Instant::now() + Duration::from_secs(60));
    let mut quiet = None;
    // A little longer than until all are there, to see that there are no more.
    while quiet.is_none_or(|since: Instant| since.elapsed() < Duration::from_secs(1)) {
        assert!(Instant::now() < deadline, "only {} of {number} letters", letters.len());
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
            let headers = message.headers().unwrap().iter().map(|header| {
                let value = String::from_utf8(header.value.unwrap().to_vec()).unwrap();
                (header.key.to_owned(), value)
            });
            letters.push((message.payload().map(<[u8]>::to_vec), headers.collect()));
        }
        if letters.len() >= number {
            quiet.get_or_insert_with(Instant::now);
        }
    }
    letters
}

fn settings(brokers: &str, more: &str) -> String {
    format!(
        "[kafka]\nbrokers = \"{brokers}\"\nstart = \"earliest\"\n[posts]\ndead_letter_topic = \"letters\"\n{more}\
         [engine]\nworkers = 2\nepoch = \"50ms\"\n"
    )
}

fn good(n: usize) -> Sent {
    let value = json!({ "id_str": n.to_string(), "text": "#good" }).to_string().into_bytes();
    Sent { value: Some(value), timestamp: wall_ms() }
}

fn count_of_good(server: &Server, written: &Offsets) -> i64 {
    let asked = Asked {
        count: "hashtags".to_owned(),
        window: "all".to_owned(),
        question: Question::Term { term: "good".to_owned() },
        min_offsets: written.clone(),
    };
    match server.client().ask(asked, Duration::from_secs(30)).answer {
        Answer::Term(term) => term.count,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_bad_record_arrives_as_it_was_with_where_it_came_from() {
    let broker = Embedded::start(&[("posts", 2), ("letters", 1)]);
    let producer = Producer::new(&broker.brokers(), "none");
    let mut server = Server::run(&settings(&broker.brokers(), "")).ready();
    let large = vec![b'x'; (1 << 20) + 5];
    let bad: [(&str, Option<&[u8]>); 5] = [
        ("json", Some(b"{")),
        ("tombstone", None),
        ("utf8", Some(b"\xff\xfe")),
        ("too_large", Some(&large)),
        ("empty", Some(b"")),
    ];
    let mut expected = BTreeMap::new();
    for (n, (reason, value)) in bad.iter().enumerate() {
        producer.send("posts", 1, &good(n));
        let sent = Sent { value: value.map(<[u8]>::to_vec), timestamp: 1_700_000_000_000 + n as i64 };
        producer.send("posts", 1, &sent);
        expected.insert(2 * n as i64 + 1, (*reason, sent));
    }
    let written = producer.flush();
    assert_eq!(count_of_good(&server, &written), 5);
    // Stopped at once: what is on its way is still delivered.
    let (status, took) = server.terminate();
    assert!(status.success() && took < Duration::from_secs(30), "{status} after {took:?}");

    let letters = letters(&broker.brokers(), "letters", bad.len());
    assert_eq!(letters.len(), bad.len());
    for (value, headers) in letters {
        let offset: i64 = headers["offset"].parse().unwrap();
        let (reason, sent) = expected.remove(&offset).unwrap();
        assert!(value.unwrap_or_default() == sent.value.unwrap_or_default(), "{headers:?}");
        let (topic, partition) = (headers["topic"].as_str(), headers["partition"].as_str());
        assert_eq!((topic, partition, headers["reason"].as_str()), ("posts", "1", reason));
        assert_eq!(headers["timestamp"], sent.timestamp.to_string());
        assert!(!headers["detail"].is_empty());
    }
}

#[test]
fn a_topic_that_takes_nothing_holds_nothing_up() {
    let broker = Embedded::start(&[("posts", 1), ("letters", 1)]);
    broker.refuse("letters", RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    let producer = Producer::new(&broker.brokers(), "zstd");
    let begun = Instant::now();
    let mut server = Server::run(&settings(&broker.brokers(), "")).ready();
    let bad = 60_000;
    for n in 0..bad {
        producer.send("posts", 0, &Sent { value: Some(format!("{{{n}").into_bytes()), timestamp: wall_ms() });
    }
    producer.send("posts", 0, &good(1));
    assert_eq!(count_of_good(&server, &producer.flush()), 1);
    let deadline = Instant::now() + Duration::from_secs(60);
    while server.client().metric("tidings_dead_letters_total{fate=\"lost\"}") != Some(bad) {
        assert!(Instant::now() < deadline, "{}", server.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(server.client().metric("tidings_dead_letters_total{fate=\"written\"}"), Some(0));
    assert!(server.lives());
    let (status, took) = server.terminate();
    assert!(status.success() && took < Duration::from_secs(30), "{status} after {took:?}");
    let log = server.log();
    let lines = log.lines().filter(|line| line.contains("dead letters were lost")).count();
    assert!((1..=2 + begun.elapsed().as_secs() as usize / 10).contains(&lines), "{log}");
}

#[test]
fn the_record_that_ends_the_run_is_sent_on_too() {
    let broker = Embedded::start(&[("posts", 1), ("letters", 1)]);
    let producer = Producer::new(&broker.brokers(), "none");
    producer.send("posts", 0, &Sent { value: Some(b"{".to_vec()), timestamp: wall_ms() });
    producer.flush();
    let settings = Settings::new(&settings(&broker.brokers(), "on_bad = \"fail\"\n"));
    let file = settings.file();
    let output = run(&["run", "-c", file.to_str().unwrap(), "--bind", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(65), "{}", said(&output));
    let letters = letters(&broker.brokers(), "letters", 1);
    assert_eq!((letters.len(), letters[0].0.as_deref()), (1, Some(&b"{"[..])));
}

#[test]
fn a_topic_that_is_read_is_refused() {
    let settings =
        Settings::new("[kafka]\ntopics = [\"letters\"]\n[posts]\ndead_letter_topic = \"letters\"\n");
    let output = run(&["run", "-c", settings.file().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(78), "{}", said(&output));
    assert!(said(&output).contains("name another topic"), "{}", said(&output));
}
