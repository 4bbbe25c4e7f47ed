//! The process dies at each step of a checkpoint; what comes back is exact from each.

use crate::stage::Stage;

/// Steps, each with how often it is passed before the process dies there.
const POINTS: [(&str, u32); 21] = [
    ("generation.sync.before", 1),
    ("generation.link.after", 1),
    ("lease.rename.before", 2),
    ("lease.rename.after", 3),
    ("capture.before", 1),
    ("capture.before", 2),
    ("segment.sync.before", 1),
    ("segment.sync.after", 2),
    ("segment.rename.before", 1),
    ("segment.rename.after", 3),
    ("segment.folder.after", 1),
    ("capture.after", 2),
    ("commit.before", 2),
    // The first manifest is that of the start.
    ("manifest.sync.before", 2),
    ("manifest.link.before", 2),
    ("manifest.link.after", 2),
    ("manifest.folder.after", 3),
    ("commit.after", 2),
    ("garbage.before", 3),
    ("delete.before", 2),
    ("delete.after", 3),
];

#[test]
#[ignore = "the program runs some twenty times, one after the other"]
fn what_comes_back_is_exact_from_each_step() {
    let mut stage = Stage::new(31);
    stage.interval = "150ms";
    stage.die_at_each(&POINTS);
    let server = stage.start(2);
    stage.work(&server, 2);
    let left = std::fs::read_dir(stage.kept_in().join("drafts")).unwrap().count();
    assert!(left <= 2, "{left} drafts of those that died are left");
    stage.recount();
}
