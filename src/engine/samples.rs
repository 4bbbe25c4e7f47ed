//! A sample of the bad records in the log.
//!
//! Idea: of each reason one record a second at most, with the number of those that were not shown, so that a topic of
//! nothing but bad records says why and does not fill a disk.
//! Cost: a look at the clock for each bad record.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tidings_dataflows::records::Origin;

use super::decode::NameOf;
use crate::posts::{Bad, Reason};

/// When a record of each reason was last logged, and how many have not been since.
#[derive(Default)]
pub(super) struct Samples(BTreeMap<Reason, (Instant, u64)>);

impl Samples {
    /// Logs a bad record, unless one of its reason was logged less than a second ago.
    pub(super) fn show(&mut self, name_of: &NameOf, Origin { partition, offset, .. }: Origin, bad: &Bad) {
        let now = Instant::now();
        if let Some((last, unshown)) = self.0.get_mut(&bad.reason)
            && now.duration_since(*last) < Duration::from_secs(1)
        {
            *unshown += 1;
            return;
        }
        let unshown = self.0.insert(bad.reason, (now, 0)).map_or(0, |(_, unshown)| unshown);
        let place = name_of(partition);
        tracing::warn!(place, offset, reason = bad.reason.as_str(), unshown, "bad record: {}", bad.detail);
    }
}
