//! The words of a run of characters from scripts without spaces.
//!
//! Idea: what `icu_segmenter` does with such a run comes down to a few rules for nearly all runs there are: letters of
//! Katakana hold together; of Han and Hiragana, and of Thai, the longest word of the dictionary is taken each time; where
//! there is none, all that could have been the beginning of one, with the character that it could not be. These runs are read here,
//! by dictionaries that remember ([`Automaton`]); any other is left to `icu_segmenter` itself.
//! Invariant: the segments are those of `icu_segmenter`, whichever way they were found.
//! Cost: each character is looked up once, and is a step or two in a dictionary; nothing is allocated once the list of
//! characters has grown, and the dictionaries have seen what texts consist of.

use std::ops::{ControlFlow, Range};

use icu_segmenter::options::WordBreakInvariantOptions;
use icu_segmenter::{WordSegmenter, WordSegmenterBorrowed};

use super::super::alphabet::{Character, Class, character};
use super::automaton::Automaton;

/// Splits one run after another.
pub(super) struct Runs {
    segmenter: WordSegmenterBorrowed<'static>,
    han: Option<Automaton>,
    thai: Option<Automaton>,
    glyphs: Vec<Glyph>,
}

/// A character of the run at hand.
#[derive(Clone, Copy, Debug)]
struct Glyph {
    c: char,
    character: Character,
    /// Where it ends, in bytes of the text.
    end: usize,
}

impl Runs {
    /// A splitter; its dictionaries are part of the program, so that this costs next to nothing.
    pub(super) fn new() -> Self {
        Runs {
            segmenter: WordSegmenter::new_dictionary(WordBreakInvariantOptions::default()),
            han: Automaton::chinese_and_japanese(),
            thai: Automaton::thai(),
            glyphs: Vec::new(),
        }
    }

    /// Shows where each word stands of the run that begins at `start`, in order, until `see` breaks off, and tells whether it
    /// is known to be its own key; gives where the run ends.
    pub(super) fn try_each<B>(
        &mut self,
        text: &str,
        start: usize,
        see: &mut impl FnMut(Range<usize>, bool) -> ControlFlow<B>,
    ) -> ControlFlow<B, usize> {
        let (end, is_plain) = self.read(text, start);
        let Runs { segmenter, han: Some(han), thai: Some(thai), glyphs } = self else {
            return by_segmenter(self.segmenter, text, start..end, see).map_continue(|()| end);
        };
        if !is_plain {
            return by_segmenter(*segmenter, text, start..end, see).map_continue(|()| end);
        }
        let mut rest = &**glyphs;
        let mut at = start;
        while let Some(first) = rest.first() {
            let dictionary = match first.character.class() {
                Class::Katakana => None,
                Class::Han => Some(&mut *han),
                _ => Some(&mut *thai),
            };
            let length = rest.iter().position(|glyph| !is_alike(first, glyph)).unwrap_or(rest.len());
            let (mut same, further) = rest.split_at(length);
            rest = further;
            let Some(dictionary) = dictionary else {
                at = see_word(at, same, see)?;
                continue;
            };
            while !same.is_empty() {
                let (word, behind) = same.split_at(longest_word(dictionary, same));
                at = see_word(at, word, see)?;
                same = behind;
            }
        }
        ControlFlow::Continue(end)
    }

    /// Reads the run that begins at `start`: where it ends, and whether the rules here suffice for it.
    fn read(&mut self, text: &str, start: usize) -> (usize, bool) {
        self.glyphs.clear();
        let (mut end, mut is_plain) = (start, true);
        for c in text[start..].chars() {
            let character = character(c);
            match character.class() {
                Class::Han | Class::Katakana | Class::Thai | Class::ThaiMark => {}
                Class::Unspaced | Class::Attached | Class::Joiner => is_plain = false,
                _ => break,
            }
            end += c.len_utf8();
            if is_plain {
                self.glyphs.push(Glyph { c, character, end });
            }
        }
        (end, is_plain)
    }
}

/// Whether words can be made of both together.
fn is_alike(one: &Glyph, other: &Glyph) -> bool {
    let kind = |glyph: &Glyph| match glyph.character.class() {
        Class::ThaiMark => Class::Thai,
        class => class,
    };
    kind(one) == kind(other)
}

