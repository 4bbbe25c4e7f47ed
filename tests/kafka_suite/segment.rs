//! What stands where in a segment of a log, see Kafka's documentation of its record batches.

/// A batch in a segment of a log: where it stands, its length in bytes, and its first and last offset.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    pub at: usize,
    pub length: usize,
    pub first: i64,
    pub last: i64,
}

/// The batches of a segment.
pub fn batches(segment: &[u8]) -> Vec<Batch> {
    let number = |at: usize, length: usize| {
        segment[at..at + length].iter().fold(0i64, |number, byte| number << 8 | i64::from(*byte))
    };
    let (mut at, mut found) = (0, Vec::new());
    while at + 61 <= segment.len() && number(at + 8, 4) > 0 {
        let (first, length) = (number(at, 8), 12 + number(at + 8, 4) as usize);
        found.push(Batch { at, length, first, last: first + number(at + 23, 4) });
        at += length;
    }
    found
}
