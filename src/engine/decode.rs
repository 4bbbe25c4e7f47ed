//! Records become posts, posts become terms, terms go to the counts that want them.
//!
//! Idea: one decoder a worker, with all buffers of its own. A post is taken apart once, whatever the number of counts, and
//! each term is offered to the counts of its kind.
//! Invariant: a record counts whole or not at all: a post with too many terms adds nothing. What a record comes to depends on
//! the record and the settings alone, but for one thing: whether it is more than 24 h ahead of the wall clock.
//! Cost: that of decoding and of cutting words; one probe per term and count.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tidings_dataflows::combine::PaneIndex;
use tidings_dataflows::intake::Gathered;
use tidings_dataflows::records::{Origin, Records};
use tidings_dataflows::spellings::spelled;
use tidings_dataflows::windows::{Pane, Windows};

use super::tally::Tally;
use crate::config::{Config, Count, OnBad, Reposts, Time};
use crate::posts::{Bad, Decoder, OwnTime, Post, Reason, Record};
use crate::terms::Kind;
use crate::terms::extract::{Extractor, Input, Terms};
use crate::terms::fold;
use crate::terms::stop::StopWords;
use crate::wall::wall_ms;

/// A post further ahead of the wall clock than this counts in `all` only.
const FAR_AHEAD_MS: i64 = 24 * 60 * 60 * 1000;

/// A bad record that ends the run, since `posts.on_bad` is `fail`.
pub type Fatal = String;

/// Names the partition or file of a number.
pub type NameOf = Box<dyn Fn(u32) -> String>;

/// Decodes for one worker.
pub struct Decode {
    decoder: Decoder,
    extractor: Extractor,
    counts: Vec<Wanting>,
    time: Time,
    reposts: Reposts,
    on_bad: OnBad,
    /// Slide of the smallest window of all counts, in milliseconds, if one slides.
    slide: Option<u64>,
    wall_ms: i64,
    samples: Samples,
    spelled: Vec<u8>,
    name_of: NameOf,
}

