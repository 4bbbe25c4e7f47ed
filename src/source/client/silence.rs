//! Brings clients back that have forgotten all brokers.
//!
//! Idea: since its version 2.10 librdkafka forgets the brokers that an answer does not name. A broker that goes down, or comes
//! up, may name none at all; then all are forgotten, nobody is asked any more, and the client is silent for good, with no
//! error (<https://github.com/confluentinc/librdkafka/issues/5301>). Naming the brokers once more brings it back. So whoever
//! waits for Kafka, and has not heard of it for a while, names them.
//! Invariant: nothing that waits is lost by it, and a client that knows its brokers goes on as it did.
//! Cost: a copy of the brokers' names each time, which librdkafka keeps, and a thread of its own until the next answer names the
//! brokers. That is five seconds after the last sign of life, then ever later, and once a minute where silence lasts.

#![expect(unsafe_code, reason = "brokers can be named to a living client in librdkafka's C interface only")]

use std::ffi::CString;
use std::time::{Duration, Instant};

use rdkafka::bindings as rd;
use rdkafka::client::{Client, ClientContext};
use rdkafka::producer::{Producer, ProducerContext, ThreadedProducer};

/// After how long a silence brokers are named again; an answer may take two or three seconds where a broker is busy.
const LONG: Duration = Duration::from_secs(5);

/// Between two times at the most.
const LONGEST: Duration = Duration::from_secs(60);

/// For how long Kafka has been silent towards one who waits for it.
#[derive(Clone, Debug)]
pub struct Silence {
    brokers: CString,
    since: Instant,
    /// How long it may last from then on.
    patience: Duration,
    /// Records of which it was known what became of them when that was last said.
    settled: u64,
}

impl Silence {
    /// Nothing is waited for yet; these brokers are to be named.
    pub fn new(brokers: &str) -> Silence {
        // What has a zero byte in it is refused when the client is made.
        let brokers = CString::new(brokers).unwrap_or_default();
        Silence { brokers, since: Instant::now(), patience: LONG, settled: 0 }
    }

    /// Something came, or nothing is waited for.
    pub fn heard(&mut self) {
        (self.since, self.patience) = (Instant::now(), LONG);
    }

    /// Still nothing: where that has lasted too long, the brokers are named to the client once more.
    pub fn goes_on<C: ClientContext>(&mut self, client: &Client<C>) {
        if self.since.elapsed() >= self.patience {
            // SAFETY: the client lives, and the names are copied.
            unsafe {
                rd::rd_kafka_brokers_add(client.native_ptr(), self.brokers.as_ptr());
            }
            (self.since, self.patience) = (Instant::now(), (2 * self.patience).min(LONGEST));
        }
    }

    /// One of the two for a producer, of so many of whose records it is known what became of them.
    pub fn listen<C: ProducerContext>(&mut self, producer: &ThreadedProducer<C>, settled: u64) {
        if settled != std::mem::replace(&mut self.settled, settled) || producer.in_flight_count() == 0 {
            self.heard();
        } else {
            self.goes_on(producer.client());
        }
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::ClientConfig;
    use rdkafka::consumer::{BaseConsumer, Consumer};
    use rdkafka::mocking::MockCluster;

    use super::*;
    use crate::source::client::{Watch, create};

    const WAIT: Duration = Duration::from_millis(300);

    #[test]
    fn a_client_that_knows_no_broker_is_brought_back() {
        let kafka = MockCluster::new(1).unwrap();
        // As one is that has forgotten them all.
        let lost: BaseConsumer<Watch> = create(&ClientConfig::new(), Watch::default()).unwrap();
        assert!(lost.fetch_metadata(None, WAIT).is_err());
        let mut silence = Silence::new(&kafka.bootstrap_servers());
        silence.goes_on(lost.client());
        assert!(lost.fetch_metadata(None, WAIT).is_err(), "a short silence is none");
        let long_ago = Instant::now().checked_sub(LONG).expect("the machine has been up for so long");
        silence.since = long_ago;
        silence.goes_on(lost.client());
        assert!(silence.since > long_ago, "not at every turn");
        let found = (0..30).find_map(|_| lost.fetch_metadata(None, WAIT).ok());
        assert_eq!(found.map(|found| found.brokers().len()), Some(1));
        // Once more does no harm.
        (silence.since, silence.patience) = (long_ago, LONG);
        silence.goes_on(lost.client());
        assert!(lost.fetch_metadata(None, Duration::from_secs(5)).is_ok());
    }
}
