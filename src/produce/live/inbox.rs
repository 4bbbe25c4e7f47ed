//! What came from the network and waits for Kafka.
//!
//! Idea: bounded in bytes, not in messages, since these have very different sizes. Who reads the network waits until
//! there is room, so a slow Kafka is felt at the server, as every slow client is.
//! Invariant: at most [`ROOM`] bytes of messages wait, and what is put in comes out, in order, until the receiver goes.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::broken::Broken;

/// How many bytes may wait.
pub const ROOM: usize = 16 << 20;
/// The longest message that is taken; what decoding takes as a record at most.
pub const LONGEST: usize = crate::posts::MAX_RECORD;
/// What a message costs beside its bytes.
const OVERHEAD: usize = 128;

/// One thing to know of a source.
#[derive(Debug)]
pub enum Event {
    /// A message, whatever is in it.
    Message(Message),
    /// Messages of a kind that is no post, and not worth handing on.
    Other(u64),
    /// A message that was left out since it is too long or not what it should be.
    Unreadable(String),
    /// The connection stands.
    Connected(String),
    /// It does not; why, and what comes next.
    Waiting(String),
    /// Something that may interest the user.
    Said(String),
    /// Something that the user should know.
    Notice(String),
    /// There is no point in going on.
    Failed(Broken),
}

/// A message of a source.
#[derive(Debug)]
pub struct Message {
    /// Its bytes: one JSON document.
    pub bytes: Vec<u8>,
    /// Where the source can be resumed, in its own terms; `None` where it cannot.
    pub position: Option<u64>,
    _room: OwnedSemaphorePermit,
}

/// Where a source puts what it reads; clones are the same inbox.
#[derive(Clone, Debug)]
pub struct Inbox {
    sender: Sender<Event>,
    room: Arc<Semaphore>,
}

/// An inbox and its other end.
pub fn inbox() -> (Inbox, Receiver<Event>) {
    let (sender, receiver) = channel();
    (Inbox { sender, room: Arc::new(Semaphore::new(ROOM)) }, receiver)
}

impl Inbox {
    /// Puts a message in, once there is room for it.
    pub async fn message(&self, bytes: Vec<u8>, position: Option<u64>) {
        let size = u32::try_from((bytes.len() + OVERHEAD).min(ROOM)).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        if let Ok(room) = self.room.clone().acquire_many_owned(size).await {
            self.tell(Event::Message(Message { bytes, position, _room: room }));
        }
    }

    /// Puts in anything else, which is small and rare.
    pub fn tell(&self, event: Event) {
        // Nobody receives any more once the program stops.
        let _ = self.sender.send(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_full_inbox_is_waited_for() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (inbox, receiver) = inbox();
            for _ in 0..15 {
                inbox.message(vec![0; 1 << 20], None).await;
            }
            let wait = Duration::from_millis(20);
            assert!(tokio::time::timeout(wait, inbox.message(vec![0; 1 << 20], None)).await.is_err());
            drop(receiver.recv().unwrap());
            assert!(tokio::time::timeout(wait, inbox.message(vec![0; 1 << 20], Some(1))).await.is_ok());
            assert_eq!(receiver.try_iter().count(), 15);
        });
    }
}
