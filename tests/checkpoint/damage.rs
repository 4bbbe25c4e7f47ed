//! Files that are torn, flipped, empty or gone: the right one is named, and nothing wrong is ever loaded.

use std::fs;
use std::path::{Path, PathBuf};

use tidings::checkpoint::Manifest;

use crate::stage::Stage;
use crate::support::process::{run, said};

/// Files of a folder below the checkpoints, the newest last.
fn files(stage: &Stage, folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(stage.kept_in().join(folder)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// As messages name a file: below the place, which shows it in its own way.
fn named(path: &Path) -> String {
    let parts: Vec<_> = path.iter().rev().take(2).map(|part| part.to_str().unwrap()).collect();
    format!("{}/{}", parts[1], parts[0])
}

/// A run that has left some checkpoints and was killed.
fn kept(seed: u64) -> Stage {
    let mut stage = Stage::new(seed);
    let server = stage.start(2);
    for _ in 0..3 {
        stage.work_first_or_on(&server, 2);
        let written = stage.produce(20);
        stage.kept(&server, &written);
    }
    server.kill();
    stage
}

type Damage = (&'static str, fn(&Path));

const DAMAGE: [Damage; 4] = [
    ("flipped", |path| {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        fs::write(path, bytes).unwrap();
    }),
    ("torn", |path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    }),
    ("empty", |path| fs::write(path, b"").unwrap()),
    ("gone", |path| fs::remove_file(path).unwrap()),
];

#[test]
fn a_damaged_manifest_is_named_and_an_older_one_is_as_exact() {
    let mut stage = kept(21);
    for (what, damage) in &DAMAGE[..3] {
        let newest = files(&stage, "manifests").pop().unwrap();
        damage(&newest);
        let listed = stage.look(&["verify"]);
        assert_eq!(listed.status.code(), Some(65), "{what}: {}", said(&listed));
        assert!(String::from_utf8_lossy(&listed.stdout).contains(&named(&newest)), "{what}");
        let server = stage.start(2);
        stage.work(&server, 1);
        let log = server.log();
        assert!(log.contains(&named(&newest)) && log.contains("older checkpoint"), "{what}: {log}");
        let written = stage.produce(5);
        stage.kept(&server, &written);
        server.kill();
    }
    stage.recount();
}

#[test]
fn damaged_segments_are_named_and_nothing_of_them_is_loaded() {
    for (what, damage) in DAMAGE {
        let mut stage = kept(22);
        // One that only the newest checkpoint refers to; nobody would miss one of a checkpoint that did not come about.
        let manifest = fs::read(files(&stage, "manifests").pop().unwrap()).unwrap();
        let segments = Manifest::decode("newest", &manifest).unwrap().segments;
        let newest = segments.into_iter().map(|segment| stage.kept_in().join(segment.key)).max().unwrap();
        damage(&newest);
        let server = stage.start(1);
        stage.work(&server, 1);
        assert!(server.log().contains(&named(&newest)), "{what}: {}", server.log());
        stage.recount();
    }
}

#[test]
fn where_none_is_whole_nothing_begins_unless_that_is_wanted() {
    let mut stage = kept(23);
    for manifest in files(&stage, "manifests") {
        DAMAGE[0].1(&manifest);
    }
    let (code, why) = stage.refused(&stage.settings(2));
    assert_eq!(code, 65, "{why}");
    for manifest in files(&stage, "manifests") {
        assert!(why.contains(&named(&manifest)), "{why}");
    }
    assert!(why.contains("--start-fresh"), "{why}");
    let server = stage.start_fresh(2);
    stage.work(&server, 2);
    server.kill();
    let server = stage.start(2);
    stage.work(&server, 1);
    stage.recount();
}

#[test]
fn where_it_cannot_be_read_whose_the_place_is_one_file_has_to_go_or_all_begins_anew() {
    let mut stage = kept(26);
    // What a bucket's server makes of an object that was changed behind its back is its own affair.
    if stage.place.address().starts_with("s3:") {
        return;
    }
    let owner = stage.kept_in().join("cluster.json");
    for (what, damage) in &DAMAGE[1..3] {
        damage(&owner);
        let (code, why) = stage.refused(&stage.settings(2));
        assert_eq!(code, 65, "{what}: {why}");
        assert!(why.contains("cluster.json is damaged") && why.contains("remove this one file"), "{why}");
    }
    fs::remove_file(&owner).unwrap();
    let server = stage.start(2);
    stage.work(&server, 1);
    server.kill();
    DAMAGE[1].1(&owner);
    let server = stage.start_fresh(2);
    stage.work(&server, 1);
    server.kill();
    let server = stage.start(1);
    stage.work(&server, 1);
    stage.recount();
}

#[test]
fn rows_are_listed_verified_and_exported() {
    let stage = kept(24);
    let listed = stage.look(&["list"]);
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.status.success() && text.lines().count() >= 3, "{text}");
    assert!(text.lines().last().unwrap().contains("posts:0:"), "{text}");
    let verified = stage.look(&["verify"]);
    assert!(verified.status.success(), "{}", said(&verified));
    let exported = stage.look(&["export"]);
    assert!(exported.status.success(), "{}", said(&exported));
    let rows: Vec<serde_json::Value> = String::from_utf8(exported.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |count: &str, pane: &str| -> Vec<i64> {
        let rows = rows.iter().filter(|row| row["count"] == count && row["pane"] == pane);
        rows.map(|row| row["n"].as_i64().unwrap()).collect()
    };
    assert!(
        !of("tags", "all").is_empty() || rows.iter().any(|row| row["slide_ms"].is_u64()),
        "{}",
        rows.len()
    );
    assert!(of("tags", "spelling").iter().sum::<i64>() > 0);
    assert!(of("words", "spelling").is_empty(), "words show their keys");
    let nothing = run(&["checkpoint", "list", "/nowhere"]);
    assert_eq!(nothing.status.code(), Some(65));
    assert!(said(&nothing).contains("no checkpoints in /nowhere"), "{}", said(&nothing));
}

#[test]
fn what_is_removed_while_it_runs_is_written_again() {
    let mut stage = Stage::new(25);
    let server = stage.start(2);
    stage.work(&server, 2);
    // All segments, then one that goes on to be referred to.
    for most in [usize::MAX, 1] {
        let written = stage.produce(20);
        stage.kept(&server, &written);
        // One may be gone already, as nobody needs it.
        files(&stage, "segments").iter().take(most).for_each(|segment| drop(fs::remove_file(segment)));
        stage.work_on(&server, 2);
        let written = stage.produce(20);
        stage.kept(&server, &written);
        let mut newest = files(&stage, "manifests");
        newest.drain(..newest.len() - 1);
        let segments = Manifest::decode("newest", &fs::read(&newest[0]).unwrap()).unwrap().segments;
        assert!(segments.iter().all(|segment| stage.kept_in().join(&segment.key).exists()), "{segments:?}");
    }
    assert!(server.log().contains("was removed by somebody"), "{}", server.log());
    server.kill();
    let server = stage.start(1);
    stage.work(&server, 2);
    stage.recount();
}
