//! Records from which no post can be read.
//!
//! Idea: the ways in which records really are broken: cut off, of the wrong types, not UTF-8, empty, deleted.
//! Invariant: what comes out is never a post of this shape; each way is as likely as the others.

use super::random::Random;

/// What is left of a post's JSON; `None` for a tombstone.
pub fn damage(json: &str, random: &mut Random) -> Option<Vec<u8>> {
    match random.below(6) {
        0 => Some(json.as_bytes()[..1 + random.below(json.len() as u32 - 1) as usize].to_vec()),
        1 => Some(
            br#"{"id_str":{"high":1,"low":2},"text":["not","a","text"],"user":7,"entities":"none"}"#.to_vec(),
        ),
        2 => {
            let mut bytes = json.as_bytes().to_vec();
            let text = json.find("\"text\":\"").map_or(1, |at| at + 8);
            bytes.splice(text..text, [0xff, 0xfe, 0xc3]);
            Some(bytes)
        }
        3 => Some(Vec::new()),
        4 => Some(b"{}".to_vec()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_post_survives(seed: u64, text in "\\PC{0,40}") {
            let json = serde_json::json!({"id_str": "1", "text": text}).to_string();
            let Some(bytes) = damage(&json, &mut Random::new(seed)) else { return Ok(()) };
            let read = serde_json::from_slice::<serde_json::Value>(&bytes);
            prop_assert!(!read.is_ok_and(|value| value["text"].is_string()));
        }
    }
}
