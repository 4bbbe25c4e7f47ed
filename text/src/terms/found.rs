//! The terms of one post while they are being gathered.
//!
//! Idea: keys and spellings stand one behind the other in one long string, and a term is two places in it, so that
//! thousands of terms cost two buffers that are used again for the next post.
//! Invariant: no key is longer than [`MAX_KEY`], and there are never more than [`MAX_TERMS`] terms, those that are too
//! long included.
//! Cost: a word of ASCII is not copied at all: its text is folded as a whole, and the key is a place in it.

use std::ops::{ControlFlow, Range};

use super::fold::{append, append_ascii};
use super::sketch::Block;
use super::words::Words;
use super::{Kind, ascii};

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

    pub(super) fn has_any(self, kinds: &[Kind]) -> bool {
        kinds.iter().any(|&kind| self.has(kind))
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

/// A range of a text that is no run of words in ASCII.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    pub(super) start: usize,
    pub(super) end: usize,
    /// It is an entity; else words with other characters than ASCII, and what stands between them.
    pub(super) is_entity: bool,
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

    /// Takes the words and phrases, as far as they are wanted, of a text from whose sketch all `cuts` were cut out; `runs` are
    /// those of the rest.
    pub(super) fn add_words(
        &mut self,
        text: &str,
        (runs, blocks): (&[[u32; 2]], &[Block]),
        cuts: &[Cut],
        wanted: Kinds,
        words: &mut Words,
    ) -> ControlFlow<TooManyTerms> {
        let base = self.text.len();
        append_ascii(text, &mut self.text);
        let place = |start: usize, end: usize| Place::new(base + start, base + end);
        if !wanted.has(Kind::Phrases) && cuts.iter().all(|cut| cut.is_entity) {
            // Nothing stands between the words that would have to be looked at.
            if text.len() <= MAX_KEY && ascii::are_words(blocks) {
                // Nor at any of them.
                self.check_room(runs.len())?;
                self.terms.extend(runs.iter().map(|&[start, end]| {
                    let key = place(start as usize, end as usize);
                    Term { kind: Kind::Words, key, spelling: key }
                }));
                return ControlFlow::Continue(());
            }
            return ascii::words(runs, blocks).try_for_each(|word| {
                let key = place(word.start, word.end);
                self.record(Kind::Words, (key.len() <= MAX_KEY).then_some((key, key)))
            });
        }
        let mut cuts = cuts.iter();
        let mut previous = None;
        let mut next = cuts.next();
        for word in ascii::words(runs, blocks) {
            while let Some(cut) = next.filter(|cut| cut.start < word.start) {
                self.add_cut((text, base), cut, wanted, words, &mut previous)?;
                next = cuts.next();
            }
            let key = place(word.start, word.end);
            self.add_word(Some(key).filter(|key| key.len() <= MAX_KEY), wanted, &mut previous)?;
        }
        next.into_iter()
            .chain(cuts)
            .try_for_each(|cut| self.add_cut((text, base), cut, wanted, words, &mut previous))
    }

    /// Takes the words of a stretch that is not ASCII; an entity ends what was being said. `base` is where the text stands in
    /// the keys, its ASCII folded.
    fn add_cut(
        &mut self,
        (text, base): (&str, usize),
        cut: &Cut,
        wanted: Kinds,
        words: &mut Words,
        previous: &mut Option<Key>,
    ) -> ControlFlow<TooManyTerms> {
        if cut.is_entity {
            *previous = None;
            return ControlFlow::Continue(());
        }
        let stretch = &text[cut.start..cut.end];
        words.try_each_in(stretch, |word, is_settled| {
            let key = if is_settled {
                let start = base + cut.start;
                Some(Place::new(start + word.start, start + word.end)).filter(|key| key.len() <= MAX_KEY)
            } else {
                self.fold(&stretch[word])
            };
            self.add_word(key, wanted, previous)
        })
    }

    /// Takes the next word, and the phrase that it makes with the one before, if there was one.
    #[inline(always)]
    fn add_word(&mut self, key: Key, wanted: Kinds, previous: &mut Option<Key>) -> ControlFlow<TooManyTerms> {
        if wanted.has(Kind::Phrases)
            && let Some(first) = previous.replace(key)
        {
            self.add_phrase(first, key)?;
        }
        if wanted.has(Kind::Words) {
            self.record(Kind::Words, key.zip(key))?;
        }
        ControlFlow::Continue(())
    }

    fn add_phrase(&mut self, first: Key, second: Key) -> ControlFlow<TooManyTerms> {
        let phrase = self.join(first, second);
        self.record(Kind::Phrases, phrase.zip(phrase))
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

    /// Whether so many terms more are not too many.
    #[inline(always)]
    fn check_room(&self, more: usize) -> ControlFlow<TooManyTerms> {
        if self.terms.len() + self.too_long + more > MAX_TERMS {
            return ControlFlow::Break(TooManyTerms);
        }
        ControlFlow::Continue(())
    }

    /// Takes a term with this key and spelling.
    #[inline(always)]
    fn record(&mut self, kind: Kind, term: Option<(Place, Place)>) -> ControlFlow<TooManyTerms> {
        self.check_room(1)?;
        match term {
            Some((key, spelling)) => self.terms.push(Term { kind, key, spelling }),
            None => self.too_long += 1,
        }
        ControlFlow::Continue(())
    }
}
