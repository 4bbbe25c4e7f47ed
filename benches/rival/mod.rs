//! What one thread does without any engine: the same answers from a plain loop.
//!
//! Idea: as fast as it could be written by hand for this very task, with the engine's own reader of lines, decoder and
//! extractor. It answers for its windows, first places and spellings, and for nothing else: no snapshots for other threads,
//! no prefixes, no course of a term, no second worker, no limit of memory.
//! Invariant: at the end its totals, ranking and spellings are those of the engine; the bench checks that.
//! Cost: what `table` and `count` say.

mod count;
mod leaders;
mod spellings;
mod table;

use std::path::Path;
use std::sync::Arc;

use tidings::config::{Config, Count as Counted};
use tidings::posts::{Decoder, OwnTime, Post, Record};
use tidings::source::files::FileSource;
use tidings::source::{Polled, Source};
use tidings::terms::Kind;
use tidings::terms::extract::{Extractor, Input};
use tidings_dataflows::windows::{Span, Windows};

pub use count::Count;
pub use spellings::Spellings;

/// Places that are worked out whenever the clock enters another second.
const TOP: usize = 10;

/// Records that are decoded together, as the engine does for the sake of the cache that holds its code.
const TOGETHER: usize = 16;

/// The loop and all that it holds.
pub struct Rival {
    decoder: Decoder,
    extractor: Extractor,
    /// Each count with its kind, and its spellings where the kind has any.
    pub counts: Vec<(Kind, Count, Option<Spellings>)>,
    clock: u64,
    /// Posts counted.
    pub posts: u64,
    /// Records that are no posts.
    pub bad: u64,
}

impl Rival {
    /// A loop for these counts, each with its windows.
    pub fn new(config: &Config, windows: &[Windows]) -> Rival {
        let counts = config.counts.iter().zip(windows).map(|(count, windows)| {
            let spellings = tidings::engine::decode::has_spellings(count.of).then(Spellings::new);
            (count.of, Count::new(windows.clone()), spellings)
        });
        let kinds: Vec<Kind> = config.counts.iter().map(|count| count.of).collect();
        Rival {
            decoder: Decoder::new(config.posts.format, &config.posts.pointers)
                .expect("the format has no pointers"),
            extractor: Extractor::new(&kinds),
            counts: counts.collect(),
            clock: 0,
            posts: 0,
            bad: 0,
        }
    }

    /// Counts every line of a file.
    pub fn run(&mut self, file: &Path) {
        let (mut lines, mut ends) = (Vec::new(), Vec::with_capacity(TOGETHER));
        each_line(file, |line| {
            lines.extend_from_slice(line);
            ends.push(lines.len());
            if ends.len() == TOGETHER {
                self.records(&lines, &ends);
                lines.clear();
                ends.clear();
            }
        });
        self.records(&lines, &ends);
        self.counts.iter_mut().for_each(|(_, count, _)| count.rank(TOP));
    }

    /// Counts lines that stand end to end.
    fn records(&mut self, lines: &[u8], ends: &[usize]) {
        let starts = [0].into_iter().chain(ends.iter().copied());
        let lines = starts.zip(ends).map(|(start, end)| &lines[start..*end]);
        let read: Vec<_> = lines.map(|line| self.decoder.decode(Some(line))).collect();
        for record in &read {
            match record {
                Ok(Record::Post(post)) => self.post(post),
                Ok(Record::Other(_)) => {}
                Err(_) => self.bad += 1,
            }
        }
    }

    fn post(&mut self, post: &Post<'_>) {
        let time = match post.time {
            OwnTime::At(time) => u64::try_from(time).ok(),
            _ => None,
        };
        let input = Input { text: &post.text, html: post.html, hashtags: post.hashtags.as_deref() };
        let Ok(terms) = self.extractor.extract(&input) else {
            self.bad += 1;
            return;
        };
        self.posts += 1;
        if let Some(time) = time.filter(|time| *time > self.clock) {
            let was = std::mem::replace(&mut self.clock, time);
            if was / 1000 != time / 1000 {
                for (_, count, _) in &mut self.counts {
                    count.advance(time);
                    count.rank(TOP);
                }
            }
        }
        for (of, count, spellings) in &mut self.counts {
            for (key, spelling) in terms.of(*of) {
                count.stage(key.text, key.from, key.to);
                if let Some(spellings) = spellings {
                    spellings.stage(key.bytes(), spelling);
                }
            }
            if *of == Kind::Words {
                terms.words().for_each(|key| count.stage(key.text, key.from, key.to));
            }
            count.count(time);
            if let Some(spellings) = spellings {
                spellings.count();
            }
        }
    }
}

/// Hands out the lines of a file as the engine reads them.
pub fn each_line(file: &Path, mut see: impl FnMut(&[u8])) {
    let mut source = FileSource::new(&[file.to_owned()], Arc::default());
    let mut give = |_, line: Option<&[u8]>| see(line.unwrap_or_default());
    while source.poll(1 << 18, &mut give).expect("the bench wrote the file") != Polled::Finished {}
}

/// The windows of each count as the dataflow takes them.
pub fn windows(config: &Config) -> Vec<Windows> {
    let plan = |count: &Counted| {
        let spans = count.windows.iter().filter_map(|window| window.span);
        let spans = spans.map(|span| Span { size: span.size_ms, slide: span.slide_ms }).collect();
        let all = count.windows.iter().any(|window| window.span.is_none());
        Windows::new(spans, all).expect("windows that nest")
    };
    config.counts.iter().map(plan).collect()
}
