//! The questions that one peer has been asked and has not answered.
//!
//! Idea: a question has a number and somebody who waits; whatever comes back with the number wakes him. He waits as a task,
//! so that a peer that does not answer holds no thread.
//! Invariant: nobody waits for longer than he said, nor for a peer that has been silent for [`UNRESPONSIVE`] or is lost; who no
//! longer waits is forgotten at once. An answer to no question is dropped.
//! Cost: an entry in a map a question.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::cluster::Heard;

/// Questions to one peer that wait for their answers, at most.
const MOST: usize = 4096;

/// After so long a silence nobody waits for a peer's answer: what was lost twice on the way has come again by then.
pub const UNRESPONSIVE: Duration = Duration::from_secs(3);

/// How often whoever waits looks whether the peer is still heard of.
const LOOK: Duration = Duration::from_millis(500);

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Nothing has come from the process for a while, or no answer in time.
    Silent,
    /// It has more to do than it can.
    Busy,
    /// It met a bug.
    Failed,
    /// There is no connection to it any more.
    Lost,
}

/// What comes back.
pub type Reply = Result<Vec<u8>, Unanswered>;

/// Who waits for the answers of one peer; `None` once it is lost.
type Waiting = Option<HashMap<u64, oneshot::Sender<Reply>>>;

/// All questions to one peer.
pub struct Asked {
    waiting: Mutex<Waiting>,
    next: AtomicU64,
}

/// One question on its way.
pub struct Question {
    /// Its number.
    pub id: u64,
    reply: oneshot::Receiver<Reply>,
    of: Arc<Asked>,
}

impl Asked {
    /// None yet.
    pub fn new() -> Arc<Asked> {
        Arc::new(Asked { waiting: Mutex::new(Some(HashMap::new())), next: AtomicU64::new(0) })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("nobody panics while they hold the lock")
    }

    /// A number for a question, under which its answer is waited for.
    ///
    /// # Errors
    /// `Lost`, or `Busy` where too many questions wait already.
    pub fn question(self: &Arc<Asked>) -> Result<Question, Unanswered> {
        let mut waiting = self.lock();
        let waiting = waiting.as_mut().ok_or(Unanswered::Lost)?;
        if waiting.len() >= MOST {
            return Err(Unanswered::Busy);
        }
        let (id, (sender, reply)) = (self.next.fetch_add(1, Ordering::Relaxed), oneshot::channel());
        waiting.insert(id, sender);
        Ok(Question { id, reply, of: Arc::clone(self) })
    }

    /// Hands a reply to whoever waits for it, if somebody does.
    pub fn answered(&self, id: u64, reply: Reply) {
        let sender = self.lock().as_mut().and_then(|waiting| waiting.remove(&id));
        // Who has just given up does not want it.
        sender.into_iter().for_each(|sender| drop(sender.send(reply.clone())));
    }

    /// No answer will come any more.
    pub fn lose(&self) {
        // Those who wait see that their senders are gone.
        *self.lock() = None;
    }
}

impl Question {
    /// Waits for the reply of this process.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn reply(mut self, process: usize, heard: &Heard, until: Instant) -> Reply {
        loop {
            let look = until.min(Instant::now() + LOOK);
            match timeout_at(look, &mut self.reply).await {
                Ok(Ok(reply)) => return reply,
                Ok(Err(_)) => return Err(Unanswered::Lost),
                Err(_) if look == until || heard.silence(process) >= UNRESPONSIVE => {
                    return Err(Unanswered::Silent);
                }
                Err(_) => {}
            }
        }
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        if let Some(waiting) = self.of.lock().as_mut() {
            waiting.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait<F: Future>(future: F) -> F::Output {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(future)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(50)
    }

    #[test]
    fn whoever_asked_gets_his_own_answer() {
        let (asked, heard) = (Asked::new(), Heard::new(0, 2));
        let (one, two) = (asked.question().expect("room"), asked.question().expect("room"));
        asked.answered(two.id, Ok(vec![2]));
        asked.answered(one.id, Err(Unanswered::Busy));
        asked.answered(one.id, Ok(vec![1]));
        asked.answered(999, Ok(vec![9]));
        wait(async {
            assert_eq!(one.reply(1, &heard, soon()).await, Err(Unanswered::Busy));
            assert_eq!(two.reply(1, &heard, soon()).await, Ok(vec![2]));
        });
    }

    #[test]
    fn nobody_waits_for_ever_or_is_remembered() {
        let (asked, heard) = (Asked::new(), Heard::new(0, 2));
        let held: Vec<_> = (0..MOST).map(|_| asked.question().expect("room")).collect();
        assert_eq!(asked.question().err(), Some(Unanswered::Busy));
        drop(held);
        let question = asked.question().expect("room again");
        wait(async { assert_eq!(question.reply(1, &heard, soon()).await, Err(Unanswered::Silent)) });
        assert_eq!(asked.lock().as_ref().map(HashMap::len), Some(0));
        let question = asked.question().expect("room");
        asked.lose();
        wait(async { assert_eq!(question.reply(1, &heard, soon()).await, Err(Unanswered::Lost)) });
        assert_eq!(asked.question().err(), Some(Unanswered::Lost));
    }
}
