//! Numbers and short texts in a fixed order, as the handshake writes them.
//!
//! Idea: its layout must be the same in every build there will ever be, or a build could not even say that the other is
//! another one; so it is written out here, and depends on no library's encoding.
//! Invariant: reading any bytes gives a value or `None`, and takes no more memory than there are bytes.

/// What is left to read.
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
    pub(super) fn u8(&mut self) -> Option<u8> {
        Some(self.array::<1>()?[0])
    }
    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }
    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }
    pub(super) fn u128(&mut self) -> Option<u128> {
        self.array().map(u128::from_be_bytes)
    }
    /// A text of at most 255 bytes, its length before it.
    pub(super) fn text(&mut self) -> Option<&'a str> {
        let len = self.u8()?;
        std::str::from_utf8(self.take(len.into())?).ok()
    }
}

/// Adds a text of at most 255 bytes, its length before it.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    let len = u8::try_from(text.len()).expect("names here are short");
    out.push(len);
    out.extend_from_slice(text.as_bytes());
}
