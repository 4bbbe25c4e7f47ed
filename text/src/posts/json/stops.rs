//! Where the strings of a JSON text may end.
//!
//! Idea: where a string ends decides where the next begins, so that looking for the end of each is a long row of steps of which
//! none can begin before the one before it is done. What may end a string is therefore found for the whole text beforehand, a
//! bit a byte, in steps that know nothing of each other; all that is left for a string is to find the next bit.
//! Invariant: the bits are those of quotes, backslashes and control characters, and none behind the end of the text.
//! Cost: an instruction a byte, a bit of memory, and one allocation.

use crate::lanes::{LANES, Lanes};

/// Bytes looked at together: as many as a number has bits.
const BLOCK: usize = 64;

/// The bits of one text.
#[derive(Debug)]
pub(super) struct Stops {
    blocks: Vec<u64>,
    length: usize,
}

impl Stops {
    /// Looks at a text.
    pub(super) fn new(text: &[u8]) -> Self {
        let mut blocks = Vec::with_capacity(text.len() / BLOCK + 1);
        let (whole, rest) = text.as_chunks::<BLOCK>();
        blocks.extend(whole.iter().map(block));
        if let Some(last) = text.last_chunk()
            && !rest.is_empty()
        {
            blocks.push(block(last) >> (BLOCK - rest.len()));
        } else if !rest.is_empty() {
            blocks.push(rest.iter().rev().fold(0, |bits, byte| bits << 1 | u64::from(is_stop(*byte))));
        }
        Stops { blocks, length: text.len() }
    }

    /// Where the first of them stands from `at` on, or where the text ends.
    #[inline(always)]
    pub(super) fn next(&self, at: usize) -> usize {
        let number = at / BLOCK;
        let Some(block) = self.blocks.get(number) else { return self.length };
        let here = block >> (at % BLOCK);
        if here != 0 { at + here.trailing_zeros() as usize } else { self.next_block(number + 1) }
    }

    /// The same from the beginning of a block on.
    #[inline(always)]
    fn next_block(&self, mut number: usize) -> usize {
        while let Some(block) = self.blocks.get(number) {
            if *block != 0 {
                return number * BLOCK + block.trailing_zeros() as usize;
            }
            number += 1;
        }
        self.length
    }
}

fn is_stop(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | ..0x20)
}

#[inline(always)]
fn block(bytes: &[u8; BLOCK]) -> u64 {
    let (parts, _) = bytes.as_chunks::<LANES>();
    parts.iter().rev().fold(0, |bits, part| {
        let lanes = Lanes::new(part);
        bits << LANES | (lanes.quote_or_control() | lanes.equal(b'\\')).bits()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_next_is_the_next(text in "[a\"\\\\\n é]{0,80}|[a ]{0,200}[\"\\\\\t]?[a ]{0,200}", at in 0..500_usize) {
            let expected = text.bytes().skip(at).position(is_stop).map_or(text.len(), |step| at + step);
            prop_assert_eq!(Stops::new(text.as_bytes()).next(at), expected);
        }
    }
}
