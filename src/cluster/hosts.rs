//! A file with the addresses of all processes, a line each, for `--hosts`.
//!
//! Idea: the same file on every host, as `mpirun` and timely's own programs have it; what the lines mean is the
//! configuration's to check, as if they stood under `cluster.hosts`.
//! Invariant: the order of the lines is that of the processes' indices. Empty lines, and what follows a `#`, mean nothing.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::ClusterError;

/// Bytes of such a file, at most.
const LONGEST: u64 = 1 << 20;

/// The addresses in the file.
///
/// # Errors
/// Where it cannot be read, or holds none.
pub fn read(path: &Path) -> Result<Vec<String>, ClusterError> {
    let wrong = |fault: String| ClusterError::Config(format!("--hosts: {}: {fault}", path.display()));
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text));
    read.map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if text.len() as u64 > LONGEST {
        return Err(wrong(format!("has more than {LONGEST} bytes")));
    }
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let hosts: Vec<String> = lines.filter(|line| !line.is_empty()).map(str::to_owned).collect();
    match hosts.is_empty() {
        true => Err(wrong("names no process; write a line such as 10.0.0.1:2101 for each".to_owned())),
        false => Ok(hosts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_process() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("hosts");
        std::fs::write(&path, "# all of them\r\n10.0.0.1:2101\r\n\n  b:2 # the second\n")
            .expect("it can be written");
        assert_eq!(read(&path), Ok(vec!["10.0.0.1:2101".to_owned(), "b:2".to_owned()]));
        std::fs::write(&path, "#\n\n").expect("it can be written");
        assert!(read(&path).is_err_and(|error| error.to_string().contains("names no process")));
        assert!(read(&folder.path().join("none")).is_err());
        std::fs::write(&path, "#".repeat(LONGEST as usize + 1)).expect("it can be written");
        assert!(read(&path).is_err_and(|error| error.to_string().contains("more than")));
    }
}
