//! A process that is killed comes back with what it had counted, whatever the number of its workers.

use crate::oracle::answers::Offsets;
use crate::stage::Stage;

#[test]
fn killed_and_started_again_with_other_numbers_of_workers() {
    let mut stage = Stage::new(11);
    for workers in [2, 1, 4, 3] {
        let server = stage.start(workers);
        stage.work(&server, 6);
        let written = stage.produce(30);
        stage.kept(&server, &written);
        // What comes after the checkpoint is counted again.
        stage.work_on(&server, 4);
        server.kill();
        // Nobody looks, and the stream goes on.
        stage.produce(40);
    }
    let server = stage.start(2);
    stage.work(&server, 2);
    stage.recount();
}

#[test]
fn killed_before_the_first_checkpoint() {
    let mut stage = Stage::new(12);
    stage.interval = "1h";
    for _ in 0..2 {
        let server = stage.start(2);
        stage.work(&server, 3);
        server.kill();
    }
    stage.recount();
}

#[test]
fn sigterm_leaves_a_checkpoint_of_everything() {
    let mut stage = Stage::new(13);
    stage.interval = "1h";
    let mut server = stage.start(2);
    stage.work(&server, 5);
    let before: serde_json::Value = server.client().get("/v1/status").json();
    let (status, took) = server.terminate();
    assert!(status.success() && took < std::time::Duration::from_secs(25), "{status} after {took:?}");
    let server = stage.start(3);
    let config = server.config();
    let first = Stage::asker(&server, &config, 1).ask_everything(&Offsets::new());
    let (epoch, offsets) = (&before["stamp"]["epoch"], &before["stamp"]["offsets"]);
    let stamp = first[0].answer.stamp();
    assert!(stamp.epoch > epoch.as_u64().unwrap());
    assert_eq!(serde_json::to_value(&stamp.offsets).unwrap(), *offsets, "nothing is counted again");
    // What reads counters takes what is in the checkpoint for new otherwise.
    let client = server.client();
    let posts = || client.get("/v1/status").json::<serde_json::Value>()["posts"].as_u64().unwrap();
    let known = posts();
    assert_eq!(client.metric("tidings_posts_total"), Some(0), "{known} posts of the run before");
    stage.work(&server, 2);
    assert_eq!(client.metric("tidings_posts_total"), Some(posts() - known));
    stage.recount();
}
