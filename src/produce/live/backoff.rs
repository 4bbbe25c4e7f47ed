//! How long to wait before the next try.
//!
//! Idea: as X's documents say, and as no other source forbids: a connection that ended is made anew at once; while the
//! network fails, 250 ms more each time, up to 16 s; while the server fails, 5 s and twice that each time, up to 320 s;
//! where it asks for patience, as long as it says, else 60 s and twice that each time.
//! Invariant: a connection that keeps ending as soon as it stands is waited for like a failing network, so that nobody is
//! asked in a tight loop. A function of what happened; it knows no clock. Cost: none.
//! Source: the X API's "Handling disconnections".

use std::time::Duration;

use super::broken::Broken;

const NETWORK_STEP: Duration = Duration::from_millis(250);
const NETWORK_MOST: Duration = Duration::from_secs(16);
const SERVER_FIRST: Duration = Duration::from_secs(5);
const SERVER_MOST: Duration = Duration::from_secs(320);
const LIMITED_FIRST: Duration = Duration::from_secs(60);
/// The documents name no end; a window of theirs is 15 minutes.
const LIMITED_MOST: Duration = Duration::from_secs(15 * 60);
/// No server is believed that asks for more.
const ASKED_MOST: Duration = Duration::from_secs(60 * 60);

/// What went wrong since the source was last read for a while.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    ended: u32,
    network: u32,
    server: u32,
    limited: u32,
}

impl Backoff {
    /// To be called when a connection has stood for a while.
    pub fn stood(&mut self) {
        *self = Self::default();
    }

    /// How long to wait after this; `None`: there is no point.
    pub fn wait(&mut self, broken: &Broken) -> Option<Duration> {
        Some(match broken {
            Broken::Ended(_) => {
                self.ended += 1;
                linear(self.ended - 1)
            }
            Broken::Network(_) => {
                self.network += 1;
                linear(self.network)
            }
            Broken::Server(_) => doubling(SERVER_FIRST, &mut self.server, SERVER_MOST),
            Broken::Limited(_, None) => doubling(LIMITED_FIRST, &mut self.limited, LIMITED_MOST),
            Broken::Limited(_, Some(asked)) => (*asked).clamp(Duration::from_secs(1), ASKED_MOST),
            Broken::Refused(_) => return None,
        })
    }
}

fn linear(times: u32) -> Duration {
    (NETWORK_STEP * times.min(1000)).min(NETWORK_MOST)
}

fn doubling(first: Duration, before: &mut u32, most: Duration) -> Duration {
    let wait = (first * 2_u32.pow((*before).min(16))).min(most);
    *before += 1;
    wait
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(broken: &Broken, times: usize) -> Vec<u128> {
        let mut backoff = Backoff::default();
        (0..times).map(|_| backoff.wait(broken).expect("a wait").as_millis()).collect()
    }

    #[test]
    fn each_kind_waits_as_documented() {
        let text = String::new;
        assert_eq!(waits(&Broken::Ended(text()), 3), [0, 250, 500]);
        let network = waits(&Broken::Network(text()), 80);
        assert_eq!((network[0], network[1], network[62], network[79]), (250, 500, 15_750, 16_000));
        assert_eq!(
            waits(&Broken::Server(text()), 8),
            [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 320_000]
        );
        assert_eq!(waits(&Broken::Limited(text(), None), 3), [60_000, 120_000, 240_000]);
        let asked = Broken::Limited(text(), Some(Duration::from_secs(90)));
        assert_eq!(waits(&asked, 3), [90_000, 90_000, 90_000]);
        assert_eq!(waits(&Broken::Limited(text(), Some(Duration::ZERO)), 1), [1_000]);
        assert_eq!(waits(&Broken::Limited(text(), Some(Duration::MAX)), 1), [3_600_000]);
    }

    #[test]
    fn a_connection_that_stood_starts_anew_and_a_refusal_ends_it() {
        let mut backoff = Backoff::default();
        let server = Broken::Server(String::new());
        for expected in [5, 10] {
            assert_eq!(backoff.wait(&server), Some(Duration::from_secs(expected)));
        }
        backoff.stood();
        assert_eq!(backoff.wait(&server), Some(Duration::from_secs(5)));
        assert_eq!(backoff.wait(&Broken::Refused(String::new())), None);
    }
}
