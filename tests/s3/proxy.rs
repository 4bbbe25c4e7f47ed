//! A proxy that does to connections what networks and busy servers do.
//!
//! Idea: a connection is handed on byte by byte, so signatures stay right; what is to go wrong with it is drawn when it comes.
//! Invariant: whatever it was started for ends with its handle.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is handed on.
    None,
    /// The server says that it is busy.
    Busy,
    /// After so many bytes towards the server it is cut: a request is torn.
    CutThere(usize),
    /// After so many bytes towards the program it is cut: an answer is torn or lost, whose request has done its work.
    CutBack(usize),
    /// Nothing is answered for so long, then it is handed on.
    Slow(Duration),
    /// It is closed at once, as by one that is not there.
    Gone,
}

/// The proxy.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// Whether all connections are closed at once.
    away: AtomicBool,
    faults: AtomicU32,
}

const BUSY: &[u8] = b"HTTP/1.1 503 Slow Down\r\ncontent-type: application/xml\r\ncontent-length: 110\r\nconnection: close\r\n\r\n\
<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>  ";

impl Proxy {
    /// Before a server; `faults` is asked for each connection.
    pub fn start(server: u16, mut faults: impl FnMut() -> Fault + Send + 'static) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, shared) = (listener.local_addr().unwrap().port(), Arc::new(Shared::default()));
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if own.stop.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(client), fault) = (client, faults()) else { continue };
                let fault = if own.away.load(Ordering::Relaxed) { Fault::Gone } else { fault };
                own.faults.fetch_add(u32::from(fault != Fault::None), Ordering::Relaxed);
                let own = Arc::clone(&own);
                std::thread::spawn(move || serve(&client, server, fault, &own));
            }
        });
        Proxy { port, shared }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many connections had a fault.
    pub fn faults(&self) -> u32 {
        self.shared.faults.load(Ordering::Relaxed)
    }

    /// Whether there is nobody to be reached from now on.
    pub fn away(&self, away: bool) {
        self.shared.away.store(away, Ordering::Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // So that it looks.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(client: &TcpStream, server: u16, fault: Fault, shared: &Shared) {
    let (mut there, mut back) = (usize::MAX, usize::MAX);
    match fault {
        Fault::None => {}
        Fault::Gone => return drop(client.shutdown(Shutdown::Both)),
        Fault::Busy => {
            // Its head at least, so that it does not end with a reset.
            let _ = (&mut &*client).read(&mut [0; 4096]);
            let _ = (&mut &*client).write_all(BUSY);
            std::thread::sleep(Duration::from_millis(20));
            return drop(client.shutdown(Shutdown::Both));
        }
        Fault::CutThere(after) => there = after,
        Fault::CutBack(after) => back = after,
        Fault::Slow(time) => std::thread::sleep(time),
    }
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
        return drop(client.shutdown(Shutdown::Both));
    };
    std::thread::scope(|scope| {
        scope.spawn(|| hand_on(client, &server, there, shared));
        hand_on(&server, client, back, shared);
    });
}

/// Hands bytes on until either side ends or so many have gone; then both are closed.
fn hand_on(mut from: &TcpStream, mut to: &TcpStream, most: usize, shared: &Shared) {
    let (mut left, mut bytes) = (most, [0; 1 << 16]);
    let _ = from.set_read_timeout(Some(Duration::from_millis(100)));
    while left > 0 && !shared.stop.load(Ordering::Relaxed) && !shared.away.load(Ordering::Relaxed) {
        let size = match from.read(&mut bytes) {
            Ok(0) => break,
            Ok(size) => size.min(left),
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
            {
                continue;
            }
            Err(_) => break,
        };
        if to.write_all(&bytes[..size]).is_err() {
            break;
        }
        left = if most == usize::MAX { left } else { left - size };
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
