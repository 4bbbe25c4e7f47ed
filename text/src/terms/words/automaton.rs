//! A dictionary as an automaton that is drawn while texts are read.
//!
//! Idea: the dictionaries of `icu_segmenter` are packed tightly, so that each step into one is a search among all
//! characters that may follow. Texts take the same few thousand steps again and again, so a step that was taken is remembered:
//! where words begin by its character alone, since these steps are half of all and so stand close together; behind that in a hash
//! table, by the place from which it leads and the character. Most of what texts bring anew are steps that lead nowhere, from the
//! end of one word to the beginning of another: where there is no room for all, these make room for each other.
//! Invariant: a step leads where the dictionary's own cursor leads, whatever was read before, and whatever of it was forgotten.
//! Cost: a multiplication and a load for a step that is remembered. At most 3 MiB, for texts that go everywhere.

use std::ops::Range;

use icu_collections::char16trie::Char16TrieCursor;
use icu_collections::codepointinvlist::CodePointInversionList;
use icu_provider::{DataIdentifierBorrowed, DataMarkerAttributes, DataProvider, DataRequest};
use icu_segmenter::provider::{
    Baked, DictionaryBreakData, SegmenterDictionaryAutoV2, SegmenterDictionaryExtendedV2,
};
use zerotrie::cursor::ZeroTrieSimpleAsciiCursor;

/// Places from which on all is forgotten.
const MOST_PLACES: usize = if cfg!(test) { 1 << 10 } else { 1 << 15 };
/// Entries of the least table, which nearly no text fills, and of the largest.
const LEAST_TABLE: usize = 1 << 8;
const MOST_TABLE: usize = if cfg!(test) { 1 << 10 } else { 1 << 15 };
/// Entries among which one may stand, from its hash on.
const WINDOW: usize = 4;

/// Bits of a character, and of a step, in the entries of the table.
const CHARACTER_BITS: u32 = 21;
const STEP_BITS: u32 = 20;

/// A place in a dictionary: what has been read of a word so far.
pub(super) type Place = u32;

/// The place where all words begin, which is none of the others.
const START: Place = MOST_PLACES as Place;

/// Where a character leads; 0 is none that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step(u32);

impl Step {
    const WORD: u32 = 1;
    const GOES_ON: u32 = 2;
    const KNOWN: u32 = 4;

    /// Whether what has been read is a word.
    #[inline(always)]
    pub(super) fn is_word(self) -> bool {
        self.0 & Step::WORD != 0
    }

    /// Whether longer words begin like this.
    #[inline(always)]
    pub(super) fn goes_on(self) -> bool {
        self.0 & Step::GOES_ON != 0
    }

    /// Where these go on.
    #[inline(always)]
    pub(super) fn place(self) -> Place {
        self.0 >> 3
    }
}

/// One of the dictionaries, as far as it has been walked.
#[derive(Debug)]
pub(super) struct Automaton {
    start: Cursor,
    /// The character that stands first in `begins`.
    base: u32,
    /// Steps by which words begin, by character.
    begins: Vec<Step>,
    places: Vec<Cursor>,
    /// Each `place << 41 | character << 20 | step`, or 0, by its hash or behind that.
    table: Vec<u64>,
    /// Entries that are not 0.
    taken: usize,
    /// Counts what was forgotten for something else.
    forgotten: usize,
}

impl Automaton {
    /// The words in Han, Hiragana and Katakana.
    pub(super) fn chinese_and_japanese() -> Option<Automaton> {
        let data = DataProvider::<SegmenterDictionaryAutoV2>::load(&Baked, request("cjdict")?).ok()?;
        Some(Automaton::new(Cursor::new(data.payload.get_static()?), '\u{3000}'..'\u{a000}'))
    }

    /// The words of Thai.
    pub(super) fn thai() -> Option<Automaton> {
        let data = DataProvider::<SegmenterDictionaryExtendedV2>::load(&Baked, request("thaidict")?).ok()?;
        Some(Automaton::new(Cursor::new(data.payload.get_static()?), '\u{e00}'..'\u{e80}'))
    }

    /// Of `characters` steps by which words begin are remembered.
    fn new(start: Cursor, characters: Range<char>) -> Automaton {
        let [base, end] = [characters.start, characters.end].map(u32::from);
        Automaton {
            start,
            base,
            begins: vec![Step(0); (end - base) as usize],
            places: Vec::new(),
            table: vec![0; LEAST_TABLE],
            taken: 0,
            forgotten: 0,
        }
    }

