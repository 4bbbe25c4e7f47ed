//! Whose handshakes are under way, and who has to go where there are too many.
//!
//! Idea: of too many guests the oldest goes that has come from the address with the most of them: whoever floods the port
//! drives out himself, and a process on another host keeps its place. On one address the oldest has had its time.
//! Invariant: at most [`MOST`] are inside; one that has gone, or never got a thread, is not counted and holds no socket.
//! Cost: a look at all of them where there are too many.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::sync::{Mutex, MutexGuard};

/// Handshakes at once.
pub(super) const MOST: usize = 64;

#[derive(Debug)]
struct Guest {
    number: u64,
    from: IpAddr,
    /// By which it can be sent away.
    stream: TcpStream,
}

#[derive(Debug, Default)]
struct Inside {
    next: u64,
    /// Oldest first.
    guests: VecDeque<Guest>,
}

/// Handshakes under way.
#[derive(Debug, Default)]
pub(super) struct Guests(Mutex<Inside>);

impl Guests {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().expect("no holder panics")
    }

    /// Takes note of a handshake that begins, under a number of its own; sends somebody away where there are too many.
    ///
    /// # Errors
    /// Where no file descriptor is left.
    pub(super) fn enter(&self, stream: &TcpStream, from: SocketAddr) -> io::Result<u64> {
        let stream = stream.try_clone()?;
        let mut inside = self.lock();
        inside.next += 1;
        let number = inside.next;
        inside.guests.push_back(Guest { number, from: from.ip(), stream });
        if inside.guests.len() > MOST
            && let Some(leaving) = inside.crowding()
            && let Some(guest) = inside.guests.remove(leaving)
        {
            // It may have gone by itself.
            let _ = guest.stream.shutdown(Shutdown::Both);
        }
        Ok(number)
    }

    /// A handshake has ended, or never began.
    pub(super) fn leave(&self, number: u64) {
        self.lock().guests.retain(|guest| guest.number != number);
    }
}

impl Inside {
    /// Where the oldest guest stands of the address that has the most; of several such addresses, of the one that has had a
    /// guest for longest.
    fn crowding(&self) -> Option<usize> {
        let mut of_address = BTreeMap::<IpAddr, (usize, usize)>::new();
        for (at, guest) in self.guests.iter().enumerate() {
            of_address.entry(guest.from).or_insert((0, at)).0 += 1;
        }
        let most = of_address.into_values().max_by_key(|(guests, oldest)| (*guests, usize::MAX - oldest));
        most.map(|(_, oldest)| oldest)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

    /// The two ends of so many connections.
    fn connections(n: usize) -> Vec<(TcpStream, TcpStream)> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let connect =
            |_| (TcpStream::connect(address).expect("it listens"), listener.accept().expect("dialled").0);
        (0..n).map(connect).collect()
    }

    fn from(host: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, host], 7))
    }

    /// Whether the other end has been sent away.
    fn is_gone(stream: &mut TcpStream) -> bool {
        stream.set_nonblocking(true).expect("it is open");
        matches!(stream.read(&mut [0; 1]), Ok(0))
    }

    #[test]
    fn whoever_floods_drives_out_himself() {
        let (guests, mut connections) = (Guests::default(), connections(3 * MOST));
        for (at, (_, near)) in connections.iter().enumerate() {
            // One of the first comes from elsewhere, and so does one in the middle.
            let host = if at == 0 || at == MOST { 2 } else { 1 };
            guests.enter(near, from(host)).expect("a descriptor");
        }
        let gone: Vec<usize> = (0..3 * MOST).filter(|at| is_gone(&mut connections[*at].0)).collect();
        let flood: Vec<usize> = (1..=2 * MOST + 1).filter(|at| *at != MOST).collect();
        assert_eq!(gone, flood, "the oldest of the one that floods, and nobody else");
    }

    #[test]
    fn on_one_address_the_oldest_goes_and_who_has_left_does_not_count() {
        let (guests, mut connections) = (Guests::default(), connections(MOST + 3));
        let numbers: Vec<u64> = connections[..MOST]
            .iter()
            .map(|(_, near)| guests.enter(near, from(1)).expect("a descriptor"))
            .collect();
        guests.leave(numbers[0]);
        guests.leave(numbers[5]);
        for (_, near) in &connections[MOST..] {
            guests.enter(near, from(1)).expect("a descriptor");
        }
        let gone: Vec<usize> = (0..MOST + 3).filter(|at| is_gone(&mut connections[*at].0)).collect();
        assert_eq!(gone, [1]);
    }
}
