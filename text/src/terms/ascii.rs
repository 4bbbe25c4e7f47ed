//! The words of a text that are pure ASCII.
//!
//! Idea: of the rules of UAX #29 only four are left for ASCII: letters, digits and `_` hold together; a letter, one of
//! `: . '` and a letter hold together; and so do a digit, one of `, ; . '` and a digit. Of 64 bytes at a time it is known
//! which are what, a bit a byte, so that a word is a run of ones, and its two ends are where one bit is unlike the bit before.
//! Invariant: the words are exactly the segments of UAX #29 that have a letter, of what was not cut out.
//! Cost: a few operations for a block and for a word, whatever their lengths: no branch depends on a single byte, and few
//! on where words end. No allocation once there is room for the longest text so far.

use super::sketch::{BLOCK, Block, has_letter};

/// How many ends are written down without looking whether there are so many.
const STEP: usize = 8;

/// Where runs begin and end, by turns.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    /// What stands behind the ends of the text at hand is of no meaning.
    places: Vec<u32>,
}

impl Ends {
    /// Where the words of a text begin and end, in order. Words with other characters must have been cut out. A text has less
    /// than 4 GiB.
    pub(super) fn words(&mut self, text: &str, blocks: &[Block]) -> &[[u32; 2]] {
        let number = self.find(text, blocks);
        // With nothing but letters all that holds together is a word.
        if blocks.iter().fold(0, |others, block| others | block.core ^ block.letters) == 0 {
            return self.first(number);
        }
        let (places, _) = self.places[..number * 2].as_chunks_mut();
        let mut kept = 0;
        for at in 0..number {
            let [start, end] = places[at];
            places[kept] = [start, end];
            kept += usize::from(has_letter(blocks, start as usize..end as usize));
        }
        self.first(kept)
    }

    /// The first so many of the words that were found last.
    #[inline(always)]
    pub(super) fn first(&self, number: usize) -> &[[u32; 2]] {
        self.places[..number * 2].as_chunks().0
    }

    /// Writes down the runs of a text that hold together, of letters or without, and gives how many they are.
    fn find(&mut self, text: &str, blocks: &[Block]) -> usize {
        let room = (blocks.len() + 1) * BLOCK;
        if self.places.len() < room {
            self.places.resize(room, 0);
        }
        let mut before = Block::default();
        // Whether a run reaches the end of the block before.
        let (mut is_open, mut number_of_ends) = (0, 0);
        for (number, block) in blocks.iter().enumerate() {
            let base = number * BLOCK;
            let behind = blocks.get(number + 1).copied().unwrap_or_default();
            let runs = block.core | held(text.as_bytes(), base, &before, block, &behind);
            let mut ends = runs ^ (runs << 1 | is_open);
            (before, is_open) = (*block, runs >> (BLOCK - 1));
            let (steps, _) = self.places[number_of_ends..].as_chunks_mut::<STEP>();
            number_of_ends += ends.count_ones() as usize;
            for step in steps {
                for place in step {
                    *place = base as u32 + ends.trailing_zeros();
                    ends &= ends.wrapping_sub(1);
                }
                if ends == 0 {
                    break;
                }
            }
        }
        if is_open != 0 {
            self.places[number_of_ends] = (blocks.len() * BLOCK) as u32;
            number_of_ends += 1;
        }
        number_of_ends / 2
    }
}

/// What holds letters or digits together in the block that begins at `base`, between two others.
#[inline(always)]
fn held(text: &[u8], base: usize, before: &Block, block: &Block, behind: &Block) -> u64 {
    let between =
        (block.core << 1 | before.core >> (BLOCK - 1)) & (block.core >> 1 | behind.core << (BLOCK - 1));
    let mut points = block.holders() & between;
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

    fn found<'t>(ends: &mut Ends, sketch: &Sketch, text: &'t str) -> Vec<&'t str> {
        let words = ends.words(text, sketch.blocks()).iter();
        words.map(|&[start, end]| &text[start as usize..end as usize]).collect()
    }

    fn written(text: &str) -> Vec<&str> {
        let (mut sketch, mut ends) = (Sketch::default(), Ends::default());
        sketch.draw(text);
        found(&mut ends, &sketch, text)
    }

    /// Texts with all of ASCII, with few of its characters, and with words that go over the ends of blocks.
    const TEXTS: &str = "[ -~\t\r\n]*|[aB1_:;.,' ]*|[\\x00-\\x7f]*|[a ]{0,200}|[aB1_:.,' ]{50,80}[a1.']{40,150}\
        |([ab]{30,80}[.:' ,1]){0,6}|[1 ]{50,80}[1a]{0,3}[1]{60,140}( [1]{60,70}a?)?";

    proptest! {
        // As many of each sort as one sort alone would have.
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn words_are_the_segments_of_uax_29_with_a_letter(text in TEXTS) {
            let segments: Vec<&str> =
                text.split_word_bounds().filter(|segment| segment.chars().any(char::is_alphabetic)).collect();
            prop_assert_eq!(written(&text), segments);
        }

        #[test]
        fn what_stood_there_before_is_forgotten(texts in prop::collection::vec(TEXTS, 2..5)) {
            let (mut sketch, mut ends) = (Sketch::default(), Ends::default());
            for text in &texts {
                sketch.draw(text);
                prop_assert_eq!(found(&mut ends, &sketch, text), written(text));
            }
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
