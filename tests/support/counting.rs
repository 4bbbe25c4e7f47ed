//! `tidings count` over files, compared with the oracle.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;
use tidings::config::Config;

use super::broker::wall_ms;
use crate::oracle::Oracle;
use crate::oracle::answers::Counted;
use crate::oracle::rules::Record;

/// What `tidings count --json` prints.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Printed {
    pub posts: u64,
    pub bad: u64,
    pub counts: BTreeMap<String, Listed>,
}

/// A list of terms, or with a configuration one for each window.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Listed {
    One(Vec<Counted>),
    ByWindow(BTreeMap<String, Vec<Counted>>),
}

/// The lines of files as records: a file is a partition, a line that is not empty a record whose offset is its number.
pub fn lines(files: &[&Path]) -> Vec<Record> {
    let mut records = Vec::new();
    for (partition, file) in (0..).zip(files) {
        let content = fs::read(file).unwrap();
        for (offset, line) in (0..).zip(content.split(|byte| *byte == b'\n')) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() {
                // A line has no time but its own.
                let (topic, value) = ("files".to_owned(), Some(line.to_vec()));
                records.push(Record { topic, partition, offset, timestamp: -1, value });
            }
        }
    }
    records
}

/// Everything that `tidings count` has to print under this configuration, at most `top` terms of each window.
pub fn expected(config: &Config, records: &[Record], top: usize) -> BTreeMap<String, Listed> {
    let oracle = Oracle::new(config, records, wall_ms());
    let list = |count: &str, window: &str| {
        let stamp = oracle.stamp_at_end(count, window);
        let recount = oracle.recount(&stamp);
        let counted = |(term, count): (&str, i64)| Counted {
            term: term.to_owned(),
            display: recount.display(term),
            count,
        };
        recount.top(top).into_iter().map(counted).collect::<Vec<_>>()
    };
    let windows = |count: &tidings::config::Count| {
        let lists = count.windows.iter().map(|window| (window.name.clone(), list(&count.name, &window.name)));
        (count.name.clone(), Listed::ByWindow(lists.collect()))
    };
    config.counts.iter().map(windows).collect()
}

/// The real posts as statuses of the v1.1 interface, one a line, with their times in UTC.
pub fn mayweather(folder: &Path) -> PathBuf {
    let file = folder.join("mayweather.jsonl");
    let mut out = std::io::BufWriter::new(fs::File::create(&file).unwrap());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/posts/mayweather-mcgregor.csv");
    let mut rows = csv::Reader::from_path(path).unwrap();
    for row in rows.deserialize() {
        let row: BTreeMap<String, String> = row.unwrap();
        let time: jiff::civil::DateTime = row["created_at"].parse().unwrap();
        let status = json!({
            "created_at": time.strftime("%a %b %d %H:%M:%S +0000 %Y").to_string(),
            "id_str": row["id"],
            "text": row["text"],
            "user": { "screen_name": row["screen_name"] },
        });
        writeln!(out, "{status}").unwrap();
    }
    out.into_inner().unwrap();
    file
}
