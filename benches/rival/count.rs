//! One count of the loop: totals of all windows, and what will have to be taken off them again.
//!
//! Idea: a pane is the list of the ids that occurred in it, four bytes an occurrence and nothing to look up; when it leaves
//! a window, the list is read and each total falls by one. A late post goes into the list of its own pane.
//! Invariant: the total of a window is the number of occurrences in the panes that it covers at the clock.
//! Cost: per occurrence one probe, one line, and one more line for each window that its pane leaves.

use std::collections::VecDeque;
use std::ops::Range;

use tidings_dataflows::term::HEAD;
use tidings_dataflows::totals::Figures;
use tidings_dataflows::windows::Windows;

use super::leaders::{Leaders, ranked};
use super::table::{COLUMNS, Staged, Table};

/// One count.
pub struct Count {
    windows: Windows,
    /// The slide of the finest window in milliseconds.
    slide: u64,
    table: Table,
    /// Ids by pane; the first of the list is pane `first`.
    panes: VecDeque<Vec<u32>>,
    first: u64,
    /// The first pane that each window covers.
    from: Vec<u64>,
    figures: [Figures; COLUMNS],
    leaders: Vec<Leaders>,
    /// The first places of each window as of the last change of the clock.
    pub answers: Vec<Vec<u32>>,
    staged: Vec<Staged>,
    bytes: Vec<u8>,
    ids: Vec<u32>,
}

impl Count {
    /// Nothing counted yet.
    pub fn new(windows: Windows) -> Count {
        assert!(
            windows.len() < COLUMNS && !windows.is_empty(),
            "the loop is made for one to three sliding windows"
        );
        let ranked = windows.len() + usize::from(windows.all());
        Count {
            slide: windows.finest().expect("there is a sliding window"),
            table: Table::new(),
            panes: VecDeque::new(),
            first: 0,
            from: vec![0; windows.len()],
            figures: [Figures::default(); COLUMNS],
            leaders: (0..ranked).map(Leaders::new).collect(),
            answers: Vec::new(),
            staged: Vec::new(),
            bytes: Vec::new(),
            ids: Vec::new(),
            windows,
        }
    }

    /// Takes a term of the post at hand, which stands in a text from one place to another.
    #[inline]
    pub fn stage(&mut self, text: &[u8], from: usize, to: usize) {
        let kept = self.bytes.len();
        // What its head holds need not be copied.
        if to - from > HEAD {
            self.bytes.extend_from_slice(&text[from..to]);
        }
        self.staged.push(self.table.stage(text, from, to, kept));
    }

    /// Counts the terms of the post at hand at its time, which is not ahead of the clock; `None`: in `all` only.
    pub fn count(&mut self, time: Option<u64>) {
        let pane = time.map(|time| time / self.slide);
        let mut more = [0; COLUMNS];
        if let Some(pane) = pane {
            self.from.iter().zip(&mut more).for_each(|(from, more)| *more = i64::from(pane >= *from));
        }
        let slides = more.contains(&1);
        more[self.windows.len()] = i64::from(self.windows.all());
        if more.contains(&1) {
            self.table.ids(&self.bytes, &self.staged, &mut self.ids);
            for id in &self.ids {
                let totals = self.table.totals(*id);
                for column in 0..self.leaders.len() {
                    if more[column] == 1 {
                        totals[column] += 1;
                        self.figures[column].distinct += u64::from(totals[column] == 1);
                        self.leaders[column].rose(*id, totals[column]);
                    }
                }
            }
            let occurrences = self.ids.len() as i64;
            self.figures
                .iter_mut()
                .zip(&more)
                .for_each(|(figures, more)| figures.total += more * occurrences);
            if let (true, Some(pane)) = (slides, pane) {
                let at = (pane - self.first) as usize;
                if self.panes.len() <= at {
                    self.panes.resize_with(at + 1, Vec::new);
                }
                self.panes[at].extend_from_slice(&self.ids);
            }
        }
        self.staged.clear();
        self.bytes.clear();
    }

    /// Moves the clock on: panes leave windows.
    pub fn advance(&mut self, clock: u64) {
        for window in 0..self.windows.len() {
            let from = self.windows.covered(window, clock).start / self.slide;
            let left = std::mem::replace(&mut self.from[window], from)..from;
            for pane in index(&left, self.first, self.panes.len()) {
                let figures = &mut self.figures[window];
                figures.total -= self.panes[pane].len() as i64;
                for id in &self.panes[pane] {
                    let total = &mut self.table.totals(*id)[window];
                    *total -= 1;
                    figures.distinct -= u64::from(*total == 0);
                }
            }
        }
        let first = self.from.iter().min().copied().unwrap_or(0);
        self.panes.drain(index(&(self.first..first), self.first, self.panes.len()));
        self.first = first;
    }

    /// Works out the first `k` places of every window.
    pub fn rank(&mut self, k: usize) {
        self.answers = self.leaders.iter_mut().map(|leaders| leaders.first(k, &self.table)).collect();
    }

    /// The first `k` places of a window, worked out from all totals, and what it holds as a whole.
    pub fn recount(&self, window: usize, k: usize) -> (Figures, Vec<(i64, String)>) {
        let ids = (0..self.table.len() as u32).filter(|id| self.table.total(*id, window) > 0).collect();
        let place = |id: &u32| {
            let term = String::from_utf8(self.table.term(*id)).expect("terms are text");
            (self.table.total(*id, window), term)
        };
        (self.figures[window], ranked(ids, k, window, &self.table).iter().map(place).collect())
    }

    /// The first places of a window as of the last change of the clock.
    pub fn answer(&self, window: usize) -> &[u32] {
        &self.answers[window]
    }
}

/// Where these panes stand in a list of `len` that begins with pane `first`.
fn index(panes: &Range<u64>, first: u64, len: usize) -> Range<usize> {
    let at = |pane: u64| (pane.saturating_sub(first) as usize).min(len);
    at(panes.start)..at(panes.end).max(at(panes.start))
}
