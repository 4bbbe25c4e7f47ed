//! Records of any bytes.

#![no_main]

#[path = "../checks/decode.rs"]
mod decode;

libfuzzer_sys::fuzz_target!(|record: &[u8]| decode::check(record));
