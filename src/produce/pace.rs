//! How fast to send.
//!
//! Idea: two clocks. A generator sends a number of posts a second; a replay keeps the distances between the posts' own
//! times, or a part of them. Both are functions of moments that are handed in, so that they are tested without waiting.
//! Invariant: neither ever asks to wait for a moment before the one that it began at.

use std::str::FromStr;
use std::time::{Duration, Instant};

/// How fast a replay goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// As fast as Kafka takes the posts.
    Max,
    /// By the posts' own times, this many times as fast as they were written; finite and greater than 0.
    Times(f64),
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let times = text.strip_suffix('x').and_then(|number| number.parse::<f64>().ok());
        match times.filter(|times| times.is_finite() && *times > 0.0) {
            Some(times) => Ok(Self::Times(times)),
            None => Err(format!(
                "{text:?} is no speed: `max`, or a number above 0 with an x such as 1x, 0.5x, 200x"
            )),
        }
    }
}

/// A jump between two posts that is longer than this is skipped, in Unix milliseconds: the replay goes on from there. So
/// neither a hole in a file nor one post with a wrong date holds everything up.
const JUMP_MS: u64 = 86_400_000;

/// When each post of a replay is due.
#[derive(Debug)]
pub struct Replay {
    speed: Speed,
    /// A post's time, and when it was sent: the others are measured from there.
    anchor: Option<(i64, Instant)>,
    last_ms: i64,
}

impl Replay {
    /// A replay that has not begun.
    pub fn new(speed: Speed) -> Self {
        Self { speed, anchor: None, last_ms: 0 }
    }

    /// Begins anew with the next post, whatever its time.
    pub fn restart(&mut self) {
        self.anchor = None;
    }

    /// When a post of this time, in Unix milliseconds, is due; `None`: at once, as is one older than the one before.
    pub fn due(&mut self, time_ms: i64, now: Instant) -> Option<Instant> {
        let Speed::Times(times) = self.speed else { return None };
        let jumped = time_ms.abs_diff(std::mem::replace(&mut self.last_ms, time_ms)) > JUMP_MS;
        let (from_ms, from) = match self.anchor {
            Some(anchor) if !jumped => anchor,
            _ => *self.anchor.insert((time_ms, now)),
        };
        let after =
            Duration::try_from_secs_f64((time_ms.saturating_sub(from_ms)) as f64 / 1_000.0 / times).ok()?;
        from.checked_add(after).filter(|due| *due > now)
    }
}

/// When each post of a generator is due: this many a second, at least 1.
#[derive(Clone, Copy, Debug)]
pub struct Rate(pub u64);

impl Rate {
    /// How long after the beginning the post with this number, counted from 0, is due.
    pub fn due(self, number: u64) -> Duration {
        let Self(rate) = self;
        let rest = (number % rate) * 1_000_000_000 / rate;
        Duration::from_secs(number / rate) + Duration::from_nanos(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn speeds_are_read_and_refused() {
        assert_eq!("max".parse(), Ok(Speed::Max));
        assert_eq!("200x".parse(), Ok(Speed::Times(200.0)));
        assert_eq!("0.5x".parse(), Ok(Speed::Times(0.5)));
        for wrong in ["", "x", "0x", "-1x", "200", "infx", "NaNx", "maximum"] {
            assert!(wrong.parse::<Speed>().is_err_and(|error| error.contains("200x")), "{wrong}");
        }
    }

    #[test]
    fn a_replay_keeps_the_distances() {
        let begun = Instant::now();
        let mut replay = Replay::new(Speed::Times(200.0));
        assert_eq!(replay.due(1_000_000, begun), None);
        assert_eq!(replay.due(1_060_000, begun), Some(begun + Duration::from_millis(300)));
        assert_eq!(replay.due(900_000, begun), None);
        replay.restart();
        assert_eq!(replay.due(900_000, begun), None);
        assert_eq!(replay.due(900_200, begun), Some(begun + Duration::from_millis(1)));
        assert_eq!(Replay::new(Speed::Max).due(5, begun), None);
    }

    #[test]
    fn one_wrong_date_does_not_hold_up_the_rest() {
        let begun = Instant::now();
        let mut replay = Replay::new(Speed::Times(1.0));
        let year_9999 = 253_402_300_799_000;
        assert_eq!(replay.due(1_000_000, begun), None);
        assert_eq!(replay.due(year_9999, begun), None);
        assert_eq!(replay.due(1_001_000, begun), None);
        assert_eq!(replay.due(1_002_000, begun), Some(begun + Duration::from_secs(1)));
    }

    proptest! {
        #[test]
        fn no_time_is_too_far(times: Vec<i64>, speed in 1e-9f64..1e9) {
            let now = Instant::now();
            let mut replay = Replay::new(Speed::Times(speed));
            for time_ms in times {
                prop_assert!(replay.due(time_ms, now).is_none_or(|due| due > now));
            }
        }

        #[test]
        fn posts_of_a_rate_are_evenly_spread(rate in 1u64..10_000_000, number in 0u64..1 << 40) {
            let (this, next) = (Rate(rate).due(number), Rate(rate).due(number + 1));
            let step = 1e9 / rate as f64;
            prop_assert!(((next - this).as_nanos() as f64 - step).abs() <= 1.0);
            prop_assert_eq!(Rate(rate).due(number / rate * rate).as_secs(), number / rate);
        }
    }
}
