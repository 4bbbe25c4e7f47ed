//! What answers say of each other: that time goes forward, and that one epoch is one state.
//!
//! Idea: an answer that came before another was asked for must not be of a later state. All answers of one epoch are
//! of the same records. Both together say that offsets, clock and epochs never go back, whoever asks.
//! `late` follows from the clock at the epoch of each post, which no answer tells; the answers before and after it bound it.

use std::collections::BTreeMap;

use tidings::config::Config;

use super::Oracle;
use super::answers::{Answer, Answered, Offsets, Stamp};
use super::rules::{Fate, When};

/// Answers in the order in which they were asked for.
pub struct History<'a>(Vec<&'a Answered>);

impl<'a> History<'a> {
    pub fn new(answers: &'a [Answered]) -> History<'a> {
        let mut answers: Vec<_> = answers.iter().collect();
        answers.sort_by_key(|answered| answered.begun);
        History(answers)
    }

    /// Checks that nothing goes back, and that answers of one epoch agree.
    pub fn check(&self) {
        self.check_order();
        self.check_agreement();
    }

    /// Checks that nobody is shown an earlier epoch than before; for the answers of one process.
    pub fn check_order(&self) {
        // In the order of their ends, each beside the largest epoch so far.
        let mut ended = self.0.clone();
        ended.sort_by_key(|answered| answered.ended);
        let (mut seen, mut newest) = (0, 0);
        for answered in &self.0 {
            while seen < ended.len() && ended[seen].ended < answered.begun {
                newest = newest.max(ended[seen].answer.stamp().epoch);
                seen += 1;
            }
            let stamp = answered.answer.stamp();
            assert!(stamp.epoch >= newest, "an earlier answer was of epoch {newest}: {stamp:?}");
        }
    }

    /// Checks that one epoch is one state, whoever answers, and that no later one goes back.
    pub fn check_agreement(&self) {
        // A window that was added later has first offsets of its own.
        let mut begun = BTreeMap::new();
        for pair in self.by_epoch().windows(2) {
            let (one, two) = (pair[0].answer.stamp(), pair[1].answer.stamp());
            let told =
                |one: &Stamp, two: &Stamp| format!("of these two the later goes back:\n{one:?}\n{two:?}");
            assert_eq!(one.generation, two.generation, "{}", told(one, two));
            // Partitions may be added; where the reading of one began stays as it was.
            begun.insert((&one.count, &one.window), &one.start_offsets);
            if let Some(known) = begun.get(&(&two.count, &two.window)) {
                assert!(stays(known, &two.start_offsets), "{known:?}, then {two:?}");
            }
            assert!(one.clock <= two.clock && not_above(&one.offsets, &two.offsets), "{}", told(one, two));
            assert!(one.catching_up || !two.catching_up, "caught up, then no longer: {}", told(one, two));
            if one.epoch == two.epoch {
                let state = |stamp: &Stamp| (stamp.clock, stamp.offsets.clone(), stamp.catching_up);
                assert_eq!(state(one), state(two), "one epoch, two states");
                if pair[0].asked == pair[1].asked && !matches!(pair[0].answer, Answer::Status(_)) {
                    assert_eq!(pair[0].answer, pair[1].answer, "one epoch, one question, two answers");
                }
            }
        }
    }

    /// How many different epochs were answered from.
    pub fn epochs(&self) -> usize {
        let mut epochs: Vec<_> = self.0.iter().map(|answered| answered.answer.stamp().epoch).collect();
        epochs.sort_unstable();
        epochs.dedup();
        epochs.len()
    }

    /// Checks the number of late posts of each status against what the answers around it allow: a post is late if the
    /// smallest window had left its pane at the clock of the epoch that it came with.
    pub fn check_late(&self, oracle: &Oracle, config: &Config) {
        let spans = config.counts.iter().flat_map(|count| &count.windows).filter_map(|window| window.span);
        let Some((size, slide)) = spans.map(|span| (span.size_ms as i64, span.slide_ms as i64)).min() else {
            return;
        };
        let is_late = |time: i64, clock: Option<i64>| {
            clock.is_some_and(|clock| time / slide < (clock / slide + 1 - size / slide).max(0))
        };
        let (mut at_least, mut at_most) = (0, 0);
        let mut before: Option<&Stamp> = None;
        for answered in self.by_epoch() {
            let stamp = answered.answer.stamp();
            // Partitions that were added since have been read from their starts.
            let mut from = stamp.start_offsets.clone();
            for (topic, partitions) in before.iter().flat_map(|before| &before.offsets) {
                from.entry(topic.clone()).or_default().extend(partitions);
            }
            let clock_before = before.and_then(|before| before.clock).map(|clock| clock.0);
            for (.., fate) in oracle.between(&from, &stamp.offsets) {
                if let Fate::Post(When::At(time), _) = fate {
                    at_least += u64::from(is_late(*time, clock_before));
                    at_most += u64::from(is_late(*time, stamp.clock.map(|clock| clock.0)));
                }
            }
            if let Answer::Status(status) = &answered.answer {
                assert!(
                    (at_least..=at_most).contains(&status.late),
                    "late must be between {at_least} and {at_most}: {status:?}"
                );
            }
            before = Some(stamp);
        }
    }

    fn by_epoch(&self) -> Vec<&'a Answered> {
        let mut answers = self.0.clone();
        answers.sort_by_key(|answered| (answered.answer.stamp().epoch, format!("{:?}", answered.asked)));
        answers
    }
}

fn not_above(one: &Offsets, two: &Offsets) -> bool {
    one.iter()
        .all(|(topic, partitions)| partitions.iter().all(|(partition, next)| *next <= two[topic][partition]))
}

fn stays(one: &Offsets, two: &Offsets) -> bool {
    let begins =
        |topic: &String, partition: &i32| two.get(topic).and_then(|partitions| partitions.get(partition));
    one.iter()
        .all(|(topic, all)| all.iter().all(|(partition, start)| begins(topic, partition) == Some(start)))
}
