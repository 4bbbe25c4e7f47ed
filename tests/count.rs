//! `tidings count`: files instead of a broker, and the same numbers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod oracle;
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use oracle::answers::Counted;
use support::counting::{Listed, Printed, expected, lines, mayweather};
use support::hostile::Hostile;
use support::process::{Settings, run, run_with_input, said};
use support::random::seed;

const SMALL: &str = "\
{\"id_str\":\"1\",\"text\":\"Good morning #Rust\"}
plain good words #rust #Kafka

{\"id_str\":\"2\",\"text\":\"good #RUST #RUST\"}\r
{\"text\":
{\"id_str\":\"3\",\"text\":\"\"}";

fn json(arguments: &[&str]) -> Printed {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stdout)))
}

fn counted(term: &str, display: &str, count: i64) -> Counted {
    Counted { term: term.to_owned(), display: display.to_owned(), count }
}

#[test]
fn a_small_file_as_json_and_as_a_table() {
    let folder = Settings::new(SMALL);
    let file = folder.file();
    let file = file.to_str().unwrap();
    let printed = json(&["count", file, "--json"]);
    assert_eq!((printed.posts, printed.bad), (4, 1));
    let tags = vec![counted("rust", "RUST", 4), counted("kafka", "Kafka", 1)];
    let words =
        [("good", 3), ("morning", 1), ("plain", 1), ("words", 1)].map(|(word, n)| counted(word, word, n));
    let counts = [("hashtags", tags), ("words", words.to_vec())];
    assert_eq!(
        printed.counts,
        BTreeMap::from(counts.map(|(name, terms)| (name.to_owned(), Listed::One(terms))))
    );

    let output = run(&["count", file, "--top", "1"]);
    let table = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(rows.contains(&vec!["1", "4", "RUST"]) && rows.contains(&vec!["1", "3", "good"]), "{table}");
    assert!(!table.contains("Kafka") && table.starts_with("4 posts, 1 bad"), "{table}");

    // The same from the standard input, and mixed with files.
    let output = run_with_input(&["count", "-", "--json"], SMALL.as_bytes());
    assert_eq!(serde_json::from_slice::<Printed>(&output.stdout).unwrap(), printed);
    let output =
        run_with_input(&["count", file, "-", "--json", "--of", "words", "--top", "1"], b"good\ngood\n");
    let both: Printed = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((both.posts, &both.counts["words"]), (6, &Listed::One(vec![counted("good", "good", 5)])));
}

/// Else who counts lines of text over five minutes sees nothing, and no reason.
#[test]
fn posts_without_a_time_are_said_to_be_in_no_window_but_all() {
    let folder = Settings::new("hello #rust\n");
    let file = folder.file();
    let file = file.to_str().unwrap();
    for (window, is_said) in [("5m", true), ("all", false)] {
        let output = run(&["count", file, "--window", window]);
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(said(&output).contains("1 of 1 posts have no time"), is_said, "{}", said(&output));
        assert_eq!(String::from_utf8(output.stdout).unwrap().contains("rust"), !is_said);
    }
}

#[test]
fn whatever_is_left_out_is_said() {
    let long = format!("#{} #short", "q".repeat(300));
    let ahead = r##"{"id_str":"1","text":"#late","timestamp_ms":"32503680000000"}"##;
    let folder = Settings::new(&format!("{long}\n{ahead}\n{ahead}\n"));
    let file = folder.file();
    let output = run(&["count", file.to_str().unwrap(), "--window", "1h", "--of", "hashtags"]);
    assert!(output.status.success(), "{}", said(&output));
    for part in ["1 occurrences of terms of more than 256 bytes", "2 of 3 posts are more than 24 h ahead"] {
        assert!(said(&output).contains(part), "{}", said(&output));
    }
}

/// As many as may be, and no term more or less, however they are spread over the workers.
#[test]
fn as_many_terms_are_taken_as_may_be_alive() {
    let few = Settings::new(
        "[engine]\nmax_terms = 10\n[[count]]\nname = \"h\"\nof = \"hashtags\"\nwindows = [\"all\"]\n",
    );
    let settings = few.file();
    for (workers, terms) in
        [1, 2, 3, 4].into_iter().flat_map(|workers| [8usize, 10, 11, 1000].map(|n| (workers, n)))
    {
        let lines: String = (0..terms).map(|n| format!("#t{n}\n")).collect();
        let workers = workers.to_string();
        let flags = ["count", "-", "--top", "0", "--json", "-c", settings.to_str().unwrap(), "-w", &workers];
        let output = run_with_input(&flags, lines.as_bytes());
        let refused =
            format!("h: engine.max_terms = 10 were reached; {} occurrences", terms.saturating_sub(10));
        assert_eq!(said(&output).contains("were reached"), terms > 10, "{}", said(&output));
        assert!(terms <= 10 || said(&output).contains(&refused), "{}", said(&output));
        let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(printed["counts"]["h"]["all"].as_array().unwrap().len(), terms.min(10), "{printed}");
    }
}

