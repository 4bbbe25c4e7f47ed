//! `[[count]]`: what is counted, under which names, in which windows.
//!
//! Invariant: names are unique and fit into a path of the HTTP interface; the windows of a count differ, and its
//! slides fit together by [`check_windows`].
//! Cost: at most [`MOST_COUNTS`] counts of [`MOST_WINDOWS`] windows, since each is a table of its own in memory.

use std::collections::BTreeMap;

use tidings_dataflows::windows::MOST as MOST_WINDOWS;

use super::super::layers::Values;
use super::super::model::{Count, Span, Window};
use super::super::origin::Origin;
use super::super::problem::{Problems, quote};
use super::super::windows::{check_windows, parse_window, parse_window_beside};
use super::Reader;
use crate::terms::extract::MAX_KEY;
use crate::terms::{Kind, stop, track};

const MOST_COUNTS: usize = 64;

/// A longer term is not counted, so that a longer minimum would count nothing.
const LONGEST_TERM: u32 = MAX_KEY as u32;

/// A window of more panes makes long answers and long walks; a day in seconds has as many.
const MANY_PANES: u64 = 86_400;

pub(super) fn read(tables: &mut [Values], problems: &mut Problems, warnings: &mut Vec<String>) -> Vec<Count> {
    let mut places: BTreeMap<String, Origin> = BTreeMap::new();
    let mut counts = Vec::new();
    for values in &mut *tables {
        let origin = values.get("count.name").origin.clone();
        let named = values.all_right(&["count.name"]);
        let count =
            count(&mut Reader { values: &mut *values, problems: &mut *problems, warnings: &mut *warnings });
        if counts.len() == MOST_COUNTS {
            problems.add(&origin, format!("there are more than {MOST_COUNTS} counts, leave some out"));
        }
        // A name that is wrong was replaced by a default, which says nothing of the others.
        if named && values.all_right(&["count.name"]) {
            if let Some(first) = places.get(&count.name) {
                let text =
                    format!("`count.name`: {} is also the name of a count at {first}", quote(&count.name));
                problems.add(&origin, format!("{text}, name it otherwise"));
            }
            places.entry(count.name.clone()).or_insert(origin);
        }
        counts.push(count);
    }
    counts
}

fn count(reader: &mut Reader<'_>) -> Count {
    let kinds: Vec<(&str, Kind)> = Kind::ALL.into_iter().map(|kind| (kind.as_str(), kind)).collect();
    Count {
        name: reader.parse("count.name", name),
        of: reader.choice("count.of", &kinds),
        windows: windows(reader),
        stop_words: reader.list("count.stop_words", stop_words),
        min_length: reader.number("count.min_length", 1..=LONGEST_TERM),
        languages: reader.list("count.languages", language),
        track: reader.list("count.track", tracked),
    }
}

fn name(text: &str) -> Result<String, String> {
    let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let right = (1..=64).contains(&text.len()) && text.chars().all(valid);
    right.then(|| text.to_owned()).ok_or_else(|| {
        format!("{} is no name of a count, write 1 to 64 of a-z, 0-9, _ and -, such as \"tags\"", quote(text))
    })
}

fn windows(reader: &mut Reader<'_>) -> Vec<Window> {
    const KEY: &str = "count.windows";
    let texts = reader.values.get(KEY).value.as_array().into_iter().flatten().filter_map(toml::Value::as_str);
    let right: Vec<Span> = texts.filter_map(|text| parse_window(text).ok()?.span).collect();
    let windows = reader.list(KEY, |text| parse_window_beside(text, &right));
    if windows.is_empty() {
        reader.refuse_together(KEY, &[], "is empty, name one window at least, such as [\"5m\", \"all\"]");
    }
    if windows.len() > MOST_WINDOWS {
        let why = format!("has {} windows, name at most {MOST_WINDOWS}", windows.len());
        reader.refuse(KEY, &why);
        return windows;
    }
    for (at, window) in windows.iter().enumerate() {
        if let Some(same) = windows.iter().take(at).find(|same| same.span == window.span) {
            let (same, window) = (quote(&same.name), quote(&window.name));
            reader.refuse(KEY, &format!("{same} and {window} are the same window, name it once"));
        }
        if let Some(span) = window.span.filter(|span| span.size_ms / span.slide_ms > MANY_PANES) {
            let panes = span.size_ms / span.slide_ms;
            let why =
                format!("has {}, which keeps {panes} panes: a larger slide is cheaper", quote(&window.name));
            reader.warn(KEY, &why);
        }
    }
    if let Err(why) = check_windows(&windows) {
        reader.refuse_together(KEY, &[], &why);
    }
    windows
}

fn stop_words(text: &str) -> Result<String, String> {
    let known = stop::languages();
    known
        .contains(&text)
        .then(|| text.to_owned())
        .ok_or_else(|| format!("there are no stop words for {}, only for {}", quote(text), known.join(", ")))
}

/// A BCP 47 tag by its form, in lower case, as tags are compared.
fn language(text: &str) -> Result<String, String> {
    let part = |part: &str| (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric());
    // Longer first parts are allowed, and there are none.
    let is_language =
        |part: &str| (2..=3).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphabetic());
    let right =
        text.len() <= 35 && text.split('-').next().is_some_and(is_language) && text.split('-').all(part);
    right.then(|| text.to_ascii_lowercase()).ok_or_else(|| {
        format!("{} is no language, write a tag such as \"en\", \"ko\" or \"pt-br\"", quote(text))
    })
}

fn tracked(text: &str) -> Result<String, String> {
    let right = text.len() <= LONGEST_TERM as usize && !text.chars().any(char::is_control);
    if !right {
        return Err(format!(
            "{} is no term, write at most {LONGEST_TERM} bytes, such as \"rust\"",
            quote(text)
        ));
    }
    // It would leave out every post.
    if track::tracked(text).is_empty() {
        return Err(format!(
            "{} is no term that a post can have, write words, such as \"rust\", or one with its sign: \"#rust\", \"@ada\", \"$ABC\"",
            quote(text)
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_paths() {
        assert_eq!(name("a_b-9"), Ok("a_b-9".to_owned()));
        for wrong in ["", "Tags", "a b", "a/b", "ä", &"x".repeat(65)] {
            let error = name(wrong).expect_err(wrong);
            assert!(error.contains("is no name of a count, write 1 to 64 of a-z, 0-9, _ and -"), "{error}");
        }
    }

    #[test]
    fn stop_words_name_the_languages_that_there_are() {
        assert_eq!(stop_words("en"), Ok("en".to_owned()));
        for wrong in ["", "EN", "english", "xx"] {
            let error = stop_words(wrong).expect_err(wrong);
            assert!(error.contains("there are no stop words for") && error.contains(", en, "), "{error}");
            assert!(error.contains(", ko, "), "{error}");
        }
    }

    #[test]
    fn languages_and_terms_are_checked_by_form() {
        assert_eq!(["pt-BR", "fil", "zh-Hant-TW"].map(|tag| language(tag).is_ok()), [true; 3]);
        assert_eq!(language("pt-BR"), Ok("pt-br".to_owned()));
        for wrong in ["", "e", "en_US", "en-", "english", "12", "日本"] {
            assert!(language(wrong).is_err(), "{wrong}");
        }
        assert_eq!(tracked("New York"), Ok("New York".to_owned()));
        for wrong in ["", " ", "a\nb", "#", "#1", "!?", &"x".repeat(257)] {
            assert!(tracked(wrong).is_err(), "{wrong}");
        }
    }
}
