//! The words of a text that has no entities any more.
//!
//! Idea: word boundaries are those of UAX #29, and a segment with at least one alphabetic character is a word. Runs of
//! scripts that are written without spaces are taken out first and split by dictionary. Before all that a text is cut
//! at spaces into stretches with and without other characters than ASCII, because ASCII has a way of its own that is
//! several times as fast.
//! Invariant: without those scripts the words are exactly the segments of UAX #29 that have an alphabetic character; a
//! run of those scripts gives the same words wherever it stands.
//! Cost: ASCII is looked at in blocks; the rest by a look-up a character. Only words in which marks of punctuation or joiners
//! may stand go through all the rules, and a run that goes to the dictionary allocates its list of breaks.

use std::ops::{ControlFlow, Range};

use memchr::memchr_iter;
use unicode_segmentation::UnicodeSegmentation;

use super::alphabet::{Class, character};
use super::ascii::Ends;
use super::sketch::Sketch;

mod automaton;
mod runs;

use runs::Runs;

/// Splits texts into words.
pub struct Words {
    runs: Runs,
}

impl Default for Words {
    fn default() -> Self {
        Self::new()
    }
}

impl Words {
    /// A splitter; its dictionaries are part of the program, so that this costs next to nothing.
    pub fn new() -> Self {
        Words { runs: Runs::new() }
    }

    /// Shows each word of a text, in order and as it is written.
    pub fn each(&mut self, text: &str, mut see: impl FnMut(&str)) {
        let mut sketch = Sketch::default();
        sketch.draw(text);
        let others: Vec<Range<usize>> = stretches(text).collect();
        others.iter().for_each(|other| sketch.cut(other.clone()));
        let mut others = others.into_iter().peekable();
        let mut see_other = |other: Range<usize>, see: &mut dyn FnMut(&str)| {
            let _: ControlFlow<()> = self.try_each_in(&text[other.clone()], |word, _| {
                see(&text[other.start..][word]);
                ControlFlow::Continue(())
            });
        };
        for &[start, end] in Ends::default().words(text, sketch.blocks()) {
            let place = start as usize..end as usize;
            while let Some(other) = others.next_if(|other| other.start < place.start) {
                see_other(other, &mut see);
            }
            see(&text[place]);
        }
        others.for_each(|other| see_other(other, &mut see));
    }

    /// Shows where each word of a stretch that is not ASCII stands, in order, until `see` breaks off, and tells whether it
    /// is known to be its own key.
    pub(super) fn try_each_in<B>(
        &mut self,
        stretch: &str,
        mut see: impl FnMut(Range<usize>, bool) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        // Where what is at hand begins, and where the last character stands that belongs to no word.
        let (mut start, mut apart) = (0, None);
        let (mut at_hand, mut before) = (AtHand::Nothing, Class::Apart);
        let (mut has_letter, mut is_settled) = (false, true);
        let mut chars = stretch.chars();
        loop {
            let at = stretch.len() - chars.as_str().len();
            let Some(c) = chars.next() else { break };
            let character = character(c);
            let class = character.class();
            if at_hand == AtHand::Word && class == Class::Joined {
                has_letter |= character.is_alphabetic();
                is_settled &= character.is_settled();
                continue;
            }
            if class.is_unspaced() {
                at_hand.try_each(stretch, start..at, has_letter, is_settled, &mut see)?;
                let end = self.runs.try_each(stretch, at, &mut see)?;
                chars = stretch[end..].chars();
                (start, apart) = (end, None);
                (at_hand, before) = (AtHand::Nothing, Class::Unspaced);
                continue;
            }
            let next = match class {
                Class::Joined => at_hand.or(AtHand::Word),
                Class::Hebrew if at_hand == AtHand::Nothing || at_hand == AtHand::Hebrew => AtHand::Hebrew,
                Class::Hebrew | Class::Complex => AtHand::Mixture,
                Class::Attached => at_hand.or(AtHand::Mixture),
                Class::Joiner => AtHand::Mixture,
                Class::Pictograph if before == Class::Joiner => AtHand::Mixture,
                Class::Middle if at_hand != AtHand::Nothing => {
                    let holds = at_hand != AtHand::Word || is_held(chars.as_str());
                    if holds { AtHand::Mixture } else { AtHand::Nothing }
                }
                _ => AtHand::Nothing,
            };
            if at_hand == AtHand::Nothing {
                // What attaches to a character that is no part of a word is read together with it.
                start =
                    if matches!(class, Class::Attached | Class::Joiner) { apart.unwrap_or(at) } else { at };
                (has_letter, is_settled) = (false, true);
            } else if next == AtHand::Nothing {
                at_hand.try_each(stretch, start..at, has_letter, is_settled, &mut see)?;
                start = at;
                (has_letter, is_settled) = (false, true);
            }
            // Spaces hold together, so that what attaches to the last of them belongs to all.
            if next == AtHand::Nothing && !(class == Class::Space && before == Class::Space) {
                apart = Some(at);
            }
            has_letter |= character.is_alphabetic();
            is_settled &= character.is_settled();
            (at_hand, before) = (next, class);
        }
        at_hand.try_each(stretch, start..stretch.len(), has_letter, is_settled, &mut see)
    }
}

