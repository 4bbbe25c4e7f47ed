//! Whether what is kept fits the settings.
//!
//! Idea: a count is known by its name. What it counts must not have changed under that name, since nobody could say what
//! the sum is a count of. A count that is new begins now, and so does a window of which too little is held, on a sheet of its
//! own beside those of its count that go on. What is gone is dropped.
//! Invariant: every window that goes on from what is kept is exact from the offsets at which it began: all that it covers
//! is held, in panes that lie within its own.
//! Cost: none.

use crate::checkpoint::CheckpointError;
use crate::checkpoint::manifest::{self, Manifest, Starts};
use crate::config::{Config, Count, Reposts, Time};
use crate::engine::sheets::Sheet;
use crate::terms::rules::rules;

/// How some windows of a count of the settings go on, or that they begin.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fitted {
    /// Which they are.
    pub(crate) sheet: Sheet,
    /// As they are kept from now on.
    pub(crate) count: manifest::Count,
    /// Whether rows of them are kept.
    pub(crate) goes_on: bool,
}

/// Matches the counts of the settings with what is kept; `starts` are the offsets at which a new one begins.
///
/// # Errors
/// `Refused`, naming the first that has changed.
pub(crate) fn fit(
    config: &Config,
    found: Option<&Manifest>,
    starts: &Starts,
) -> Result<Vec<Fitted>, CheckpointError> {
    let posts = posts_of(config);
    if let Some(found) = found.filter(|found| found.posts != posts) {
        return Err(refused(format!(
            "the checkpoint counts posts by [{}], and the settings have [{posts}]",
            found.posts
        )));
    }
    // Ids are given once, and ascend as sheets are begun.
    let mut next = found.map_or(0, |found| found.counts.iter().map(|count| count.id + 1).max().unwrap_or(0));
    let mut fitted = Vec::new();
    for (index, count) in config.counts.iter().enumerate() {
        let as_set = as_kept(count);
        let mut kept: Vec<&manifest::Count> = found.iter().flat_map(|found| &found.counts).collect();
        kept.retain(|kept| kept.name == count.name);
        kept.sort_unstable_by_key(|kept| kept.id);
        for (what, was, is) in kept
            .iter()
            .flat_map(|kept| [("kind", &kept.of, &as_set.of), ("filter", &kept.filter, &as_set.filter)])
        {
            if was != is {
                return Err(refused(format!(
                    "count {:?} has another {what} than the checkpoint has it: [{was}] was counted, [{is}] is asked for",
                    count.name
                )));
            }
        }
        // The sheet that began first knows most.
        let mut sheets: Vec<(Option<usize>, Vec<usize>)> = Vec::new();
        for (window, span) in as_set.windows.iter().enumerate() {
            let holder = kept.iter().position(|kept| covers(&kept.windows, *span));
            match sheets.iter_mut().find(|(known, _)| *known == holder) {
                Some((_, windows)) => windows.push(window),
                None => sheets.push((holder, vec![window])),
            }
        }
        sheets.sort_by_key(|(holder, _)| holder.unwrap_or(usize::MAX));
        for (holder, windows) in sheets {
            let spans = windows.iter().map(|window| as_set.windows[*window]).collect();
            let of = manifest::Count { windows: spans, ..as_set.clone() };
            let count = match holder.map(|holder| kept[holder]) {
                Some(kept) => manifest::Count {
                    id: kept.id,
                    start: kept.start.clone(),
                    refused: kept.refused,
                    refused_newest: kept.refused_newest,
                    refused_spellings: kept.refused_spellings,
                    ..of
                },
                None => {
                    next += 1;
                    manifest::Count { id: next - 1, start: found.map(|_| starts.clone()), ..of }
                }
            };
            let sheet = Sheet { count: index, windows };
            fitted.push(Fitted { sheet, count, goes_on: holder.is_some() });
        }
    }
    Ok(fitted)
}

/// Whether all that a window covers was held for these, in panes that lie within its own.
fn covers(kept: &[Option<(u64, u64)>], window: Option<(u64, u64)>) -> bool {
    match window {
        None => kept.contains(&None),
        Some((size, slide)) => kept.iter().flatten().any(|(held, fine)| *held >= size && slide % fine == 0),
    }
}

/// A count of the settings as it is kept, with all its windows.
fn as_kept(count: &Count) -> manifest::Count {
    let Count { name, of, windows, stop_words, min_length, languages, track } = count;
    let sorted = |list: &[String]| {
        let mut list = list.to_vec();
        list.sort_unstable();
        // What has words of its own must not look like several.
        let named = list.iter().map(|entry| {
            if entry.contains(|c: char| c.is_whitespace() || c == '"') {
                format!("{entry:?}")
            } else {
                entry.clone()
            }
        });
        named.collect::<Vec<_>>().join(" ")
    };
    let filter = format!(
        "stop_words {}, min_length {min_length}, languages {}, track {}",
        sorted(stop_words),
        sorted(languages),
        sorted(track)
    );
    let windows = windows.iter().map(|window| window.span.map(|span| (span.size_ms, span.slide_ms)));
    manifest::Count {
        id: 0,
        name: name.clone(),
        of: of.as_str().to_owned(),
        filter,
        windows: windows.collect(),
        start: None,
        refused: 0,
        refused_newest: None,
        refused_spellings: 0,
    }
}

