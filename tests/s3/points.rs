//! The process dies at each step of a checkpoint in a bucket; what comes back is exact from each.

use crate::stage::Stage;

/// Steps, each with how often it is passed before the process dies there.
const POINTS: [(&str, u32); 11] = [
    ("generation.put.after", 1),
    ("lease.put.before", 2),
    ("segment.put.before", 1),
    ("segment.put.after", 3),
    ("capture.after", 2),
    ("commit.before", 2),
    ("manifest.put.before", 2),
    ("manifest.put.after", 2),
    ("commit.after", 2),
    ("delete.before", 2),
    ("delete.after", 3),
];

#[test]
fn what_comes_back_is_exact_from_each_step() {
    let mut stage = Stage::new(94);
    stage.interval = "150ms";
    stage.die_at_each(&POINTS);
    let server = stage.start(2);
    stage.work(&server, 2);
    stage.recount();
}