#[test]
fn every_kind_is_there_even_if_it_is_empty() {
    let folder = Settings::new("");
    let kinds = "words,hashtags,mentions,cashtags,emoji,domains,phrases";
    for workers in ["1", "2"] {
        let file = folder.file();
        let printed =
            json(&["count", file.to_str().unwrap(), "--json", "--of", kinds, "--top", "0", "-w", workers]);
        assert_eq!((printed.posts, printed.bad, printed.counts.len()), (0, 0, 7));
        assert!(printed.counts.values().all(|listed| *listed == Listed::One(Vec::new())), "{printed:?}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_74_and_is_named() {
    for missing in ["/nowhere/posts.jsonl", "/"] {
        let output = run(&["count", missing, "--json"]);
        assert_eq!(output.status.code(), Some(74), "{}", said(&output));
        assert!(said(&output).contains(missing) && output.stdout.is_empty(), "{}", said(&output));
    }
}

/// All windows of a configuration over two files of hostile lines, by 1, 2 and 4 workers.
#[test]
fn all_windows_and_all_terms_equal_the_oracle_with_any_number_of_workers() {
    let seed = seed(11);
    let settings = Settings::new(
        "[posts]\ntime = \"post\"\n[engine]\nclock = \"event\"\n\
         [[count]]\nname = \"tags\"\nof = \"hashtags\"\nwindows = [\"10s\", \"1m/5s\", \"1h\", \"all\"]\n\
         [[count]]\nname = \"long-words\"\nof = \"words\"\nwindows = [\"all\", \"5m\"]\nmin_length = 5\nstop_words = [\"en\"]\n\
         [[count]]\nname = \"pairs\"\nof = \"phrases\"\nwindows = [\"2m/1m\"]\n",
    );
    let mut hostile = Hostile::new(seed);
    let names = ["one.jsonl", "two.jsonl"].map(|name| settings.folder().join(name));
    for (number, name) in (0..).zip(&names) {
        let mut content = Vec::new();
        for i in 0..3000 {
            let line = hostile.next(1_503_792_000_000 + number * 5_000 + i * 700).value.unwrap_or_default();
            content.extend(line.into_iter().filter(|byte| !matches!(byte, b'\n' | b'\r')));
            content.extend_from_slice(if i % 3 == 0 { b"\r\n" } else { b"\n" });
        }
        Hostile::giants().into_iter().for_each(|giant| {
            content.extend(giant);
            content.push(b'\n');
        });
        fs::write(name, content).unwrap();
    }
    let records = lines(&names.each_ref().map(Path::new));
    let all = expected(&settings.config(), &records, usize::MAX);
    let file = settings.file();
    for workers in ["1", "2", "4"] {
        let names = names.each_ref().map(|name| name.to_str().unwrap());
        let printed = json(&[
            "count",
            "-c",
            file.to_str().unwrap(),
            names[0],
            names[1],
            "--json",
            "--top",
            "0",
            "-w",
            workers,
        ]);
        assert!(printed.posts > 1000 && printed.bad > 100, "{} posts, {} bad", printed.posts, printed.bad);
        assert_eq!(printed.counts, all, "{workers} workers");
        let first = json(&[
            "count",
            "-c",
            file.to_str().unwrap(),
            names[0],
            names[1],
            "--json",
            "--top",
            "7",
            "-w",
            workers,
        ]);
        assert_eq!(first.counts, expected(&settings.config(), &records, 7), "{workers} workers");
    }
}

/// Ten thousand real posts, in many languages and with many emoji.
#[test]
#[ignore = "reads ../shared/data, see .ci/run"]
fn the_readme_shows_what_is_counted() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = mayweather(folder.path());
    let kinds = ["emoji", "hashtags", "words"];
    let printed = json(&["count", file.to_str().unwrap(), "--of", &kinds.join(","), "--json"]);
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let posts = format!("What {},{:03} posts", printed.posts / 1000, printed.posts % 1000);
    assert!(readme.contains(&posts), "{posts}");
    for rank in 0..10 {
        let cells = kinds.map(|kind| match &printed.counts[kind] {
            Listed::One(terms) => format!("{} {}", terms[rank].display, terms[rank].count),
            Listed::ByWindow(_) => panic!("there is one window"),
        });
        let row = format!("| {} | {} |", rank + 1, cells.join(" | "));
        assert!(readme.contains(&row), "{row}");
    }
}
