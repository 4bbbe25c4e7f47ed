//! Rows, a term and its count, as bytes.
//!
//! Idea: rows come in the order of their terms, so a term is written as what it adds to the one before: how many bytes
//! they share, and the rest. Numbers are written in as few bytes as they need, seven bits a byte (LEB128).
//! Invariant: what is read is what was written; any other bytes are an error, whatever they are, and never cost more than
//! their own length.
//! Cost: three bytes and what a term does not share with the one before.

/// Why bytes are no rows.
pub type Broken = &'static str;

/// The longest term that is read: that of a spelling, which is a term twice and a byte.
const LONGEST: usize = 1 << 16;

/// Writes rows one after another.
#[derive(Default)]
pub struct Rows {
    bytes: Vec<u8>,
    last: Vec<u8>,
    rows: u64,
}

impl Rows {
    /// Adds a row.
    pub fn push(&mut self, term: &[u8], n: i64) {
        let shared = self.last.iter().zip(term).take_while(|(one, two)| one == two).count();
        write_number(&mut self.bytes, shared as u64);
        write_number(&mut self.bytes, (term.len() - shared) as u64);
        self.bytes.extend_from_slice(&term[shared..]);
        // Small numbers of either sign are short.
        write_number(&mut self.bytes, ((n << 1) ^ (n >> 63)) as u64);
        self.last.truncate(shared);
        self.last.extend_from_slice(&term[shared..]);
        self.rows += 1;
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The bytes and the number of rows; the next row begins anew.
    pub fn take(&mut self) -> (Vec<u8>, u64) {
        self.last.clear();
        (std::mem::take(&mut self.bytes), std::mem::take(&mut self.rows))
    }
}

/// Shows each row, in order; returns how many there were.
///
/// # Errors
/// What is wrong with the bytes; rows before it have been shown.
pub fn read(mut bytes: &[u8], mut see: impl FnMut(&[u8], i64)) -> Result<u64, Broken> {
    let (mut term, mut rows) = (Vec::new(), 0);
    while !bytes.is_empty() {
        let shared = read_number(&mut bytes)?;
        let rest = read_number(&mut bytes)?;
        if shared > term.len() as u64 {
            return Err("a term shares more than there is");
        }
        if rest > bytes.len() as u64 || shared + rest > LONGEST as u64 {
            return Err("a term is longer than what is there");
        }
        term.truncate(shared as usize);
        let (rest, behind) = bytes.split_at(rest as usize);
        term.extend_from_slice(rest);
        bytes = behind;
        let n = read_number(&mut bytes)?;
        see(&term, (n >> 1) as i64 ^ -((n & 1) as i64));
        rows += 1;
    }
    Ok(rows)
}

fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read_number(bytes: &mut &[u8]) -> Result<u64, Broken> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or("a number ends too soon")?;
        *bytes = rest;
        let seven = u64::from(byte & 0x7F);
        if seven << shift >> shift != seven {
            return Err("a number is too large");
        }
        number |= seven << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err("a number is too long")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(rows in proptest::collection::btree_map("[ab]{0,5}|\\PC{0,20}", any::<i64>(), 0..50)) {
            let mut written = Rows::default();
            rows.iter().for_each(|(term, n)| written.push(term.as_bytes(), *n));
            let (bytes, number) = written.take();
            let mut found = Vec::new();
            let seen = read(&bytes, |term, n| found.push((String::from_utf8(term.to_vec()).unwrap(), n)));
            prop_assert_eq!((seen, number), (Ok(rows.len() as u64), rows.len() as u64));
            prop_assert_eq!(found, rows.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_rows_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes, |term, _| assert!(term.len() <= 200 * 200));
        }
    }

    #[test]
    fn numbers_have_ends() {
        for broken in
            [&[0x80; 10][..], &[0xFF; 9], &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]]
        {
            assert!(read_number(&mut &broken[..]).is_err(), "{broken:?}");
        }
        let mut bytes = Vec::new();
        write_number(&mut bytes, u64::MAX);
        assert_eq!(read_number(&mut &bytes[..]), Ok(u64::MAX));
    }
}
