//! Whether a topic keeps, and takes, posts of the times that they have.
//!
//! Idea: Kafka deletes by record timestamp. Posts of last year, sent into a topic that keeps a week, are gone within
//! minutes, and nothing says so. What a topic allows is known from its settings, so each post is checked in passing,
//! and the first that will not last is worth a warning that names the remedy. What the topic does not take must not be sent at
//! all: a broker refuses the whole batch that it is in.
//! Invariant: one warning a kind. Cost: some comparisons a post.

use std::collections::BTreeMap;

/// What a topic does with records by their time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    topic: String,
    /// `retention.ms`: older ones are deleted.
    kept: Option<i64>,
    /// `message.timestamp.before.max.ms`, or the older `difference`: older ones are refused.
    behind: Option<i64>,
    /// `message.timestamp.after.max.ms`, or the older `difference`: those further in the future are refused.
    ahead: Option<i64>,
    /// `message.timestamp.type` is `LogAppendTime`: the broker puts its own time in place of the post's.
    restamped: bool,
    /// What the user has been told of.
    told: Told,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    kept: bool,
    behind: bool,
    ahead: bool,
    restamped: bool,
}

impl Limits {
    /// The limits that the settings of a topic state; an unknown setting limits nothing.
    pub fn new(topic: &str, settings: &BTreeMap<String, String>) -> Self {
        let number = |key: &str| settings.get(key).and_then(|value| value.parse::<i64>().ok());
        let bound = |key| number(key).filter(|ms| *ms >= 0);
        let deletes = settings.get("cleanup.policy").is_none_or(|policy| policy.contains("delete"));
        let difference = bound("message.timestamp.difference.max.ms");
        Self {
            topic: topic.to_owned(),
            kept: bound("retention.ms").filter(|_| deletes),
            behind: bound("message.timestamp.before.max.ms").or(difference),
            ahead: bound("message.timestamp.after.max.ms").or(difference),
            restamped: settings.get("message.timestamp.type").is_some_and(|kind| kind == "LogAppendTime"),
            told: Told::default(),
        }
    }

    /// Whether the topic takes a post of this time now, both in Unix milliseconds.
    pub fn takes(&self, time_ms: i64, now_ms: i64) -> bool {
        let age = now_ms.saturating_sub(time_ms);
        let is_within = |bound: Option<i64>, by: i64| bound.is_none_or(|bound| by <= bound);
        self.restamped || is_within(self.behind, age) && is_within(self.ahead, age.saturating_neg())
    }

    /// What to tell the user of a post of this time, in Unix milliseconds as now is, unless it was told before.
    pub fn warning(&mut self, time_ms: i64, now_ms: i64) -> Option<String> {
        let topic = &self.topic;
        let age = now_ms.saturating_sub(time_ms);
        let first = |limit: Option<i64>, by: i64, told: &mut bool| {
            limit.filter(|limit| by > *limit && !std::mem::replace(told, true))
        };
        let when = || {
            jiff::Timestamp::from_millisecond(time_ms)
                .map_or_else(|_| time_ms.to_string(), |at| at.to_string())
        };
        if self.restamped && !std::mem::replace(&mut self.told.restamped, true) {
            return Some(format!(
                "topic {topic:?} puts the broker's time in place of the posts' (message.timestamp.type is \
                 LogAppendTime): count with `time = \"post\"`, or set it to CreateTime"
            ));
        }
        if let Some(limit) = first(self.behind, age, &mut self.told.behind) {
            return Some(format!(
                "a post is of {}, and topic {topic:?} refuses what is older than {} \
                 (message.timestamp.before.max.ms={limit}): raise that",
                when(),
                span(limit)
            ));
        }
        if let Some(limit) = first(self.ahead, age.saturating_neg(), &mut self.told.ahead) {
            return Some(format!(
                "a post is of {}, and topic {topic:?} refuses what is more than {} in the future \
                 (message.timestamp.after.max.ms={limit}): raise that",
                when(),
                span(limit)
            ));
        }
        let limit = first(self.kept, age, &mut self.told.kept)?;
        Some(format!(
            "a post is of {}, and topic {topic:?} keeps {} only (retention.ms={limit}), so that Kafka will soon delete \
             it: send into a new topic, which is made with retention.ms=-1, or set that here",
            when(),
            span(limit)
        ))
    }
}

