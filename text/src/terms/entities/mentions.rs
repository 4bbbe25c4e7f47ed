//! Mentions: `@` or `＠` and a name of at most 20 ASCII letters, digits and `_`, perhaps with a list, `@name/list`.
//!
//! Idea: before the sign must stand nothing that could make it part of an e-mail address or of
//! another sign; `RT@name` is allowed since people write it. Behind the name there must be no second `@`, no accented
//! letter and no `://`.
//! Invariant: the characters before a sign must not belong to the mention before it, as with a regular expression that
//! goes on behind its last match. A longer name is cut off after 20 characters, as in the reference.
//! Cost: at most 46 bytes a sign.

use super::classes::is_latin_accent;
use super::{Entity, EntityKind};

const MAX_NAME: usize = 20;
const MAX_LIST: usize = 25;

/// Takes the signs of a text, in order.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// Where the last mention ended.
    taken: usize,
}

impl Scanner {
    /// Looks at the sign from `start` to `name`; appends the mention to `found`, if it makes one.
    pub(super) fn sign(&mut self, text: &str, start: usize, name: usize, found: &mut Vec<Entity>) {
        let bytes = text.as_bytes();
        let name_end =
            name + length(&bytes[name..], MAX_NAME, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if name_end == name || !may_begin(text, start, self.taken) {
            return;
        }
        let end = name_end + list(&bytes[name_end..]);
        self.taken = end;
        let rest = &text[end..];
        if !rest.starts_with(['@', '＠']) && !rest.starts_with(is_latin_accent) && !rest.starts_with("://") {
            found.push(Entity { kind: EntityKind::Mention, start, end });
        }
    }
}

fn length(bytes: &[u8], most: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take(most).take_while(|&&byte| belongs(byte)).count()
}

/// Length of `/list` at the beginning of `bytes`, or 0.
fn list(bytes: &[u8]) -> usize {
    match bytes {
        [b'/', first, ..] if first.is_ascii_alphabetic() => {
            1 + length(&bytes[1..], MAX_LIST, |byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
            })
        }
        _ => 0,
    }
}

fn may_begin(text: &str, start: usize, taken: usize) -> bool {
    if start == 0 {
        return true;
    }
    let before = &text[taken..start];
    let Some(last) = before.chars().next_back() else { return false };
    if !last.is_ascii_alphanumeric() && !"_!#$%&*@＠".contains(last) {
        return true;
    }
    let bytes = before.as_bytes();
    let Some(rest) = bytes.len().checked_sub(2).filter(|&at| bytes[at..].eq_ignore_ascii_case(b"rt")) else {
        return false;
    };
    match before[..rest].chars().next_back() {
        None => taken == 0,
        Some(c) => !c.is_ascii_alphanumeric() && !"_+~.-".contains(c),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::of_kind;
    use super::*;

    fn mentions(text: &str) -> Vec<&str> {
        of_kind(EntityKind::Mention, text)
    }

    #[test]
    fn what_stands_before_the_sign_decides() {
        assert_eq!(mentions("@a .@b の@c a@d !@e RT@f xRT@g -rt@h ＠i"), ["@a", "@b", "@c", "@f", "＠i"]);
    }

    #[test]
    fn what_stands_behind_the_name_decides() {
        assert_eq!(mentions("@a@b @cé @d:// @e: @f/list @g/7 @"), ["@e", "@f/list", "@g"]);
    }

    #[test]
    fn the_end_of_one_mention_does_not_make_room_for_the_next() {
        assert_eq!(mentions("@a/b-@c"), [""; 0]);
        assert_eq!(mentions("@a/b @c"), ["@a/b", "@c"]);
        assert_eq!(mentions("@art@b"), [""; 0]);
    }

    #[test]
    fn names_and_lists_are_cut_off() {
        assert_eq!(mentions("@12345678901234567890x"), ["@12345678901234567890"]);
        assert_eq!(mentions("@u/a2345678901234567890123456"), ["@u/a234567890123456789012345"]);
    }
}
