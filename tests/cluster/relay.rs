//! A line that is slow and loses packets.
//!
//! Idea: kernels can do this (`tc netem`), but not all that tests run on are built with it. What a connection sees of a lost
//! packet is only that it, and everything behind it, comes later: TCP sends it again after its retransmission time-out,
//! which is 200 ms at least on Linux. So a relay that passes segments on in their order, each [`DELAY`] after it came, and one in
//! [`LOST_IN`] after a further [`AGAIN`], shows both ends what such a line would.
//! Cost: two threads for each direction of a connection.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::random::Random;

/// From one end to the other.
const DELAY: Duration = Duration::from_millis(100);

/// One segment of so many is lost.
const LOST_IN: u64 = 100;

/// After how long a lost segment is sent again.
const AGAIN: Duration = Duration::from_millis(250);

/// Bytes of a segment, as on Ethernet.
const SEGMENT: usize = 1448;

/// Segments on their way, at most: 600 KB, so that the line has a breadth too.
const ON_THEIR_WAY: usize = 400;

#[derive(Default)]
struct Passed {
    all: AtomicU64,
    lost: AtomicU64,
}

/// A line from an address here to another one.
pub struct Relay(Arc<Passed>);

impl Relay {
    /// Listens, for as long as the test's process lives.
    pub fn start(at: &str, to: String, seed: u64) -> Relay {
        let (listener, passed) = (TcpListener::bind(at).unwrap(), Arc::new(Passed::default()));
        let counting = Arc::clone(&passed);
        thread::spawn(move || {
            let mut random = Random::new(seed);
            for near in listener.incoming() {
                // Who cannot be reached yet closes, and the other end tries again.
                let (Ok(near), Ok(far)) = (near, TcpStream::connect(&to)) else { continue };
                for stream in [&near, &far] {
                    stream.set_nodelay(true).unwrap();
                }
                let (here, there) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                pass(here, there, Random::new(random.next()), Arc::clone(&counting));
                pass(far, near, Random::new(random.next()), Arc::clone(&counting));
            }
        });
        Relay(passed)
    }

    /// How many segments have passed, and how many of them were lost once.
    pub fn segments(&self) -> (u64, u64) {
        (self.0.all.load(Ordering::Relaxed), self.0.lost.load(Ordering::Relaxed))
    }
}

/// One direction of a connection.
fn pass(mut from: TcpStream, mut to: TcpStream, mut random: Random, passed: Arc<Passed>) {
    let (send, on_its_way) = sync_channel::<(Instant, Vec<u8>)>(ON_THEIR_WAY);
    thread::spawn(move || {
        let (mut due, mut segment) = (Instant::now(), [0; SEGMENT]);
        while let Ok(length @ 1..) = from.read(&mut segment) {
            passed.all.fetch_add(1, Ordering::Relaxed);
            let lost = random.one_in(LOST_IN);
            passed.lost.fetch_add(lost.into(), Ordering::Relaxed);
            let again = if lost { AGAIN } else { Duration::ZERO };
            // What comes behind a lost one waits for it.
            due = due.max(Instant::now() + DELAY + again);
            if send.send((due, segment[..length].to_vec())).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        for (due, segment) in on_its_way {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&segment).is_err() {
                return;
            }
        }
        // The other direction may go on, or be at its end already.
        let _ = to.shutdown(Shutdown::Write);
    });
}
