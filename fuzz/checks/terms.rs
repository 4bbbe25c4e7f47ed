//! Terms: any text gives terms that keep the promises of `tidings_text::terms`, whatever else is asked for.

use std::borrow::Cow;

use tidings_text::terms::Kind;
use tidings_text::terms::entities::{Entity, EntityKind, entities};
use tidings_text::terms::extract::{Extractor, Input, MAX_KEY, MAX_TERMS};
use tidings_text::terms::fold;
use tidings_text::terms::words::Words;

type Row = (Kind, String, String);

/// Takes a text apart in every way; bytes that are no UTF-8 are replaced first.
pub fn check(text: &[u8]) {
    let text = &*String::from_utf8_lossy(text);
    let mut found = Vec::new();
    entities(text, &mut found);
    check_entities(text, &found);
    check_words(text);
    for html in [false, true] {
        let input = Input { text, html, hashtags: None };
        let Some(all) = rows(&Kind::ALL, &input) else { continue };
        assert!(all.len() <= MAX_TERMS);
        for (kind, key, spelling) in &all {
            assert!(!key.is_empty() && !spelling.is_empty() && key.len() <= MAX_KEY, "{kind}: {key:?}");
            // Of a phrase white space is taken for its middle, which a mark behind other white space makes a part of a word.
            if *kind != Kind::Phrases || key.chars().filter(|c| c.is_whitespace()).count() == 1 {
                assert_eq!(fold::key(*kind, spelling), *key, "{kind}");
            }
        }
        for kind in Kind::ALL {
            let among: Vec<Row> = all.iter().filter(|row| row.0 == kind).cloned().collect();
            assert_eq!(rows(&[kind], &input), Some(among), "{kind} alone and among others");
        }
        let tags: Vec<&Row> = all.iter().filter(|row| row.0 == Kind::Hashtags).collect();
        let own: Vec<Cow<'_, str>> = tags.iter().map(|row| Cow::Borrowed(&*row.2)).collect();
        let named = rows(&[Kind::Hashtags], &Input { text: "", html, hashtags: Some(&own) });
        assert_eq!(named.iter().flatten().collect::<Vec<_>>(), tags, "a list of its own");
    }
}

fn check_entities(text: &str, found: &[Entity]) {
    let mut taken = 0;
    for Entity { kind, start, end } in found {
        assert!(taken <= *start && start < end, "{found:?}");
        let written = &text[*start..*end];
        let signs: &[char] = match kind {
            EntityKind::Hashtag => &['#', '＃'],
            EntityKind::Mention => &['@', '＠'],
            EntityKind::Cashtag => &['$'],
            EntityKind::Url => &[],
        };
        assert!(signs.is_empty() || written.starts_with(signs), "{kind:?} {written:?}");
        taken = *end;
    }
}

fn check_words(text: &str) {
    let mut rest = text;
    Words::new().each(text, |word| {
        let at = rest.find(word).expect("a word stands in the text, behind the word before it");
        assert!(word.chars().any(char::is_alphabetic), "{word:?}");
        rest = &rest[at + word.len()..];
    });
}

/// All terms; `None`: there are too many.
fn rows(kinds: &[Kind], input: &Input<'_>) -> Option<Vec<Row>> {
    let mut extractor = Extractor::new(kinds);
    let mut once = || {
        let terms = extractor.extract(input).ok()?;
        let text = |term: &[u8]| String::from_utf8(term.to_vec()).expect("terms are UTF-8");
        Some(terms.map(|(kind, key, spelling)| (kind, text(key), text(spelling))).collect())
    };
    let first: Option<Vec<Row>> = once();
    assert_eq!(first, once(), "the second time");
    first
}
