//! How far in event time the posts have come that a worker decodes.
//!
//! Idea: a partition is about where its last post is, and all of them are past where the one is that is furthest behind. The last
//! post, not the newest: one with a clock that is ahead is forgotten with the next.
//! Invariant: a partition without any post for a whole epoch holds nothing back.
//! Cost: an entry a partition; it is only used to decide what is worth keeping together, so it may be wrong.

use std::collections::HashMap;

/// Where each partition is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The event time of its last post, and whether that came in this epoch.
    partitions: HashMap<u32, (u64, bool)>,
}

impl Progress {
    /// Takes note of the event time of a partition's last post, in Unix milliseconds.
    pub(super) fn note(&mut self, partition: u32, time: u64) {
        self.partitions.insert(partition, (time, true));
    }

    /// To be called when an epoch begins.
    pub(super) fn turn(&mut self) {
        self.partitions.retain(|_, (_, is_new)| std::mem::take(is_new));
    }

    /// The event time that all partitions have come to, about; `None`: there are none.
    pub(super) fn least(&self) -> Option<u64> {
        self.partitions.values().map(|(time, _)| *time).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_furthest_behind_counts_unless_it_has_gone() {
        let mut progress = Progress::default();
        assert_eq!(progress.least(), None);
        progress.note(0, 500);
        progress.note(1, 100);
        progress.note(1, 9000);
        progress.note(1, 120);
        assert_eq!(progress.least(), Some(120), "a post ahead of its time is forgotten");
        progress.turn();
        progress.note(0, 600);
        assert_eq!(progress.least(), Some(120), "it may only be slow");
        progress.turn();
        assert_eq!(progress.least(), Some(600));
    }
}
