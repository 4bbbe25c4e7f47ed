//! The terms of one post.
//!
//! Idea: one pass over the raw text finds out what its bytes are (`sketch`), from which its entities are found; they are
//! cut out, and the rest is split into words in one go. Escapes of HTML are cut out as well, where no word needs what they stand
//! for and nothing is looked for but words of ASCII; otherwise each piece between two entities is freed of them and split for
//! itself.
//! Invariant: terms of one kind come in the order of the text, and are the same whatever other kinds are asked for and
//! whatever posts came before. No key is longer than [`MAX_KEY`], no post gives more than [`MAX_TERMS`].
//! Cost: nothing is allocated once the buffers have the size of the largest post so far, except for scripts that need a
//! dictionary; memory is a fixed multiple of that size.

use std::borrow::Cow;
use std::ops::{ControlFlow, Range};

use super::Kind;
use super::entities::{Entity, EntityKind, scan};
use super::found::{Found, Kinds, Term};
pub use super::found::{MAX_KEY, MAX_TERMS, TooManyTerms};
use super::html::{all_apart, unescape};
use super::pieces::Pieces;
use super::sketch::Sketch;
use super::words::is_silent;

/// What terms are made of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Input<'a> {
    /// The text of the post.
    pub text: &'a str,
    /// Whether the text still has HTML escapes such as `&amp;`.
    pub html: bool,
    /// The hashtags that the post itself names, without their signs; where there is a list it is taken instead of what
    /// stands in the text, also when it is empty.
    pub hashtags: Option<&'a [Cow<'a, str>]>,
}

/// Finds the terms of one post after another; owns all buffers that this needs.
pub struct Extractor {
    wanted: Kinds,
    sketch: Sketch,
    entities: Vec<Entity>,
    /// Where HTML escapes may begin.
    escapes: Vec<usize>,
    unescaped: String,
    pieces: Pieces,
    found: Found,
}

impl Extractor {
    /// An extractor of these kinds only.
    pub fn new(kinds: &[Kind]) -> Self {
        Extractor {
            wanted: Kinds::new(kinds),
            sketch: Sketch::default(),
            entities: Vec::new(),
            escapes: Vec::new(),
            unescaped: String::new(),
            pieces: Pieces::default(),
            found: Found::default(),
        }
    }

    /// Finds the terms of a post. They are lent until the next post comes.
    ///
    /// # Errors
    /// Where the post has more than [`MAX_TERMS`].
    #[inline]
    pub fn extract<'s>(&'s mut self, input: &Input<'s>) -> Result<Terms<'s>, TooManyTerms> {
        match self.walk(input) {
            ControlFlow::Continue(()) => {
                self.found.end();
                let beside = self.found.text.as_bytes();
                let (entities, terms) = self.found.terms.split_at(self.found.entities);
                // A post has words of one of the two only.
                let (text, words) = match self.pieces.plain_words(&self.found) {
                    [] => (beside, &self.found.words[..]),
                    plain => (self.sketch.folded(), plain),
                };
                Ok(Terms {
                    too_long: self.found.too_long,
                    homes: [(self.sketch.folded(), input.text.as_bytes()), (beside, beside)],
                    entities: entities.iter(),
                    terms: terms.iter(),
                    text,
                    words: words.iter(),
                })
            }
            ControlFlow::Break(error) => Err(error),
        }
    }

    fn walk(&mut self, input: &Input<'_>) -> ControlFlow<TooManyTerms> {
        let Extractor { wanted, sketch, entities, escapes, unescaped, pieces, found } = self;
        let mut wanted = *wanted;
        found.clear();
        if let (true, Some(own)) = (wanted.has(Kind::Hashtags), input.hashtags) {
            wanted = wanted.without(Kind::Hashtags);
            own.iter().filter(|tag| !tag.is_empty()).try_for_each(|tag| found.add(Kind::Hashtags, tag))?;
            found.entities = found.terms.len();
        }
        if wanted == Kinds::default() {
            return ControlFlow::Continue(());
        }
        let text = input.text;
        sketch.draw(text);
        scan(text, sketch, entities, escapes);
        let has_escapes = input.html && !escapes.is_empty();
        let own = found.terms.len();
        for entity in &*entities {
            sketch.cut(entity.start..entity.end);
            if let Some((kind, term)) = counted(entity, text, wanted) {
                if sketch.is_ascii() || text.as_bytes()[term.clone()].is_ascii() {
                    found.add_written(kind, term)?;
                } else {
                    found.add(kind, &text[term])?;
                }
            }
        }
        found.entities = found.terms.len();
        if !wanted.has_any(&[Kind::Words, Kind::Phrases, Kind::Emoji]) {
            return ControlFlow::Continue(());
        }
        let is_plain = !wanted.has(Kind::Phrases)
            && (!has_escapes || all_apart(text, escapes, |escape| sketch.cut(escape)))
            && (sketch.is_ascii()
                || !wanted.has(Kind::Emoji) && sketch.all_others(|row| is_silent(&text[row])));
        if is_plain {
            return pieces.plain(text, sketch, wanted, found);
        }
        if !has_escapes {
            return pieces.split(text, entities, sketch, wanted, found);
        }
        // The sketch will be that of another text when the terms are read.
        found.keep_written(own, text);
        // What comes out of an escape may belong to a word, but to no entity.
        let mut at = 0;
        for entity in entities.iter().copied().chain([END]) {
            let piece = unescape(&text[at..entity.start.min(text.len())], unescaped);
            sketch.draw(piece);
            pieces.split(piece, &[], sketch, wanted, found)?;
            at = entity.end;
        }
        ControlFlow::Continue(())
    }
}

