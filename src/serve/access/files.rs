//! Small files that say who may ask.
//!
//! Idea: a path in a configuration may name anything, a device without an end among it, so no more is read than the
//! largest file of its kind can have.
//! Invariant: a message names the setting and the path, never what the file holds.
//! Cost: one read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::AccessError;

/// Reads a file of `most` bytes or less.
///
/// # Errors
/// Says why it cannot be read, or that it is larger.
pub fn read(setting: &'static str, path: &Path, most: usize) -> Result<Vec<u8>, AccessError> {
    let wrong = |fault: String| AccessError::new(setting, path, fault);
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => wrong("there is no such file".to_owned()),
        io::ErrorKind::PermissionDenied => wrong("this process may not read it".to_owned()),
        io::ErrorKind::IsADirectory => wrong("is a folder, not a file".to_owned()),
        _ => wrong(format!("cannot be read: {error}")),
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > most {
        return Err(wrong(format!("has more than {most} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_not_read_to_its_end() {
        let error = read("http.tls_key", Path::new("/dev/zero"), 1000).map_err(|error| error.to_string());
        assert_eq!(error, Err("`http.tls_key`: /dev/zero: has more than 1000 bytes".to_owned()));
        let error = read("http.tls_key", Path::new("/"), 1000).map_err(|error| error.to_string());
        assert_eq!(error, Err("`http.tls_key`: /: is a folder, not a file".to_owned()));
    }
}
