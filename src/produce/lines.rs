//! Lines of files and of standard input, read ahead on a thread of their own; rows of tables as lines of JSON.
//!
//! Idea: what one read returns is cut at its last line break and handed on at once, so that a file comes in large
//! pieces and a pipe line by line as it is written; and a pipe in which nothing happens never keeps the program from
//! stopping, since it is not the program's own thread that waits for it.
//! Invariant: each line comes out once, in order, without its line break, a carriage return before it, or the byte
//! order mark of its file; blank ones do not. A line longer than [`LONGEST`] is left out and counted. Cost: one copy;
//! four pieces are read ahead at most.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, sync_channel};

use super::table::{self, Columns};
use crate::source::packed;

/// The longest line that is taken, in bytes; so that a file without line breaks does not take all memory.
pub const LONGEST: usize = 16 << 20;
/// How much is asked of one read.
const READ: usize = 256 << 10;
const AHEAD: usize = 4;

/// A file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub struct ReadError {
    path: PathBuf,
    error: io::Error,
}

/// Some whole lines.
#[derive(Debug, Default)]
pub struct Piece {
    bytes: Vec<u8>,
    /// Lines before this piece that were too long.
    pub too_long: u64,
    /// Whether all files begin anew with it.
    pub anew: bool,
}

impl Piece {
    /// These lines.
    pub fn of(bytes: Vec<u8>) -> Self {
        Self { bytes, ..Self::default() }
    }

    /// Its lines that are not blank.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes
            .split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .filter(|line| !line.trim_ascii().is_empty())
    }
}

/// What to read.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Files, one after the other; `-` is standard input.
    pub paths: Vec<PathBuf>,
    /// How they are written where they are tables; `None`: each line is a post.
    pub columns: Option<Columns>,
    /// Whether to begin anew behind the last one, without end.
    pub again: bool,
}

