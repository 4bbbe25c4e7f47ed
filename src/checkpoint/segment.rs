//! A segment: rows of several places in one file or object.
//!
//! ```text
//! magic | block block block .. | index | length of the index, its checksum | magic
//! ```
//! Idea: blocks of rows one after another, and an index at the end that says which blocks a place has, so that any part can
//! be read by itself, by whoever wants it. The index is JSON: it is small, and reading it cannot go wrong in ways of its own.
//! Invariant: each block and the index have a checksum, and the manifest has that of the index: no byte that is loaded was
//! not written by the checkpoint that the manifest names.
//! Cost: the rows' own bytes, see `rows`; some twenty bytes a block of about a quarter of a MiB.

use std::collections::BTreeMap;
use std::io::Write;

use serde::{Deserialize, Serialize};

use super::CheckpointError;
use super::manifest::{Place, Placed, Segment};
use super::rows::{self, Rows};
use super::store::{Store, Writing};

const MAGIC: &[u8; 8] = b"tidings1";

/// Length of what stands behind the index.
const TAIL: u64 = 16;

/// Bytes of rows after which a block ends.
const FULL: usize = 256 << 10;

/// A block: where it stands, its length, its rows, its checksum.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block(pub u64, pub u32, pub u64, pub u32);

/// Where the rows of a place are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// What is there.
    #[serde(flatten)]
    pub placed: Placed,
    /// Its blocks, in the order of their rows.
    pub blocks: Vec<Block>,
}

/// What a segment says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Index {
    sections: Vec<Section>,
}

/// Writes a segment.
pub struct Writer {
    key: String,
    out: Box<dyn Writing>,
    at: u64,
    rows: Rows,
    index: Index,
}

impl Section {
    /// What is there.
    pub fn placed(&self) -> Placed {
        self.placed.clone()
    }
}

impl Index {
    /// What stands in the segment.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }
}

impl Writer {
    /// Begins one.
    ///
    /// # Errors
    /// Where the store does.
    pub fn new(store: &dyn Store, key: &str) -> Result<Writer, CheckpointError> {
        let out = store.begin(key)?;
        let mut writer =
            Writer { key: store.show(key), out, at: 0, rows: Rows::default(), index: Index::default() };
        writer.write(MAGIC)?;
        Ok(writer)
    }

    /// What follows is of this place; a place may come once.
    ///
    /// # Errors
    /// Where the rows of the one before cannot be written.
    pub fn begin(&mut self, count: u32, place: Place) -> Result<(), CheckpointError> {
        self.end_block()?;
        self.drop_empty();
        let placed = Placed { count, place, rows: 0, sum: 0 };
        self.index.sections.push(Section { placed, blocks: Vec::new() });
        Ok(())
    }

    /// Adds a row; terms must ascend within a place.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn push(&mut self, term: &[u8], n: i64) -> Result<(), CheckpointError> {
        let section = self.index.sections.last_mut().expect("a place has begun");
        section.placed.rows += 1;
        section.placed.sum += n;
        self.rows.push(term, n);
        if self.rows.len() >= FULL { self.end_block() } else { Ok(()) }
    }

    /// Makes it last; `None`, and nothing is written, where there are no rows.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(mut self, key: String) -> Result<Option<Segment>, CheckpointError> {
        self.end_block()?;
        self.drop_empty();
        if self.index.sections.is_empty() {
            return Ok(None);
        }
        let index = serde_json::to_vec(&self.index);
        let index = index.map_err(|why| CheckpointError::damaged(&self.key, why.to_string()))?;
        let crc = crc32fast::hash(&index);
        self.write(&index)?;
        let length = index.len() as u32;
        self.write(&length.to_le_bytes())?;
        self.write(&crc.to_le_bytes())?;
        self.write(MAGIC)?;
        self.out.finish()?;
        let places = self.index.sections.into_iter().map(|section| section.placed).collect();
        Ok(Some(Segment { key, size: self.at, crc, places }))
    }

    fn drop_empty(&mut self) {
        self.index.sections.pop_if(|section| section.placed.rows == 0);
    }

    fn end_block(&mut self) -> Result<(), CheckpointError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let (bytes, rows) = self.rows.take();
        let block = Block(self.at, bytes.len() as u32, rows, crc32fast::hash(&bytes));
        self.index.sections.last_mut().expect("rows are of a place").blocks.push(block);
        self.write(&bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), CheckpointError> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes).map_err(|why| CheckpointError::Io {
            action: "write",
            key: self.key.clone(),
            why: why.to_string(),
        })
    }
}