/// What the characters before the one at hand make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AtHand {
    /// Nothing that could be a part of a word.
    Nothing,
    /// One segment, as far as can be seen.
    Word,
    /// The same, with the letters of Hebrew in it.
    Hebrew,
    /// Segments between which UAX #29 has to find the boundaries.
    Mixture,
}

impl AtHand {
    /// What it is with one more character in it, which would be `alone` if it stood alone.
    #[inline(always)]
    fn or(self, alone: AtHand) -> AtHand {
        if self == AtHand::Nothing { alone } else { self }
    }

    #[inline(always)]
    fn try_each<B>(
        self,
        text: &str,
        place: Range<usize>,
        has_letter: bool,
        is_settled: bool,
        see: &mut impl FnMut(Range<usize>, bool) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        match self {
            AtHand::Word | AtHand::Hebrew if has_letter => see(place, is_settled),
            AtHand::Mixture if has_letter => text[place.clone()]
                .split_word_bound_indices()
                .filter(|(_, segment)| is_word(segment))
                .map(|(at, segment)| place.start + at..place.start + at + segment.len())
                .try_for_each(|segment| see(segment, is_settled)),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// Whether a row of characters outside ASCII gives no words and is nothing to those beside it, whatever stands there.
pub(super) fn is_silent(row: &str) -> bool {
    let is_apart = |class| matches!(class, Class::Apart | Class::Space | Class::Pictograph);
    let is_attached = |class| matches!(class, Class::Attached | Class::Joiner);
    let mut may_attach = false;
    row.chars().map(character).all(|character| {
        let class = character.class();
        let is_silent = is_apart(class) || may_attach && is_attached(class);
        may_attach = true;
        is_silent && !character.is_alphabetic()
    })
}

/// Whether what stands behind a character in the middle of a word may hold it there.
fn is_held(rest: &str) -> bool {
    rest.chars().next().is_some_and(|next| {
        let class = character(next).class();
        !matches!(class, Class::Apart | Class::Space | Class::Pictograph | Class::Middle)
            && !class.is_unspaced()
    })
}

/// The parts of a text that have other characters than ASCII, in order. They begin and end where there is a word boundary
/// whatever stands beside it; nothing but ASCII stands between them.
pub(super) fn stretches(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &text[at..];
        let first = first_outside_ascii(rest.as_bytes())?;
        let start = at + before_spaces(&rest.as_bytes()[..first]);
        at += next_space(rest, first);
        Some(start..at)
    })
}

fn first_outside_ascii(bytes: &[u8]) -> Option<usize> {
    // Blocks let the compiler test many bytes at once.
    let block = bytes.chunks(32).position(|block| !block.is_ascii())? * 32;
    bytes[block..].iter().position(|byte| !byte.is_ascii()).map(|step| block + step)
}

/// Where the last word begins, with the spaces before it: before the first of several spaces there is always a word
/// boundary, whatever follows them, while a mark may attach to the last.
fn before_spaces(ascii: &[u8]) -> usize {
    let word = ascii.iter().rposition(|&byte| byte == b' ').map_or(0, |space| space + 1);
    ascii[..word].iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1)
}

/// The next space that has a word boundary before it, which it has but behind white space outside ASCII. Spaces between
/// two words that both begin outside ASCII are passed over.
fn next_space(text: &str, from: usize) -> usize {
    let mut spaces = memchr_iter(b' ', &text.as_bytes()[from..]).map(|step| from + step);
    let ends = |space: &usize| {
        text.as_bytes().get(space + 1).is_none_or(u8::is_ascii)
            && !text[..*space].ends_with(char::is_whitespace)
    };
    spaces.find(ends).unwrap_or(text.len())
}

