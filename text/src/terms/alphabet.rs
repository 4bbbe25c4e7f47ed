//! What a character is to words and to keys, in one look-up.
//!
//! Idea: the rules of words and of folding ask for half a dozen properties of each character, each in a table of its own.
//! What they need of all of them fits into a byte, which is worked out when the character is first met.
//! Invariant: a byte says what the properties say, whichever character is asked for first, and by how many threads.
//! Cost: a load a character; 128 KiB for the whole process.

use std::sync::atomic::{AtomicU8, Ordering};

use caseless::Caseless;
use icu_properties::props::{ExtendedPictographic, WordBreak};
use icu_properties::{
    CodePointMapData, CodePointMapDataBorrowed, CodePointSetData, CodePointSetDataBorrowed,
};
use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, is_nfc_quick};
use unicode_segmentation::UnicodeSegmentation;

use super::scripts::is_unspaced;

static WORD_BREAK: CodePointMapDataBorrowed<'static, WordBreak> = CodePointMapData::<WordBreak>::new();
static PICTOGRAPH: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<ExtendedPictographic>();

/// The first two planes: all scripts in use, and emoji. 0 where the character was not met yet.
static MET: [AtomicU8; 1 << 17] = [const { AtomicU8::new(0) }; 1 << 17];

const CLASS: u8 = 0x0f;
const ALPHABETIC: u8 = 0x10;
const SETTLED: u8 = 0x20;
const FOLDED: u8 = 0x40;
const KNOWN: u8 = 0x80;

/// What a character does to the word that it stands in or beside (UAX #29).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Is no part of a word, and has a boundary before and behind it, but for what attaches to it. Is no letter.
    Apart,
    /// The same, but holds together with others of its kind.
    Space,
    /// As [`Class::Apart`], but belongs to a zero-width joiner before it.
    Pictograph,
    /// Holds together with all of its kind: letters, digits, `_`.
    Joined,
    /// The same for the letters of Hebrew, to which a quotation mark may belong.
    Hebrew,
    /// Belongs to what stands before it.
    Attached,
    /// A zero-width joiner: belongs to what stands before it, and holds what stands behind it.
    Joiner,
    /// Holds two letters or two digits together.
    Middle,
    /// Of a script without spaces.
    Unspaced,
    /// The same: a character of Han or Hiragana, of which the words of one dictionary are made.
    Han,
    /// The same: a letter of Katakana, which holds together with all of its kind.
    Katakana,
    /// The same: a letter of Thai.
    Thai,
    /// The same: a mark of Thai, which belongs to the letter before it.
    ThaiMark,
    /// Anything else: asks for the rules as they are.
    Complex,
}

/// What is known of a character.
#[derive(Clone, Copy, Debug)]
pub(super) struct Character(u8);

/// What a character is.
#[inline(always)]
pub(super) fn character(c: char) -> Character {
    match MET.get(c as usize).map(|met| met.load(Ordering::Relaxed)) {
        Some(known) if known != 0 => Character(known),
        _ => first_met(c),
    }
}

/// The same for a character that was not asked for before. Threads that do so together write the same.
#[cold]
#[inline(never)]
fn first_met(c: char) -> Character {
    let character = defined(c);
    if let Some(met) = MET.get(c as usize) {
        met.store(character.0, Ordering::Relaxed);
    }
    character
}

impl Class {
    /// Whether a character of this class is of a script without spaces.
    #[inline(always)]
    pub(super) fn is_unspaced(self) -> bool {
        self as u8 >= Class::Unspaced as u8 && self as u8 <= Class::ThaiMark as u8
    }
}

impl Character {
    #[inline(always)]
    pub(super) fn class(self) -> Class {
        match self.0 & CLASS {
            0 => Class::Apart,
            1 => Class::Space,
            2 => Class::Pictograph,
            3 => Class::Joined,
            4 => Class::Hebrew,
            5 => Class::Attached,
            6 => Class::Joiner,
            7 => Class::Middle,
            8 => Class::Unspaced,
            9 => Class::Han,
            10 => Class::Katakana,
            11 => Class::Thai,
            12 => Class::ThaiMark,
            _ => Class::Complex,
        }
    }

