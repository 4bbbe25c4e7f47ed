//! The words of a text that has no entities any more.
//!
//! Idea: word boundaries are those of UAX #29, and a segment with at least one alphabetic character is a word. Runs of
//! scripts that are written without spaces are taken out first and split by dictionary. Before all that a text is cut
//! at spaces into stretches with and without other characters than ASCII, because ASCII has a way of its own that is
//! several times as fast.
//! Invariant: without those scripts the words are exactly the segments of UAX #29 that have an alphabetic character; a
//! run of those scripts gives the same words wherever it stands.
//! Cost: ASCII is looked at in blocks; the rest by look-ups a character, and a run that goes to the dictionary allocates
//! its list of breaks.

use std::ops::ControlFlow;

use icu_segmenter::options::WordBreakInvariantOptions;
use icu_segmenter::{WordSegmenter, WordSegmenterBorrowed};
use memchr::memchr_iter;
use unicode_segmentation::UnicodeSegmentation;

use super::ascii;
use super::scripts::{attaches, is_unspaced};

/// Splits texts into words.
pub struct Words {
    dictionary: WordSegmenterBorrowed<'static>,
}

impl Default for Words {
    fn default() -> Self {
        Self::new()
    }
}

impl Words {
    /// A splitter; its dictionaries are part of the program, so that this costs next to nothing.
    pub fn new() -> Self {
        Words { dictionary: WordSegmenter::new_dictionary(WordBreakInvariantOptions::default()) }
    }

    /// Shows each word of a text, in order and as it is written.
    pub fn each(&self, text: &str, mut see: impl FnMut(&str)) {
        for stretch in stretches(text) {
            match stretch {
                Stretch::Ascii(text) => ascii::words(text).for_each(|place| see(&text[place])),
                Stretch::Other(text) => {
                    let _: ControlFlow<()> = self.try_each_in(text, |word| {
                        see(word);
                        ControlFlow::Continue(())
                    });
                }
            }
        }
    }

    /// Shows each word of a stretch that is not ASCII, in order, until `see` breaks off.
    pub(super) fn try_each_in<B>(
        &self,
        stretch: &str,
        mut see: impl FnMut(&str) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        if !is_word(stretch) {
            return ControlFlow::Continue(());
        }
        let mut start = 0;
        let mut unspaced = false;
        for (at, c) in stretch.char_indices() {
            let belongs = is_unspaced(c) || (unspaced && attaches(c));
            if belongs != unspaced {
                self.try_each_in_run(&stretch[start..at], unspaced, &mut see)?;
                start = at;
                unspaced = belongs;
            }
        }
        self.try_each_in_run(&stretch[start..], unspaced, &mut see)
    }

    fn try_each_in_run<B>(
        &self,
        run: &str,
        unspaced: bool,
        see: &mut impl FnMut(&str) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        if !unspaced {
            return run.split_word_bounds().filter(|segment| is_word(segment)).try_for_each(see);
        }
        let mut start = 0;
        for end in self.dictionary.segment_str(run) {
            let segment = &run[start..end];
            if is_word(segment) {
                see(segment)?;
            }
            start = end;
        }
        ControlFlow::Continue(())
    }
}

/// A part of a text that begins and ends where there is a word boundary whatever stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stretch<'a> {
    /// Nothing but ASCII.
    Ascii(&'a str),
    /// Words with other characters in them, and spaces.
    Other(&'a str),
}

/// Cuts a text into stretches, in order; none is left out.
pub(super) fn stretches(text: &str) -> impl Iterator<Item = Stretch<'_>> {
    let mut other = "";
    let mut rest = text;
    std::iter::from_fn(move || {
        if other.is_empty() && !rest.is_empty() {
            let Some(first) = first_outside_ascii(rest.as_bytes()) else {
                return Some(Stretch::Ascii(std::mem::take(&mut rest)));
            };
            let (start, end) = (before_spaces(&rest.as_bytes()[..first]), next_space(rest, first));
            let ascii = &rest[..start];
            (other, rest) = (&rest[start..end], &rest[end..]);
            if !ascii.is_empty() {
                return Some(Stretch::Ascii(ascii));
            }
        }
        (!other.is_empty()).then(|| Stretch::Other(std::mem::take(&mut other)))
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
    segment.chars().any(is_alphabetic)
}

/// The alphabetic characters of Unicode, with short ways for what stands in most posts.
fn is_alphabetic(c: char) -> bool {
    match c {
        '\0'..='\u{7f}' => c.is_ascii_alphabetic(),
        'à'..='ö' | 'а'..='я' | 'ぁ'..='ゖ' | 'ァ'..='ヺ' | '一'..='鿿' | '가'..='힣' => true,
        '\u{2000}'..='\u{206f}'
        | '\u{3000}'..='\u{3004}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{1f200}'..='\u{1faff}' => false,
        _ => c.is_alphabetic(),
    }
}

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
    fn the_short_ways_to_the_alphabetic_characters_lead_there() {
        assert!(('\0'..=char::MAX).all(|c| is_alphabetic(c) == c.is_alphabetic()));
    }

    #[test]
    fn a_letter_makes_a_word() {
        assert_eq!(words("3.14 — 42 x2 don’t 👍 … ½ ª"), ["x2", "don’t", "ª"]);
    }
}
