//! Who writes: a broker and a producer at an even rate, in a process of their own.
//!
//! Idea: posts are made before, and sent again and again with the time of their sending, so that making them costs
//! nothing while others are measured.

use std::io::Write;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, ThreadedProducer};
use tidings::produce::synthetic::{Mix, Synthetic};

use super::now_us;

const TOPIC: &str = "posts";
const PARTITIONS: i32 = 4;

/// Posts that are sent again and again.
const MADE: usize = 200_000;

/// Says where the broker is, then writes until it is ended.
pub fn run(rate: u64) -> Result<(), String> {
    let cluster = MockCluster::new(1).map_err(|error| error.to_string())?;
    cluster.create_topic(TOPIC, PARTITIONS, 1).map_err(|error| error.to_string())?;
    let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .set("linger.ms", "20")
        .set("compression.type", "lz4")
        .create()
        .map_err(|error| error.to_string())?;
    let mut synthetic = Synthetic::new(1, Mix { bad: 0.0, ..Mix::default() });
    let posts: Vec<_> = (0..MADE).map(|_| synthetic.next(now_us() / 1000)).collect();
    println!("{}", cluster.bootstrap_servers());
    std::io::stdout().flush().map_err(|error| error.to_string())?;
    let (begun, mut sent) = (Instant::now(), 0);
    loop {
        let due = (begun.elapsed().as_secs_f64() * rate as f64) as u64;
        while sent < due {
            let post = &posts[sent as usize % posts.len()];
            let mut record = BaseRecord::to(TOPIC).key(&post.key).timestamp(now_us() / 1000);
            record.payload = post.value.as_ref();
            if producer.send(record).is_err() {
                break;
            }
            sent += 1;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
