//! Clocks: the wall clock set back between two runs, and the one that only posts move.

use std::time::Duration;

use crate::oracle::answers::Offsets;
use crate::stage::Stage;
use crate::support::broker::wall_ms;
use crate::support::process::Server;

/// By how much the first run's wall clock is fast: further than a start waits for, and less than what makes another post one
/// of the far future.
const FAST_MS: u64 = 150_000;

#[test]
fn epochs_and_clock_go_on_where_the_wall_clock_was_set_back() {
    let mut stage = Stage::new(51);
    for kill in [true, false] {
        stage.variables = vec![("TIDINGS_WALL_OFFSET_MS".to_owned(), FAST_MS.to_string())];
        let mut server = stage.start(2);
        stage.work(&server, 3);
        let written = stage.produce(20);
        stage.kept(&server, &written);
        stage.work_on(&server, 1);
        let (before, _) = shown(&server);
        if kill {
            // What was shown last is in no checkpoint.
            server.kill();
        } else {
            assert!(server.terminate().0.success());
        }
        stage.variables.clear();
        let server = stage.start(1);
        let (after, wall) = shown(&server);
        assert!(after > before, "epoch {after} after {before}");
        assert!(after > wall + FAST_MS / 2, "the clock was not set back: epoch {after} at {wall}");
        assert!(server.log().contains("later than the wall clock says"), "{}", server.log());
        // Once more, killed at an epoch of no checkpoint.
        stage.work(&server, 2);
        let (before, _) = shown(&server);
        server.kill();
        let server = stage.start(2);
        let (after, _) = shown(&server);
        assert!(after > before, "epoch {after} after {before}");
        stage.work(&server, 1);
    }
    // Numbers that no earlier epoch had, exact answers, a clock that never goes back within a run.
    stage.recount();
}

/// What has just been started may not know yet how late it is; what it reads counts as it would have, as the run after it shows,
/// in windows that have not left those posts yet.
#[test]
fn posts_of_now_are_not_ahead_where_the_wall_clock_starts_days_behind() {
    let mut stage = Stage::new(53);
    let server = stage.start(2);
    stage.work(&server, 3);
    let written = stage.produce(20);
    stage.kept(&server, &written);
    server.kill();
    let written = stage.produce(50);
    stage.variables = vec![("TIDINGS_WALL_OFFSET_MS".to_owned(), (-2 * 24 * 3_600_000i64).to_string())];
    let mut server = stage.start(1);
    stage.kept(&server, &written);
    assert!(server.terminate().0.success());
    stage.variables.clear();
    let server = stage.start(2);
    stage.work(&server, 2);
    stage.recount();
}

/// The newest epoch that is shown, and the wall clock.
fn shown(server: &Server) -> (u64, u64) {
    let config = server.config();
    let answered = Stage::asker(server, &config, 1).ask_everything(&Offsets::new());
    let epoch = answered.iter().map(|answered| answered.answer.stamp().epoch).max().unwrap();
    (epoch, wall_ms() as u64)
}

#[test]
fn what_only_posts_move_stays_where_it_stood() {
    let mut stage = Stage::new(52);
    stage.clock = "event";
    for workers in [2, 1, 3] {
        let server = stage.start(workers);
        stage.work(&server, 4);
        let written = stage.produce(20);
        stage.kept(&server, &written);
        stage.work_on(&server, 2);
        server.kill();
        // Time passes and no post says so.
        std::thread::sleep(Duration::from_millis(1200));
    }
    let mut server = stage.start(2);
    stage.work(&server, 2);
    // A checkpoint of the end, and a run that has nothing to read after it.
    assert!(server.terminate().0.success());
    let server = stage.start(1);
    stage.work(&server, 1);
    stage.recount();
}
