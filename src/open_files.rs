//! How many files the process may have open, sockets among them.
//!
//! Idea: systems let a process raise its own limit up to a second one, and start it with little: 1024 as a rule, which is less than
//! the clients that are served. So it is raised at the start, and clients get what all else leaves.
//! Invariant: however many clients come, checkpoints, brokers and other processes find room.
//! Cost: two system calls.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is kept from clients: brokers have a connection each for some clients of theirs, checkpoints have their files, and up to 256
/// who are met before they are clients, or look at the health only, have a connection too.
const KEPT: u64 = 512;

/// Raises the limit as far as it may be; to be called at the start.
pub fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // Where that is refused the limit stays as it was, and is looked at when there is somebody to tell.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

/// How many connections may be taken of these; fewer are said.
pub fn for_clients(wanted: usize) -> usize {
    let room = room(getrlimit(Resource::Nofile).current);
    if room < wanted {
        tracing::warn!(
            "http.max_connections is {wanted}, and the limit of open files (ulimit -n) leaves room for {room}: no more are taken"
        );
    }
    wanted.min(room)
}

/// What a limit leaves to clients; `None`: there is no limit.
fn room(limit: Option<u64>) -> usize {
    limit.map_or(usize::MAX, |limit| (limit - KEPT.min(limit / 2)) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_is_left_to_both() {
        let rooms = [None, Some(65_536), Some(1024), Some(256), Some(3), Some(0)].map(room);
        assert_eq!(rooms, [usize::MAX, 65_024, 512, 128, 2, 0]);
    }
}
