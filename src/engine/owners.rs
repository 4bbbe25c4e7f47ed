//! Who owns which terms.
//!
//! Idea: a term lives on one worker, chosen by its hash, and workers are numbered from process to process; so everybody
//! knows whom to ask about a term.
//! Invariant: the same on all processes of a generation, as they share the keys of the hash.
//! Cost: a hash.

use tidings_dataflows::outgoing::owner_of;
use tidings_dataflows::term::HashKeys;

/// The processes of a cluster, and which of them this is.
#[derive(Clone, Copy, Debug)]
pub struct Owners {
    /// The number of this process.
    pub me: usize,
    /// How many there are.
    pub processes: usize,
    /// Workers of each.
    pub threads: usize,
    /// The keys of the generation's hash.
    pub keys: HashKeys,
}

impl Owners {
    /// One process with so many workers, which owns everything.
    pub fn alone(threads: usize) -> Owners {
        Owners { me: 0, processes: 1, threads, keys: HashKeys::new(0) }
    }

    /// Whether there is one process only.
    pub fn is_alone(&self) -> bool {
        self.processes == 1
    }

    /// Workers of all processes together.
    pub fn workers(&self) -> usize {
        self.processes * self.threads
    }

    /// The process that owns a term.
    pub fn process_of(&self, term: &str) -> usize {
        if self.is_alone() {
            return 0;
        }
        owner_of(self.keys, term.as_bytes(), self.workers()) / self.threads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_has_one_owner_wherever_it_is_asked_for() {
        let keys = HashKeys::new(11);
        let owners = |me| Owners { me, processes: 3, threads: 2, keys };
        let mut owned = [0; 3];
        for n in 0..300 {
            let term = format!("term-{n}");
            owned[owners(0).process_of(&term)] += 1;
            assert_eq!(owners(0).process_of(&term), owners(2).process_of(&term));
            assert_eq!(Owners::alone(4).process_of(&term), 0);
        }
        assert!(owned.iter().all(|terms| *terms > 50), "{owned:?}");
    }
}
