//! What a character is to words and to keys, in one look-up.
//!
//! Idea: the rules of words and of folding ask for half a dozen properties of each character, each in a table of its own.
//! What they need of all of them fits into a byte, which is worked out once for each 256 characters that are met.
//! Invariant: a byte says what the properties say, whichever character is asked for first.
//! Cost: two loads a character; 256 bytes for each page of Unicode that was met, at most 128 KiB.

use std::sync::OnceLock;

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

const PAGE: usize = 256;
/// The first two planes: all scripts in use, and emoji.
static PAGES: [OnceLock<[u8; PAGE]>; 512] = [const { OnceLock::new() }; 512];

const CLASS: u8 = 0x0f;
const ALPHABETIC: u8 = 0x10;
const SETTLED: u8 = 0x20;
const FOLDED: u8 = 0x40;

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
    /// Anything else: asks for the rules as they are.
    Complex,
}

/// What is known of a character.
#[derive(Clone, Copy, Debug)]
pub(super) struct Character(u8);

/// What a character is.
#[inline(always)]
pub(super) fn character(c: char) -> Character {
    let point = c as usize;
    match PAGES.get(point / PAGE) {
        Some(page) => Character(page.get_or_init(|| drawn(point / PAGE))[point % PAGE]),
        None => defined(c),
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

#[cold]
fn drawn(page: usize) -> [u8; PAGE] {
    std::array::from_fn(|at| {
        let point = u32::try_from(page * PAGE + at).ok();
        point.and_then(char::from_u32).map_or(0, |c| defined(c).0)
    })
}

fn defined(c: char) -> Character {
    let is_folded = std::iter::once(c).default_case_fold().eq([c]);
    let is_inert = canonical_combining_class(c) == 0 && is_nfc_quick(std::iter::once(c)) == IsNormalized::Yes;
    let bit = |is: bool, bit: u8| if is { bit } else { 0 };
    Character(
        class(c) as u8
            | bit(c.is_alphabetic(), ALPHABETIC)
            | bit(is_folded && is_inert, SETTLED)
            | bit(is_folded, FOLDED),
    )
}

fn class(c: char) -> Class {
    if is_unspaced(c) {
        return Class::Unspaced;
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
    fn a_page_says_what_the_properties_say() {
        for c in ('\0'..=char::MAX).step_by(7) {
            let (found, expected) = (character(c), defined(c));
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
