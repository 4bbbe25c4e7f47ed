//! One peer's connection: a thread that reads and one that writes.
//!
//! Idea: both block on the socket, as it is one of a few; nothing else ever waits for a peer. The reader hands each frame to
//! whom it is for, the writer sends what waits, and a sign of life when nothing has been sent for [`BEAT`].
//! Invariant: a connection that ends, breaks, or brings what is no frame, is lost: once, with the reason, and not where the
//! peer has taken its leave. So is one on which nothing has come for [`GIVE_UP`].
//! Cost: two threads a peer.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::asked::Unanswered;
use super::frame::{Frame, FrameError};
use super::outbox::Next;
use super::{Peer, Shared};
use crate::cluster::heard::GIVE_UP;

/// How often something is sent, at least.
const BEAT: Duration = Duration::from_millis(500);

/// How often whoever waits for a peer looks for how long he has done so.
const LOOK: Duration = Duration::from_secs(1);

/// The threads of one connection.
pub struct Link {
    stream: TcpStream,
    reader: JoinHandle<()>,
    writer: JoinHandle<()>,
}

impl Link {
    /// Starts them.
    ///
    /// # Errors
    /// Where the socket cannot be set up, or a thread not be started.
    pub fn start(shared: &Arc<Shared>, peer: &Arc<Peer>, stream: TcpStream) -> io::Result<Link> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(LOOK))?;
        // A peer that is stopped takes nothing, and yet may go on later; that it does not is noticed by the reader.
        stream.set_write_timeout(None)?;
        let (from, to) = (stream.try_clone()?, stream.try_clone()?);
        let thread = |name: &str| std::thread::Builder::new().name(format!("peer-{name}-{}", peer.process));
        let ended = Arc::new(AtomicBool::new(false));
        let end = {
            let (shared, peer, ended) = (Arc::clone(shared), Arc::clone(peer), Arc::clone(&ended));
            move |why: Option<String>| {
                peer.asked.lose();
                peer.outbox.discard();
                if !ended.swap(true, Ordering::SeqCst)
                    && let Some(why) = why
                    && !shared.stopping.load(Ordering::SeqCst)
                {
                    (shared.hooks.lost)(peer.process, &why);
                }
            }
        };
        let reader = {
            let (shared, peer, end) = (Arc::clone(shared), Arc::clone(peer), end.clone());
            thread("reads")
                .spawn(move || end(read(&shared, &peer, from).err().map(|error| error.to_string())))?
        };
        let writer = {
            let (shared, peer) = (Arc::clone(shared), Arc::clone(peer));
            thread("writes").spawn(move || {
                if let Err(error) = write(&shared, &peer, to) {
                    end(Some(error.to_string()));
                }
            })?
        };
        Ok(Link { stream, reader, writer })
    }

    /// Waits until what waits has been sent and the peer has taken its leave too, no longer than until this moment; then
    /// ends the connection. A socket closed before would take with it what the peer has not read yet.
    pub fn stop(self, until: Instant) {
        while !(self.writer.is_finished() && self.reader.is_finished()) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
        // It fails where the connection has ended already.
        let _ = self.stream.shutdown(Shutdown::Both);
        // A panic has been said already.
        drop((self.reader.join(), self.writer.join()));
    }
}

/// Notes a sign of life at every piece that comes, since a large frame may take its time; gives a peer up that has not given
/// one for [`GIVE_UP`].
struct Noting<'a> {
    shared: &'a Shared,
    peer: &'a Peer,
    from: TcpStream,
}

impl Read for Noting<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let silence = self.shared.heard.silence(self.peer.process);
            match self.from.read(into) {
                // A process that was stopped and goes on finds its reads interrupted, where they have a time limit.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && silence < GIVE_UP => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let why = format!("nothing has been heard of it for {} s", silence.as_secs());
                    return Err(io::Error::new(io::ErrorKind::TimedOut, why));
                }
                Ok(read) if read > 0 => {
                    self.shared.heard.hear(self.peer.process);
                    return Ok(read);
                }
                ended => return ended,
            }
        }
    }
}

fn read(shared: &Shared, peer: &Peer, from: TcpStream) -> Result<(), FrameError> {
    let mut from = BufReader::new(Noting { shared, peer, from });
    loop {
        match Frame::read(&mut from)? {
            Frame::Tell(content) => {
                if !(shared.hooks.told)(peer.process, &content) {
                    return Err(FrameError::Malformed("what it tells makes no sense"));
                }
            }
            Frame::Beat(state) => peer.state.store(state, Ordering::Relaxed),
            Frame::Ask(ask) => shared.lanes.answer(ask, &peer.outbox),
            Frame::Answer(id, answer) => peer.asked.answered(id, Ok(answer)),
            Frame::Busy(id) => peer.asked.answered(id, Err(Unanswered::Busy)),
            Frame::Failed(id) => peer.asked.answered(id, Err(Unanswered::Failed)),
            Frame::Bye => return Ok(()),
        }
    }
}

fn write(shared: &Shared, peer: &Peer, mut to: TcpStream) -> io::Result<()> {
    let mut due = Instant::now();
    loop {
        let bytes = match peer.outbox.next(due) {
            Next::Send(bytes) => bytes,
            Next::Due => {
                due = Instant::now() + BEAT;
                let beat = Frame::Beat((shared.hooks.state)());
                to.write_all(&beat.to_bytes().expect("a beat is small"))?;
                continue;
            }
            Next::Closed => {
                let bye = Frame::Bye.to_bytes().expect("a farewell is small");
                // Who has gone already needs none.
                let _ = to.write_all(&bye).and_then(|()| to.shutdown(Shutdown::Write));
                return Ok(());
            }
        };
        to.write_all(&bytes)?;
    }
}
