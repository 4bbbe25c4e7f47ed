//! The times that posts state, as Unix milliseconds.
//!
//! Idea: a handful of forms with fixed places, read byte by byte; no general date library on the hot path.
//! Invariant: a form is read as the property tests against an independent library say, and whatever is not exactly in
//! one of the forms is no time. A fraction beyond milliseconds is cut off, never rounded up.
//! Cost: a look at each byte, no allocation.

use super::OwnTime;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// A time in any of the known forms: RFC 3339, the form of Twitter v1.1, or a number as [`number`] takes it.
pub(super) fn parse(text: &str) -> OwnTime {
    if let Some(count) = plain(text) {
        return usable(scaled(count, 0));
    }
    usable(twitter(text).or_else(|| rfc3339(text)).or_else(|| number(text)))
}

/// A time in a field that counts milliseconds by what it is: its unit is known, so a plain number is taken at its word,
/// whatever its size. Anything else is read as [`parse`] does.
pub(super) fn parse_ms(text: &str) -> OwnTime {
    plain(text).map_or_else(|| parse(text), |ms| usable(Some(ms)))
}

/// A number of digits alone, and of no more than a time in microseconds has.
fn plain(text: &str) -> Option<i64> {
    if (1..=17).contains(&text.len()) { digits(text.as_bytes()) } else { None }
}

/// A time that was read, as a post's own: only what lies after the Unix epoch is usable.
pub(super) fn usable(ms: Option<i64>) -> OwnTime {
    match ms {
        Some(ms) if ms > 0 => OwnTime::At(ms),
        _ => OwnTime::Unusable,
    }
}

/// The form of Twitter v1.1, `Wed Jul 20 17:50:10 +0000 2016`. That the day of the week fits the date is not checked.
pub(super) fn twitter(text: &str) -> Option<i64> {
    let b: &[u8; 30] = text.as_bytes().try_into().ok()?;
    let spaces = [3, 7, 10, 19, 25];
    if spaces.iter().any(|&at| b[at] != b' ') || !b"SunMonTueWedThuFriSat".chunks(3).any(|day| day == &b[..3])
    {
        return None;
    }
    let month = b"JanFebMarAprMayJunJulAugSepOctNovDec".chunks(3).position(|month| month == &b[4..7])?;
    let date = days(digits(&b[26..30])?, month as i64 + 1, digits(&b[8..10])?)?;
    let clock = clock(&b[11..19])?;
    let offset = offset(&b[20..25])?;
    Some(date * DAY_MS + clock - offset)
}

/// RFC 3339, `2016-04-22T07:41:56.000Z`, with a fraction of any length; the offset may lack its colon, as the Eneco
/// connector writes it. A leap second is read as the last second before it.
pub(super) fn rfc3339(text: &str) -> Option<i64> {
    let b = text.as_bytes();
    let (head, tail) = b.split_at_checked(19)?;
    if head[4] != b'-' || head[7] != b'-' || !matches!(head[10], b'T' | b't' | b' ') {
        return None;
    }
    let date = days(digits(&head[..4])?, digits(&head[5..7])?, digits(&head[8..10])?)?;
    let clock = clock(&head[11..19])?;
    let (fraction, zone) = match tail.split_first() {
        Some((b'.', rest)) => {
            let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if length == 0 {
                return None;
            }
            rest.split_at(length)
        }
        _ => (&tail[..0], tail),
    };
    Some(date * DAY_MS + clock + milliseconds(fraction) - offset(zone)?)
}

/// A count of seconds, milliseconds or microseconds since the Unix epoch. Which of them it is follows from its size:
/// below 10^11 seconds, below 10^14 milliseconds, below 10^17 microseconds (each the year 5138), else no time.
pub(super) fn number(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let Some(count) =
        whole.parse::<i64>().ok().filter(|_| fraction.bytes().all(|byte| byte.is_ascii_digit()))
    else {
        return with_exponent(text);
    };
    // Only seconds have a fraction that matters; of what lies before the epoch nothing does.
    let thousandths = milliseconds(fraction.as_bytes()) * if text.starts_with('-') { -1 } else { 1 };
    scaled(count, thousandths)
}

