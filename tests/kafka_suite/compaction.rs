//! A compacted topic: offsets jump where older records of a key were taken away; what is left counts once each.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use crate::admin::Admin;
use crate::broker::shared;
use crate::load::{post, settings, until};
use crate::oracle::answers::Offsets;
use crate::oracle::rules::Record;
use crate::support::broker::read_back;
use crate::support::process::Server;
use crate::support::session::{ask_during, recount};

const TOPIC: &str = "compacted";

/// Segments end as soon as there is a record behind them, and what is closed is cleaned at once.
const SETTINGS: [(&str, &str); 4] = [
    ("cleanup.policy", "compact"),
    ("segment.ms", "200"),
    ("min.cleanable.dirty.ratio", "0.001"),
    ("min.compaction.lag.ms", "0"),
];

struct Keyed {
    producer: BaseProducer,
    sent: u64,
}

impl Keyed {
    fn send(&mut self, key: &str, tombstone: bool) {
        let value = post(self.sent);
        let mut record =
            BaseRecord::<[u8], [u8]>::to(TOPIC).partition((self.sent % 2) as i32).key(key.as_bytes());
        record.payload = (!tombstone).then_some(&value[..]);
        self.producer.send(record).map_err(|(error, _)| error).unwrap();
        self.sent += 1;
    }

    fn flush(&self) {
        self.producer.flush(Duration::from_secs(20)).unwrap();
    }
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn what_compaction_left_counts_once_each() {
    let broker = shared();
    Admin::of(broker.address()).create(TOPIC, 2, &SETTINGS);
    let producer = ClientConfig::new()
        .set("bootstrap.servers", broker.address())
        .set("linger.ms", "5")
        .set("log_level", "0")
        .create();
    let mut keyed = Keyed { producer: producer.unwrap(), sent: 0 };
    for round in 0..12 {
        for n in 0..150 {
            // One in ten keys comes once only, so that holes and records alternate.
            let key = if n % 10 == 0 { format!("once {round} {n}") } else { format!("again {}", n % 30) };
            keyed.send(&key, false);
        }
        keyed.flush();
        std::thread::sleep(Duration::from_millis(250));
    }
    // From here on no key comes twice: what is cleaned from now on is cleaned already.
    let records = until(Duration::from_secs(180), "compaction took no record away, or never ends", || {
        for n in 0..4 {
            keyed.send(&format!("rolls {} {n}", keyed.sent), false);
        }
        keyed.flush();
        std::thread::sleep(Duration::from_millis(1500));
        let records = read_back(broker.address(), &[TOPIC]);
        is_compact(&records, keyed.sent).then_some(records)
    });
    println!("{} of {} records are left", records.len(), keyed.sent);
    assert!(holes(&records) >= 50, "only {} holes", holes(&records));

    let mut server = Server::run(&settings(broker.address(), &[TOPIC], "")).ready();
    let config = server.config();
    let answers = ask_during(&server, &config, 71, |own, answers| {
        for round in 0..30 {
            for n in 0..10 {
                keyed.send(&format!("behind {round} {n}"), n == 3);
            }
            keyed.flush();
            answers.push(own.ask(&Offsets::new()));
            std::thread::sleep(Duration::from_millis(30));
        }
        let (left, right) = (ends(&read_back(broker.address(), &[TOPIC]), 0), keyed.sent.div_ceil(2) as i64);
        assert_eq!(left, right, "the last records are never taken away");
        Offsets::from([(TOPIC.to_owned(), [(0, left), (1, (keyed.sent / 2) as i64)].into())])
    });
    assert!(server.terminate().0.success());
    let (_, after) = recount(broker.address(), &[TOPIC], &config, &answers);
    assert_eq!(after.len(), records.len() + 300, "the topic was still being compacted");
}

/// Whether of each key that came again only the last is left in the closed segments.
fn is_compact(records: &[Record], sent: u64) -> bool {
    // 12 rounds of 150: 15 a round come once, and of 30 keys of the others one each is left, at most.
    let rolls = sent as usize - 12 * 150;
    records.len() <= 12 * 15 + 30 + rolls
}

/// How often an offset does not follow the one before it.
fn holes(records: &[Record]) -> usize {
    let jump =
        |pair: &&[Record]| pair[0].partition == pair[1].partition && pair[0].offset + 1 != pair[1].offset;
    let mut records = records.to_vec();
    records.sort_by_key(|record| (record.partition, record.offset));
    records.windows(2).filter(jump).count()
}

fn ends(records: &[Record], partition: i32) -> i64 {
    let own = records.iter().filter(|record| record.partition == partition);
    own.map(|record| record.offset + 1).max().unwrap_or(0)
}
