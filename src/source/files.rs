//! Lines of files, packed or not, or of the standard input, as records.
//!
//! Idea: a file is a partition and a line is a record, whose offset is its number; one worker reads all files in turn, for all.
//! Invariant: every line that is not empty is handed out once. A line longer than a record may be is cut just beyond that
//! length, so that it is seen to be too long and never held whole.
//! Cost: one buffer of 256 KiB, and a copy of each line by whoever takes it.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use memchr::memchr;
use tidings_dataflows::records::Origin;

use super::{Polled, Position, Source, SourceError, packed};
use crate::posts::MAX_RECORD;

const BUFFER: usize = 1 << 18;

/// How far reading has got, for whoever shows it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes read so far, as they lie on the disk.
    pub read: Arc<AtomicU64>,
}

/// The files still to be read.
pub struct FileSource {
    waiting: VecDeque<(u32, PathBuf)>,
    open: Option<Lines>,
    done: Vec<Position>,
    progress: Arc<Progress>,
}

struct Lines {
    number: u32,
    name: PathBuf,
    reader: BufReader<Box<dyn Read>>,
    /// Number of the next line.
    next: i64,
    /// The beginning of a line that runs over the end of the buffer.
    begun: Vec<u8>,
}

impl FileSource {
    /// Reads these files in order; `-` is the standard input.
    pub fn new(files: &[PathBuf], progress: Arc<Progress>) -> FileSource {
        let waiting = files.iter().enumerate().map(|(number, file)| (number as u32, file.clone())).collect();
        FileSource { waiting, open: None, done: Vec::new(), progress }
    }
}

impl Source for FileSource {
    fn poll(
        &mut self,
        budget: usize,
        give: &mut dyn FnMut(Origin, Option<&[u8]>),
    ) -> Result<Polled, SourceError> {
        let mut left = budget as i64;
        while left > 0 {
            let lines = match &mut self.open {
                Some(lines) => lines,
                None => match self.waiting.pop_front() {
                    Some((number, name)) => self.open.insert(open(number, name, &self.progress)?),
                    None => return Ok(Polled::Finished),
                },
            };
            let read = lines.some(give)?;
            left -= read as i64;
            if read == 0 {
                self.done.push(lines.position());
                self.open = None;
            }
        }
        Ok(Polled::More)
    }

    fn positions(&self) -> Vec<Position> {
        self.done.iter().copied().chain(self.open.as_ref().map(Lines::position)).collect()
    }

    fn is_behind(&self) -> bool {
        self.open.is_some() || !self.waiting.is_empty()
    }
}

fn open(number: u32, name: PathBuf, progress: &Progress) -> Result<Lines, SourceError> {
    let opened = packed::open(&name, Arc::clone(&progress.read));
    let reader = opened.map_err(|error| unreadable(&name, &error))?;
    Ok(Lines { number, name, reader: BufReader::with_capacity(BUFFER, reader), next: 0, begun: Vec::new() })
}

fn unreadable(name: &Path, error: &std::io::Error) -> SourceError {
    SourceError::Io(format!("cannot read {}: {error}", name.display()))
}

impl Lines {
    fn position(&self) -> Position {
        Position { partition: self.number, next: self.next, last: None }
    }

    /// Hands out the lines in the buffer, filled anew if it is empty. Returns the bytes read; 0 at the end.
    fn some(&mut self, give: &mut dyn FnMut(Origin, Option<&[u8]>)) -> Result<usize, SourceError> {
        let buffer = loop {
            match self.reader.fill_buf() {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(&self.name, &error)),
                Ok(_) => break self.reader.buffer(),
            }
        };
        let (read, mut rest) = (buffer.len(), buffer);
        while let Some(end) = memchr(b'\n', rest) {
            let (line, tail) = (&rest[..end], &rest[end + 1..]);
            if self.begun.is_empty() {
                hand_out(self.number, &mut self.next, line, give);
            } else {
                begin(&mut self.begun, line);
                hand_out(self.number, &mut self.next, &self.begun, give);
                self.begun.clear();
            }
            rest = tail;
        }
        begin(&mut self.begun, rest);
        if read == 0 && !self.begun.is_empty() {
            hand_out(self.number, &mut self.next, &self.begun, give);
            self.begun.clear();
        }
        self.reader.consume(read);
        Ok(read)
    }
}

fn begin(begun: &mut Vec<u8>, part: &[u8]) {
    let room = (MAX_RECORD + 1).saturating_sub(begun.len());
    begun.extend_from_slice(&part[..part.len().min(room)]);
}

fn hand_out(partition: u32, next: &mut i64, line: &[u8], give: &mut dyn FnMut(Origin, Option<&[u8]>)) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // Some programs begin a file with a mark of its encoding.
    let line = if *next == 0 { line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line) } else { line };
    let line = &line[..line.len().min(MAX_RECORD + 1)];
    if !line.is_empty() {
        give(Origin { partition, offset: *next, time: i64::MIN }, Some(line));
    }
    *next += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(content: &[u8]) -> Vec<(i64, usize)> {
        let file =
            std::env::temp_dir().join(format!("tidings-lines-{}-{}", std::process::id(), content.len()));
        std::fs::write(&file, content).unwrap();
        let mut source = FileSource::new(std::slice::from_ref(&file), Arc::default());
        let mut seen = Vec::new();
        let mut give = |origin: Origin, line: Option<&[u8]>| seen.push((origin.offset, line.unwrap().len()));
        while source.poll(100, &mut give).unwrap() != Polled::Finished {}
        std::fs::remove_file(file).unwrap();
        seen
    }

    #[test]
    fn hands_out_each_line_once() {
        assert_eq!(lines_of(b"one\r\n\nthree\nlast"), [(0, 3), (2, 5), (3, 4)]);
        assert_eq!(lines_of(b""), []);
        assert_eq!(lines_of(b"\n\n"), []);
    }

    #[test]
    fn a_mark_of_the_encoding_belongs_to_no_line() {
        assert_eq!(lines_of("\u{feff}one\ntwo".as_bytes()), [(0, 3), (1, 3)]);
        assert_eq!(lines_of("one\n\u{feff}two!".as_bytes()), [(0, 3), (1, 7)]);
        assert_eq!(lines_of("\u{feff}".as_bytes()), []);
    }

    #[test]
    fn cuts_what_is_too_long_and_goes_on() {
        let mut content = vec![b'x'; 3 * MAX_RECORD];
        content.extend_from_slice(b"\nnext\n");
        assert_eq!(lines_of(&content), [(0, MAX_RECORD + 1), (1, 4)]);
    }

    #[test]
    fn packed_files_are_unpacked() {
        let content = b"one\n\nthree\n".as_slice();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, content).unwrap();
        assert_eq!(lines_of(&gzip.finish().unwrap()), [(0, 3), (2, 5)]);
        assert_eq!(lines_of(&zstd::encode_all(content, 3).unwrap()), [(0, 3), (2, 5)]);
    }

    #[test]
    fn a_missing_file_is_named() {
        let mut source = FileSource::new(&["/nowhere/posts.jsonl".into()], Arc::default());
        let error = source.poll(1, &mut |_, _| {}).unwrap_err();
        assert!(error.to_string().starts_with("cannot read /nowhere/posts.jsonl"), "{error}");
    }
}
