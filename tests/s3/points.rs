//! The process dies at each step of a checkpoint in a bucket; what comes back is exact from each.

use std::time::Duration;

use crate::stage::Stage;
use crate::support::process::Server;

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
    for (round, (point, times)) in POINTS.into_iter().enumerate() {
        let armed = format!("{point}:{times}");
        let settings = stage.made(&stage.settings(1 + round % 3));
        let mut server = match Server::try_run_with(settings, ("TIDINGS_FAILPOINT", &armed)) {
            Ok(server) => server,
            // Some steps come before anybody can be answered.
            Err(log) => {
                assert!(log.contains(&format!("dies at {point}")), "{armed}: {log}");
                continue;
            }
        };
        stage.work_until_it_dies(&mut server, Duration::from_secs(60));
        let log = server.log();
        assert!(log.contains(&format!("dies at {point}")), "{armed}: {log}");
        stage.produce(15);
    }
    let server = stage.start(2);
    stage.work(&server, 2);
    stage.recount();
}