/// A count of one of the units as milliseconds; of seconds there may be some thousandths more.
fn scaled(count: i64, thousandths: i64) -> Option<i64> {
    match count.unsigned_abs() {
        0..100_000_000_000 => Some(count * 1000 + thousandths),
        100_000_000_000..100_000_000_000_000 => Some(count),
        100_000_000_000_000..100_000_000_000_000_000 => Some(count.div_euclid(1000)),
        _ => None,
    }
}

/// A number such as `1.7e9`, as the nearest one that its writer's floating point can have meant.
fn with_exponent(text: &str) -> Option<i64> {
    // The language's own reader takes words such as `inf` and `nan` too.
    if !text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E')) {
        return None;
    }
    let count: f64 = text.parse().ok()?;
    match count.abs() {
        size if size < 1e11 => Some((count * 1e3).round() as i64),
        size if size < 1e14 => Some(count.floor() as i64),
        size if size < 1e17 => Some((count / 1e3).floor() as i64),
        _ => None,
    }
}

/// The first three digits of a fraction of a second.
fn milliseconds(fraction: &[u8]) -> i64 {
    (0..3).fold(0, |ms, at| ms * 10 + fraction.get(at).map_or(0, |digit| i64::from(digit - b'0')))
}

/// `HH:MM:SS` as milliseconds of the day.
fn clock(b: &[u8]) -> Option<i64> {
    let &[h1, h2, b':', m1, m2, b':', s1, s2] = b else { return None };
    let (hour, minute, second) = (digits(&[h1, h2])?, digits(&[m1, m2])?, digits(&[s1, s2])?);
    (hour < 24 && minute < 60 && second <= 60).then(|| ((hour * 60 + minute) * 60 + second.min(59)) * 1000)
}

/// `Z`, `+HH:MM` or `+HHMM` as milliseconds.
fn offset(b: &[u8]) -> Option<i64> {
    let (sign, h1, h2, m1, m2) = match *b {
        [b'Z' | b'z'] => return Some(0),
        [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => (sign, h1, h2, m1, m2),
        _ => return None,
    };
    let (hours, minutes) = (digits(&[h1, h2])?, digits(&[m1, m2])?);
    let ms = (hours * 60 + minutes) * 60_000;
    match sign {
        _ if hours > 23 || minutes > 59 => None,
        b'+' => Some(ms),
        b'-' => Some(-ms),
        _ => None,
    }
}

/// Days from the Unix epoch to a date of the Gregorian calendar, or `None` where there is no such date.
///
/// The year is taken to begin in March, so that the leap day is its last; then every five months have 153 days.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719,468 days lie between 1 March of the year 0 and 1 January 1970.
    Some(year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468)
}