/// A count: what it wants of a post, and where its terms go.
struct Wanting {
    of: Kind,
    windows: Windows,
    table: usize,
    spellings: bool,
    stop_words: Option<StopWords>,
    min_length: usize,
    languages: Vec<String>,
    track: Vec<(Kind, String)>,
    /// Where the terms of the post at hand go; `None`: nowhere.
    index: Option<PaneIndex>,
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
    /// For these settings; `windows` are those of each count, and `name_of` names a partition in the log.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn new(config: &Config, windows: &[Windows], name_of: NameOf) -> Result<Decode, String> {
        let decoder = Decoder::new(&config.posts).map_err(|error| error.to_string())?;
        let mut counts = Vec::new();
        let mut table = 0;
        for (count, windows) in config.counts.iter().zip(windows) {
            counts.push(wanting(count, windows.clone(), table)?);
            table += 1 + usize::from(has_spellings(count.of));
        }
        let mut kinds: Vec<Kind> = counts.iter().map(|count| count.of).collect();
        kinds.extend(counts.iter().flat_map(|count| count.track.iter().map(|(kind, _)| *kind)));
        kinds.sort_unstable();
        kinds.dedup();
        Ok(Decode {
            decoder,
            extractor: Extractor::new(&kinds),
            counts,
            time: config.posts.time,
            reposts: config.posts.reposts,
            on_bad: config.posts.on_bad,
            slide: smallest_window(&config.counts).map(|(_, slide)| slide),
            wall_ms: 0,
            samples: Samples::default(),
            spelled: Vec::new(),
            name_of,
        })
    }

    /// Counts the records of one container.
    ///
    /// # Errors
    /// The first bad record, where that is to end the run.
    pub fn decode(&mut self, records: &Records, gathered: &mut Gathered<Tally>) -> Result<(), Fatal> {
        self.wall_ms = wall_ms();
        let mut fatal = Ok(());
        for (origin, value) in records.iter() {
            match self.record(origin, value, gathered) {
                Ok(()) => {}
                Err(bad) => {
                    *gathered.tally.bad.entry(bad.reason).or_default() += 1;
                    if self.on_bad == OnBad::Fail && fatal.is_ok() {
                        let (place, reason) = ((self.name_of)(origin.partition), bad.reason.as_str());
                        fatal = Err(format!("{place} offset {}: {reason}: {}", origin.offset, bad.detail));
                    }
                    self.samples.show(&self.name_of, origin, &bad);
                }
            }
        }
        // The rest counts all the same, since the offsets of the last answers are behind it.
        fatal
    }

    fn record(
        &mut self,
        origin: Origin,
        value: Option<&[u8]>,
        gathered: &mut Gathered<Tally>,
    ) -> Result<(), Bad> {
        let post = match self.decoder.decode(value)? {
            Record::Post(post) => post,
            Record::Other(kind) => {
                *gathered.tally.other.entry(kind).or_default() += 1;
                return Ok(());
            }
        };
        if post.repost && self.reposts == Reposts::Skip {
            *gathered.tally.other.entry("repost").or_default() += 1;
            return Ok(());
        }
        let when = self.when(origin, &post);
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
                gathered.tally.dated(origin.partition, time, self.slide);
            }
            When::Ahead => gathered.tally.ahead += 1,
            When::Undated => gathered.tally.undated += 1,
        }
        for count in &mut self.counts {
            let pane = match when {
                _ if !count.wants(&post, &terms) => None,
                When::At(time) => Some(count.windows.pane_for(time, gathered.clock)),
                _ => count.windows.all().then_some(Pane::ALL),
            };
            count.index = pane.map(|pane| gathered.tables[count.table].pane(pane));
        }
        for (kind, key, spelling) in terms {
            for count in self.counts.iter().filter(|count| count.of == kind) {
                let Some(index) = count.index.filter(|_| count.admits(key)) else { continue };
                gathered.tables[count.table].add(index, key.as_bytes(), 1);
                if count.spellings {
                    spelled(key.as_bytes(), spelling.as_bytes(), &mut self.spelled);
                    let table = &mut gathered.tables[count.table + 1];
                    let since_the_start = table.pane(Pane::ALL);
                    table.add(since_the_start, &self.spelled, 1);
                }
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

fn wanting(count: &Count, windows: Windows, table: usize) -> Result<Wanting, String> {
    let stop_words = if count.stop_words.is_empty() {
        None
    } else {
        Some(StopWords::new(&count.stop_words).map_err(|error| error.to_string())?)
    };
    let track = count.track.iter().flat_map(|term| {
        let kinds: &[Kind] = match term.chars().next() {
            Some('#' | '\u{ff03}') => &[Kind::Hashtags],
            Some('@' | '\u{ff20}') => &[Kind::Mentions],
            Some('$' | '\u{ff04}') => &[Kind::Cashtags],
            _ => &[Kind::Words, Kind::Hashtags],
        };
        kinds.iter().map(|kind| (*kind, fold::key(*kind, term)))
    });
    Ok(Wanting {
        of: count.of,
        windows,
        table,
        spellings: has_spellings(count.of),
        stop_words,
        min_length: count.min_length,
        languages: count.languages.iter().map(|language| language.to_lowercase()).collect(),
        track: track.collect(),
        index: None,
    })
}

impl Wanting {
    /// Whether the post as a whole passes the filters.
    fn wants(&self, post: &Post<'_>, terms: &Terms<'_>) -> bool {
        let language = || {
            let tag = post.lang.as_deref().unwrap_or_default().to_lowercase();
            self.languages.iter().any(|wanted| {
                tag.strip_prefix(wanted.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
            })
        };
        let tracked = || {
            terms
                .clone()
                .any(|(kind, key, _)| self.track.iter().any(|wanted| wanted.0 == kind && wanted.1 == key))
        };
        (self.languages.is_empty() || language()) && (self.track.is_empty() || tracked())
    }

    /// Whether a term of a post that passed does so too.
    fn admits(&self, key: &str) -> bool {
        let long_enough = self.min_length <= 1 || key.chars().nth(self.min_length - 1).is_some();
        let stopped = |words: &StopWords| key.split(' ').any(|word| words.contains(word));
        long_enough && !self.stop_words.as_ref().is_some_and(stopped)
    }
}

/// Size and slide of the smallest sliding window of all counts, in milliseconds.
pub fn smallest_window(counts: &[Count]) -> Option<(u64, u64)> {
    let spans = counts.iter().flat_map(|count| &count.windows).filter_map(|window| window.span);
    spans.map(|span| (span.size_ms, span.slide_ms)).min()
}

/// A sample of bad records for the log: of each reason one a second at most, with the number of those not shown.
#[derive(Default)]
struct Samples(BTreeMap<Reason, (Instant, u64)>);

impl Samples {
    fn show(&mut self, name_of: &NameOf, Origin { partition, offset, .. }: Origin, bad: &Bad) {
        let now = Instant::now();
        if let Some((last, unshown)) = self.0.get_mut(&bad.reason)
            && now.duration_since(*last) < Duration::from_secs(1)
        {
            *unshown += 1;
            return;
        }
        let unshown = self.0.insert(bad.reason, (now, 0)).map_or(0, |(_, unshown)| unshown);
        let place = name_of(partition);
        tracing::warn!(place, offset, reason = bad.reason.as_str(), unshown, "bad record: {}", bad.detail);
    }
}
