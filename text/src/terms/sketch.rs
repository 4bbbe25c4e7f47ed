//! What the bytes of a text are, a bit a byte.
//!
//! Idea: before anything is looked for in a text, one pass finds out where its letters, digits, signs and other
//! characters stand, and folds its letters while they are at hand. What has no signs has no entities, what has no other
//! characters than ASCII needs no tables, and a word of ASCII is a run of ones; so the rest of the way jumps from bit to bit.
//! Invariant: bits behind the end of the text are zero, but those of `quiet`.
//! Cost: some four instructions a byte, none of which depends on what the byte is. The blocks are kept for the next text.

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
    /// May hold two letters or two digits together: `' : , ;`, as full stops do.
    points: u64,
    dots: u64,
    /// Behind these no full stop is a part of a URL: spaces, full stops, the end of the text.
    quiet: u64,
    /// May make an entity of what stands around them, or are the `&` of an escape.
    signs: u64,
    /// Bytes of characters outside ASCII.
    other: u64,
}

impl Block {
    /// What may hold letters or digits together.
    #[inline(always)]
    pub(super) fn holders(&self) -> u64 {
        self.points | self.dots
    }
}

/// A text's blocks, one behind the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Sketch {
    blocks: Vec<Block>,
    is_ascii: bool,
    /// The ASCII of the text, letters in lower case, with something else of ASCII for other bytes and behind the end.
    folded: Vec<u8>,
}

impl Sketch {
    /// Looks at a text, and forgets the one before.
    pub(super) fn draw(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let room = bytes.len().next_multiple_of(BLOCK);
        if self.folded.len() < room {
            self.folded.resize(room, b' ');
        }
        self.blocks.clear();
        let (whole, rest) = bytes.as_chunks();
        self.blocks.reserve(whole.len() + 1);
        let mut other = 0;
        let (into, _) = self.folded.as_chunks_mut();
        for (bytes, into) in whole.iter().zip(into) {
            let block = block(bytes, into);
            other |= block.other;
            self.blocks.push(block);
        }
        if !rest.is_empty() {
            let block = last_block(bytes, rest.len(), &mut self.folded);
            other |= block.other;
            self.blocks.push(block);
        }
        self.is_ascii = other == 0;
    }

    /// The ASCII of the text, letters in lower case, at the same places; what stands there for anything else, and behind the
    /// end, means nothing.
    #[inline(always)]
    pub(super) fn folded(&self) -> &[u8] {
        &self.folded
    }

    /// Whether a letter of ASCII stands in a range.
    #[inline(always)]
    pub(super) fn has_letter_in(&self, range: Range<usize>) -> bool {
        !range.is_empty() && has_letter(&self.blocks, range)
    }

    /// Where what holds together ends that begins at `at`; `at` itself where there is nothing of that kind.
    #[inline(always)]
    pub(super) fn core_end(&self, at: usize) -> usize {
        self.row_end(at, |block| block.core)
    }

    /// Whether this is so of each row of bytes that are not ASCII and were not cut out.
    pub(super) fn all_others(&self, mut is_so: impl FnMut(Range<usize>) -> bool) -> bool {
        let mut at = 0;
        loop {
            // What is no such byte is a row as well.
            let start = self.row_end(at, |block| !block.other);
            if start / BLOCK >= self.blocks.len() {
                return true;
            }
            at = self.row_end(start, |block| block.other);
            if !is_so(start..at) {
                return false;
            }
        }
    }

    /// Where a row of bytes of a class ends that begins at `at`; `at` itself where there is none.
    #[inline(always)]
    fn row_end(&self, mut at: usize, class: impl Fn(&Block) -> u64) -> usize {
        while let Some(block) = self.blocks.get(at / BLOCK) {
            let length = (class(block) >> (at % BLOCK)).trailing_ones() as usize;
            at += length;
            if length == 0 || !at.is_multiple_of(BLOCK) {
                break;
            }
        }
        at
    }

    /// The blocks.
    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Whether the text is nothing but ASCII.
    pub(super) fn is_ascii(&self) -> bool {
        self.is_ascii
    }

    /// Shows the places of `#`, `@`, `$`, `&`, of all bytes with which `＃` and `＠` begin, of `%`, which means nothing, and of
    /// full stops that may be parts of URLs.
    #[inline(always)]
    pub(super) fn each_sign(&self, mut see: impl FnMut(usize)) {
        for (number, block) in self.blocks.iter().enumerate() {
            let behind = self.blocks.get(number + 1).map_or(1, |next| next.quiet);
            let mut signs = block.signs | block.dots & !(block.quiet >> 1 | behind << (BLOCK - 1));
            while signs != 0 {
                see(number * BLOCK + signs.trailing_zeros() as usize);
                signs &= signs - 1;
            }
        }
    }

    /// Takes what stands in a range for no part of any word: neither ASCII nor anything else.
    pub(super) fn cut(&mut self, range: Range<usize>) {
        let mut from = range.start;
        while from < range.end {
            let block = &mut self.blocks[from / BLOCK];
            let end = range.end.min((from / BLOCK + 1) * BLOCK);
            let kept = !((u64::MAX >> (BLOCK - (end - from))) << (from % BLOCK));
            block.letters &= kept;
            block.core &= kept;
            block.other &= kept;
            from = end;
        }
    }
}