/// How much there is to read, in bytes as they lie on the disk; `None` where nobody knows.
///
/// # Errors
/// Where a file is not there, or is a folder.
pub fn size(plan: &Plan) -> Result<Option<u64>, ReadError> {
    let mut size = (!plan.again).then_some(0);
    for path in plan.paths.iter().filter(|path| *path != Path::new("-")) {
        let fail = |error| ReadError { path: path.clone(), error };
        // Not opened here: the writer of a named pipe would take the closing for the end.
        let metadata = std::fs::metadata(path).map_err(fail)?;
        if metadata.is_dir() {
            return Err(fail(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        size = size.filter(|_| metadata.is_file()).map(|size| size + metadata.len());
    }
    Ok(size.filter(|_| plan.paths.iter().all(|path| path != Path::new("-"))))
}

/// Begins to read; how much of the files has been read is counted in `done`. The thread ends with the last file, with the
/// first error, or when nobody receives any more.
///
/// # Errors
/// Where there is no thread to be had.
pub fn read(plan: Plan, done: Arc<AtomicU64>) -> Result<Receiver<Result<Piece, ReadError>>, ReadError> {
    let (sender, receiver) = sync_channel(AHEAD);
    let reader = std::thread::Builder::new().name("lines".to_owned()).spawn(move || {
        let mut anew = false;
        loop {
            let mut some = false;
            for path in &plan.paths {
                let mut received = true;
                let hand_on = |mut piece: Piece| {
                    some |= piece.lines().next().is_some();
                    piece.anew = std::mem::take(&mut anew);
                    received = sender.send(Ok(piece)).is_ok();
                    received
                };
                let cut = packed::open(path, done.clone()).and_then(|input| match &plan.columns {
                    Some(columns) => table::rows(input, columns, hand_on),
                    None => cut(input, LONGEST, hand_on),
                });
                if let Err(error) = cut {
                    // When nobody receives any more there is nobody to tell.
                    let _ = sender.send(Err(ReadError { path: path.clone(), error }));
                    return;
                }
                if !received {
                    return;
                }
            }
            // Files without a line would be read for ever.
            if !plan.again || !some {
                return;
            }
            anew = true;
        }
    });
    reader.map_err(|error| ReadError { path: PathBuf::from("-"), error })?;
    Ok(receiver)
}

/// Hands on the lines of one input in pieces, until it ends or `hand_on` returns false.
fn cut(mut input: impl Read, longest: usize, mut hand_on: impl FnMut(Piece) -> bool) -> io::Result<()> {
    let mut rest: Vec<u8> = Vec::new();
    let (mut skipping, mut too_long, mut first) = (false, 0, true);
    loop {
        let had = rest.len();
        rest.resize(had + READ, 0);
        let got = match input.read(&mut rest[had..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(error),
            Ok(0) => {
                rest.truncate(had);
                break;
            }
            Ok(got) => got,
        };
        rest.truncate(had + got);
        if skipping {
            let line_end = memchr::memchr(b'\n', &rest);
            skipping = line_end.is_none();
            rest.drain(..line_end.map_or(rest.len(), |at| at + 1));
        }
        let end = memchr::memrchr(b'\n', &rest).map_or(0, |at| at + 1);
        if end > 0 {
            let after = rest.split_off(end);
            let mut bytes = std::mem::replace(&mut rest, after);
            unmark(&mut bytes, &mut first);
            if !hand_on(Piece { bytes, too_long: std::mem::take(&mut too_long), anew: false }) {
                return Ok(());
            }
        }
        if rest.len() > longest {
            rest.clear();
            (skipping, too_long) = (true, too_long + 1);
        }
    }
    unmark(&mut rest, &mut first);
    hand_on(Piece { bytes: rest, too_long, anew: false });
    Ok(())
}

/// Takes the byte order mark off the first bytes of a file.
fn unmark(bytes: &mut Vec<u8>, first: &mut bool) {
    if std::mem::take(first) && bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns as many bytes a call as it is told.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let some = self.0.len().min(self.1).min(into.len());
            into[..some].copy_from_slice(&self.0[..some]);
            self.0 = &self.0[some..];
            Ok(some)
        }
    }

    fn lines(input: &[u8], step: usize, longest: usize) -> (Vec<Vec<u8>>, u64) {
        let (mut lines, mut too_long) = (Vec::new(), 0);
        let take = |piece: Piece| {
            lines.extend(piece.lines().map(<[u8]>::to_vec));
            too_long += piece.too_long;
            true
        };
        cut(Dribble(input, step), longest, take).expect("reads do not fail");
        (lines, too_long)
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_how_they_arrive(input in "[ab\r\n {}é]{0,200}", step in 1usize..40) {
            let naive: Vec<Vec<u8>> = input
                .split('\n')
                .map(|line| line.strip_suffix('\r').unwrap_or(line))
                .filter(|line| !line.trim_ascii().is_empty())
                .map(|line| line.as_bytes().to_vec())
                .collect();
            prop_assert_eq!(lines(input.as_bytes(), step, LONGEST), (naive, 0));
        }
    }

    #[test]
    fn an_endless_line_takes_no_memory_and_is_counted() {
        let input = [b"one\n".as_slice(), &[b'x'; 100_000], b"\ntwo\n", &[b'y'; 100_000]].concat();
        let (lines, too_long) = lines(&input, 1_000, 5_000);
        assert_eq!((lines, too_long), (vec![b"one".to_vec(), b"two".to_vec()], 2));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        assert_eq!(
            lines(b"\xef\xbb\xbf{}\n\xef\xbb\xbf", 100, LONGEST).0,
            [b"{}".to_vec(), b"\xef\xbb\xbf".to_vec()]
        );
    }

    #[test]
    fn a_missing_file_and_a_folder_are_named() {
        let plan = |path: &Path| Plan { paths: vec![path.to_owned()], columns: None, again: false };
        let missing = size(&plan(Path::new("/nowhere/posts.jsonl"))).expect_err("no such file");
        assert!(missing.to_string().starts_with("/nowhere/posts.jsonl: "), "{missing}");
        assert!(size(&plan(&std::env::temp_dir())).is_err());
        assert_eq!(size(&plan(Path::new("-"))).expect("standard input"), None);
    }

    #[test]
    fn files_are_read_one_after_the_other_and_again() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let paths: Vec<PathBuf> = ["a", "b", "empty"].map(|name| folder.path().join(name)).into();
        for (path, text) in paths.iter().zip(["1\n2", "3\n", ""]) {
            std::fs::write(path, text).expect("a file");
        }
        let once = Plan { paths: paths.clone(), columns: None, again: false };
        assert_eq!(size(&once).expect("files"), Some(5));
        let done = Arc::<AtomicU64>::default();
        let lines = |plan, number| -> Vec<Vec<u8>> {
            let pieces = read(plan, done.clone()).expect("a thread").into_iter();
            let lines = pieces
                .flat_map(|piece| piece.expect("lines").lines().map(<[u8]>::to_vec).collect::<Vec<_>>());
            lines.take(number).collect()
        };
        assert_eq!(lines(once.clone(), 9), [b"1", b"2", b"3"]);
        assert_eq!(done.load(std::sync::atomic::Ordering::Relaxed), 5);
        assert_eq!(lines(Plan { again: true, ..once }, 5), [b"1", b"2", b"3", b"1", b"2"]);
        for blank in ["", "\n \r\n"] {
            std::fs::write(&paths[2], blank).expect("a file");
            let empty = Plan { paths: paths[2..].to_vec(), columns: None, again: true };
            assert_eq!(lines(empty, 1), Vec::<Vec<u8>>::new());
        }
    }
}
