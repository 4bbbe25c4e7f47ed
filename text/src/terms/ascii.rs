//! The words of a text that are pure ASCII.
//!
//! Idea: of the rules of UAX #29 only four are left for ASCII: letters, digits and `_` hold together; a letter, one of
//! `: . '` and a letter hold together; and so do a digit, one of `, ; . '` and a digit. Of 64 bytes at a time it is known
//! which are what, a bit a byte, so that a word is a run of ones.
//! Invariant: the words are exactly the segments of UAX #29 that have a letter, of what was not cut out.
//! Cost: a few operations for a block and for a word, whatever their lengths: no branch depends on a single byte. No
//! allocation.

use std::ops::{ControlFlow, Range};

use super::sketch::{BLOCK, Block};

/// Shows the place of each word of a text, in order, until `see` breaks off. Where the text is not ASCII it must have
/// been cut out.
#[inline(always)]
pub(super) fn try_each<B>(
    text: &str,
    blocks: &[Block],
    mut see: impl FnMut(Range<usize>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let mut before = Block::default();
    // Where the word begins that reaches the end of the block before, and whether it has a letter so far.
    let mut open: Option<(usize, bool)> = None;
    for (number, block) in blocks.iter().enumerate() {
        let base = number * BLOCK;
        let behind = blocks.get(number + 1).copied().unwrap_or_default();
        let runs = block.core | held(text.as_bytes(), base, &before, block, &behind);
        before = *block;
        // A bit for each end, just behind the last bit of its run.
        let shifted = runs << 1 | u64::from(open.is_some());
        let (mut starts, mut ends) = (runs & !shifted, !runs & shifted);
        if let Some((start, has_letter)) = open {
            if ends == 0 {
                open = Some((start, has_letter || block.letters != 0));
                continue;
            }
            let end = ends.trailing_zeros();
            open = None;
            ends &= ends - 1;
            if has_letter || block.letters & !(u64::MAX << end) != 0 {
                see(start..base + end as usize)?;
            }
        }
        while starts != 0 {
            let start = starts.trailing_zeros();
            starts &= starts - 1;
            if ends == 0 {
                open = Some((base + start as usize, block.letters >> start != 0));
                break;
            }
            let end = ends.trailing_zeros();
            ends &= ends - 1;
            if (block.letters & !(u64::MAX << end)) >> start != 0 {
                see(base + start as usize..base + end as usize)?;
            }
        }
    }
    match open {
        Some((start, true)) => see(start..blocks.len() * BLOCK),
        _ => ControlFlow::Continue(()),
    }
}

/// What holds letters or digits together in the block that begins at `base`, between two others.
#[inline(always)]
fn held(text: &[u8], base: usize, before: &Block, block: &Block, behind: &Block) -> u64 {
    let between =
        (block.core << 1 | before.core >> (BLOCK - 1)) & (block.core >> 1 | behind.core << (BLOCK - 1));
    let mut points = block.points & between;
    let mut held = 0;
    // There are none in most texts.
    while points != 0 {
        let at = base + points.trailing_zeros() as usize;
        let lowest = points & points.wrapping_neg();
        points &= points - 1;
        let [one, point, other] = [text[at - 1], text[at], text[at + 1]];
        let holds = match point {
            b'.' | b'\'' => {
                one.is_ascii_alphabetic() && other.is_ascii_alphabetic()
                    || one.is_ascii_digit() && other.is_ascii_digit()
            }
            b':' => one.is_ascii_alphabetic() && other.is_ascii_alphabetic(),
            _ => one.is_ascii_digit() && other.is_ascii_digit(),
        };
        held |= if holds { lowest } else { 0 };
    }
    held
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_segmentation::UnicodeSegmentation;

    use super::super::sketch::Sketch;
    use super::*;

    fn written(text: &str) -> Vec<&str> {
        let mut sketch = Sketch::default();
        sketch.draw(text);
        let mut found = Vec::new();
        let _: ControlFlow<()> = try_each(text, sketch.blocks(), |place| {
            found.push(&text[place]);
            ControlFlow::Continue(())
        });
        found
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
