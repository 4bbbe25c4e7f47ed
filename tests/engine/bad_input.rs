//! Whatever comes, the stream goes on, and each record that is no post is counted with its reason.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::oracle::Oracle;
use crate::oracle::answers::{Answer, Asked, Question, Status};
use crate::support::asker::Asker;
use crate::support::broker::{Embedded, Producer, read_back, wall_ms};
use crate::support::hostile::{Hostile, Sent};
use crate::support::process::Server;

/// Every reason there is, each with records that have it.
fn bad() -> Vec<(&'static str, Vec<Option<Vec<u8>>>)> {
    let post = |text: &str| json!({ "id_str": "1", "text": text }).to_string().into_bytes();
    let tags: String = (0..20_000).map(|i| format!("#t{i} ")).collect();
    let own: Vec<_> = (0..20_000).map(|i| json!({ "text": format!("own{i}") })).collect();
    let own = json!({ "id_str": "1", "text": "", "entities": { "hashtags": own } }).to_string().into_bytes();
    let bytes = |text: &str| Some(text.as_bytes().to_vec());
    vec![
        ("empty", vec![bytes("")]),
        ("tombstone", vec![None, None]),
        (
            "too_large",
            vec![
                Some(post(&"word ".repeat((2 << 20) / 5))),
                Some(vec![b'x'; (1 << 20) + 1]),
                Some(vec![b'{'; 1 << 21]),
            ],
        ),
        (
            "utf8",
            vec![
                Some(b"{\"text\":\"\xff\"}".to_vec()),
                Some(vec![0xff; 100_000]),
                Some(b"\xed\xa0\x80".to_vec()),
                Some(b"a\xc3".to_vec()),
            ],
        ),
        (
            "json",
            vec![
                bytes("{"),
                bytes("{\"text\":\"a\"} {"),
                bytes("{\"id_str\":\"1\",\"text\":\"cut o"),
                bytes("{,}"),
                bytes("{'text':'a'}"),
            ],
        ),
        ("type", vec![bytes("{\"id_str\":\"1\",\"text\":7}"), bytes("{\"id_str\":\"1\",\"text\":[\"a\"]}")]),
        (
            "no_text",
            vec![bytes("{\"text\":null,\"user\":{},\"created_at\":\"Wed Aug 27 13:08:45 +0000 2008\"}")],
        ),
        ("unknown_shape", vec![bytes("{}"), bytes("{\"a\":1}")]),
        ("avro", vec![Some(b"\0\0\0\0\x07post".to_vec())]),
        ("too_many_terms", vec![Some(post(&tags)), Some(own)]),
    ]
}

#[test]
fn each_bad_record_is_counted_by_its_reason_and_the_stream_goes_on() {
    let broker = Embedded::start(&[("posts", 1)]);
    let producer = Producer::new(&broker.brokers(), "zstd");
    let mut server = Server::run(&format!(
        "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[engine]\nworkers = 2\nepoch = \"50ms\"\n",
        broker.brokers()
    ))
    .ready();
    let send = |value: Option<Vec<u8>>| producer.send("posts", 0, &Sent { value, timestamp: wall_ms() });
    let good = |n: usize| json!({ "id_str": n.to_string(), "text": "#good" }).to_string().into_bytes();
    let (mut expected, mut posts) = (BTreeMap::<String, u64>::new(), 0);
    for (reason, records) in bad() {
        for record in records {
            send(record);
            *expected.entry(reason.to_owned()).or_default() += 1;
            // A post behind each, to see that the stream goes on.
            send(Some(good(posts)));
            posts += 1;
        }
    }
    let written = producer.flush();
    let config = server.config();
    let mut asker = Asker::new(server.client(), &config, 0);
    let answers = asker.ask_everything(&written);
    let status = answers.iter().find_map(|answered| match &answered.answer {
        Answer::Status(status) => Some(status),
        _ => None,
    });
    let Some(Status { posts: counted, bad, other, .. }) = status.map(|status| &**status) else {
        panic!("no status")
    };
    assert_eq!((*counted as usize, bad, other.len()), (posts, &expected, 0));
    assert!(server.lives());
    let (status, _) = server.terminate();
    assert!(status.success());
    let records = read_back(&broker.brokers(), &["posts"]);
    Oracle::new(&config, &records, wall_ms()).check_all(&answers);
}

#[test]
fn giants_do_not_hold_up_what_comes_behind_them() {
    let broker = Embedded::start(&[("posts", 1)]);
    let producer = Producer::new(&broker.brokers(), "zstd");
    let mut server = Server::run(&format!(
        "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[engine]\nworkers = 2\nepoch = \"50ms\"\n\
         [[count]]\nname = \"all\"\nof = \"phrases\"\nwindows = [\"all\"]\n\
         [[count]]\nname = \"tags\"\nof = \"hashtags\"\nwindows = [\"1m\", \"all\"]\n",
        broker.brokers()
    ))
    .ready();
    for value in Hostile::giants() {
        producer.send("posts", 0, &Sent { value: Some(value), timestamp: wall_ms() });
    }
    let last = json!({ "id_str": "1", "text": "#last" }).to_string().into_bytes();
    producer.send("posts", 0, &Sent { value: Some(last), timestamp: wall_ms() });
    let written = producer.flush();
    let config = server.config();
    let client = server.client();
    let term = Asked {
        count: "tags".to_owned(),
        window: "1m".to_owned(),
        question: Question::Term { term: "#last".to_owned() },
        min_offsets: written.clone(),
    };
    let answered = client.ask(term, Duration::from_secs(30));
    assert!(matches!(&answered.answer, Answer::Term(term) if term.count == 1), "{answered:?}");
    let answers = Asker::new(client, &config, 0).ask_everything(&written);
    let (status, _) = server.terminate();
    assert!(status.success());
    let records = read_back(&broker.brokers(), &["posts"]);
    Oracle::new(&config, &records, wall_ms()).check_all(&answers);
}

#[test]
fn a_bad_record_ends_the_run_where_that_was_asked_for() {
    let broker = Embedded::start(&[("posts", 1)]);
    let producer = Producer::new(&broker.brokers(), "none");
    let good = json!({ "id_str": "1", "text": "#good" }).to_string().into_bytes();
    producer.send("posts", 0, &Sent { value: Some(good), timestamp: wall_ms() });
    producer.send("posts", 0, &Sent { value: Some(b"{".to_vec()), timestamp: wall_ms() });
    producer.flush();
    let text = format!(
        "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[posts]\non_bad = \"fail\"\n",
        broker.brokers()
    );
    let settings = crate::support::process::Settings::new(&text);
    let output = crate::support::process::run(&[
        "run",
        "-c",
        settings.file().to_str().unwrap(),
        "--bind",
        "127.0.0.1:0",
    ]);
    let said = crate::support::process::said(&output);
    assert_eq!(output.status.code(), Some(65), "{said}");
    assert!(said.contains("posts 0") && said.contains("offset 1") && said.contains("json"), "{said}");
}
