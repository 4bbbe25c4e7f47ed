//! Why a connection is no more.
//!
//! Idea: what to do next follows from the kind, what to tell from the text. Kinds are those that the sources' own
//! documents tell apart when they say how long to wait.

use std::time::Duration;

/// Why a connection broke, or never came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It stood, and was ended: by the server, by the network, by silence.
    Ended(String),
    /// The network did not carry: no such name, refused, reset, no answer.
    Network(String),
    /// The server answered with an error that may pass.
    Server(String),
    /// The server asks for patience; for how long, where it says so.
    Limited(String, Option<Duration>),
    /// Trying again makes no sense: the token, the request or the rules are refused.
    Refused(String),
}

impl Broken {
    /// What to tell.
    pub fn text(&self) -> &str {
        match self {
            Self::Ended(text)
            | Self::Network(text)
            | Self::Server(text)
            | Self::Limited(text, _)
            | Self::Refused(text) => text,
        }
    }

    /// The same with another text.
    pub fn map(self, change: impl FnOnce(&str) -> String) -> Self {
        let text = change(self.text());
        match self {
            Self::Ended(_) => Self::Ended(text),
            Self::Network(_) => Self::Network(text),
            Self::Server(_) => Self::Server(text),
            Self::Limited(_, wait) => Self::Limited(text, wait),
            Self::Refused(_) => Self::Refused(text),
        }
    }
}

/// What somebody else said, fit to be shown: one line, no control characters, not too long.
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 300;
    let mut line: String = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|character| !character.is_control())
        .take(LONGEST + 1)
        .collect();
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(end);
        line.push_str("..");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_becomes_one_short_line() {
        assert_eq!(quoted(" a\r\n\x1b[31mb  c\u{7} "), "a [31mb c");
        assert_eq!(quoted(&"é".repeat(400)), format!("{}..", "é".repeat(300)));
    }
}
