//! Addresses for processes that are all started on one host.
//!
//! Idea: a port is free until a process listens at it, which may be seconds after it was chosen; meanwhile whoever asks the system
//! for any port must not get it, such as another of the processes for its HTTP, or a connection for its own end. So ports come
//! from below those that systems give away.
//! Invariant: the ports differ from each other and from all that were given before by this process, until it has gone round.
//! Cost: a socket for each address, which is closed again.

use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where ports begin, and how many there are. Linux gives away those from 32768 on (`ip_local_port_range` in ip(7)), others those
/// from 49152 on.
const QUIET: (u32, u32) = (20_000, 12_000);

/// So many addresses on loopback at which nobody listens.
///
/// # Errors
/// Where so many are not free.
pub fn free(processes: usize) -> io::Result<Vec<String>> {
    free_beside(&[], processes)
}

/// The same at other ports than these, at which somebody is about to listen.
///
/// # Errors
/// As for [`free`].
pub fn free_beside(promised: &[u16], processes: usize) -> io::Result<Vec<String>> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let (first, many) = QUIET;
    // Two programs that are started at once begin far from each other.
    let begin = std::process::id().wrapping_mul(61);
    let ports = (0..many).map(|_| first + begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % many);
    let free = ports
        .filter(|port| !promised.iter().any(|promised| u32::from(*promised) == *port))
        .map(|port| format!("127.0.0.1:{port}"))
        .filter(|host| TcpListener::bind(host).is_ok());
    let hosts: Vec<String> = free.take(processes).collect();
    if hosts.len() < processes {
        return Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            format!("of the ports from {first} to {} not {processes} are free", first + many - 1),
        ));
    }
    Ok(hosts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_are_one_and_none_is_given_to_whoever_asks_for_any() {
        let hosts: Vec<String> = (0..20).flat_map(|_| free(3).expect("so many are free")).collect();
        let ports: BTreeSet<u16> = hosts
            .iter()
            .map(|host| host.parse::<std::net::SocketAddr>().expect("an address").port())
            .collect();
        assert_eq!(ports.len(), 60);
        assert!(ports.iter().all(|port| (20_000..32_000).contains(port)), "{ports:?}");
    }

    #[test]
    fn one_that_is_promised_to_another_is_passed_over() {
        let port = |host: &String| host.parse::<std::net::SocketAddr>().expect("an address").port();
        let promised: Vec<u16> = free(1000).expect("so many are free").iter().map(port).collect();
        // More than once round.
        for _ in 0..13 {
            let others = free_beside(&promised, 1000).expect("most are free");
            assert!(others.iter().map(port).all(|port| !promised.contains(&port)));
        }
    }

    #[test]
    fn one_that_is_taken_is_passed_over() {
        let [taken] = &free(1).expect("one is free")[..] else { panic!("one was asked for") };
        let _held = TcpListener::bind(taken).expect("it is free");
        // More than once round.
        for _ in 0..13 {
            assert!(!free(1000).expect("most are free").contains(taken));
        }
    }
}
