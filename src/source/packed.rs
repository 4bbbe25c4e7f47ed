//! Files as they are, or packed by gzip or zstd.
//!
//! Idea: how a file is packed is seen by its first bytes, not by its name, so that it works for pipes as well; what is
//! packed several times in a row, as by `cat a.gz b.gz`, is read to its end.
//! Invariant: how much of the file itself was read is known at any time, for whoever shows how far it is. Cost: that of
//! unpacking, on the thread that reads.
//! Source: RFC 1952 and RFC 8878 for the magic numbers.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();
/// Begins what a decoder of zstd skips; the last half byte is free.
const SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];
/// How much is read of a packed file at once.
const READ: usize = 64 << 10;

/// Opens a file; `-` is standard input. What is read of it is added to `read`.
///
/// # Errors
/// Where it cannot be opened, or its first bytes cannot be read.
pub fn open(path: &Path, read: Arc<AtomicU64>) -> io::Result<Box<dyn Read>> {
    let plain: Box<dyn Read> = match path == Path::new("-") {
        true => Box::new(io::stdin()),
        false => Box::new(File::open(path)?),
    };
    unpacked(Counted { input: plain, read })
}

fn unpacked(mut input: impl Read + 'static) -> io::Result<Box<dyn Read>> {
    // One read: a pipe whose first line is shorter than a magic number must not be waited for.
    let mut first = vec![0; READ];
    let mut got = input.read(&mut first)?;
    while (1..ZSTD.len()).contains(&got) && (is_gzip(&first[..got]) || is_zstd(&first[..got])) {
        match input.read(&mut first[got..])? {
            0 => break,
            more => got += more,
        }
    }
    first.truncate(got);
    let gzip = got >= GZIP.len() && is_gzip(&first);
    let zstd = got >= ZSTD.len() && is_zstd(&first);
    let whole = io::Cursor::new(first).chain(input);
    Ok(if gzip {
        Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(READ, whole)))
    } else if zstd {
        Box::new(zstd::Decoder::with_buffer(BufReader::with_capacity(READ, whole))?)
    } else {
        Box::new(whole)
    })
}

/// Whether the first bytes of a file are those of one packed by gzip, as far as they go.
fn is_gzip(first: &[u8]) -> bool {
    first.iter().zip(GZIP).all(|(byte, magic)| *byte == magic)
}

/// The same of zstd.
fn is_zstd(first: &[u8]) -> bool {
    let begins = |first: &[u8], magic: &[u8]| first.iter().zip(magic).all(|(byte, magic)| byte == magic);
    let skippable =
        first.split_first().is_some_and(|(low, rest)| low & 0xf0 == 0x50 && begins(rest, &SKIPPABLE));
    skippable || begins(first, &ZSTD)
}

/// Counts what is read.
struct Counted<R> {
    input: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.input.read(into)?;
        self.read.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    /// Returns as many bytes a call as it is told.
    struct Dribble(io::Cursor<Vec<u8>>, usize);

    impl Read for Dribble {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let some = into.len().min(self.1);
            self.0.read(&mut into[..some])
        }
    }

    fn read(bytes: Vec<u8>, step: usize) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        unpacked(Dribble(io::Cursor::new(bytes), step))?.read_to_end(&mut out)?;
        Ok(out)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    proptest! {
        #[test]
        fn the_same_bytes_come_out_however_they_are_packed(bytes: Vec<u8>, step in 1_usize..50) {
            let zstd = zstd::encode_all(bytes.as_slice(), 3).unwrap();
            prop_assert_eq!(&read(gzip(&bytes), step).unwrap(), &bytes);
            prop_assert_eq!(&read(zstd.clone(), step).unwrap(), &bytes);
            let skippable = [&[0x5f, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2], zstd.as_slice()].concat();
            prop_assert_eq!(&read(skippable, step).unwrap(), &bytes);
            let twice = [bytes.as_slice(), &bytes].concat();
            prop_assert_eq!(&read([gzip(&bytes), gzip(&bytes)].concat(), step).unwrap(), &twice);
            prop_assert_eq!(&read([zstd.clone(), zstd].concat(), step).unwrap(), &twice);
        }

        #[test]
        fn text_comes_out_as_it_is(text in "[a-z{}\n(]{0,50}", step in 1_usize..5) {
            prop_assert_eq!(read(text.clone().into_bytes(), step).unwrap(), text.into_bytes());
        }
    }

    #[test]
    fn a_packed_file_that_was_cut_off_is_an_error() {
        let bytes = vec![b'a'; 100_000];
        let (gzip, zstd) = (gzip(&bytes), zstd::encode_all(bytes.as_slice(), 3).unwrap());
        assert!(read(gzip[..gzip.len() - 3].to_vec(), 100).is_err());
        assert!(read(zstd[..zstd.len() - 3].to_vec(), 100).is_err());
    }
}
