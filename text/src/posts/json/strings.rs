//! The escapes in JSON strings.
//!
//! Idea: what stands between escapes is copied as it is; of `\u` a pair of surrogates makes one character.
//! Invariant: half of a pair is no character and has no place in a text (RFC 8259, section 8.2, leaves open what a reader
//! makes of it): such a string is refused.
//! Cost: one buffer of the length of the escaped text, which is never too short.

use memchr::memchr;

use super::cursor::Fault;

/// The text that a string stands for; `inside` is what stands between its quotes, in which every escape is well formed.
pub(super) fn unescape(inside: &str) -> Result<String, Fault> {
    let mut text = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        text.push_str(&rest[..at]);
        let (c, length) = escape(&rest.as_bytes()[at..])?;
        text.push(c);
        rest = &rest[at + length..];
    }
    text.push_str(rest);
    Ok(text)
}

/// The character for which the escape at the beginning stands, and the length of the escape.
fn escape(bytes: &[u8]) -> Result<(char, usize), Fault> {
    let c = match bytes.get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(&byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
        Some(b'u') => return unit(bytes),
        _ => return Err(Fault::Syntax),
    };
    Ok((c, 2))
}

/// The same for an escape that begins with `\u`, with the one behind it where both are one character.
fn unit(bytes: &[u8]) -> Result<(char, usize), Fault> {
    let first = bytes.get(2..).and_then(hex).ok_or(Fault::Syntax)?;
    if let Some(c) = char::from_u32(first) {
        return Ok((c, 6));
    }
    let second = bytes.get(6..).and_then(|rest| hex(rest.strip_prefix(b"\\u")?));
    match (first, second) {
        (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) => {
            let c = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            Ok((char::from_u32(c).ok_or(Fault::Surrogate)?, 12))
        }
        _ => Err(Fault::Surrogate),
    }
}

/// The number that four hexadecimal digits at the beginning make.
pub(super) fn hex(bytes: &[u8]) -> Option<u32> {
    let digits: &[u8; 4] = bytes.first_chunk()?;
    digits.iter().try_fold(0, |number, &digit| Some(number << 4 | char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn strings_are_those_that_serde_json_reads(
            inside in r#"([a-zé日]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}|\\ud[89aA-F][0-9]{2}|\\uD[89ab][0-9a-f]{2}\\ud[cdef][0-9a-f]{2}){0,12}"#
        ) {
            let expected: Option<String> = serde_json::from_str(&format!("\"{inside}\"")).ok();
            let found = unescape(&inside);
            prop_assert!(found.is_ok() || found == Err(Fault::Surrogate));
            prop_assert_eq!(found.ok(), expected);
        }

        #[test]
        fn any_text_comes_back(text: String) {
            let written: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            prop_assert_eq!(unescape(&written), Ok(text.clone()));
            let quoted = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(unescape(&quoted[1..quoted.len() - 1]), Ok(text));
        }
    }
}
