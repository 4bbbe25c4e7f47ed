//! The entities of a text: hashtags, mentions, cashtags and URLs, as twitter-text defines them.
//!
//! Idea: each kind has a scanner of its own that jumps from sign to sign (for URLs: from dot to dot), looks around it,
//! and reports ranges; where two entities overlap, the one that begins first stays. The rules are those of
//! twitter-text 3.1 (Apache-2.0), and its conformance cases are the tests; they are written here as scanners because
//! regular expressions with that much backtracking are slow and have bad worst cases.
//! Invariant: ranges lie on character boundaries, are in order, do not overlap, and begin with the sign, if any.
//! Cost: linear in the text; a text without signs and dots costs one vectorised search a scanner. Nothing is allocated
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
    found.clear();
    hashtags::scan(text, found);
    mentions::scan(text, found);
    cashtags::scan(text, found);
    urls::scan(text, found);
    keep_first_of_overlapping(found);
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
