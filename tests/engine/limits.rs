//! Limits: what is refused is said, and nothing else suffers.

use std::time::Duration;

use serde_json::json;

use crate::oracle::answers::{Answer, Asked, Offsets, Question, Stamp, Top};
use crate::support::broker::{Embedded, Producer, wall_ms};
use crate::support::client::Client;
use crate::support::hostile::Sent;
use crate::support::process::Server;

fn post(text: &str) -> Sent {
    let value = json!({ "id_str": "1", "text": text }).to_string().into_bytes();
    Sent { value: Some(value), timestamp: wall_ms() }
}

fn counts(client: &Client, window: &str, terms: &[String], min_offsets: &Offsets) -> (Vec<i64>, Stamp) {
    let asked = Asked {
        count: "words".to_owned(),
        window: window.to_owned(),
        question: Question::Lookup { terms: terms.to_vec() },
        min_offsets: min_offsets.clone(),
    };
    match client.ask(asked, Duration::from_secs(20)).answer {
        Answer::Lookup(lookup) => (lookup.terms.iter().map(|term| term.count).collect(), lookup.stamp),
        _ => unreachable!("a look-up was asked for"),
    }
}

#[test]
fn beyond_max_terms_known_terms_stay_exact_and_the_stamp_says_overflow() {
    let broker = Embedded::start(&[("posts", 3)]);
    let producer = Producer::new(&broker.brokers(), "lz4");
    let mut server = Server::run(&format!(
        "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[engine]\nworkers = 2\nepoch = \"20ms\"\nmax_terms = 200\n\
         [[count]]\nname = \"words\"\nof = \"words\"\nwindows = [\"3s/1s\", \"all\"]\n",
        broker.brokers()
    ))
    .ready();
    let client = server.client();
    let known: Vec<String> = (0..20).map(|i| format!("known{i}")).collect();
    let all_known: String = known.iter().map(|term| format!("{term} ")).collect();
    producer.send("posts", 0, &post(&all_known));
    let (found, stamp) = counts(&client, "all", &known, &producer.flush());
    assert_eq!((found, stamp.overflow), (vec![1; 20], false));

    // Far more terms than are taken, and the known ones among them.
    for batch in 0..20 {
        for partition in 0..3 {
            let new: String = (0..100).map(|i| format!("new{batch}x{partition}x{i} ")).collect();
            producer.send("posts", partition, &post(&format!("{new}{all_known}")));
        }
        producer.flush();
        std::thread::sleep(Duration::from_millis(30));
    }
    let (found, stamp) = counts(&client, "all", &known, &producer.flush());
    assert_eq!((found, stamp.overflow), (vec![61; 20], true));

    // There is no room any more, so that not one of these is taken, and everything is answered as before.
    let late: Vec<String> = (0..50).map(|i| format!("late{i}")).collect();
    let all_late: String = late.iter().map(|term| format!("{term} ")).collect();
    producer.send("posts", 1, &post(&format!("{all_late} {all_known}")));
    let written = producer.flush();
    let (found, stamp) = counts(&client, "all", &late, &written);
    assert_eq!((found, stamp.overflow), (vec![0; 50], true));
    assert_eq!(counts(&client, "all", &known, &written).0, vec![62; 20]);
    let status: crate::oracle::answers::Status = client.get("/v1/status").json();
    assert_eq!((status.posts, status.bad.len()), (62, 0));

    // A window that begins behind all that was refused has missed nothing. On a busy machine a post may have left it by the
    // time of the answer.
    std::thread::sleep(Duration::from_secs(5));
    let seen = (0..5).any(|_| {
        producer.send("posts", 2, &post(&all_known));
        let (found, stamp) = counts(&client, "3s/1s", &known, &producer.flush());
        let seen = found == [1; 20];
        assert!(!stamp.overflow && (seen || found == [0; 20]), "{found:?} {stamp:?}");
        seen
    });
    assert!(seen, "each post had left the window");
    assert!(counts(&client, "all", &known, &Offsets::new()).1.overflow);
    assert!(server.terminate().0.success());
}

/// However few there may be, and however their hashes spread them over the workers.
#[test]
fn each_term_is_taken_until_there_are_as_many_as_may_be() {
    for workers in [2, 3, 4] {
        let broker = Embedded::start(&[("posts", 3)]);
        let producer = Producer::new(&broker.brokers(), "lz4");
        let mut server = Server::run(&format!(
            "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[engine]\nworkers = {workers}\nepoch = \"20ms\"\n\
             max_terms = 10\n[[count]]\nname = \"words\"\nof = \"words\"\nwindows = [\"all\"]\n",
            broker.brokers()
        ))
        .ready();
        let client = server.client();
        let words = |range: std::ops::Range<u32>| range.map(|n| format!("word{n}")).collect::<Vec<_>>();
        // One after the other, and known ones again.
        for n in 0..8 {
            producer.send("posts", n % 3, &post(&format!("word{n} word0")));
            producer.flush();
            std::thread::sleep(Duration::from_millis(25));
        }
        let (found, stamp) = counts(&client, "all", &words(0..8), &producer.flush());
        assert_eq!((&found[1..], found[0], stamp.overflow), (&[1; 7][..], 9, false), "{workers} workers");
        (8..60).for_each(|n| producer.send("posts", n % 3, &post(&format!("word{n}"))));
        let (found, stamp) = counts(&client, "all", &words(8..60), &producer.flush());
        assert_eq!((found.iter().sum::<i64>(), stamp.overflow), (2, true), "{workers} workers");
        assert!(server.terminate().0.success());
    }
}

