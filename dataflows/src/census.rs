//! Which terms are written in so many ways that no more are noted.
//!
//! Idea: a read walks all spellings of a term, and one post may have thousands of one. To count them exactly would take a second
//! table as large as the first; so only a sample is counted. Whether a spelling belongs to it is a matter of its hash alone, so
//! however often it comes it counts once: Gibbons' distinct sampling (VLDB 2001). Nobody can aim past it without the run's keys.
//! Invariant: what is said of a term once stays so for the run. A term with [`MANY`] spellings has about [`MANY`] / [`SAMPLE`] of
//! them in the sample, more or less a tenth of that.
//! Cost: a look at the hash of each update; for one in [`SAMPLE`] of the spellings that are taken an entry in two tables.

use std::collections::{HashMap, HashSet};

use crate::block::Block;
use crate::rows::Update;
use crate::spellings::term_of;
use crate::term::{HashKeys, head};

/// Spellings of one term, about, beyond which no more are noted. Nobody writes a term in so many ways by chance.
const MANY: u32 = 1 << 12;

/// One in so many spellings is counted.
const SAMPLE: u32 = 32;

/// The sample.
pub(crate) struct Census {
    keys: HashKeys,
    /// Spellings of the sample, by their hashes.
    seen: HashSet<u32>,
    /// How many of a term's, by its hash.
    counts: HashMap<u64, u32>,
    /// Terms that have too many.
    full: HashSet<u64>,
}

impl Census {
    /// Of nothing yet; `keys` are those of all workers.
    pub(crate) fn new(keys: HashKeys) -> Census {
        Census { keys, seen: HashSet::new(), counts: HashMap::new(), full: HashSet::new() }
    }

    /// Takes note of the spellings of a block, which is to be taken but for those of terms that have too many.
    pub(crate) fn note(&mut self, block: &Block) {
        let in_sample = |update: &Update<'_>| update.tag.is_multiple_of(SAMPLE);
        for update in block.range(0..block.len()).filter(in_sample) {
            let term = self.hash_of(&update);
            // What is not taken is not counted either: there may be ever more of it.
            if !self.full.contains(&term) && self.seen.insert(update.tag) {
                let count = self.counts.entry(term).or_default();
                *count += 1;
                if *count == MANY / SAMPLE {
                    self.full.insert(term);
                }
            }
        }
    }

    /// The block without spellings of terms that have too many, and how many those are; `None`: it has none.
    pub(crate) fn without_full(&self, block: &Block) -> Option<(Block, u64)> {
        let is_full = |update: &Update<'_>| self.full.contains(&self.hash_of(update));
        if self.full.is_empty() || !block.iter().any(|(_, update)| is_full(&update)) {
            return None;
        }
        let (mut kept, mut refused) = (Block::new(block.epoch, block.owner), 0);
        for (pane, update) in block.iter() {
            if is_full(&update) {
                refused += 1;
            } else {
                kept.push(pane, update);
            }
        }
        Some((kept, refused))
    }

    /// The hash of the term that an update spells.
    fn hash_of(&self, update: &Update<'_>) -> u64 {
        let key = update.term();
        let term = term_of(&key);
        self.keys.hash(head(term), term)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spellings::spelled;
    use crate::windows::Pane;

    #[test]
    fn a_term_in_ever_new_spellings_is_found_and_one_that_comes_often_is_not() {
        let (keys, mut key) = (HashKeys::new(5), Vec::new());
        let mut census = Census::new(keys);
        let mut all = 0;
        for epoch in 0..200u64 {
            let mut block = Block::new(epoch, 0);
            let mut note = |term: &str, spelling: String| {
                spelled(term.as_bytes(), spelling.as_bytes(), &mut key);
                block.push(Pane::ALL, Update::new(keys, &key, 1));
            };
            (0..100).for_each(|number| note("aimed at", format!("Aimed at {}", 100 * epoch + number)));
            (0..100).for_each(|number| note("often", format!("OFTEN {number}")));
            (0..100).for_each(|number| note(&format!("other {epoch} {number}"), "Other".to_owned()));
            census.note(&block);
            let (kept, refused) = census.without_full(&block).unwrap_or((block.clone(), 0));
            assert_eq!((kept.len() as u64 + refused, refused % 100), (300, 0));
            let of_term = |(_, update): (Pane, Update<'_>)| term_of(&update.term()).to_vec();
            assert_eq!(kept.iter().map(of_term).filter(|term| term == b"often").count(), 100);
            all += kept.len() - 200;
        }
        assert!((3000..5500).contains(&all), "{all} of 20000 spellings were taken");
        let sampled = |spellings: usize| spellings / SAMPLE as usize;
        assert!(census.seen.len() < sampled(20_100 + 7000), "what is refused takes no room");
    }
}
