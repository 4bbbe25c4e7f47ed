//! Columns as bytes, for containers that cross from process to process.
//!
//! Idea: little-endian numbers one after another, padded to eight bytes, as timely wants its messages.
//! Invariant: what is read is what the same build wrote; the handshake between processes sees to that, so a length that
//! does not fit is a broken invariant and panics.
//! Cost: one copy of the columns at each end.

use std::io::Write;

/// The first `n` bytes of what is left.
pub fn take<'a>(rest: &mut &'a [u8], n: usize) -> &'a [u8] {
    let (head, tail) = rest.split_at(n);
    *rest = tail;
    head
}

/// A number of eight bytes.
pub fn number(rest: &mut &[u8]) -> u64 {
    u64::from_le_bytes(take(rest, 8).try_into().expect("eight bytes"))
}

/// `n` numbers of eight bytes.
pub fn numbers<'a>(rest: &mut &'a [u8], n: usize) -> impl Iterator<Item = u64> + use<'a> {
    take(rest, 8 * n).chunks_exact(8).map(|b| u64::from_le_bytes(b.try_into().expect("eight bytes")))
}

/// `n` numbers of four bytes.
pub fn halves<'a>(rest: &mut &'a [u8], n: usize) -> impl Iterator<Item = u32> + use<'a> {
    take(rest, 4 * n).chunks_exact(4).map(|b| u32::from_le_bytes(b.try_into().expect("four bytes")))
}

/// Writes columns and pads the end to a multiple of eight bytes.
pub struct Padded<'a, W> {
    writer: &'a mut W,
    written: usize,
}

impl<'a, W: Write> Padded<'a, W> {
    /// Begins at a multiple of eight.
    pub fn new(writer: &'a mut W) -> Self {
        Padded { writer, written: 0 }
    }
    /// Writes bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).expect("timely sized the buffer by `length_in_bytes`");
        self.written += bytes.len();
    }
    /// Writes numbers of eight bytes.
    pub fn numbers(&mut self, numbers: impl IntoIterator<Item = u64>) {
        numbers.into_iter().for_each(|n| self.bytes(&n.to_le_bytes()));
    }
    /// Writes numbers of four bytes.
    pub fn halves(&mut self, numbers: impl IntoIterator<Item = u32>) {
        numbers.into_iter().for_each(|n| self.bytes(&n.to_le_bytes()));
    }
    /// Pads.
    pub fn finish(mut self) {
        let missing = self.written.next_multiple_of(8) - self.written;
        self.bytes(&[0; 8][..missing]);
    }
}
