//! Metrics, as OpenMetrics text.
//!
//! Idea: what the server does is counted as it happens; what the engine did is read from its newest cut when somebody
//! asks, so that metrics and answers never disagree.
//! Invariant: no value of a label comes from a client: routes are templates, and statuses our own.
//! Cost: two atomic additions and two short locks a request.

mod about;
mod engine;
mod process;
mod streams;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use warp::http::StatusCode;

pub use streams::{OpenStream, Streams};

use super::access::Access;
use super::notices::{Mistake, Notices};
use crate::engine::Reader;

/// Upper bounds of the classes of request durations, in seconds.
const SECONDS: [f64; 12] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 2.5, 10.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRoute {
    route: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Mistaken {
    mistake: &'static str,
}

/// The certificate's end, which a reload may change.
#[derive(Debug)]
struct Expiry(Access);

impl Collector for Expiry {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(expires) = self.0.expires() else { return Ok(()) };
        ConstGauge::new(expires).encode(about::EXPIRES.describe(&mut encoder)?)
    }
}

/// What is measured; clones measure into the same numbers.
#[derive(Clone)]
pub struct Metrics {
    requests: Family<Answered, Counter>,
    seconds: Family<OfRoute, Histogram, fn() -> Histogram>,
    connections: Gauge,
    panics: Counter,
    dropped: Counter,
    mistakes: Family<Mistaken, Counter>,
    /// What is measured of streams.
    pub streams: Streams,
    notices: Notices,
    registry: Arc<Registry>,
}

/// A connection, which counts as open until this is dropped.
pub struct Connected(Gauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// Nothing measured yet; of an engine, where there is one.
    pub fn new(reader: Option<&Reader>, access: &Access) -> Metrics {
        let requests = Family::<Answered, Counter>::default();
        let seconds = Family::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> Histogram);
        let (connections, panics, dropped) = (Gauge::default(), Counter::default(), Counter::default());
        let mut registry = Registry::default();
        about::BUILD.register(&mut registry, Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        about::REQUESTS.register(&mut registry, requests.clone());
        about::SECONDS.register(&mut registry, seconds.clone());
        about::CONNECTIONS.register(&mut registry, connections.clone());
        about::PANICS.register(&mut registry, panics.clone());
        about::DROPPED.register(&mut registry, dropped.clone());
        let mistakes = Family::<Mistaken, Counter>::default();
        // From the start, so that a first one is seen as an increase.
        for mistake in Mistake::ALL {
            drop(mistakes.get_or_create(&Mistaken { mistake: mistake.as_str() }));
        }
        about::MISTAKES.register(&mut registry, mistakes.clone());
        let streams = Streams::new(&mut registry);
        if let Some(reader) = reader {
            registry.register_collector(Box::new(engine::Progress::new(reader.clone())));
        }
        registry.register_collector(Box::new(process::Process));
        registry.register_collector(Box::new(Expiry(access.clone())));
        let notices = Notices::default();
        let registry = Arc::new(registry);
        Metrics { requests, seconds, connections, panics, dropped, mistakes, streams, notices, registry }
    }

    /// Takes note of an answer; `route` is a template.
    pub fn answered(&self, route: &'static str, status: StatusCode, took: Duration) {
        self.requests.get_or_create(&Answered { route, status: status.as_u16() }).inc();
        self.seconds.get_or_create(&OfRoute { route }).observe(took.as_secs_f64());
    }

    /// Takes note of a request that met a bug.
    pub fn panicked(&self) {
        self.panics.inc();
    }

    /// Takes note of a connection that was ended since its client did not read.
    pub fn dropped(&self) {
        self.dropped.inc();
    }

    /// Takes note of a connection.
    pub fn connected(&self) -> Connected {
        self.connections.inc();
        Connected(self.connections.clone())
    }

    /// Takes note of a client that speaks something else, and says so in the log.
    pub fn mistaken(&self, mistake: Mistake, client: SocketAddr, why: &str) {
        self.mistakes.get_or_create(&Mistaken { mistake: mistake.as_str() }).inc();
        self.notices.say(mistake, client, why);
    }

    /// All metrics as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes all that is written to it");
        text
    }
}