    /// The step by which words begin with a character.
    #[inline(always)]
    pub(super) fn begin(&mut self, c: char) -> Step {
        let at = u32::from(c).wrapping_sub(self.base) as usize;
        match self.begins.get(at) {
            Some(known) if known.0 != 0 => *known,
            Some(_) => self.begin_anew(at, c),
            None => self.step(START, c),
        }
    }

    /// The step from the place of the step before, by a character.
    #[inline(always)]
    pub(super) fn step(&mut self, place: Place, c: char) -> Step {
        let (key, last) = (key(place, c), self.table.len() - 1);
        let at = hash(key);
        for at in at..at + WINDOW {
            let entry = self.table[at & last];
            if entry >> STEP_BITS == key {
                return Step(entry as u32 & ((1 << STEP_BITS) - 1));
            }
            if entry == 0 {
                break;
            }
        }
        self.step_anew(place, c)
    }

    #[inline(never)]
    fn begin_anew(&mut self, at: usize, c: char) -> Step {
        self.make_room();
        let step = self.take(self.start.clone(), c);
        self.begins[at] = step;
        step
    }

    #[inline(never)]
    fn step_anew(&mut self, mut place: Place, c: char) -> Step {
        let cursor = if place == START { self.start.clone() } else { self.places[place as usize].clone() };
        if self.make_room() && place != START {
            self.places.push(cursor.clone());
            place = 0;
        }
        let step = self.take(cursor, c);
        if (self.taken + 1) * 2 > self.table.len() && self.table.len() < MOST_TABLE {
            let doubled = vec![0; self.table.len() * 2];
            self.taken = 0;
            let kept = std::mem::replace(&mut self.table, doubled);
            kept.into_iter().filter(|&entry| entry != 0).for_each(|entry| self.keep(entry));
        }
        self.keep(key(place, c) << STEP_BITS | u64::from(step.0));
        step
    }

    /// Forgets all if there is no room for another place, and one from which it leads there; whether it did.
    fn make_room(&mut self) -> bool {
        let is_full = self.places.len() + 2 > MOST_PLACES;
        if is_full {
            self.places.clear();
            self.begins.fill(Step(0));
            self.table.fill(0);
            self.taken = 0;
        }
        is_full
    }

    /// Takes a step in the dictionary itself.
    fn take(&mut self, mut cursor: Cursor, c: char) -> Step {
        let (is_word, goes_on) = cursor.step(c);
        let mut step = Step::KNOWN | if is_word { Step::WORD } else { 0 };
        if goes_on {
            step |= Step::GOES_ON | (self.places.len() as u32) << 3;
            self.places.push(cursor);
        }
        Step(step)
    }

    /// Remembers an entry, in place of another if it must be: rather of one that leads nowhere, since else the place behind that
    /// would be made anew.
    fn keep(&mut self, entry: u64) {
        let (at, last) = (hash(entry >> STEP_BITS), self.table.len() - 1);
        let vacant = (at..at + WINDOW).find(|at| self.table[at & last] == 0);
        let at = vacant.unwrap_or_else(|| {
            self.forgotten += 1;
            let mut others = (0..WINDOW).map(|other| at + (self.forgotten + other) % WINDOW);
            let leads_nowhere = |at: &usize| self.table[at & last] as u32 & Step::GOES_ON == 0;
            others.find(leads_nowhere).unwrap_or(at)
        });
        self.taken += usize::from(vacant.is_some());
        self.table[at & last] = entry;
    }
}

#[inline(always)]
fn key(place: Place, c: char) -> u64 {
    u64::from(place) << CHARACTER_BITS | u64::from(u32::from(c))
}

#[inline(always)]
fn hash(key: u64) -> usize {
    // The highest bits depend on all others.
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize
}

