//! Two on one directory, another's directory, and settings that do not fit what is kept.

use std::time::Duration;

use crate::stage::Stage;

#[test]
fn a_second_cluster_on_the_same_directory_is_refused() {
    let mut stage = Stage::new(41);
    let mut server = stage.start(1);
    stage.work(&server, 1);
    let (code, why) = stage.refused(&stage.settings(1));
    assert_eq!(code, 75, "{why}");
    // A folder has a lock; where there is none, a lease that is being renewed says as much.
    let holds = ["another process holds the checkpoints in", "another run is at work on the checkpoints in"];
    assert!(holds.iter().any(|holds| why.contains(holds)), "{why}");
    assert!(server.lives());
    stage.work_on(&server, 1);
    stage.recount();
}

#[test]
fn an_old_process_that_comes_back_cannot_commit() {
    let mut stage = Stage::new(42);
    let mut server = stage.start(1);
    stage.work(&server, 1);
    let written = stage.produce(10);
    stage.kept(&server, &written);
    server.signal("STOP");
    // A lock that the place has lost: another run begins, and makes the next manifest.
    let root = stage.kept_in();
    let newest = || {
        let entries = std::fs::read_dir(root.join("manifests")).unwrap();
        let numbers = entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse::<u64>().ok());
        numbers.max().unwrap()
    };
    let before = newest();
    let run = u64::MAX / 2;
    std::fs::write(root.join(format!("generations/{run:020}")), "\n").unwrap();
    server.signal("CONT");
    let status = server.ended();
    assert_eq!(status.code(), Some(65), "{}", server.log());
    assert!(server.log().contains(&format!("run {run} has taken over")), "{}", server.log());
    // The one that was on its way when it was stopped may have come about.
    assert!(newest() <= before + 1, "it has gone on: {} after {before}", newest());
    std::thread::sleep(Duration::from_millis(10));
    stage.recount();
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let mut stage = Stage::new(43);
    let server = stage.start(1);
    stage.work(&server, 1);
    server.kill();
    let settings = stage.settings(1);
    let refused = |from: &str, to: &str| {
        assert!(settings.contains(from));
        stage.refused(&settings.replace(from, to))
    };
    for (from, to, why) in [
        ("min_length = 2", "min_length = 3", "count \"words\" has another filter"),
        ("of = \"hashtags\"", "of = \"mentions\"", "count \"tags\" has another kind"),
        ("[checkpoint]", "[posts]\ntime = \"post\"\n[checkpoint]", "counts posts by [posts.time record"),
        ("[checkpoint]", "[cluster]\nid = \"other\"\n[checkpoint]", "are of cluster \"tidings\""),
    ] {
        let (code, said) = refused(from, to);
        assert_eq!(code, 78, "{said}");
        assert!(said.contains(why), "{said}");
    }
    // Nothing of that has done any harm.
    let server = stage.start(1);
    stage.work(&server, 1);
    stage.recount();
}
