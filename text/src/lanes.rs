//! Sixteen bytes looked at together.
//!
//! Idea: which of sixteen bytes are of a class is a number with a bit a byte, the first byte the lowest; one comparison
//! finds out for all of them what a loop would ask one by one. Every processor that this is built for has registers for
//! it; the crate `wide` reaches them without unsafe code of our own.
//! Invariant: no byte beyond the sixteen has any influence.
//! Cost: an instruction or two a comparison.

use std::ops::BitOr;

use wide::u8x16;

/// How many bytes are looked at together.
pub(crate) const LANES: usize = 16;

/// Sixteen bytes, or for each of sixteen bytes whether it is of a class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lanes(u8x16);

impl Lanes {
    /// The sixteen bytes that begin at `at`, if there are so many; `at` is below 4 GiB.
    #[inline(always)]
    pub(crate) fn at(bytes: &[u8], at: usize) -> Option<Lanes> {
        debug_assert!(u32::try_from(at).is_ok());
        // So bounded, the place behind the sixteen is known not to overflow, and one comparison will do.
        let at = at & u32::MAX as usize;
        bytes.get(at..at + LANES)?.first_chunk().map(Lanes::new)
    }

    /// These bytes.
    #[inline(always)]
    pub(crate) fn new(bytes: &[u8; LANES]) -> Lanes {
        Lanes(u8x16::new(*bytes))
    }

    /// Which are this byte.
    #[inline(always)]
    pub(crate) fn equal(self, byte: u8) -> Lanes {
        Lanes(self.0.simd_eq(u8x16::splat(byte)))
    }

    /// Which are at most this byte.
    #[inline(always)]
    pub(crate) fn at_most(self, byte: u8) -> Lanes {
        Lanes(self.0.min(u8x16::splat(byte)).simd_eq(self.0))
    }

    /// Which lie in a range, both ends included.
    #[inline(always)]
    pub(crate) fn between(self, least: u8, most: u8) -> Lanes {
        Lanes(self.0 - u8x16::splat(least)).at_most(most - least)
    }

    /// Which are `"` or control characters below the space: with one bit turned over, just those up to the space.
    #[inline(always)]
    pub(crate) fn quote_or_control(self) -> Lanes {
        Lanes(self.0 ^ u8x16::splat(b'"' ^ b' ')).at_most(b' ')
    }

    /// Which are ASCII letters.
    #[inline(always)]
    pub(crate) fn letters(self) -> Lanes {
        Lanes(self.0 | u8x16::splat(0x20)).between(b'a', b'z')
    }

    /// The bytes of ASCII, letters in lower case; some other byte of ASCII for each that is not.
    #[inline(always)]
    pub(crate) fn lower_case(self) -> [u8; LANES] {
        ((self.0 | self.letters().0 & u8x16::splat(0x20)) & u8x16::splat(0x7f)).to_array()
    }

    /// The highest bit of each byte: of text which are not ASCII, of an answer what it says.
    #[inline(always)]
    pub(crate) fn bits(self) -> u64 {
        u64::from(self.0.to_bitmask())
    }
}

impl BitOr for Lanes {
    type Output = Lanes;

    #[inline(always)]
    fn bitor(self, other: Lanes) -> Lanes {
        Lanes(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn which(bytes: &[u8; LANES], is: impl Fn(u8) -> bool) -> u64 {
        bytes.iter().enumerate().map(|(at, &byte)| u64::from(is(byte)) << at).sum()
    }

    proptest! {
        #[test]
        fn all_bytes_are_judged_as_each_alone(bytes: [u8; LANES], one: u8, other: u8) {
            let lanes = Lanes::new(&bytes);
            let (least, most) = (one.min(other), one.max(other));
            prop_assert_eq!(lanes.equal(one).bits(), which(&bytes, |byte| byte == one));
            prop_assert_eq!(lanes.at_most(one).bits(), which(&bytes, |byte| byte <= one));
            prop_assert_eq!(lanes.between(least, most).bits(), which(&bytes, |byte| (least..=most).contains(&byte)));
            prop_assert_eq!(lanes.letters().bits(), which(&bytes, |byte| byte.is_ascii_alphabetic()));
            prop_assert_eq!(lanes.quote_or_control().bits(), which(&bytes, |byte| byte == b'"' || byte < b' '));
            prop_assert_eq!(lanes.lower_case(), bytes.map(|byte| byte.to_ascii_lowercase() & 0x7f));
            prop_assert_eq!(lanes.bits(), which(&bytes, |byte| !byte.is_ascii()));
            prop_assert_eq!((lanes.equal(one) | lanes.equal(other)).bits(), which(&bytes, |byte| byte == one || byte == other));
        }

        #[test]
        fn there_are_sixteen_or_none(bytes in prop::collection::vec(any::<u8>(), 0..40), at in 0..50usize) {
            let expected = bytes.get(at..at + LANES).map(|bytes| which(bytes.try_into().unwrap(), |byte| byte == b'a'));
            prop_assert_eq!(Lanes::at(&bytes, at).map(|lanes| lanes.equal(b'a').bits()), expected);
        }
    }
}
