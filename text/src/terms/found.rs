//! The terms of one post while they are being gathered.
//!
//! Idea: a term is two places, of its key and its spelling; a word is one, since it is spelled as its key. Where a short post
//! has no other words than of ASCII, nothing is written down or copied for them: the runs of its text are the words, and the
//! keys stand in the text that was folded as a whole. Else keys and spellings stand one behind the other in one long string.
//! Invariant: no key is longer than [`MAX_KEY`], and there are never more than [`MAX_TERMS`] terms, those that are too
//! long included.
//! Cost: three buffers that are used again for the next post.

use std::ops::{ControlFlow, Range};

use super::Kind;
use super::fold::{append, append_ascii};
use super::words::Words;

/// Terms over all kinds that a post may have; with more it is bad as a whole.
pub const MAX_TERMS: usize = 10_000;

/// Bytes that a key may have; a longer term is not counted.
pub const MAX_KEY: usize = 256;

/// A term of more bytes is too long whatever its key: one code point of a key stems from at most four code points that
/// were folded, each of these from at most four that were composed, and each of these has at most four bytes.
const MAX_RAW: usize = MAX_KEY * 64;

/// Stands behind all keys, so that whoever looks at sixteen bytes at once finds as many wherever a key begins: the last word of
/// a post would be the one that is read in another way, which no processor can guess.
const BEHIND: &str = "                ";

/// A post has more terms than any honest post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the post has more than {MAX_TERMS} terms")]
pub struct TooManyTerms;

/// A set of kinds, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) fn new(kinds: &[Kind]) -> Self {
        Kinds(kinds.iter().fold(0, |all, &kind| all | 1 << kind as u8))
    }

    #[inline(always)]
    pub(super) fn has(self, kind: Kind) -> bool {
        self.0 >> kind as u8 & 1 != 0
    }

    pub(super) fn has_any(self, kinds: &[Kind]) -> bool {
        self.0 & Kinds::new(kinds).0 != 0
    }

    pub(super) fn without(self, kind: Kind) -> Self {
        Kinds(self.0 & !Kinds::new(&[kind]).0)
    }
}

/// One term: where its key and its spelling stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    pub(super) kind: Kind,
    pub(super) home: Home,
    pub(super) key: Place,
    pub(super) spelling: Place,
}

/// The texts in which the places of a term are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// The key in the folded text of the post, the spelling in the post as it is written.
    Written,
    /// Both in the text of [`Found`].
    Beside,
}

/// A place in a text, which has less than 4 GiB: that of [`Found`] has no more than [`MAX_TERMS`] keys and spellings, and
/// the text of one post.
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

    #[inline(always)]
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

/// Where a key stands in the text of [`Found`]; `None`: it is too long to be counted.
type Key = Option<Place>;

/// The terms found so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Keys and spellings that stand in no text of the post, and what lies between them.
    pub(super) text: String,
    /// In the order of the text for each kind; words are not among them.
    pub(super) terms: Vec<Term>,
    /// Where the keys of words stand in `text`, which are spelled as these.
    pub(super) words: Vec<[u32; 2]>,
    /// Entities, of the text or named by the post itself: the first so many.
    pub(super) entities: usize,
    /// Words beside those that were not written down: the first so many that were found in the post.
    pub(super) plain: usize,
    /// Terms whose keys are too long.
    pub(super) too_long: usize,
}

impl Found {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.terms.clear();
        self.words.clear();
        self.entities = 0;
        self.plain = 0;
        self.too_long = 0;
    }

    /// To be called behind the last term.
    pub(super) fn end(&mut self) {
        self.text.push_str(BEHIND);
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
        self.record(key.zip(spelling).map(|(key, spelling)| Term { kind, home: Home::Beside, key, spelling }))
    }

    /// Takes a term that stands at a place of the post and has nothing but ASCII in it.
    pub(super) fn add_written(&mut self, kind: Kind, term: Range<usize>) -> ControlFlow<TooManyTerms> {
        let place = Place::new(term.start, term.end);
        let term = Term { kind, home: Home::Written, key: place, spelling: place };
        self.record((place.len() <= MAX_KEY).then_some(term))
    }

    /// Puts the keys of all terms from `first` on into the text of their own.
    pub(super) fn keep_written(&mut self, first: usize, text: &str) {
        for term in &mut self.terms[first..] {
            if term.home == Home::Written {
                let start = self.text.len();
                append_ascii(&text[term.key.range()], &mut self.text);
                let key = Place::new(start, self.text.len());
                self.text.push_str(&text[term.spelling.range()]);
                let spelling = Place::new(key.range().end, self.text.len());
                *term = Term { kind: term.kind, home: Home::Beside, key, spelling };
            }
        }
    }

    /// Takes so many words of the post, each of which is short enough to be a key.
    pub(super) fn add_plain(&mut self, words: usize) -> ControlFlow<TooManyTerms> {
        self.check_room(words)?;
        self.plain = words;
        ControlFlow::Continue(())
    }

    /// Takes the words and phrases, as far as they are wanted, of a text: those of ASCII at these places, and what there is in
    /// `cuts`.
    pub(super) fn add_words(
        &mut self,
        text: &str,
        places: &[[u32; 2]],
        cuts: &[Cut],
        wanted: Kinds,
        words: &mut Words,
    ) -> ControlFlow<TooManyTerms> {
        let base = self.text.len();
        append_ascii(text, &mut self.text);
        let mut cuts = cuts.iter();
        let mut previous = None;
        let mut next = cuts.next();
        for &[start, end] in places {
            let (start, end) = (start as usize, end as usize);
            while let Some(cut) = next.filter(|cut| cut.start < start) {
                self.add_cut((text, base), cut, wanted, words, &mut previous)?;
                next = cuts.next();
            }
            let key = Place::new(base + start, base + end);
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
            let phrase = self.join(first, key);
            let term = |key| Term { kind: Kind::Phrases, home: Home::Beside, key, spelling: key };
            self.record(phrase.map(term))?;
        }
        if wanted.has(Kind::Words) {
            self.check_room(1)?;
            match key {
                Some(Place { start, end }) => self.words.push([start, end]),
                None => self.too_long += 1,
            }
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

    /// Whether so many terms more are not too many.
    #[inline(always)]
    fn check_room(&self, more: usize) -> ControlFlow<TooManyTerms> {
        if self.terms.len() + self.words.len() + self.too_long + more > MAX_TERMS {
            return ControlFlow::Break(TooManyTerms);
        }
        ControlFlow::Continue(())
    }

    /// Takes a term; `None`: its key is too long.
    #[inline(always)]
    fn record(&mut self, term: Option<Term>) -> ControlFlow<TooManyTerms> {
        self.check_room(1)?;
        match term {
            Some(term) => self.terms.push(term),
            None => self.too_long += 1,
        }
        ControlFlow::Continue(())
    }
}
