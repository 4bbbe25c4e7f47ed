//! What a count leaves out.
//!
//! Idea: `languages` and `track` are about a post as a whole, `stop_words` and `min_length` about each of its terms.
//! Invariant: what passes depends on the post and the settings alone.
//! Cost: a count without filters costs nothing; `track` compares each term of a post with each tracked term, and once more for
//! each entry of several terms.

use std::borrow::Cow;

use crate::config::Count;
use crate::posts::Post;
use crate::terms::Kind;
use crate::terms::extract::Terms;
use crate::terms::language::{Detector, is_in};
use crate::terms::stop::StopWords;
use crate::terms::track::{self, Together};

/// The filters of a count.
pub struct Filter {
    stop_words: Option<StopWords>,
    min_length: usize,
    languages: Vec<String>,
    /// Of these one is enough.
    track: Vec<(Kind, String)>,
    /// And of these, each of which is several.
    together: Vec<Together>,
}

impl Filter {
    /// The filters that a count has.
    ///
    /// # Errors
    /// Where there are no stop words for a language.
    pub fn new(count: &Count) -> Result<Filter, String> {
        let stop_words = match count.stop_words.as_slice() {
            [] => None,
            languages => Some(StopWords::new(languages).map_err(|error| error.to_string())?),
        };
        let tracked = count.track.iter().flat_map(|entry| track::tracked(entry));
        let (track, together): (Vec<_>, Vec<_>) = tracked.partition(|terms| terms.len() == 1);
        Ok(Filter {
            stop_words,
            min_length: count.min_length,
            languages: count.languages.iter().map(|language| language.to_lowercase()).collect(),
            track: track.concat(),
            together,
        })
    }

    /// The kinds of term that must be known of a post to filter it.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.track.iter().chain(self.together.iter().flatten()).map(|(kind, _)| *kind)
    }

    /// Whether it matters in which language a post is.
    pub fn asks_language(&self) -> bool {
        !self.languages.is_empty()
    }

    /// Whether the post as a whole passes; `language` is [`language`] of it where that matters.
    #[inline]
    pub fn wants(&self, language: &str, terms: &Terms<'_>) -> bool {
        self.languages.is_empty() && !self.tracks() || self.is_asked_for(language, terms)
    }

    fn tracks(&self) -> bool {
        !self.track.is_empty() || !self.together.is_empty()
    }

    fn is_asked_for(&self, language: &str, terms: &Terms<'_>) -> bool {
        let spoken = |wanted: &String| is_in(language, wanted);
        let is = |wanted: &(Kind, String), kind, key: &[u8]| wanted.0 == kind && wanted.1.as_bytes() == key;
        let one =
            || terms.clone().any(|(kind, key, _)| self.track.iter().any(|wanted| is(wanted, kind, key)));
        let has = |wanted: &(Kind, String)| terms.clone().any(|(kind, key, _)| is(wanted, kind, key));
        let all = || self.together.iter().any(|terms| terms.iter().all(has));
        (self.languages.is_empty() || self.languages.iter().any(spoken)) && (!self.tracks() || one() || all())
    }

    /// Whether all terms of a post that passed do so too.
    pub fn admits_all(&self) -> bool {
        self.min_length <= 1 && self.stop_words.is_none()
    }

    /// Whether a term of a post that passed does so too; no key is empty.
    pub fn admits(&self, key: &[u8]) -> bool {
        // Each character has one byte that is no continuation of another.
        let mut firsts = key.iter().filter(|byte| **byte & 0xc0 != 0x80);
        let long_enough = firsts.nth(self.min_length.saturating_sub(1)).is_some();
        let stopped = |words: &StopWords| key.split(|byte| *byte == b' ').any(|word| words.contains(word));
        self.admits_all() || long_enough && !self.stop_words.as_ref().is_some_and(stopped)
    }
}

