//! What a read is of: a count, one of its windows, and how far it must have come.
//!
//! Idea: the resources below a count differ only in what they read; who is asked, as of when, and the stamp are found
//! here.
//! Invariant: the answer of the cluster, the stamp and the figures of one reading are of the same cut.
//! Cost: names are compared; there are few.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::Arc;

use tidings_dataflows::totals::Figures;

use super::answer::Answer;
use super::api::{Api, Effort};
use super::bounds::Bounds;
use super::problem::{Kind, Problem, quoted};
use super::query::Query;
use super::stamp::Stamp;
use crate::config::windows::parse_window;
use crate::engine::published::Offsets;
use crate::engine::question::Question;
use crate::engine::sheets::Place;
use crate::engine::{CountInfo, Cut, Reader, WindowInfo};
use crate::terms::{Kind as TermKind, fold};

/// The index of the count of this name.
pub fn find_count(reader: &Reader, name: &str) -> Result<usize, Problem> {
    let counts = reader.counts();
    counts.iter().position(|count| count.name == name).ok_or_else(|| {
        let names = counts.iter().map(|count| count.name.as_str());
        Problem::new(Kind::UnknownCount, format!("there is no count {}", quoted(name))).valid(names)
    })
}

/// The index of a window of a count: the first where none is named, else the one of this name or of this size and slide.
pub fn find_window(count: &CountInfo, asked: Option<&str>) -> Result<usize, Problem> {
    let Some(asked) = asked else { return Ok(0) };
    let named = count.windows.iter().position(|window| window.name == asked);
    let alike = || {
        let span = parse_window(asked).ok()?.span;
        count.windows.iter().position(|window| window.span == span)
    };
    named.or_else(alike).ok_or_else(|| {
        let detail = format!("the count `{}` has no window {}", count.name, quoted(asked));
        Problem::new(Kind::UnknownWindow, detail)
            .valid(count.windows.iter().map(|window| window.name.as_str()))
    })
}

/// The key of a term that was asked for.
pub fn term(count: &CountInfo, asked: &str) -> Result<String, Problem> {
    let key = fold::key(count.of, asked);
    if key.is_empty() {
        let detail =
            format!("{} is no term of the count `{}`: nothing is left of it", quoted(asked), count.name);
        return Err(Problem::new(Kind::BadTerm, detail).valid(["a character or more, besides the sign"]));
    }
    Ok(key)
}

/// The key that all terms with a prefix begin with; empty for all.
pub fn prefix(count: &CountInfo, asked: &str) -> String {
    let mut key = fold::key(count.of, asked);
    // Who types a space behind the first word of a phrase means that the word is complete.
    if count.of == TermKind::Phrases && !key.is_empty() && asked.ends_with(char::is_whitespace) {
        key.push(' ');
    }
    key
}

/// One window of one count in one cut.
pub struct Reading {
    api: Arc<Api>,
    cut: Arc<Cut>,
    count: usize,
    window: usize,
}

impl Reading {
    /// A window of a count, by their indices, in a cut.
    pub fn new(api: Arc<Api>, cut: Arc<Cut>, count: usize, window: usize) -> Reading {
        Reading { api, cut, count, window }
    }

    /// The count.
    pub fn count(&self) -> &CountInfo {
        &self.api.reader.counts()[self.count]
    }

    /// The window.
    pub fn window(&self) -> &WindowInfo {
        &self.count().windows[self.window]
    }

    /// What the window holds as a whole.
    pub fn figures(&self) -> Figures {
        let Place { sheet, window } = self.place();
        self.cut.figures(sheet, window)
    }

    fn place(&self) -> Place {
        self.api.reader.place(self.count, self.window)
    }

    /// The offsets from which the window counts.
    pub fn starts(&self) -> Cow<'_, Offsets> {
        self.api.reader.starts_of(&self.cut, self.place().sheet)
    }

    /// Where each pane of the window begins, in milliseconds of event time, for one that slides; before a clock is known it has
    /// none.
    pub fn panes(&self) -> impl Iterator<Item = u64> {
        let (plan, index) = (&self.count().plan, self.window().index);
        let covered = self.cut.clock.map_or(0..0, |clock| plan.covered(index, clock));
        covered.step_by(plan.span(index).slide as usize)
    }

    /// The stamp.
    pub fn stamp(&self) -> Stamp<'_> {
        self.stamp_of(Some(&self.count().name), self.overflow()).begun_at(self.starts())
    }

    /// The stamp of several readings of the same window in the same cut, of which this is one. Its `start_offsets` are their
    /// [`common_starts`]: readings that began at others have to say so themselves.
    pub fn common_stamp<'a>(&'a self, all: &[Reading], starts: &'a Offsets) -> Stamp<'a> {
        self.stamp_of(None, all.iter().any(Reading::overflow)).begun_at(Cow::Borrowed(starts))
    }

    fn overflow(&self) -> bool {
        let refused = self.cut.refused(self.place().sheet);
        refused.touches(&self.count().plan, self.window().index, self.cut.clock.unwrap_or(0))
    }

    fn stamp_of<'a>(&'a self, count: Option<&'a str>, overflow: bool) -> Stamp<'a> {
        let window = self.window();
        let sliding = self.cut.clock.filter(|_| window.span.is_some());
        let covers = sliding.map(|clock| self.count().plan.covered(window.index, clock));
        let from = covers.as_ref().map_or(0, |covers| covers.start);
        let other_rules = self.api.reader.has_other_rules(from);
        self.api.stamp(&self.cut).of(count, &window.name, covers, overflow).by_other_rules(other_rules)
    }
}

