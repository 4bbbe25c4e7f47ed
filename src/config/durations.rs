//! Spans of time as people write them: `250ms`, `5s`, `1h30m`.
//!
//! Idea: a whole number and a unit, or several from the largest unit to the smallest. There are no fractions, since
//! every span in tidings is a whole number of milliseconds and `1.5h` is `1h30m`.
//! Invariant: what [`show`] writes, [`parse_duration`] reads as the same span; no text makes it panic or overflow.

use std::time::Duration;

use super::problem::quote;

/// The units from the largest to the smallest, in milliseconds.
const UNITS: [(&str, u64); 6] =
    [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// The longest span that a setting may have, ten years, in milliseconds.
pub(super) const LONGEST_MS: u64 = 3653 * 86_400_000;

/// Reads `250ms`, `5s`, `1m`, `1h`, `1d`, `1w`, or several in a row from the largest unit down, such as `1h30m`.
///
/// # Errors
/// Says what is wrong with the text and how a duration is written.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    milliseconds(text).map(Duration::from_millis).map_err(|why| {
        let quoted = quote(text);
        format!("{quoted} is no duration: {why}, such as \"250ms\", \"5s\", \"1h30m\" or \"7d\"")
    })
}

fn milliseconds(text: &str) -> Result<u64, &'static str> {
    const WRITE: &str = "write a whole number and a unit (ms, s, m, h, d or w)";
    let mut rest = text;
    let mut total = 0u64;
    let mut smaller = UNITS.as_slice();
    if rest.is_empty() {
        return Err(WRITE);
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .ok_or("the unit is missing, write ms, s, m, h, d or w")?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(after.len());
        let (unit, next) = after.split_at(letters);
        if number.is_empty() || !UNITS.iter().any(|(name, _)| *name == unit) {
            return Err(WRITE);
        }
        let at = smaller
            .iter()
            .position(|(name, _)| *name == unit)
            .ok_or("write larger units before smaller ones")?;
        let (_, scale) = smaller[at];
        smaller = &smaller[at + 1..];
        total = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(scale)?.checked_add(total))
            .ok_or("it is too long, write a shorter one")?;
        rest = next;
    }
    Ok(total)
}

/// Reads a duration that must lie between two others, both included.
///
/// # Errors
/// Says what is wrong with the text, or between which durations it must lie.
pub(super) fn duration_within(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let duration = parse_duration(text)?;
    if duration < least || duration > most {
        let (least, most) = (show_duration(least), show_duration(most));
        return Err(format!("{} must be at least {least} and at most {most}", quote(text)));
    }
    Ok(duration)
}

/// Milliseconds in the largest unit that holds them whole; never weeks, since `7d` is what people write.
pub(crate) fn show(ms: u64) -> String {
    let whole = UNITS.iter().skip(1).find(|(_, scale)| ms >= *scale && ms.is_multiple_of(*scale));
    whole.map_or_else(|| "0ms".to_owned(), |(unit, scale)| format!("{}{unit}", ms / scale))
}

/// As [`show`], for a duration; what is below a millisecond is left out.
pub(crate) fn show_duration(duration: Duration) -> String {
    show(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_shown_is_read_as_the_same(ms in 0..=LONGEST_MS) {
            prop_assert_eq!(parse_duration(&show(ms)), Ok(Duration::from_millis(ms)));
        }

        #[test]
        fn compounds_are_sums(h in 0u64..100, m in 0u64..100, s in 0u64..100) {
            let text = format!("{h}h{m}m{s}s");
            prop_assert_eq!(parse_duration(&text), Ok(Duration::from_secs(h * 3600 + m * 60 + s)));
        }

        #[test]
        fn no_text_panics(text in "\\PC*|[0-9wdhms.µ ]{0,60}") {
            let _ = parse_duration(&text);
        }
    }

    #[test]
    fn every_unit_is_read() {
        for (text, ms) in [
            ("250ms", 250),
            ("5s", 5000),
            ("1m", 60_000),
            ("1h", 3_600_000),
            ("1d", 86_400_000),
            ("1w", 604_800_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        assert_eq!(parse_duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse_duration("1m1ms"), Ok(Duration::from_millis(60_001)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let wrong = [
            ("", "\"\" is no duration: write a whole number and a unit"),
            ("5", "the unit is missing"),
            ("5x", "write a whole number and a unit"),
            ("5M", "write a whole number and a unit"),
            ("5 m", "write a whole number and a unit"),
            ("1.5h", "write a whole number and a unit"),
            ("-5s", "write a whole number and a unit"),
            ("30m1h", "write larger units before smaller ones"),
            ("1h1h", "write larger units before smaller ones"),
            ("99999999999999999999s", "too long"),
            ("99999999999999999w", "too long"),
        ];
        for (text, why) in wrong {
            let error = parse_duration(text).expect_err(text);
            assert!(error.contains(why) && error.contains("such as \"250ms\""), "{text}: {error}");
        }
    }

    #[test]
    fn bounds_are_named() {
        let hour = Duration::from_secs(3600);
        let error = duration_within("2h", Duration::from_millis(1), hour).expect_err("too long");
        assert_eq!(error, "\"2h\" must be at least 1ms and at most 1h");
        assert_eq!(duration_within("1h", Duration::from_millis(1), hour), Ok(hour));
    }
}
