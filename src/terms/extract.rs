//! The terms of one post.
//!
//! Idea: entities are found first, on the raw text; then text and entities are walked through in order, and each piece
//! between two entities is freed of its HTML escapes and split.
//! Invariant: terms of one kind come in the order of the text, and are the same whatever other kinds are asked for and
//! whatever posts came before. No key is longer than [`MAX_KEY`], no post gives more than [`MAX_TERMS`].
//! Cost: nothing is allocated once the buffers have the size of the largest post so far, except for scripts that need a
//! dictionary; memory is a fixed multiple of that size.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::Kind;
use super::entities::{Entity, EntityKind, entities};
use super::found::{Found, Kinds, Term};
pub use super::found::{MAX_KEY, MAX_TERMS, TooManyTerms};
use super::html::unescape;
use super::words::Words;

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
    words: Words,
    entities: Vec<Entity>,
    unescaped: String,
    found: Found,
}

impl Extractor {
    /// An extractor of these kinds only.
    pub fn new(kinds: &[Kind]) -> Self {
        Extractor {
            wanted: Kinds::new(kinds),
            words: Words::new(),
            entities: Vec::new(),
            unescaped: String::new(),
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
        let Extractor { wanted, words, entities: list, unescaped, found } = self;
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
        let mut add_piece = |piece, found: &mut Found| {
            let piece = if input.html { unescape(piece, unescaped) } else { piece };
            found.add_piece(piece, wanted, words)
        };
        entities(text, list);
        let mut at = 0;
        for entity in list {
            add_piece(&text[at..entity.start], found)?;
            let (kind, term) = counted(entity.kind, &text[entity.start..entity.end]);
            if let (true, Some(term)) = (wanted.has(kind), term) {
                found.add(kind, term)?;
            }
            at = entity.end;
        }
        add_piece(&text[at..], found)
    }
}

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
        Some((term.kind, &self.text[term.key.range()], &self.text[term.spelling.range()]))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.terms.size_hint()
    }
}

impl ExactSizeIterator for Terms<'_> {}

#[cfg(test)]
mod tests;