/// The first offsets of the most of these readings; of the earlier readings where there are as many.
pub fn common_starts(all: &[Reading]) -> Cow<'_, Offsets> {
    let starts: Vec<Cow<'_, Offsets>> = all.iter().map(Reading::starts).collect();
    let alike = |one: &Cow<'_, Offsets>| starts.iter().filter(|other| *other == one).count();
    let most = starts.iter().enumerate().max_by_key(|(at, one)| (alike(one), Reverse(*at)));
    most.map(|(_, starts)| starts.clone()).unwrap_or_default()
}

/// A window of a count, by their indices.
#[derive(Clone, Copy)]
pub struct Scope {
    /// The count.
    pub count: usize,
    /// The window.
    pub window: usize,
}

impl Scope {
    /// Where the dataflow has it: the number of the sheet and of the window on it.
    pub fn place(self, reader: &Reader) -> (usize, usize) {
        let Place { sheet, window } = reader.place(self.count, self.window);
        (sheet, window)
    }
}

/// Waits for a cut within the bounds of the query, asks the cluster a question about a window of a count in it, and makes
/// an answer of what it says.
pub async fn read<Q: Question>(
    api: Arc<Api>,
    scope: Scope,
    query: &Query,
    effort: Effort,
    question: Q,
    make: impl FnOnce(&Reading, Q::Part) -> Result<Answer, Problem> + Send + 'static,
) -> Result<Answer, Problem> {
    let bounds = Bounds::read(query, &api.reader.partitions())?;
    let cut = api.cut(&bounds).await?;
    let asked = Arc::clone(&api);
    let make = move |cut: &Arc<Cut>, part| {
        make(&Reading::new(api, Arc::clone(cut), scope.count, scope.window), part)
    };
    asked.whole(effort, cut, question, make).await
}

#[cfg(test)]
mod tests {
    use tidings_dataflows::windows::Windows;

    use super::*;
    use crate::config::Span;

    fn count(of: TermKind) -> CountInfo {
        let window = |name: &str, span, index| WindowInfo { name: name.to_owned(), span, index };
        let minutes = |size: u64, slide_ms| Some(Span { size_ms: size * 60_000, slide_ms });
        CountInfo {
            name: "tags".to_owned(),
            of,
            windows: vec![window("5m", minutes(5, 5000), 0), window("all", None, 1)],
            plan: Windows::new(Vec::new(), true).expect("only all"),
        }
    }

    #[test]
    fn windows_are_found_by_any_spelling() {
        let tags = count(TermKind::Hashtags);
        for (asked, index) in
            [(None, 0), (Some("5m"), 0), (Some("300s"), 0), (Some("5m/5s"), 0), (Some("all"), 1)]
        {
            assert_eq!(find_window(&tags, asked).ok(), Some(index), "{asked:?}");
        }
        for asked in ["", "5m/1s", "1m", "All", "5 m", "🙂", "5m/0s"] {
            assert!(find_window(&tags, Some(asked)).is_err(), "{asked:?}");
        }
    }

    #[test]
    fn terms_and_prefixes_are_folded() {
        let (tags, phrases) = (count(TermKind::Hashtags), count(TermKind::Phrases));
        assert_eq!(term(&tags, "#Rust").ok().as_deref(), Some("rust"));
        assert_eq!(term(&tags, "##Rust").ok().as_deref(), Some("rust"));
        assert!(term(&tags, "#").is_err() && term(&tags, "").is_err() && term(&phrases, " ").is_err());
        assert!(term(&tags, "##").is_err());
        assert_eq!((prefix(&tags, "#RU"), prefix(&tags, "#＃RU")), ("ru".to_owned(), "ru".to_owned()));
        assert_eq!(
            (prefix(&phrases, "Good "), prefix(&phrases, "Good"), prefix(&phrases, " ")),
            ("good ".to_owned(), "good".to_owned(), String::new())
        );
    }
}
