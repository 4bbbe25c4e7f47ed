//! Posts that nobody wrote, as a real stream has them.
//!
//! Idea: a pure generator. It takes the time from outside and gives one record a call, so it serves the command
//! `produce synthetic`, the demo, benches and tests alike, with Kafka or without. What real streams do, it does: words
//! by Zipf's law in many scripts, hashtags that burst, reposts, posts that come late, records that are broken.
//! Invariant: the same seed and the same sequence of times give the same records, byte for byte. Ids differ, and those
//! of punctual posts increase. Cost: two allocations a record, and the vocabulary at the beginning.

mod author;
mod broken;
mod everyday;
mod random;
mod ranks;
mod reposts;
mod status;
mod syllables;
mod tags;
mod text;
mod vocabulary;

use std::fmt::Write;

use random::{Random, Share};
use reposts::Reposts;
use status::{Head, Writer};
use tags::Tags;
use text::Text;
use vocabulary::Vocabulary;

/// Milliseconds from the Unix epoch to the one that Snowflake ids count from.
const SNOWFLAKE_EPOCH_MS: i64 = 1_288_834_974_657;
/// The last time that a post can have: the end of the year 9999, in Unix milliseconds.
const LAST_MS: i64 = 253_402_300_799_999;
/// Set in the ids of late posts, so that they never meet those of punctual ones.
const LATE_BIT: u64 = 1 << 21;
const ASCII: Share = Share::percent(2);

/// What share of the records is special, each from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mix {
    /// Broken ones: no post can be read from them.
    pub bad: f64,
    /// Posts that come seconds to hours after their time.
    pub late: f64,
    /// Reposts, each with its whole original.
    pub reposts: f64,
}

impl Default for Mix {
    fn default() -> Self {
        Self { bad: 0.001, late: 0.01, reposts: 0.05 }
    }
}

/// One record for Kafka.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The id of the post in decimal digits.
    pub key: Vec<u8>,
    /// The JSON of the post, or what is left of it; `None` for a tombstone.
    pub value: Option<Vec<u8>>,
    /// The post's own time, for the timestamp of the record, in Unix milliseconds.
    pub time_ms: i64,
}

/// The generator.
pub struct Synthetic {
    random: Random,
    vocabulary: Vocabulary,
    tags: Tags,
    bad: Share,
    late: Share,
    reposted: Share,
    /// Low bits of ids that tell generators with different seeds apart.
    node: u64,
    last_id: u64,
    made: u64,
    reposts: Reposts,
    text: Text,
    writer: Writer,
    json: String,
}

impl Synthetic {
    /// The generator of this seed.
    pub fn new(seed: u64, mix: Mix) -> Self {
        let vocabulary = Vocabulary::new(seed);
        let tags = Tags::new(seed, &vocabulary);
        let mut random = Random::new(seed);
        Self {
            node: u64::from(random.below(1 << 9)) << 12,
            random,
            vocabulary,
            tags,
            bad: Share::of(mix.bad),
            late: Share::of(mix.late),
            reposted: Share::of(mix.reposts),
            last_id: 0,
            made: 0,
            reposts: Reposts::default(),
            text: Text::default(),
            writer: Writer::default(),
            json: String::with_capacity(1_024),
        }
    }

    /// The next record, at this time in Unix milliseconds; times outside the years 1970 to 9999 are taken to the
    /// nearer end.
    pub fn next(&mut self, now_ms: i64) -> Made {
        let now_ms = now_ms.clamp(0, LAST_MS);
        let head = self.head(now_ms);
        self.json.clear();
        let reposted =
            if self.random.chance(self.reposted) { self.reposts.one(&mut self.random) } else { None };
        if let Some(original) = reposted {
            self.writer.repost(head, &original.preview, original.lang, &original.json, &mut self.json);
        } else {
            self.text.write(&self.vocabulary, &mut self.tags, now_ms, &mut self.random);
            self.writer.original(head, &self.text, &mut self.json);
            self.reposts.offer(head.author, &self.text, &self.json, &mut self.random);
        }
        let mut key = String::with_capacity(20);
        // Writing to a string cannot fail.
        let _ = write!(key, "{}", head.id);
        let value = if self.random.chance(self.bad) {
            broken::damage(&self.json, &mut self.random)
        } else {
            Some(self.json.as_bytes().to_vec())
        };
        Made { key: key.into_bytes(), value, time_ms: head.time_ms }
    }

    /// Id, time and author of the next post.
    fn head(&mut self, now_ms: i64) -> Head {
        self.made += 1;
        let (id, time_ms) = if self.random.chance(self.late) {
            let time_ms = (now_ms - lateness(&mut self.random)).max(0);
            (snowflake(time_ms) | LATE_BIT | (self.made & (LATE_BIT - 1)), time_ms)
        } else {
            self.last_id = (snowflake(now_ms) | self.node).max(self.last_id + 1);
            (self.last_id, now_ms)
        };
        let author = author::draw(&mut self.random);
        Head { id, time_ms, author, ascii: self.random.chance(ASCII) }
    }
}

/// The id of a time with all its low bits clear.
fn snowflake(time_ms: i64) -> u64 {
    ((time_ms - SNOWFLAKE_EPOCH_MS).max(0) as u64) << 22
}

/// How late a late post is, in milliseconds: from one second to four and a half hours, each doubling as likely.
fn lateness(random: &mut Random) -> i64 {
    let doubled = random.below(14);
    i64::from(random.between(1_000, 1_999)) << doubled
}

#[cfg(test)]
mod tests;
