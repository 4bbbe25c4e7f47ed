//! All feeds, and the places of their clients.
//!
//! Idea: the first client that wants something starts a feed, those who want the same join it, and a feed without
//! clients ends.
//! Invariant: there is at most one feed for a wish, and never more clients than there are places, nor more wishes than [`MOST`],
//! each of which costs reads and memory of its own. A feed that met a bug
//! ends its clients' streams; the next client starts it anew.
//! Cost: a short lock when a client comes, and when a feed ends.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::super::api::Api;
use super::super::metrics::{OpenStream, Streams};
use super::beat::Beat;
use super::feed::{self, Beats};
use super::wish::Wish;

/// Different wishes at once.
pub const MOST: usize = if cfg!(test) { 4 } else { 256 };

/// The feeds of a server.
pub struct Feeds {
    most: usize,
    places: Arc<Semaphore>,
    open: Mutex<HashMap<Wish, Arc<Beats>>>,
}

/// The place of a client, free again when this is dropped.
pub struct Slot {
    /// What is counted of it.
    pub counted: OpenStream,
    _place: OwnedSemaphorePermit,
}

impl Feeds {
    /// With places for so many clients.
    pub fn new(most: usize) -> Feeds {
        let places = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Feeds { most, places, open: Mutex::default() }
    }

    /// Clients at once, at most.
    pub fn most(&self) -> usize {
        self.most
    }

    /// A place for a client, if one is free.
    pub fn slot(&self, streams: &Streams) -> Option<Slot> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some(Slot { counted: streams.opened(), _place: place })
    }

    /// The beats of the feed for a wish, which is started where there is none; `None`: there are [`MOST`] others.
    pub fn subscribe(api: &Arc<Api>, wish: Wish) -> Option<watch::Receiver<Option<Arc<Beat>>>> {
        let mut open = api.feeds.open();
        if let Some(beats) = open.get(&wish) {
            return Some(beats.subscribe());
        }
        if open.len() >= MOST {
            return None;
        }
        let (beats, first) = watch::channel(None);
        let beats = Arc::new(beats);
        open.insert(wish.clone(), Arc::clone(&beats));
        tokio::spawn(run(Arc::clone(api), wish, beats));
        Some(first)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Wish, Arc<Beats>>> {
        self.open.lock().expect("nobody panics while they hold the lock")
    }
}

async fn run(api: Arc<Api>, wish: Wish, beats: Arc<Beats>) {
    loop {
        if AssertUnwindSafe(feed::run(&api, &wish, &beats)).catch_unwind().await.is_err() {
            api.metrics.panicked();
            break;
        }
        // Nobody can join between the look and the removal, since both happen under the lock.
        let mut open = api.feeds.open();
        if beats.receiver_count() == 0 || *api.stopping().borrow() {
            open.remove(&wish);
            return;
        }
    }
    api.feeds.open().remove(&wish);
}
