//! The terms of one post.
//!
//! Idea: one pass over the raw text finds out what its bytes are (`sketch`), from which its entities are found; they are
//! cut out, and the rest is split into words in one go. Only where there are HTML escapes is each piece between two
//! entities freed of them and split for itself.
//! Invariant: terms of one kind come in the order of the text, and are the same whatever other kinds are asked for and
//! whatever posts came before. No key is longer than [`MAX_KEY`], no post gives more than [`MAX_TERMS`].
//! Cost: nothing is allocated once the buffers have the size of the largest post so far, except for scripts that need a
//! dictionary; memory is a fixed multiple of that size.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::Kind;
use super::entities::{Entity, EntityKind, scan};
use super::found::{Found, Kinds, Term};
pub use super::found::{MAX_KEY, MAX_TERMS, TooManyTerms};
use super::html::unescape;
use super::pieces::Pieces;
use super::sketch::Sketch;

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
            unescaped: String::new(),
            pieces: Pieces::default(),
            found: Found::default(),
        }
    }

    /// Finds the terms of a post. They are lent until the next post comes.
    pub fn extract<'s>(&'s mut self, input: &Input<'_>) -> Result<Terms<'s>, TooManyTerms> {
        match self.walk(input) {
            ControlFlow::Continue(()) => Ok(Terms {
                too_long: self.found.too_long,
                text: &self.found.text,
                terms: self.found.terms.iter(),
            }),
            ControlFlow::Break(error) => Err(error),
        }
    }

    fn walk(&mut self, input: &Input<'_>) -> ControlFlow<TooManyTerms> {
        let Extractor { wanted, sketch, entities, unescaped, pieces, found } = self;
        let mut wanted = *wanted;
        found.clear();
        if let (true, Some(own)) = (wanted.has(Kind::Hashtags), input.hashtags) {
            wanted = wanted.without(Kind::Hashtags);
            own.iter().filter(|tag| !tag.is_empty()).try_for_each(|tag| found.add(Kind::Hashtags, tag))?;
        }
        if wanted == Kinds::default() {
            return ControlFlow::Continue(());
        }
        let text = input.text;
        sketch.draw(text);
        let has_escapes = scan(text, sketch, entities) && input.html;
        for entity in &*entities {
            let (kind, term) = counted(entity.kind, &text[entity.start..entity.end]);
            if let (true, Some(term)) = (wanted.has(kind), term) {
                found.add(kind, term)?;
            }
        }
        if !wanted.has_any(&[Kind::Words, Kind::Phrases, Kind::Emoji]) {
            return ControlFlow::Continue(());
        }
        if !has_escapes {
            return pieces.split(text, entities, sketch, wanted, found);
        }
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

/// What an entity is counted as: its kind of term, and the part of it that is the term.
fn counted(kind: EntityKind, entity: &str) -> (Kind, Option<&str>) {
    let without_sign = || {
        let mut chars = entity.chars();
        chars.next();
        chars.as_str()
    };
    match kind {
        EntityKind::Hashtag => (Kind::Hashtags, Some(without_sign())),
        EntityKind::Cashtag => (Kind::Cashtags, Some(without_sign())),
        EntityKind::Mention => (Kind::Mentions, Some(without_sign()).filter(|name| !name.contains('/'))),
        EntityKind::Url => {
            let is_scheme =
                |name: &str| ["http", "https"].iter().any(|known| name.eq_ignore_ascii_case(known));
            let behind_scheme = entity.split_once("://").filter(|(scheme, _)| is_scheme(scheme));
            let host = behind_scheme.map_or(entity, |(_, rest)| rest);
            (Kind::Domains, host.split([':', '/', '?', '#']).next())
        }
    }
}

/// The terms of one post, in the order of the text for each kind: `(kind, key, spelling)`. Words and phrases are spelled
/// as their keys, the other kinds as they stand in the text, without their signs.
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    /// Terms that are not here because their keys are longer than [`MAX_KEY`].
    pub too_long: usize,
    text: &'a str,
    terms: std::slice::Iter<'a, Term>,
}

impl<'a> Iterator for Terms<'a> {
    type Item = (Kind, &'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let term = self.terms.next()?;
        let key = &self.text[term.key.range()];
        let spelling = if term.spelling == term.key { key } else { &self.text[term.spelling.range()] };
        Some((term.kind, key, spelling))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.terms.size_hint()
    }
}

impl ExactSizeIterator for Terms<'_> {}

#[cfg(test)]
mod tests;
