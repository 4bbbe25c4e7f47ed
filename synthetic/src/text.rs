//! What a post says.
//!
//! Idea: a text is words of one language with what people put between them: hashtags in the middle and at the end, a
//! mention in front, links, cashtags, emoji, quotation marks, line breaks, and the HTML escapes in which the original
//! service delivered `&`, `<` and `>`.
//! Invariant: the tags that are handed out are those of the text, in its order. Cost: no allocation once the buffers
//! have grown; about ten draws of words.

use std::fmt::Write;

use super::author;
use super::everyday::EMOJI;
use super::random::{Random, Share};
use super::tags::Tags;
use super::vocabulary::{Language, Vocabulary};

const MENTION: Share = Share::percent(12);
const LINK: Share = Share::percent(8);
const CASHTAG: Share = Share::percent(30);
const EMOTICON: Share = Share::percent(14);
const ODDITY: Share = Share::percent(5);
const STEADY_TAG: Share = Share::percent(34);
const SECOND_TAG: Share = Share::percent(25);
const INLINE_TAG: Share = Share::percent(30);

/// The text of one post; its buffers are used again for the next.
#[derive(Default)]
pub struct Text {
    /// The text itself, HTML escapes included.
    pub body: String,
    /// Its hashtags without their signs, behind each other.
    tags: String,
    ends: Vec<usize>,
    /// Code of the language.
    pub lang: &'static str,
}

impl Text {
    /// Its hashtags, without their signs.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.ends.iter().scan(0, |from, &to| Some(&self.tags[std::mem::replace(from, to)..to]))
    }

    /// Writes another text over this one.
    pub fn write(&mut self, vocabulary: &Vocabulary, tags: &mut Tags, now_ms: i64, random: &mut Random) {
        let language = vocabulary.language(random);
        self.body.clear();
        self.tags.clear();
        self.ends.clear();
        self.lang = language.code;
        if random.chance(MENTION) {
            self.body.push('@');
            author::write_name(author::draw(random), &mut self.body);
        }
        let words = if language.spaced { random.between(3, 12) } else { random.between(3, 9) };
        let inline = if random.chance(INLINE_TAG) { random.below(words) } else { words };
        for word in 0..words {
            let tagged = word == inline && self.tag(tags, now_ms, random);
            self.word(language, word == 0, tagged, random);
            if random.chance(ODDITY) {
                self.oddity(language, random);
            }
        }
        self.body.push_str(random.pick(language.stops));
        if random.chance(EMOTICON) {
            self.gap();
            self.body.push_str(random.pick(EMOJI));
        }
        if inline == words {
            self.tag(tags, now_ms, random);
        }
        if random.chance(LINK) {
            self.gap();
            let (host, page) =
                (random.pick(&["example.com", "news.example.org", "www.example.net"]), random.next());
            // Writing to a string cannot fail.
            let _ = write!(self.body, "https://{host}/{:07x}", page >> 36);
        }
    }

    /// Adds a word; one behind a mention, a tag or an escape stands apart in every language.
    fn word(&mut self, language: &Language, first: bool, tagged: bool, random: &mut Random) {
        let apart = first || tagged || self.body.ends_with(|last: char| last.is_ascii());
        if language.spaced || apart {
            self.gap();
        }
        let start = self.body.len();
        self.body.push_str(language.word(random));
        if first {
            let end = start + self.body[start..].chars().next().map_or(0, char::len_utf8);
            self.body[start..end].make_ascii_uppercase();
        }
    }

    /// Something between two words that is no word.
    fn oddity(&mut self, language: &Language, random: &mut Random) {
        match random.below(8) {
            0 | 1 => self.body.push_str(if language.spaced { "," } else { "、" }),
            2 => self.body.push_str(" &amp;"),
            3 => self.body.push_str(" &lt;3"),
            4 => self.body.push_str("\n&gt;"),
            5 => {
                self.body.push_str(" \"");
                self.body.push_str(language.any_word(random));
                self.body.push('"');
            }
            6 => {
                let number = random.below(2_030);
                let _ = write!(self.body, " {number}");
            }
            _ => self.body.push_str(if random.chance(CASHTAG) { " $TDNG" } else { " \\o/" }),
        }
    }

    /// Adds the tag of a burst if there is one, else perhaps a steady one or two; says whether it added any.
    fn tag(&mut self, tags: &mut Tags, now_ms: i64, random: &mut Random) -> bool {
        let before = self.ends.len();
        if let Some(tag) = tags.burst(now_ms, random) {
            self.hash(tag);
        } else if random.chance(STEADY_TAG) {
            self.hash(tags.steady(random));
        }
        if self.ends.len() > before && random.chance(SECOND_TAG) {
            self.hash(tags.steady(random));
        }
        self.ends.len() > before
    }

    fn hash(&mut self, tag: &str) {
        self.gap();
        self.body.push('#');
        self.body.push_str(tag);
        self.tags.push_str(tag);
        self.ends.push(self.tags.len());
    }

    /// A space, unless the text is still empty.
    fn gap(&mut self) {
        if !self.body.is_empty() {
            self.body.push(' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new(2));

    proptest! {
        #[test]
        fn tags_are_those_of_the_text_in_order(seed: u64, now_ms in 0i64..4_000_000_000_000) {
            let mut tags = Tags::new(2, &VOCABULARY);
            let (mut text, mut random) = (Text::default(), Random::new(seed));
            for _ in 0..50 {
                text.write(&VOCABULARY, &mut tags, now_ms, &mut random);
                let found: Vec<&str> = text.body.split([' ', '\n']).filter_map(|word| word.strip_prefix('#')).collect();
                let given: Vec<&str> = text.tags().collect();
                prop_assert!(found.len() >= given.len(), "{:?} in {:?}", given, text.body);
                prop_assert!(given.iter().zip(&found).all(|(tag, word)| word.starts_with(tag)), "{}", text.body);
                prop_assert!(!text.body.is_empty() && text.body.len() < 600, "{}", text.body);
            }
        }
    }
}
