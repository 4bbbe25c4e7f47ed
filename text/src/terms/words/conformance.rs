//! The cases of the Unicode Character Database for word boundaries (UAX #29), read from the file that ships with the
//! sources of `icu_segmenter`.

use std::env::{home_dir, var_os};
use std::fs;
use std::path::PathBuf;

use super::super::scripts::is_unspaced;
use super::*;

/// The cases of the version of Unicode that `unicode-segmentation` has.
const FILE: &str = "tests/testdata/WordBreakTest_17.txt";

fn cases() -> String {
    let cargo = var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(home_dir()?.join(".cargo")));
    let sources = cargo.expect("cargo has a home").join("registry/src");
    let folders =
        |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let crates = folders(sources).flat_map(folders);
    let files =
        crates.filter(|path| path.to_string_lossy().contains("icu_segmenter-")).map(|path| path.join(FILE));
    let found = files.into_iter().find_map(|file| fs::read_to_string(file).ok());
    found.expect("the sources of icu_segmenter are where cargo puts them")
}

/// The segments of a case: `÷` is a boundary, `×` is none, between code points in hexadecimal.
fn segments(case: &str) -> Vec<String> {
    let segments = case.split('÷').map(|segment| {
        let points = segment.split([' ', '\t', '×']).filter(|point| !point.is_empty());
        points
            .map(|point| u32::from_str_radix(point, 16).ok().and_then(char::from_u32).expect("a code point"))
    });
    segments.map(String::from_iter).filter(|segment| !segment.is_empty()).collect()
}

#[test]
#[ignore = "reads the sources of a crate, see .ci/run"]
fn words_are_the_segments_with_a_letter() {
    let mut splitter = Words::new();
    let (mut spaced, mut unspaced) = (0, 0);
    for line in cases().lines() {
        let case = line.split('#').next().unwrap_or_default().trim();
        if case.is_empty() {
            continue;
        }
        let segments = segments(case);
        let text = segments.concat();
        let mut words = Vec::new();
        splitter.each(&text, |word| words.push(word.to_owned()));
        if text.chars().any(is_unspaced) {
            // There a dictionary decides, but no word is lost on the way to it.
            let letters =
                |words: &[String]| words.concat().chars().filter(|c| c.is_alphabetic()).collect::<String>();
            assert_eq!(letters(&words), letters(&segments), "{case}");
            unspaced += 1;
            continue;
        }
        let expected: Vec<String> = segments.into_iter().filter(|segment| is_word(segment)).collect();
        assert_eq!(words, expected, "{case}");
        spaced += 1;
    }
    assert!(spaced > 1500 && unspaced < 300, "{spaced} and {unspaced} cases");
}
