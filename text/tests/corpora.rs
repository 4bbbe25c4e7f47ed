//! What the fuzzer has found to be worth a look is looked at again by every `cargo test`.
//!
//! The inputs stand in `fuzz/corpus`, one a file; `cargo fuzz run decode` (or `terms`, `folding`) looks for more.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../../fuzz/checks/mod.rs"]
mod checks;
#[path = "../../fuzz/checks/replay.rs"]
mod replay;

use std::path::Path;

use replay::replay;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus");

#[test]
fn records_of_any_bytes() {
    replay(&Path::new(CORPUS).join("decode"), 51, checks::decode::check);
}

#[test]
fn texts_of_any_kind() {
    replay(&Path::new(CORPUS).join("terms"), 51, checks::terms::check);
}

#[test]
fn texts_of_any_letters() {
    replay(&Path::new(CORPUS).join("folding"), 51, checks::folding::check);
}
