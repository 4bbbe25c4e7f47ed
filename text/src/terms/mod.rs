//! From the text of a post to the terms that are counted.
//!
//! Idea: every kind of term is found in one walk over the text. Entities (hashtags, mentions, cashtags, URLs) are
//! cut out first, as twitter-text defines them; what lies between them is split into words. A term is counted under
//! its key, which is its folded form, so that `#Rust` and `#rust` are one; its spelling is kept for display.
//! Invariant: the same text gives the same terms on every machine and in every run, whatever came before it; no text
//! makes this module panic or take more memory than a fixed multiple of its own length.
//! Cost: no allocation per post once the buffers have grown; plain English text is only looked at byte by byte.

mod alphabet;
mod ascii;
mod emoji;
pub mod entities;
pub mod extract;
pub mod fold;
mod found;
pub(crate) mod html;
pub mod language;
mod pieces;
pub mod rules;
mod scripts;
mod sketch;
pub mod stop;
pub mod track;
pub mod words;

use std::fmt;
use std::str::FromStr;

/// A kind of term, which is what a count is a count of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The words of the text outside of all entities.
    Words,
    /// `#tag`, without its sign.
    Hashtags,
    /// `@name`, without its sign.
    Mentions,
    /// `$TICKER`, without its sign.
    Cashtags,
    /// Emoji, each sequence as a whole.
    Emoji,
    /// The hosts of the URLs.
    Domains,
    /// Two words in a row.
    Phrases,
}

impl Kind {
    /// All kinds, in the order in which they are declared.
    pub const ALL: [Kind; 7] = [
        Kind::Words,
        Kind::Hashtags,
        Kind::Mentions,
        Kind::Cashtags,
        Kind::Emoji,
        Kind::Domains,
        Kind::Phrases,
    ];

    /// The name of the kind in configuration and answers, such as `hashtags`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Words => "words",
            Kind::Hashtags => "hashtags",
            Kind::Mentions => "mentions",
            Kind::Cashtags => "cashtags",
            Kind::Emoji => "emoji",
            Kind::Domains => "domains",
            Kind::Phrases => "phrases",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What was asked for is no kind of term.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no kind of term; the kinds are `words`, `hashtags`, `mentions`, `cashtags`, `emoji`, `domains` and `phrases`"
)]
pub struct UnknownKind(pub String);

impl FromStr for Kind {
    type Err = UnknownKind;

    /// The kind of this very name; names are lower-case.
    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| UnknownKind(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
    }

    #[test]
    fn an_unknown_kind_is_answered_with_all_that_there_are() {
        let error = "hashtag".parse::<Kind>().expect_err("there is no such kind").to_string();
        assert!(error.starts_with("`hashtag` is"), "{error}");
        for kind in Kind::ALL {
            assert!(error.contains(&format!("`{kind}`")), "{error}");
        }
    }
}
