//! Hashtags: `#` or `＃` and a run of letters, marks and digits with at least one letter or mark.
//!
//! Idea: what stands before the sign must not be able to belong to a tag; what stands behind
//! the tag must be neither another sign nor `://`.
//! Invariant: the character before a sign is used up when it belonged to the tag before, even to one that was refused,
//! as it is when a regular expression goes on behind its last match.
//! Cost: each character of a tag once.

use super::classes::{is_tag_char, is_tag_letter};
use super::{Entity, EntityKind};
use crate::terms::sketch::Sketch;

/// Takes the signs of a text, in order.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// Where the last tag ended.
    taken: usize,
}

impl Scanner {
    /// Looks at the sign from `start` to `body`; appends the hashtag to `found`, if it makes one.
    pub(super) fn sign(
        &mut self,
        (text, sketch): (&str, &Sketch),
        start: usize,
        body: usize,
        found: &mut Vec<Entity>,
    ) {
        if !may_begin(text, start, self.taken) || text[body..].starts_with(['\u{fe0f}', '\u{20e3}']) {
            return;
        }
        let (end, has_letter) = run(text, sketch, body);
        if has_letter {
            self.taken = end;
            let rest = &text[end..];
            if !rest.starts_with(['#', '＃']) && !rest.starts_with("://") {
                found.push(Entity { kind: EntityKind::Hashtag, start, end });
            }
        }
    }
}

fn may_begin(text: &str, start: usize, taken: usize) -> bool {
    // Most stand at the beginning or behind a space, which no tag ends with.
    if start == 0 || text.as_bytes()[start - 1] == b' ' {
        return true;
    }
    match text[..start].chars().next_back() {
        Some(_) if start == taken => false,
        Some('\u{fe0e}' | '\u{fe0f}') => true,
        before => before.is_some_and(|before| before != '&' && !is_tag_char(before)),
    }
}

/// Where a row of characters ends that tags consist of, and whether a letter is among them.
fn run(text: &str, sketch: &Sketch, body: usize) -> (usize, bool) {
    let mut end = sketch.core_end(body);
    let mut has_letter = sketch.has_letter_in(body..end);
    while let Some(c) = text[end..].chars().next().filter(|&c| is_tag_char(c)) {
        has_letter = has_letter || is_tag_letter(c);
        end += c.len_utf8();
    }
    (end, has_letter)
}

#[cfg(test)]
mod tests {
    use super::super::tests::of_kind;
    use super::*;

    fn tags(text: &str) -> Vec<&str> {
        of_kind(EntityKind::Hashtag, text)
    }

    #[test]
    fn a_tag_needs_a_letter_and_a_free_place_before_it() {
        assert_eq!(tags("#a1 #1 b#c &#39; (#d) ＃e"), ["#a1", "#d", "＃e"]);
        assert_eq!(tags("#\u{fe0f}a #\u{20e3}a # a"), [""; 0]);
    }

    #[test]
    fn a_tag_that_runs_into_a_sign_or_a_scheme_is_none() {
        assert_eq!(tags("#a#b #c＃d #http://e"), [""; 0]);
        assert_eq!(tags("#a##b"), ["#b"]);
    }

    #[test]
    fn the_end_of_one_tag_does_not_make_room_for_the_next() {
        assert_eq!(tags("✌\u{fe0f}#a"), ["#a"]);
        assert_eq!(tags("#a\u{fe0f}#b"), [""; 0]);
    }
}
