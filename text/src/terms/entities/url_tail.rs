//! What follows the host of a URL: port, path and query.
//!
//! Idea: each part is the longest run of its characters that ends in one that a URL may end with, so that the comma
//! or full stop of the sentence stays outside. A path may have parentheses, if they are balanced and at most two deep.
//! Invariant: the part found is the one that twitter-text's regular expressions find, without backtracking.
//! Cost: each character is looked at once, those of one unbalanced parenthesis twice.

use super::classes::is_latin_accent;

/// Ends of the parts of a URL, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    /// Whether there is a path, be it only `/`.
    pub(super) has_path: bool,
    /// End of the URL.
    pub(super) end: usize,
}

/// Finds port, path and query behind the host that ends at `host_end`.
pub(super) fn tail(text: &str, host_end: usize) -> Tail {
    let mut end = host_end + port(&text[host_end..]);
    let path = path(&text[end..]);
    end += path;
    end += query(&text[end..]);
    Tail { has_path: path > 0, end }
}

/// Length of the `?` and what belongs to it, or 0.
pub(super) fn query(text: &str) -> usize {
    if !text.starts_with('?') {
        return 0;
    }
    let most = text.bytes().skip(1).take_while(|&byte| is_query_char(byte)).count();
    let ends = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_&=#/".contains(byte);
    text.as_bytes()[1..=most].iter().rposition(ends).map_or(0, |last| last + 2)
}

fn port(text: &str) -> usize {
    let digits = text.bytes().skip(1).take_while(u8::is_ascii_digit).count();
    if text.starts_with(':') && digits > 0 { 1 + digits } else { 0 }
}

fn path(text: &str) -> usize {
    if !text.starts_with('/') {
        return 0;
    }
    let mut end = 1;
    let mut at = 1;
    while let Some(c) = text[at..].chars().next() {
        if is_path_char(c) {
            at += c.len_utf8();
            if may_end_path(c) {
                end = at;
            }
        } else if let Some(length) = parentheses(&text[at..]) {
            at += length;
            end = at;
        } else {
            break;
        }
    }
    end
}

/// Length of a pair of parentheses with something in it and at most one more pair.
fn parentheses(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('(')?;
    let rest = inside.trim_start_matches(is_path_char);
    if let Some(rest) = rest.strip_prefix(')') {
        return (!inside.starts_with(')')).then_some(text.len() - rest.len());
    }
    let inner = rest.strip_prefix('(')?;
    let rest = inner.trim_start_matches(is_path_char).strip_prefix(')')?;
    if inner.starts_with(')') {
        return None;
    }
    let rest = rest.trim_start_matches(is_path_char).strip_prefix(')')?;
    Some(text.len() - rest.len())
}

/// A letter outside ASCII that belongs to a path.
fn is_letter(c: char) -> bool {
    matches!(c, '\u{400}'..='\u{4ff}') || is_latin_accent(c)
}

/// What a path consists of beside letters and digits.
const PATH_SIGNS: &[u8] = b"!*';:=+,.$/%#[]-_~@|&";

const PATH_ASCII: u128 = bits(PATH_SIGNS) | LETTERS_AND_DIGITS;
const PATH_END_ASCII: u128 = bits(b"+-=_#/") | LETTERS_AND_DIGITS;
const LETTERS_AND_DIGITS: u128 = bits(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

/// These characters of ASCII, a bit each.
const fn bits(bytes: &[u8]) -> u128 {
    let (mut bits, mut at) = (0, 0);
    while at < bytes.len() {
        bits |= 1 << bytes[at];
        at += 1;
    }
    bits
}

fn is_path_char(c: char) -> bool {
    if c.is_ascii() { PATH_ASCII >> c as u32 & 1 != 0 } else { c == '\u{2013}' || is_letter(c) }
}

fn may_end_path(c: char) -> bool {
    if c.is_ascii() { PATH_END_ASCII >> c as u32 & 1 != 0 } else { is_letter(c) }
}

fn is_query_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'?' | b'*' | b'\'' | b'@' | b'(' | b')' | b';' | b':' | b'&' | b'=' | b'+' | b'$'
        )
        || matches!(byte, b'/' | b'%' | b'#' | b'[' | b']' | b'-' | b'_' | b'.' | b',' | b'~' | b'|')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> &str {
        &text[..tail(text, 0).end]
    }

    #[test]
    fn the_punctuation_of_the_sentence_stays_outside() {
        for (text, expected) in [
            ("/path.", "/path"),
            ("/path./ x", "/path./"),
            ("/,,,,", "/"),
            (":80/a?b=c&d=.", ":80/a?b=c&d="),
            ("?", ""),
            ("?!.", ""),
            (":", ""),
            (":x", ""),
            ("/a–б~é!", "/a–б~é"),
            ("/a日", "/a"),
        ] {
            assert_eq!(url(text), expected);
        }
    }

    #[test]
    fn parentheses_belong_to_a_path_when_they_are_balanced() {
        for (text, expected) in [
            ("/a_(b)", "/a_(b)"),
            ("/a(b(c)d)/)", "/a(b(c)d)/"),
            ("/a)", "/a"),
            ("/a_(b", "/a_"),
            ("/a_(b(c)", "/a_"),
            ("/a_(b(c(d)))", "/a_"),
            ("/a()", "/a"),
            ("/a(())", "/a"),
            ("/((a))", "/((a))"),
        ] {
            assert_eq!(url(text), expected);
        }
    }
}
