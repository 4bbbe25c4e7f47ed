//! Jetstream's compression: each message is one zstd frame, made with a dictionary that both sides have.
//!
//! Idea: version 2 hands its dictionary out, so it is asked for and never kept; version 1 has one for all time, which its
//! project publishes as a file, and which the user names.
//! Invariant: a frame never becomes larger than an uncompressed message may be, whatever it says of itself.
//! Source: RFC 8878, section 5, for the dictionary's head: a magic number, then its id, both little endian.

use zstd::bulk::Decompressor;

use super::FRAME;

/// How the messages of a connection are packed.
pub enum Packing {
    /// As text.
    Plain,
    /// As zstd frames, with the dictionary of this id.
    Zstd(u32, Box<Decompressor<'static>>),
}

impl Packing {
    /// The packing by this dictionary.
    ///
    /// # Errors
    /// Where it is none.
    pub fn by(dictionary: &[u8]) -> Result<Self, String> {
        const MAGIC: [u8; 4] = 0xEC30_A437_u32.to_le_bytes();
        let id = match dictionary {
            [a, b, c, d, e, f, g, h, ..] if [*a, *b, *c, *d] == MAGIC => u32::from_le_bytes([*e, *f, *g, *h]),
            _ => return Err("it does not begin as a zstd dictionary does".to_owned()),
        };
        let decompressor = Decompressor::with_dictionary(dictionary).map_err(|error| error.to_string())?;
        Ok(Self::Zstd(id, Box::new(decompressor)))
    }

    /// The JSON of a binary message.
    ///
    /// # Errors
    /// Where there should be none, or it cannot be unpacked.
    pub fn unpack(&mut self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            Self::Plain => Err("a binary message, where text was asked for".to_owned()),
            Self::Zstd(_, decompressor) => {
                decompressor.decompress(bytes, FRAME).map_err(|error| format!("a zstd frame: {error}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_dictionary_is_refused() {
        assert!(Packing::by(b"").is_err() && Packing::by(&[0; 100]).is_err());
    }

    #[test]
    fn frames_that_lie_or_grow_without_end_are_refused() {
        let decompressor = || Packing::Zstd(0, Box::new(Decompressor::new().unwrap()));
        let frame = zstd::bulk::compress(b"{\"a\":1}", 3).unwrap();
        assert_eq!(decompressor().unpack(&frame).unwrap(), b"{\"a\":1}");
        let bomb = zstd::bulk::compress(&vec![0; FRAME + 1], 3).unwrap();
        assert!(bomb.len() < 10_000 && decompressor().unpack(&bomb).is_err());
        assert!(decompressor().unpack(b"{}").is_err());
        assert!(Packing::Plain.unpack(&frame).is_err());
    }
}
