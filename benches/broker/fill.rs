//! Fills a topic with invented posts, by `tidings produce synthetic`.

use std::process::{Command, Stdio};

/// Writes so many posts, always the same.
pub fn fill(brokers: &str, topic: &str, posts: u64) -> Result<(), String> {
    let mut produce = Command::new(env!("CARGO_BIN_EXE_tidings"));
    produce.args(["produce", "synthetic", "--topic", topic, "--brokers", brokers, "--seed", "7"]);
    let status = produce.args(["--posts", &posts.to_string()]).stdout(Stdio::null()).status();
    match status.map_err(|error| format!("tidings produce: {error}"))?.success() {
        true => Ok(()),
        false => Err("tidings produce failed".to_owned()),
    }
}
