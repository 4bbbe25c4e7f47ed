//! Words that are left out of a count because they say nothing about what a post is about.
//!
//! Idea: the union of the published lists of the languages named, folded as the keys of words are, in one hash set. A
//! post's own language plays no part, so that the same word is always either counted or not.
//! Cost: one hash a look-up; some 100 KB a language with a long list.

use std::collections::HashSet;

use foldhash::fast::FixedState;

use super::fold::fold;

/// A language for which there is no list of stop words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are no stop words for the language `{language}`; the languages are {}", .known.join(", "))]
pub struct UnknownLanguage {
    /// What was asked for.
    pub language: String,
    /// The codes of all languages that there are.
    pub known: &'static [&'static str],
}

/// The codes of all languages that have a list of stop words.
pub fn languages() -> &'static [&'static str] {
    stop_words::available_languages()
}

/// The stop words of some languages.
pub struct StopWords {
    keys: HashSet<Box<[u8]>, FixedState>,
}

impl StopWords {
    /// The stop words of all these languages together, each given by its ISO 639-1 code such as `en`.
    pub fn new(languages: &[String]) -> Result<Self, UnknownLanguage> {
        let mut keys = HashSet::default();
        let mut buffer = String::new();
        for language in languages {
            let words = stop_words::lookup(language)
                .ok_or_else(|| UnknownLanguage { language: language.clone(), known: self::languages() })?;
            keys.extend(words.iter().map(|word| Box::from(fold(word, &mut buffer).as_bytes())));
        }
        Ok(StopWords { keys })
    }

    /// Whether the word with this key is a stop word.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.keys.contains(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop_words(languages: &[&str]) -> Result<StopWords, UnknownLanguage> {
        StopWords::new(&languages.iter().map(|&language| language.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_lists_of_all_languages_apply_together() {
        let both = stop_words(&["en", "de"]).expect("both are known");
        assert!(both.contains(b"the") && both.contains(b"und"));
        assert!(!both.contains(b"earthquake") && !both.contains(b"erdbeben"));
        assert!(!stop_words(&["en"]).expect("it is known").contains(b"und"));
        assert!(!stop_words(&[]).expect("nothing is asked for").contains(b"the"));
    }

    #[test]
    fn words_are_compared_by_key() {
        let mut buffer = String::new();
        let german = stop_words(&["de"]).expect("it is known");
        assert!(german.contains(fold("Für", &mut buffer).as_bytes()));
    }

    #[test]
    fn an_unknown_language_is_answered_with_all_that_there_are() {
        let error = stop_words(&["en", "xx"]).err().expect("there is no such language").to_string();
        assert!(error.contains("`xx`") && error.contains(" en,") && error.contains(" ko,"), "{error}");
    }
}