/// The language of a post in lower case: its own, else that of its text; empty where neither is known.
pub fn language(post: &Post<'_>, detector: &mut Detector) -> Cow<'static, str> {
    match &post.lang {
        Some(own) => Cow::Owned(own.to_lowercase()),
        None => Cow::Borrowed(detector.detect(&post.text, post.html).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::posts::{Decoder, Record};
    use crate::terms::extract::{Extractor, Input};

    /// Whether a post with this record passes, and which of its words do.
    fn passes(change: impl FnOnce(&mut Count), record: &str) -> (bool, Vec<String>) {
        let config = config::load(None, [], Vec::new()).expect("the defaults are valid").config;
        let mut count = config.counts[1].clone();
        change(&mut count);
        let filter = Filter::new(&count).expect("the filters are valid");
        let decoder =
            Decoder::new(config.posts.format, &config.posts.pointers).expect("the defaults are valid");
        let Ok(Record::Post(post)) = decoder.decode(Some(record.as_bytes())) else { panic!("{record}") };
        let mut extractor = Extractor::new(&Kind::ALL);
        let input = Input { text: &post.text, html: post.html, hashtags: post.hashtags.as_deref() };
        let terms = extractor.extract(&input).expect("there are few terms");
        let wants = filter.wants(&language(&post, &mut Detector::default()), &terms);
        let words = terms.filter(|term| term.0 == Kind::Words && filter.admits(term.1));
        (wants, words.map(|(_, key, _)| String::from_utf8_lossy(key).into_owned()).collect())
    }

    #[test]
    fn a_posts_own_language_counts_before_that_of_its_text() {
        let german = "Guten Morgen zusammen, heute wird ein schöner Tag";
        let named = |lang: &str| format!(r#"{{"id_str":"1","lang":"{lang}","text":"{german}"}}"#);
        let spoken = |wanted: &str, record: &str| {
            passes(|count| count.languages = vec!["ko".to_owned(), wanted.to_owned()], record).0
        };
        assert!(spoken("de", german) && !spoken("en", german));
        assert!(spoken("de", &named("und")) && !spoken("und", &named("und")));
        assert!(spoken("en", &named("en-GB")) && !spoken("de", &named("en-GB")));
        assert!(
            spoken("pt-br", &named("pt_BR".replace('_', "-").as_str())) && !spoken("pt-br", &named("pt"))
        );
        assert!(!spoken("p", &named("pt")) && !spoken("de", "42"));
    }

    #[test]
    fn one_tracked_term_is_enough_whatever_its_spelling() {
        let tracked =
            |term: &str, text: &str| passes(|count| count.track = vec!["no".into(), term.into()], text).0;
        for (term, text) in [
            ("Rust", "I like rust"),
            ("rust", "#RUST"),
            ("#rust", "＃Rust"),
            ("@ada", "hello @Ada"),
            ("$ABC", "buy $abc now"),
            ("New York", "a new day in York"),
            ("covid-19", "Covid: 19 cases"),
            ("#rust lang", "the lang of #rust"),
            ("😀", "well 😀"),
        ] {
            assert!(tracked(term, text), "{term} in {text}");
        }
        for (term, text) in [
            ("#rust", "rust"),
            ("rust", "trust"),
            ("@ada", "ada #ada"),
            ("rust", "@rust"),
            ("New York", "york"),
            ("#rust lang", "rust lang"),
        ] {
            assert!(!tracked(term, text), "{term} in {text}");
        }
    }

    #[test]
    fn stop_words_and_short_ones_are_left_out() {
        let words = |languages: &[&str], min_length, text: &str| {
            let languages = languages.iter().map(|&language| language.to_owned()).collect();
            passes(|count| (count.stop_words, count.min_length) = (languages, min_length), text).1
        };
        assert_eq!(words(&["en", "de"], 1, "The earthquake UND das Erdbeben"), ["earthquake", "erdbeben"]);
        assert_eq!(words(&[], 3, "a an ant éé ééé 日本 𐐨𐐨 𐐨𐐨𐐨"), ["ant", "ééé", "𐐨𐐨𐐨"]);
    }
}
