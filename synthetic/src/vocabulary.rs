//! The words of all languages, some hundred thousand of them.
//!
//! Idea: each language is one string with all its words behind each other and a list of where each ends; a word is
//! drawn by rank, so that its place in the list is how common it is. Real words come first, invented ones after,
//! shorter ones before longer ones as in real text.
//! Invariant: the words of a language differ from each other; the same seed makes the same lists.
//! Cost: a megabyte or two, made once; a draw is two look-ups.

use std::collections::HashSet;

use super::everyday;
use super::random::Random;
use super::ranks::Ranks;
use super::syllables::{self, Maker};

/// A language as posts in it are made.
pub struct Language {
    /// Its BCP 47 code.
    pub code: &'static str,
    /// Whether spaces stand between words.
    pub spaced: bool,
    /// What ends a sentence.
    pub stops: &'static [&'static str],
    text: String,
    ends: Vec<u32>,
    /// How many of the words, in front, are real ones.
    readable: u32,
    ranks: Ranks,
}

/// What a language is made from.
struct Recipe {
    code: &'static str,
    spaced: bool,
    stops: &'static [&'static str],
    everyday: &'static str,
    invent: Maker,
    words: usize,
    /// Posts in it, of a hundred.
    percent: u32,
}

/// So many words at the head of a list are articles, pronouns and the like.
const SMALL_WORDS: u32 = 120;
const LATIN_STOPS: &[&str] = &[".", "!", "?", "...", "", "", ""];
const CJK_STOPS: &[&str] = &["。", "！", "？", "…", "", ""];

const RECIPES: [Recipe; 8] = [
    recipe("en", everyday::ENGLISH, syllables::english, 32_000, 42),
    recipe("es", everyday::SPANISH, syllables::spanish, 14_000, 12),
    recipe("de", everyday::GERMAN, syllables::german, 12_000, 5),
    recipe("ru", everyday::RUSSIAN, syllables::russian, 14_000, 8),
    recipe("ko", everyday::KOREAN, syllables::korean, 8_000, 6),
    recipe("ar", everyday::ARABIC, syllables::arabic, 6_000, 7),
    Recipe {
        spaced: false,
        stops: CJK_STOPS,
        ..recipe("ja", everyday::JAPANESE, syllables::japanese, 12_000, 15)
    },
    Recipe { spaced: false, stops: &["", " "], ..recipe("th", everyday::THAI, syllables::thai, 4_000, 5) },
];

const fn recipe(
    code: &'static str,
    everyday: &'static str,
    invent: Maker,
    words: usize,
    percent: u32,
) -> Recipe {
    Recipe { code, spaced: true, stops: LATIN_STOPS, everyday, invent, words, percent }
}

/// All languages, with how common each is.
pub struct Vocabulary {
    languages: Vec<Language>,
    /// For each of a hundred equal parts of all posts, the index of its language.
    shares: Vec<u8>,
}

impl Vocabulary {
    /// The words of this seed.
    pub fn new(seed: u64) -> Self {
        let languages = RECIPES
            .iter()
            .zip(1..)
            .map(|(recipe, number)| Language::new(recipe, &mut Random::derived(seed, number)));
        let shares = RECIPES
            .iter()
            .zip(0u8..)
            .flat_map(|(recipe, index)| std::iter::repeat_n(index, recipe.percent as usize));
        Self { languages: languages.collect(), shares: shares.collect() }
    }

    /// The language of one post.
    pub fn language(&self, random: &mut Random) -> &Language {
        let index = random.pick(&self.shares);
        &self.languages[usize::from(index)]
    }

    /// The language whose words serve for names: the first.
    pub fn names(&self) -> &Language {
        &self.languages[0]
    }
}

impl Language {
    fn new(recipe: &Recipe, random: &mut Random) -> Self {
        let mut seen: HashSet<String> = HashSet::with_capacity(recipe.words);
        let (mut text, mut ends) = (String::new(), Vec::with_capacity(recipe.words));
        let mut add = |word: &str| {
            if seen.insert(word.to_owned()) {
                text.push_str(word);
                ends.push(text.len() as u32);
            }
            ends.len()
        };
        let mut made = recipe.everyday.split_whitespace().map(&mut add).last().unwrap_or(0);
        let readable = made as u32;
        let mut word = String::new();
        while made < recipe.words {
            let (least, most) = match made * 8 / recipe.words {
                0 => (1, 2),
                1..6 => (2, 2),
                _ => (2, 3),
            };
            let syllables = random.between(least, most);
            word.clear();
            (recipe.invent)(random, syllables, &mut word);
            made = add(&word);
        }
        let ranks = Ranks::new(ends.len());
        Self { code: recipe.code, spaced: recipe.spaced, stops: recipe.stops, text, ends, readable, ranks }
    }

    /// A word, common ones more often than rare ones.
    pub fn word(&self, random: &mut Random) -> &str {
        self.nth(self.ranks.draw(random))
    }

    /// A word of any rank with the same likelihood.
    pub fn any_word(&self, random: &mut Random) -> &str {
        self.nth(random.below(self.ends.len() as u32) as usize)
    }

    /// One of the readable words, but for the very common ones, which say nothing.
    pub fn everyday_word(&self, random: &mut Random) -> &str {
        self.nth(random.between(SMALL_WORDS.min(self.readable - 1), self.readable - 1) as usize)
    }

    fn nth(&self, rank: usize) -> &str {
        let from = if rank == 0 { 0 } else { self.ends[rank - 1] };
        &self.text[from as usize..self.ends[rank] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_thousand_words_in_hundred_parts() {
        let vocabulary = Vocabulary::new(1);
        let words: usize = vocabulary.languages.iter().map(|language| language.ends.len()).sum();
        assert!((100_000..110_000).contains(&words), "{words}");
        assert_eq!(vocabulary.shares.len(), 100);
    }

    #[test]
    fn words_differ_within_a_language_and_repeat_with_the_seed() {
        let (one, same, other) = (Vocabulary::new(5), Vocabulary::new(5), Vocabulary::new(6));
        for ((language, again), foreign) in one.languages.iter().zip(&same.languages).zip(&other.languages) {
            let distinct: HashSet<&str> = (0..language.ends.len()).map(|rank| language.nth(rank)).collect();
            assert_eq!(distinct.len(), language.ends.len(), "{}", language.code);
            assert_eq!(language.text, again.text);
            assert_ne!(language.text, foreign.text);
        }
    }

    #[test]
    fn the_first_words_are_readable() {
        assert_eq!(Vocabulary::new(1).names().nth(0), "the");
    }
}
