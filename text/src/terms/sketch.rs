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
        let (whole, rest) = text.as_bytes().as_chunks();
        self.blocks.reserve(whole.len() + 1);
        self.blocks.extend(whole.iter().map(block));
        if !rest.is_empty() {
            self.blocks.push(last_block(text.as_bytes(), rest.len()));
        }
        self.is_ascii = self.blocks.iter().fold(0, |other, block| other | block.other) == 0;
    }

    /// The blocks.
    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Whether the text is nothing but ASCII.
    pub(super) fn is_ascii(&self) -> bool {
        self.is_ascii
    }

    /// Shows the places of `#`, `@`, `$`, `&`, full stops, and of all bytes with which `＃` and `＠` begin.
    #[inline(always)]
    pub(super) fn each_sign(&self, mut see: impl FnMut(usize)) {
        for (number, block) in self.blocks.iter().enumerate() {
            let mut signs = block.signs;
            while signs != 0 {
                see(number * BLOCK + signs.trailing_zeros() as usize);
                signs &= signs - 1;
            }
        }
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
    joined([0, 1, 2, 3].map(|part: usize| (Lanes::new(&parts[part]), part * LANES)))
}

/// The last block of a text, which has only `length` bytes in it, at least one.
///
/// Nothing is copied to where there would be more: bytes that have just been written are slow to read in other groups.
#[inline(always)]
fn last_block(text: &[u8], length: usize) -> Block {
    if let Some(bytes) = text.last_chunk() {
        let Block { letters, core, points, signs, other } = block(bytes);
        let by = BLOCK - length;
        return Block {
            letters: letters >> by,
            core: core >> by,
            points: points >> by,
            signs: signs >> by,
            other: other >> by,
        };
    }
    if text.len() < LANES {
        let mut padded = [0; LANES];
        padded[..text.len()].copy_from_slice(text);
        return joined([(Lanes::new(&padded), 0); 4]);
    }
    // Where the text ends, parts overlap, and agree.
    joined([0, 1, 2, 3].map(|part| {
        let at = (part * LANES).min(text.len() - LANES);
        (Lanes::at(text, at).expect("so many bytes are left"), at)
    }))
}

/// A block from four parts of it, each with its place.
#[inline(always)]
fn joined(parts: [(Lanes, usize); 4]) -> Block {
    let all =
        |of: fn(Lanes) -> Lanes| parts.into_iter().fold(0, |bits, (lanes, at)| bits | of(lanes).bits() << at);
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
            let mut found = Vec::new();
            sketch.each_sign(|at| found.push(at));
            prop_assert_eq!(found, wanted.collect::<Vec<_>>());
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
