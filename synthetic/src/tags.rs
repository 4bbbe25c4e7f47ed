//! Hashtags: those that are always about, and those that burst.
//!
//! Idea: a steady tag is drawn by Zipf's law. Bursts lie on the axis of time: in most slots of eight seconds one tag
//! begins to rise, peaks within seconds and fades over a minute or two, so a ranking of five minutes always has
//! something new. Which tag, when, how high is a function of seed and time alone, so that two generators with the same
//! seed, or one that is started again, tell the same story at the same moment.
//! Invariant: at any time bursts take at most half of all posts; a tag has no sign in front and is a tag by the rules
//! of twitter-text. Cost: the list of rising tags is made anew ten times a second; a draw is a short walk along it.

use super::everyday;
use super::random::{Random, Share};
use super::ranks::Ranks;
use super::vocabulary::Vocabulary;

/// Length of a slot in which at most one burst begins, in milliseconds.
const SLOT_MS: i64 = 8_000;
/// How long a burst lasts at most, in slots.
const SLOTS: i64 = 24;
/// How long one list of rising tags is good for, in milliseconds.
const STEP_MS: i64 = 100;
/// All tags.
const TAGS: usize = 3_000;
/// Parts of 2^32 that all bursts together may take.
const MOST: u64 = 1 << 31;

/// All hashtags of a seed.
pub struct Tags {
    seed: u64,
    spellings: Vec<[Box<str>; 3]>,
    /// How many are steady, in front; the others burst only.
    steady: usize,
    ranks: Ranks,
    /// The step for which `rising` is right.
    step: Option<i64>,
    /// Rising tags, each with the sum of the shares up to and with its own.
    rising: Vec<(u64, usize)>,
}

impl Tags {
    /// The tags of this seed; those that are not listed are made of the vocabulary's words.
    pub fn new(seed: u64, vocabulary: &Vocabulary) -> Self {
        let mut random = Random::derived(seed, 0x7a65);
        let events: Vec<&str> = everyday::EVENTS.split_whitespace().collect();
        let mut spellings: Vec<[Box<str>; 3]> = everyday::TAGS.split_whitespace().map(spell).collect();
        while spellings.len() < TAGS - 2 * events.len() {
            spellings.push(spell(&invent(vocabulary, &mut random)));
        }
        let steady = spellings.len();
        spellings.extend(events.iter().map(|event| spell(event)));
        while spellings.len() < TAGS {
            spellings.push(spell(&invent(vocabulary, &mut random)));
        }
        Self { seed, spellings, steady, ranks: Ranks::new(steady), step: None, rising: Vec::new() }
    }

    /// A tag that is always about, as somebody spells it.
    pub fn steady(&self, random: &mut Random) -> &str {
        self.spelled(self.ranks.draw(random), random)
    }

    /// The tag of a burst at this time, if the post has one.
    pub fn burst(&mut self, now_ms: i64, random: &mut Random) -> Option<&str> {
        let step = now_ms.div_euclid(STEP_MS);
        if self.step != Some(step) {
            self.rise(step);
        }
        let at = random.next() >> 32;
        let tag = self.rising.iter().find(|(up_to, _)| at < *up_to)?.1;
        Some(self.spelled(tag, random))
    }

    fn spelled(&self, tag: usize, random: &mut Random) -> &str {
        let spellings = &self.spellings[tag];
        match random.below(10) {
            0 => &spellings[2],
            1..=3 => &spellings[1],
            _ => &spellings[0],
        }
    }

