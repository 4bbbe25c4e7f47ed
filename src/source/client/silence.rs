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

/// After how long a silence brokers are named again; an answer may take two or three seconds where a broker is busy.
const LONG: Duration = Duration::from_secs(5);

/// Between two times at the most.
const LONGEST: Duration = Duration::from_secs(60);

/// For how long Kafka has been silent towards one who waits for it.
#[derive(Clone, Copy, Debug)]
pub struct Silence {
    since: Instant,
    /// How long it may last from then on.
    patience: Duration,
}

impl Default for Silence {
    fn default() -> Self {
        Silence { since: Instant::now(), patience: LONG }
    }
}

impl Silence {
    /// Something came, or nothing is waited for.
    pub fn heard(&mut self) {
        *self = Silence::default();
    }

    /// Still nothing: where that has lasted too long, these brokers are named to the client once more.
    pub fn goes_on<C: ClientContext>(&mut self, client: &Client<C>, brokers: &str) {
        if self.since.elapsed() >= self.patience {
            name(client, brokers);
            *self = Silence { since: Instant::now(), patience: (2 * self.patience).min(LONGEST) };
        }
    }
}

/// Names brokers to a client, beside those that it knows.
fn name<C: ClientContext>(client: &Client<C>, brokers: &str) {
    // What has a zero byte in it was refused when the client was made.
    let Ok(brokers) = CString::new(brokers) else { return };
    // SAFETY: the client lives, and the names are copied.
    unsafe {
        rd::rd_kafka_brokers_add(client.native_ptr(), brokers.as_ptr());
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
        let mut silence = Silence::default();
        silence.goes_on(lost.client(), &kafka.bootstrap_servers());
        assert!(lost.fetch_metadata(None, WAIT).is_err(), "a short silence is none");
        let long_ago = Instant::now().checked_sub(LONG).expect("the machine has been up for so long");
        silence.since = long_ago;
        silence.goes_on(lost.client(), &kafka.bootstrap_servers());
        assert!(silence.since > long_ago, "not at every turn");
        let found = (0..30).find_map(|_| lost.fetch_metadata(None, WAIT).ok());
        assert_eq!(found.map(|found| found.brokers().len()), Some(1));
        // Once more does no harm.
        silence = Silence { since: long_ago, patience: LONG };
        silence.goes_on(lost.client(), &kafka.bootstrap_servers());
        assert!(lost.fetch_metadata(None, Duration::from_secs(5)).is_ok());
    }
}
