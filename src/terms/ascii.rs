//! The words of a text that is pure ASCII.
//!
//! Idea: of the rules of UAX #29 only four are left for ASCII: letters, digits and `_` hold together; a letter, one of
//! `: . '` and a letter hold together; and so do a digit, one of `, ; . '` and a digit. Of 64 bytes at a time it is found
//! out which are what, a bit a byte, so that a word is a run of ones.
//! Invariant: the words are exactly the segments of UAX #29 that have a letter.
//! Cost: a few operations for eight bytes and for a word, whatever their lengths: no branch depends on a single byte. No
//! allocation.

use std::ops::Range;

/// Bytes looked at together: as many as a mask has bits.
const BLOCK: usize = 64;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;

/// Which of 64 bytes are of a class, a bit a byte.
#[derive(Clone, Copy, Debug, Default)]
struct Masks {
    letters: u64,
    digits: u64,
    joiners: u64,
    /// Hold two letters together.
    in_letters: u64,
    /// Hold two digits together.
    in_digits: u64,
}

/// The places of the words of a text, in order; the text must be ASCII.
pub(super) fn words(text: &str) -> Words<'_> {
    let mut words = Words { text: text.as_bytes(), base: 0, rest: 0, letters: 0 };
    words.load(0);
    words
}

/// See [`words`].
#[derive(Clone, Debug)]
pub(super) struct Words<'a> {
    text: &'a [u8],
    /// Where the block at hand begins.
    base: usize,
    /// What belongs to words in it, less what has been given out.
    rest: u64,
    /// The letters in it.
    letters: u64,
}

impl Words<'_> {
    /// Looks at the block that begins at `base`; false: there is none.
    fn load(&mut self, base: usize) -> bool {
        let Some(block) = self.text.get(base..).filter(|block| !block.is_empty()) else { return false };
        let masks = masks(block);
        let before = base.checked_sub(1).and_then(|at| self.text.get(at)).copied().unwrap_or_default();
        let behind = block.get(BLOCK).copied().unwrap_or_default();
        let between = |mask: u64, is: fn(&u8) -> bool| {
            (mask << 1 | u64::from(is(&before))) & (mask >> 1 | u64::from(is(&behind)) << (BLOCK - 1))
        };
        let held = masks.in_letters & between(masks.letters, u8::is_ascii_alphabetic)
            | masks.in_digits & between(masks.digits, u8::is_ascii_digit);
        self.base = base;
        self.letters = masks.letters;
        self.rest = masks.letters | masks.digits | masks.joiners | held;
        true
    }
}

impl Iterator for Words<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            while self.rest == 0 {
                if !self.load(self.base + BLOCK) {
                    return None;
                }
            }
            let mut from = self.rest.trailing_zeros();
            let start = self.base + from as usize;
            let mut has_letter = false;
            let end = loop {
                let length = (self.rest >> from).trailing_ones();
                let run = (u64::MAX >> (BLOCK as u32 - length)) << from;
                has_letter |= self.letters & run != 0;
                self.rest &= !run;
                let end = self.base + (from + length) as usize;
                // A word that reaches the end of its block may go on in the next one.
                if from + length < BLOCK as u32 || !self.load(end) || self.rest & 1 == 0 {
                    break end;
                }
                from = 0;
            };
            if has_letter {
                return Some(start..end);
            }
        }
    }
}

/// What the first 64 bytes are, or all if there are fewer.
fn masks(text: &[u8]) -> Masks {
    let mut all = Masks::default();
    for (number, bytes) in text.chunks(8).take(BLOCK / 8).enumerate() {
        let mut eight = [0; 8];
        eight[..bytes.len()].copy_from_slice(bytes);
        let eight = u64::from_le_bytes(eight);
        let (dot, quote) = (is(eight, b'.'), is(eight, b'\''));
        let put = |mask: &mut u64, found: u64| *mask |= gathered(found) << (8 * number);
        put(&mut all.letters, between(eight | (0x20 * ONES), b'a', b'z'));
        put(&mut all.digits, between(eight, b'0', b'9'));
        put(&mut all.joiners, is(eight, b'_'));
        put(&mut all.in_letters, dot | quote | is(eight, b':'));
        put(&mut all.in_digits, dot | quote | is(eight, b',') | is(eight, b';'));
    }
    all
}

/// The highest bit of each byte that is in a range; all bytes must be ASCII.
fn between(eight: u64, least: u8, most: u8) -> u64 {
    let at_least = |byte: u8| eight + u64::from(0x80 - byte) * ONES;
    at_least(least) & !at_least(most + 1) & HIGH
}

/// The highest bit of each byte that is this one; all bytes must be ASCII.
fn is(eight: u64, byte: u8) -> u64 {
    (HIGH - (eight ^ (u64::from(byte) * ONES))) & HIGH
}

/// The highest bits of eight bytes, one behind the other.
fn gathered(high: u64) -> u64 {
    // Bit 8i becomes bit 56 + i, and no two products fall on the same bit.
    (high >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_segmentation::UnicodeSegmentation;

    use super::*;

    fn written(text: &str) -> Vec<&str> {
        words(text).map(|place| &text[place]).collect()
    }

    /// Texts with all of ASCII, with few of its characters, and with words that go over the ends of blocks.
    const TEXTS: &str = "[ -~\t\r\n]*|[aB1_:;.,' ]*|[\\x00-\\x7f]*|[a ]{0,200}|[aB1_:.,' ]{50,80}[a1.']{40,150}\
        |([ab]{30,80}[.:' ,1]){0,6}";

    proptest! {
        // As many of each sort as one sort alone would have.
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn words_are_the_segments_of_uax_29_with_a_letter(text in TEXTS) {
            let segments: Vec<&str> =
                text.split_word_bounds().filter(|segment| segment.chars().any(char::is_alphabetic)).collect();
            prop_assert_eq!(written(&text), segments);
        }
    }

    #[test]
    fn points_hold_letters_and_digits_together() {
        assert_eq!(
            written("don't U.S. 3.14a a.1 x:y a,b 1,2b _c ___ 42"),
            ["don't", "U.S", "3.14a", "a", "x:y", "a", "b", "1,2b", "_c"]
        );
    }
}