/// Which posts are counted, and at which time.
pub(crate) fn posts_of(config: &Config) -> String {
    let time = if config.posts.time == Time::Record { "record" } else { "post" };
    let reposts = if config.posts.reposts == Reposts::Count { "count" } else { "skip" };
    format!("posts.time {time}, posts.reposts {reposts}")
}

/// By which rules a record becomes terms; others are no reason to refuse, but are said.
pub(crate) fn rules_of(config: &Config) -> String {
    // Said only where it is not as usual, as checkpoints of earlier versions do not have it.
    let aborted = if config.kafka.reads_aborted() { "; records of aborted transactions too" } else { "" };
    format!("{}; format {:?}, {:?}{aborted}", rules(), config.posts.format, config.posts.pointers)
}

fn refused(why: String) -> CheckpointError {
    CheckpointError::Refused(format!(
        "{why}; change it back, choose another checkpoint.dir, or begin anew with --start-fresh"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::manifest::tests::example;

    fn config(windows: &str) -> Config {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("tidings.toml");
        let text = format!("[[count]]\nname = \"words\"\nof = \"words\"\nwindows = {windows}\n");
        std::fs::write(&file, text).expect("it is written");
        crate::config::load(Some(&file), [], Vec::new()).expect("valid").config
    }

    /// One entry of two words asks for both of them, two entries for either.
    #[test]
    fn other_entries_with_the_same_words_are_another_filter() {
        let tracking = |track: &[&str]| {
            let mut config = config("[\"1m\"]");
            config.counts[0].track = track.iter().map(|&entry| entry.to_owned()).collect();
            as_kept(&config.counts[0]).filter
        };
        let lists: [&[&str]; 5] =
            [&["new york"], &["new", "york"], &["new york", "x"], &["new", "york x"], &["\"new york\""]];
        let filters: std::collections::BTreeSet<_> = lists.map(tracking).into();
        assert_eq!(filters.len(), lists.len(), "{filters:?}");
        assert_eq!(tracking(&["b", "a"]), tracking(&["a", "b"]));
        assert!(tracking(&["b", "a"]).ends_with("track a b"), "as earlier versions have it");
    }

    #[test]
    fn records_of_aborted_transactions_are_another_rule() {
        let mut config = config("[\"1m\"]");
        let usual = rules_of(&config);
        let level = |level: &str| crate::config::Property { value: level.into(), secret: false };
        config.kafka.properties.insert("isolation.level".to_owned(), level("read_committed"));
        assert_eq!(rules_of(&config), usual);
        config.kafka.properties.insert("isolation.level".to_owned(), level("READ_UNCOMMITTED"));
        assert_ne!(rules_of(&config), usual);
    }

    fn starts(next: i64) -> Starts {
        [("posts".to_owned(), [(0, next)].into())].into()
    }

    /// What a run of these settings keeps, after what is kept.
    fn run(found: Option<Manifest>, windows: &str, next: i64) -> (Vec<Fitted>, Manifest) {
        let config = config(windows);
        let fitted = fit(&config, found.as_ref(), &starts(next)).expect("it fits");
        let counts = fitted.iter().map(|fitted| fitted.count.clone()).collect();
        let first = Manifest { counts: Vec::new(), posts: posts_of(&config), ..example(1) };
        (fitted, Manifest { counts, ..found.unwrap_or(first) })
    }

    fn sheets(fitted: &[Fitted]) -> Vec<(u32, Vec<usize>, Option<i64>, bool)> {
        let start = |count: &manifest::Count| Some(count.start.as_ref()?["posts"][&0]);
        let of = |of: &Fitted| (of.count.id, of.sheet.windows.clone(), start(&of.count), of.goes_on);
        fitted.iter().map(of).collect()
    }

    #[test]
    fn windows_that_reach_further_back_begin_on_a_sheet_of_their_own() {
        let (first, kept) = run(None, "[\"1m/1s\", \"5m/5s\"]", 10);
        assert_eq!(sheets(&first), [(0, vec![0, 1], None, false)]);
        let (again, kept) = run(Some(kept), "[\"1m/1s\", \"5m/5s\"]", 20);
        assert_eq!(sheets(&again), [(0, vec![0, 1], None, true)], "nothing has changed");
        // Larger, all time, and one with finer panes than were held for so long.
        let (larger, kept) = run(Some(kept), "[\"all\", \"1m/1s\", \"1h/5s\", \"2m/1s\", \"2m/5s\"]", 30);
        assert_eq!(
            sheets(&larger),
            [(0, vec![1, 4], None, true), (1, vec![0, 2, 3], Some(30), false)],
            "what is held goes on"
        );
        let (later, kept) = run(Some(kept), "[\"all\", \"1m/1s\", \"1d/5s\"]", 40);
        assert_eq!(
            sheets(&later),
            [(0, vec![1], None, true), (1, vec![0], Some(30), true), (2, vec![2], Some(40), false)]
        );
        // One that has gone and comes back begins anew.
        let (less, kept) = run(Some(kept), "[\"1m/1s\"]", 50);
        assert_eq!(sheets(&less), [(0, vec![0], None, true)]);
        let (back, _) = run(Some(kept), "[\"1m/1s\", \"all\"]", 60);
        assert_eq!(sheets(&back), [(0, vec![0], None, true), (1, vec![1], Some(60), false)]);
    }
}
