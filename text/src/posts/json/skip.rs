//! Passing what is not read of a JSON text.
//!
//! Idea: most of a record is skipped, so that skipping is what has to be fast: sixteen bytes at a time it is found out
//! where a string or a number ends, and nothing is decoded, copied or put into a tree. Each function is told where something
//! begins, and gives where it ends. The sixteen begin where the string does, not at some multiple of sixteen, so that the same field
//! takes the same way through the program in each record, which the processor learns. What nearly all records have, no white
//! space and no escapes in keys, has a way of its own.
//! Invariant: what was passed is valid JSON, of which each token has been looked at; the tests compare the verdict with
//! that of `serde_json`. Skipping does not recurse: for a level of nesting it keeps one bit.
//! Cost: a step or two for a short string or number.

use super::cursor::Fault;
use super::strings::hex;
use crate::lanes::{LANES, Lanes};

/// Behind every record (see [`MAX_RECORD`](crate::posts::MAX_RECORD)): what is given where something is no JSON, and from where
/// on nothing is found. A plain number is less to carry through the many steps than a result would be. A few bytes on it is
/// still below the bound of [`has`] and [`Lanes::at`].
pub(super) const FAULT: usize = u32::MAX as usize - 64;

/// The byte at `at`, 0 behind the end.
#[inline(always)]
fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or_default()
}

/// Whether these bytes stand at `at`.
#[inline(always)]
pub(super) fn has<const N: usize>(bytes: &[u8], at: usize, wanted: &[u8; N]) -> bool {
    // So bounded, a place a few bytes on is known not to overflow, and one comparison will do.
    let at = at & u32::MAX as usize;
    bytes.get(at..at + N) == Some(wanted)
}

/// Where the next quote, backslash or control character stands, or where the text ends.
#[inline(always)]
fn stop(bytes: &[u8], mut at: usize) -> usize {
    while let Some(lanes) = Lanes::at(bytes, at) {
        let stops = (lanes.quote_or_control() | lanes.equal(b'\\')).bits();
        if stops != 0 {
            return at + stops.trailing_zeros() as usize;
        }
        at += LANES;
    }
    last_stop(bytes, at)
}

/// The same where fewer bytes are left than are looked at together.
#[cold]
fn last_stop(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20)).unwrap_or(rest.len())
}

/// The byte behind white space, and where it stands; 0 at the end, which can begin nothing in JSON.
#[inline(always)]
pub(super) fn token(bytes: &[u8], at: usize) -> (u8, usize) {
    let first = byte(bytes, at);
    if first > b' ' { (first, at) } else { spaced_token(bytes, at) }
}

#[cold]
fn spaced_token(bytes: &[u8], mut at: usize) -> (u8, usize) {
    while matches!(byte(bytes, at), b' ' | b'\n' | b'\r' | b'\t') {
        at += 1;
    }
    (byte(bytes, at), at)
}

/// Where the next key of an object begins, with white space and, if one `is_due`, a comma before it; else where the object ends,
/// and `false`.
pub(super) fn opening(bytes: &[u8], at: usize, is_due: bool) -> Result<(usize, bool), Fault> {
    let (mut byte, mut at) = token(bytes, at);
    if byte == b'}' {
        return Ok((at + 1, false));
    }
    if is_due {
        if byte != b',' {
            return Err(Fault::Syntax);
        }
        (byte, at) = token(bytes, at + 1);
    }
    if byte == b'"' { Ok((at, true)) } else { Err(Fault::Syntax) }
}

/// The same behind a field.
#[inline(always)]
pub(super) fn next_opening(bytes: &[u8], at: usize) -> Result<(usize, bool), Fault> {
    if has(bytes, at, b",\"") { Ok((at + 1, true)) } else { opening(bytes, at, true) }
}

/// Passes a key, from its opening quote to the colon behind it; gives where the closing quote stands, whether the key has
/// escapes, and what was passed, or [`FAULT`].
#[inline(always)]
pub(super) fn key(bytes: &[u8], at: usize) -> (usize, bool, usize) {
    let end = stop(bytes, at + 1);
    if has(bytes, end, b"\":") { (end, false, end + 2) } else { other_key(bytes, at) }
}

/// The same for a key that has escapes or white space behind it.
#[cold]
#[inline(never)]
fn other_key(bytes: &[u8], at: usize) -> (usize, bool, usize) {
    let (end, has_escapes) = string(bytes, at);
    let (colon, at) = token(bytes, end);
    (end - 1, has_escapes, if colon == b':' { at + 1 } else { FAULT })
}

