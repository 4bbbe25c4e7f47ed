//! The words of a text that is pure ASCII.
//!
//! Idea: of the rules of UAX #29 only four are left for ASCII: letters, digits and `_` hold together; a letter, one of
//! `: . '` and a letter hold together; and so do a digit, one of `, ; . '` and a digit. One table of 256 entries
//! says what a byte is.
//! Invariant: the words are exactly the segments of UAX #29 that have a letter.
//! Cost: one table look-up a byte, about 1 ns; no allocation.

use std::ops::Range;

const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const JOINER: u8 = 4;
/// Holds two letters together.
const IN_LETTERS: u8 = 8;
/// Holds two digits together.
const IN_DIGITS: u8 = 16;
/// What words consist of.
const INSIDE: u8 = LETTER | DIGIT | JOINER;

const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        class[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            b'0'..=b'9' => DIGIT,
            b'_' => JOINER,
            b':' => IN_LETTERS,
            b',' | b';' => IN_DIGITS,
            b'.' | b'\'' => IN_LETTERS | IN_DIGITS,
            _ => 0,
        };
        byte += 1;
    }
    class
};

/// The places of the words of a text, in order; the text must be ASCII.
pub(super) fn words(text: &str) -> Words<'_> {
    Words { text: text.as_bytes(), at: 0 }
}

/// See [`words`].
#[derive(Clone, Debug)]
pub(super) struct Words<'a> {
    text: &'a [u8],
    at: usize,
}

fn class(byte: u8) -> u8 {
    CLASS[usize::from(byte)]
}

/// The length of the segment that begins here, and of what classes it is made.
fn segment(text: &[u8]) -> (usize, u8) {
    let (mut length, mut seen, mut last) = (0, 0, 0);
    loop {
        for &byte in &text[length..] {
            let class = class(byte);
            if class & INSIDE == 0 {
                break;
            }
            length += 1;
            seen |= class;
            last = class;
        }
        let holds = match last {
            LETTER => IN_LETTERS,
            DIGIT => IN_DIGITS,
            _ => 0,
        };
        match text[length..] {
            [between, next, ..] if class(between) & holds != 0 && class(next) == last => length += 1,
            _ => return (length, seen),
        }
    }
}

impl Iterator for Words<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            let rest = &self.text[self.at..];
            let start = self.at + rest.iter().position(|&byte| class(byte) & INSIDE != 0)?;
            let (length, seen) = segment(&self.text[start..]);
            self.at = start + length;
            if seen & LETTER != 0 {
                return Some(start..self.at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_segmentation::UnicodeSegmentation;

    use super::*;

    fn written(text: &str) -> Vec<&str> {
        words(text).map(|place| &text[place]).collect()
    }

    proptest! {
        #[test]
        fn words_are_the_segments_of_uax_29_with_a_letter(text in "[ -~\t\r\n]*|[aB1_:;.,' ]*|[\\x00-\\x7f]*") {
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
