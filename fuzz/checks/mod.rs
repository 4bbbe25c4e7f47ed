//! What must hold for any input, for the fuzzer and for the tests that run its corpora again.
//!
//! Idea: one function a subject, from bytes to nothing; a fault is a panic. The fuzzer looks for inputs that take new ways
//! through the program, and those it found stand in `fuzz/corpus`, so that each way is taken again by `cargo test`.
//! Invariant: the outcome depends on the bytes alone.

pub mod decode;
pub mod folding;
pub mod terms;
