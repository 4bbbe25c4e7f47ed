//! Whether a topic keeps, and takes, posts of the times that they have.
//!
//! Idea: Kafka deletes by record timestamp. Posts of last year, sent into a topic that keeps a week, are gone within
//! minutes, and nothing says so. What a topic allows is known from its settings, so each post is checked in passing,
//! and the first that will not last is worth a warning that names the remedy.
//! Invariant: one warning a kind. Cost: three comparisons a post.

use std::collections::BTreeMap;

/// What a topic does with records by their time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    topic: String,
    /// Wall clock when the limits were looked up, Unix milliseconds.
    now_ms: i64,
    /// `retention.ms`: older ones are deleted.
    kept: Option<i64>,
    /// `message.timestamp.before.max.ms`, or the older `difference`: older ones are refused.
    behind: Option<i64>,
    /// `message.timestamp.after.max.ms`, or the older `difference`: those further in the future are refused.
    ahead: Option<i64>,
    /// `message.timestamp.type` is `LogAppendTime`: the broker puts its own time in place of the post's.
    restamped: bool,
}

impl Limits {
    /// The limits that the settings of a topic state; an unknown setting limits nothing.
    pub fn new(topic: &str, settings: &BTreeMap<String, String>, now_ms: i64) -> Self {
        let number = |key: &str| settings.get(key).and_then(|value| value.parse::<i64>().ok());
        let bound = |key| number(key).filter(|ms| *ms >= 0);
        let deletes = settings.get("cleanup.policy").is_none_or(|policy| policy.contains("delete"));
        let difference = bound("message.timestamp.difference.max.ms");
        Self {
            topic: topic.to_owned(),
            now_ms,
            kept: bound("retention.ms").filter(|_| deletes),
            behind: bound("message.timestamp.before.max.ms").or(difference),
            ahead: bound("message.timestamp.after.max.ms").or(difference),
            restamped: settings.get("message.timestamp.type").is_some_and(|kind| kind == "LogAppendTime"),
        }
    }

    /// What to tell the user of a post of this time, in Unix milliseconds, unless it was told before.
    pub fn warning(&mut self, time_ms: i64) -> Option<String> {
        let (topic, now_ms) = (&self.topic, self.now_ms);
        let age = now_ms.saturating_sub(time_ms);
        let when = || {
            jiff::Timestamp::from_millisecond(time_ms)
                .map_or_else(|_| time_ms.to_string(), |at| at.to_string())
        };
        if std::mem::take(&mut self.restamped) {
            return Some(format!(
                "topic {topic:?} puts the broker's time in place of the posts' (message.timestamp.type is \
                 LogAppendTime): count with `time = \"post\"`, or set it to CreateTime"
            ));
        }
        if let Some(limit) = self.behind.take_if(|limit| age > *limit) {
            return Some(format!(
                "a post is of {}, and topic {topic:?} refuses what is older than {} \
                 (message.timestamp.before.max.ms={limit}): raise that",
                when(),
                span(limit)
            ));
        }
        if let Some(limit) = self.ahead.take_if(|limit| age.saturating_neg() > *limit) {
            return Some(format!(
                "a post is of {}, and topic {topic:?} refuses what is more than {} in the future \
                 (message.timestamp.after.max.ms={limit}): raise that",
                when(),
                span(limit)
            ));
        }
        let limit = self.kept.take_if(|limit| age > *limit)?;
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
        Limits::new("old", &settings, NOW_MS)
    }

    #[test]
    fn old_posts_in_a_topic_that_deletes_are_told_once() {
        let mut limits = limits(&[("retention.ms", "604800000"), ("cleanup.policy", "delete")]);
        assert_eq!(limits.warning(NOW_MS - WEEK_MS), None);
        let told = limits.warning(NOW_MS - WEEK_MS - 1).expect("a warning");
        assert!(
            told.contains("2025-10-02") && told.contains("7 d") && told.contains("retention.ms=-1"),
            "{told}"
        );
        assert_eq!(limits.warning(0), None);
    }

    #[test]
    fn topics_that_keep_everything_are_no_trouble() {
        assert_eq!(limits(&[("retention.ms", "-1")]).warning(0), None);
        assert_eq!(limits(&[("retention.ms", "1000"), ("cleanup.policy", "compact")]).warning(0), None);
        assert_eq!(limits(&[]).warning(i64::MIN), None);
    }

    #[test]
    fn what_the_broker_refuses_or_restamps_is_named() {
        let after = limits(&[("message.timestamp.after.max.ms", "3600000")]).warning(NOW_MS + 3_600_001);
        assert!(after.is_some_and(|told| told.contains("after.max.ms=3600000") && told.contains("1 h")));
        let before = limits(&[("message.timestamp.difference.max.ms", "1000")]).warning(NOW_MS - 1_001);
        assert!(before.is_some_and(|told| told.contains("1 s")));
        let stamped = limits(&[("message.timestamp.type", "LogAppendTime")]).warning(NOW_MS);
        assert!(stamped.is_some_and(|told| told.contains("time = \"post\"")));
    }
}
