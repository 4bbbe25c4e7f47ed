//! An object that is being written.
//!
//! Idea: what is small is one request at the end. What is larger goes up in parts while it is written, so that little of it
//! is held; the last request names the parts, and with it the object is there.
//! Invariant: the object is there whole or not at all. Parts of one that is given up are removed, unless the process dies:
//! then they stay, unseen, for a rule of the bucket that ends uploads which were never completed.
//! Cost: 8 MiB of memory.

use std::io::{self, Write};
use std::sync::Arc;

use object_store::{MultipartUpload, ObjectStoreExt};

use super::{LONGEST, Place, kind, said};
use crate::checkpoint::CheckpointError;
use crate::checkpoint::failpoint::point;
use crate::checkpoint::store::Writing;

/// Bytes of a part. All but the last must have 5 MiB, with some servers the same number, and there may be 10,000.
const PART: usize = 8 << 20;

/// An object that is being written.
pub(super) struct Upload {
    place: Arc<Place>,
    key: String,
    /// What has not been sent.
    bytes: Vec<u8>,
    /// Bytes in all.
    size: u64,
    /// Since the first part.
    parts: Option<Box<dyn MultipartUpload>>,
}

impl Upload {
    pub(super) fn new(place: Arc<Place>, key: &str) -> Upload {
        Upload { place, key: key.to_owned(), bytes: Vec::new(), size: 0, parts: None }
    }

    fn send_part(&mut self) -> object_store::Result<()> {
        let (place, path) = (&self.place, self.place.path(&self.key));
        let bytes = std::mem::take(&mut self.bytes);
        let parts = match &mut self.parts {
            Some(parts) => parts,
            none => none.insert(place.ask(LONGEST, place.client.put_multipart(&path))?),
        };
        place.ask(LONGEST, parts.put_part(bytes.into()))?;
        point(&format!("{}.part.after", kind(&self.key)));
        Ok(())
    }

    fn send(&mut self) -> object_store::Result<()> {
        if self.parts.is_some() && !self.bytes.is_empty() {
            self.send_part()?;
        }
        let place = &self.place;
        point(&format!("{}.put.before", kind(&self.key)));
        match &mut self.parts {
            Some(parts) => {
                if let Err(error) = place.ask(LONGEST, parts.complete()) {
                    // Where its answer was lost it was done, and cannot be done again.
                    let head = place.ask(LONGEST, place.client.head(&place.path(&self.key)));
                    if !head.is_ok_and(|found| found.size == self.size) {
                        return Err(error);
                    }
                }
            }
            None => {
                let (path, bytes) = (place.path(&self.key), std::mem::take(&mut self.bytes));
                place.ask(LONGEST, place.client.put(&path, bytes.into())).map(drop)?;
            }
        }
        point(&format!("{}.put.after", kind(&self.key)));
        // Nothing to be given up any more.
        self.parts = None;
        Ok(())
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PART - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..taken]);
        self.size += taken as u64;
        if self.bytes.len() == PART {
            self.send_part().map_err(|error| io::Error::other(said(&error)))?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Writing for Upload {
    fn finish(mut self: Box<Self>) -> Result<(), CheckpointError> {
        self.send().map_err(|error| self.place.failed("write", &self.key, &error))
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(parts) = &mut self.parts
            && let Err(error) = self.place.ask(LONGEST, parts.abort())
        {
            tracing::warn!("parts of {} stay: {}", self.place.show(&self.key), said(&error));
        }
    }
}
