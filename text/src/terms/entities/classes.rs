//! The classes of characters in terms of which twitter-text describes entities.
//!
//! Idea: one predicate a class, the ASCII part decided without a table. Letters, marks and digits are those of Unicode's
//! general categories, which is how the reference builds its lists.
//! Invariant: no class of which names and tags consist has a sign (`#`, `@`, `$`) or a full stop in it, so that a scanner
//! may jump from one to the next.

use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointMapDataBorrowed};

static CATEGORY: CodePointMapDataBorrowed<'static, GeneralCategory> =
    CodePointMapData::<GeneralCategory>::new();

const LETTER_OR_MARK: GeneralCategoryGroup = GeneralCategoryGroup::Letter.union(GeneralCategoryGroup::Mark);

/// A letter or a mark: what a hashtag must have at least one of.
pub(super) fn is_tag_letter(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphabetic() } else { LETTER_OR_MARK.contains(CATEGORY.get(c)) }
}

/// What a hashtag may consist of: letters, marks, decimal digits, and the joiners and points that words are written
/// with in several scripts.
pub(super) fn is_tag_char(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    let category = CATEGORY.get(c);
    LETTER_OR_MARK.contains(category)
        || category == GeneralCategory::DecimalNumber
        || matches!(
            c,
            '\u{b7}'
                | '\u{5be}'
                | '\u{5f3}'
                | '\u{5f4}'
                | '\u{f0b}'
                | '\u{f0c}'
                | '\u{200c}'
                | '\u{200d}'
                | '\u{3003}'
                | '\u{301c}'
                | '\u{309b}'
                | '\u{309c}'
                | '\u{30a0}'
                | '\u{30fb}'
                | '\u{a67e}'
                | '\u{ff5e}'
        )
}

/// Letters of Latin outside ASCII and the marks that go with them: what the reference takes for a letter in URLs and
/// behind mentions.
pub(super) fn is_latin_accent(c: char) -> bool {
    matches!(c,
        '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{24f}'
        | '\u{253}' | '\u{254}' | '\u{256}' | '\u{257}' | '\u{259}' | '\u{25b}' | '\u{263}' | '\u{268}'
        | '\u{26f}' | '\u{272}' | '\u{289}' | '\u{28b}' | '\u{2bb}'
        | '\u{300}'..='\u{36f}' | '\u{1e00}'..='\u{1eff}')
}

/// White space.
pub(super) fn is_space(c: char) -> bool {
    matches!(c, '\t'..='\r' | ' ' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{180e}' | '\u{2000}'..='\u{200a}'
        | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// ASCII punctuation but `"` and the grave accent.
pub(super) fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() && c != '"' && c != '`'
}

/// What may stand in the name of a host beside the `-` and `_` inside it: anything but punctuation, white space and
/// characters that steer the direction of the text.
pub(super) fn is_domain_char(c: char) -> bool {
    if c.is_ascii() {
        return DOMAIN_ASCII >> c as u32 & 1 != 0;
    }
    !(is_space(c) || is_noncharacter(c) || is_directional(c))
}

/// The bits of all ASCII characters but punctuation and white space.
const DOMAIN_ASCII: u128 = {
    let (mut bits, mut byte) = (0, 0_u8);
    while byte < 128 {
        let is_punctuation = byte.is_ascii_punctuation() && byte != b'"' && byte != b'`';
        if !is_punctuation && !matches!(byte, b'\t'..=b'\r' | b' ') {
            bits |= 1 << byte;
        }
        byte += 1;
    }
    bits
};

/// The bits of the ASCII characters of which labels of hosts consist.
const LABEL_ASCII: u128 = DOMAIN_ASCII | 1 << b'-' | 1 << b'_';

/// Whether a character can be part of a label of a host.
pub(super) fn is_label_char(c: char) -> bool {
    is_domain_char(c) || matches!(c, '-' | '_')
}

/// Where the row of characters ends that begins at `at` and of which labels consist.
pub(super) fn label_end(text: &str, mut at: usize) -> usize {
    loop {
        match text.as_bytes().get(at) {
            Some(&byte) if byte.is_ascii() => {
                if LABEL_ASCII >> byte & 1 == 0 {
                    return at;
                }
                at += 1;
            }
            Some(_) => match text[at..].chars().next() {
                Some(c) if is_domain_char(c) => at += c.len_utf8(),
                _ => return at,
            },
            None => return at,
        }
    }
}

/// Where the row of labels and full stops begins that ends at `at`, not before `least`.
pub(super) fn row_start(text: &str, least: usize, mut at: usize) -> usize {
    while at > least {
        let byte = text.as_bytes()[at - 1];
        if byte.is_ascii() {
            if (LABEL_ASCII | 1 << b'.') >> byte & 1 == 0 {
                break;
            }
            at -= 1;
        } else {
            match text[least..at].chars().next_back() {
                Some(c) if is_domain_char(c) => at -= c.len_utf8(),
                _ => break,
            }
        }
    }
    at
}

/// What may not stand directly before a URL.
pub(super) fn blocks_url(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '@' | '＠' | '$' | '#' | '＃') || is_noncharacter(c)
}

fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn is_directional(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_full_stops_belong_to_nothing() {
        for c in ['#', '@', '$', '.', '\u{ff03}', '\u{ff20}'] {
            assert!(!is_tag_char(c) && !is_tag_letter(c) && !is_latin_accent(c), "{c}");
        }
        assert!(!is_domain_char('.') && !is_domain_char('#') && !is_domain_char('\u{2069}'));
    }

    #[test]
    fn rows_consist_of_the_characters_of_labels() {
        for c in ('\0'..='\u{2fff}').chain(('\u{3000}'..=char::MAX).step_by(37)) {
            let text = format!("a{c}b");
            assert_eq!(label_end(&text, 0) == text.len(), is_label_char(c), "{c:?}");
            assert_eq!(row_start(&text, 0, text.len()) == 0, is_label_char(c) || c == '.', "{c:?}");
        }
    }

    #[test]
    fn hosts_have_no_punctuation_and_no_spaces() {
        assert!(('\0'..='\u{7f}').all(|c| is_domain_char(c) != (is_punctuation(c) || is_space(c))));
    }

    #[test]
    fn letters_are_a_part_of_what_tags_consist_of() {
        assert!(('\0'..=char::MAX).all(|c| is_tag_char(c) || !is_tag_letter(c)));
    }
}
