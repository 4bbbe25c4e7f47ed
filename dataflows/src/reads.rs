//! Reading snapshots: one term, its course, the first places, all terms with a prefix.
//!
//! Idea: the runs of a pane stand together in every batch and terms ascend within each, so a read is a binary search a run;
//! what several batches and workers hold of a term adds up.
//! Invariant: the snapshots are of one epoch, and updates of later ones are left out; a window adds up its own tier and all
//! finer ones, so a pane that has died but has not moved yet counts where its time says.
//! Cost: for one term one search per run, of which a pane has few in a batch; a look at each kept place for the first `k`; a page of a
//! prefix in a heap of all panes and batches.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use crate::merged::Merged;
use crate::snapshot::{CountSnapshot, Snapshot};
use crate::spellings::spelled;
use crate::top::{Ranked, first};
use crate::totals::Figures;
use crate::windows::{Pane, Windows};

/// One count as some workers hold it at one epoch: of all workers, all that is counted; of those of one process, the terms
/// that they own.
pub struct View<'a> {
    workers: Vec<&'a CountSnapshot>,
    windows: &'a Windows,
    epoch: u64,
    clock: u64,
}

impl<'a> View<'a> {
    /// Of the count with this index; the snapshots must be of one epoch, each of another worker.
    pub fn new(workers: &'a [Arc<Snapshot>], count: usize, windows: &'a Windows) -> View<'a> {
        let (epoch, clock) = workers.first().map_or((0, 0), |first| (first.epoch, first.clock.unwrap_or(0)));
        debug_assert!(workers.iter().all(|worker| worker.epoch == epoch));
        View { workers: workers.iter().map(|worker| &worker.counts[count]).collect(), windows, epoch, clock }
    }

    /// Occurrences in a window, and terms with a count. Windows are numbered as in `Windows`; `all` comes last.
    pub fn figures(&self, window: usize) -> Figures {
        let mut figures = Figures::default();
        self.workers.iter().for_each(|worker| figures.add(&worker.ranks.figures[window]));
        figures
    }

    /// The count of a term in a window.
    pub fn total(&self, window: usize, term: &[u8]) -> i64 {
        let mut total = 0;
        self.each_pane(&self.panes(window), term, |_, n| total += n);
        total
    }

    /// The count of a term in each pane of a sliding window, empty ones included: where each begins, in milliseconds of
    /// event time, and the count.
    pub fn series(&self, window: usize, term: &[u8]) -> Vec<(u64, i64)> {
        let (covered, slide) = (self.windows.covered(window, self.clock), self.windows.span(window).slide);
        let starts = (covered.start..covered.end).step_by(slide as usize);
        let mut series: Vec<_> = starts.map(|start| (start, 0)).collect();
        self.each_pane(&self.panes(window), term, |pane, n| {
            let index = (self.windows.time_of(pane) - covered.start) / slide;
            series[index as usize].1 += n;
        });
        series
    }

    /// The first `k` places of a window, in order: the workers' lists, merged. Exact up to the plan's `top`.
    pub fn top(&self, window: usize, k: usize) -> Vec<(i64, String)> {
        let tops = self.workers.iter().filter_map(|worker| worker.ranks.top.get(window));
        let first = first(tops.flat_map(|top| top.places()), k);
        let text = |place: &Ranked<'_>| String::from_utf8_lossy(&place.term()).into_owned();
        first.iter().map(|place| (place.n(), text(place))).collect()
    }

    /// The first `limit` terms that begin with `prefix`, come after `after` and have a count in a window, in order, each
    /// with its count; and whether there are more.
    pub fn with_prefix(
        &self,
        window: usize,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> (Vec<(&'a [u8], i64)>, bool) {
        let (panes, epoch) = (self.panes(window), self.epoch);
        let batches = self.workers.iter().flat_map(|worker| &worker.panes);
        let runs = batches.flat_map(|batch| panes.iter().flat_map(|range| batch.of(range)));
        let from = after.map_or(prefix, |after| after.max(prefix));
        let mut terms = Merged::new(runs.filter(|run| run.time <= epoch), from)
            .skip_while(|(term, _)| after == Some(*term))
            .take_while(|(term, _)| term.starts_with(prefix));
        let found = terms.by_ref().take(limit).collect();
        (found, terms.next().is_some())
    }

    /// The commonest spelling of a term since the start, ties by code point; `None` where spellings are not kept.
    pub fn spelling(&self, term: &[u8]) -> Option<String> {
        let mut prefix = Vec::with_capacity(term.len() + 1);
        spelled(term, b"", &mut prefix);
        let runs = self.workers.iter().flat_map(|worker| &worker.spellings).flat_map(|batch| batch.all());
        let commonest = Merged::new(runs.filter(|run| run.time <= self.epoch), &prefix)
            .take_while(|(spelling, _)| spelling.starts_with(&prefix))
            .filter(|(_, n)| *n > 0)
            .max_by_key(|(spelling, n)| (*n, Reverse(*spelling)));
        commonest.map(|(spelling, _)| String::from_utf8_lossy(&spelling[prefix.len()..]).into_owned())
    }

    fn panes(&self, window: usize) -> Vec<Range<Pane>> {
        if window < self.windows.len() {
            self.windows.panes_in(window, self.windows.covered(window, self.clock)).collect()
        } else {
            vec![Pane(0)..Pane(Pane::ALL.0 + 1)]
        }
    }

    fn each_pane(&self, panes: &[Range<Pane>], term: &[u8], mut see: impl FnMut(Pane, i64)) {
        for batch in self.workers.iter().flat_map(|worker| &worker.panes) {
            for run in panes.iter().flat_map(|range| batch.of(range)).filter(|run| run.time <= self.epoch) {
                if let Some(record) = run.body.at(run.body.seek(term)).filter(|record| record.term() == term)
                {
                    see(run.pane, run.sign() * record.n as i64);
                }
            }
        }
    }
}
