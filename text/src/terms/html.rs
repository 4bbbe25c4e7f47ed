//! Undoing the HTML escapes with which some services write their texts.
//!
//! Idea: `&amp;`, `&lt;`, `&gt;`, `&quot;`, `&apos;` and numeric references are all that posts have; anything else that
//! begins with `&` stays as it is. What comes out of an escape is not looked at again.
//! Cost: a text without `&` is handed back as it is; else it is copied once into the caller's buffer.

use std::ops::Range;

use memchr::memchr;

/// The text without escapes: the text itself, or the content of `buffer`, which is cleared first.
pub(super) fn unescape<'a>(text: &'a str, buffer: &'a mut String) -> &'a str {
    let Some(mut at) = memchr(b'&', text.as_bytes()) else { return text };
    buffer.clear();
    let mut rest = text;
    loop {
        buffer.push_str(&rest[..at]);
        rest = &rest[at..];
        let (c, length) = escape(rest).unwrap_or(('&', 1));
        buffer.push(c);
        rest = &rest[length..];
        match memchr(b'&', rest.as_bytes()) {
            Some(next) => at = next,
            None => break,
        }
    }
    buffer.push_str(rest);
    buffer
}

/// Shows the escapes of a text, of which all `signs` (`&`) are known; `false`, after some of them or none, if one stands for
/// what may belong to a word.
pub(super) fn all_apart(text: &str, signs: &[usize], mut see: impl FnMut(Range<usize>)) -> bool {
    signs.iter().all(|&at| match escape(&text[at..]) {
        Some(('&' | '<' | '>' | '"', length)) => {
            see(at..at + length);
            true
        }
        Some(_) => false,
        None => true,
    })
}

/// The character that an escape at the beginning of `text` stands for, and the length of the escape in bytes.
fn escape(text: &str) -> Option<(char, usize)> {
    // The longest that means something, `&#1114111;`, has ten bytes; leading zeros are allowed a few more.
    let window = &text.as_bytes()[..text.len().min(16)];
    let end = memchr(b';', window)?;
    let name = &text[1..end];
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => numbered(name.strip_prefix('#')?)?,
    };
    Some((c, end + 1))
}

/// The character with a number, decimal, or hexadecimal behind an `x`.
pub(crate) fn numbered(number: &str) -> Option<char> {
    let value = match number.strip_prefix(['x', 'X']) {
        // A sign is a number to the standard library.
        Some(hex) if hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16),
        None if number.bytes().all(|byte| byte.is_ascii_digit()) => number.parse(),
        _ => return None,
    };
    value.ok().filter(|&value| value != 0).and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unescaped(text: &str) -> String {
        unescape(text, &mut String::from("left over")).to_owned()
    }

    fn escaped(text: &str) -> String {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;")
    }

    proptest! {
        #[test]
        fn what_was_escaped_comes_back(text in "\\PC*|[&<>\"'a;#x3]*") {
            prop_assert_eq!(unescaped(&escaped(&text)), text);
        }

        #[test]
        fn anything_goes_and_nothing_grows(text in "([&#xX0-9a-f;]|amp|lt|\\PC)*") {
            prop_assert!(unescaped(&text).len() <= text.len());
        }
    }

    #[test]
    fn names_and_numbers_are_known() {
        assert_eq!(unescaped("&lt;b&gt; &amp;amp; &quot;&apos;&#39;"), "<b> &amp; \"''");
        assert_eq!(unescaped("&#128512;&#x1f600;&#X41;&#0000065;"), "😀😀AA");
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in [
            "&",
            "a & b;",
            "&;",
            "&nbsp;",
            "&#;",
            "&#x;",
            "&#0;",
            "&#xd800;",
            "&#1114112;",
            "&#-1;",
            "&#+1;",
            "&é;",
        ] {
            assert_eq!(unescaped(text), text);
        }
    }
}