/// Reads the index of a segment as a manifest names it; only the places that are good.
///
/// # Errors
/// `Damaged` where it is not the one that was written.
pub fn read_index(store: &dyn Store, segment: &Segment) -> Result<Vec<Section>, CheckpointError> {
    let Segment { key, size, crc, places } = segment;
    let damaged = |why: String| CheckpointError::damaged(&store.show(key), why);
    let found = store.size(key)?.ok_or_else(|| damaged("it is missing".to_owned()))?;
    if found != *size {
        return Err(damaged(format!("it has {found} bytes, and had {size}")));
    }
    let least = MAGIC.len() as u64 + TAIL;
    let tail = size
        .checked_sub(TAIL)
        .filter(|_| *size >= least)
        .ok_or_else(|| damaged("it is too short".to_owned()))?;
    let end = store.read_range(key, tail..*size)?;
    let number = |at: usize| u32::from_le_bytes([end[at], end[at + 1], end[at + 2], end[at + 3]]);
    let begin = tail.checked_sub(u64::from(number(0))).filter(|begin| *begin >= MAGIC.len() as u64);
    let (Some(begin), true) = (begin, end[8..] == MAGIC[..]) else {
        return Err(damaged("its end is not that of a segment".to_owned()));
    };
    let bytes = store.read_range(key, begin..tail)?;
    if number(4) != *crc || crc32fast::hash(&bytes) != *crc {
        return Err(damaged("the checksum of its index is another".to_owned()));
    }
    let index: Index = serde_json::from_slice(&bytes).map_err(|why| damaged(why.to_string()))?;
    let mut sections = index.sections;
    let in_place =
        |block: &Block| block.0 >= MAGIC.len() as u64 && block.0.saturating_add(u64::from(block.1)) <= begin;
    if !sections.iter().all(|section| section.blocks.iter().all(in_place)) {
        return Err(damaged("its index points outside".to_owned()));
    }
    // There may be a place for each second of a day.
    let good: BTreeMap<_, _> = places.iter().map(|placed| ((placed.count, placed.place), placed)).collect();
    sections.retain(|Section { placed, .. }| {
        good.get(&(placed.count, placed.place)).is_some_and(|good| *good == placed)
    });
    if sections.len() != places.len() {
        return Err(damaged("it has not the places that it had".to_owned()));
    }
    Ok(sections)
}

/// Reads the rows of one block, whose checksum must be right.
///
/// # Errors
/// `Damaged` where it is not as it was written.
pub fn read_block(
    store: &dyn Store,
    key: &str,
    Block(at, length, rows, crc): Block,
    see: impl FnMut(&[u8], i64),
) -> Result<(), CheckpointError> {
    let bytes = store.read_range(key, at..at + u64::from(length))?;
    let damaged = |why: &str| CheckpointError::damaged(&store.show(key), format!("at byte {at}: {why}"));
    if crc32fast::hash(&bytes) != crc {
        return Err(damaged("the checksum is another"));
    }
    let found = rows::read(&bytes, see).map_err(damaged)?;
    if found != rows { Err(damaged("the number of rows is another")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::files::Files;
    use proptest::prelude::*;

    fn write(store: &dyn Store) -> Segment {
        let mut writer = Writer::new(store, "segments/a").unwrap();
        for (count, place, rows) in
            [(0, Place::Pane(1000, 7), 50_000), (0, Place::All, 0), (3, Place::Spellings, 2)]
        {
            writer.begin(count, place).unwrap();
            (0..rows).for_each(|n| writer.push(format!("term-{n:06}").as_bytes(), n).unwrap());
        }
        writer.finish("segments/a".to_owned()).unwrap().unwrap()
    }

    fn read(store: &dyn Store, segment: &Segment) -> Result<Vec<(u32, Place, i64)>, CheckpointError> {
        let mut sums = Vec::new();
        for Section { placed, blocks } in read_index(store, segment)? {
            let mut sum = 0;
            for block in blocks {
                read_block(store, &segment.key, block, |_, n| sum += n)?;
            }
            sums.push((placed.count, placed.place, sum));
        }
        Ok(sums)
    }

    #[test]
    fn what_was_written_is_read_part_by_part() {
        let folder = tempfile::tempdir().unwrap();
        let store = Files::new(folder.path());
        let mut segment = write(&store);
        let all = [(0, Place::Pane(1000, 7), 49_999 * 25_000), (3, Place::Spellings, 1)];
        assert_eq!(read(&store, &segment).unwrap(), all);
        assert!(segment.size < 50_000 * 10, "{} bytes", segment.size);
        segment.places.remove(0);
        assert_eq!(read(&store, &segment).unwrap(), all[1..], "what is not good any more is not read");
        let writer = Writer::new(&store, "segments/b").unwrap();
        assert_eq!(writer.finish("segments/b".to_owned()).unwrap(), None);
        assert_eq!(store.size("segments/b").unwrap(), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn damage_is_noticed_wherever_it_is(at in any::<prop::sample::Index>(), bit in 0u8..8, cut in any::<bool>()) {
            let folder = tempfile::tempdir().unwrap();
            let store = Files::new(folder.path());
            let segment = write(&store);
            let path = folder.path().join("segments/a");
            let mut bytes = std::fs::read(&path).unwrap();
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] ^= 1 << bit }
            std::fs::write(&path, bytes).unwrap();
            let read = read(&store, &segment);
            // The first bytes say only what it is.
            prop_assert!(read.is_err() || !cut && at < MAGIC.len(), "byte {}", at);
            if let Err(error) = read {
                prop_assert!(matches!(error, CheckpointError::Damaged { .. }), "{}", error);
                prop_assert!(error.to_string().contains("segments/a"), "{}", error);
            }
        }
    }
}
