//! A text with its entities cut out, taken apart into words, phrases and emoji.
//!
//! Idea: words of ASCII are found for the whole text at once, since what is cut out is nothing to them; emoji, and words with
//! other characters, are looked for only where there are such characters.
//! Invariant: no term reaches into an entity or over it.

use std::ops::ControlFlow;

use super::ascii::Ends;
use super::entities::Entity;
use super::found::{Cut, Found, Kinds, MAX_KEY, TooManyTerms};
use super::sketch::Sketch;
use super::words::{Words, stretches};
use super::{Kind, emoji};

/// Takes one text after another apart.
#[derive(Default)]
pub(super) struct Pieces {
    words: Words,
    cuts: Vec<Cut>,
    ends: Ends,
}

impl Pieces {
    /// Adds the words of a post to `found` that are all ASCII; from its sketch entities and escapes were cut out.
    #[inline(always)]
    pub(super) fn plain(
        &mut self,
        text: &str,
        sketch: &Sketch,
        wanted: Kinds,
        found: &mut Found,
    ) -> ControlFlow<TooManyTerms> {
        let Pieces { words, ends, .. } = self;
        if !wanted.has(Kind::Words) {
            ControlFlow::Continue(())
        } else if text.len() <= MAX_KEY {
            found.add_plain(ends.words(text, sketch.blocks()).len())
        } else {
            found.add_words(text, ends.words(text, sketch.blocks()), &[], wanted, words)
        }
    }

    /// Where the words of the post stand that `found` has not written down.
    #[inline(always)]
    pub(super) fn plain_words(&self, found: &Found) -> &[[u32; 2]] {
        self.ends.first(found.plain)
    }

    /// Adds to `found` what is wanted of a text and is not in its entities, which were cut out of its sketch; that is used up.
    pub(super) fn split(
        &mut self,
        text: &str,
        entities: &[Entity],
        sketch: &mut Sketch,
        wanted: Kinds,
        found: &mut Found,
    ) -> ControlFlow<TooManyTerms> {
        let Pieces { words, cuts, ends } = self;
        let has_words = wanted.has_any(&[Kind::Words, Kind::Phrases]);
        cuts.clear();
        let mut at = 0;
        let add_piece = |at: usize, end, cuts: &mut Vec<Cut>, found: &mut Found| {
            if sketch.is_ascii() {
                return ControlFlow::Continue(());
            }
            let piece = &text[at..end];
            if wanted.has(Kind::Emoji) {
                emoji::try_each(piece, |emoji| found.add(Kind::Emoji, emoji))?;
            }
            if has_words {
                let places = stretches(piece);
                cuts.extend(places.map(|place| Cut {
                    start: at + place.start,
                    end: at + place.end,
                    is_entity: false,
                }));
            }
            ControlFlow::Continue(())
        };
        for entity in entities {
            add_piece(at, entity.start, cuts, found)?;
            cuts.push(Cut { start: entity.start, end: entity.end, is_entity: true });
            at = entity.end;
        }
        add_piece(at, text.len(), cuts, found)?;
        if !has_words {
            return ControlFlow::Continue(());
        }
        cuts.iter().filter(|cut| !cut.is_entity).for_each(|cut| sketch.cut(cut.start..cut.end));
        found.add_words(text, ends.words(text, sketch.blocks()), cuts, wanted, words)
    }
}
