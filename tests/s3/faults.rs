//! Networks and servers at their worst, between the program and its bucket.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::place::Place;
use crate::proxy::{Fault, Proxy};
use crate::stage::Stage;
use crate::support::process::Server;
use crate::support::random::{Random, seed};

#[test]
fn torn_requests_lost_answers_and_busy_servers_cost_time_only() {
    let seed = seed(91);
    let mut random = Random::new(seed);
    let faults = move || match random.below(10) {
        0..4 => Fault::None,
        4 => Fault::Busy,
        5..7 => Fault::CutThere(random.below(9000) as usize),
        // The head of an answer has some hundred bytes: most of these are lost whole.
        7 => Fault::CutBack(random.below(200) as usize),
        8 => Fault::CutBack(random.below(20_000) as usize),
        _ => Fault::Slow(Duration::from_millis(random.below(1500))),
    };
    let mut stage = Stage::at(Place::behind(faults), seed);
    for workers in [2, 1, 3] {
        let server = stage.start(workers);
        stage.work(&server, 3);
        let written = stage.produce(30);
        stage.kept(&server, &written);
        stage.work_on(&server, 1);
        server.kill();
    }
    let mut server = stage.start(2);
    stage.work(&server, 1);
    // A busy machine makes fewer connections in the same time.
    let begun = Instant::now();
    while stage.place.proxy().map_or(0, Proxy::faults) <= 20 && begun.elapsed() < Duration::from_secs(120) {
        stage.work_on(&server, 1);
    }
    let (status, _) = server.terminate();
    // The last checkpoint is tried once: a fault that lasts leaves the one before.
    assert!([Some(0), Some(74)].contains(&status.code()), "{status}: {}", server.log());
    let faults = stage.place.proxy().map_or(0, Proxy::faults);
    assert!(faults > 20, "only {faults} connections had a fault");
    println!("{faults} connections had a fault");
    stage.recount();
}

#[test]
fn a_server_that_is_away_is_said_and_made_up_for() {
    let mut stage = Stage::at(Place::behind(|| Fault::None), 92);
    let server = stage.start(2);
    stage.work(&server, 2);
    let written = stage.produce(10);
    stage.kept(&server, &written);
    stage.place.proxy().unwrap().away(true);
    let deadline = Instant::now() + Duration::from_secs(90);
    let error = loop {
        // Answers come and are exact all the while.
        stage.work_on(&server, 1);
        let status: Value = server.client().get("/v1/status").json();
        if let Some(error) = status["checkpoint"]["error"].as_str() {
            break error.to_owned();
        }
        assert!(Instant::now() < deadline, "nothing is said: {status}");
        std::thread::sleep(Duration::from_millis(500));
    };
    assert!(error.contains("s3://kept/a/b/"), "{error}");
    stage.place.proxy().unwrap().away(false);
    let written = stage.produce(10);
    stage.kept(&server, &written);
    server.kill();
    let server = stage.start(1);
    stage.work(&server, 1);
    stage.recount();
}

#[test]
fn a_bucket_that_is_not_there_and_keys_that_are_wrong_are_refused_by_name() {
    let stage = Stage::new(93);
    let refused = |settings: &str, variables: &[(String, String)]| {
        let settings = stage.made(settings).with(variables);
        let file = settings.file();
        let run = ["run", "-c", file.to_str().unwrap(), "--bind", "127.0.0.1:0"];
        let mut server = Server::spawn(settings, &run, None);
        (server.ended().code(), server.log())
    };
    let settings = stage.settings(1);
    let (code, said) =
        refused(&settings.replace("s3://kept/", "s3://elsewhere/"), &stage.place.environment());
    assert_eq!(code, Some(74), "{said}");
    assert!(said.contains("s3://elsewhere/a/b/") && said.contains("bucket is not there"), "{said}");
    let mut wrong = stage.place.environment();
    wrong.retain(|(name, _)| name != "AWS_SECRET_ACCESS_KEY");
    wrong.push(("AWS_SECRET_ACCESS_KEY".to_owned(), "canary-of-a-secret".to_owned()));
    let (code, said) = refused(&settings, &wrong);
    assert_eq!(code, Some(74), "{said}");
    assert!(said.contains("AWS_SECRET_ACCESS_KEY do not allow it") && !said.contains("canary"), "{said}");
    let far = [("AWS_ENDPOINT_URL".to_owned(), "http://checkpoints.invalid:9000".to_owned())];
    let (code, said) = refused(&settings, &[stage.place.environment(), far.to_vec()].concat());
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("AWS_ALLOW_HTTP") && said.contains("checkpoints.invalid"), "{said}");
}
