//! Bounds: how far the counts of an answer must have come.
//!
//! Idea: whoever has written records up to an offset asks for counts that contain them, and says how long to wait.
//! Invariant: a bound that can never be met is refused at once; one that is not met in time is answered with the stamp
//! of what has been reached, never with older counts.
//! Cost: a request that waits costs a look at the newest cut per epoch.

use std::time::Duration;

use super::problem::{Kind, Problem, quoted};
use super::query::Query;
use crate::engine::Bound;
use crate::engine::published::Offsets;
use crate::source::partitions::Partition;

/// The longest that a request may wait, in milliseconds.
pub const LONGEST_WAIT: u64 = 30_000;

/// What a request insists on, and for how long it waits.
#[derive(Debug, Default)]
pub struct Bounds {
    /// What must have been reached.
    pub bound: Bound,
    /// How long to wait for it.
    pub wait: Duration,
}

impl Bounds {
    /// Reads `min_offsets`, `min_epoch` and `wait_ms`.
    pub fn read(query: &Query, partitions: &[Partition]) -> Result<Bounds, Problem> {
        let offsets = query.get("min_offsets").map(|text| offsets(text, partitions)).transpose()?;
        let epoch = query.number("min_epoch", 0..=u64::MAX)?;
        let wait = query.number("wait_ms", 0..=LONGEST_WAIT)?.unwrap_or(0);
        let bound = Bound { offsets: offsets.unwrap_or_default(), epoch };
        Ok(Bounds { bound, wait: Duration::from_millis(wait) })
    }
}

/// Reads `topic:partition:offset,..`; of a partition that stands there twice the larger offset.
fn offsets(text: &str, partitions: &[Partition]) -> Result<Offsets, Problem> {
    let mut offsets = Offsets::new();
    for item in text.split(',') {
        let mut parts = item.rsplitn(3, ':');
        let next = parts.next().and_then(number::<i64>);
        let partition = parts.next().and_then(number::<i32>);
        let (Some(next), Some(partition), Some(topic)) = (next, partition, parts.next()) else {
            let sent = quoted(item);
            let form = "`topic:partition:offset`, separated by commas, such as `posts:0:123,posts:1:77`";
            let detail = format!("`min_offsets` has {sent}, but must be {form}");
            return Err(Problem::new(Kind::BadParameter, detail).valid(["topic:partition:offset,.."]));
        };
        if !partitions.iter().any(|known| known.partition == partition && known.topic == topic) {
            let sent = quoted(&format!("{topic}:{partition}"));
            let valid = partitions.iter().map(|known| format!("{}:{}", known.topic, known.partition));
            let detail = format!("`min_offsets` names {sent}, which is not read here");
            return Err(Problem::new(Kind::BadParameter, detail).valid(valid));
        }
        let known = offsets.entry(topic.to_owned()).or_default().entry(partition).or_insert(next);
        *known = next.max(*known);
    }
    Ok(offsets)
}

fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn partitions() -> Vec<Partition> {
        let partition = |topic: &str, partition| Partition::new(topic, partition, 0, 0);
        vec![partition("posts", 0), partition("posts", 1), partition("a:b", 0)]
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[posta:b,0-9 -]*|(posts:[01]:[0-9]{1,3},?)*") {
            if let Ok(offsets) = offsets(&text, &partitions()) {
                let known = |topic: &String, partition: &i32| {
                    partitions().iter().any(|known| known.topic == *topic && known.partition == *partition)
                };
                prop_assert!(offsets.iter().all(|(topic, all)| all.keys().all(|partition| known(topic, partition))));
            }
        }
    }

    #[test]
    fn offsets_are_read() {
        let read =
            offsets("posts:0:5,posts:1:7,posts:0:3,a:b:0:9223372036854775807", &partitions()).expect("valid");
        assert_eq!((read["posts"][&0], read["posts"][&1], read["a:b"][&0]), (5, 7, i64::MAX));
    }

    #[test]
    fn what_cannot_be_met_is_refused() {
        for text in
            ["", "posts", "posts:0", "posts:0:", "posts::5", ":0:5", "posts:0:-1", "posts:0:+1", "posts:0:5,"]
        {
            assert!(offsets(text, &partitions()).is_err(), "{text}");
        }
        for text in ["posts:2:5", "other:0:5", "posts:0:9223372036854775808", "posts:4294967296:0"] {
            assert!(offsets(text, &partitions()).is_err(), "{text}");
        }
    }
}
