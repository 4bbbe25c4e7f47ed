//! Reading a trace in step with the stream of its own spans.
//!
//! Idea: an operator that is handed the spans of an arrangement knows exactly which part of the trace it has
//! seen; it reads the trace up to there, never further, and says from which time on it tells times apart.
//! Invariant: `upper` is the end of the last span absorbed, moved on over spans without updates, and is a clean
//! cut of the trace.
//! Cost: one pass over the spine's few spans per call.

use differential_dataflow::lattice::Lattice;
use differential_dataflow::trace::{Span, TraceReader};
use timely::PartialOrder;
use timely::progress::{Antichain, Timestamp};

/// A trace as far as its spans have been seen.
pub struct Follower<Tr: TraceReader> {
    trace: Tr,
    upper: Antichain<Tr::Time>,
}

impl<Tr: TraceReader> Follower<Tr> {
    /// Nothing seen yet.
    pub fn new(trace: Tr) -> Self {
        Follower { trace, upper: Antichain::from_elem(Tr::Time::minimum()) }
    }
    /// The batches of all spans absorbed so far.
    pub fn batches(&mut self) -> Vec<Tr::Batch> {
        self.trace.batches_through(self.upper.borrow()).expect("`upper` is a clean cut")
    }
    /// Takes note of a span.
    pub fn absorb(&mut self, span: &Span<Tr::Time, Tr::Batch>) {
        // A span without updates may have been passed already, see `allow_compaction`.
        if PartialOrder::less_equal(&self.upper, span.upper()) {
            self.upper.clone_from(span.upper());
        }
    }
    /// To be called whenever the operator runs, since a handle that is not moved on keeps all history: from now on no two
    /// times up to `time` need be told apart.
    pub fn allow_compaction(&mut self, time: Tr::Time) {
        self.trace.advance_upper(&mut self.upper);
        self.trace.set_logical_compaction(self.upper.meet(&Antichain::from_elem(time)).borrow());
        self.trace.set_physical_compaction(self.upper.borrow());
    }
}
