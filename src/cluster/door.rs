//! Where other processes knock: a listener that lets in whoever proves to be one of them, now and for as long as this
//! process lives.
//!
//! Idea: each connection has its handshake on a thread of its own, so that a silent one keeps nobody waiting. The listener
//! stays open while the engine runs: a process that comes alone is told why it has to wait.
//! Invariant: no more handshakes at once than `guests` allows, so that a flood of silent connections never locks a process
//! out. Nothing that a stranger does ends this process or holds up its start. A reason is logged at most once in [`QUIET`]
//! for each address and kind.
//! Cost: a thread that waits, and one for each handshake.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::ClusterError;
use super::guests::Guests;
use super::handshake::Refusal;

/// Between two log lines of a kind about an address.
pub const QUIET: Duration = Duration::from_secs(10);

/// Addresses that are remembered for the log.
const REMEMBERED: usize = 1024;

/// How long an address may be unknown, taken, or not yet one of this host, when a process starts: interfaces come up late.
const PATIENCE: Duration = Duration::from_secs(30);

/// Meets one connection: does the handshake, and keeps the connection where it is wanted.
pub type Meet = Box<dyn Fn(TcpStream, SocketAddr) -> Result<(), Refusal> + Send + Sync>;

/// An open listener. It closes when this is dropped.
#[derive(Debug)]
pub struct Door {
    address: SocketAddr,
    closed: Arc<AtomicBool>,
}

impl Door {
    /// Listens on the address of process `me`, which is `host`, and meets whoever comes.
    ///
    /// # Errors
    /// Where the address is not one of this host, or stays taken or unknown.
    pub fn open(host: &str, me: usize, meet: Meet) -> Result<Door, ClusterError> {
        let listener = listen(host, me, PATIENCE)?;
        let address = listener.local_addr().map_err(|error| ClusterError::Io(error.to_string()))?;
        let closed = Arc::new(AtomicBool::new(false));
        let door = Door { address, closed: Arc::clone(&closed) };
        let (meet, quiet) = (Arc::new(meet), Arc::new(Quiet::default()));
        let guests = Arc::new(Guests::default());
        let welcome = move || {
            while !closed.load(Ordering::SeqCst) {
                let Ok((stream, from)) = listener.accept() else {
                    // No file descriptor is left, perhaps; it passes.
                    std::thread::sleep(Duration::from_millis(100));
                    continue;
                };
                if closed.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(number) = guests.enter(&stream, from) else { continue };
                let (meet, inside, quiet) = (Arc::clone(&meet), Arc::clone(&guests), Arc::clone(&quiet));
                let handshake = move || {
                    let met = meet(stream, from);
                    inside.leave(number);
                    if let Err(refusal) = met {
                        quiet.say(from, &refusal);
                    }
                };
                let thread = std::thread::Builder::new().name("cluster-guest".to_owned()).spawn(handshake);
                if thread.is_err() {
                    // The connection is closed with what would have met it, and the other side tries again.
                    guests.leave(number);
                }
            }
        };
        let thread = std::thread::Builder::new().name("cluster-door".to_owned()).spawn(welcome);
        thread.map_err(|error| ClusterError::Io(format!("cannot start a thread: {error}")))?;
        Ok(door)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes the thread, if it still waits.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

fn listen(host: &str, me: usize, patience: Duration) -> Result<TcpListener, ClusterError> {
    let begun = Instant::now();
    let mut said = false;
    loop {
        let bound = host.to_socket_addrs().and_then(|addresses| {
            let addresses: Vec<SocketAddr> = addresses.collect();
            TcpListener::bind(&addresses[..])
        });
        let error = match bound {
            Ok(listener) => return Ok(listener),
            Err(error) => error,
        };
        match error.kind() {
            io::ErrorKind::AddrNotAvailable if begun.elapsed() > patience => {
                return Err(ClusterError::Config(format!(
                    "process {me} is to listen on {host}, which is no address of this host: is `cluster.process` (--process) \
                     the right one?"
                )));
            }
            io::ErrorKind::PermissionDenied => {
                return Err(ClusterError::Config(format!("this process may not listen on {host}: {error}")));
            }
            _ if begun.elapsed() > patience => {
                return Err(ClusterError::Io(format!(
                    "cannot listen on {host} for other processes: {error}"
                )));
            }
            // The one before may not be gone yet, a name not be known yet.
            _ if !std::mem::replace(&mut said, true) => {
                tracing::warn!("cannot listen on {host} for other processes yet: {error}");
            }
            _ => {}
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Keeps the log short, whoever knocks however often.
#[derive(Default)]
struct Quiet {
    said: Mutex<BTreeMap<(IpAddr, &'static str), Instant>>,
}

impl Quiet {
    fn say(&self, from: SocketAddr, refusal: &Refusal) {
        let kind = match refusal {
            Refusal::Network(_) => "network",
            Refusal::Stranger(_) => "stranger",
            Refusal::Ours(_) => "ours",
            Refusal::Theirs(_) => "theirs",
        };
        let mut said = self.said.lock().expect("no holder panics");
        if said.len() > REMEMBERED {
            said.clear();
        }
        let last = said.insert((from.ip(), kind), Instant::now());
        match last.filter(|last| last.elapsed() < QUIET) {
            None => tracing::warn!(%from, "a connection to the cluster's port was refused: {refusal}"),
            Some(last) => {
                said.insert((from.ip(), kind), last);
                tracing::debug!(%from, "a connection to the cluster's port was refused: {refusal}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_late_and_is_a_mistake_after_a_while() {
        let begun = Instant::now();
        let late = listen("192.0.2.1:2101", 1, Duration::from_millis(300)).expect_err("of no host");
        assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
        assert!(matches!(&late, ClusterError::Config(why) if why.contains("--process")), "{late}");

        let held = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = held.local_addr().expect("bound").to_string();
        let leaving = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            drop(held);
        });
        listen(&address, 1, Duration::from_secs(30)).expect("it is free by then");
        leaving.join().expect("no panic");
    }
}
