//! A wall clock that does not leap ahead because somebody set it wrongly.
//!
//! Idea: whoever believes a clock that is an hour fast moves all windows on for good, since they never go back; whoever waits a
//! little loses nothing. So a leap is believed once posts are as new as it says, as they are after a machine was asleep, or once
//! it has lasted; until then the clock goes on from where it was, as fast as time passes.
//! Invariant: a clock that is slewed, or set back, is what it says; the first look is believed.
//! Cost: a look at the monotonic clock.

use std::time::{Duration, Instant};

/// What is more than this is a leap, in milliseconds: clocks that are kept are much nearer to each other.
const LEAP_MS: u64 = 60_000;

/// How long a leap has to last where no post bears it out.
const LASTS: Duration = Duration::from_secs(300);

/// A clock, as far as it is believed.
#[derive(Debug, Default)]
pub struct Steady {
    /// Where it stood when it was last believed.
    base: Option<(Instant, u64)>,
    /// Since when it says what is not believed.
    leapt: Option<Instant>,
}

impl Steady {
    /// None has been looked at.
    pub const fn new() -> Steady {
        Steady { base: None, leapt: None }
    }

    /// What it is where nothing has leapt; `None`: it has not been looked at.
    fn expected(&self, now: Instant) -> Option<u64> {
        let (then, was) = self.base?;
        let passed = now.saturating_duration_since(then).as_millis();
        Some(was.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX)))
    }

    /// What is believed of a clock that says `wall`, in Unix milliseconds, for whoever knows of no posts.
    pub fn see(&self, now: Instant, wall: u64) -> u64 {
        let leapt_from = |expected: &u64| wall.saturating_sub(*expected) > LEAP_MS;
        self.expected(now).filter(leapt_from).unwrap_or(wall)
    }

    /// What to take the clock for, where it says `wall` and the newest post is of the time `newest`, all in Unix milliseconds.
    pub fn believe(&mut self, now: Instant, wall: u64, newest: Option<u64>) -> u64 {
        let expected = self.expected(now).unwrap_or(wall);
        let by = Duration::from_millis(wall.saturating_sub(expected));
        if self.see(now, wall) != wall {
            // One that is ahead itself bears nothing out.
            let is_new = newest.is_some_and(|newest| newest.abs_diff(wall) <= LEAP_MS);
            let since = match self.leapt {
                Some(since) => since,
                None if is_new => now,
                None => {
                    tracing::error!(
                        "the wall clock leapt ahead by {by:?}, and no post is as new: unless it is put right, or posts bear it \
                         out, windows follow it in {LASTS:?}"
                    );
                    *self.leapt.insert(now)
                }
            };
            if !is_new && now.saturating_duration_since(since) < LASTS {
                return expected;
            }
            tracing::warn!("the wall clock leapt ahead by {by:?}: windows follow it now");
        } else if self.leapt.is_some() {
            tracing::info!("the wall clock is put right");
        }
        (self.base, self.leapt) = (Some((now, wall)), None);
        wall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;

    /// A clock that was looked at, and the moment and the time of that.
    fn begun() -> (Steady, Instant, u64) {
        let (mut steady, now, wall) = (Steady::new(), Instant::now(), 1_800_000_000_000);
        assert_eq!(steady.believe(now, wall, None), wall, "the first look is believed");
        (steady, now, wall)
    }

    #[test]
    fn what_is_slow_slewed_or_set_back_is_believed() {
        let (mut steady, begun, wall) = begun();
        for (passed, says) in [(1000, 1000), (2000, 1900), (3000, 62_000), (4000, 4000), (5000, 1)] {
            assert_eq!(steady.believe(begun + Duration::from_millis(passed), wall + says, None), wall + says);
        }
        let back = wall - HOUR_MS;
        assert_eq!(steady.believe(begun + Duration::from_secs(6), back, Some(wall)), back);
    }

    #[test]
    fn a_leap_is_believed_once_it_has_lasted() {
        let (mut steady, begun, wall) = begun();
        let at = |passed: u64| (begun + Duration::from_secs(passed), wall + 1000 * passed);
        for passed in [1, 2, 300] {
            let (now, right) = at(passed);
            assert_eq!(steady.believe(now, right + HOUR_MS, Some(right)), right, "after {passed} s");
        }
        let (now, right) = at(301);
        assert_eq!(steady.believe(now, right + HOUR_MS, Some(right)), right + HOUR_MS);
        let (now, right) = at(302);
        assert_eq!(steady.believe(now, right + HOUR_MS, None), right + HOUR_MS, "it is not waited for twice");
    }

    #[test]
    fn a_leap_that_is_put_right_leaves_nothing() {
        let (mut steady, begun, wall) = begun();
        for passed in 1..1000 {
            let (now, right) = (begun + Duration::from_secs(passed), wall + 1000 * passed);
            let leaps = passed % 250 < 200;
            let says = if leaps { right + HOUR_MS } else { right };
            assert_eq!(steady.believe(now, says, Some(right - 5000)), right, "after {passed} s");
        }
    }

    #[test]
    fn a_leap_that_posts_bear_out_is_believed_at_once() {
        let (mut steady, begun, wall) = begun();
        let (now, right) = (begun + Duration::from_secs(1), wall + 1000);
        let awake = right + 8 * HOUR_MS;
        assert_eq!(steady.believe(now, awake, Some(wall)), right, "what was read before does not tell");
        assert_eq!(steady.believe(now, awake, Some(awake - LEAP_MS - 1)), right);
        assert_eq!(
            steady.believe(now, awake, Some(awake + 3 * HOUR_MS)),
            right,
            "it has come from further ahead"
        );
        assert_eq!(steady.see(now, awake), right, "whoever knows of no posts sees the same");
        assert_eq!(steady.believe(now, awake, Some(awake - LEAP_MS)), awake);
        assert_eq!(steady.see(now, awake), awake);
    }
}
