//! What a job in Rust needs besides its engine: posts out of Kafka, and lines for what changed.
//!
//! Idea: one consumer a worker, on its own partitions, with the client library that tidings has; a batch is what is there
//! at once. Text is read by serde.
//! Invariant: partition p belongs to worker p modulo the number of workers. A line is written whole.
//! Cost: one call of the library a record, and no copy of a text without escapes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde::Deserialize;

/// Length and slide of a window in milliseconds.
const SIZE_MS: i64 = 60_000;
const SLIDE_MS: i64 = 10_000;

/// Threads of a job.
pub const WORKERS: usize = 2;

/// What a job is told on its command line: brokers, topic, workload.
#[derive(Clone)]
pub struct Told {
    pub brokers: String,
    pub topic: String,
    pub posts: bool,
}

impl Told {
    /// From the command line.
    pub fn new() -> Told {
        let mut arguments = std::env::args().skip(1);
        let mut next = || arguments.next().expect("brokers, topic and workload are told");
        Told { brokers: next(), topic: next(), posts: next() == "posts" }
    }
}

impl Default for Told {
    fn default() -> Told {
        Told::new()
    }
}

#[derive(Deserialize)]
struct Post<'a> {
    #[serde(borrow, alias = "word")]
    text: Cow<'a, str>,
    #[serde(default)]
    created_at: i64,
}

/// A worker's part of a topic.
pub struct Feed {
    consumer: BaseConsumer,
}

impl Feed {
    /// The partitions of this worker, from their beginning.
    pub fn new(told: &Told, worker: usize) -> Feed {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &told.brokers)
            .set("group.id", &told.topic)
            .set("enable.auto.commit", "false")
            .set("fetch.wait.max.ms", "10")
            .set("fetch.queue.backoff.ms", "10")
            .set("queued.min.messages", "1000000")
            .create()
            .expect("a consumer");
        let known = consumer.fetch_metadata(Some(&told.topic), Duration::from_secs(10)).expect("the topic");
        let mut mine = TopicPartitionList::new();
        for partition in known.topics()[0].partitions().iter().map(|partition| partition.id()) {
            if partition as usize % WORKERS == worker {
                mine.add_partition_offset(&told.topic, partition, Offset::Beginning).expect("an offset");
            }
        }
        consumer.assign(&mine).expect("an assignment");
        Feed { consumer }
    }

    /// Hands over the time and text of what is there, at most so many; waits two milliseconds for the first, and takes
    /// no longer than twenty.
    pub fn take(&self, most: usize, mut each: impl FnMut(i64, &str)) -> usize {
        let (mut taken, mut patience, begin) = (0, Duration::from_millis(2), Instant::now());
        while taken < most && (taken % 64 != 0 || begin.elapsed() < Duration::from_millis(20)) {
            let Some(message) = self.consumer.poll(patience) else { break };
            let message = message.expect("a record");
            let value = message.payload().expect("a value");
            let post: Post = serde_json::from_slice(value).expect("a post");
            each(post.created_at, &post.text);
            (taken, patience) = (taken + 1, Duration::ZERO);
        }
        taken
    }
}

/// Where the windows begin that a time lies in, in Unix milliseconds.
pub fn windows(time_ms: i64) -> impl Iterator<Item = i64> + Clone {
    let last = time_ms.div_euclid(SLIDE_MS) * SLIDE_MS;
    (0..SIZE_MS / SLIDE_MS).map(move |back| last - back * SLIDE_MS)
}

/// Unix milliseconds now.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Lines of what changed since they were written last.
#[derive(Default)]
pub struct Shown {
    written: HashMap<(i64, bool), Vec<(String, i64)>>,
    lines: String,
}

impl Shown {
    /// The first ten of a window, of tags or of words.
    pub fn top(&mut self, start: i64, tags: bool, top: Vec<(String, i64)>) {
        if self.written.get(&(start, tags)) == Some(&top) {
            return;
        }
        let _ = write!(self.lines, "top {start} {}", if tags { "hashtags" } else { "words" });
        for (term, count) in &top {
            let _ = write!(self.lines, " {} {count}", term.trim_start_matches('#'));
        }
        self.lines.push('\n');
        self.written.insert((start, tags), top);
    }

    /// The count of a word.
    pub fn count(&mut self, word: &str, count: i64) {
        let _ = writeln!(self.lines, "count {word} {count}");
    }

    /// Writes what there is.
    pub fn flush(&mut self) {
        let _ = std::io::stdout().lock().write_all(self.lines.as_bytes());
        let _ = std::io::stdout().flush();
        self.lines.clear();
    }
}
