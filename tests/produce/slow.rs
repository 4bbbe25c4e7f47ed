//! A slow Kafka is felt by the source's server, and takes no memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio_tungstenite::tungstenite::Message;

use crate::bluesky::{now_us, post};
use crate::producing::Producing;
use crate::servers::{Server, hold};
use crate::support::broker::Embedded;
use crate::support::process::memory_kib;

/// Posts of some 30 KB, beyond all buffers between the server and Kafka.
const POSTS: u32 = 4_000;

#[test]
fn a_server_is_not_read_while_kafka_is_away_and_nothing_is_lost() {
    let broker = Embedded::start(&[("posts", 1)]);
    let sent = Arc::<AtomicU64>::default();
    let counter = sent.clone();
    let server = Server::websocket(
        |_, _| None,
        move |_, socket| {
            let now = now_us();
            for number in 0..POSTS {
                let long =
                    post(number, now).replace("hi #Rust", &format!("hi #Rust {}", "word ".repeat(6_000)));
                if socket.send(Message::text(long)).is_err() {
                    return;
                }
                counter.fetch_add(1, Ordering::Relaxed);
            }
            hold(socket);
        },
    );
    let (brokers, url) = (broker.brokers(), server.url("ws"));
    // Nothing is compressed away, and little waits in the producer.
    let settings = [
        ("TIDINGS__KAFKA__PROPERTIES__COMPRESSION_CODEC", "none"),
        ("TIDINGS__KAFKA__PROPERTIES__QUEUE_BUFFERING_MAX_KBYTES", "4096"),
    ];
    let arguments = ["bluesky", "--brokers", &brokers, "--topic", "posts", "--url", &url];
    let mut producing = Producing::start(&arguments, &settings);
    producing.says("connected to ws://", 1);
    broker.down();
    let (mut before, mut still) = (0, Instant::now());
    while still.elapsed() < Duration::from_secs(2) {
        std::thread::sleep(Duration::from_millis(50));
        let now = sent.load(Ordering::Relaxed);
        if now != before {
            (before, still) = (now, Instant::now());
        }
    }
    assert!(before < u64::from(POSTS), "the server was read to its end though Kafka was away");
    let memory = memory_kib(producing.id(), "VmHWM") >> 10;
    assert!(memory < 200, "{memory} MiB");
    broker.up();
    producing.says("4,000 posts,", 1);
    let ended = producing.stop();
    assert!(ended.well().contains("\n4000 posts, "), "{}", ended.said);
}
