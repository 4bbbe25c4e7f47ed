//! The keys that are read of an object.
//!
//! Idea: most keys of a record are none of these, and nearly all of those are told by their length and ends,
//! without being compared with each.
//! Cost: one look-up for a key that is not read; 256 bytes a shape.

/// The keys of one shape of object; at most 32.
#[derive(Clone, Copy, Debug)]
pub(in crate::posts) struct Keys {
    keys: &'static [&'static str],
    /// Whether one of the keys has this place.
    places: [bool; 256],
}

impl Keys {
    /// Any keys.
    pub(in crate::posts) const ALL: Keys = Keys { keys: &[], places: [true; 256] };

    /// These keys; no two may be the same.
    pub(in crate::posts) const fn new(keys: &'static [&'static str]) -> Keys {
        assert!(keys.len() <= 32);
        let (mut places, mut at) = ([false; 256], 0);
        while at < keys.len() {
            places[place_of(keys[at].as_bytes()) as usize] = true;
            at += 1;
        }
        Keys { keys, places }
    }

    /// Whether what stands between these quotes may be one of the keys; that of any of them it is said.
    #[inline(always)]
    pub(super) fn may_have(&self, text: &[u8], open: usize, close: usize) -> bool {
        self.places[usize::from(place(text[open + 1], text[close - 1], close - open))]
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

/// A number that differs for most keys, from the bytes behind the one quote and before the other (of an empty key, the quotes
/// themselves) and from how far one quote is behind the other.
#[inline(always)]
const fn place(first: u8, last: u8, length: usize) -> u8 {
    first.wrapping_mul(5) ^ (length as u8).wrapping_mul(11) ^ last
}

const fn place_of(key: &[u8]) -> u8 {
    match key {
        [first, .., last] => place(*first, *last, key.len() + 1),
        [one] => place(*one, *one, 2),
        [] => place(b'"', b'"', 1),
    }
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
        let may_have = |key: &str| KEYS.may_have(format!("\"{key}\"").as_bytes(), 0, key.len() + 1);
        assert!(NAMES.iter().all(|name| may_have(name)));
        let others = ["profile_background_color", "verified", "location", "source", "geo", "favorited"];
        assert!(others.iter().filter(|other| may_have(other)).count() < 3);
    }
}
