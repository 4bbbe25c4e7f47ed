//! What processes of a cluster say to each other beside the dataflow: what they have published, that they live, and what
//! their clients want to know.
//!
//! Idea: timely owns its connections whole, so each pair of processes has a second one. On it each process pushes what it has
//! published to all others as soon as its own workers have all published it, and says that it lives; so each knows at
//! any moment which epoch all have, without asking. A client's question goes to those who own what it is about, at that
//! epoch, in one step.
//! Invariant: nothing here knows what is told, asked and answered: that is the engine's. No peer, stopped, slow or lost,
//! holds a thread that clients or workers need, nor more memory than the bounds of `outbox`, `asked` and `lanes`.
//! Cost: two threads a peer and a few that answer; a frame of some hundred bytes a peer and epoch.

mod asked;
mod frame;
mod lanes;
mod link;
mod outbox;
#[cfg(test)]
mod tests;

use std::io;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use asked::Asked;
pub use asked::{Reply, UNRESPONSIVE, Unanswered};
use frame::{Ask, Frame};
use lanes::{Answer, Lanes};
use link::Link;
use outbox::Outbox;

use super::Heard;

/// How long taking leave may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// Takes what a process has published; false where it makes no sense.
pub type Hear = dyn Fn(usize, &[u8]) -> bool + Send + Sync;

/// Takes note that a process is lost, and why.
pub type Lose = dyn Fn(usize, &str) + Send + Sync;

/// What the engine does with what comes.
pub struct Hooks {
    /// Takes what is told.
    pub told: Box<Hear>,
    /// Answers a question; `None` where it makes no sense.
    pub answer: Arc<Answer>,
    /// A few bits about how this process is.
    pub state: Box<dyn Fn() -> u8 + Send + Sync>,
    /// Takes losses, each once.
    pub lost: Box<Lose>,
}

/// What all threads share.
struct Shared {
    hooks: Hooks,
    heard: Arc<Heard>,
    lanes: Lanes,
    stopping: AtomicBool,
}

/// Another process.
struct Peer {
    process: usize,
    asked: Arc<Asked>,
    outbox: Arc<Outbox>,
    /// How it last said it was.
    state: AtomicU8,
}

/// The other processes of a cluster.
pub struct Peers {
    shared: Arc<Shared>,
    /// By process; `None` at one's own.
    peers: Vec<Option<Arc<Peer>>>,
    links: Mutex<Vec<Link>>,
}

impl Peers {
    /// Over one connection to each other process, by their numbers.
    ///
    /// # Errors
    /// Where a socket cannot be set up, or a thread not be started.
    pub fn start(streams: Vec<Option<TcpStream>>, heard: Arc<Heard>, hooks: Hooks) -> io::Result<Peers> {
        let lanes = Lanes::start(Arc::clone(&hooks.answer))?;
        let shared = Arc::new(Shared { hooks, heard, lanes, stopping: AtomicBool::new(false) });
        let (mut peers, mut links) = (Vec::new(), Vec::new());
        for (process, stream) in streams.into_iter().enumerate() {
            let Some(stream) = stream else {
                peers.push(None);
                continue;
            };
            let (asked, outbox) = (Asked::new(), Arc::new(Outbox::default()));
            let peer = Arc::new(Peer { process, asked, outbox, state: AtomicU8::new(0) });
            links.push(Link::start(&shared, &peer, stream)?);
            peers.push(Some(peer));
        }
        Ok(Peers { shared, peers, links: Mutex::new(links) })
    }

    /// Sends all others what this process has published. What is too large to be sent is not: then no epoch is common any
    /// more, which is noticed.
    pub fn tell(&self, content: Vec<u8>) {
        let bytes = content.len();
        let Some(frame) = Frame::Tell(content).to_bytes() else {
            tracing::error!(
                bytes,
                "what this epoch has to be told of is too large: answers stay at the one before it"
            );
            return;
        };
        self.others().for_each(|peer| peer.outbox.tell(frame.clone()));
    }

    /// Asks a process, and waits so long for its answer; `long`: finding it may take any time, so that it has a turn of its own.
    ///
    /// # Errors
    /// Why there is none; at once where the process has been silent for a while.
    pub fn ask(
        &self,
        process: usize,
        long: bool,
        question: Vec<u8>,
        within: Duration,
    ) -> impl Future<Output = Reply> + Send {
        let until = tokio::time::Instant::now() + within;
        let asked = self.send(process, long, question, within);
        async move { asked?.reply(process, &self.shared.heard, until).await }
    }

    fn send(
        &self,
        process: usize,
        long: bool,
        question: Vec<u8>,
        within: Duration,
    ) -> Result<asked::Question, Unanswered> {
        let peer = self.peers.get(process).and_then(Option::as_ref).ok_or(Unanswered::Lost)?;
        if self.shared.heard.silence(process) >= UNRESPONSIVE {
            return Err(Unanswered::Silent);
        }
        let asked = peer.asked.question()?;
        let within_ms = u32::try_from(within.as_millis()).unwrap_or(u32::MAX);
        let frame = Frame::Ask(Ask { id: asked.id, long, within_ms, question }).to_bytes();
        match frame.is_some_and(|frame| peer.outbox.push(frame)) {
            true => Ok(asked),
            false => Err(Unanswered::Busy),
        }
    }

    /// When each process was last heard of.
    pub fn heard(&self) -> &Heard {
        &self.shared.heard
    }

    /// How a process last said it was.
    pub fn state(&self, process: usize) -> u8 {
        let peer = self.peers.get(process).and_then(Option::as_ref);
        peer.map_or(0, |peer| peer.state.load(Ordering::Relaxed))
    }

    /// Takes leave of all others, so that none of them misses this process, and ends all threads.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.others().for_each(|peer| peer.outbox.close());
        let links = std::mem::take(&mut *self.links.lock().expect("nobody panics with the lock"));
        let until = Instant::now() + FAREWELL;
        links.into_iter().for_each(|link| link.stop(until));
        self.shared.lanes.stop();
    }

    fn others(&self) -> impl Iterator<Item = &Arc<Peer>> {
        self.peers.iter().flatten()
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.stop();
    }
}
