//! Reading ahead: what is read block by block is asked for in larger pieces.
//!
//! Idea: workers read the blocks of a segment in turns, so all of them read about the same MiBs; a request for each block
//! would take a hundred times as long to come as it takes to be read. A segment never changes, so a piece of it may be kept.
//! Invariant: what is returned is what the object has in that range, whole.
//! Cost: 32 MiB at most, until something is written; one request at a time.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Mutex;

use hyper::body::Bytes;

use crate::checkpoint::CheckpointError;

/// What is asked for at once.
const PIECE: u64 = 8 << 20;

/// Pieces that are kept.
const KEPT: usize = 4;

/// Pieces of segments that were read.
#[derive(Default)]
pub(super) struct Ahead {
    pieces: Mutex<VecDeque<Piece>>,
}

struct Piece {
    key: String,
    at: u64,
    bytes: Bytes,
}

impl Ahead {
    /// Reads a range; `ask` asks the server, which leaves out what is behind an object's end.
    pub(super) fn read(
        &self,
        key: &str,
        range: Range<u64>,
        mut ask: impl FnMut(Range<u64>) -> Result<Bytes, CheckpointError>,
    ) -> Result<Vec<u8>, CheckpointError> {
        let mut read = Vec::new();
        let mut at = range.start;
        // Held while it waits: whoever comes for the same piece meanwhile finds it.
        let mut pieces = self.pieces.lock().expect("no holder panics");
        while at < range.end {
            let begin = at / PIECE * PIECE;
            let known = pieces.iter().find(|piece| piece.at == begin && piece.key == key);
            let bytes = match known {
                Some(piece) => piece.bytes.clone(),
                None => {
                    let bytes = ask(begin..begin + PIECE)?;
                    pieces.push_back(Piece { key: key.to_owned(), at: begin, bytes: bytes.clone() });
                    if pieces.len() > KEPT {
                        pieces.pop_front();
                    }
                    bytes
                }
            };
            let from = (at - begin) as usize;
            let to = ((range.end - begin).min(PIECE) as usize).min(bytes.len());
            let Some(part) = bytes.get(from..to).filter(|part| !part.is_empty()) else {
                return Err(CheckpointError::damaged(key, format!("it ends before byte {}", range.end)));
            };
            read.extend_from_slice(part);
            at += part.len() as u64;
        }
        Ok(read)
    }

    /// Keeps nothing any more.
    pub(super) fn forget(&self) {
        self.pieces.lock().expect("no holder panics").clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use proptest::prelude::*;

    static LARGEST: LazyLock<Bytes> =
        LazyLock::new(|| (0..3 * PIECE + 5).map(|at| (at % 251) as u8).collect());

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn what_is_read_is_what_there_is(
            length in prop_oneof![0u64..100, PIECE - 9..PIECE + 9, 3 * PIECE - 5..3 * PIECE + 5],
            ranges in proptest::collection::vec((any::<prop::sample::Index>(), 1u64..40, any::<bool>()), 1..20),
        ) {
            let object = LARGEST.slice(..length as usize);
            let ahead = Ahead::default();
            let mut asked = 0;
            for (at, size, near) in ranges {
                // Where pieces meet is where it matters.
                let at = if near { (at.index(4) as u64 * PIECE).saturating_sub(size / 2) } else { at.index(4 * PIECE as usize) as u64 };
                let ask = |range: Range<u64>| {
                    asked += 1;
                    let end = range.end.min(length) as usize;
                    Ok(object.slice((range.start as usize).min(end)..end))
                };
                match ahead.read("a", at..at + size, ask) {
                    Ok(bytes) => prop_assert_eq!(&bytes[..], &object[at as usize..(at + size) as usize]),
                    Err(_) => prop_assert!(at + size > length),
                }
            }
            prop_assert!(asked <= 40);
        }
    }
}
