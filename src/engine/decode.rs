//! Records become posts, posts become terms, terms go to the counts that want them.
//!
//! Idea: one decoder a worker, with all buffers of its own. Some records are decoded, then their posts are counted one by one. A
//! post is taken apart once, whatever the number of counts, and each count takes the terms of its kind.
//! Invariant: a record counts whole or not at all: a post with too many terms adds nothing. What a record comes to depends on
//! the record and the settings alone, but for one thing: whether it is more than 24 h ahead of the wall clock.
//! Cost: that of decoding and of cutting words; a look at each term per count, and one probe per term that it takes.

mod wanting;

use std::borrow::Cow;

use tidings_dataflows::intake::Gathered;
use tidings_dataflows::records::{Origin, Records};
use tidings_dataflows::windows::{Pane, Windows};

use super::filter::{Filter, language};
use super::panes::Panes;
use super::samples::Samples;
use super::tally::{Dating, Smallest, Tally};
use crate::config::{Clock, Config, Count, OnBad, Reposts, Time};
use crate::posts::{Bad, Decoder, OwnTime, Post, Reason, Record};
use crate::terms::Kind;
use crate::terms::extract::{Extractor, Input};
use crate::terms::language::Detector;
use crate::wall::wall_ms;
use wanting::Wanting;

/// A post further ahead of the wall clock than this counts in `all` only.
const FAR_AHEAD_MS: i64 = 24 * 60 * 60 * 1000;

/// Terms from which on a pane is worth blocks of its own before its epoch ends: with many workers, some dozens for each.
const WORTH: usize = 1 << 12;

/// Records that are decoded before the first of them is counted. The code that decodes and the code that takes a text apart do
/// not fit into the nearest cache together: record by record, each would be fetched anew for every post.
const TOGETHER: usize = 16;

/// A bad record that ends the run, since `posts.on_bad` is `fail`.
pub type Fatal = String;

/// Names the partition or file of a number.
pub type NameOf = Box<dyn Fn(u32) -> String>;

/// Takes each bad record: where it came from, its bytes, and why it is bad.
pub type Refused = Box<dyn Fn(Origin, Option<&[u8]>, &Bad)>;

/// Decodes for one worker.
pub struct Decode {
    decoder: Decoder,
    extractor: Extractor,
    counts: Vec<Wanting>,
    time: Time,
    reposts: Reposts,
    on_bad: OnBad,
    dating: Dating,
    clock: Clock,
    wall_ms: i64,
    /// Where it matters in which language a post is.
    detector: Option<Detector>,
    samples: Samples,
    spelled: Vec<u8>,
    name_of: NameOf,
    refused: Option<Refused>,
}

/// Whether a kind shows its commonest spelling instead of its key.
pub fn has_spellings(of: Kind) -> bool {
    !matches!(of, Kind::Words | Kind::Phrases)
}

/// When a post happened, as far as windows are concerned.
enum When {
    At(u64),
    Ahead,
    Undated,
}

