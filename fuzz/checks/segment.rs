//! Segments: whatever stands in a file, and whatever a manifest says of it, is read as rows or refused, at a cost of the file's
//! own size.

use std::ops::Range;

use tidings::checkpoint::CheckpointError;
use tidings::checkpoint::manifest::{Place, Placed, Segment};
use tidings::checkpoint::rows;
use tidings::checkpoint::segment::{Index, Section, read_block, read_index};
use tidings::checkpoint::store::{Store, Writing};

const KEY: &str = "segments/a";
const MAGIC: &[u8; 8] = b"tidings1";

/// Reads bytes as rows; as a file, beside which a manifest fits; and as the index of a file whose checksums are right.
pub fn check(bytes: &[u8]) {
    let mut written = rows::Rows::default();
    let seen = rows::read(bytes, |term, n| written.push(term, n));
    if let Ok(seen) = seen {
        let (again, number) = written.take();
        assert_eq!(number, seen);
        assert!(again.len() <= bytes.len(), "rows have one shortest form");
    }
    let crc = bytes
        .len()
        .checked_sub(12)
        .and_then(|at| bytes[at..at + 4].try_into().ok())
        .map_or(0, u32::from_le_bytes);
    read(bytes, crc, vec![Placed { count: 0, place: Place::All, rows: 1, sum: 1 }]);
    let (index, blocks) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len()));
    let places = serde_json::from_slice::<Index>(index)
        .map(|index| index.sections().iter().map(Section::placed).collect());
    let crc = crc32fast::hash(index);
    let length = (index.len() as u32).to_le_bytes();
    let file = [&MAGIC[..], blocks, index, &length, &crc.to_le_bytes(), MAGIC].concat();
    read(&file, crc, places.unwrap_or_default());
}

fn read(file: &[u8], crc: u32, places: Vec<Placed>) {
    let segment = Segment { key: KEY.to_owned(), size: file.len() as u64, crc, places };
    let store = Held(file);
    let sections = match read_index(&store, &segment) {
        Ok(sections) => sections,
        Err(CheckpointError::Damaged { key, .. }) => return assert_eq!(key, KEY),
        Err(other) => panic!("{other:?}"),
    };
    for block in sections.into_iter().flat_map(|section| section.blocks) {
        let (mut rows, mut bytes) = (0, 0);
        let read = read_block(&store, KEY, block, |term, _| {
            rows += 1;
            bytes += term.len();
        });
        assert!(rows <= file.len(), "a row is a byte at least");
        match read {
            Ok(()) => assert_eq!(rows as u64, block.2),
            Err(CheckpointError::Damaged { key, .. }) => assert_eq!(key, KEY),
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// A store with one name.
struct Held<'a>(&'a [u8]);

impl Store for Held<'_> {
    fn show(&self, key: &str) -> String {
        key.to_owned()
    }

    fn read(&self, _: &str) -> Result<Option<Vec<u8>>, CheckpointError> {
        Ok(Some(self.0.to_vec()))
    }

    fn read_range(&self, key: &str, range: Range<u64>) -> Result<Vec<u8>, CheckpointError> {
        assert_eq!(key, KEY);
        let whole = self.0.get(range.start as usize..range.end as usize);
        Ok(whole.unwrap_or_else(|| panic!("asked for {range:?} of {}", self.0.len())).to_vec())
    }

    fn size(&self, _: &str) -> Result<Option<u64>, CheckpointError> {
        Ok(Some(self.0.len() as u64))
    }

    fn create(&self, _: &str, _: &[u8]) -> Result<bool, CheckpointError> {
        unreachable!("nothing is written")
    }

    fn replace(&self, _: &str, _: &[u8]) -> Result<(), CheckpointError> {
        unreachable!("nothing is written")
    }

    fn begin(&self, _: &str) -> Result<Box<dyn Writing>, CheckpointError> {
        unreachable!("nothing is written")
    }

    fn list(&self, _: &str) -> Result<Vec<String>, CheckpointError> {
        unreachable!("nothing is listed")
    }

    fn delete(&self, _: &str) -> Result<(), CheckpointError> {
        unreachable!("nothing is deleted")
    }

    fn lock(&self) -> Result<bool, CheckpointError> {
        unreachable!("nobody is kept out")
    }

    fn has_locks(&self) -> bool {
        true
    }

    fn tidies(&self) -> bool {
        true
    }

    fn ahead_ms(&self) -> u64 {
        0
    }
}