/// What was kept has a row for each pane of a term, and is no more terms for that.
#[test]
fn after_a_restart_each_term_is_taken_until_there_are_as_many_as_may_be() {
    let broker = Embedded::start(&[("posts", 3)]);
    let producer = Producer::new(&broker.brokers(), "lz4");
    let place = tempfile::TempDir::new().unwrap();
    let settings = |workers: usize| {
        format!(
            "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[engine]\nworkers = {workers}\nepoch = \"20ms\"\n\
             max_terms = 10\n[checkpoint]\ndir = \"file://{}\"\n[[count]]\nname = \"words\"\nof = \"words\"\n\
             windows = [\"1m/1s\", \"all\"]\n",
            broker.brokers(),
            place.path().display()
        )
    };
    let words = |range: std::ops::Range<i32>| range.map(|n| format!("word{n}")).collect::<Vec<_>>();
    let mut server = Server::run(&settings(2)).ready();
    for n in 0..24 {
        producer.send("posts", n % 3, &post(&words(0..8).join(" ")));
        std::thread::sleep(Duration::from_millis(150));
    }
    let (found, stamp) = counts(&server.client(), "all", &words(0..8), &producer.flush());
    assert_eq!((found, stamp.overflow), (vec![24; 8], false));
    assert!(server.terminate().0.success());

    let mut server = Server::run(&settings(3)).ready();
    (8..10).for_each(|n| producer.send("posts", n % 3, &post(&format!("word{n}"))));
    let (found, stamp) = counts(&server.client(), "all", &words(0..10), &producer.flush());
    assert_eq!((&found[..8], &found[8..], stamp.overflow), (&[24; 8][..], &[1, 1][..], false));
    (10..13).for_each(|n| producer.send("posts", n % 3, &post(&format!("word{n}"))));
    let (found, stamp) = counts(&server.client(), "all", &words(8..13), &producer.flush());
    assert_eq!((found, stamp.overflow), (vec![1, 1, 0, 0, 0], true));
    assert!(server.terminate().0.success());
}

/// Spellings are bounded as terms are. A count does not depend on them; what is shown may, and then the stamp says so.
#[test]
fn one_term_in_ever_new_spellings_is_shown_by_its_commonest_or_the_stamp_says_overflow() {
    let broker = Embedded::start(&[("posts", 1)]);
    let producer = Producer::new(&broker.brokers(), "lz4");
    let mut server = Server::run(&format!(
        "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[engine]\nworkers = 1\nepoch = \"10ms\"\nmax_terms = 50\n\
         [[count]]\nname = \"tags\"\nof = \"hashtags\"\nwindows = [\"all\"]\n",
        broker.brokers()
    ))
    .ready();
    let spelled = |number: u32| -> String {
        let letters = ('a'..='m').zip(0..);
        letters
            .map(|(letter, bit)| if number >> bit & 1 == 1 { letter.to_ascii_uppercase() } else { letter })
            .collect()
    };
    for number in 0..600 {
        let tags: String = (0..10).map(|more| format!("#{} ", spelled(10 * number + more))).collect();
        producer.send("posts", 0, &post(&tags));
        if number % 20 == 0 {
            producer.flush();
            std::thread::sleep(Duration::from_millis(15));
        }
    }
    (0..5).for_each(|_| producer.send("posts", 0, &post(&format!("#{}", spelled(8191)))));
    let asked = Asked {
        count: "tags".to_owned(),
        window: "all".to_owned(),
        question: Question::Term { term: "abcdefghijklm".to_owned() },
        min_offsets: producer.flush(),
    };
    let Answer::Term(term) = server.client().ask(asked, Duration::from_secs(20)).answer else {
        panic!("another answer")
    };
    assert_eq!(term.count, 6005);
    assert!(term.display == "ABCDEFGHIJKLM" || term.stamp.overflow, "{term:?}");
    assert!(server.terminate().0.success());
}

#[test]
fn what_cannot_be_answered_is_refused_with_what_can() {
    let broker = Embedded::start(&[("posts", 1)]);
    let server = Server::run(&format!("[kafka]\nbrokers = \"{}\"\n", broker.brokers())).ready();
    let client = server.client();
    let refused = [
        ("/v1/counts/nothing/top", 404, "hashtags"),
        ("/v1/counts/hashtags/top?window=7m", 400, "5m"),
        ("/v1/counts/hashtags/top?k=1001", 400, "1000"),
        ("/v1/counts/hashtags/top?kk=1", 400, "`k`"),
        ("/v1/counts/hashtags/top?min_offsets=other:0:1", 400, "posts:0"),
        ("/v1/counts/hashtags/top?min_offsets=posts:1:1", 400, "posts:0"),
        ("/v1/counts/hashtags/terms/%23", 400, "term"),
        ("/v1/counts/hashtags/terms/rust/series?window=all", 400, "5m"),
        ("/v1/nothing", 404, "/v1/status"),
    ];
    for (path, status, part) in refused {
        let response = client.get(path);
        let body = String::from_utf8(response.body.clone()).unwrap();
        assert_eq!(
            (response.status, response.content_type.as_str()),
            (status, "application/problem+json"),
            "{path}: {body}"
        );
        assert!(body.contains(part), "{path}: {body}");
    }
    // A bound that is not met in time is refused too, and not answered with older counts.
    let response = client.get("/v1/counts/hashtags/top?min_offsets=posts:0:5&wait_ms=200");
    assert_eq!(response.status, 503);
    assert!(String::from_utf8(response.body).unwrap().contains("not_up_to_bound"));
    // The next epoch is waited for, whatever is in it.
    let mut epoch = 0;
    for _ in 0..3 {
        let top: Top =
            client.get(&format!("/v1/counts/words/top?min_epoch={}&wait_ms=5000", epoch + 1)).json();
        assert!(top.stamp.epoch > epoch, "{top:?}");
        epoch = top.stamp.epoch;
    }
}
