//! A place for checkpoints that does not answer any more, as a disk or a share that hangs: counting goes on, with its clock, and so
//! does the way to the end.
//!
//! Idea: whoever comes to a step of writing waits there for good, see `checkpoint::failpoint`.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::oracle::answers::Status;
use crate::stage::Stage;
use crate::support::broker::wall_ms;
use crate::support::process::Server;

/// A run whose writes hang at a step from its `nth` time on, and that goes on for so long.
fn hung(seed: u64, step: &str, nth: u32, lasting: Duration) -> (Stage, Server) {
    let mut stage = Stage::new(seed);
    stage.variables = vec![("TIDINGS_FAILPOINT".to_owned(), format!("hang {step}:{nth}"))];
    let server = stage.start(2);
    stage.work(&server, 2);
    goes_on(&mut stage, &server, lasting);
    (stage, server)
}

/// A run that goes on from what the one before has left; all answers of both are counted again.
fn comes_back(mut stage: Stage) {
    stage.variables.clear();
    let server = stage.start(1);
    stage.work(&server, 2);
    drop(server);
    stage.recount();
}

/// Works on and waits until the clock has gone on for so long.
fn goes_on(stage: &mut Stage, server: &Server, lasting: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < lasting {
        stage.work_on(server, 1);
    }
    let status: Status = server.client().get("/v1/status").json();
    let age = wall_ms() - status.stamp.clock.unwrap().0;
    assert!(age < 4000, "the clock stands still, {age} ms behind: {status:?}");
}

#[test]
#[ignore = "takes half a minute; .ci/run runs it"]
fn counting_and_its_clock_go_on_and_the_end_comes_while_bounds_cannot_be_written() {
    let (stage, mut server) = hung(91, "lease.rename.before", 4, Duration::from_secs(12));
    let (status, took) = server.terminate();
    let log = server.log();
    assert!(status.success(), "{log}");
    assert!(took < Duration::from_secs(10), "it took {took:?}");
    assert!(log.contains("epochs go on without") && log.contains("the next start waits"), "{log}");
    comes_back(stage);
}

#[test]
#[ignore = "takes a minute; .ci/run runs it"]
fn a_checkpoint_that_is_never_written_is_told_and_ends_a_stop_with_its_own_code() {
    let (stage, mut server) = hung(92, "segment.sync.before", 3, Duration::from_secs(14));
    let status: Value = server.client().get("/v1/status").json();
    let told = &status["checkpoint"]["error"];
    assert!(told.as_str().is_some_and(|told| told.contains("is not written after")), "{told}");
    let (status, took) = server.terminate();
    assert_eq!(status.code(), Some(74), "{}", server.log());
    assert!(took < Duration::from_secs(29), "it took {took:?}");
    comes_back(stage);
}
