//! What is wrong with a configuration: all of it at once, each with its place.
//!
//! Idea: whoever reads a setting notes what is wrong with it and goes on with a value that is right, so that one start
//! shows every mistake. Problems are listed in the order of the file, then of the environment, then of the flags.
//! Invariant: a problem is one line of printable text, whatever was in the file; it never holds the value of a
//! librdkafka property nor a line of the file, either of which may be a secret.
//! Cost: at most [`SHOWN`] lines are shown, each quoting at most [`QUOTED`] characters of what was read.

use std::fmt;

use super::origin::Origin;

/// Problems beyond these are only counted.
pub(super) const SHOWN: usize = 50;

/// Text from outside is quoted up to this many characters.
const QUOTED: usize = 80;

/// Everything that is wrong with a configuration.
///
/// Shown as one line a problem: `PLACE: WHAT`, where the place is `file:line`, an environment variable or a flag, and
/// what is wrong says also what is valid instead.
#[derive(Debug, thiserror::Error)]
#[error("{}", Lines(.problems))]
pub struct ConfigError {
    problems: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    rank: (u8, usize, usize),
    place: String,
    text: String,
}

struct Lines<'a>(&'a [Problem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.0.iter().take(SHOWN).enumerate() {
            let end_of_line = if number == 0 { "" } else { "\n" };
            write!(f, "{end_of_line}{}: {}", problem.place, problem.text)?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\nand {more} problems more"),
        }
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// A problem of the setting that was given at `origin`.
    pub(super) fn add(&mut self, origin: &Origin, text: impl Into<String>) {
        self.push(origin.rank(), origin.to_string(), text.into());
    }

    /// A problem of the file as a whole.
    pub(super) fn file(&mut self, path: &str, text: impl Into<String>) {
        self.push((0, 0, 0), path.to_owned(), text.into());
    }

    /// A problem of the file's syntax; line and column count from 1.
    pub(super) fn syntax(&mut self, path: &str, (line, column): (usize, usize), text: impl Into<String>) {
        self.push((1, line, column), format!("{path}:{line}:{column}"), text.into());
    }

    fn push(&mut self, rank: (u8, usize, usize), place: String, text: String) {
        self.0.push(Problem { rank, place, text });
    }

    /// All problems as one error, or the value if there are none.
    pub(super) fn or<T>(mut self, value: Option<T>) -> Result<T, ConfigError> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => {
                self.0.sort();
                self.0.dedup();
                Err(ConfigError { problems: self.0 })
            }
        }
    }
}

/// Text from outside, in double quotes, as one printable line of bounded length.
pub(super) fn quote(text: &str) -> String {
    let end = text.char_indices().nth(QUOTED).map_or(text.len(), |(at, _)| at);
    let (shown, rest) = text.split_at(end);
    if rest.is_empty() { format!("{shown:?}") } else { format!("{shown:?}..") }
}

/// A name from outside, as it is where it is short and printable, else as [`quote`] has it.
pub(super) fn name(text: &str) -> String {
    let quoted = quote(text);
    if quoted.len() == text.len() + 2 && !text.contains('`') { format!("`{text}`") } else { quoted }
}

/// A path as one line that is safe in a message and in a TOML comment.
pub(super) fn shown_path(path: &std::path::Path) -> String {
    path.display().to_string().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn at(line: usize) -> Origin {
        Origin::file("t.toml", line)
    }

    #[test]
    fn problems_are_listed_in_the_order_of_their_places() {
        let mut problems = Problems::default();
        problems.add(&Origin::Flag("--brokers"), "last");
        problems.add(&Origin::Variable("TIDINGS__A".to_owned()), "fourth");
        problems.add(&at(20), "third");
        problems.add(&at(3), "second");
        problems.add(&at(3), "second");
        problems.syntax("t.toml", (2, 7), "first");
        let error = problems.or(Some(())).expect_err("there are problems");
        assert_eq!(
            error.to_string(),
            "t.toml:2:7: first\nt.toml:3: second\nt.toml:20: third\nTIDINGS__A: fourth\n--brokers: last"
        );
    }

    #[test]
    fn a_flood_of_problems_is_cut() {
        let mut problems = Problems::default();
        (0..1000).for_each(|line| problems.add(&at(line), "wrong"));
        let error = problems.or(Some(())).expect_err("there are problems").to_string();
        assert_eq!(error.lines().count(), SHOWN + 1);
        assert!(error.ends_with("and 950 problems more"), "{error}");
    }

    #[test]
    fn no_problem_is_no_error() {
        assert_eq!(Problems::default().or(Some(5)).ok(), Some(5));
    }

    #[test]
    fn text_from_outside_stays_one_short_line() {
        assert_eq!(quote("a\nb\u{1b}[31m"), r#""a\nb\u{1b}[31m""#);
        assert!(quote(&"x".repeat(1_000_000)).len() < 100);
        assert_eq!(name("kafka.brokres"), "`kafka.brokres`");
        assert_eq!(name("a\nb"), r#""a\nb""#);
        assert_eq!(shown_path(Path::new("a\nb")), "a\u{fffd}b");
    }
}
