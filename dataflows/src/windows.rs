//! Windows and tiers: which panes exist, which windows cover them, and where a pane goes when it dies.
//!
//! Idea: fine panes only where a fine slide needs them. All windows of one slide share a tier of panes; a post enters the
//! finest tier whose largest window still covers its time, and a pane that has left that window moves on to the
//! next coarser tier that covers it, in the end into `all`. A window therefore adds up the panes of its own tier
//! and of all finer ones, by their time, and a move between tiers changes no window's total.
//! Invariant: slides ascend and each divides the next, so a finer pane lies in exactly one coarser pane; a pane of a
//! tier coarser than a window's own is older than that window.
//! Cost: arithmetic only.

use std::ops::Range;

/// A pane: its tier in the high byte, its number in the others. Orders by tier, then by time; `ALL` comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pane(pub u64);

const NUMBER_BITS: u32 = 56;

impl Pane {
    /// The one pane of the last tier, which covers all time.
    pub const ALL: Pane = Pane(0xFF << NUMBER_BITS);

    /// Pane `number` of a tier.
    pub fn new(tier: usize, number: u64) -> Pane {
        debug_assert!(tier < 0xFF && number < 1 << NUMBER_BITS);
        Pane((tier as u64) << NUMBER_BITS | number)
    }
    /// Index of its tier; meaningless for `ALL`.
    pub fn tier(self) -> usize {
        (self.0 >> NUMBER_BITS) as usize
    }
    /// Its number: it covers `[number * slide, (number + 1) * slide)` of event time.
    pub fn number(self) -> u64 {
        self.0 & ((1 << NUMBER_BITS) - 1)
    }
}

/// A window that slides: milliseconds of event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// A multiple of the slide.
    pub size: u64,
    /// At least 1; it divides or is divided by every other slide of the count.
    pub slide: u64,
}

#[derive(Clone, Copy, Debug)]
struct Tier {
    slide: u64,
    /// Panes of the largest window of this slide.
    panes: u64,
}

/// Why windows cannot be kept together.
#[derive(Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The slide does not divide the size.
    Slide(Span),
    /// The first slide does not divide the second, larger one.
    Nesting(u64, u64),
    /// More than [`MOST`] windows, or none and no `all`.
    Number,
}

/// Sliding windows of one count at most, so that a set of them is one machine word.
pub const MOST: usize = 32;

/// A set of windows: bit `i` for window `i`.
pub type Mask = u64;

/// The windows of one count.
#[derive(Clone, Debug)]
pub struct Windows {
    spans: Vec<Span>,
    /// For each span the index of its tier.
    tier_of: Vec<usize>,
    tiers: Vec<Tier>,
    all: bool,
}

impl Windows {
    /// Windows in the order given; `all` says whether what leaves the largest of them is kept.
    ///
    /// # Errors
    /// Where sizes, slides or their number do not fit together.
    pub fn new(spans: Vec<Span>, all: bool) -> Result<Windows, Unfit> {
        if spans.len() > MOST || spans.is_empty() && !all {
            return Err(Unfit::Number);
        }
        if let Some(span) = spans.iter().find(|s| s.slide == 0 || s.size == 0 || s.size % s.slide != 0) {
            return Err(Unfit::Slide(*span));
        }
        let mut slides: Vec<u64> = spans.iter().map(|span| span.slide).collect();
        slides.sort_unstable();
        slides.dedup();
        if let Some(pair) = slides.windows(2).find(|pair| pair[1] % pair[0] != 0) {
            return Err(Unfit::Nesting(pair[0], pair[1]));
        }
        let largest = |slide: u64| spans.iter().filter(|s| s.slide == slide).map(|s| s.size / slide).max();
        let tiers =
            slides.iter().map(|slide| Tier { slide: *slide, panes: largest(*slide).unwrap_or(1) }).collect();
        let tier_of = spans.iter().map(|span| slides.partition_point(|slide| *slide < span.slide)).collect();
        Ok(Windows { spans, tier_of, tiers, all })
    }