/// Stands behind the last entity.
const END: Entity = Entity { kind: EntityKind::Url, start: usize::MAX, end: usize::MAX };

/// What an entity of a text is counted as: its kind of term, and where the part of it stands that is the term; `None`: as
/// nothing that is wanted.
#[inline(always)]
fn counted(entity: &Entity, text: &str, wanted: Kinds) -> Option<(Kind, Range<usize>)> {
    let Entity { kind, start, end } = *entity;
    let bytes = &text.as_bytes()[start..end];
    let behind_sign = start + if bytes[0].is_ascii() { 1 } else { '＃'.len_utf8() }..end;
    let (kind, term) = match kind {
        EntityKind::Url => {
            let scheme = ["https://", "http://"].iter().map(|scheme| scheme.as_bytes()).find(|scheme| {
                bytes.get(..scheme.len()).is_some_and(|first| first.eq_ignore_ascii_case(scheme))
            });
            let host = scheme.map_or(0, <[u8]>::len);
            let length = bytes[host..].iter().position(|byte| matches!(byte, b':' | b'/' | b'?' | b'#'));
            (Kind::Domains, start + host..length.map_or(end, |length| start + host + length))
        }
        EntityKind::Mention if bytes.contains(&b'/') => return None,
        EntityKind::Mention => (Kind::Mentions, behind_sign),
        EntityKind::Hashtag => (Kind::Hashtags, behind_sign),
        EntityKind::Cashtag => (Kind::Cashtags, behind_sign),
    };
    wanted.has(kind).then_some((kind, term))
}

/// The terms of one post, in the order of the text for each kind: `(kind, key, spelling)`. Words and phrases are spelled
/// as their keys, the other kinds as they stand in the text, without their signs. Both are UTF-8, but not by their type: what
/// was folded as bytes would have to be looked at once more, and counting has no use for that.
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    /// Terms that are not here because their keys are longer than [`MAX_KEY`].
    pub too_long: usize,
    homes: Homes<'a>,
    /// Entities, of the text or named by the post itself.
    entities: std::slice::Iter<'a, Term>,
    /// Phrases and emoji, which stand in the rest.
    terms: std::slice::Iter<'a, Term>,
    /// Where words stand, and the text in which they do.
    words: std::slice::Iter<'a, [u32; 2]>,
    text: &'a [u8],
}

/// A key, and the text in which it stands: who wants to look at sixteen bytes at once sees whether there are as many.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// What the key stands in, which mostly goes on behind it.
    pub text: &'a [u8],
    /// Where it begins.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
}

impl<'a> Key<'a> {
    /// The key alone.
    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        &self.text[self.from..self.to]
    }
}

impl<'a> Terms<'a> {
    /// Those of one kind, each with its spelling; of words see [`Terms::words`].
    #[inline]
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = (Key<'a>, &'a [u8])> + Clone + use<'a> {
        let terms = match kind {
            Kind::Phrases | Kind::Emoji => self.terms.clone(),
            Kind::Hashtags | Kind::Mentions | Kind::Cashtags | Kind::Domains => self.entities.clone(),
            Kind::Words => [].iter(),
        };
        let homes = self.homes;
        terms.filter(move |term| term.kind == kind).map(move |found| {
            let (_, key, spelling) = term(&homes, found);
            (key, spelling)
        })
    }

    /// The words, which are spelled as their keys.
    #[inline]
    pub fn words(&self) -> impl Iterator<Item = Key<'a>> + Clone + use<'a> {
        let (text, words) = (self.text, self.words.clone());
        words.map(move |place| word(text, place).1)
    }
}

impl<'a> Iterator for Terms<'a> {
    type Item = (Kind, &'a [u8], &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let homes = &self.homes;
        self.entities
            .next()
            .or_else(|| self.terms.next())
            .map(|found| term(homes, found))
            .or_else(|| self.words.next().map(|place| word(self.text, place)))
            .map(|(kind, key, spelling)| (kind, key.bytes(), spelling))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let length = self.entities.len() + self.terms.len() + self.words.len();
        (length, Some(length))
    }

    #[inline]
    fn fold<B, F: FnMut(B, Self::Item) -> B>(self, start: B, mut with: F) -> B {
        let Terms { homes, entities, terms, words, text, .. } = self;
        let mut with =
            |all, (kind, key, spelling): (Kind, Key<'a>, &'a [u8])| with(all, (kind, key.bytes(), spelling));
        let all = entities.chain(terms).fold(start, |all, found| with(all, term(&homes, found)));
        words.fold(all, |all, place| with(all, word(text, place)))
    }
}

/// By [`Home`], the texts in which keys and spellings stand.
type Homes<'a> = [(&'a [u8], &'a [u8]); 2];

/// A term that was written down.
#[inline(always)]
fn term<'a>(homes: &Homes<'a>, term: &Term) -> (Kind, Key<'a>, &'a [u8]) {
    let (keys, spellings) = homes[term.home as usize];
    let Range { start, end } = term.key.range();
    let (key, spelling) = (Key { text: keys, from: start, to: end }, &spellings[term.spelling.range()]);
    debug_assert!([key.bytes(), spelling].into_iter().all(|text| std::str::from_utf8(text).is_ok()));
    (term.kind, key, spelling)
}

/// A word, which stands in this text.
#[inline(always)]
fn word<'a>(text: &'a [u8], &[start, end]: &[u32; 2]) -> (Kind, Key<'a>, &'a [u8]) {
    let key = Key { text, from: start as usize, to: end as usize };
    debug_assert!(std::str::from_utf8(key.bytes()).is_ok());
    (Kind::Words, key, key.bytes())
}

impl ExactSizeIterator for Terms<'_> {}

#[cfg(test)]
mod tests;
