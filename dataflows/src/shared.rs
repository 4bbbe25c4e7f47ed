//! A batch behind an `Arc`, so that threads other than the worker can read it.
//!
//! Idea: batches never change once built; only the spine, which lists them, belongs to the worker. So share the
//! batches and keep the spine where it is.
//! Invariant: nothing here mutates a batch; `Shared<B>` is `Send + Sync` exactly when `B` is.
//! Cost: one atomic count per clone; every other call is forwarded.

use std::ops::Deref;
use std::sync::Arc;

use differential_dataflow::trace::implementations::spine_fueled::{Merger, SpineBatch};
use timely::progress::frontier::AntichainRef;

/// A batch that any number of threads may hold.
pub struct Shared<B>(Arc<B>);

impl<B> Clone for Shared<B> {
    fn clone(&self) -> Self {
        Shared(Arc::clone(&self.0))
    }
}

impl<B> From<B> for Shared<B> {
    fn from(batch: B) -> Self {
        Shared(Arc::new(batch))
    }
}

impl<B> Deref for Shared<B> {
    type Target = B;
    fn deref(&self) -> &B {
        &self.0
    }
}

impl<B: SpineBatch> SpineBatch for Shared<B> {
    type Time = B::Time;
    type Merger = SharedMerger<B>;
    fn len(&self) -> usize {
        self.0.len()
    }
}

/// Merges what is behind two of them.
pub struct SharedMerger<B: SpineBatch>(B::Merger);

impl<B: SpineBatch> Merger<Shared<B>> for SharedMerger<B> {
    fn new(one: &Shared<B>, two: &Shared<B>, since: AntichainRef<B::Time>) -> Self {
        SharedMerger(B::Merger::new(one, two, since))
    }
    fn work(&mut self, one: &Shared<B>, two: &Shared<B>, fuel: &mut isize) {
        self.0.work(one, two, fuel)
    }
    fn done(self) -> Option<Shared<B>> {
        self.0.done().map(Shared::from)
    }
}
