//! What the bytes of a text are, a bit a byte.
//!
//! Idea: before anything is looked for in a text, one pass finds out where its letters, digits, signs and other
//! characters stand. What has no signs has no entities, what has no other characters than ASCII needs no tables, and a
//! word of ASCII is a run of ones; so the rest of the way jumps from bit to bit.
//! Invariant: bits behind the end of the text are zero.
//! Cost: some three instructions a byte, none of which depends on what the byte is. The blocks are kept for the next text.

use std::ops::Range;

use crate::lanes::{LANES, Lanes};

/// Bytes looked at together: as many as a number has bits.
pub(super) const BLOCK: usize = 64;

/// Which of 64 bytes are of a class, a bit a byte.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Block {
    pub(super) letters: u64,
    /// Letters, digits and `_`, which hold together.
    pub(super) core: u64,
    /// May hold two letters or two digits together: `. ' : , ;`.
    pub(super) points: u64,
    /// May make an entity of what stands around them, or are the `&` of an escape.
    signs: u64,
    /// Bytes of characters outside ASCII.
    other: u64,
}

/// A text's blocks, one behind the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Sketch {
    blocks: Vec<Block>,
    is_ascii: bool,
}

impl Sketch {
    /// Looks at a text, and forgets the one before.
    pub(super) fn draw(&mut self, text: &str) {
        self.blocks.clear();
        let mut other = 0;
        let (whole, rest) = text.as_bytes().as_chunks();
        let mut padded = [0; BLOCK];
        padded[..rest.len()].copy_from_slice(rest);
        for bytes in whole.iter().chain((!rest.is_empty()).then_some(&padded)) {
            let block = block(bytes);
            other |= block.other;
            self.blocks.push(block);
        }
        self.is_ascii = other == 0;
    }

    /// The blocks.
    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Whether the text is nothing but ASCII.
    pub(super) fn is_ascii(&self) -> bool {
        self.is_ascii
    }

    /// The places of `#`, `@`, `$`, `&`, full stops, and of all bytes with which `＃` and `＠` begin.
    pub(super) fn signs(&self) -> impl Iterator<Item = usize> {
        self.blocks.iter().enumerate().flat_map(|(number, block)| {
            let mut signs = block.signs;
            std::iter::from_fn(move || {
                let at = signs.checked_ilog2().map(|_| signs.trailing_zeros() as usize)?;
                signs &= signs - 1;
                Some(number * BLOCK + at)
            })
        })
    }

    /// Takes what stands in a range for no part of any word.
    pub(super) fn cut(&mut self, range: Range<usize>) {
        let mut from = range.start;
        while from < range.end {
            let block = &mut self.blocks[from / BLOCK];
            let end = range.end.min((from / BLOCK + 1) * BLOCK);
            let kept = !((u64::MAX >> (BLOCK - (end - from))) << (from % BLOCK));
            block.letters &= kept;
            block.core &= kept;
            from = end;
        }
    }
}

#[inline(always)]
fn block(bytes: &[u8; BLOCK]) -> Block {
    let (parts, _) = bytes.as_chunks::<LANES>();
    let [a, b, c, d] = [0, 1, 2, 3].map(|part: usize| Lanes::new(&parts[part]));
    let all = |of: fn(Lanes) -> Lanes| {
        of(a).bits() | of(b).bits() << LANES | of(c).bits() << (2 * LANES) | of(d).bits() << (3 * LANES)
    };
    let letters = all(Lanes::letters);
    Block {
        letters,
        core: letters | all(|lanes| lanes.between(b'0', b'9') | lanes.equal(b'_')),
        // `:` and `;` stand side by side, and so do `#` and `$`.
        points: all(|lanes| {
            lanes.equal(b'.') | lanes.equal(b'\'') | lanes.equal(b',') | lanes.between(b':', b';')
        }),
        signs: all(|lanes| {
            let ascii = lanes.between(b'#', b'$') | lanes.equal(b'&') | lanes.equal(b'.') | lanes.equal(b'@');
            ascii | lanes.equal(0xef)
        }),
        other: all(|lanes| lanes),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn places(text: &str, mask: fn(&Block) -> u64) -> Vec<usize> {
        let mut sketch = Sketch::default();
        sketch.draw(text);
        let masks: Vec<u64> = sketch.blocks().iter().map(mask).collect();
        (0..masks.len() * BLOCK).filter(|at| masks[at / BLOCK] >> (at % BLOCK) & 1 != 0).collect()
    }

    fn which(text: &str, is: impl Fn(u8) -> bool) -> Vec<usize> {
        text.bytes().enumerate().filter(|&(_, byte)| is(byte)).map(|(at, _)| at).collect()
    }

    proptest! {
        #[test]
        fn each_byte_is_what_it_is_alone(text in "[ -~\0\t\ném＃]{0,200}") {
            prop_assert_eq!(places(&text, |block| block.letters), which(&text, |byte| byte.is_ascii_alphabetic()));
            let is_core = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            prop_assert_eq!(places(&text, |block| block.core), which(&text, is_core));
            prop_assert_eq!(places(&text, |block| block.points), which(&text, |byte| b".':,;".contains(&byte)));
            prop_assert_eq!(places(&text, |block| block.other), which(&text, |byte| !byte.is_ascii()));
        }

        #[test]
        fn no_sign_is_missed(text in "[ .a#@$&＃＠\n]{0,200}") {
            let mut sketch = Sketch::default();
            sketch.draw(&text);
            let wanted = text.char_indices().filter(|(_, c)| ".#@$&＃＠".contains(*c)).map(|(at, _)| at);
            prop_assert!(sketch.signs().eq(wanted));
        }

        #[test]
        fn what_is_cut_is_gone_and_nothing_else(length in 0..200usize, ends: [prop::sample::Index; 2]) {
            let text = "a".repeat(length);
            let ends = ends.map(|end| end.index(length + 1));
            let (start, end) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
            let mut sketch = Sketch::default();
            sketch.draw(&text);
            sketch.cut(start..end);
            let kept = (0..length).filter(|&at| sketch.blocks()[at / BLOCK].letters >> (at % BLOCK) & 1 != 0);
            prop_assert!(kept.eq((0..start).chain(end..length)));
        }
    }
}
