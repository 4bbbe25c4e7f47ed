//! Files: packed or not, lines or tables, once or again and again.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use serde_json::Value;

use crate::producing::{Ended, Producing};
use crate::support::broker::{Embedded, wall_ms};
use crate::written::{Written, awaits, keys, written};

const LINES: &str = "{\"id_str\":\"1\",\"text\":\"a #Rust\",\"created_at\":\"Wed Jul 20 17:50:10 +0000 2016\"}\n\n\
    {\"id_str\":\"2\",\"text\":\"b\",\"created_at\":\"Wed Jul 20 17:50:11 +0000 2016\"}\r\nplain text\n";
const TABLE: &str =
    "id,created_at,screen_name,text\n1,2016-07-20 17:50:10,ann,\"a, \"\"#Rust\"\"\nx\"\n2,,bob,b\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path: PathBuf = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn folder() -> Folder {
    Folder(tempfile::TempDir::new().unwrap())
}

fn start(broker: &Embedded, arguments: &[&str]) -> Producing {
    let brokers = broker.brokers();
    Producing::start(
        &[["file", "--brokers", &brokers, "--topic", "posts"].as_slice(), arguments].concat(),
        &[],
    )
}

fn sent(arguments: &[&str]) -> (Vec<Written>, Ended) {
    let broker = Embedded::start(&[("posts", 1)]);
    let ended = start(&broker, arguments).ended();
    (written(&broker.brokers(), "posts"), ended)
}

#[test]
fn lines_are_the_same_however_they_are_packed() {
    let folder = folder();
    let zstd = zstd::encode_all(LINES.as_bytes(), 3).unwrap();
    for (name, bytes) in
        [("a.jsonl", LINES.as_bytes().to_vec()), ("b.gz", gzip(LINES.as_bytes())), ("c", zstd)]
    {
        let (records, ended) = sent(&[&folder.file(name, &bytes)]);
        ended.well();
        assert_eq!(keys(&records), ["", "1", "2"], "{name}");
        assert_eq!(records[0].value, LINES.lines().next().unwrap());
        assert_eq!(records[1].time_ms, 1_469_037_011_000);
        assert_eq!((&*records[0].headers["source"], &*records[0].headers["id"]), ("file", "1"));
        assert_eq!(records[2].headers.get("id"), None);
        assert!((wall_ms() - records[2].time_ms).abs() < 60_000);
    }
}

#[test]
fn tables_become_posts() {
    let folder = folder();
    let renamed = TABLE.replacen("text", "body", 1).replace(',', ";").replace("a; ", "a, ");
    let renamed = folder.file("b.txt", renamed.as_bytes());
    let more = ["--input", "csv", "--delimiter", ";", "--column", "text=body"];
    let packed = folder.file("a.csv.gz", &gzip(TABLE.as_bytes()));
    for arguments in [vec![packed.as_str()], [vec![renamed.as_str()], more.to_vec()].concat()] {
        let (records, ended) = sent(&arguments);
        ended.well();
        assert_eq!(keys(&records), ["1", "2"], "{arguments:?}");
        let post: Value = serde_json::from_str(&records[0].value).unwrap();
        assert_eq!((&post["text"], &post["user"]["screen_name"]), (&"a, \"#Rust\"\nx".into(), &"ann".into()));
        assert_eq!(records[0].time_ms, 1_469_037_010_000);
        assert!((wall_ms() - records[1].time_ms).abs() < 60_000);
    }
    let (_, ended) = sent(&[&folder.file("c.csv", b"body\nx\n")]);
    assert!(ended.badly(74).contains("c.csv") && ended.said.contains("--column text="), "{}", ended.said);
}

#[test]
fn a_file_that_was_cut_off_is_an_error_and_what_came_before_is_sent() {
    let folder = folder();
    let many: String =
        (0..5000).map(|number| format!("{{\"id_str\":\"{number}\",\"text\":\"a\"}}\n")).collect();
    let packed = gzip(many.as_bytes());
    let (records, ended) = sent(&[&folder.file("cut.gz", &packed[..packed.len() - 10])]);
    assert!(ended.badly(74).contains("cut.gz"), "{}", ended.said);
    assert!(records.len() > 1000, "{}", records.len());
}

#[test]
fn a_loop_goes_on_until_it_is_stopped_and_times_can_be_those_of_the_moment() {
    let (broker, folder) = (Embedded::start(&[("posts", 1)]), folder());
    let file = folder.file("a.jsonl", LINES.as_bytes());
    let producing = start(&broker, &[&file, "--loop", "--timestamps", "now", "--speed", "50x"]);
    let records = awaits(&broker.brokers(), "posts", 30);
    producing.stop().well();
    assert!(records.iter().all(|record| (wall_ms() - record.time_ms).abs() < 60_000));
    assert_eq!(
        records.iter().map(|record| &record.value).collect::<std::collections::BTreeSet<_>>().len(),
        3
    );
    let ended = start(&broker, &["-", "--loop"]).ended();
    assert!(ended.badly(2).contains("standard input"), "{}", ended.said);
}

#[test]
fn a_replay_that_was_stopped_says_how_to_go_on() {
    let (broker, folder) = (Embedded::start(&[("posts", 1)]), folder());
    let lines: String = (0..100)
        .map(|number| format!("{{\"id_str\":\"{number}\",\"text\":\"a\",\"created_at\":\"2016-07-20T17:50:{:02}.{number:03}Z\"}}\n", number / 2))
        .collect();
    let file = folder.file("a.jsonl", lines.as_bytes());
    let producing = start(&broker, &[&file, "--speed", "1x"]);
    awaits(&broker.brokers(), "posts", 5);
    let ended = producing.stop();
    let (_, skip) = ended.well().split_once("--skip ").unwrap_or_else(|| panic!("{}", ended.said));
    let skip = skip.split_whitespace().next().unwrap();
    assert!(skip.parse::<u32>().unwrap() < 100, "it was not stopped early: {skip}");
    start(&broker, &[&file, "--skip", skip]).ended().well();
    let records = written(&broker.brokers(), "posts");
    let ids: Vec<u32> = records.iter().map(|record| record.key.as_ref().unwrap().parse().unwrap()).collect();
    assert_eq!(ids, (0..100).collect::<Vec<_>>());
}

#[test]
fn how_far_it_is_is_shown_where_the_end_is_known() {
    let (broker, folder) = (Embedded::start(&[("posts", 1)]), folder());
    let line = "{\"id_str\":\"1\",\"text\":\"a\",\"created_at\":\"2016-07-20T17:50:00Z\"}\n";
    let later = line.replace("17:50:00", "18:50:00");
    let file = folder.file("a.jsonl", [line, &later].concat().as_bytes());
    let mut producing = start(&broker, &[&file, "--speed", "1x"]);
    producing.says("100 %, 1 posts, ", 1);
    producing.stop().well();
}