    /// Number of sliding windows; `all` is not one of them.
    pub fn len(&self) -> usize {
        self.spans.len()
    }
    /// Whether there are no sliding windows.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }
    /// Whether there is a window over all time.
    pub fn all(&self) -> bool {
        self.all
    }
    /// Size and slide of a window.
    pub fn span(&self, window: usize) -> Span {
        self.spans[window]
    }
    /// The smallest slide, if there is one: the clock matters only when it passes from one pane of it to another.
    pub fn finest(&self) -> Option<u64> {
        self.tiers.first().map(|tier| tier.slide)
    }
    /// The slide of a tier.
    pub fn slide(&self, tier: usize) -> u64 {
        self.tiers[tier].slide
    }
    /// The tier of a slide, if there is one.
    pub fn tier_with(&self, slide: u64) -> Option<usize> {
        self.tiers.iter().position(|tier| tier.slide == slide)
    }
    /// Number of tiers with panes.
    pub fn tiers(&self) -> usize {
        self.tiers.len()
    }

    /// The pane in which a post of this event time is sent, when no more is known of the clock than that it has reached
    /// `clock`. What nothing covers any more goes into the pane of its time, to be left out where the clock is known.
    pub fn pane_for(&self, time: u64, clock: u64) -> Pane {
        let finest = || self.finest().map_or(Pane::ALL, |slide| Pane::new(0, time / slide));
        self.pane_at(time, 0, clock).unwrap_or_else(finest)
    }
    /// Where a pane's event time begins; 0 for `ALL`.
    pub fn time_of(&self, pane: Pane) -> u64 {
        if pane == Pane::ALL { 0 } else { pane.number() * self.tiers[pane.tier()].slide }
    }
    /// The first pane of a tier that is alive at a clock.
    pub fn first_alive(&self, tier: usize, clock: u64) -> u64 {
        let Tier { slide, panes } = self.tiers[tier];
        (clock / slide + 1).saturating_sub(panes)
    }
    /// The pane in which an update of this event time belongs at a clock: of the finest tier from `tier` on whose
    /// largest window still covers it, else `ALL`, else none.
    pub fn pane_at(&self, time: u64, tier: usize, clock: u64) -> Option<Pane> {
        let alive =
            (tier..self.tiers.len()).find(|t| time / self.tiers[*t].slide >= self.first_alive(*t, clock));
        let pane = alive.map(|tier| Pane::new(tier, time / self.tiers[tier].slide));
        pane.or(self.all.then_some(Pane::ALL))
    }
    /// The event time `[from, to)` that a window covers at a clock.
    pub fn covered(&self, window: usize, clock: u64) -> Range<u64> {
        let Span { size, slide } = self.spans[window];
        let to = (clock / slide + 1) * slide;
        to.saturating_sub(size)..to
    }
    /// The panes, tier by tier, that lie in `times` and count for a window; `times` begins and ends with its panes.
    pub fn panes_in(&self, window: usize, times: Range<u64>) -> impl Iterator<Item = Range<Pane>> + '_ {
        self.tiers[..=self.tier_of[window]].iter().enumerate().map(move |(tier, Tier { slide, .. })| {
            Pane::new(tier, times.start / slide)..Pane::new(tier, times.end / slide)
        })
    }
    /// All windows that cover a pane at a clock, and bit `len()` as long as its updates are held, there or in the pane into
    /// which they move.
    pub fn covering(&self, pane: Pane, clock: u64) -> Mask {
        let held = 1 << self.spans.len();
        if pane == Pane::ALL {
            return held;
        }
        let time = self.time_of(pane);
        let covers = |window: &usize| {
            self.tier_of[*window] >= pane.tier() && self.covered(*window, clock).contains(&time)
        };
        let mask = if time >= self.held_since(pane.tier(), clock) { held } else { 0 };
        (0..self.spans.len()).filter(covers).fold(mask, |mask, window| mask | 1 << window)
    }
    /// The panes whose covering windows are not the same at two clocks, the earlier one first; in ascending order.
    pub fn passed(&self, was: u64, now: u64) -> Vec<Range<Pane>> {
        let mut passed = Vec::new();
        for (tier, Tier { slide, .. }) in self.tiers.iter().enumerate() {
            let held = self.held_since(tier, was)..self.held_since(tier, now);
            let windows = (0..self.len()).filter(|window| self.tier_of[*window] >= tier);
            let of_windows = windows.flat_map(|window| {
                let (old, new) = (self.covered(window, was), self.covered(window, now));
                [old.start..old.end.min(new.start), old.end.max(new.start)..new.end]
            });
            let mut times: Vec<_> = of_windows.chain([held]).collect();
            times.retain(|times| !times.is_empty());
            times.sort_unstable_by_key(|times| times.start);
            // Windows share panes: no pane may be in two ranges.
            times.dedup_by(|next, last| {
                let joins = next.start <= last.end;
                if joins {
                    last.end = last.end.max(next.end);
                }
                joins
            });
            let panes =
                |times: Range<u64>| Pane::new(tier, times.start / slide)..Pane::new(tier, times.end / slide);
            passed.extend(times.into_iter().map(panes));
        }
        passed
    }
    /// The event time before which nothing in a tier's panes is held at a clock: neither this tier nor a coarser one is
    /// alive there. A multiple of the tier's slide.
    fn held_since(&self, tier: usize, clock: u64) -> u64 {
        let alive = |tier: usize| self.first_alive(tier, clock) * self.tiers[tier].slide;
        if self.all { 0 } else { (tier..self.tiers.len()).map(alive).min().unwrap_or(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spans(list: &[(u64, u64)]) -> Vec<Span> {
        list.iter().map(|(size, slide)| Span { size: *size, slide: *slide }).collect()
    }

    #[test]
    fn refuses_what_does_not_nest() {
        let refused = |list: &[(u64, u64)]| Windows::new(spans(list), true).unwrap_err();
        assert_eq!(refused(&[(60, 7)]), Unfit::Slide(Span { size: 60, slide: 7 }));
        assert_eq!(refused(&[(60, 5), (70, 7)]), Unfit::Nesting(5, 7));
        assert_eq!(Windows::new(Vec::new(), false).unwrap_err(), Unfit::Number);
    }

    #[test]
    fn a_pane_holds_the_clock() {
        let windows = Windows::new(spans(&[(60, 5)]), false).unwrap();
        assert_eq!(windows.covered(0, 123), 65..125);
        assert_eq!(windows.covered(0, 125), 70..130);
        assert_eq!(windows.covered(0, 3), 0..5);
    }

    proptest! {
        /// Wherever an update is put, and wherever its pane moves later, exactly the windows that cover its time count it.
        #[test]
        fn moves_change_no_window(
            sizes in proptest::collection::vec((0usize..4, 1u64..12), 1..5),
            time in 0u64..4000,
            clocks in proptest::collection::vec(0u64..4000, 1..8),
        ) {
            let slides = [1, 5, 20, 60];
            let list = sizes.iter().map(|(s, n)| Span { size: slides[*s] * n, slide: slides[*s] }).collect();
            let windows = Windows::new(list, true).unwrap();
            let mut clocks = clocks;
            clocks.sort_unstable();
            let mut pane = windows.pane_at(time, 0, clocks[0]).unwrap();
            let mut was = clocks[0];
            for clock in clocks {
                // All that changes is among what has passed.
                let passed = windows.passed(was, clock);
                let changed = windows.covering(pane, was) != windows.covering(pane, clock);
                prop_assert!(!changed || passed.iter().any(|panes| panes.contains(&pane)));
                prop_assert!(passed.is_sorted_by(|one, two| one.end <= two.start));
                was = clock;
                if pane != Pane::ALL && pane.number() < windows.first_alive(pane.tier(), clock) {
                    let before = windows.covering(pane, clock);
                    let to = windows.pane_at(windows.time_of(pane), pane.tier() + 1, clock).unwrap();
                    prop_assert!(to > pane);
                    prop_assert_eq!(windows.covering(to, clock), before);
                    pane = to;
                }
                for window in 0..windows.len() {
                    let covers = windows.covered(window, clock).contains(&time);
                    prop_assert_eq!(windows.covering(pane, clock) >> window & 1 == 1, covers);
                }
            }
        }
    }
}
