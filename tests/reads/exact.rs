//! Every answer from every process equals a recount of the records that it names, during the load and after it, and all
//! processes say the same of the same epoch.

use std::time::Duration;

use crate::support::broker::{Embedded, Producer, wall_ms};
use crate::support::client::Client;
use crate::support::hostile::Hostile;
use crate::support::process::Server;
use crate::support::random::{Random, seed};
use crate::support::several::{ask_each_during, recount_each, run, stop_all};

/// What is counted by whom.
pub struct Case<'a> {
    pub brokers: &'a str,
    /// It is there, and has so many partitions.
    pub topic: &'a str,
    pub partitions: i32,
    pub records: usize,
    pub processes: usize,
    pub workers: usize,
    pub clock: &'a str,
    /// The smallest timestamp that the broker takes.
    pub from_ms: i64,
    pub seed: u64,
}

impl Case<'_> {
    /// Writes, asks and recounts.
    pub fn is_exact(&self) {
        let Case { brokers, topic, partitions, records, processes, workers, clock, from_ms, seed } = *self;
        let text = format!(
            "[kafka]\nbrokers = \"{brokers}\"\ntopics = [\"{topic}\"]\nstart = \"earliest\"\n[posts]\ntime = \"record\"\n\
             [engine]\nworkers = {workers}\nclock = \"{clock}\"\nepoch = \"60ms\"\n\
             [[count]]\nname = \"tags\"\nof = \"hashtags\"\nwindows = [\"3s/500ms\", \"1m\", \"all\"]\n\
             [[count]]\nname = \"words\"\nof = \"words\"\nwindows = [\"2s/1s\", \"all\"]\n",
        );
        let producer = Producer::new(brokers, "zstd");
        let (mut hostile, mut random) = (Hostile::new(seed), Random::new(seed));
        let mut sent = 0;
        let mut send = |some: usize, random: &mut Random| {
            for _ in 0..some {
                let mut record = hostile.next(wall_ms());
                record.timestamp = record.timestamp.max(from_ms);
                producer.send(topic, random.below(partitions as u64) as i32, &record);
            }
            sent += some;
            producer.flush();
            sent
        };
        send(records / 4, &mut random);
        let mut servers = run(&text, processes);
        let config = servers[0].config();
        let clients: Vec<Client> = servers.iter().map(Server::client).collect();
        let answers = ask_each_during(&clients, &config, seed, || {
            while send(1 + random.below(80) as usize, &mut random) < records {
                std::thread::sleep(Duration::from_millis(random.below(80)));
            }
            producer.flush()
        });
        stop_all(&mut servers);
        recount_each(brokers, &[topic], &config, &answers);
    }
}

#[test]
fn two_processes_of_one_worker() {
    embedded(21, 2, 1, 3, "wall");
}

#[test]
fn three_processes_of_two_workers_and_one_partition() {
    embedded(22, 3, 2, 1, "event");
}

fn embedded(own_seed: u64, processes: usize, workers: usize, partitions: i32, clock: &str) {
    let broker = Embedded::start(&[("posts", partitions)]);
    let (brokers, seed) = (broker.brokers(), seed(own_seed));
    let (topic, records, from_ms) = ("posts", 1500, i64::MIN);
    Case { brokers: &brokers, topic, partitions, records, processes, workers, clock, from_ms, seed }
        .is_exact();
}
