//! Where the value of a setting came from.
//!
//! Idea: every value travels with its origin from the moment it is read until it is checked, so that a problem names
//! the line to change and `--print-config` can say who decided.
//! Invariant: an origin is one line of printable text.

use std::fmt;
use std::sync::Arc;

/// Where a value came from; later ones win over earlier ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The documented default.
    Default,
    /// A line of the configuration file, counted from 1.
    File {
        /// The path as it was given, printable.
        path: Arc<str>,
        /// The line, counted from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl Origin {
    /// A line of a file.
    pub(super) fn file(path: impl Into<Arc<str>>, line: usize) -> Self {
        Origin::File { path: path.into(), line }
    }

    /// The order in which problems are shown.
    pub(super) fn rank(&self) -> (u8, usize, usize) {
        match self {
            Origin::Default => (0, 0, 0),
            Origin::File { line, .. } => (1, *line, 0),
            Origin::Variable(_) => (2, 0, 0),
            Origin::Flag(_) => (3, 0, 0),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, line } => write!(f, "{path}:{line}"),
            Origin::Variable(name) => f.write_str(name),
            Origin::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A value and where it came from. It has no `Debug`, since the value may be a secret.
#[derive(Clone)]
pub(super) struct Given<T = toml::Value> {
    /// The value as it was read.
    pub(super) value: T,
    /// Where it came from.
    pub(super) origin: Origin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_shown_as_one_finds_them() {
        let shown = |origin: Origin| origin.to_string();
        assert_eq!(shown(Origin::Default), "default");
        assert_eq!(shown(Origin::file("tidings.toml", 12)), "tidings.toml:12");
        assert_eq!(shown(Origin::Variable("TIDINGS__KAFKA__BROKERS".to_owned())), "TIDINGS__KAFKA__BROKERS");
        assert_eq!(shown(Origin::Flag("--brokers")), "--brokers");
    }

    #[test]
    fn later_layers_have_later_ranks() {
        let layers = [
            Origin::Default,
            Origin::file("a", 1),
            Origin::file("a", 2),
            Origin::Variable(String::new()),
            Origin::Flag("--x"),
        ];
        assert!(layers.is_sorted_by_key(Origin::rank));
    }
}
