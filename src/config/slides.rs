//! Slides: which one a window gets, and how those of one count fit together.
//!
//! Idea: a window is made of panes of its slide, and panes of a fine slide are later added up into those of the next
//! coarser one. Both work only where a slide divides its window's size and every slide divides the next larger one.
//! Invariant: what [`check_windows`] accepts obeys these rules, and a refusal names windows that would be accepted in
//! the place of those that are not.
//! Cost: a refusal tries a short list of round slides, whatever the windows.

use super::durations::show;
use super::model::{Span, Window};
use super::problem::quote;

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The slides that a window written without one may get, from the largest; each divides the one before.
const DEFAULT_SLIDES: [u64; 6] = [DAY, HOUR, 10 * MINUTE, MINUTE, 5 * SECOND, SECOND];

/// A window has this many panes at least, where its slide is the default one and more than a second.
const DEFAULT_PANES: u64 = 60;

/// Slides that people would choose, in milliseconds, from the largest; the last one divides every size.
fn round_slides() -> impl Iterator<Item = u64> {
    let units: [(u64, &[u64]); 5] = [
        (DAY, &[7, 2, 1]),
        (HOUR, &[12, 8, 6, 4, 3, 2, 1]),
        (MINUTE, &[30, 20, 15, 12, 10, 6, 5, 3, 2, 1]),
        (SECOND, &[30, 20, 15, 12, 10, 6, 5, 3, 2, 1]),
        (1, &[500, 250, 200, 100, 50, 25, 20, 10, 5, 2, 1]),
    ];
    units.into_iter().flat_map(|(unit, numbers)| numbers.iter().map(move |number| number * unit))
}

/// The slide of a window that is written without one: the largest of 1s, 5s, 1m, 10m, 1h and 1d that is at most a
/// sixtieth of the size, and at least 1s. It may not divide the size.
pub(super) fn default_slide(size_ms: u64) -> u64 {
    let most = size_ms / DEFAULT_PANES;
    DEFAULT_SLIDES.into_iter().find(|slide| *slide <= most).unwrap_or(SECOND)
}

/// Checks that the slide divides the size; `which` slide this is goes before the word in the message. `others` are windows of
/// the same count that are right.
///
/// # Errors
/// Names a window of this size that would do, beside the others too where they fit together themselves.
pub(super) fn check_span(span: Span, which: &str, others: &[Span]) -> Result<(), String> {
    let Span { size_ms, slide_ms } = span;
    let fault = if slide_ms == 0 || size_ms == 0 {
        return Err("size and slide must be at least 1ms".to_owned());
    } else if slide_ms > size_ms {
        "is larger than its size"
    } else if !size_ms.is_multiple_of(slide_ms) {
        "does not divide its size"
    } else {
        return Ok(());
    };
    // A slide that is larger than the size says nothing of what was meant; one that nearly divides it does.
    let most = if slide_ms > size_ms { (size_ms / DEFAULT_PANES).max(1) } else { slide_ms };
    let divides = |slide_ms: &u64| *slide_ms <= most && size_ms.is_multiple_of(*slide_ms);
    let fits = |slide_ms: &u64| {
        let own = Span { size_ms, slide_ms: *slide_ms };
        misfit(&[others, &[own]].concat()).is_none()
    };
    let slides = round_slides().chain(others.iter().map(|other| other.slide_ms));
    let best = slides.filter(divides).filter(fits).max();
    let would_do = best.or_else(|| round_slides().find(divides)).unwrap_or(1);
    Err(format!(
        "the {which}slide {} {fault}, \"{}/{}\" would do",
        show(slide_ms),
        show(size_ms),
        show(would_do)
    ))
}

/// Checks that the windows of one count fit together: each slide divides its window's size and the next larger slide.
///
/// # Errors
/// Names the two windows that do not fit and what would do in place of one of them.
pub fn check_windows(windows: &[Window]) -> Result<(), String> {
    let spans = windows.iter().filter_map(|window| window.span);
    let spans: Vec<Span> = spans.filter(|span| check_span(*span, "", &[]).is_ok()).collect();
    for window in windows {
        if let Some(span) = window.span {
            check_span(span, "", &spans)
                .map_err(|why| format!("{} is no window: {why}", quote(&window.name)))?;
        }
    }
    let Some((finer, coarser)) = misfit(&spans) else { return Ok(()) };
    let name = |slide_ms: u64| {
        let window = windows.iter().find(|window| window.span.is_some_and(|span| span.slide_ms == slide_ms));
        quote(window.map_or("", |window| window.name.as_str()))
    };
    let better = fitting(&spans, finer, coarser);
    let changed = spans.iter().zip(&better).filter(|(old, new)| old != new);
    let changed: Vec<String> =
        changed.map(|(_, new)| format!("\"{}/{}\"", show(new.size_ms), show(new.slide_ms))).collect();
    Err(format!(
        "the slide {} of {} does not divide the next larger one, {} of {}; {} would do",
        show(finer),
        name(finer),
        show(coarser),
        name(coarser),
        changed.join(", "),
    ))
}

/// The first two neighbours among the slides of which the smaller does not divide the larger.
fn misfit(spans: &[Span]) -> Option<(u64, u64)> {
    let mut slides: Vec<u64> = spans.iter().map(|span| span.slide_ms).collect();
    slides.sort_unstable();
    slides.windows(2).map(|pair| (pair[0], pair[1])).find(|(finer, coarser)| !coarser.is_multiple_of(*finer))
}

