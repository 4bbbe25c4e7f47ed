//! What the fuzzer has found to be worth a look, and files made by hand to meet every check, are looked at by every `cargo test`.
//!
//! The inputs stand in `fuzz/corpus`, one a file; `cargo fuzz run manifest --features checkpoint`
//! (or `segment`) looks for more.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::{any_manifest, any_segment};

fn replay(corpus: &str, check: fn(&[u8])) {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus")).join(corpus);
    let mut inputs = 0;
    for file in fs::read_dir(&folder).unwrap() {
        let file = file.unwrap().path();
        let input = fs::read(&file).unwrap();
        let outcome = catch_unwind(AssertUnwindSafe(|| check(&input)));
        assert!(outcome.is_ok(), "{}: {}", file.display(), input.escape_ascii());
        inputs += 1;
    }
    assert!(inputs >= 40, "only {inputs} inputs in {}", folder.display());
}

#[test]
fn manifests_of_any_bytes() {
    replay("manifest", any_manifest::check);
}

#[test]
fn segments_of_any_bytes() {
    replay("segment", any_segment::check);
}
