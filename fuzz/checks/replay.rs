//! Hands the inputs of a corpus to a check, as the fuzzer would.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Checks each input in a folder, a file each, of which there have to be at least so many.
pub fn replay(folder: &Path, least: usize, check: fn(&[u8])) {
    let mut inputs = 0;
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let input = fs::read(&file).unwrap();
        let outcome = catch_unwind(AssertUnwindSafe(|| check(&input)));
        assert!(outcome.is_ok(), "{}: {}", file.display(), input.escape_ascii());
        inputs += 1;
    }
    assert!(inputs >= least, "only {inputs} inputs in {}", folder.display());
}
