//! The counts of one window, counted again.
//!
//! Invariant: what is counted is what the stamp says: the records between its offsets, the event time from `from` to `to`.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tidings::config::{Count, Span};
use tidings::terms::{Kind, fold};

use super::Oracle;
use super::answers::{Offsets, Stamp, Time};
use super::rules::{Fate, Lexicon, When};

/// The counts of one window of one count, in the records of a stamp.
pub struct Recount<'a> {
    pub count: &'a Count,
    /// `None`: all time.
    pub span: Option<Span>,
    /// Occurrences in the window by key; no key with none.
    pub totals: BTreeMap<&'a str, i64>,
    /// Occurrences since the start by entry of the lexicon.
    since_start: Vec<i64>,
    /// Event time and number of the entry in the lexicon, of all occurrences in the window that have a time.
    dated: Vec<(i64, u32)>,
    lexicon: &'a Lexicon,
}

impl Oracle {
    /// The stamp of a window when all records have been read, where windows end at the newest post.
    pub fn stamp_at_end(&self, count: &str, window: &str) -> Stamp {
        let (mut start_offsets, mut offsets) = (Offsets::new(), Offsets::new());
        for ((topic, partition), fates) in &self.fates {
            let end = fates.last_key_value().map_or(0, |(offset, _)| offset + 1);
            start_offsets.entry(topic.clone()).or_default().insert(*partition, 0);
            offsets.entry(topic.clone()).or_default().insert(*partition, end);
        }
        let times = self.fates.values().flat_map(|fates| fates.values()).filter_map(|fate| match fate {
            Fate::Post(When::At(time), _) => Some(*time),
            _ => None,
        });
        let clock = times.max();
        let known =
            self.rules.config.counts.iter().find(|known| known.name == count).expect("a count of the test");
        let span =
            known.windows.iter().find(|known| known.name == window).expect("a window of the test").span;
        let covered = span.zip(clock).map(|(Span { size_ms, slide_ms }, clock)| {
            let to = (clock / slide_ms as i64 + 1) * slide_ms as i64;
            (Time((to - size_ms as i64).max(0)), Time(to))
        });
        Stamp {
            count: Some(count.to_owned()),
            window: Some(window.to_owned()),
            generation: 0,
            epoch: 0,
            as_of: Time(0),
            clock: clock.map(Time),
            from: covered.map(|covered| covered.0),
            to: covered.map(|covered| covered.1),
            start_offsets,
            offsets,
            catching_up: false,
            gaps: BTreeMap::new(),
            rules_changed: false,
            overflow: false,
        }
    }

    /// Counts the window of the stamp again.
    pub fn recount(&self, stamp: &Stamp) -> Recount<'_> {
        let (name, window) = (stamp.count.as_deref().unwrap(), stamp.window.as_deref().unwrap());
        let index = self
            .rules
            .config
            .counts
            .iter()
            .position(|count| count.name == name)
            .expect("a count of the test");
        let count = &self.rules.config.counts[index];
        let span =
            count.windows.iter().find(|known| known.name == window).expect("a window of the test").span;
        let lexicon = &self.rules.lexicons[index];
        let (mut in_window, mut since_start) =
            (vec![0; lexicon.entries.len()], vec![0; lexicon.entries.len()]);
        let mut dated = Vec::new();
        for (.., fate) in self.between(&stamp.start_offsets, &stamp.offsets) {
            let Fate::Post(when, occurrences) = fate else { continue };
            let covered = match (when, span, stamp.from.zip(stamp.to)) {
                (_, None, _) => true,
                (When::At(time), Some(_), Some((from, to))) => (from.0..to.0).contains(time),
                _ => false,
            };
            for entry in &occurrences[index] {
                in_window[*entry as usize] += i64::from(covered);
                since_start[*entry as usize] += 1;
                if let (true, When::At(time)) = (covered, when) {
                    dated.push((*time, *entry));
                }
            }
        }
        let total = |entries: &Vec<u32>| entries.iter().map(|entry| in_window[*entry as usize]).sum();
        let totals = lexicon.keys.iter().map(|(key, entries)| (key.as_str(), total(entries)));
        Recount { count, span, totals: totals.filter(|(_, n)| *n > 0).collect(), since_start, dated, lexicon }
    }
}

impl Recount<'_> {
    /// The key of a term as somebody typed it.
    pub fn key(&self, asked: &str) -> String {
        fold::key(self.count.of, asked)
    }

    /// What all keys begin with that somebody means who typed this; a space behind a word of a phrase says that it is whole.
    pub fn prefix(&self, asked: &str) -> String {
        let whole = self.count.of == Kind::Phrases
            && asked.ends_with(char::is_whitespace)
            && !self.key(asked).is_empty();
        self.key(asked) + if whole { " " } else { "" }
    }

    /// Occurrences of a key in the window.
    pub fn total(&self, key: &str) -> i64 {
        self.totals.get(key).copied().unwrap_or(0)
    }

    /// How a key is shown: words and phrases as they are, others in their commonest spelling, ties by code point.
    pub fn display(&self, key: &str) -> String {
        if matches!(self.count.of, Kind::Words | Kind::Phrases) {
            return key.to_owned();
        }
        let entries = self.lexicon.keys.get(key).into_iter().flatten().map(|entry| *entry as usize);
        let spelled =
            entries.map(|entry| (Reverse(self.since_start[entry]), self.lexicon.entries[entry].1.as_str()));
        let commonest = spelled.filter(|(Reverse(n), _)| *n > 0).min();
        commonest.map_or(key, |(_, spelling)| spelling).to_owned()
    }

    /// The first `k` places: by count, descending, ties by key.
    pub fn top(&self, k: usize) -> Vec<(&str, i64)> {
        let mut all: Vec<_> = self.totals.iter().map(|(key, n)| (*key, *n)).collect();
        all.sort_by_key(|(key, n)| (Reverse(*n), *key));
        all.truncate(k);
        all
    }

    /// A key's count in each pane between two moments.
    pub fn series(&self, key: &str, from: i64, to: i64) -> Vec<(i64, i64)> {
        let slide = self.span.expect("only sliding windows have panes").slide_ms as i64;
        let mut panes: BTreeMap<i64, i64> =
            (from..to).step_by(slide as usize).map(|from| (from, 0)).collect();
        for (time, _) in self.dated.iter().filter(|(_, entry)| self.lexicon.entries[*entry as usize].0 == key)
        {
            *panes
                .get_mut(&(time.div_euclid(slide) * slide))
                .expect("what the window covers lies in its panes") += 1;
        }
        panes.into_iter().collect()
    }

    /// The keys with a prefix behind `after`, in order, at most `limit`; and whether there are more.
    pub fn page(&self, prefix: &str, after: Option<&str>, limit: usize) -> (Vec<(&str, i64)>, bool) {
        let found = self
            .totals
            .iter()
            .filter(|(key, _)| key.starts_with(prefix) && after.is_none_or(|after| **key > after));
        let mut found: Vec<_> = found.map(|(key, n)| (*key, *n)).take(limit + 1).collect();
        let more = found.len() > limit;
        found.truncate(limit);
        (found, more)
    }
}