/// How many of these characters, of which there is at least one, are the next segment.
#[inline(always)]
fn longest_word(dictionary: &mut Automaton, glyphs: &[Glyph]) -> usize {
    // A mark is never parted from its letter.
    let may_end = |read: usize| glyphs.get(read).is_none_or(|next| next.character.class() != Class::ThaiMark);
    let (mut before, mut longest) = (None, None);
    for (at, glyph) in glyphs.iter().enumerate() {
        let step = match before {
            Some(place) => dictionary.step(place, glyph.c),
            None => dictionary.begin(glyph.c),
        };
        let is_word = step.is_word() && may_end(at + 1);
        if is_word {
            longest = Some(at + 1);
        }
        if !step.goes_on() {
            // Where there is no word: what was read, and the marks that belong to it.
            return longest
                .or_else(|| (at + 1..glyphs.len()).find(|&read| may_end(read)))
                .unwrap_or(glyphs.len());
        }
        before = Some(step.place());
    }
    longest.unwrap_or(glyphs.len())
}

/// Shows the segment that begins at `at` if it is a word; gives where it ends.
#[inline(always)]
fn see_word<B>(
    at: usize,
    glyphs: &[Glyph],
    see: &mut impl FnMut(Range<usize>, bool) -> ControlFlow<B>,
) -> ControlFlow<B, usize> {
    let end = glyphs.last().map_or(at, |last| last.end);
    let has_letter = glyphs.iter().any(|glyph| glyph.character.is_alphabetic());
    if has_letter {
        see(at..end, glyphs.iter().all(|glyph| glyph.character.is_settled()))?;
    }
    ControlFlow::Continue(end)
}

#[inline(never)]
fn by_segmenter<B>(
    segmenter: WordSegmenterBorrowed<'static>,
    text: &str,
    run: Range<usize>,
    see: &mut impl FnMut(Range<usize>, bool) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let mut start = run.start;
    for end in segmenter.segment_str(&text[run.clone()]).map(|end| run.start + end) {
        let (mut has_letter, mut is_settled) = (false, true);
        for character in text[start..end].chars().map(character) {
            has_letter |= character.is_alphabetic();
            is_settled &= character.is_settled();
        }
        if has_letter {
            see(start..end, is_settled)?;
        }
        start = end;
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(runs: &mut Runs, run: &str) -> Vec<(String, bool)> {
        let mut words = Vec::new();
        let end = runs.try_each::<()>(run, 0, &mut |word, is_settled| {
            words.push((run[word].to_owned(), is_settled));
            ControlFlow::Continue(())
        });
        assert_eq!(end, ControlFlow::Continue(run.len()), "{run}");
        words
    }

    fn expected(runs: &Runs, run: &str) -> Vec<(String, bool)> {
        let mut words = Vec::new();
        let _: ControlFlow<()> = by_segmenter(runs.segmenter, run, 0..run.len(), &mut |word, is_settled| {
            words.push((run[word].to_owned(), is_settled));
            ControlFlow::Continue(())
        });
        words
    }

    /// Frequent letters of each script, words and parts of words, and what makes a run unusual.
    const RUN: &str = "([日本語今天気延期決定東京都学生的是不了人我在有他这中大来上国]|[ぁ-ゖ]|[ァ-ヺー]|[ｦ-ﾝ]|[ก-ฮ][ะ-ฺ็-๎]{0,2}|[เ-ไ]|ครับ|ไม่|วันนี้|です|ます|した|オリンピック){1,24}";
    const UNUSUAL: &str =
        "([日はカกำ々〇〆ー゛゜ゝヽ㍿ｶﾞ𠮷豈๐๔ๆລາກខ្មែរမြန်\u{3099}\u{200d}\u{fe0f}\u{301}]){1,12}";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        #[test]
        fn segments_are_those_of_icu(texts in prop::collection::vec(RUN, 1..6)) {
            let mut runs = Runs::new();
            for run in texts.iter().chain(&texts) {
                prop_assert_eq!(words(&mut runs, run), expected(&runs, run), "{}", run);
            }
        }

        #[test]
        fn segments_of_unusual_runs_are_those_of_icu(run in UNUSUAL) {
            let mut runs = Runs::new();
            prop_assume!(character(run.chars().next().unwrap_or(' ')).class().is_unspaced());
            let end = runs.read(&run, 0).0;
            prop_assert_eq!(words(&mut runs, &run[..end]), expected(&runs, &run[..end]));
        }
    }

    #[test]
    fn no_character_is_mistaken_wherever_it_stands() {
        let mut runs = Runs::new();
        for c in ('\0'..=char::MAX).filter(|&c| character(c).class().is_unspaced()) {
            // Of the many characters of Han on the further planes some will do.
            if c > '\u{ffff}' && !(c as u32).is_multiple_of(16) {
                continue;
            }
            for run in [
                format!("{c}"),
                format!("{c}{c}"),
                format!("日{c}本{c}カ{c}ー{c}の"),
                format!("ก{c}ำ{c}์{c}"),
                format!("{c}日{c}"),
            ] {
                assert_eq!(words(&mut runs, &run), expected(&runs, &run), "{c:?} {run}");
            }
        }
    }
}
