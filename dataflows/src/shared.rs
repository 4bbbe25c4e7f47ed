//! A batch behind an `Arc`, so that threads other than the worker can read it.
//!
//! Idea: batches never change once built; only the spine, which lists them, belongs to the worker. So share the
//! batches and keep the spine where it is.
//! Invariant: nothing here mutates a batch; `Shared<B>` is `Send + Sync` exactly when `B` is.
//! Cost: one atomic count per clone; every other call is forwarded.

use std::ops::Deref;
use std::sync::Arc;

use differential_dataflow::trace::cursor::{Cursor, Navigable};
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

impl<B: Navigable> Navigable for Shared<B> {
    type Cursor = SharedCursor<B::Cursor>;
    fn cursor(&self) -> Self::Cursor {
        SharedCursor(self.0.cursor())
    }
}

/// A cursor over what is behind one.
pub struct SharedCursor<C>(C);

impl<C: Cursor> Cursor for SharedCursor<C> {
    type Storage = Shared<C::Storage>;
    type Key<'a> = C::Key<'a>;
    type Val<'a> = C::Val<'a>;
    type ValOwn = C::ValOwn;
    type Time = C::Time;
    type TimeGat<'a> = C::TimeGat<'a>;
    type Diff = C::Diff;
    type DiffGat<'a> = C::DiffGat<'a>;
    type KeyContainer = C::KeyContainer;
    type ValContainer = C::ValContainer;
    type TimeContainer = C::TimeContainer;
    type DiffContainer = C::DiffContainer;

    fn key_valid(&self, batch: &Self::Storage) -> bool {
        self.0.key_valid(batch)
    }
    fn val_valid(&self, batch: &Self::Storage) -> bool {
        self.0.val_valid(batch)
    }
    fn key<'a>(&self, batch: &'a Self::Storage) -> Self::Key<'a> {
        self.0.key(batch)
    }
    fn val<'a>(&self, batch: &'a Self::Storage) -> Self::Val<'a> {
        self.0.val(batch)
    }
    fn get_key<'a>(&self, batch: &'a Self::Storage) -> Option<Self::Key<'a>> {
        self.0.get_key(batch)
    }
    fn get_val<'a>(&self, batch: &'a Self::Storage) -> Option<Self::Val<'a>> {
        self.0.get_val(batch)
    }
    fn map_times<L: FnMut(Self::TimeGat<'_>, Self::DiffGat<'_>)>(&mut self, batch: &Self::Storage, logic: L) {
        self.0.map_times(batch, logic)
    }
    fn step_key(&mut self, batch: &Self::Storage) {
        self.0.step_key(batch)
    }
    fn seek_key(&mut self, batch: &Self::Storage, key: Self::Key<'_>) {
        self.0.seek_key(batch, key)
    }
    fn step_val(&mut self, batch: &Self::Storage) {
        self.0.step_val(batch)
    }
    fn seek_val(&mut self, batch: &Self::Storage, val: Self::Val<'_>) {
        self.0.seek_val(batch, val)
    }
    fn rewind_keys(&mut self, batch: &Self::Storage) {
        self.0.rewind_keys(batch)
    }
    fn rewind_vals(&mut self, batch: &Self::Storage) {
        self.0.rewind_vals(batch)
    }
}
