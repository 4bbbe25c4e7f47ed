//! Lines of a stream, as they arrive.
//!
//! Idea: the pieces of an HTTP body end anywhere; a line ends at its line break.
//! Invariant: each line comes out once, without its line break; one that is too long is left out and counted, and the
//! next one is whole again. Cost: each byte is copied once and looked at once.

use super::inbox::LONGEST;

/// The bytes of a line that has not ended.
#[derive(Debug, Default)]
pub struct Lines {
    rest: Vec<u8>,
    skipping: bool,
}

/// What a piece brought to its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A line; an empty one as well.
    Whole(Vec<u8>),
    /// One that was too long.
    TooLong,
}

impl Lines {
    /// Takes a piece and hands out the lines that it ends.
    pub fn push(&mut self, mut piece: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        while let Some(end) = memchr::memchr(b'\n', piece) {
            self.add(&piece[..end]);
            piece = &piece[end + 1..];
            let mut line = std::mem::take(&mut self.rest);
            if std::mem::take(&mut self.skipping) {
                lines.push(Line::TooLong);
                continue;
            }
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            lines.push(Line::Whole(line));
        }
        self.add(piece);
        lines
    }

    fn add(&mut self, bytes: &[u8]) {
        if self.skipping || self.rest.len() + bytes.len() > LONGEST + 1 {
            self.rest = Vec::new();
            self.skipping = true;
        } else {
            self.rest.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lines_do_not_depend_on_how_they_arrive(input in "[ab\r\n]{0,120}", step in 1_usize..30) {
            let mut lines = Lines::default();
            let got: Vec<Line> = input.as_bytes().chunks(step).flat_map(|piece| lines.push(piece)).collect();
            let mut naive: Vec<&str> = input.split('\n').collect();
            naive.pop();
            let naive: Vec<Line> = naive
                .into_iter()
                .map(|line| Line::Whole(line.strip_suffix('\r').unwrap_or(line).as_bytes().to_vec()))
                .collect();
            prop_assert_eq!(got, naive);
        }
    }

    #[test]
    fn a_line_that_is_too_long_takes_no_memory() {
        let mut lines = Lines::default();
        for _ in 0..40 {
            assert_eq!(lines.push(&[b'x'; 100_000]), []);
            assert!(lines.rest.capacity() <= 3 * LONGEST);
        }
        assert_eq!(lines.push(b"x\nnext\n"), [Line::TooLong, Line::Whole(b"next".to_vec())]);
    }
}