/// Milliseconds as the largest whole unit.
pub fn span(ms: i64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    match units.iter().find(|(unit, _)| ms >= *unit && ms % unit == 0) {
        Some((unit, name)) => format!("{} {name}", ms / unit),
        None => format!("{ms} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_760_000_000_000;
    const WEEK_MS: i64 = 604_800_000;

    fn limits(settings: &[(&str, &str)]) -> Limits {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Limits::new("old", &settings)
    }

    #[test]
    fn old_posts_in_a_topic_that_deletes_are_told_once() {
        let mut limits = limits(&[("retention.ms", "604800000"), ("cleanup.policy", "delete")]);
        assert_eq!(limits.warning(NOW_MS - WEEK_MS, NOW_MS), None);
        let told = limits.warning(NOW_MS - WEEK_MS - 1, NOW_MS).expect("a warning");
        assert!(
            told.contains("2025-10-02") && told.contains("7 d") && told.contains("retention.ms=-1"),
            "{told}"
        );
        assert_eq!(limits.warning(0, NOW_MS), None);
    }

    #[test]
    fn topics_that_keep_everything_are_no_trouble() {
        assert_eq!(limits(&[("retention.ms", "-1")]).warning(0, NOW_MS), None);
        assert_eq!(
            limits(&[("retention.ms", "1000"), ("cleanup.policy", "compact")]).warning(0, NOW_MS),
            None
        );
        assert_eq!(limits(&[]).warning(i64::MIN, NOW_MS), None);
    }

    #[test]
    fn what_the_broker_refuses_or_restamps_is_named() {
        let mut after = limits(&[("message.timestamp.after.max.ms", "3600000")]);
        let told = after.warning(NOW_MS + 3_600_001, NOW_MS);
        assert!(told.is_some_and(|told| told.contains("after.max.ms=3600000") && told.contains("1 h")));
        assert_eq!(after.warning(NOW_MS + 3_600_001, NOW_MS), None);
        assert!(after.takes(NOW_MS + 3_600_000, NOW_MS) && after.takes(0, NOW_MS));
        assert!(!after.takes(NOW_MS + 3_600_001, NOW_MS) && after.takes(NOW_MS + 3_600_001, NOW_MS + 1));
        let mut before = limits(&[("message.timestamp.difference.max.ms", "1000")]);
        let told = before.warning(NOW_MS - 1_001, NOW_MS);
        assert!(told.is_some_and(|told| told.contains("1 s")));
        assert!(!before.takes(NOW_MS - 1_001, NOW_MS) && !before.takes(NOW_MS + 1_001, NOW_MS));
        let stamping = [("message.timestamp.type", "LogAppendTime"), ("message.timestamp.after.max.ms", "1")];
        let mut stamped = limits(&stamping);
        let told = stamped.warning(NOW_MS, NOW_MS);
        assert!(told.is_some_and(|told| told.contains("time = \"post\"")));
        assert!(stamped.takes(NOW_MS + 2, NOW_MS));
    }

    /// A run of days goes by the clock of the moment, not by that of its start.
    #[test]
    fn a_post_of_now_is_never_ahead() {
        let mut limits =
            limits(&[("message.timestamp.after.max.ms", "3600000"), ("retention.ms", "604800000")]);
        for hour in 0..1000 {
            let now_ms = NOW_MS + hour * 3_600_000;
            assert_eq!(limits.warning(now_ms, now_ms), None);
        }
    }
}
