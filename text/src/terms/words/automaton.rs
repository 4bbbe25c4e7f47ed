//! A dictionary as an automaton that is drawn while texts are read.
//!
//! Idea: the dictionaries of `icu_segmenter` are packed tightly, so that each step into one is a search among all
//! characters that may follow. Texts take the same few thousand steps again and again; a step that was taken once stands in
//! a hash table, by the place from which it leads and the character.
//! Invariant: a step leads where the dictionary's own cursor leads, whatever was read before. A table that is full is
//! emptied; what it held is found again.
//! Cost: a multiplication and a load for a step that was taken before. At most 3 MiB, for texts that take them all.

use icu_collections::char16trie::Char16TrieCursor;
use icu_collections::codepointinvlist::CodePointInversionList;
use icu_provider::{DataIdentifierBorrowed, DataMarkerAttributes, DataProvider, DataRequest};
use icu_segmenter::provider::{
    Baked, DictionaryBreakData, SegmenterDictionaryAutoV2, SegmenterDictionaryExtendedV2,
};
use zerotrie::cursor::ZeroTrieSimpleAsciiCursor;

/// The most steps that are remembered, half of the largest table.
const MAX_STEPS: usize = 1 << 15;
/// The least table, which nearly no text fills.
const LEAST_TABLE: usize = 1 << 8;

/// Bits of a character, and of a step, in the entries of the table.
const CHARACTER_BITS: u32 = 21;
const STEP_BITS: u32 = 20;

/// A place in a dictionary: what has been read of a word so far.
pub(super) type Place = u32;

/// The place where all words begin.
pub(super) const START: Place = 0;

/// Where a character leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step(u32);

impl Step {
    const WORD: u32 = 1;
    const GOES_ON: u32 = 2;

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
        self.0 >> 2
    }
}

/// One of the dictionaries, as far as it has been walked.
#[derive(Debug)]
pub(super) struct Automaton {
    start: Cursor,
    /// Behind the start; there are never more than steps.
    places: Vec<Cursor>,
    /// Each `place << 41 | character << 20 | step`, or 0, in a place by its hash or in the next that was free.
    table: Vec<u64>,
    taken: usize,
}

impl Automaton {
    /// The words in Han, Hiragana and Katakana.
    pub(super) fn chinese_and_japanese() -> Option<Automaton> {
        let data = DataProvider::<SegmenterDictionaryAutoV2>::load(&Baked, request("cjdict")?).ok()?;
        Some(Automaton::new(Cursor::new(data.payload.get_static()?)))
    }

    /// The words of Thai.
    pub(super) fn thai() -> Option<Automaton> {
        let data = DataProvider::<SegmenterDictionaryExtendedV2>::load(&Baked, request("thaidict")?).ok()?;
        Some(Automaton::new(Cursor::new(data.payload.get_static()?)))
    }

    fn new(start: Cursor) -> Automaton {
        Automaton { start, places: Vec::new(), table: vec![0; LEAST_TABLE], taken: 0 }
    }

    /// The step from a place by a character. The place must stem from the step before, or be [`START`].
    #[inline(always)]
    pub(super) fn step(&mut self, place: Place, c: char) -> Step {
        let key = u64::from(place) << CHARACTER_BITS | u64::from(u32::from(c));
        let last = self.table.len() - 1;
        let mut at = hash(key) & last;
        loop {
            let entry = self.table[at & last];
            if entry >> STEP_BITS == key {
                return Step(entry as u32 & ((1 << STEP_BITS) - 1));
            }
            if entry == 0 {
                return self.first_step(place, c);
            }
            at += 1;
        }
    }

    /// A step that is not known.
    #[inline(never)]
    fn first_step(&mut self, mut place: Place, c: char) -> Step {
        let mut cursor = match (place as usize).checked_sub(1) {
            Some(behind) => self.places[behind].clone(),
            None => self.start.clone(),
        };
        if self.taken == MAX_STEPS {
            self.places.clear();
            self.table.fill(0);
            self.taken = 0;
            if place != START {
                self.places.push(cursor.clone());
                place = 1;
            }
        }
        let (is_word, goes_on) = cursor.step(c);
        let mut step = if is_word { Step::WORD } else { 0 };
        if goes_on {
            self.places.push(cursor);
            step |= Step::GOES_ON | (self.places.len() as u32) << 2;
        }
        if (self.taken + 1) * 2 > self.table.len() {
            let doubled = vec![0; self.table.len() * 2];
            std::mem::replace(&mut self.table, doubled)
                .into_iter()
                .filter(|&entry| entry != 0)
                .for_each(|entry| self.keep(entry));
        }
        let key = u64::from(place) << CHARACTER_BITS | u64::from(u32::from(c));
        self.keep(key << STEP_BITS | u64::from(step));
        self.taken += 1;
        Step(step)
    }

    fn keep(&mut self, entry: u64) {
        let last = self.table.len() - 1;
        let mut at = hash(entry >> STEP_BITS) & last;
        while self.table[at] != 0 {
            at = (at + 1) & last;
        }
        self.table[at] = entry;
    }
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
        let (mut place, mut ends) = (START, Vec::new());
        for (read, c) in text.chars().enumerate() {
            let step = automaton.step(place, c);
            if step.is_word() {
                ends.push(read + 1);
            }
            if !step.goes_on() {
                return (ends, read + 1);
            }
            place = step.place();
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

    #[test]
    fn a_table_that_was_emptied_says_the_same() {
        let mut automaton = Automaton::chinese_and_japanese().expect("it is a part of the program");
        let characters: Vec<char> = ('一'..='鿿').collect();
        let (mut most, mut was_emptied) = (0, false);
        for stride in [7_919, 1_009, 3_001] {
            for (at, &first) in characters.iter().enumerate() {
                let second = characters[at * stride % characters.len()];
                let text = String::from_iter([first, second, '日', first]);
                assert_eq!(ends(&mut automaton, &text), ends_by_cursor(&automaton, &text), "{text}");
                was_emptied |= automaton.taken < most;
                most = most.max(automaton.taken);
            }
        }
        assert!(was_emptied && most <= MAX_STEPS && automaton.table.len() <= 2 * MAX_STEPS, "{most}");
    }
}
