//! Metrics, as OpenMetrics text.
//!
//! Idea: what the server does is counted as it happens; what the engine did is read from its newest cut when somebody
//! asks, so that metrics and answers never disagree.
//! Invariant: no value of a label comes from a client: routes are templates, and statuses our own.
//! Cost: two atomic additions and two short locks a request.

mod engine;
mod process;
mod streams;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
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

/// What is measured; clones measure into the same numbers.
#[derive(Clone)]
pub struct Metrics {
    requests: Family<Answered, Counter>,
    seconds: Family<OfRoute, Histogram, fn() -> Histogram>,
    connections: Gauge,
    panics: Counter,
    dropped: Counter,
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
    /// Nothing measured yet.
    pub fn new(reader: &Reader, access: &Access) -> Metrics {
        let _ = access;
        let requests = Family::<Answered, Counter>::default();
        let seconds = Family::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> Histogram);
        let (connections, panics, dropped) = (Gauge::default(), Counter::default(), Counter::default());
        let mut registry = Registry::default();
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("tidings_build", "The version of this program", version);
        registry.register(
            "tidings_http_requests",
            "Requests answered, by route and status",
            requests.clone(),
        );
        registry.register(
            "tidings_http_request_seconds",
            "Time until an answer was ready, in seconds",
            seconds.clone(),
        );
        registry.register("tidings_http_connections", "Connections that are open", connections.clone());
        registry.register("tidings_http_panics", "Requests that met a bug", panics.clone());
        registry.register(
            "tidings_http_dropped_connections",
            "Connections ended since their client did not take what it was sent, streams among them",
            dropped.clone(),
        );
        let streams = Streams::new(&mut registry);
        registry.register_collector(Box::new(engine::Progress::new(reader.clone())));
        registry.register_collector(Box::new(process::Process));
        let notices = Notices::default();
        let registry = Arc::new(registry);
        Metrics { requests, seconds, connections, panics, dropped, streams, notices, registry }
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
        self.notices.say(mistake, client, why);
    }

    /// All metrics as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes all that is written to it");
        text
    }
}
