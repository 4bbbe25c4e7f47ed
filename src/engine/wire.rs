//! What processes tell each other, as bytes.
//!
//! Idea: postcard: serde, compact, without names of fields; all processes are of the same build.
//! Invariant: any bytes are read or refused; what is read was the whole of them.
//! Cost: a pass over what is written and read.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Something as bytes.
pub fn encode(value: &impl Serialize) -> Vec<u8> {
    postcard::to_extend(value, Vec::new())
        .expect("what is told has only numbers, text, lists and maps of known length")
}

/// What was written; `None` where these bytes are nothing of the kind.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (value, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(value)
}