/// The same windows with slides that fit together: another one in place of `coarser`, else of `finer`, as near to it
/// as a round one can be; else one slide for all, which divides every size because it divides every slide.
fn fitting(spans: &[Span], finer: u64, coarser: u64) -> Vec<Span> {
    let with = |old: Option<u64>, slide_ms: u64| -> Vec<Span> {
        let changes = |span: &Span| old.is_none_or(|old| span.slide_ms == old);
        spans.iter().map(|span| if changes(span) { Span { slide_ms, ..*span } } else { *span }).collect()
    };
    for old in [coarser, finer] {
        let mut slides: Vec<u64> = round_slides().chain(spans.iter().map(|span| span.slide_ms)).collect();
        slides.sort_unstable_by_key(|slide| slide.abs_diff(old));
        let fits = |spans: &Vec<Span>| {
            spans.iter().all(|span| span.size_ms.is_multiple_of(span.slide_ms)) && misfit(spans).is_none()
        };
        if let Some(better) = slides.into_iter().map(|slide| with(Some(old), slide)).find(fits) {
            return better;
        }
    }
    with(None, spans.iter().map(|span| span.slide_ms).fold(0, greatest_common_divisor))
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::windows::parse_window;
    use super::*;

    fn named(size_ms: u64, slide_ms: u64) -> Window {
        Window {
            name: format!("{}/{}", show(size_ms), show(slide_ms)),
            span: Some(Span { size_ms, slide_ms }),
        }
    }

    /// Slides and sizes as multiples of small numbers, so that some fit and some do not.
    fn window() -> impl Strategy<Value = Window> {
        (1u64..40, 1u64..200, prop::sample::select(vec![1u64, 7, 100, 1000, 5000, 60_000]))
            .prop_map(|(slide, panes, unit)| named(slide * unit * panes, slide * unit))
    }

    proptest! {
        #[test]
        fn windows_with_default_slides_fit_together(sizes in prop::collection::vec(1u64..=87_600, 1..32)) {
            let windows = sizes.iter().map(|hours| parse_window(&format!("{hours}h")));
            let windows: Vec<Window> = windows.filter_map(Result::ok).collect();
            prop_assert_eq!(check_windows(&windows), Ok(()));
        }

        #[test]
        fn what_is_suggested_is_accepted(windows in prop::collection::vec(window(), 1..8)) {
            let spans: Vec<Span> = windows.iter().filter_map(|window| window.span).collect();
            if let Some((finer, coarser)) = misfit(&spans) {
                let better: Vec<Window> =
                    fitting(&spans, finer, coarser).iter().map(|span| named(span.size_ms, span.slide_ms)).collect();
                prop_assert_eq!(check_windows(&better), Ok(()));
                let error = check_windows(&windows).expect_err("two slides do not fit");
                for window in better.iter().filter(|window| !windows.contains(window)) {
                    prop_assert!(error.contains(&format!("{:?}", window.name)), "{}", error);
                }
            }
        }

        #[test]
        fn what_would_do_is_accepted_beside_others(
            others in prop::collection::vec(window(), 0..4),
            size_ms in 1u64..1_000_000,
            slide_ms in 1u64..1_000_000,
        ) {
            let spans: Vec<Span> = others.iter().filter_map(|window| window.span).collect();
            if misfit(&spans).is_none()
                && let Err(error) = check_span(Span { size_ms, slide_ms }, "", &spans)
            {
                let beside = |window: Window| check_windows(&[&others[..], &[window]].concat());
                let refused = beside(named(size_ms, slide_ms)).expect_err("its slide is wrong");
                prop_assert!(refused.ends_with(&error), "{} {}", refused, error);
                let would_do = error.split('"').rev().nth(1).expect("a window in quotes");
                let better = parse_window(would_do).expect("it is a window");
                prop_assert_eq!(beside(better), Ok(()), "{}", error);
            }
        }
    }

    #[test]
    fn round_slides_go_down_to_one() {
        let slides: Vec<u64> = round_slides().collect();
        assert!(slides.is_sorted_by(|a, b| a > b));
        assert_eq!(slides.last(), Some(&1));
    }

    #[test]
    fn what_would_do_in_place_of_a_wrong_slide_fits_with_the_others() {
        let of = |size_ms, slide_ms| Span { size_ms, slide_ms };
        for (others, would_do) in [
            (&[] as &[Span], "\"5m/6s\" would do"),
            (&[of(3_600_000, 60_000)], "\"5m/6s\" would do"),
            (&[of(60_000, 5000)], "\"5m/5s\" would do"),
            (&[of(60_000, 2500), of(3_600_000, 60_000)], "\"5m/5s\" would do"),
            (&[of(77_000, 7700)], "\"5m/100ms\" would do"),
            // With windows that do not fit together themselves none does.
            (&[of(60_000, 4000), of(60_000, 5000)], "\"5m/6s\" would do"),
        ] {
            let error = check_span(of(300_000, 7000), "", others).expect_err("7s does not divide 5m");
            assert!(error.ends_with(would_do), "{others:?}: {error}");
        }
    }

    #[test]
    fn slides_that_do_not_nest_are_named_with_one_that_would() {
        let windows: Vec<Window> =
            ["90s/1500ms", "5m", "all"].into_iter().map(|text| parse_window(text).expect(text)).collect();
        assert_eq!(
            check_windows(&windows),
            Err("the slide 1500ms of \"90s/1500ms\" does not divide the next larger one, 5s of \"5m\"; \
                 \"5m/6s\" would do"
                .to_owned())
        );
        assert_eq!(check_windows(&[]), Ok(()));
        let zero = named(0, 0);
        assert!(check_windows(&[zero]).is_err());
    }
}
