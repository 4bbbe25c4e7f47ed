//! What each record comes to, by the rules of counting.
//!
//! Idea: a record is judged once, by itself: bad, other or a post; a post has a time or none, and for each count the terms
//! that pass its filters. Counting is then a matter of offsets and times only.
//! Invariant: a fate depends on the record and the configuration alone, but for `ahead`, which depends on the wall
//! clock; a record so near to that border that the test cannot know is refused.

use std::collections::{BTreeMap, HashMap};

use tidings::config::{Config, Count, Reposts, Time};
use tidings::posts::{Decoder, OwnTime, Post, Reason, Record as Decoded};
use tidings::terms::Kind;
use tidings::terms::extract::{Extractor, Input};
use tidings::terms::fold;
use tidings::terms::language::Detector;
use tidings::terms::stop::StopWords;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// How exactly a test knows the wall clock at which a record was read.
const UNSURE_MS: i64 = 30 * 60 * 1000;

/// A record as Kafka, or a file, holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    /// Unix milliseconds; negative: none.
    pub timestamp: i64,
    pub value: Option<Vec<u8>>,
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value =
            self.value.as_deref().map(|value| String::from_utf8_lossy(&value[..value.len().min(300)]));
        write!(f, "{} {} {} at {}: {value:?}", self.topic, self.partition, self.offset, self.timestamp)
    }
}

/// When a post happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Unix milliseconds, above 0.
    At(i64),
    /// More than 24 h ahead of the wall clock.
    Ahead,
    /// Never, as far as is known.
    Undated,
}

/// What a record comes to.
#[derive(Clone, Debug)]
pub enum Fate {
    /// A post, and for each count, by index, the occurrences of its terms; see [`Lexicon`].
    Post(When, Vec<Vec<u32>>),
    /// No post, for this reason.
    Bad(&'static str),
    /// No post, and none is missing.
    Other(&'static str),
}

/// The spellings of a count: an occurrence is one of them.
#[derive(Default)]
pub struct Lexicon {
    /// Key and spelling.
    pub entries: Vec<(String, String)>,
    /// The entries of each key.
    pub keys: BTreeMap<String, Vec<u32>>,
    numbers: HashMap<(String, String), u32>,
}

impl Lexicon {
    fn number(&mut self, key: &str, spelling: &str) -> u32 {
        let entry = (key.to_owned(), spelling.to_owned());
        *self.numbers.entry(entry.clone()).or_insert_with(|| {
            let number = self.entries.len() as u32;
            self.entries.push(entry);
            self.keys.entry(key.to_owned()).or_default().push(number);
            number
        })
    }
}

/// The rules under one configuration.
pub struct Rules {
    pub config: Config,
    /// One for each count.
    pub lexicons: Vec<Lexicon>,
    stop_words: Vec<StopWords>,
    decoder: Decoder,
    extractor: Extractor,
    detector: Detector,
    now_ms: i64,
}

impl Rules {
    pub fn new(config: &Config, now_ms: i64) -> Rules {
        // Which kinds are looked for decides which posts have too many terms.
        let mut kinds: Vec<Kind> = config.counts.iter().map(|count| count.of).collect();
        kinds.extend(
            config.counts.iter().flat_map(|count| &count.track).flat_map(|track| tracked_kinds(track)),
        );
        kinds.sort_unstable();
        kinds.dedup();
        Rules {
            lexicons: config.counts.iter().map(|_| Lexicon::default()).collect(),
            stop_words: config
                .counts
                .iter()
                .map(|count| StopWords::new(&count.stop_words).unwrap())
                .collect(),
            decoder: Decoder::new(config.posts.format, &config.posts.pointers).unwrap(),
            extractor: Extractor::new(&kinds),
            detector: Detector::default(),
            config: config.clone(),
            now_ms,
        }
    }

    pub fn judge(&mut self, record: &Record) -> Fate {
        let post = match self.decoder.decode(record.value.as_deref()) {
            Err(bad) => return Fate::Bad(bad.reason.as_str()),
            Ok(Decoded::Other(kind)) => return Fate::Other(kind),
            Ok(Decoded::Post(post)) => post,
        };
        if post.repost && self.config.posts.reposts == Reposts::Skip {
            return Fate::Other("repost");
        }
        let when = when(&self.config, record, &post, self.now_ms);
        let input = Input { text: &post.text, html: post.html, hashtags: post.hashtags.as_deref() };
        let Ok(terms) = self.extractor.extract(&input) else {
            return Fate::Bad(Reason::TooManyTerms.as_str());
        };
        let text = |term| std::str::from_utf8(term).unwrap();
        let terms: Vec<(Kind, &str, &str)> =
            terms.map(|(kind, key, spelling)| (kind, text(key), text(spelling))).collect();
        let language = match &post.lang {
            Some(own) => own.to_lowercase(),
            None => self.detector.detect(&post.text, post.html).unwrap_or_default().to_owned(),
        };
        let counts = self.config.counts.iter().zip(&self.stop_words).zip(&mut self.lexicons);
        let occurrences = counts.map(|((count, stop_words), lexicon)| {
            if !wants(count, &language, &terms) {
                return Vec::new();
            }
            let own =
                terms.iter().filter(|(kind, key, _)| *kind == count.of && admits(count, stop_words, key));
            own.map(|(_, key, spelling)| lexicon.number(key, spelling)).collect()
        });
        Fate::Post(when, occurrences.collect())
    }
}

fn when(config: &Config, record: &Record, post: &Post<'_>, now_ms: i64) -> When {
    let time = match (config.posts.time, post.time) {
        (Time::Post, OwnTime::At(time)) => Some(time),
        (Time::Post, OwnTime::Unusable) => None,
        (Time::Post, OwnTime::Absent) | (Time::Record, _) => Some(record.timestamp),
    };
    let border = now_ms + DAY_MS;
    match time {
        Some(time) if (time - border).abs() < UNSURE_MS => {
            panic!("nobody knows whether this is ahead: {record:?}")
        }
        Some(time) if time > border => When::Ahead,
        Some(time) if time > 0 => When::At(time),
        _ => When::Undated,
    }
}

fn tracked_kinds(track: &str) -> Vec<Kind> {
    match track.chars().next() {
        Some('#') => vec![Kind::Hashtags],
        Some('@') => vec![Kind::Mentions],
        Some('$') => vec![Kind::Cashtags],
        _ => vec![Kind::Words, Kind::Hashtags],
    }
}

/// Whether a post passes a count's filters as a whole.
fn wants(count: &Count, language: &str, terms: &[(Kind, &str, &str)]) -> bool {
    let spoken = |wanted: &String| language == *wanted || language.starts_with(&format!("{wanted}-"));
    let tracked = |track: &String| {
        tracked_kinds(track)
            .into_iter()
            .any(|kind| terms.iter().any(|term| term.0 == kind && term.1 == fold::key(kind, track)))
    };
    (count.languages.is_empty() || count.languages.iter().any(spoken))
        && (count.track.is_empty() || count.track.iter().any(tracked))
}

/// Whether a term passes a count's filters.
fn admits(count: &Count, stop_words: &StopWords, key: &str) -> bool {
    key.chars().count() >= count.min_length
        && !key.split(' ').any(|word| stop_words.contains(word.as_bytes()))
}
