//! What somebody wants of posts who names a term, or some.
//!
//! Idea: what was written is read as if it were a post, so that it is cut and folded as posts are. All terms that are in it have
//! to be in a post; so `New York` asks for both words, wherever they stand, as Twitter's own `track` did.
//! Invariant: whatever is accepted can be found: there is a post that has it, the written text itself.
//! Cost: an extractor, once for each that is written.

use super::Kind;
use super::extract::{Extractor, Input};
use super::fold;

/// Kinds that an entry may have terms of. A phrase is two of its words.
const KINDS: [Kind; 6] =
    [Kind::Words, Kind::Hashtags, Kind::Mentions, Kind::Cashtags, Kind::Emoji, Kind::Domains];

/// Terms by their kinds and keys, all of which have to be in a post.
pub type Together = Vec<(Kind, String)>;

/// What a post may have to be one that was asked for: any of these. A word without a sign may be a hashtag as well. None where
/// there is no term in the text, or another than its sign says.
pub fn tracked(text: &str) -> Vec<Together> {
    let mut extractor = Extractor::new(&KINDS);
    let Ok(terms) = extractor.extract(&Input { text, html: false, hashtags: None }) else {
        return Vec::new();
    };
    let mut all: Together =
        terms.map(|(kind, key, _)| (kind, String::from_utf8_lossy(key).into_owned())).collect();
    all.sort();
    all.dedup();
    let signed = match text.trim_start().chars().next() {
        Some('#' | '＃') => Some(Kind::Hashtags),
        Some('@' | '＠') => Some(Kind::Mentions),
        Some('$') => Some(Kind::Cashtags),
        _ => None,
    };
    if all.is_empty() || signed.is_some_and(|wanted| all.iter().all(|(kind, _)| *kind != wanted)) {
        return Vec::new();
    }
    let tag = [(Kind::Hashtags, fold::key(Kind::Hashtags, text.trim()))];
    let is_tag = signed.is_none() && !text.trim().contains(char::is_whitespace);
    let as_tag = (is_tag && tag[..] != all).then(|| tag.to_vec());
    [all].into_iter().chain(as_tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(kind: Kind, key: &str) -> (Kind, String) {
        (kind, key.to_owned())
    }

    #[test]
    fn a_word_may_be_a_hashtag_and_a_sign_says_what_is_meant() {
        assert_eq!(tracked("Rust"), [vec![one(Kind::Words, "rust")], vec![one(Kind::Hashtags, "rust")]]);
        for (text, kind, key) in [
            ("#Rust", Kind::Hashtags, "rust"),
            ("＃rust", Kind::Hashtags, "rust"),
            ("@Ada", Kind::Mentions, "ada"),
            ("$ABC", Kind::Cashtags, "abc"),
        ] {
            assert_eq!(tracked(text), [vec![one(kind, key)]], "{text}");
        }
    }

    #[test]
    fn all_of_several_are_meant() {
        let both = |first, second| [vec![first, second]];
        assert_eq!(tracked(" New  York"), both(one(Kind::Words, "new"), one(Kind::Words, "york")));
        assert_eq!(tracked("#rust lang"), both(one(Kind::Words, "lang"), one(Kind::Hashtags, "rust")));
        // A number is no word.
        assert_eq!(tracked("covid-19")[0], [one(Kind::Words, "covid")]);
        assert_eq!(tracked("😀")[0], [one(Kind::Emoji, "😀")]);
    }

    #[test]
    fn what_no_post_can_have_is_nothing() {
        for text in ["", " ", "#", "@", "$", "!?", "19", "#1", "$1 word", "# rust"] {
            assert_eq!(tracked(text), [[]; 0], "{text}");
        }
    }
}
