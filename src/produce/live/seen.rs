//! Which posts were had already.
//!
//! Idea: ids in two generations. When the young one is full the old one is forgotten, so that the last [`YOUNG`] to
//! twice as many ids are known, whatever the stream brings.
//! Invariant: an id is new at most once while it is remembered; ids are kept whole, so two are never confused.
//! Cost: one look-up or two a post; some 20 MB when full.

use std::collections::HashSet;

/// How many ids a generation holds: at 1000 posts a second the five minutes of X's backfill fit into two.
pub const YOUNG: usize = 150_000;

/// The ids of late.
#[derive(Debug, Default)]
pub struct Seen {
    young: HashSet<Box<[u8]>, foldhash::fast::RandomState>,
    old: HashSet<Box<[u8]>, foldhash::fast::RandomState>,
}

impl Seen {
    /// Remembers an id; whether it is new.
    pub fn insert(&mut self, id: &[u8]) -> bool {
        if self.old.contains(id) || self.young.contains(id) {
            return false;
        }
        if self.young.len() >= YOUNG {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ids_are_known_and_the_rest_is_forgotten() {
        let mut seen = Seen::default();
        let id = |number: usize| format!("at://did:plc:a/app.bsky.feed.post/{number}");
        for number in 0..4 * YOUNG {
            assert!(seen.insert(id(number).as_bytes()));
            assert!(!seen.insert(id(number).as_bytes()));
            assert!(number < YOUNG || !seen.insert(id(number - YOUNG + 1).as_bytes()));
        }
        assert!(seen.young.len() <= YOUNG && seen.old.len() <= YOUNG);
        assert!(seen.insert(id(0).as_bytes()));
    }
}
