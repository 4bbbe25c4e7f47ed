//! Cashtags: `$` and one to six ASCII letters, perhaps with a suffix of `.` or `_` and one or two more.
//!
//! Idea: before the sign must stand a space or nothing, behind it a space, punctuation or nothing. A
//! suffix that does not fit is left out of the tag.
//! Cost: at most ten characters a sign.

use super::classes::{is_punctuation, is_space};
use super::{Entity, EntityKind};

const MAX_LETTERS: usize = 6;
const MAX_SUFFIX: usize = 2;

/// Looks at the sign at `start`; appends the cashtag to `found`, if it makes one.
pub(super) fn sign(text: &str, start: usize, found: &mut Vec<Entity>) {
    let bytes = text.as_bytes();
    if text[..start].chars().next_back().is_some_and(|before| !is_space(before)) {
        return;
    }
    let base = start + 1 + letters(&bytes[start + 1..], MAX_LETTERS);
    if base == start + 1 {
        return;
    }
    let suffix = match bytes.get(base) {
        Some(b'.' | b'_') => letters(&bytes[base + 1..], MAX_SUFFIX),
        _ => 0,
    };
    let end = if suffix > 0 && may_end(text, base + 1 + suffix) { base + 1 + suffix } else { base };
    if may_end(text, end) {
        found.push(Entity { kind: EntityKind::Cashtag, start, end });
    }
}

fn letters(bytes: &[u8], most: usize) -> usize {
    bytes.iter().take(most).take_while(|byte| byte.is_ascii_alphabetic()).count()
}

fn may_end(text: &str, end: usize) -> bool {
    text[end..].chars().next().is_none_or(|c| is_space(c) || c == '\u{feff}' || is_punctuation(c))
}

#[cfg(test)]
mod tests {
    use super::super::tests::of_kind;
    use super::*;

    fn cashtags(text: &str) -> Vec<&str> {
        of_kind(EntityKind::Cashtag, text)
    }

    #[test]
    fn a_cashtag_stands_between_spaces_and_punctuation() {
        assert_eq!(cashtags("$A ($B) $C, x$D\u{3000}$E $F1 $Gé $"), ["$A", "$C", "$E"]);
    }

    #[test]
    fn a_suffix_that_does_not_fit_is_left_out() {
        assert_eq!(
            cashtags("$A.B $A_BC $A.BCD $A. $ABCDEF.GH $ABCDEFG"),
            ["$A.B", "$A_BC", "$A", "$A", "$ABCDEF.GH"]
        );
    }
}
