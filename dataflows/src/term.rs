//! The head of a term: its first sixteen bytes as one number, padded with zeros.
//!
//! Idea: nearly every word fits in sixteen bytes, so one integer stands for it in tables and in sorting, with no
//! pointer to follow and no call to compare memory.
//! Invariant: heads order as terms do; two terms of equal length of at most sixteen bytes are equal if and only
//! if their heads are. Where heads are equal and a term is longer, the rest decides.
//! Cost: two or three loads.

use std::cmp::Ordering;

/// Bytes of a term that its head holds.
pub const HEAD: usize = 16;

/// The first sixteen bytes of a term, big-endian, padded with zeros.
#[inline]
pub fn head(term: &[u8]) -> u128 {
    if let Some(whole) = term.first_chunk::<HEAD>() {
        return u128::from_be_bytes(*whole);
    }
    let missing = 8 * (HEAD - term.len()) as u32;
    // Between two sizes, two loads that overlap: the bits they share are equal.
    if let (Some(first), Some(last)) = (term.first_chunk(), term.last_chunk()) {
        return u128::from(u64::from_be_bytes(*first)) << 64
            | u128::from(u64::from_be_bytes(*last)) << missing;
    }
    if let (Some(first), Some(last)) = (term.first_chunk(), term.last_chunk()) {
        return u128::from(u32::from_be_bytes(*first)) << 96
            | u128::from(u32::from_be_bytes(*last)) << missing;
    }
    let at = |place: usize| u128::from(term[place]) << (8 * (HEAD - 1 - place));
    match term.len() {
        0 => 0,
        // First, middle and last are all that there are, some of them twice.
        len => at(0) | at(len / 2) | at(len - 1),
    }
}

/// By a number of bytes, a mask for that many of a head: shifting as wide a number takes ten instructions.
const FIRST: [u128; HEAD + 1] = {
    let (mut masks, mut len) = ([0; HEAD + 1], 1);
    while len <= HEAD {
        masks[len] = masks[len - 1] >> 8 | 0xFF << (8 * (HEAD - 1));
        len += 1;
    }
    masks
};

/// The same of a term that stands at `from..to` in a longer text: where that goes on for a whole head, one load without a
/// branch on the length, which nobody can guess.
#[inline]
pub fn head_within(text: &[u8], from: usize, to: usize) -> u128 {
    match text.get(from..from + HEAD).and_then(|bytes| bytes.try_into().ok()) {
        Some(bytes) => u128::from_be_bytes(bytes) & FIRST[(to - from).min(HEAD)],
        None => head_at_the_end(&text[from..to]),
    }
}

#[cold]
#[inline(never)]
fn head_at_the_end(term: &[u8]) -> u128 {
    head(term)
}

/// The order of two terms by their heads and lengths; where neither head holds its term, that of the whole terms.
#[inline]
pub fn order(one: (u128, usize), two: (u128, usize), whole: impl FnOnce() -> Ordering) -> Ordering {
    // Where a head holds one of them whole, the other begins with it.
    if one.0 == two.0 && one.1.min(two.1) > HEAD { whole() } else { one.cmp(&two) }
}

/// The keys of a run's hash. Whoever does not know them cannot aim terms at one worker or one slot of a table.
///
/// All workers and processes of a run use the same keys; nothing that outlives the run may depend on them.
#[derive(Clone, Copy, Debug)]
pub struct HashKeys {
    one: u64,
    two: u64,
}

impl HashKeys {
    /// Keys from 128 bits that should be random.
    pub fn new(seed: u128) -> HashKeys {
        // Odd constants keep a seed of zero from annihilating the products.
        HashKeys {
            one: (seed >> 64) as u64 ^ 0x9E37_79B9_7F4A_7C15,
            two: seed as u64 ^ 0xD1B5_4A32_D192_ED03,
        }
    }

    /// The hash of a term whose head is `head`: well mixed in all its bits.
    #[inline]
    pub fn hash(self, head: u128, term: &[u8]) -> u64 {
        let short = self.hash_head(head, term.len());
        if term.len() <= HEAD { short } else { self.hash_rest(short, &term[HEAD..]) }
    }

    /// The hash of a term that its head holds.
    #[inline]
    fn hash_head(self, head: u128, len: usize) -> u64 {
        let length = (len as u64).wrapping_mul(0x9FB2_1C65_1E98_DF25);
        fold((head >> 64) as u64 ^ self.one, head as u64 ^ self.two ^ length)
    }

    /// The high half of that, by which tables and workers know a term.
    #[inline]
    pub fn tag(self, head: u128, term: &[u8]) -> u32 {
        (self.hash(head, term) >> 32) as u32
    }

    /// The same of a term that its head holds, by its length.
    #[inline]
    pub fn tag_of_head(self, head: u128, len: usize) -> u32 {
        debug_assert!(len <= HEAD);
        (self.hash_head(head, len) >> 32) as u32
    }

    #[cold]
    fn hash_rest(self, start: u64, rest: &[u8]) -> u64 {
        rest.chunks(HEAD).fold(start, |state, piece| {
            let piece = head(piece);
            fold(state ^ (piece >> 64) as u64 ^ self.two, self.one ^ piece as u64)
        })
    }
}

/// Multiplies to 128 bits and folds the halves.
#[inline]
fn fold(one: u64, two: u64) -> u64 {
    let product = u128::from(one) * u128::from(two);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_order_as_terms_do() {
        let text = b"abcdefghijklmnopqrstuvwxyz";
        let mut terms: Vec<Vec<u8>> =
            (0..20).flat_map(|len| (0..4).map(move |at| text[at..at + len].to_vec())).collect();
        terms.sort();
        terms.dedup();
        for pair in terms.windows(2) {
            let mut padded = [0; HEAD];
            let known = pair[0].len().min(HEAD);
            padded[..known].copy_from_slice(&pair[0][..known]);
            assert_eq!(head(&pair[0]), u128::from_be_bytes(padded));
            assert!(head(&pair[0]) <= head(&pair[1]));
            for (before, behind) in [(0, 0), (3, 1), (0, HEAD), (5, 40)] {
                let within = [&vec![b'x'; before], &pair[0][..], &vec![b'y'; behind]].concat();
                assert_eq!(head_within(&within, before, before + pair[0].len()), head(&pair[0]));
            }
            for keys in [HashKeys::new(0), HashKeys::new(u128::MAX / 7)] {
                assert_ne!(keys.hash(head(&pair[0]), &pair[0]), keys.hash(head(&pair[1]), &pair[1]));
            }
        }
    }
}
