//! Posts that say where they belong, settings to count them with, and waiting.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::oracle::answers::{Answer, Asked, Offsets, Question, Status, Time};
use crate::support::broker::{Producer, wall_ms};
use crate::support::client::Client;
use crate::support::hostile::Sent;
use crate::support::random::Random;

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

/// From how many bytes padding is cut; what repeats is far apart.
const NOISE: usize = 1 << 20;

/// What stands before the padding of a post.
const PADDING: &[u8] = b",\"padding\":\"";

/// A post without its padding, which is no part of any post.
pub fn without_padding(value: &[u8]) -> Vec<u8> {
    match value.windows(PADDING.len()).take(400).position(|part| part == PADDING) {
        None => value.to_vec(),
        Some(at) => [&value[..at], b"}"].concat(),
    }
}

/// Posts for a topic, partition by partition in turn.
pub struct Load<'a> {
    /// By which they are written; another may take its place.
    pub producer: Producer,
    topic: &'a str,
    partitions: i32,
    sent: u64,
    padding: usize,
    /// What padding is cut from.
    noise: Vec<u8>,
}

impl<'a> Load<'a> {
    pub fn new(brokers: &str, topic: &'a str, partitions: i32) -> Load<'a> {
        let producer = Producer::new(brokers, "lz4");
        Load { producer, topic, partitions, sent: 0, padding: 0, noise: Vec::new() }
    }

    /// From now on each post has so many bytes that count nothing: many bytes, and few terms. They do not compress, so
    /// that what is fetched is as large as what is kept.
    pub fn pad(&mut self, bytes: usize) {
        self.padding = bytes;
        let mut random = Random::new(7);
        self.noise.resize_with(NOISE + bytes, || b'a' + random.below(26) as u8);
    }

    /// How many posts were handed over.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Hands posts over without waiting for them to be written.
    pub fn hand_over(&mut self, posts: u64) {
        (0..posts).for_each(|_| self.hand_over_one(wall_ms()));
    }

    /// The same with one post, of this time.
    pub fn hand_over_one(&mut self, timestamp: i64) {
        let partition = (self.sent % self.partitions as u64) as i32;
        let mut value = post(self.sent);
        if self.padding > 0 {
            value.pop();
            value.extend_from_slice(PADDING);
            let at = (self.sent as usize).wrapping_mul(99_991) % NOISE;
            value.extend_from_slice(&self.noise[at..at + self.padding]);
            value.extend_from_slice(b"\"}");
        }
        self.producer.send(self.topic, partition, &Sent { value: Some(value), timestamp });
        self.sent += 1;
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

/// Waits until nothing is behind: no lag, an epoch that has just closed, the wall clock as its clock; how long that took.
pub fn until_fresh(client: &Client, patience: Duration) -> Duration {
    let begun = Instant::now();
    until(patience, "fresh answers", || {
        let status: Status = client.get("/v1/status").json();
        let no_lag = status.partitions.iter().all(|partition| partition.lag == Some(0));
        let age = |time: Time| wall_ms() - time.0;
        let fresh = age(status.stamp.as_of) < 2000 && age(status.stamp.clock?) < 3000;
        (no_lag && fresh && !status.stamp.catching_up).then_some(())
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