    /// Whether a segment with it is a word.
    #[inline(always)]
    pub(super) fn is_alphabetic(self) -> bool {
        self.0 & ALPHABETIC != 0
    }

    /// Whether it is its own key, whatever stands beside it, as long as that is so too.
    #[inline(always)]
    pub(super) fn is_settled(self) -> bool {
        self.0 & SETTLED != 0
    }

    /// Whether case folding leaves it as it is.
    #[inline(always)]
    pub(super) fn is_folded(self) -> bool {
        self.0 & FOLDED != 0
    }
}

fn defined(c: char) -> Character {
    let is_folded = std::iter::once(c).default_case_fold().eq([c]);
    let is_inert = canonical_combining_class(c) == 0 && is_nfc_quick(std::iter::once(c)) == IsNormalized::Yes;
    let bit = |is: bool, bit: u8| if is { bit } else { 0 };
    Character(
        KNOWN
            | class(c) as u8
            | bit(c.is_alphabetic(), ALPHABETIC)
            | bit(is_folded && is_inert, SETTLED)
            | bit(is_folded, FOLDED),
    )
}

fn class(c: char) -> Class {
    if is_unspaced(c) {
        return match c {
            '々' | '〇' | 'ぁ'..='ゖ' | 'ゝ'..='ゟ' | '㐀'..='䶿' | '一'..='鿿' => Class::Han,
            'ァ'..='ヺ' | 'ー'..='ヿ' | 'ｦ'..='ﾝ' => Class::Katakana,
            '\u{e31}' | '\u{e33}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' => Class::ThaiMark,
            '\u{e01}'..='\u{e46}' => Class::Thai,
            _ => Class::Unspaced,
        };
    }
    let class = match WORD_BREAK.get(c) {
        WordBreak::ALetter | WordBreak::Numeric | WordBreak::ExtendNumLet => Class::Joined,
        WordBreak::HebrewLetter => Class::Hebrew,
        WordBreak::Extend | WordBreak::Format => Class::Attached,
        WordBreak::ZWJ => Class::Joiner,
        WordBreak::MidLetter
        | WordBreak::MidNum
        | WordBreak::MidNumLet
        | WordBreak::SingleQuote
        | WordBreak::DoubleQuote => return Class::Middle,
        WordBreak::WSegSpace => Class::Space,
        // Letters of further scripts without spaces; each is a word.
        WordBreak::Other if c.is_alphabetic() => return Class::Complex,
        WordBreak::Other if PICTOGRAPH.contains(c) => Class::Pictograph,
        WordBreak::Other | WordBreak::CR | WordBreak::LF | WordBreak::Newline => Class::Apart,
        _ => return Class::Complex,
    };
    // The two libraries need not have the same version of Unicode; that of `unicode-segmentation` counts.
    let segments = format!("a{c}a").split_word_bounds().count();
    match class {
        Class::Apart | Class::Space | Class::Pictograph if segments == 3 => class,
        Class::Joined | Class::Hebrew | Class::Attached | Class::Joiner if segments == 1 => class,
        _ => Class::Complex,
    }
}

#[cfg(test)]
mod tests {
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    #[test]
    fn what_was_met_says_what_the_properties_say() {
        for c in ('\0'..=char::MAX).step_by(7) {
            let expected = defined(c);
            assert_eq!(character(c).0, expected.0, "{c}");
            let found = character(c);
            assert_eq!(found.0, expected.0, "{c}");
            assert_eq!(found.class(), class(c), "{c}");
            assert_eq!(found.is_alphabetic(), c.is_alphabetic(), "{c}");
        }
    }

    #[test]
    fn what_is_settled_is_its_own_key() {
        let settled: String = ('\0'..=char::MAX).filter(|&c| character(c).is_settled()).collect();
        assert_eq!(is_nfc_quick(settled.chars()), IsNormalized::Yes);
        assert!(settled.chars().nfc().default_case_fold().nfc().eq(settled.chars()));
        assert!("az09é日本ひカ한ßж_ا".chars().filter(|&c| c != 'ß').all(|c| character(c).is_settled()));
        assert!(!"AZÉЖß\u{301}\u{1161}".chars().any(|c| character(c).is_settled()));
    }
}