/// Whether a letter stands in a range, which is not empty.
#[inline(always)]
pub(super) fn has_letter(blocks: &[Block], Range { start, end }: Range<usize>) -> bool {
    let (first, last) = (start / BLOCK, (end - 1) / BLOCK);
    let behind_start = u64::MAX << (start % BLOCK);
    let before_end = u64::MAX >> (BLOCK - 1 - (end - 1) % BLOCK);
    if first == last {
        return blocks[first].letters & behind_start & before_end != 0;
    }
    blocks[first].letters & behind_start != 0
        || blocks[last].letters & before_end != 0
        || blocks[first + 1..last].iter().any(|block| block.letters != 0)
}

#[inline(always)]
fn block(bytes: &[u8; BLOCK], folded: &mut [u8; BLOCK]) -> Block {
    let (parts, _) = bytes.as_chunks::<LANES>();
    joined([0, 1, 2, 3].map(|part: usize| (Lanes::new(&parts[part]), part * LANES)), folded)
}

/// The last block of a text, which has only `length` bytes in it, at least one.
///
/// Nothing is copied to where there would be more: bytes that have just been written are slow to read in other groups.
#[inline(always)]
fn last_block(text: &[u8], length: usize, folded: &mut [u8]) -> Block {
    if let Some((before, bytes)) = text.split_last_chunk()
        && let Some(folded) = folded[before.len()..].first_chunk_mut()
    {
        let Block { letters, core, points, dots, quiet, signs, other } = block(bytes, folded);
        let by = BLOCK - length;
        return Block {
            letters: letters >> by,
            core: core >> by,
            points: points >> by,
            dots: dots >> by,
            quiet: quiet >> by | u64::MAX << length,
            signs: signs >> by,
            other: other >> by,
        };
    }
    let parts = if text.len() < LANES {
        let mut padded = [b' '; LANES];
        padded[..text.len()].copy_from_slice(text);
        [(Lanes::new(&padded), 0); 4]
    } else {
        // Where the text ends, parts overlap, and agree.
        [0, 1, 2, 3].map(|part| {
            let at = (part * LANES).min(text.len() - LANES);
            (Lanes::at(text, at).expect("so many bytes are left"), at)
        })
    };
    let block = joined(parts, folded);
    Block { quiet: block.quiet | u64::MAX << length, ..block }
}

/// A block from four parts of it, each with its place, which are folded.
#[inline(always)]
fn joined(parts: [(Lanes, usize); 4], folded: &mut [u8]) -> Block {
    for (lanes, at) in parts {
        if let Some(folded) = folded[at..].first_chunk_mut() {
            *folded = lanes.lower_case();
        }
    }
    let all =
        |of: fn(Lanes) -> Lanes| parts.into_iter().fold(0, |bits, (lanes, at)| bits | of(lanes).bits() << at);
    let letters = all(Lanes::letters);
    let dots = all(|lanes| lanes.equal(b'.'));
    Block {
        letters,
        core: letters | all(|lanes| lanes.between(b'0', b'9') | lanes.equal(b'_')),
        // `:` and `;` stand side by side.
        points: all(|lanes| lanes.equal(b'\'') | lanes.equal(b',') | lanes.between(b':', b';')),
        dots,
        quiet: dots | all(|lanes| lanes.equal(b' ')),
        // `%` stands between them, and is sorted out where signs are looked at.
        signs: all(|lanes| lanes.between(b'#', b'&') | lanes.equal(b'@') | lanes.equal(0xef)),
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
            prop_assert_eq!(places(&text, Block::holders), which(&text, |byte| b".':,;".contains(&byte)));
            prop_assert_eq!(places(&text, |block| block.other), which(&text, |byte| !byte.is_ascii()));
        }

        #[test]
        fn no_sign_is_missed(text in "[ .a#@$&%＃＠\n]{0,200}") {
            let mut sketch = Sketch::default();
            sketch.draw(&text);
            let followed = |at: usize| text.as_bytes().get(at + 1).is_some_and(|next| !b". ".contains(next));
            let wanted = text.char_indices().filter(|&(at, c)| "#@$&%＃＠".contains(c) || c == '.' && followed(at));
            let wanted = wanted.map(|(at, _)| at);
            let mut found = Vec::new();
            sketch.each_sign(|at| found.push(at));
            prop_assert_eq!(found, wanted.collect::<Vec<_>>());
        }

        #[test]
        fn letters_of_ascii_are_folded_and_nothing_else(texts in prop::collection::vec("[ -~ém＃É\n]{0,200}", 1..4)) {
            let mut sketch = Sketch::default();
            for text in &texts {
                sketch.draw(text);
                let folded = sketch.folded();
                prop_assert!(folded.len() >= text.len());
                for (byte, folded) in text.bytes().zip(folded) {
                    let expected = if byte.is_ascii() { byte.to_ascii_lowercase() } else { *folded };
                    prop_assert_eq!(*folded, expected);
                }
            }
        }

        #[test]
        fn ranges_are_what_their_bytes_are(text in "[aB_1 é]{0,200}", ends: [prop::sample::Index; 2]) {
            let ends = ends.map(|end| end.index(text.len() + 1));
            let (start, end) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
            let mut sketch = Sketch::default();
            sketch.draw(&text);
            let range = &text.as_bytes()[start..end];
            prop_assert_eq!(sketch.has_letter_in(start..end), range.iter().any(u8::is_ascii_alphabetic));
            let rest = &text.as_bytes()[start..];
            let core = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            prop_assert_eq!(sketch.core_end(start), start + core);
            let mut others = Vec::new();
            sketch.all_others(|row| {
                others.extend(row);
                true
            });
            prop_assert_eq!(others, which(&text, |byte| !byte.is_ascii()));
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
