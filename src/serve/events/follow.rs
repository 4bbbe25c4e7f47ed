//! One client of a feed: the body of its answer.
//!
//! Idea: whenever the connection has room, the client is given the event that leads from what it has to what is newest;
//! whatever came in between is skipped. So the pace of the client is the pace at which hyper asks for more, which it does
//! not while [`super::super::connection`]'s buffer is full.
//! Invariant: nothing is kept for a client but the epoch of the last event that it was given.
//! Cost: a shared buffer is handed on; nothing is copied here.

use std::convert::Infallible;
use std::sync::Arc;

use futures_util::Stream;
use hyper::body::Bytes;
use tokio::sync::watch;
use tokio::time::sleep;

use super::beat::{Beat, COMMENT};
use super::feed::SILENCE;
use super::feeds::Slot;

/// The beginning of every stream: a browser that lost it waits two seconds before it comes back.
const OPENING: Bytes = Bytes::from_static(b"retry: 2000\n\n");

struct Client {
    beats: watch::Receiver<Option<Arc<Beat>>>,
    slot: Slot,
    /// The epoch of the last event.
    seen: Option<u64>,
    /// The number of the last beat that was looked at.
    number: Option<u64>,
    opened: bool,
}

/// The events for a client that has the state of epoch `seen`, or none.
pub fn follow(
    beats: watch::Receiver<Option<Arc<Beat>>>,
    seen: Option<u64>,
    slot: Slot,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + Sync {
    let client = Client { beats, slot, seen, number: None, opened: false };
    futures_util::stream::unfold(client, |mut client| async move {
        let bytes = client.next().await?;
        Some((Ok(bytes), client))
    })
}

impl Client {
    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.opened, true) {
            return Some(OPENING);
        }
        loop {
            let beat = self.beats.borrow_and_update().clone();
            if let Some(beat) = beat.filter(|beat| self.number != Some(beat.number)) {
                let skipped = self.number.map_or(0, |last| beat.number - last - 1);
                self.slot.counted.skipped(skipped);
                self.number = Some(beat.number);
                if let Some((event, bytes, epoch)) = beat.after(self.seen) {
                    self.seen = Some(epoch);
                    self.slot.counted.sent(event);
                    return Some(bytes);
                }
            }
            // A feed that has nothing yet has no beat to show that it lives.
            let starting = self.number.is_none();
            tokio::select! {
                changed = self.beats.changed() => changed.ok()?,
                () = sleep(SILENCE), if starting => return Some(COMMENT),
            }
        }
    }
}
