//! What a count wants of each post, and where it goes.
//!
//! Idea: the terms of its kind go to a pane of its table, and how they are spelled to the table behind that.
//! Cost: a loop over its terms that knows nothing but where they stand; a second one where they have spellings.

use tidings_dataflows::combine::{Combine, PaneIndex};
use tidings_dataflows::spellings::spelled;
use tidings_dataflows::windows::Pane;

use crate::engine::filter::Filter;
use crate::engine::panes::Panes;
use crate::terms::Kind;
use crate::terms::extract::{Key, Terms};

/// A count: what it wants of a post, and where its terms go.
pub(super) struct Wanting {
    pub(super) of: Kind,
    pub(super) panes: Panes,
    /// The first of its tables.
    pub(super) table: usize,
    /// Whether it has another one, for how its terms are spelled.
    pub(super) spellings: bool,
    pub(super) filter: Filter,
}

impl Wanting {
    /// Adds those of a post's terms that are admitted to the first of `tables`, there to a pane if any, and how they are spelled,
    /// made in `room`, to the one behind it.
    #[inline(always)]
    pub(super) fn add<'a>(
        &self,
        terms: &Terms<'a>,
        pane: Option<PaneIndex>,
        tables: &mut [Combine],
        room: &mut Vec<u8>,
        admits: impl Fn(&Key<'a>) -> bool,
    ) {
        if let Some(pane) = pane {
            let place = |key: Key<'a>| (key.text, key.from, key.to);
            if self.of == Kind::Words {
                let words = terms.words().filter(&admits);
                tables[0].add_each(pane, words.map(place));
            } else {
                let own = terms.of(self.of).map(|(key, _)| key).filter(&admits);
                tables[0].add_each(pane, own.map(place));
            }
        }
        // Whether a post has a usable time is nothing to how its terms are spelled; so a window that is added later
        // shows what it would show had it always been there.
        if self.spellings {
            for (key, spelling) in terms.of(self.of).filter(|(key, _)| admits(key)) {
                spelled(key.bytes(), spelling, room);
                let since_the_start = tables[1].pane(Pane::ALL);
                tables[1].add(since_the_start, room, 1);
            }
        }
    }
}