fn is_word(segment: &str) -> bool {
    segment.chars().any(|c| character(c).is_alphabetic())
}

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::scripts::is_unspaced;
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        Words::new().each(text, |word| words.push(word.to_owned()));
        words
    }

    fn by_uax_29(text: &str) -> Vec<&str> {
        text.split_word_bounds().filter(|segment| is_word(segment)).collect()
    }

    proptest! {
        #[test]
        fn without_unspaced_scripts_the_words_are_those_of_uax_29(
            text in "\\PC*|[a-cA1 ._':;,\"\r\né한שׁא\u{345}\u{300}\u{200d}\u{ad}\u{2019}\u{2003}👍🏽🇩]*|([a-z]{0,3}[ é’ \u{345}\u{300}]{0,3})*",
        ) {
            let text: String = text.chars().filter(|&c| !is_unspaced(c)).collect();
            prop_assert_eq!(words(&text), by_uax_29(&text));
        }

        #[test]
        fn the_words_of_any_text_stand_in_it_in_order(text in any::<String>()) {
            let mut rest = text.as_str();
            for word in words(&text) {
                let at = rest.find(&word);
                prop_assert!(at.is_some() && is_word(&word));
                rest = &rest[at.unwrap_or(0) + word.len()..];
            }
        }

        #[test]
        fn unspaced_runs_are_the_same_wherever_they_stand(run in "[日本語今天気延期決定カタナひらがーสวัสดีชาวโลก]{1,12}") {
            let around = format!("a {run}, é{run}.");
            let mut expected = vec!["a".to_owned()];
            expected.extend(words(&run));
            expected.push("é".to_owned());
            expected.extend(words(&run));
            prop_assert_eq!(words(&around), expected);
        }
    }

    #[test]
    fn unspaced_scripts_are_split_by_dictionary() {
        assert_eq!(words("オリンピックの延期決定"), ["オリンピック", "の", "延期", "決定"]);
        assert_eq!(words("สวัสดีชาวโลก"), ["สวัสดี", "ชาว", "โลก"]);
        assert_eq!(words("今天天气很好。iPhoneを買う"), ["今天", "天气", "很好", "iPhone", "を", "買う"]);
        assert_eq!(words("안녕하세요 세계"), ["안녕하세요", "세계"]);
    }

    #[test]
    fn no_character_is_mistaken_wherever_it_stands() {
        for c in ('\0'..=char::MAX).filter(|&c| !is_unspaced(c)) {
            let class = character(c).class();
            // Of the many that are not assigned some will do.
            if class == Class::Apart && c > '\u{ffff}' && !(c as u32).is_multiple_of(64) {
                continue;
            }
            for text in [
                format!("é{c}b {c} 1{c}2"),
                format!("{c}\u{301}b {c}{c}é.{c} \u{200d}{c}"),
                format!("א{c}' é{c}.b"),
            ] {
                assert_eq!(words(&text), by_uax_29(&text), "{c:?} {:x}", c as u32);
            }
        }
    }

    #[test]
    fn what_is_silent_is_nothing_to_the_words_beside_it() {
        let mut silent = 0;
        for c in ('\u{80}'..='\u{2fff}').chain(('\u{3000}'..=char::MAX).step_by(37)) {
            for row in ["", "\u{301}", "\u{200d}", "\u{fe0f}", "\u{345}"].map(|behind| format!("{c}{behind}"))
            {
                if is_silent(&row) {
                    silent += 1;
                    for (before, behind) in [("a", "b"), ("1", "c"), ("a.", ".b"), ("d ", " e"), ("_", "_")] {
                        let text = format!("{before}{row}{behind}");
                        let mut apart = words(before);
                        apart.extend(words(behind));
                        assert_eq!(words(&text), apart, "{text:?}");
                    }
                }
            }
        }
        assert!(silent > 5_000, "{silent}");
    }

    #[test]
    fn a_letter_makes_a_word() {
        assert_eq!(words("3.14 — 42 x2 don’t 👍 … ½ ª"), ["x2", "don’t", "ª"]);
    }
}
