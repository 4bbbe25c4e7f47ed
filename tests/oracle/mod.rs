//! A naive counter, against which answers of the real binary are compared.
//!
//! Idea: an answer names the records that it counted. Here those very records are counted again, one after the other, by
//! the rules that the documentation states, and everything that the answer says must come out: totals, ranks, ties,
//! spellings, panes, pages, numbers of bad records, and the stamp itself.
//! Invariant: nothing here is shared with the engine but the rules of text (`posts` decodes, `terms` cuts and folds), which
//! have suites of their own, and the configuration. Each answer is counted by one thread, no window is kept up to date, nothing
//! is merged.
//! Cost: one pass over all records an epoch, count and window; a few milliseconds for some ten thousand posts.

pub mod answers;
mod check;
pub mod history;
pub mod recount;
pub mod rules;

use std::collections::BTreeMap;

use answers::Offsets;
use rules::{Fate, Record, Rules};
use tidings::config::Config;

/// All records of a run, each taken apart once, ready to be counted again.
pub struct Oracle {
    rules: Rules,
    /// Topic and partition, and what became of each record by offset.
    fates: BTreeMap<(String, i32), BTreeMap<i64, Fate>>,
}

impl Oracle {
    /// Takes all records apart. `now_ms` is the wall clock while they were read, to a few minutes.
    pub fn new(config: &Config, records: &[Record], now_ms: i64) -> Oracle {
        let mut rules = Rules::new(config, now_ms);
        let mut fates = BTreeMap::<_, BTreeMap<_, _>>::new();
        for record in records {
            let fate = rules.judge(record);
            let known = fates
                .entry((record.topic.clone(), record.partition))
                .or_default()
                .insert(record.offset, fate);
            assert!(known.is_none(), "the test itself has a record twice: {record:?}");
        }
        Oracle { rules, fates }
    }

    /// The fates of the records from `start` up to, and without, `next`.
    fn between<'a>(
        &'a self,
        start: &'a Offsets,
        next: &'a Offsets,
    ) -> impl Iterator<Item = (&'a str, i32, i64, &'a Fate)> {
        next.iter()
            .flat_map(|(topic, partitions)| {
                partitions.iter().map(move |(partition, next)| (topic, *partition, *next))
            })
            .flat_map(move |(topic, partition, next)| {
                let start = start[topic][&partition];
                let records = self.fates.get(&(topic.clone(), partition));
                let counted =
                    records.into_iter().flat_map(move |records| records.range(start..next.max(start)));
                counted.map(move |(offset, fate)| (topic.as_str(), partition, *offset, fate))
            })
    }
}
