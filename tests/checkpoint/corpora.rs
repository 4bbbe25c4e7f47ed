//! What the fuzzer has found to be worth a look, and files made by hand to meet every check, are looked at by every `cargo test`.
//!
//! The inputs stand in `fuzz/corpus`, one a file; `cargo fuzz run manifest --features checkpoint`
//! (or `segment`) looks for more.

use std::path::Path;

use crate::replay::replay;
use crate::{any_manifest, any_segment};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus");

#[test]
fn manifests_of_any_bytes() {
    replay(&Path::new(CORPUS).join("manifest"), 40, any_manifest::check);
}

#[test]
fn segments_of_any_bytes() {
    replay(&Path::new(CORPUS).join("segment"), 40, any_segment::check);
}
