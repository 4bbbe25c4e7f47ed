//! Where bytes are kept under names: a directory, or whatever else can do these few things.
//!
//! Idea: five verbs are enough for the whole protocol. All but the lease are written once: `create` is the one that decides
//! between two who want the same name.
//! Invariant: after `create`, `replace` or `finish` has returned the bytes are there whole, whatever happens; before, the
//! name is not there, or has what it had.

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use super::CheckpointError;
use super::files::Files;

/// Keeps bytes under names.
pub trait Store: Send + Sync {
    /// A name as a person would look for it.
    fn show(&self, key: &str) -> String;

    /// All bytes of a name; `None`: it is not there.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, CheckpointError>;

    /// Some of them.
    ///
    /// # Errors
    /// Where they cannot be read, also where the name is not there or has less.
    fn read_range(&self, key: &str, range: Range<u64>) -> Result<Vec<u8>, CheckpointError>;

    /// How many there are; `None`: it is not there.
    ///
    /// # Errors
    /// Where that cannot be learnt.
    fn size(&self, key: &str) -> Result<Option<u64>, CheckpointError>;

    /// Writes a name that is not there yet; false: it is, and stays as it was. Where an answer may be lost, a name that is there
    /// with the same bytes counts as written now, so no two should write the same.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn create(&self, key: &str, bytes: &[u8]) -> Result<bool, CheckpointError>;

    /// Writes a name whether it is there or not.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn replace(&self, key: &str, bytes: &[u8]) -> Result<(), CheckpointError>;

    /// Begins to write a name of which nobody knows yet, piece by piece.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn begin(&self, key: &str) -> Result<Box<dyn Writing>, CheckpointError>;

    /// All names in a folder, in order.
    ///
    /// # Errors
    /// Where they cannot be listed.
    fn list(&self, folder: &str) -> Result<Vec<String>, CheckpointError>;

    /// Removes a name; that it is not there is no error.
    ///
    /// # Errors
    /// Where it cannot be removed.
    fn delete(&self, key: &str) -> Result<(), CheckpointError>;

    /// Keeps others out for as long as this process lives, where the place has locks; false: another is in.
    ///
    /// # Errors
    /// Where that cannot be learnt, and where the place cannot keep two who write at once apart.
    fn lock(&self) -> Result<bool, CheckpointError>;

    /// Whether a lock keeps others out; else a lease has to be watched, see `lease`.
    fn has_locks(&self) -> bool;

    /// Whether what a checkpoint that did not come about has written is to be removed at once. Where it is not certain that
    /// it did not come about, or room is no matter, it is left to `garbage`.
    fn tidies(&self) -> bool;

    /// By how many milliseconds epochs are written ahead, see `lease`: what writing costs is not the same everywhere.
    fn ahead_ms(&self) -> u64;
}

/// Something that is being written.
pub trait Writing: Write + Send {
    /// Makes it last, under its name.
    ///
    /// # Errors
    /// Where it cannot be; then nothing is left under the name, unless an answer was lost: nobody refers to it.
    fn finish(self: Box<Self>) -> Result<(), CheckpointError>;
}

/// The store at an address, `file:///folder` or `s3://bucket/prefix`. Nobody is asked yet.
///
/// # Errors
/// Where there is no such store in this build, or the address cannot be one.
pub fn open_store(address: &str) -> Result<Arc<dyn Store>, CheckpointError> {
    if let Some(folder) = address.strip_prefix("file://") {
        return Ok(Arc::new(Files::new(folder)));
    }
    if address.starts_with("s3://") {
        return open_bucket(address);
    }
    Err(CheckpointError::Refused(format!(
        "checkpoint.dir is {address:?}, which is neither a directory, \"file:///var/lib/tidings\", nor a bucket, \
         \"s3://bucket/prefix\""
    )))
}

#[cfg(feature = "s3")]
fn open_bucket(address: &str) -> Result<Arc<dyn Store>, CheckpointError> {
    Ok(Arc::new(super::s3::Bucket::new(address)?))
}

#[cfg(not(feature = "s3"))]
fn open_bucket(address: &str) -> Result<Arc<dyn Store>, CheckpointError> {
    Err(CheckpointError::Refused(format!(
        "checkpoint.dir is {address:?}, and this build of tidings keeps checkpoints in directories only: `cargo run --release \
         --features s3` builds and runs one that knows buckets; or write \"file:///var/lib/tidings\""
    )))
}
