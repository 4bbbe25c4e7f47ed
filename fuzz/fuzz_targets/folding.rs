//! Texts of any letters.

#![no_main]

#[path = "../checks/folding.rs"]
mod folding;

libfuzzer_sys::fuzz_target!(|text: &[u8]| folding::check(text));
