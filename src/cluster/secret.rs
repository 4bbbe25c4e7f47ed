//! The secret that all processes of a cluster share.
//!
//! Idea: it is only ever used to prove that one knows it, by HMAC-SHA256 over what both sides have said.
//! Invariant: it is never sent and never printed. Without one, whoever can connect can prove the same, so hosts are
//! loopback addresses then (the configuration sees to it).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ring::hmac::{HMAC_SHA256, Key};
use ring::rand::{SecureRandom, SystemRandom};

use super::ClusterError;

/// Bytes of a secret, at most.
const LONGEST: u64 = 4096;

/// A secret shorter than this could be guessed.
const SHORTEST: usize = 16;

/// The key of this secret; without a file that of none.
///
/// # Errors
/// Where the file cannot be read, or what it holds could be guessed.
pub fn key(file: Option<&Path>) -> Result<Key, ClusterError> {
    let Some(path) = file else { return Ok(Key::new(HMAC_SHA256, b"")) };
    let wrong =
        |fault: String| ClusterError::Config(format!("`cluster.secret_file`: {}: {fault}", path.display()));
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes));
    read.map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if bytes.len() as u64 > LONGEST {
        return Err(wrong(format!("has more than {LONGEST} bytes")));
    }
    let secret = bytes.trim_ascii();
    if secret.len() < SHORTEST {
        let instead = "write one into it, such as `openssl rand -hex 32` prints";
        return Err(wrong(format!("a secret has {SHORTEST} bytes at least; {instead}")));
    }
    Ok(Key::new(HMAC_SHA256, secret))
}

/// A new secret, as text.
///
/// # Errors
/// Where the system has no random numbers.
pub fn random() -> std::io::Result<String> {
    let mut bytes = [0; 32];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| std::io::Error::other("the system has no random numbers"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_guessed_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        for (content, part) in
            [(&b" \n"[..], "16 bytes at least"), (b"short", "openssl"), (&[b'a'; 5000], "more")]
        {
            std::fs::write(&path, content).expect("it can be written");
            let error = key(Some(&path)).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains("`cluster.secret_file`") && error.contains(part), "{error}");
        }
        std::fs::write(&path, b"0123456789abcdef\n").expect("it can be written");
        assert!(key(Some(&path)).is_ok() && key(None).is_ok());
        assert!(key(Some(Path::new("/nowhere/secret"))).is_err());
    }
}
