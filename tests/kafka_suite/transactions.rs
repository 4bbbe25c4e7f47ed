//! Producers with transactions: what was committed counts once, what was aborted never, what is open not yet.
//!
//! Idea: at the end of a transaction Kafka writes a marker, which has an offset and is no record. So the last offset of a
//! partition may be one that no reader ever gets, and a reader that waits for it would never have caught up.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use crate::admin::Admin;
use crate::broker::shared;
use crate::load::{Load, count_of, settings, status, until, until_ready};
use crate::oracle::answers::{Offsets, Status};
use crate::support::broker::{Producer, wall_ms};
use crate::support::hostile::Sent;
use crate::support::process::Server;
use crate::support::session::{ask_during, recount};

const PATIENCE: Duration = Duration::from_secs(20);

/// A producer with a transactional id.
pub struct Transactional(BaseProducer);

impl Transactional {
    pub fn of(brokers: &str, id: &str) -> Transactional {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("transactional.id", id)
            .set("log_level", "0")
            .create()
            .unwrap();
        producer.init_transactions(PATIENCE).unwrap();
        Transactional(producer)
    }

    /// Begins a transaction and writes so many posts with a hashtag into each partition, to the broker's disk.
    pub fn begin(&self, topic: &str, partitions: &[i32], hashtag: &str, posts: usize) {
        self.0.begin_transaction().unwrap();
        for partition in partitions {
            for _ in 0..posts {
                let record =
                    BaseRecord::<[u8], [u8]>::to(topic).partition(*partition).payload(hashtag.as_bytes());
                self.0.send(record).map_err(|(error, _)| error).unwrap();
            }
        }
        self.0.flush(PATIENCE).unwrap();
    }

    fn commit(&self) {
        self.0.commit_transaction(PATIENCE).unwrap();
    }

    pub fn abort(&self) {
        self.0.abort_transaction(PATIENCE).unwrap();
    }
}

/// Ready, with no lag anywhere, and windows that end at the wall clock.
fn check_caught_up(client: &crate::support::client::Client) {
    until_ready(client, Duration::from_secs(30));
    until(Duration::from_secs(30), "the wall clock in the stamp, and no lag", || {
        let status: Status = client.get("/v1/status").json();
        let behind_ms = wall_ms() - status.stamp.clock?.0;
        let no_lag = status.partitions.iter().all(|partition| partition.lag == Some(0));
        (no_lag && behind_ms < 2000).then_some(())
    });
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn committed_counts_aborted_does_not_and_markers_hold_nothing_up() {
    const TOPIC: &str = "transactions";
    let broker = shared();
    Admin::of(broker.address()).create(TOPIC, 2, &[]);
    let mut load = Load::new(broker.address(), TOPIC, 2);
    let ours = Transactional::of(broker.address(), "one");
    // There is an aborted transaction, and so a marker, at the very end of both partitions before the start.
    load.send(50);
    ours.begin(TOPIC, &[0, 1], "#aborted before", 100);
    ours.abort();
    let mut server = Server::run(&settings(broker.address(), &[TOPIC], "")).ready();
    let (client, config) = (server.client(), server.config());
    check_caught_up(&client);
    let answers = ask_during(&server, &config, 61, |own, answers| {
        ours.begin(TOPIC, &[0, 1], "#aborted", 300);
        std::thread::sleep(Duration::from_millis(500));
        ours.abort();
        ours.begin(TOPIC, &[0, 1], "#committed", 70);
        ours.commit();
        let counted = |term| count_of(&client, term, &Offsets::new());
        until(Duration::from_secs(30), "what was committed", || (counted("committed") == 140).then_some(()));
        check_caught_up(&client);
        assert_eq!((counted("aborted"), counted("committed")), (0, 140));
        answers.extend(own.ask_everything(&Offsets::new()));

        // Behind the first record of an open transaction nobody may read, not even what others have written.
        ours.begin(TOPIC, &[0], "#open", 10);
        let behind = load.send(40);
        check_caught_up(&client);
        assert_eq!(counted("open"), 0);
        answers.extend(own.ask_everything(&Offsets::new()));
        ours.commit();
        assert_eq!(count_of(&client, "open", &behind), 10);
        check_caught_up(&client);
        answers.extend(own.ask_everything(&behind));

        // Records behind the last markers, so that the recount knows of all offsets.
        load.send(50)
    });
    let status = status(&client);
    assert_eq!(status["posts"], 50 + 140 + 10 + 40 + 50, "{status}");
    assert!(server.terminate().0.success());
    recount(broker.address(), &[TOPIC], &config, &answers);
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn a_topic_with_nothing_but_markers_is_caught_up_with() {
    const TOPIC: &str = "markers";
    let broker = shared();
    Admin::of(broker.address()).create(TOPIC, 1, &[]);
    let ours = Transactional::of(broker.address(), "two");
    for _ in 0..3 {
        ours.begin(TOPIC, &[0], "#aborted", 10);
        ours.abort();
    }
    let mut server = Server::run(&settings(broker.address(), &[TOPIC], "")).ready();
    let client = server.client();
    until_ready(&client, Duration::from_secs(30));
    assert_eq!(status(&client)["partitions"][0]["lag"], 0);
    let written = {
        let producer = Producer::new(broker.address(), "none");
        producer.send(TOPIC, 0, &Sent { value: Some(b"#first".to_vec()), timestamp: wall_ms() });
        producer.flush()
    };
    assert_eq!(count_of(&client, "first", &written), 1);
    check_caught_up(&client);
    assert!(server.terminate().0.success());
}
