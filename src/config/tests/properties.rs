//! What holds for every configuration.

use proptest::prelude::*;

use super::super::schema::schema;
use super::super::{Loaded, Override, load};
use super::{Scratch, load_text};

/// Lines of which some make a valid file and some do not.
fn line() -> impl Strategy<Value = String> {
    let key = prop::sample::select(schema().settings().map(|s| s.leaf().to_owned()).collect::<Vec<_>>());
    let value = prop::sample::select(vec![
        "\"\"",
        "\"5m\"",
        "5",
        "-1",
        "1.5",
        "nan",
        "true",
        "[]",
        "[\"5m\", \"1h\"]",
        "[\"a\"]",
        "{}",
        "{ file = \"/dev/null\" }",
        "{ a.b.c = 1 }",
        "2026-01-01T00:00:00Z",
        "'''\nx'''",
        "\"\\u0000\"",
        "0xffffffffffffffffff",
        "[[[]]]",
        "\"localhost:1\"",
    ]);
    let header = prop::sample::select(vec![
        "[kafka]",
        "[kafka.properties]",
        "[posts]",
        "[engine]",
        "[[count]]",
        "[http]",
        "[cluster]",
        "[checkpoint]",
        "[log]",
        "[nothing]",
        "[[nothing]]",
        "[count]",
        "[a.b.c]",
    ]);
    prop_oneof![
        4 => (key, value).prop_map(|(key, value)| format!("{key} = {value}")),
        2 => header.prop_map(str::to_owned),
        1 => "\\PC{0,30}",
    ]
}

/// Valid files of many kinds: each line is one choice that goes with all others.
fn valid_file() -> impl Strategy<Value = String> {
    let kafka = prop::sample::subsequence(
        vec![
            "brokers = 'a:1,b:2'",
            "topics = ['x','y']",
            "start = '-24h'",
            "group_id = 'g \"q\" \\'",
            "on_gap = 'continue'",
        ],
        0..=5,
    );
    let properties = prop::sample::subsequence(
        vec![
            "security.protocol = 'ssl'",
            "\"linger.ms\" = 0.5",
            "client.id = '''a\n\"b\"'''",
            "fetch.max.bytes = 1",
            "enable.idempotence = true",
        ],
        0..=5,
    );
    let posts = prop::sample::subsequence(
        vec![
            "format = 'json'",
            "text = '/ä~0'",
            "time = '/t'",
            "dead_letter_topic = 'bad'",
            "reposts = 'skip'",
        ],
        0..=5,
    );
    let engine = prop::sample::subsequence(
        vec!["workers = 3", "epoch = '1s500ms'", "clock = 'event'", "max_terms = 0x10"],
        0..=4,
    );
    let windows = prop::sample::select(vec!["['5m']", "['1m/1s', '5m', 'all']", "[ '24h',\n '7d' ]"]);
    let counts = prop::collection::vec((windows, 1..256u32), 0..3);
    let http = prop::sample::subsequence(
        vec!["bind = 'localhost:1'", "cors = ['http://a']", "token_file = '/t \\ #'"],
        0..=3,
    );
    (kafka, properties, posts, engine, counts, http).prop_map(
        |(kafka, properties, posts, engine, counts, http)| {
            let mut text = String::new();
            let sections = [
                ("kafka", kafka),
                ("kafka.properties", properties),
                ("posts", posts),
                ("engine", engine),
                ("http", http),
            ];
            for (section, lines) in sections {
                text.push_str(&format!("[{section}]\n{}\n", lines.join("\n")));
            }
            for (number, (windows, min_length)) in counts.iter().enumerate() {
                let keys = format!(
                    "name = 'c{number}'\nof = 'emoji'\nwindows = {windows}\nmin_length = {min_length}\n"
                );
                text.push_str(&format!("[[count]]\n{keys}track = ['a', 'B c']\n"));
            }
            text
        },
    )
}

proptest! {
    #[test]
    fn no_text_panics(lines in prop::collection::vec(line(), 0..12)) {
        let _ = load_text(&lines.join("\n"), &[]);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = load(Some(Scratch::new(bytes).path()), [], Vec::new());
    }

    #[test]
    fn no_variable_panics(name in "TIDINGS__(KAFKA|HTTP|COUNT|\\PC{0,5})__\\PC{0,20}", value in "\\PC{0,20}") {
        let _ = load_text("", &[(&name, &value)]);
    }

    #[test]
    fn what_is_printed_loads_to_the_same(text in valid_file()) {
        let loaded = load_text(&text, &[]);
        prop_assert!(loaded.is_ok(), "{}\n{}", text, loaded.err().map_or_else(String::new, |error| error.to_string()));
        prop_assert_eq!(reloaded(loaded.as_ref().expect("it was asserted")), config(loaded.as_ref().expect("it was asserted")));
    }
}

fn config(loaded: &Loaded) -> String {
    format!("{:?}", loaded.config)
}

fn reloaded(loaded: &Loaded) -> String {
    let print = loaded.print();
    match load_text(&print, &[]) {
        Ok(again) => config(&again),
        Err(error) => format!("{print}\n{error}"),
    }
}

#[test]
fn the_defaults_are_printed_as_a_file_that_means_the_same() {
    let loaded = load(None, [], Vec::new()).expect("the defaults");
    assert_eq!(reloaded(&loaded), config(&loaded));
    let values = loaded.print().lines().filter(|line| line.contains(" = ")).count();
    // Two counts are printed with all their keys.
    let keys = schema().settings().count() + schema().section("count").map_or(0, <[_]>::len);
    assert_eq!(values, keys);
    assert!(loaded.print().lines().all(|line| line.contains(" = ") == line.ends_with(" # default")));
}

#[test]
fn every_documented_key_is_read_and_checked() {
    for setting in schema().settings() {
        let nonsense: toml::Value = match setting.default {
            toml::Value::Integer(_) => (-1).into(),
            toml::Value::Array(_) => vec!["\0"].into(),
            _ => "\0".into(),
        };
        let said = match setting.key.strip_prefix("count.") {
            Some(leaf) => {
                let keys =
                    [("name", "\"a\""), ("of", "\"words\"")].into_iter().filter(|(key, _)| *key != leaf);
                let keys: String = keys.map(|(key, value)| format!("{key} = {value}\n")).collect();
                load_text(&format!("[[count]]\n{keys}{leaf} = {nonsense}"), &[])
            }
            None => load(
                None,
                [],
                vec![Override { key: Box::leak(setting.key.clone().into()), value: nonsense, flag: "--x" }],
            ),
        };
        let error = said.expect_err(&setting.key).to_string();
        assert!(error.contains(&format!("`{}`", setting.key)), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}