impl Decode {
    /// For these settings; `windows` are those of each count, `name_of` names a partition in the log, and `refused`
    /// takes bad records.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn new(
        config: &Config,
        windows: &[Windows],
        name_of: NameOf,
        refused: Option<Refused>,
    ) -> Result<Decode, String> {
        let decoder =
            Decoder::new(config.posts.format, &config.posts.pointers).map_err(|error| error.to_string())?;
        let mut counts = Vec::new();
        let mut table = 0;
        for (count, windows) in config.counts.iter().zip(windows) {
            counts.push(Wanting {
                of: count.of,
                panes: Panes::new(windows.clone()),
                table,
                spellings: has_spellings(count.of),
                filter: Filter::new(count)?,
            });
            table += 1 + usize::from(has_spellings(count.of));
        }
        let mut kinds: Vec<Kind> = counts.iter().map(|count| count.of).collect();
        kinds.extend(counts.iter().flat_map(|count| count.filter.kinds()));
        kinds.sort_unstable();
        kinds.dedup();
        Ok(Decode {
            decoder,
            extractor: Extractor::new(&kinds),
            time: config.posts.time,
            reposts: config.posts.reposts,
            on_bad: config.posts.on_bad,
            dating: Dating::new(smallest_window(&config.counts)),
            clock: config.engine.clock,
            wall_ms: 0,
            detector: counts.iter().any(|count| count.filter.asks_language()).then(Detector::default),
            counts,
            samples: Samples::default(),
            spelled: Vec::new(),
            name_of,
            refused,
        })
    }

    /// Counts the records of one container.
    ///
    /// # Errors
    /// The first bad record, where that is to end the run.
    pub fn decode(&mut self, records: &Records, gathered: &mut Gathered<Tally>) -> Result<(), Fatal> {
        self.wall_ms = wall_ms();
        if self.clock == Clock::Wall {
            self.dating.bound = self.wall_ms.max(0) as u64;
            // It has been as late as the clock, whatever a machine takes it for that has just been started.
            self.wall_ms = self.wall_ms.max(i64::try_from(gathered.clock).unwrap_or(i64::MAX));
        }
        if !std::mem::replace(&mut gathered.begun, true) {
            self.dating.progress.turn();
        }
        let mut fatal = Ok(());
        let (mut records, mut read) = (records.iter(), Vec::with_capacity(TOGETHER));
        loop {
            read.clear();
            let some = records.by_ref().take(TOGETHER);
            read.extend(some.map(|(origin, value)| (origin, value, self.decoder.decode(value))));
            if read.is_empty() {
                break;
            }
            for (origin, value, record) in &read {
                let counted = match record {
                    Ok(record) => self.count(*origin, record, gathered).map_err(Cow::Owned),
                    Err(bad) => Err(Cow::Borrowed(bad)),
                };
                if let Err(bad) = counted {
                    fatal = fatal.and(self.refuse(*origin, *value, &bad, &mut gathered.tally));
                }
            }
        }
        self.dating.settle(&mut gathered.tally);
        self.send_early(gathered);
        // The rest counts all the same, since the offsets of the last answers are behind it.
        fatal
    }

    /// Tells the tables of terms which panes are full, one more left for those that are a little late.
    fn send_early(&mut self, gathered: &mut Gathered<Tally>) {
        let Some(least) = self.dating.progress.least() else { return };
        for count in &mut self.counts {
            let pane = count.panes.pane_for(least, gathered.clock);
            if let (0, Some(before)) = (pane.tier(), pane.number().checked_sub(1)) {
                gathered.tables[count.table].pass(Pane::new(0, before), WORTH);
            }
        }
    }

    /// Takes note of a bad record, which is an error where it is to end the run.
    #[cold]
    fn refuse(
        &mut self,
        origin: Origin,
        value: Option<&[u8]>,
        bad: &Bad,
        tally: &mut Tally,
    ) -> Result<(), Fatal> {
        *tally.bad.entry(bad.reason).or_default() += 1;
        if let Some(refused) = &self.refused {
            refused(origin, value, bad);
        }
        self.samples.show(&self.name_of, origin, bad);
        if self.on_bad == OnBad::Fail {
            let (place, reason) = ((self.name_of)(origin.partition), bad.reason.as_str());
            return Err(format!("{place} offset {}: {reason}: {}", origin.offset, bad.detail));
        }
        Ok(())
    }

    fn count(
        &mut self,
        origin: Origin,
        record: &Record<'_>,
        gathered: &mut Gathered<Tally>,
    ) -> Result<(), Bad> {
        let post = match record {
            Record::Post(post) => post,
            Record::Other(kind) => {
                *gathered.tally.other.entry((*kind).into()).or_default() += 1;
                return Ok(());
            }
        };
        if post.repost && self.reposts == Reposts::Skip {
            *gathered.tally.other.entry("repost".into()).or_default() += 1;
            return Ok(());
        }
        let when = self.when(origin, post);
        let language = self.detector.as_mut().map(|detector| language(post, detector)).unwrap_or_default();
        let input = Input { text: &post.text, html: post.html, hashtags: post.hashtags.as_deref() };
        let terms = self
            .extractor
            .extract(&input)
            .map_err(|error| Bad { reason: Reason::TooManyTerms, detail: error.to_string() })?;
        gathered.tally.posts += 1;
        gathered.tally.too_long += terms.too_long as u64;
        match when {
            When::At(time) => {
                gathered.newest = gathered.newest.max(Some(time));
                self.dating.note(origin.partition, time, &mut gathered.tally);
            }
            When::Ahead => gathered.tally.ahead += 1,
            When::Undated => gathered.tally.undated += 1,
        }
        for count in &mut self.counts {
            if !count.filter.wants(&language, &terms) {
                continue;
            }
            let pane = match when {
                When::At(time) => Some(count.panes.pane_for(time, gathered.clock)),
                _ => count.panes.has_all().then_some(Pane::ALL),
            };
            let (tables, room) = (&mut gathered.tables[count.table..], &mut self.spelled);
            let pane = pane.map(|pane| tables[0].pane(pane));
            if count.filter.admits_all() {
                count.add(&terms, pane, tables, room, |_| true);
            } else {
                count.add(&terms, pane, tables, room, |key| count.filter.admits(key.bytes()));
            }
        }
        Ok(())
    }

    fn when(&self, origin: Origin, post: &Post<'_>) -> When {
        let time = match (self.time, post.time) {
            (Time::Record, _) | (Time::Post, OwnTime::Absent) => origin.time,
            (Time::Post, OwnTime::At(time)) => time,
            (Time::Post, OwnTime::Unusable) => 0,
        };
        match u64::try_from(time) {
            Err(_) | Ok(0) => When::Undated,
            Ok(_) if time > self.wall_ms + FAR_AHEAD_MS => When::Ahead,
            Ok(time) => When::At(time),
        }
    }
}

/// The smallest sliding window of all counts.
pub fn smallest_window(counts: &[Count]) -> Option<Smallest> {
    let spans = counts.iter().flat_map(|count| &count.windows).filter_map(|window| window.span);
    spans.map(|span| Smallest { size: span.size_ms, slide: span.slide_ms }).min()
}

#[cfg(test)]
mod tests;
