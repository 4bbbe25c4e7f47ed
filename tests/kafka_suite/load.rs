//! Posts that say where they belong, settings to count them with, and waiting.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::oracle::answers::{Answer, Asked, Offsets, Question};
use crate::support::broker::{Producer, wall_ms};
use crate::support::client::Client;
use crate::support::hostile::Sent;

/// A configuration that reads these topics from their beginnings; `more` follows the keys of `[kafka]`.
pub fn settings(brokers: &str, topics: &[&str], more: &str) -> String {
    format!(
        "[kafka]\nbrokers = \"{brokers}\"\ntopics = {topics:?}\nstart = \"earliest\"\n{more}\n\
         [engine]\nworkers = 2\nepoch = \"100ms\"\n\
         [[count]]\nname = \"hashtags\"\nof = \"hashtags\"\nwindows = [\"2s/1s\", \"1m/5s\", \"all\"]\n\
         [[count]]\nname = \"words\"\nof = \"words\"\nwindows = [\"10s/2s\", \"all\"]\n"
    )
}

/// A post with a hashtag of seventeen, and a word that no other has, by which one lost or doubled is seen.
pub fn post(number: u64) -> Vec<u8> {
    let text = format!("#tag{} only{number} again", number % 17);
    json!({ "id_str": number.to_string(), "text": text }).to_string().into_bytes()
}

/// Posts for a topic, partition by partition in turn.
pub struct Load<'a> {
    producer: Producer,
    topic: &'a str,
    partitions: i32,
    sent: u64,
}

impl<'a> Load<'a> {
    pub fn new(brokers: &str, topic: &'a str, partitions: i32) -> Load<'a> {
        Load { producer: Producer::new(brokers, "lz4"), topic, partitions, sent: 0 }
    }

    /// Hands posts over without waiting for them to be written.
    pub fn hand_over(&mut self, posts: u64) {
        for _ in 0..posts {
            let partition = (self.sent % self.partitions as u64) as i32;
            let sent = Sent { value: Some(post(self.sent)), timestamp: wall_ms() };
            self.producer.send(self.topic, partition, &sent);
            self.sent += 1;
        }
    }

    /// Writes posts; the offsets behind all that have been written.
    pub fn send(&mut self, posts: u64) -> Offsets {
        self.hand_over(posts);
        self.producer.flush()
    }

    /// Writes some posts every twentieth of a second, for so long.
    pub fn keep_sending(&mut self, posts: u64, lasting: Duration) -> Offsets {
        let begun = Instant::now();
        loop {
            let written = self.send(posts);
            if begun.elapsed() >= lasting {
                return written;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Waits until something is seen.
pub fn until<T>(patience: Duration, what: &str, mut seen: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = seen() {
            return found;
        }
        assert!(begun.elapsed() < patience, "not within {patience:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until the engine is ready; how long that took.
pub fn until_ready(client: &Client, patience: Duration) -> Duration {
    let begun = Instant::now();
    until(patience, "the engine is ready", || (client.get("/readyz").status == 200).then_some(()));
    begun.elapsed()
}

/// Waits until the engine is not ready for this reason; how long that took.
pub fn until_unready(client: &Client, reason: &str, patience: Duration) -> Duration {
    let begun = Instant::now();
    until(patience, reason, || {
        let response = client.get("/readyz");
        let body = String::from_utf8_lossy(&response.body).into_owned();
        (response.status == 503 && body.contains(reason)).then_some(())
    });
    begun.elapsed()
}

/// The status, as JSON.
pub fn status(client: &Client) -> Value {
    client.get("/v1/status").json()
}

/// How often a hashtag has been counted since the start, once these offsets have been reached.
pub fn count_of(client: &Client, term: &str, written: &Offsets) -> i64 {
    let asked = Asked {
        count: "hashtags".to_owned(),
        window: "all".to_owned(),
        question: Question::Term { term: term.to_owned() },
        min_offsets: written.clone(),
    };
    match client.ask(asked, Duration::from_secs(30)).answer {
        Answer::Term(term) => term.count,
        other => panic!("another answer: {other:?}"),
    }
}
