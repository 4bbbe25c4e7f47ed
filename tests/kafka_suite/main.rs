//! Kafka as it is in production: outages, added partitions, transactions, compaction, retention, TLS, several brokers.
//!
//! Idea: what brokers, operators and other producers do to a topic is done to one that is being counted, on a real Apache
//! Kafka. Answers are read all the while, and each is compared with a recount of the records that its own stamp names.
//! Invariant: one broker serves all tests that do not harm it and run at the same time; each has topics of its own.
//! Cost: some ten minutes, 3 GB of memory. `TIDINGS_KAFKA_HOME` says where the jars are; see `tests/kafka/kafka.sh`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;

mod added;
mod admin;
mod ahead;
mod backlog;
mod broker;
mod compaction;
mod compression;
mod cut;
mod damaged;
mod deleted;
mod fresh;
mod held;
mod kept;
mod leader;
mod load;
mod lost;
mod outage;
mod rights;
#[cfg(feature = "tls")]
mod secured;
mod segment;
mod silent;
mod slow_answers;
mod stuck;
mod transactions;
