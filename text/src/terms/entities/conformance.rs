//! The cases of twitter-text's own conformance suite, read from its file as its authors ask.

use std::fmt::Write;

use saphyr::{LoadableYamlNode, Yaml};

use super::{EntityKind, entities};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/twitter-text/extract.yml");

/// An entity as the cases give it: its text without the sign, and its place in code points where the case has one.
type Expected = (String, Option<(i64, i64)>);

fn found(text: &str, kind: EntityKind) -> Vec<(String, (i64, i64))> {
    let mut all = Vec::new();
    entities(text, &mut all);
    let place = |at: usize| i64::try_from(text[..at].chars().count()).expect("the texts are short");
    all.iter()
        .filter(|entity| entity.kind == kind)
        .map(|entity| {
            let skipped = usize::from(kind != EntityKind::Url);
            let term = text[entity.start..entity.end].chars().skip(skipped).collect();
            (term, (place(entity.start), place(entity.end)))
        })
        .collect()
}

fn expected(row: &Yaml<'_>, field: &str) -> Expected {
    if let Some(term) = row.as_str() {
        return (term.to_owned(), None);
    }
    let text = |name: &str| row.as_mapping_get(name).and_then(Yaml::as_str).unwrap_or_default();
    let indices = row.as_mapping_get("indices").expect("a row has its place");
    let index =
        |at: usize| indices.as_sequence_get(at).and_then(Yaml::as_integer).expect("a place has two ends");
    (text(field).to_owned() + text("list_slug"), Some((index(0), index(1))))
}

/// Runs one section of the file; `field` is where a row with indices has its text.
fn run(section: &str, kind: EntityKind, field: &str, least: usize) {
    let file = std::fs::read_to_string(FILE).expect("the suite is there");
    let suite = Yaml::load_from_str(&file).expect("the suite is YAML");
    let cases = suite[0].as_mapping_get("tests").and_then(|tests| tests.as_mapping_get(section));
    let cases = cases.and_then(Yaml::as_vec).expect("the section is there");
    assert!(cases.len() >= least, "{section} has only {} cases", cases.len());
    let mut failures = String::new();
    for case in cases {
        let text = case.as_mapping_get("text").and_then(Yaml::as_str).expect("a case has a text");
        let rows =
            case.as_mapping_get("expected").and_then(Yaml::as_vec).expect("a case says what it expects");
        let wanted: Vec<Expected> = rows.iter().map(|row| expected(row, field)).collect();
        let got = found(text, kind);
        let same = got.len() == wanted.len()
            && got
                .iter()
                .zip(&wanted)
                .all(|(got, wanted)| got.0 == wanted.0 && wanted.1.is_none_or(|place| place == got.1));
        if !same {
            let name = case.as_mapping_get("description").and_then(Yaml::as_str).unwrap_or_default();
            writeln!(failures, "{name}\n   text {text:?}\n   want {wanted:?}\n   have {got:?}")
                .expect("it is a string");
        }
    }
    assert!(failures.is_empty(), "{section}:\n{failures}");
}

#[test]
#[ignore = "reads ../shared/data, see .ci/run"]
fn hashtags() {
    run("hashtags", EntityKind::Hashtag, "hashtag", 65);
    run("hashtags_from_astral", EntityKind::Hashtag, "hashtag", 3);
    run("hashtags_with_indices", EntityKind::Hashtag, "hashtag", 8);
}

#[test]
#[ignore = "reads ../shared/data, see .ci/run"]
fn mentions() {
    run("mentions", EntityKind::Mention, "screen_name", 23);
    run("mentions_with_indices", EntityKind::Mention, "screen_name", 3);
    run("mentions_or_lists_with_indices", EntityKind::Mention, "screen_name", 5);
}

#[test]
#[ignore = "reads ../shared/data, see .ci/run"]
fn cashtags() {
    run("cashtags", EntityKind::Cashtag, "cashtag", 8);
    run("cashtags_with_indices", EntityKind::Cashtag, "cashtag", 2);
}

#[test]
#[ignore = "reads ../shared/data, see .ci/run"]
fn urls() {
    run("urls", EntityKind::Url, "url", 91);
    run("urls_with_indices", EntityKind::Url, "url", 10);
    run("urls_with_directional_markers", EntityKind::Url, "url", 2);
    run("tco_urls_with_params", EntityKind::Url, "url", 5);
}