fn request(name: &'static str) -> Option<DataRequest<'static>> {
    let name = DataMarkerAttributes::try_from_str(name).ok()?;
    Some(DataRequest { id: DataIdentifierBorrowed::for_marker_attributes(name), ..DataRequest::default() })
}

/// A place in the dictionary itself, in either of the forms in which they are kept.
#[derive(Clone, Debug)]
enum Cursor {
    Units(Char16TrieCursor<'static>),
    /// The characters of an alphabet, by their numbers in it.
    Letters(&'static CodePointInversionList<'static>, ZeroTrieSimpleAsciiCursor<'static>),
}

impl Cursor {
    fn new(dictionary: &'static DictionaryBreakData<'static>) -> Cursor {
        match dictionary {
            DictionaryBreakData::Char16Trie(trie) => Cursor::Units(trie.cursor()),
            DictionaryBreakData::ZeroTrie { alphabet, trie } => Cursor::Letters(alphabet, trie.cursor()),
        }
    }

    /// Goes on by a character; whether that makes a word, and whether there are longer ones.
    fn step(&mut self, c: char) -> (bool, bool) {
        match self {
            Cursor::Units(cursor) => {
                cursor.step(c);
                (cursor.value().is_some(), !cursor.is_empty())
            }
            Cursor::Letters(alphabet, cursor) => {
                // No letter has a number so large, and no word goes on with one that has none.
                let number = alphabet.position(c).and_then(|number| u8::try_from(number).ok());
                cursor.step(number.unwrap_or(u8::MAX));
                (cursor.take_value().is_some(), !cursor.is_empty())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Where the words end that a text begins with, and how far a longer one could go.
    fn ends(automaton: &mut Automaton, text: &str) -> (Vec<usize>, usize) {
        let (mut before, mut ends) = (None, Vec::new());
        for (read, c) in text.chars().enumerate() {
            let step = match before {
                Some(place) => automaton.step(place, c),
                None => automaton.begin(c),
            };
            if step.is_word() {
                ends.push(read + 1);
            }
            if !step.goes_on() {
                return (ends, read + 1);
            }
            before = Some(step.place());
        }
        (ends, text.chars().count())
    }

    fn ends_by_cursor(automaton: &Automaton, text: &str) -> (Vec<usize>, usize) {
        let (mut cursor, mut ends) = (automaton.start.clone(), Vec::new());
        for (read, c) in text.chars().enumerate() {
            let (is_word, goes_on) = cursor.step(c);
            if is_word {
                ends.push(read + 1);
            }
            if !goes_on {
                return (ends, read + 1);
            }
        }
        (ends, text.chars().count())
    }

    proptest! {
        #[test]
        fn steps_lead_where_the_cursor_leads(
            texts in prop::collection::vec("[日本語今天気延期決定ひらがなのをに東京都市学生大人]{1,6}|[ก-ฮะ-์]{1,8}|\\PC{1,3}", 1..40),
        ) {
            let both = [Automaton::chinese_and_japanese(), Automaton::thai()];
            for mut automaton in both.into_iter().map(|automaton| automaton.expect("it is a part of the program")) {
                for text in texts.iter().chain(&texts) {
                    prop_assert_eq!(ends(&mut automaton, text), ends_by_cursor(&automaton, text));
                }
            }
        }
    }

    /// Also of characters that stand far from all others.
    #[test]
    fn a_step_by_which_a_word_begins_is_remembered() {
        let mut automaton = Automaton::chinese_and_japanese().expect("it is a part of the program");
        for text in ('\u{20000}'..'\u{20032}').chain('一'..='乲').map(String::from) {
            for _ in 0..2 {
                assert_eq!(ends(&mut automaton, &text), ends_by_cursor(&automaton, &text), "{text}");
            }
        }
        assert_eq!(automaton.taken, 0x32);
        assert_eq!(automaton.begins.iter().filter(|begin| begin.0 != 0).count(), 0x73);
    }

    /// Also of places that were forgotten, and of steps that others were remembered for.
    #[test]
    fn what_was_forgotten_is_found_again() {
        let mut automaton = Automaton::chinese_and_japanese().expect("it is a part of the program");
        let characters: Vec<char> = ('一'..='鿿').collect();
        let (mut most, mut was_emptied) = (0, false);
        for stride in [7_919, 1_009, 3_001] {
            for (at, &first) in characters.iter().enumerate() {
                let second = characters[at * stride % characters.len()];
                let text = String::from_iter([first, second, '日', first]);
                assert_eq!(ends(&mut automaton, &text), ends_by_cursor(&automaton, &text), "{text}");
                was_emptied |= automaton.places.len() < most;
                most = most.max(automaton.places.len());
            }
        }
        assert!(was_emptied && most <= MOST_PLACES, "{most}");
        assert!(automaton.table.len() == MOST_TABLE && automaton.taken <= MOST_TABLE);
        assert!(automaton.forgotten > MOST_TABLE, "{}", automaton.forgotten);
    }
}
