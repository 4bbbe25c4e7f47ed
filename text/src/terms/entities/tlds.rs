//! Top-level domains, by which a URL without a scheme is told from a full stop without a space.
//!
//! Idea: the names in ASCII are looked up in the root zone's list (crate `tld`); those in other scripts are decoded from
//! it once, and the longest that the text begins with is taken, since such names are often followed by more text
//! without a space.
//! Cost: one perfect hash for a name in ASCII; a binary search for one in another script.

use std::sync::LazyLock;

use super::punycode::decode;

/// Longer than any name that the root zone will ever have.
const MAX_ASCII: usize = 63;

/// Served by Tor and not by the root zone, but known to twitter-text.
const ONION: &str = "onion";

static OTHER_SCRIPTS: LazyLock<Vec<Box<str>>> = LazyLock::new(|| {
    let mut names: Vec<Box<str>> =
        tld::TLD.iter().filter_map(|name| decode(name)).map(String::into_boxed_str).collect();
    names.sort_unstable();
    names
});

/// Length in bytes of the top-level domain with which `text` begins and behind which no ASCII letter or digit, `@`, `+`
/// or `-` stands.
pub(super) fn top_level_domain(text: &str) -> Option<usize> {
    if let Some(length) = punycode(text) {
        return Some(length);
    }
    let letters = text.bytes().take(MAX_ASCII).take_while(u8::is_ascii_alphanumeric).count();
    let behind = text.as_bytes().get(letters);
    ascii(text, letters).or_else(|| behind.filter(|byte| !byte.is_ascii()).and_then(|_| other_script(text)))
}

/// The same for a name in ASCII, which can only be all the letters and digits with which the text begins.
fn ascii(text: &str, length: usize) -> Option<usize> {
    let name = &text[..length];
    let known = length > 1
        && may_end(&text[length..])
        && (tld::exist_case_insensitive(name) || name.eq_ignore_ascii_case(ONION));
    known.then_some(length)
}

fn other_script(text: &str) -> Option<usize> {
    let first = text.chars().next()?.to_lowercase().next()?;
    let from = OTHER_SCRIPTS.partition_point(|name| name.chars().next() < Some(first));
    OTHER_SCRIPTS[from..]
        .iter()
        .take_while(|name| name.starts_with(first))
        .filter_map(|name| same_letters(text, name))
        .filter(|&length| may_end(&text[length..]))
        .max()
}

/// Any label that begins with `xn--` passes for a top-level domain, as in the reference.
fn punycode(text: &str) -> Option<usize> {
    let (prefix, rest) = text.as_bytes().split_first_chunk::<4>()?;
    if !prefix.eq_ignore_ascii_case(b"xn--") {
        return None;
    }
    let digits = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    (digits > 0).then_some(4 + digits)
}

/// Length of the part of `text` that is `name` but for the case of letters; `name` is in lower case.
fn same_letters(text: &str, name: &str) -> Option<usize> {
    let mut chars = text.chars();
    name.chars()
        .all(|wanted| chars.next().is_some_and(|c| c.to_lowercase().eq([wanted])))
        .then(|| text.len() - chars.as_str().len())
}

fn may_end(rest: &str) -> bool {
    let is_in_the_way = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'+' | b'-');
    !rest.as_bytes().first().is_some_and(is_in_the_way)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_case_and_script() {
        for (text, length) in [
            ("com", 3),
            ("COM/x", 3),
            ("рф.", 4),
            ("РФ", 4),
            ("みんなです", 9),
            ("xn--p1ai", 8),
            ("onion", 5),
        ] {
            assert_eq!(top_level_domain(text), Some(length), "{text}");
        }
        for text in ["", "c", "comm", "com-x", "com@", "みんなa", "xn--", "bz2", "1"] {
            assert_eq!(top_level_domain(text), None, "{text}");
        }
    }

    #[test]
    fn the_root_zone_has_names_in_other_scripts() {
        assert!(OTHER_SCRIPTS.len() > 100);
        assert!(OTHER_SCRIPTS.iter().all(|name| !name.is_ascii() && **name == name.to_lowercase()));
        // Behind letters and digits of ASCII comes what is not ASCII, not another character of ASCII.
        let is_known = |c: char| c.is_ascii_alphanumeric() || !c.is_ascii();
        assert!(OTHER_SCRIPTS.iter().all(|name| name.chars().all(is_known)));
        assert!(tld::TLD.iter().all(|name| name.len() > 1));
    }
}
