//! The entities of a text: hashtags, mentions, cashtags and URLs, as twitter-text defines them.
//!
//! Idea: the places of all signs, and of the dots that may be in URLs, are known beforehand (`sketch`). Each kind has a scanner
//! of its own that is led from sign to sign, looks around it, and reports ranges; where two entities overlap, the one that
//! begins first stays. The rules are those of
//! twitter-text 3.1 (Apache-2.0), and its conformance cases are the tests; they are written here as scanners because
//! regular expressions with that much backtracking are slow and have bad worst cases.
//! Invariant: ranges lie on character boundaries, are in order, do not overlap, and begin with the sign, if any.
//! Cost: linear in the text; a text without signs and dots costs nothing. Nothing is allocated
//! beyond the caller's list.

mod cashtags;
mod classes;
#[cfg(test)]
mod conformance;
mod hashtags;
mod hosts;
mod mentions;
mod punycode;
mod tlds;
mod url_tail;
mod urls;

use super::sketch::Sketch;

/// What an entity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntityKind {
    /// `#tag` or `＃tag`.
    Hashtag,
    /// `@name`, `＠name`, or a list, `@name/list`: a list is cut out of the text as a mention is, but mentions nobody.
    Mention,
    /// `$TICKER`.
    Cashtag,
    /// A URL, with or without its scheme.
    Url,
}

/// An entity in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entity {
    /// What it is.
    pub kind: EntityKind,
    /// Where it begins, in bytes; its sign is included.
    pub start: usize,
    /// Where it ends, in bytes, exclusive.
    pub end: usize,
}

/// Finds the entities of a text, clearing `found` first; they are in order and do not overlap.
pub fn entities(text: &str, found: &mut Vec<Entity>) {
    let mut sketch = Sketch::default();
    sketch.draw(text);
    scan(text, &sketch, found, &mut Vec::new());
}

/// The same for a text whose sketch has been drawn; where HTML escapes may begin is put into `escapes`.
pub(super) fn scan(text: &str, sketch: &Sketch, found: &mut Vec<Entity>, escapes: &mut Vec<usize>) {
    found.clear();
    escapes.clear();
    let (mut tags, mut mentions) = (hashtags::Scanner::default(), mentions::Scanner::default());
    let mut urls = urls::Scanner::new(text);
    sketch.each_sign(|at| match &text.as_bytes()[at..] {
        [b'#', ..] => tags.sign((text, sketch), at, at + 1, found),
        [b'@', ..] => mentions.sign(text, at, at + 1, found),
        [b'$', ..] => cashtags::sign(text, at, found),
        [b'.', ..] => urls.dot(at, found),
        [b'&', ..] => escapes.push(at),
        // `＃` and `＠`.
        [0xef, 0xbc, 0x83, ..] => tags.sign((text, sketch), at, at + 3, found),
        [0xef, 0xbc, 0xa0, ..] => mentions.sign(text, at, at + 3, found),
        _ => {}
    });
    if found.len() > 1 {
        keep_first_of_overlapping(found);
    }
}

fn keep_first_of_overlapping(found: &mut Vec<Entity>) {
    if !found.is_sorted_by_key(|entity| entity.start) {
        found.sort_unstable_by_key(|entity| entity.start);
    }
    let mut taken = 0;
    found.retain(|entity| {
        let free = entity.start >= taken;
        if free {
            taken = entity.end;
        }
        free
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The entities of one kind that a text has.
    pub(super) fn of_kind(kind: EntityKind, text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        entities(text, &mut found);
        found.retain(|entity| entity.kind == kind);
        found.iter().map(|entity| &text[entity.start..entity.end]).collect()
    }
}
