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
            places[place(keys[at].as_bytes()) as usize] = true;
            at += 1;
        }
        Keys { keys, places }
    }

    /// Whether this may be one of the keys; that of any of them it is said.
    #[inline(always)]
    pub(super) fn may_have(&self, key: &[u8]) -> bool {
        self.places[usize::from(place(key))]
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

/// A number that differs for most keys.
#[inline(always)]
const fn place(key: &[u8]) -> u8 {
    let (Some(first), Some(last)) = (key.first(), key.last()) else { return 0 };
    first.wrapping_mul(5) ^ (key.len() as u8).wrapping_mul(11) ^ *last
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
