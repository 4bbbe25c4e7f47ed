//! The page in a real browser: headless Chromium, driven by the tests in `tests/browser`.
//!
//! Idea: what a browser does is tested in the browser's own language, by Node's test runner and playwright-core; here they are
//! only started, with the program under test. The packages of `tests/browser/package-lock.json` are installed by
//! `.ci/run` into `target/browser`, and no other browser than the system's Chromium is used.

use std::path::Path;
use std::process::Command;

#[test]
#[ignore = "needs Chromium, Node and two packages of npm, see .ci/run"]
fn the_page_in_a_browser() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("tests/browser");
    let entries = std::fs::read_dir(&folder).expect("the tests are there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut tests: Vec<_> =
        paths.filter(|path| path.to_str().is_some_and(|path| path.ends_with(".test.mjs"))).collect();
    tests.sort();
    assert!(!tests.is_empty(), "no tests in {}", folder.display());
    let status = Command::new("node")
        .args(["--test", "--test-concurrency=1", "--test-reporter=spec"])
        .args(tests)
        .env("TIDINGS", env!("CARGO_BIN_EXE_tidings"))
        .env("TIDINGS_BROWSER", root.join("target/browser"))
        .status()
        .expect("node is installed");
    assert!(status.success(), "see the output above");
}
