//! Windows as people write them: `5m`, `5m/5s`, `all`.
//!
//! Idea: one reader for the configuration file, the command line and HTTP, so that a window means the same everywhere.
//! Invariant: a window that is read here has a slide that divides its size, and lies between 1ms and ten years; a
//! refusal names a window that would be accepted in its place. No text makes it panic.
//! Cost: one allocation for a window that is accepted; a refusal is a line of bounded length.

use super::durations::{LONGEST_MS, show};
use super::model::{Span, Window};
use super::problem::quote;
use super::slides::{check_span, default_slide};

pub use super::durations::parse_duration;
pub use super::slides::check_windows;

/// Reads a window: a size such as `5m`, a size and a slide such as `5m/5s`, or `all`.
///
/// Without a slide it is the largest of 1s, 5s, 1m, 10m, 1h and 1d that is at most a sixtieth of the size, and at
/// least 1s.
///
/// # Errors
/// Says what is wrong, and names a window that would do where there is one.
pub fn parse_window(text: &str) -> Result<Window, String> {
    parse_window_beside(text, &[])
}

/// The same for a window of a count that has others: one that would do fits with those that are right as well.
///
/// # Errors
/// As [`parse_window`].
pub(super) fn parse_window_beside(text: &str, others: &[Span]) -> Result<Window, String> {
    if text == "all" {
        return Ok(Window { name: text.to_owned(), span: None });
    }
    let (size, slide) = text.split_once('/').map_or((text, None), |(size, slide)| (size, Some(slide)));
    let size_ms = length(size).map_err(|why| format!("{} is no window: {why}", quote(text)))?;
    let slide_ms = match slide {
        Some(slide) => length(slide).map_err(|why| format!("{} is no window: {why}", quote(text)))?,
        None => default_slide(size_ms),
    };
    let span = Span { size_ms, slide_ms };
    let which = if slide.is_some() { "" } else { "default " };
    check_span(span, which, others).map_err(|why| format!("{} is no window: {why}", quote(text)))?;
    Ok(Window { name: text.to_owned(), span: Some(span) })
}

/// The milliseconds of a size or a slide, from one to those of ten years.
fn length(text: &str) -> Result<u64, String> {
    if text == "all" {
        return Err("`all` has no slide, write \"all\"".to_owned());
    }
    let ms = parse_duration(text)
        .map_err(|_| {
            let quoted = quote(text);
            format!("{quoted} is no duration, write a window such as \"5m\", \"5m/5s\", \"24h\", \"7d\" or \"all\"")
        })?
        .as_millis();
    match u64::try_from(ms) {
        Ok(0) => Err("it must be at least 1ms".to_owned()),
        Ok(ms) if ms <= LONGEST_MS => Ok(ms),
        _ => Err(format!("it must be at most {} (ten years), write \"all\" for all time", show(LONGEST_MS))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*|[0-9wdhms/al]{0,40}") {
            let _ = parse_window(&text);
        }

        #[test]
        fn default_slides_obey_the_rule(seconds in 1u64..=LONGEST_MS / 1000) {
            let rule = [1, 5, 60, 600, 3600, 86_400].into_iter().rfind(|s| *s <= seconds / 60).unwrap_or(1);
            match parse_window(&format!("{seconds}s")) {
                Ok(window) => {
                    prop_assert_eq!(window.span, Some(Span { size_ms: seconds * 1000, slide_ms: rule * 1000 }));
                    prop_assert_eq!(seconds % rule, 0);
                }
                Err(error) => {
                    prop_assert_ne!(seconds % rule, 0, "{}", error);
                    let would_do = error.split('"').rev().nth(1).expect("a window in quotes");
                    let span = parse_window(would_do).expect("what is suggested is accepted").span;
                    prop_assert_eq!(span.map(|span| span.size_ms), Some(seconds * 1000));
                }
            }
        }
    }

    #[test]
    fn the_documented_windows_have_their_slides() {
        let slides =
            [("1m", 1000), ("5m", 5000), ("1h", 60_000), ("24h", 600_000), ("7d", 3_600_000), ("30s", 1000)];
        for (text, slide_ms) in slides {
            let window = parse_window(text).expect(text);
            assert_eq!((window.name.as_str(), window.span.map(|span| span.slide_ms)), (text, Some(slide_ms)));
        }
        assert_eq!(
            parse_window("5m/5s").map(|window| window.span),
            parse_window("5m").map(|window| window.span)
        );
        assert_eq!(parse_window("all"), Ok(Window { name: "all".to_owned(), span: None }));
        assert_eq!(parse_window("1ms/1ms").map(|w| w.span), Ok(Some(Span { size_ms: 1, slide_ms: 1 })));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let wrong = [
            ("", "\"\" is no window: \"\" is no duration, write a window such as \"5m\""),
            ("5x", "\"5x\" is no duration, write a window such as \"5m\""),
            ("5m/", "\"\" is no duration"),
            ("5m/5s/1s", "\"5s/1s\" is no duration"),
            ("0s", "it must be at least 1ms"),
            ("5m/0s", "it must be at least 1ms"),
            ("5s/5m", "the slide 5m is larger than its size, \"5s/50ms\" would do"),
            ("500ms", "the default slide 1s is larger than its size, \"500ms/5ms\" would do"),
            ("301s", "the default slide 5s does not divide its size, \"301s/1s\" would do"),
            ("605m", "the default slide 10m does not divide its size, \"605m/5m\" would do"),
            ("5m/7s", "the slide 7s does not divide its size, \"5m/6s\" would do"),
            ("11y", "is no duration"),
            ("4000d", "it must be at most 3653d (ten years), write \"all\" for all time"),
            ("all/5s", "`all` has no slide, write \"all\""),
        ];
        for (text, why) in wrong {
            let error = parse_window(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
        let long = parse_window(&"9".repeat(100_000)).expect_err("too long");
        assert!(long.len() < 500, "{}", long.len());
    }
}