/// A number of decimal digits and nothing else.
fn digits(b: &[u8]) -> Option<i64> {
    b.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::{Offset, TimeZone};
    use proptest::prelude::*;

    use super::*;

    /// Seconds from the year 1 to the year 9998.
    const SECONDS: std::ops::Range<i64> = -62_135_596_800..253_339_228_800;

    proptest! {
        #[test]
        fn twitters_form_is_read_as_jiff_writes_it(second in SECONDS, minutes in -1439..1440i32) {
            let time = Timestamp::from_second(second).unwrap();
            let zone = TimeZone::fixed(Offset::from_seconds(minutes * 60).unwrap());
            let text = time.to_zoned(zone).strftime("%a %b %d %H:%M:%S %z %Y").to_string();
            prop_assert_eq!(twitter(&text), Some(second * 1000));
            prop_assert_eq!(parse(&text), usable(Some(second * 1000)));
        }

        #[test]
        fn rfc3339_is_read_as_jiff_writes_it(
            second in SECONDS,
            nanosecond in 0..1_000_000_000i32,
            minutes in -1439..1440i32,
            colon: bool,
            fraction: bool,
        ) {
            let time = Timestamp::new(second, 0).unwrap();
            let zone = TimeZone::fixed(Offset::from_seconds(minutes * 60).unwrap());
            let mut text = time.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S").to_string();
            if fraction {
                text.push_str(&format!(".{nanosecond:09}"));
            }
            let (sign, size) = (if minutes < 0 { '-' } else { '+' }, minutes.abs());
            text.push_str(&format!("{sign}{:02}{}{:02}", size / 60, if colon { ":" } else { "" }, size % 60));
            let ms = if fraction { i64::from(nanosecond / 1_000_000) } else { 0 };
            prop_assert_eq!(rfc3339(&text), Some(second * 1000 + ms), "{}", text);
        }

        #[test]
        fn what_looks_like_rfc3339_is_a_time_where_jiff_says_so(
            text in "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,9})?(Z|z|[+-][0-2][0-9]:?[0-6][0-9]|)"
        ) {
            let theirs = text.parse::<Timestamp>().ok().map(|time| time.as_nanosecond().div_euclid(1_000_000) as i64);
            // The library also takes offsets of 24 and 25 hours, which RFC 3339 does not know.
            prop_assume!(!text.contains("+24") && !text.contains("-24") && !text.contains("+25") && !text.contains("-25"));
            prop_assert_eq!(rfc3339(&text), theirs);
        }

        #[test]
        fn nothing_panics(text: String) {
            parse(&text);
        }

        #[test]
        fn the_unit_follows_from_the_size(ms in 100_000_000_000..100_000_000_000_000i64, us in 0..1000i64) {
            prop_assert_eq!(number(&ms.to_string()), Some(ms));
            prop_assert_eq!(number(&(ms * 1000 + us).to_string()), Some(ms));
            prop_assert_eq!(number(&format!("{}.{:03}", ms / 1000, ms % 1000)), Some(ms));
            prop_assert_eq!(number(&format!("{}", ms / 1000)), Some(ms / 1000 * 1000));
            prop_assert_eq!(number(&format!("{ms}.999")), Some(ms));
        }

        #[test]
        fn a_field_of_milliseconds_is_taken_at_its_word(ms in 1..100_000_000_000_000_000i64, digits in 1..18u32) {
            for ms in [ms, ms % 10i64.pow(digits)] {
                prop_assert_eq!(parse_ms(&ms.to_string()), usable(Some(ms)));
            }
        }
    }

    #[test]
    fn known_times() {
        for (text, ms) in [
            ("Wed Jul 20 17:50:10 +0000 2016", 1_469_037_010_000),
            ("Wed Jul 20 19:50:10 +0200 2016", 1_469_037_010_000),
            ("2016-04-22T07:41:56.000+0000", 1_461_310_916_000),
            ("2022-08-30T23:05:46.839Z", 1_661_900_746_839),
            ("2024-09-09T19:46:02.329308Z", 1_725_911_162_329),
            ("2016-12-31T23:59:60Z", 1_483_228_799_000),
            ("3000-01-01T00:00:00Z", 32_503_680_000_000),
            ("1970-01-01T00:00:00.001Z", 1),
            ("1469037010000", 1_469_037_010_000),
            ("1469037010", 1_469_037_010_000),
            ("1469037010.5", 1_469_037_010_500),
            ("1.469e9", 1_469_000_000_000),
        ] {
            assert_eq!(parse(text), OwnTime::At(ms), "{text}");
        }
    }

    #[test]
    fn what_is_no_plain_number_is_read_the_same_in_a_field_of_milliseconds() {
        for text in [
            "Wed Jul 20 17:50:10 +0000 2016",
            "2016-04-22T07:41:56.000+0000",
            "1469037010.5",
            "1.469e9",
            "-5",
            "",
            "100000000000000000",
            "yesterday",
        ] {
            assert_eq!(parse_ms(text), parse(text), "{text}");
        }
        assert_eq!(parse_ms("0"), OwnTime::Unusable);
    }

    #[test]
    fn what_is_no_time_is_unusable() {
        for text in [
            "",
            "0",
            "-1",
            "-0.5",
            "0.0005",
            "1.5.5",
            "1.٣",
            "-",
            ".",
            "1e999",
            "99999999999999999999",
            "inf",
            "nan",
            "true",
            "yesterday",
            "1970-01-01T00:00:00Z",
            "1969-12-31T23:59:59.999Z",
            "0000-01-01T00:00:00Z",
            "2016-02-30T00:00:00Z",
            "2015-02-29T00:00:00Z",
            "2016-04-22T24:00:00Z",
            "2016-04-22T07:41:56",
            "2016-04-22T07:41:56.Z",
            "2016-04-22T07:41:56+24:00",
            "2016-04-22T07:41:56éZ",
            "Wed Jul 20 17:50:10 +0000 0001",
            "Wed Jul 32 17:50:10 +0000 2016",
            "Wed Foo 20 17:50:10 +0000 2016",
            "Wed Jul 20 17:50:10 +0000 201é",
        ] {
            assert_eq!(parse(text), OwnTime::Unusable, "{text}");
        }
    }
}
