//! The terms of one post while they are being gathered.
//!
//! Idea: keys and spellings stand one behind the other in one long string, and a term is two places in it, so that
//! thousands of terms cost two buffers that are used again for the next post.
//! Invariant: no key is longer than [`MAX_KEY`], and there are never more than [`MAX_TERMS`] terms, those that are too
//! long included.
//! Cost: a word of ASCII is not copied at all: its stretch is folded as a whole, and the key is a place in it.

use std::ops::{ControlFlow, Range};

use super::fold::{append, append_ascii};
use super::words::{Stretch, Words, stretches};
use super::{Kind, ascii, emoji};

/// Terms over all kinds that a post may have; with more it is bad as a whole.
pub const MAX_TERMS: usize = 10_000;

/// Bytes that a key may have; a longer term is not counted.
pub const MAX_KEY: usize = 256;

/// A term of more bytes is too long whatever its key: one code point of a key stems from at most four code points that
/// were folded, each of these from at most four that were composed, and each of these has at most four bytes.
const MAX_RAW: usize = MAX_KEY * 64;

/// A post has more terms than any honest post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the post has more than {MAX_TERMS} terms")]
pub struct TooManyTerms;

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds([bool; Kind::ALL.len()]);

impl Kinds {
    pub(super) fn new(kinds: &[Kind]) -> Self {
        Kinds(Kind::ALL.map(|kind| kinds.contains(&kind)))
    }

    pub(super) fn has(self, kind: Kind) -> bool {
        self.0[kind as usize]
    }

    pub(super) fn without(mut self, kind: Kind) -> Self {
        self.0[kind as usize] = false;
        self
    }
}

/// One term: places in the text of [`Found`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    pub(super) kind: Kind,
    pub(super) key: Place,
    pub(super) spelling: Place,
}

/// A place in the text of [`Found`], which has less than 4 GiB: no more than [`MAX_TERMS`] keys, and the texts of one post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    start: u32,
    end: u32,
}

impl Place {
    fn new(start: usize, end: usize) -> Place {
        Place { start: start as u32, end: end as u32 }
    }

    fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Where a key stands; `None`: it is too long to be counted.
type Key = Option<Place>;

/// The terms found so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Keys, spellings, and what lies between them.
    pub(super) text: String,
    /// In the order of the text for each kind.
    pub(super) terms: Vec<Term>,
    /// Terms whose keys are too long.
    pub(super) too_long: usize,
}

impl Found {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.terms.clear();
        self.too_long = 0;
    }

    /// Takes a term that is shown as it is spelled.
    pub(super) fn add(&mut self, kind: Kind, term: &str) -> ControlFlow<TooManyTerms> {
        let key = self.fold(term);
        let spelling = key.map(|key| {
            if *term == self.text[key.range()] {
                return key;
            }
            let start = self.text.len();
            self.text.push_str(term);
            Place::new(start, self.text.len())
        });
        self.record(kind, key.zip(spelling))
    }

    /// Takes the emoji, words and phrases, as far as they are wanted, from a piece of text between two entities.
    pub(super) fn add_piece(
        &mut self,
        piece: &str,
        wanted: Kinds,
        words: &Words,
    ) -> ControlFlow<TooManyTerms> {
        if wanted.has(Kind::Emoji) {
            emoji::try_each(piece, |emoji| self.add(Kind::Emoji, emoji))?;
        }
        if !wanted.has(Kind::Words) && !wanted.has(Kind::Phrases) {
            return ControlFlow::Continue(());
        }
        let mut previous = None;
        for stretch in stretches(piece) {
            match stretch {
                Stretch::Ascii(text) => {
                    let start = self.text.len();
                    append_ascii(text, &mut self.text);
                    for place in ascii::words(text) {
                        let key = Place::new(start + place.start, start + place.end);
                        let key = Some(key).filter(|key| key.len() <= MAX_KEY);
                        self.add_word(key, wanted, &mut previous)?;
                    }
                }
                Stretch::Other(text) => words.try_each_in(text, |word| {
                    let key = self.fold(word);
                    self.add_word(key, wanted, &mut previous)
                })?,
            }
        }
        ControlFlow::Continue(())
    }

    /// Takes the next word of a piece, and the phrase that it makes with the one before, if there was one.
    fn add_word(&mut self, key: Key, wanted: Kinds, previous: &mut Option<Key>) -> ControlFlow<TooManyTerms> {
        if wanted.has(Kind::Phrases)
            && let Some(first) = previous.replace(key)
        {
            let phrase = self.join(first, key);
            self.record(Kind::Phrases, phrase.zip(phrase))?;
        }
        if wanted.has(Kind::Words) {
            self.record(Kind::Words, key.zip(key))?;
        }
        ControlFlow::Continue(())
    }

    /// Where the key of this term now stands.
    fn fold(&mut self, term: &str) -> Key {
        if term.len() > MAX_RAW {
            return None;
        }
        let start = self.text.len();
        append(term, &mut self.text);
        self.key_from(start)
    }

    fn join(&mut self, first: Key, second: Key) -> Key {
        let (first, second) = (first?, second?);
        let start = self.text.len();
        self.text.extend_from_within(first.range());
        self.text.push(' ');
        self.text.extend_from_within(second.range());
        self.key_from(start)
    }

    fn key_from(&mut self, start: usize) -> Key {
        if self.text.len() - start > MAX_KEY {
            self.text.truncate(start);
            return None;
        }
        Some(Place::new(start, self.text.len()))
    }

    /// Takes a term with this key and spelling.
    fn record(&mut self, kind: Kind, term: Option<(Place, Place)>) -> ControlFlow<TooManyTerms> {
        if self.terms.len() + self.too_long == MAX_TERMS {
            return ControlFlow::Break(TooManyTerms);
        }
        match term {
            Some((key, spelling)) => self.terms.push(Term { kind, key, spelling }),
            None => self.too_long += 1,
        }
        ControlFlow::Continue(())
    }
}
