//! What clients do wrong below HTTP, said in the log now and then.
//!
//! Idea: whoever set a client up wrongly looks into the server's log, so it says there what came in place of what was
//! expected; but a scanner on an open port must not fill a disk.
//! Invariant: of each sort one line in [`PAUSE`] at most, with the number of those not shown.
//! Cost: a lock a mistake.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two lines of the same sort.
const PAUSE: Duration = Duration::from_secs(10);

/// What a client did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// It spoke plain HTTP where TLS is expected.
    PlainHttp,
    /// It began a TLS handshake where plain HTTP is expected.
    UnexpectedTls,
    /// Its handshake failed.
    BrokenHandshake,
    /// Its handshake took too long.
    SlowHandshake,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Mistake; 4] =
        [Mistake::PlainHttp, Mistake::UnexpectedTls, Mistake::BrokenHandshake, Mistake::SlowHandshake];

    /// Its name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Mistake::PlainHttp => "plain_http",
            Mistake::UnexpectedTls => "unexpected_tls",
            Mistake::BrokenHandshake => "broken_handshake",
            Mistake::SlowHandshake => "slow_handshake",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Mistake::PlainHttp => {
                "a client speaks plain HTTP to a port that takes TLS: it must ask with https://"
            }
            Mistake::UnexpectedTls => {
                "a client speaks TLS to a port that takes plain HTTP: it must ask with http://, or `http.tls_cert` be set"
            }
            Mistake::BrokenHandshake => "a TLS handshake failed",
            Mistake::SlowHandshake => "a TLS handshake was not finished in time",
        }
    }
}

/// When a sort was last said, and how often it has happened unsaid since.
type Said = Option<(Instant, u64)>;

/// What has been said of each sort.
#[derive(Clone, Default)]
pub struct Notices(Arc<Mutex<[Said; Mistake::ALL.len()]>>);

impl Notices {
    /// Says it, unless the same was said a moment ago.
    pub fn say(&self, mistake: Mistake, client: SocketAddr, why: &str) {
        if let Some(unshown) = self.due(mistake, Instant::now()) {
            tracing::warn!(%client, why, unshown, "{}", mistake.sentence());
        }
    }

    /// How many were not shown, where it is time for a line.
    fn due(&self, mistake: Mistake, now: Instant) -> Option<u64> {
        let mut sorts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = Mistake::ALL.iter().position(|sort| *sort == mistake)?;
        let sort = sorts.get_mut(index)?;
        match sort {
            Some((said, unshown)) if now.duration_since(*said) < PAUSE => {
                *unshown += 1;
                None
            }
            _ => Some(sort.replace((now, 0)).map_or(0, |(_, unshown)| unshown)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_a_line_now_and_then() {
        let (notices, start) = (Notices::default(), Instant::now());
        let due = |mistake, after| notices.due(mistake, start + Duration::from_millis(after));
        assert_eq!(due(Mistake::PlainHttp, 0), Some(0));
        assert_eq!((1..1000).filter_map(|after| due(Mistake::PlainHttp, after)).count(), 0);
        assert_eq!(due(Mistake::SlowHandshake, 500), Some(0));
        assert_eq!(due(Mistake::PlainHttp, 10_000), Some(999));
        assert_eq!(due(Mistake::PlainHttp, 25_000), Some(0));
    }
}