/// Passes any value, with white space before it; gives [`FAULT`] where there is none.
#[inline(always)]
pub(super) fn value(bytes: &[u8], at: usize) -> usize {
    let (first, at) = token(bytes, at);
    if first == b'"' {
        return string(bytes, at).0;
    }
    match first {
        b'{' | b'[' => nested(bytes, at),
        _ => plain(bytes, at, first),
    }
}

/// Passes an object or array with all that is in it.
fn nested(bytes: &[u8], mut at: usize) -> usize {
    // Of each level around the one at hand, whether it is an object; the highest one is where they end.
    let mut around: u64 = 1;
    let mut further: Vec<u64> = Vec::new();
    let mut close = closing(byte(bytes, at));
    let (mut first, next) = token(bytes, at + 1);
    at = next;
    loop {
        if first != close {
            if close == b'}' {
                if first != b'"' {
                    return FAULT;
                }
                (_, _, at) = key(bytes, at);
                (first, at) = token(bytes, at);
            }
            match first {
                b'"' => (at, _) = string(bytes, at),
                b'{' | b'[' => {
                    if around >> 63 != 0 {
                        further.push(std::mem::replace(&mut around, 1));
                    }
                    around = around << 1 | u64::from(close == b'}');
                    close = closing(first);
                    (first, at) = token(bytes, at + 1);
                    continue;
                }
                _ => at = plain(bytes, at, first),
            }
        }
        loop {
            (first, at) = token(bytes, at);
            at += 1;
            if first == b',' {
                break;
            }
            if first != close {
                return FAULT;
            }
            if around == 1 {
                match further.pop() {
                    Some(more) => around = more,
                    None => return at,
                }
            }
            close = if around & 1 != 0 { b'}' } else { b']' };
            around >>= 1;
        }
        (first, at) = token(bytes, at);
        if first == close {
            return FAULT;
        }
    }
}

/// What closes an object or array: the same character two further on.
#[inline(always)]
fn closing(open: u8) -> u8 {
    open + 2
}

/// Passes a string, from its opening quote to the closing one, or gives [`FAULT`]; gives whether it has escapes, too.
#[inline(always)]
pub(super) fn string(bytes: &[u8], at: usize) -> (usize, bool) {
    let end = stop(bytes, at + 1);
    if byte(bytes, end) == b'"' { (end + 1, false) } else { (escaped_string(bytes, end), true) }
}

/// The rest of a string from its first escape, or from what may not be in it.
fn escaped_string(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match byte(bytes, at) {
            b'"' => return at + 1,
            b'\\' => at = stop(bytes, escape(bytes, at)),
            // A control character, or the end of the text.
            _ => return FAULT,
        }
    }
}

/// Passes an escape.
fn escape(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => at + 2,
        Some(b'u') if hex(&bytes[at + 2..]).is_some() => at + 6,
        _ => FAULT,
    }
}

/// Passes a value that is neither string nor object nor array.
#[inline(always)]
fn plain(bytes: &[u8], at: usize, first: u8) -> usize {
    match first {
        b'-' | b'0'..=b'9' => number(bytes, at),
        b'n' if has(bytes, at, b"null") => at + 4,
        b't' if has(bytes, at, b"true") => at + 4,
        b'f' if has(bytes, at, b"false") => at + 5,
        _ => FAULT,
    }
}

/// Most have no exponent, are short, and stand before another field or at an end.
#[inline(always)]
fn number(bytes: &[u8], at: usize) -> usize {
    let start = at + usize::from(byte(bytes, at) == b'-');
    if let Some(lanes) = Lanes::at(bytes, start) {
        let digits = lanes.between(b'0', b'9').bits();
        let whole = digits.trailing_ones() as usize;
        let has_fraction = byte(bytes, start + whole) == b'.';
        let fraction = if has_fraction { (digits >> (whole + 1)).trailing_ones() as usize } else { 0 };
        let end = start + whole + usize::from(has_fraction) + fraction;
        let is_whole = whole == 1 || whole > 1 && byte(bytes, start) != b'0';
        if is_whole && has_fraction == (fraction > 0) && matches!(byte(bytes, end), b',' | b'}' | b']') {
            return end;
        }
    }
    other_number(bytes, at)
}

