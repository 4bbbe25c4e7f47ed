//! Dials a process until it takes this one.
//!
//! Idea: an address is asked for anew at each attempt, since names of hosts come and go with them. That a process is not
//! there yet is usual, and said after a while; what it has against this one is said at its third refusal.
//! Invariant: whoever waits here notices that another process has gone, and then all begin anew.
//! Cost: one attempt a second.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::form::{Anew, CONNECT, Forming, LOOK, SAY, random};
use super::handshake::{self, Refusal};
use super::hello::{Hello, Purpose};
use super::socket::{keep, peek};

/// Refusals after which it is said that a process refuses this one: the first may pass with what came before.
const SURE: u32 = 3;

/// Between two attempts to reach a process, at most.
const AGAIN: Duration = Duration::from_secs(1);

impl Forming {
    /// Dials a process until it takes this one.
    pub(super) fn reach(&self, process: usize, purpose: Purpose) -> Result<(), Anew> {
        let host = &self.hosts[process];
        let (mut pause, mut said, mut refusals) = (LOOK, Instant::now(), 0);
        loop {
            let hello = self.hello(random()?, purpose, process as u32);
            let refusal = match self.dial(host, &hello) {
                Ok((stream, to, theirs)) => {
                    if process == 0 && purpose == Purpose::Data {
                        self.lobby.learn(theirs.generation);
                    }
                    self.lobby.keep(process, purpose, to, stream);
                    return Ok(());
                }
                Err(refusal) => refusal,
            };
            // Its reason matters as soon as it stays the same; that it is not there yet, after a while.
            let was_heard = !matches!(refusal, Refusal::Network(_));
            refusals += u32::from(was_heard);
            let told = was_heard && refusals == SURE;
            if told || said.elapsed() > SAY {
                said = Instant::now();
                tracing::warn!("process {process} ({host}) is not reached yet: {refusal}");
            }
            self.look(|_, _, stream| peek(stream).map(drop))?;
            std::thread::sleep(pause);
            pause = (2 * pause).min(AGAIN);
        }
    }

    fn dial(&self, host: &str, hello: &Hello) -> Result<(TcpStream, SocketAddr, Hello), Refusal> {
        let mut failure = std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address");
        for address in host.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, CONNECT) {
                Ok(mut stream) => {
                    stream.set_nodelay(true)?;
                    let theirs = handshake::dial(&mut stream, hello, &self.key)?;
                    keep(&stream)?;
                    return Ok((stream, address, theirs));
                }
                Err(error) => failure = error,
            }
        }
        Err(failure.into())
    }
}
