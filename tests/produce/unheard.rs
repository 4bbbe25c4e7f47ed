//! Commands that nobody listens to.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::broker::{Embedded, read_back};
use crate::support::process::program;

/// A command whose output goes into pipes that nobody reads any more, as behind a `head` that has ended.
fn unheard(arguments: &[&str]) -> Child {
    let mut child = program().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    (child.stdout, child.stderr) = (None, None);
    child
}

#[test]
fn all_is_sent_though_nobody_reads_what_is_wrong_with_it() {
    let broker = Embedded::start(&[("posts", 1)]);
    let brokers = broker.brokers();
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("posts.jsonl");
    // It warns of such times.
    let post = "{\"id_str\":\"1\",\"text\":\"a\",\"created_at\":\"some day\"}\n";
    std::fs::write(&file, post.repeat(3000)).unwrap();
    let file = file.to_str().unwrap();
    let mut child = unheard(&["produce", "file", file, "--brokers", &brokers, "--topic", "posts"]);
    let status = child.wait().unwrap();
    assert!(status.success(), "{status}");
    assert_eq!(read_back(&brokers, &["posts"]).len(), 3000);
}

#[test]
fn a_demonstration_goes_on_and_ends_when_it_is_told() {
    let mut child = unheard(&["demo", "--bind", "127.0.0.1:0", "--rate", "100", "-w", "1"]);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
        std::thread::sleep(Duration::from_millis(50));
    }
    let told = std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(told.success());
    let status = child.wait().unwrap();
    assert!(status.success(), "{status}");
}
