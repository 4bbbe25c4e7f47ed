//! Manifests: any bytes are one that was written, or are refused; what is read is written as it was read.

use tidings::checkpoint::{CheckpointError, Manifest};

/// Reads bytes as they are, and once more with the checksum that they would need, so that what lies behind it is seen too.
pub fn check(bytes: &[u8]) {
    if let Ok(manifest) = Manifest::decode("m", bytes) {
        read_again(&manifest);
    }
    let mut marked = bytes.to_vec();
    marked.extend_from_slice(format!("\ncrc32 {:08x}\n", crc32fast::hash(bytes)).as_bytes());
    match Manifest::decode("m", &marked) {
        Ok(manifest) => read_again(&manifest),
        Err(CheckpointError::Damaged { why, .. }) => assert!(!why.contains("checksum"), "{why}"),
        Err(CheckpointError::Refused(why)) => assert!(why.contains("newer version"), "{why}"),
        Err(other) => panic!("{other:?}"),
    }
}

fn read_again(manifest: &Manifest) {
    let bytes = manifest.encode().expect("what was read can be written");
    assert_eq!(&Manifest::decode("m", &bytes).expect("what was written can be read"), manifest);
    let _ = (manifest.rows(), manifest.bytes());
}
