//! How mistakes are shown: all at once, in order, each with its place, and never too many.

use super::super::{Override, load};
use super::{Scratch, env, problems};

#[test]
fn all_mistakes_are_named_at_once_in_the_order_of_their_places() {
    let text = "[kafka]\nbrokres = \"x\"\nstart = \"soon\"\n[engine]\nepoch = 250\n";
    let said = problems(text, &[("TIDINGS__ENGINE__CLOCK", "utc"), ("TIDINGS__ENGNE__CLOCK", "wall")]);
    let places: Vec<&str> = said.iter().filter_map(|line| line.split(": ").next()).collect();
    let expected = ["t.toml:2", "t.toml:3", "t.toml:5", "TIDINGS__ENGINE__CLOCK", "TIDINGS__ENGNE__CLOCK"];
    assert_eq!(places, expected);
}

#[test]
fn what_is_no_toml_is_shown_by_line_and_column() {
    let cases = [
        ("[kafka]\nbrokers = localhost", "t.toml:2:11: is not TOML: string values must be quoted"),
        ("[kafka\n", "t.toml:1:7: is not TOML: unclosed table"),
        ("[log]\nlevel = \"a\"\nlevel = \"b\"", "t.toml:3:1: is not TOML: duplicate key"),
        ("# é\né = 1", "t.toml:2:1: is not TOML: invalid unquoted key"),
    ];
    for (text, why) in cases {
        let said = problems(text, &[]);
        assert!(said.first().is_some_and(|line| line.starts_with(why)), "{text}\n{said:#?}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let said = |path: &std::path::Path| {
        load(Some(path), env(&[("TIDINGS__X", "1")]), Vec::new()).expect_err("it cannot be read").to_string()
    };
    let error = said("/nowhere/tidings.toml".as_ref());
    assert!(
        error.starts_with("/nowhere/tidings.toml: there is no such file\nTIDINGS__X: there is no"),
        "{error}"
    );
    let error = said("/".as_ref());
    assert!(error.starts_with("/: this is a directory, name a file in it"), "{error}");
    let file = Scratch::new(b"[kafka]\nbrokers = \"\xff\"\n");
    let error = said(file.path());
    assert!(error.contains(".toml: is not UTF-8, first in line 2, write it in UTF-8"), "{error}");
    let error = said("/dev/zero".as_ref());
    assert!(error.starts_with("/dev/zero: is larger than 1024 KiB"), "{error}");
}

#[test]
fn two_counts_of_one_name_are_refused() {
    let count = "[[count]]\nname = \"a\"\nof = \"words\"\n";
    let said = problems(&format!("{count}{count}"), &[]);
    assert_eq!(
        said,
        ["t.toml:5: `count.name`: \"a\" is also the name of a count at t.toml:2, name it otherwise"]
    );
}

#[test]
fn there_are_bounds_to_counts_and_windows() {
    let counts: String = (0..65).map(|i| format!("[[count]]\nname = \"c{i}\"\nof = \"words\"\n")).collect();
    assert_eq!(problems(&counts, &[]), ["t.toml:194: there are more than 64 counts, leave some out"]);
    let windows: Vec<String> = (1..=33).map(|i| format!("\"{i}s/1s\"")).collect();
    let text = format!("[[count]]\nname = \"a\"\nof = \"words\"\nwindows = [{}]", windows.join(", "));
    assert_eq!(problems(&text, &[]), ["t.toml:4: `count.windows`: has 33 windows, name at most 32"]);
}

#[test]
fn a_wrong_variable_is_named() {
    let cases = [
        ("TIDINGS__KAFKA__TOPICS", "a,", "`kafka.topics`: \"\" is no topic"),
        ("TIDINGS__ENGINE__WORKERS", "many", "`engine.workers` must be a whole number such as 4"),
        (
            "TIDINGS__KAFKA__PROPERTIES__GROUP_ID",
            "x",
            "`kafka.properties.group.id`: tidings owns this property",
        ),
        ("TIDINGS__KAFKA__PROPERTIES__", "x", "`kafka.properties.`: names of properties are lower-case"),
        ("TIDINGS__COUNT__NAME", "x", "counts are set in the file only"),
        ("TIDINGS__HTTP__BNID", "x", "there is no such setting, the nearest is `TIDINGS__HTTP__BIND`"),
    ];
    for (variable, value, why) in cases {
        let said = problems("", &[(variable, value)]);
        assert_eq!(said.len(), 1, "{said:#?}");
        assert!(said[0].starts_with(&format!("{variable}: ")) && said[0].contains(why), "{said:#?}");
    }
}

#[test]
fn a_wrong_override_is_named() {
    let flag = |key, value: toml::Value| {
        load(None, [], vec![Override { key, value, flag: "--flag" }]).expect_err(key).to_string()
    };
    assert_eq!(
        flag("kafka.broker", 1.into()),
        "--flag: there is no key `kafka.broker`, the nearest is `kafka.brokers`"
    );
    assert!(flag("kafka.brokers", 1.into()).starts_with("--flag: `kafka.brokers` must be a string such as"));
}

#[test]
fn a_flood_of_mistakes_is_cut_in_little_time() {
    let many = |line: &str| line.repeat(100_000 / line.len());
    let many_keys: String = (0..10_000).map(|i| format!("k{i} = 1\n")).collect();
    for text in [
        many("="),
        many("[["),
        many("x = [\n"),
        many("[[count]]\n"),
        format!("x = {}", "[".repeat(1_000_000)),
        format!("{}x = 1", "a.".repeat(500_000)),
        format!("[kafka.properties]\n{}x = 1", "a.".repeat(70)),
        format!("{} = 1", "a".repeat(1_000_000)),
        format!("kafka.brokers = {:?}", "a b,".repeat(200_000)),
        many_keys,
    ] {
        let said = problems(&text, &[]);
        assert!((1..=51).contains(&said.len()), "{}", said.len());
        assert!(said.iter().all(|line| line.len() < 500), "{said:#?}");
    }
}
