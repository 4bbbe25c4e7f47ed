//! What the fuzzer has found to be worth a look is looked at again by every `cargo test`.
//!
//! The inputs stand in `fuzz/corpus`, one a file; `cargo fuzz run decode` (or `terms`, `folding`) looks for more.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../../fuzz/checks/mod.rs"]
mod checks;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

fn replay(corpus: &str, check: fn(&[u8])) {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus")).join(corpus);
    let mut inputs = 0;
    for file in fs::read_dir(&folder).unwrap() {
        let file = file.unwrap().path();
        let input = fs::read(&file).unwrap();
        let outcome = catch_unwind(AssertUnwindSafe(|| check(&input)));
        assert!(outcome.is_ok(), "{}: {}", file.display(), input.escape_ascii());
        inputs += 1;
    }
    assert!(inputs > 50, "only {inputs} inputs in {}", folder.display());
}

#[test]
fn records_of_any_bytes() {
    replay("decode", checks::decode::check);
}

#[test]
fn texts_of_any_kind() {
    replay("terms", checks::terms::check);
}

#[test]
fn texts_of_any_letters() {
    replay("folding", checks::folding::check);
}
