//! The key of a term: what makes two spellings one term.
//!
//! Idea: `NFC(casefold(NFC(term)))` with full default case folding (Unicode 3.13, `CaseFolding.txt` status C and F), so
//! that `STRASSE` and `straße`, `É` and `e` with a combining accent meet in one key. No language is assumed, so the
//! Turkish dotless `ı` stays a letter of its own.
//! Invariant: a key folds to itself, so that a key taken from an answer can be asked for again.
//! Cost: ASCII is copied and lower-cased in place; the rest goes through tables, character by character. Nothing is
//! allocated but what the caller's buffer needs to grow, and for long runs of combining marks.

use caseless::Caseless;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::Kind;
use super::alphabet::character;

/// Folds one term into its key, clearing `into` first; the result is the whole of `into`.
pub fn fold<'a>(term: &str, into: &'a mut String) -> &'a str {
    into.clear();
    append(term, into);
    into
}

/// Folds one term and puts its key behind what `into` holds already.
pub(super) fn append(term: &str, into: &mut String) {
    if term.is_ascii() {
        append_ascii(term, into);
        return;
    }
    let start = into.len();
    let (mut is_settled, mut is_folded) = (true, true);
    for character in term.chars().map(character) {
        is_settled &= character.is_settled();
        is_folded &= character.is_folded();
    }
    if is_settled || (is_folded && is_nfc(term)) {
        into.push_str(term);
        return;
    }
    if append_simple(term, into) {
        return;
    }
    into.truncate(start);
    if is_nfc(term) {
        into.extend(term.chars().default_case_fold());
        if is_nfc(&into[start..]) {
            return;
        }
        into.truncate(start);
    }
    into.extend(term.chars().nfc().default_case_fold().nfc());
}

/// The same for a term in which each character is its own key, or is folded to one that is, and neither combines with
/// anything; `false` if it has others. What was put into `into` until then stays there.
fn append_simple(term: &str, into: &mut String) -> bool {
    term.chars().all(|c| {
        if character(c).is_settled() {
            into.push(c);
            return true;
        }
        let mut folded = std::iter::once(c).default_case_fold();
        match (folded.next(), folded.next()) {
            (Some(one), None) if is_inert(c) && character(one).is_settled() => {
                into.push(one);
                true
            }
            _ => false,
        }
    })
}

/// The same for the ASCII in a text; anything else is left as it is.
pub(super) fn append_ascii(term: &str, into: &mut String) {
    let start = into.len();
    into.push_str(term);
    into[start..].make_ascii_lowercase();
}

/// Whether a text is in NFC; `false` also where finding out would take as long as normalising.
fn is_nfc(text: &str) -> bool {
    text.chars().all(is_inert) || is_nfc_quick(text.chars()) == IsNormalized::Yes
}

/// Whether a character is of one of the larger alphabets, of which no letter ever changes under NFC or combines with
/// another one.
fn is_inert(c: char) -> bool {
    matches!(c, '\0'..='\u{2ff}' | 'Ѐ'..='\u{482}' | 'Ҋ'..='ԯ' | 'א'..='ת' | 'ء'..='ي' | 'ぁ'..='ゖ' | 'ァ'..='ー' | '一'..='鿿' | '가'..='힣')
}

/// The key of a term as somebody typed it, in a request or in the configuration.
///
/// All leading signs of the kind are taken off (`#` and `＃`, `@` and `＠`, `$`), as they are of a post's own list, where no
/// key begins with one; the rest is folded. Of a phrase each word is folded, with one space between them whatever the
/// white space was.
pub fn key(kind: Kind, asked: &str) -> String {
    let signs: &[char] = match kind {
        Kind::Hashtags => &['#', '＃'],
        Kind::Mentions => &['@', '＠'],
        Kind::Cashtags => &['$'],
        Kind::Words | Kind::Emoji | Kind::Domains | Kind::Phrases => &[],
    };
    let mut key = String::with_capacity(asked.len());
    if kind == Kind::Phrases {
        for word in asked.split_whitespace() {
            if !key.is_empty() {
                key.push(' ');
            }
            append(word, &mut key);
        }
    } else {
        append(asked.trim_start_matches(signs), &mut key);
    }
    key
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folded(term: &str) -> String {
        let mut into = String::from("left over");
        fold(term, &mut into).to_owned()
    }

    proptest! {
        #[test]
        fn the_short_ways_give_what_the_definition_gives(term in "\\PC*|[a-zA-Zä-üÀ-Þ\u{300}-\u{345}ẞßſİıᾳ]*") {
            let definition: String = term.chars().nfc().default_case_fold().nfc().collect();
            prop_assert_eq!(folded(&term), definition);
        }

        #[test]
        fn a_key_folds_to_itself(term in "\\PC*|[a-zA-ZÀ-ʯ\u{300}-\u{345}Ͱ-Ͽἀ-῾Ա-ևﬀ-ﬗ]*") {
            let once = folded(&term);
            prop_assert_eq!(folded(&once), once);
        }

        #[test]
        fn spellings_that_mean_the_same_meet(term in "[a-zà-öø-ÿа-яα-ω]*") {
            let decomposed: String = term.to_uppercase().nfd().collect();
            prop_assert_eq!(folded(&decomposed), folded(&term));
        }
    }

    #[test]
    fn what_is_called_inert_is_so_for_the_tables() {
        let inert: String = ('\0'..=char::MAX).filter(|&c| is_inert(c)).collect();
        assert_eq!(is_nfc_quick(inert.chars()), IsNormalized::Yes);
        assert!(inert.chars().all(|c| unicode_normalization::char::canonical_combining_class(c) == 0));
    }

    #[test]
    fn folding_is_full_and_knows_no_language() {
        assert_eq!(folded("STRASSE"), folded("Straße"));
        assert_eq!(folded("Cafe\u{301}"), "café");
        assert_eq!(folded("ΣΊΣΥΦΟΣ"), folded("σίσυφος"));
        assert_eq!(folded("İ"), "i\u{307}");
        assert_ne!(folded("ı"), folded("I"));
        assert_eq!(folded("Ǆ"), "ǆ");
    }

    #[test]
    fn what_is_asked_for_may_carry_signs_of_its_kind() {
        assert_eq!(key(Kind::Hashtags, "#Rust"), "rust");
        assert_eq!(key(Kind::Hashtags, "＃Rust"), "rust");
        assert_eq!(key(Kind::Hashtags, "Rust"), "rust");
        assert_eq!(key(Kind::Hashtags, "##rust"), "rust");
        assert_eq!(key(Kind::Hashtags, "#＃#Rust"), "rust");
        assert_eq!(key(Kind::Hashtags, "@rust"), "@rust");
        assert_eq!(key(Kind::Hashtags, "##"), "");
        assert_eq!(key(Kind::Mentions, "@Ada"), "ada");
        assert_eq!(key(Kind::Mentions, "＠Ada"), "ada");
        assert_eq!(key(Kind::Mentions, "@@Ada"), "ada");
        assert_eq!(key(Kind::Cashtags, "$ABC"), "abc");
        assert_eq!(key(Kind::Cashtags, "$$ABC"), "abc");
        assert_eq!(key(Kind::Words, "##Rust"), "##rust");
        assert_eq!(key(Kind::Phrases, " Good \t MORNING\n"), "good morning");
        assert_eq!(key(Kind::Domains, "Example.COM"), "example.com");
        assert_eq!(key(Kind::Emoji, "👍🏽"), "👍🏽");
        assert_eq!(key(Kind::Hashtags, "#"), "");
    }
}