/// Any number.
#[inline(never)]
fn other_number(bytes: &[u8], at: usize) -> usize {
    let mut at = at + usize::from(byte(bytes, at) == b'-');
    // Behind a first zero there can be no further digit; it is what stands behind the number that is wrong then.
    at = if byte(bytes, at) == b'0' { at + 1 } else { digits(bytes, at) };
    if byte(bytes, at) == b'.' {
        at = digits(bytes, at + 1);
    }
    if matches!(byte(bytes, at), b'e' | b'E') {
        at += 1;
        at = digits(bytes, at + usize::from(matches!(byte(bytes, at), b'+' | b'-')));
    }
    at
}

/// Passes one digit or more.
fn digits(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    match rest.iter().take_while(|byte| byte.is_ascii_digit()).count() {
        0 => FAULT,
        length => start + length,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    fn is_json(text: &str) -> bool {
        let bytes = text.as_bytes();
        token(bytes, value(bytes, 0)).1 == text.len()
    }

    fn same_verdict(text: &str) -> Result<(), TestCaseError> {
        prop_assert_eq!(is_json(text), serde_json::from_str::<IgnoredAny>(text).is_ok(), "{}", text);
        Ok(())
    }

    /// Valid JSON for the most part, with white space in it.
    fn json() -> impl Strategy<Value = String> {
        let space = "[ \t\r\n]?";
        let string = r#""([a-zé日\u{7f}{}\[\]:,]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}){0,40}""#;
        let number = "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?";
        let leaf = prop_oneof![string, number, "null|true|false"].boxed();
        leaf.prop_recursive(6, 64, 5, move |inner| {
            let field = (space, string, space, space, inner.clone(), space)
                .prop_map(|(a, key, b, c, value, d)| format!("{a}{key}{b}:{c}{value}{d}"));
            let item = (space, inner, space).prop_map(|(a, value, b)| format!("{a}{value}{b}"));
            prop_oneof![
                prop::collection::vec(field, 0..5).prop_map(|fields| format!("{{{}}}", fields.join(","))),
                prop::collection::vec(item, 0..5).prop_map(|items| format!("[{}]", items.join(","))),
                space.prop_map(|space| format!("[{space}]")),
                space.prop_map(|space| format!("{{{space}}}")),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        #[test]
        fn the_verdict_on_json_is_that_of_serde_json(text in json(), around in "[ \t\r\n]{0,2}") {
            prop_assert!(is_json(&text), "{}", text);
            same_verdict(&format!("{around}{text}{around}"))?;
        }

        #[test]
        fn the_verdict_on_spoilt_json_is_that_of_serde_json(
            text in json(), at: prop::sample::Index, with in "[\\x00-\\x7fé]|[-0-9eE.,:\"\\\\\\[\\]{}u ]{1,2}|", cut in 0..3_usize,
        ) {
            let chars: Vec<char> = text.chars().collect();
            let at = at.index(chars.len());
            let rest = chars[(at + cut).min(chars.len())..].iter();
            let spoilt: String = chars[..at].iter().copied().chain(with.chars()).chain(rest.copied()).collect();
            same_verdict(&spoilt)?;
            same_verdict(&chars[..at].iter().collect::<String>())?;
        }

        #[test]
        fn the_verdict_on_tokens_is_that_of_serde_json(text in "([-0-9.eE+]{1,4}|[\\[\\]{},: ]|\"[^\"]{0,3}\"|null|true|false|nul){0,12}") {
            same_verdict(&text)?;
        }
    }

    #[test]
    fn no_depth_is_too_deep_and_none_is_mistaken() {
        for depth in [1, 62, 63, 64, 65, 127, 128, 129, 1000, 100_000] {
            let opens: String =
                (0..depth).map(|level| if level % 3 == 0 { "[" } else { "{\"a\":" }).collect();
            let closes: String =
                (0..depth).rev().map(|level| if level % 3 == 0 { "]" } else { "}" }).collect();
            assert!(is_json(&format!("{opens}1{closes}")), "{depth}");
            assert!(!is_json(&format!("{opens}1{}", &closes[1..])), "{depth}");
            assert!(!is_json(&format!("{opens}1{closes}]")), "{depth}");
            let swapped = closes.replacen("}]", "]}", 1);
            assert!(depth < 3 || !is_json(&format!("{opens}1{swapped}")), "{depth}");
        }
    }
}
