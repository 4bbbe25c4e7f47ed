//! The time of a post on Twitter or X, which its id knows to the millisecond.
//!
//! Idea: `created_at` of v1.1 has whole seconds only, and that of the X API v2 is not even asked for by default; an id
//! of the Snowflake kind holds the millisecond at which it was made.
//! Invariant: an id refines or replaces a time that is stated, it never contradicts one: a post whose stated time is no
//! time has no usable time, whatever its id.
//! Source: the public description of Snowflake ids; its epoch is 4 November 2010.

use super::json::Raw;
use super::{OwnTime, time};

/// The time of a status: `timestamp_ms`, else `created_at` with the milliseconds of the id where they are of the same
/// second, else the time of the id. A field that states no usable time gives way to the next.
pub(super) fn own_time(timestamp_ms: Option<Raw>, created_at: Option<Raw>, id: Option<&str>) -> OwnTime {
    let stated = timestamp_ms.map(Raw::time_ms);
    if let Some(time @ OwnTime::At(_)) = stated {
        return time;
    }
    let minted = || id.and_then(minted_ms);
    match created_at.map(Raw::time).or(stated) {
        Some(OwnTime::At(ms)) => {
            let finer = minted().filter(|finer| finer / 1000 == ms / 1000 && ms % 1000 == 0);
            OwnTime::At(finer.unwrap_or(ms))
        }
        Some(unusable) => unusable,
        None => minted().map_or(OwnTime::Absent, |ms| time::usable(Some(ms))),
    }
}

/// When Twitter made an id of the Snowflake kind, in Unix milliseconds. These have been used since November 2010.
/// Ids below 2^50, which were passed after three days, are left out: they may be anyone's counter or time of day.
pub(super) fn minted_ms(id: &str) -> Option<i64> {
    let id: i64 = id.parse().ok()?;
    (id >= 1 << 50).then(|| (id >> 22) + 1_288_834_974_657)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::json::read;
    use super::*;

    fn raw(json: &str) -> Raw<'_> {
        read(json).unwrap()
    }

    proptest! {
        #[test]
        fn an_id_refines_the_second_that_it_agrees_with(ms in 1_300_000_000_000..3_400_000_000_000i64, low in 0..1i64 << 22) {
            let id = (((ms - 1_288_834_974_657) << 22) | low).to_string();
            prop_assert_eq!(minted_ms(&id), Some(ms));
            let second = ms / 1000 * 1000;
            for (stated, expected) in [(second, ms), (second + 1000, second + 1000), (second + 1, second + 1)] {
                let stated = stated.to_string();
                prop_assert_eq!(own_time(None, Some(raw(&stated)), Some(&id)), OwnTime::At(expected));
            }
        }

        #[test]
        fn no_id_panics(id: String, number: i64) {
            minted_ms(&id);
            minted_ms(&number.to_string());
        }
    }

    #[test]
    fn times_by_preference() {
        let created = Some(r#""Wed Jul 20 17:50:10 +0000 2016""#);
        let id = Some("755822121331281920");
        for (timestamp_ms, created_at, id, expected) in [
            (None, None, None, OwnTime::Absent),
            (None, None, Some("1234"), OwnTime::Absent),
            (None, None, Some("1700000000000"), OwnTime::Absent),
            (None, None, id, OwnTime::At(1_469_037_010_878)),
            (None, created, None, OwnTime::At(1_469_037_010_000)),
            (None, created, id, OwnTime::At(1_469_037_010_878)),
            (None, Some(r#""2016-07-20T17:50:10.000Z""#), id, OwnTime::At(1_469_037_010_878)),
            (None, Some(r#""2016-07-20T17:50:10.5Z""#), id, OwnTime::At(1_469_037_010_500)),
            (None, Some(r#""3000-01-01T00:00:00\u005a""#), id, OwnTime::At(32_503_680_000_000)),
            (Some(r#""1469037010001""#), created, id, OwnTime::At(1_469_037_010_001)),
            (Some("1469037010001"), created, id, OwnTime::At(1_469_037_010_001)),
            (Some(r#""1000000000""#), created, id, OwnTime::At(1_000_000_000)),
            (Some("1000000000"), None, None, OwnTime::At(1_000_000_000)),
            (Some(r#""1469037010.5""#), None, None, OwnTime::At(1_469_037_010_500)),
            (None, Some(r#""1469037010""#), None, OwnTime::At(1_469_037_010_000)),
            (Some(r#""0""#), created, None, OwnTime::At(1_469_037_010_000)),
            (Some(r#""0""#), None, id, OwnTime::Unusable),
            (Some(r#""-5""#), None, None, OwnTime::Unusable),
            (None, Some(r#""yesterday""#), id, OwnTime::Unusable),
            (None, Some("{}"), None, OwnTime::Unusable),
        ] {
            let found = own_time(timestamp_ms.map(raw), created_at.map(raw), id);
            assert_eq!(found, expected, "{timestamp_ms:?} {created_at:?} {id:?}");
        }
    }
}
