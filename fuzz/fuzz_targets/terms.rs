//! Texts of any kind, and their hashtags as another implementation finds them.

#![no_main]

#[path = "../checks/terms.rs"]
mod terms;

use std::cell::RefCell;
use std::collections::HashMap;

use tidings_text::terms::entities::{EntityKind, entities};
use twitter_text::extractor::Extractor;

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    terms::check(text);
    compare(&comparable(&String::from_utf8_lossy(text)));
});

fn compare(text: &str) {
    assert_eq!(own(text), Extractor::new().extract_hashtags(text), "the hashtags of {text:?}");
}

fn own(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    entities(text, &mut found);
    let tags = found.iter().filter(|entity| entity.kind == EntityKind::Hashtag);
    tags.map(|tag| text[tag.start..tag.end].trim_start_matches(['#', '＃']).to_owned()).collect()
}

/// The text without what the other implementation is known to see in another way than twitter-text's own regular
/// expressions: it takes a digit before a sign for a free place, does not look at a sign behind a tag, knows only older
/// characters, and does not ask for other entities when it is asked for hashtags alone.
fn comparable(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let (mut before, mut in_tag) = (Class::Other, false);
    for c in text.chars().filter(|c| !matches!(c, '.' | ':' | '/' | '@' | '＠' | '$')) {
        let class = class_of(c);
        match class {
            Class::Disputed => continue,
            Class::Sign if before == Class::Digit || (in_tag && before == Class::Letter) => {
                kept.push(' ');
                in_tag = true;
            }
            Class::Sign => in_tag = true,
            Class::Other => in_tag = false,
            Class::Letter | Class::Digit => {}
        }
        kept.push(c);
        before = class;
    }
    kept
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Sign,
    /// May be in a tag, and makes one.
    Letter,
    /// May be in a tag beside a letter.
    Digit,
    Other,
    /// The implementations do not agree.
    Disputed,
}

fn class_of(c: char) -> Class {
    thread_local!(static KNOWN: RefCell<HashMap<char, Class>> = RefCell::default());
    KNOWN.with_borrow_mut(|known| *known.entry(c).or_insert_with(|| class(c)))
}

fn class(c: char) -> Class {
    if matches!(c, '#' | '＃') {
        return Class::Sign;
    }
    let probes = [format!("#{c}"), format!("#a{c}a"), format!("{c}#a")];
    if probes.iter().any(|text| own(text) != Extractor::new().extract_hashtags(text)) && !is_digit(c) {
        return Class::Disputed;
    }
    let in_tag = own(&probes[1]).concat().chars().count() == 3;
    match in_tag {
        true if own(&format!("#1{c}")).is_empty() => Class::Digit,
        true => Class::Letter,
        false => Class::Other,
    }
}

/// Those that may be in a tag and do not make one; of them the implementations differ only before a sign.
fn is_digit(c: char) -> bool {
    let (alone, among) = (format!("#1{c}"), format!("#a{c}a"));
    let other = Extractor::new();
    own(&alone).is_empty()
        && other.extract_hashtags(&alone).is_empty()
        && own(&among).concat().chars().count() == 3
        && own(&among) == other.extract_hashtags(&among)
}
