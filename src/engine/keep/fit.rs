//! Whether what is kept fits the settings.
//!
//! Idea: a count is known by its name. What it counts must not have changed under that name, since nobody could say what
//! the sum is a count of. A count that is new begins now; one that is gone is dropped.
//! Invariant: every window that goes on from what is kept is exact from the offsets at which it began: all that it covers
//! is held, in panes that lie within its own.
//! Cost: none.

use crate::checkpoint::CheckpointError;
use crate::checkpoint::manifest::{self, Manifest, Starts};
use crate::config::{Config, Count, Reposts, Time};
use crate::terms::rules::rules;

/// How a count of the settings goes on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fitted {
    /// As it is kept from now on.
    pub(crate) count: manifest::Count,
    /// Whether rows of it are kept.
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
    let used = found.map_or(0, |found| found.counts.iter().map(|count| count.id + 1).max().unwrap_or(0));
    let mut fitted = Vec::new();
    // Ids need not be without gaps.
    for (new, count) in (used..).zip(&config.counts) {
        let kept = found.and_then(|found| found.counts.iter().find(|kept| kept.name == count.name));
        let as_set = as_kept(count);
        let Some(kept) = kept else {
            let start = found.map(|_| starts.clone());
            fitted.push(Fitted { count: manifest::Count { id: new, start, ..as_set }, goes_on: false });
            continue;
        };
        for (what, was, is) in [("kind", &kept.of, &as_set.of), ("filter", &kept.filter, &as_set.filter)] {
            if was != is {
                return Err(refused(format!(
                    "count {:?} has another {what} than the checkpoint has it: [{was}] was counted, [{is}] is asked for",
                    count.name
                )));
            }
        }
        let held = |window: &Option<(u64, u64)>| covers(&kept.windows, *window);
        if let Some(at) = as_set.windows.iter().position(|window| !held(window)) {
            return Err(refused(format!(
                "count {:?} has window {:?}, which reaches further back than what the checkpoint holds of it; a count of \
                 another name, with that window, would begin now",
                count.name, count.windows[at].name
            )));
        }
        let (id, start) = (kept.id, kept.start.clone());
        let refused = (kept.refused, kept.refused_newest, kept.refused_spellings);
        let (refused, refused_newest, refused_spellings) = refused;
        let count = manifest::Count { id, start, refused, refused_newest, refused_spellings, ..as_set };
        fitted.push(Fitted { count, goes_on: true });
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

/// A count of the settings as it is kept.
fn as_kept(count: &Count) -> manifest::Count {
    let Count { name, of, windows, stop_words, min_length, languages, track } = count;
    let sorted = |list: &[String]| {
        let mut list = list.to_vec();
        list.sort_unstable();
        list.join(" ")
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
    format!("{}; format {:?}, {:?}", rules(), config.posts.format, config.posts.pointers)
}

fn refused(why: String) -> CheckpointError {
    CheckpointError::Refused(format!(
        "{why}; change it back, choose another checkpoint.dir, or begin anew with --start-fresh"
    ))
}
