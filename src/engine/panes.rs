//! Which pane a post goes to, mostly without working it out.
//!
//! Idea: posts come roughly in the order of time, so that the last pane of the finest tier is often the next one too.
//! Invariant: what is answered is what the windows say.
//! Cost: three comparisons, or some divisions for each tier.

use std::ops::Range;

use tidings_dataflows::windows::{Pane, Windows};

/// The windows of a count, and the last pane.
pub(super) struct Panes {
    windows: Windows,
    /// The times that go where the last one went, as long as the clock has reached no more.
    times: Range<u64>,
    clock: u64,
    pane: Pane,
}

impl Panes {
    /// None yet.
    pub(super) fn new(windows: Windows) -> Panes {
        Panes { windows, times: 0..0, clock: 0, pane: Pane::ALL }
    }

    /// Whether there is a window over all time.
    pub(super) fn has_all(&self) -> bool {
        self.windows.all()
    }

    /// As [`Windows::pane_for`].
    #[inline]
    pub(super) fn pane_for(&mut self, time: u64, clock: u64) -> Pane {
        if !(self.clock == clock && self.times.contains(&time)) {
            let pane = self.windows.pane_for(time, clock);
            // Only in the finest tier: part of a coarser pane may be alive in a finer one.
            self.times = match pane.tier() {
                0 => self.windows.time_of(pane)..self.windows.time_of(Pane::new(0, pane.number() + 1)),
                _ => 0..0,
            };
            (self.clock, self.pane) = (clock, pane);
        }
        self.pane
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tidings_dataflows::windows::Span;

    proptest! {
        #[test]
        fn panes_are_those_of_the_windows(
            tiers in 0..4usize,
            all: bool,
            posts in proptest::collection::vec((0..4000u64, 0..60u64), 1..200),
        ) {
            let spans = [(40, 10), (300, 50), (2000, 200)].map(|(size, slide)| Span { size, slide });
            let windows = Windows::new(spans[..tiers.min(3)].to_vec(), all || tiers == 0).expect("they nest");
            let (mut panes, mut clock) = (Panes::new(windows.clone()), 0);
            for (time, more) in posts {
                // The clock stands for a while, then it moves on.
                clock += more.saturating_sub(40);
                for time in [time, time + 1, time] {
                    prop_assert_eq!(panes.pane_for(time, clock), windows.pane_for(time, clock));
                }
            }
        }
    }
}
