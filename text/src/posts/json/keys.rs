//! The keys that are read of an object.
//!
//! Idea: most keys of a record are none of these, and nearly all of those are told by their length and ends,
//! without being compared with each.
//! Cost: one bit of a number for a key that is not read.

/// The keys of one shape of object; at most 32.
#[derive(Clone, Copy, Debug)]
pub(in crate::posts) struct Keys {
    keys: &'static [&'static str],
    /// Of each key the bit that [`place`] gives.
    places: [u64; 4],
}

impl Keys {
    /// Any keys.
    pub(in crate::posts) const ALL: Keys = Keys { keys: &[], places: [u64::MAX; 4] };

    /// These keys; no two may be the same.
    pub(in crate::posts) const fn new(keys: &'static [&'static str]) -> Keys {
        assert!(keys.len() <= 32);
        let (mut places, mut at) = ([0; 4], 0);
        while at < keys.len() {
            let place = place(keys[at].as_bytes());
            places[place / 64] |= 1 << (place % 64);
            at += 1;
        }
        Keys { keys, places }
    }

    /// Whether this may be one of the keys; that of any of them it is said.
    #[inline(always)]
    pub(super) fn may_have(&self, key: &[u8]) -> bool {
        let place = place(key);
        self.places[place / 64] >> (place % 64) & 1 != 0
    }

    /// A bit of its own for each of the keys.
    pub(in crate::posts) const fn bit(&self, key: &str) -> u32 {
        let mut at = 0;
        while !same(self.keys[at].as_bytes(), key.as_bytes()) {
            at += 1;
        }
        1 << at
    }
}

/// A number below 256 that differs for most keys.
#[inline(always)]
const fn place(key: &[u8]) -> usize {
    let (Some(first), Some(last)) = (key.first(), key.last()) else { return 0 };
    ((*first as usize * 5) ^ (key.len() * 11) ^ *last as usize) & 0xff
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_a_bit_of_its_own_and_no_key_is_missed() {
        const NAMES: &[&str] = &["text", "full_text", "id", "id_str", "", "é", "te"];
        const KEYS: Keys = Keys::new(NAMES);
        let bits: Vec<u32> = NAMES.iter().map(|name| KEYS.bit(name)).collect();
        assert_eq!(bits, [1, 2, 4, 8, 16, 32, 64]);
        assert!(NAMES.iter().all(|name| KEYS.may_have(name.as_bytes())));
        let others = ["profile_background_color", "verified", "location", "source", "geo", "favorited"];
        assert!(others.iter().filter(|other| KEYS.may_have(other.as_bytes())).count() < 3);
    }
}