    /// Makes the list of rising tags of this step anew.
    fn rise(&mut self, step: i64) {
        let now_ms = step.saturating_mul(STEP_MS);
        let slot = now_ms.div_euclid(SLOT_MS);
        self.step = Some(step);
        self.rising.clear();
        let mut sum = 0;
        for begun in slot.saturating_sub(SLOTS)..=slot {
            let mut random = Random::derived(self.seed ^ 0xb0b5_7e11, begun as u64);
            if random.below(10) >= 7 {
                continue;
            }
            let tag = self.steady + random.below((self.spellings.len() - self.steady) as u32) as usize;
            let begin_ms = begun.saturating_mul(SLOT_MS) + i64::from(random.below(SLOT_MS as u32));
            let share = Burst::of(&mut random).share(now_ms.saturating_sub(begin_ms));
            if share > 0 && sum + share <= MOST {
                sum += share;
                self.rising.push((sum, tag));
            }
        }
    }
}

/// The course of one burst.
struct Burst {
    rise_ms: f64,
    fade_ms: f64,
    /// Share of all posts at its height, in parts of 2^32.
    height: u64,
}

impl Burst {
    fn of(random: &mut Random) -> Self {
        Self {
            rise_ms: f64::from(random.between(2_000, 10_000)),
            fade_ms: f64::from(random.between(15_000, 45_000)),
            height: Share::percent(u64::from(random.between(1, 9))).0,
        }
    }

    /// Its share of all posts this long after it began, in parts of 2^32.
    fn share(&self, age_ms: i64) -> u64 {
        let age = age_ms as f64;
        let part = if age <= 0.0 {
            0.0
        } else if age < self.rise_ms {
            age / self.rise_ms
        } else {
            let fading = 1.0 + (age - self.rise_ms) / self.fade_ms;
            1.0 / (fading * fading)
        };
        (part * self.height as f64) as u64
    }
}

/// A tag as it is, in lower case and in upper case; only Latin and Cyrillic ones differ.
fn spell(tag: &str) -> [Box<str>; 3] {
    [tag.into(), tag.to_lowercase().into(), tag.to_uppercase().into()]
}

/// One rare word or two everyday ones, each with a capital.
fn invent(vocabulary: &Vocabulary, random: &mut Random) -> String {
    let language = vocabulary.names();
    let words = match random.below(2) {
        0 => ["", language.any_word(random)],
        _ => [language.everyday_word(random), language.everyday_word(random)],
    };
    let mut tag = String::new();
    for word in words {
        let mut letters = word.chars();
        tag.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        tag.push_str(letters.as_str());
    }
    tag
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new(1));

    fn tags() -> Tags {
        Tags::new(1, &VOCABULARY)
    }

    #[test]
    fn bursts_rise_and_fade() {
        let burst = Burst { rise_ms: 4_000.0, fade_ms: 20_000.0, height: 1_000 };
        assert_eq!([0, 2_000, 4_000, 24_000, -5].map(|age| burst.share(age)), [0, 500, 1_000, 250, 0]);
        assert!(burst.share(SLOT_MS * SLOTS) < 20);
    }

    #[test]
    fn some_burst_is_always_on_and_the_leader_changes() {
        let mut tags = tags();
        let mut leaders = Vec::new();
        for second in 0..600 {
            tags.rise((1_700_000_000_000 + second * 1_000) / STEP_MS);
            let mut before = 0;
            let shares =
                tags.rising.iter().map(|&(sum, tag)| (sum - std::mem::replace(&mut before, sum), tag));
            leaders.extend(shares.max().map(|(_, tag)| tag));
        }
        assert!(leaders.len() > 590, "{}", leaders.len());
        leaders.dedup();
        assert!(leaders.len() > 15, "{}", leaders.len());
    }

    proptest! {
        #[test]
        fn any_time_is_a_time(now_ms: i64, seed: u64) {
            let mut tags = tags();
            tags.burst(now_ms, &mut Random::new(seed));
            prop_assert!(tags.rising.last().is_none_or(|(sum, _)| *sum <= MOST));
        }
    }

    #[test]
    fn tags_come_in_several_spellings() {
        assert_eq!(spell("Straße").map(String::from), ["Straße", "straße", "STRASSE"]);
        assert_eq!(spell("桜").map(String::from), ["桜", "桜", "桜"]);
    }
}
