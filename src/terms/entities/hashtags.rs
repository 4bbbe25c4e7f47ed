//! Hashtags: `#` or `＃` and a run of letters, marks and digits with at least one letter or mark.
//!
//! Idea: jump from sign to sign. What stands before the sign must not be able to belong to a tag; what stands behind
//! the tag must be neither another sign nor `://`.
//! Invariant: the character before a sign is used up when it belonged to the tag before, even to one that was refused,
//! as it is when a regular expression goes on behind its last match.
//! Cost: one vectorised search for the signs, then each character of a tag once.

use memchr::memchr2;

use super::classes::{WIDE_LEAD, is_tag_char, is_tag_letter, sign_at};
use super::{Entity, EntityKind};

/// Appends the hashtags of a text to `found`, in order.
pub(super) fn scan(text: &str, found: &mut Vec<Entity>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    let mut taken = 0;
    while let Some(step) = memchr2(b'#', WIDE_LEAD, &bytes[from..]) {
        let start = from + step;
        let Some(sign) = sign_at(bytes, start, b'#', '＃') else {
            from = start + 1;
            continue;
        };
        let body = start + sign;
        from = body;
        if !may_begin(text, start, taken) || text[body..].starts_with(['\u{fe0f}', '\u{20e3}']) {
            continue;
        }
        let (end, has_letter) = run(text, body);
        from = end;
        if has_letter {
            taken = end;
            let rest = &text[end..];
            if !rest.starts_with(['#', '＃']) && !rest.starts_with("://") {
                found.push(Entity { kind: EntityKind::Hashtag, start, end });
            }
        }
    }
}

fn may_begin(text: &str, start: usize, taken: usize) -> bool {
    match text[..start].chars().next_back() {
        None => true,
        Some(_) if start == taken => false,
        Some('\u{fe0e}' | '\u{fe0f}') => true,
        Some(before) => before != '&' && !is_tag_char(before),
    }
}

fn run(text: &str, body: usize) -> (usize, bool) {
    let mut has_letter = false;
    for (at, c) in text[body..].char_indices() {
        if !is_tag_char(c) {
            return (body + at, has_letter);
        }
        has_letter = has_letter || is_tag_letter(c);
    }
    (text.len(), has_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        scan(text, &mut found);
        found.iter().map(|entity| &text[entity.start..entity.end]).collect()
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
