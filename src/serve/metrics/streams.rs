//! What is measured of `/v1/events`.
//!
//! Idea: counted where it happens, by the client's own side of the stream.
//! Invariant: a stream counts as open exactly as long as it holds its place.
//! Cost: an atomic addition an event.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::about;
use crate::serve::events::Event;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Named {
    event: &'static str,
}

/// Clones measure into the same numbers.
#[derive(Clone)]
pub struct Streams {
    open: Gauge,
    /// By the number of the event.
    sent: [Counter; Event::ALL.len()],
    skipped: Counter,
}

/// A stream, which counts as open until this is dropped.
pub struct OpenStream(Streams);

impl Streams {
    /// Nothing measured yet.
    pub fn new(registry: &mut Registry) -> Streams {
        let (open, events, skipped) =
            (Gauge::default(), Family::<Named, Counter>::default(), Counter::default());
        about::STREAMS.register(registry, open.clone());
        about::STREAM_EVENTS.register(registry, events.clone());
        about::STREAM_SKIPPED.register(registry, skipped.clone());
        let sent = Event::ALL.map(|event| events.get_or_create_owned(&Named { event: event.as_str() }));
        Streams { open, sent, skipped }
    }

    /// Takes note of a stream.
    pub fn opened(&self) -> OpenStream {
        self.open.inc();
        OpenStream(self.clone())
    }
}

impl OpenStream {
    /// Takes note of an event.
    pub fn sent(&self, event: Event) {
        self.0.sent[event as usize].inc();
    }

    /// Takes note of events that were passed over.
    pub fn skipped(&self, events: u64) {
        self.0.skipped.inc_by(events);
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.open.dec();
    }
}
