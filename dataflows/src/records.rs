//! Raw records on their way to the worker that decodes them.
//!
//! Idea: a container of many records end to end, for one worker. Where partitions do not
//! spread evenly over workers, containers go to whoever has least to decode, so that all of them do; else each worker keeps
//! its own.
//! Invariant: every record belongs to the epoch in which it was read, wherever it is decoded, since it travels at
//! that epoch's time.
//! Cost: one copy of a record's bytes, and 32 bytes.

use timely::Accountable;
use timely::bytes::arc::Bytes;
use timely::dataflow::channels::ContainerBytes;

use crate::block::Owned;
use crate::wire;

/// Where a record came from, and when it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The source's own number for the partition or file.
    pub partition: u32,
    /// Its offset there.
    pub offset: i64,
    /// The record's timestamp in Unix milliseconds; `i64::MIN`: it has none.
    pub time: i64,
}

/// A record: where it came from, and its bytes; `None` is a tombstone.
pub type Record<'a> = (Origin, Option<&'a [u8]>);

const TOMBSTONE: u64 = 1 << 63;

/// Records for one worker.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Records {
    owner: u32,
    origins: Vec<Origin>,
    /// Where each value ends in `bytes`, and whether it is a tombstone.
    ends: Vec<u64>,
    bytes: Vec<u8>,
}

impl Records {
    /// Bytes after which a container should be sent: large enough to be worth a message, small enough to share work.
    pub const FULL: usize = 1 << 17;

    /// An empty container for a worker.
    pub fn new(owner: usize) -> Records {
        Records { owner: owner as u32, ..Records::default() }
    }
    /// An empty container for a worker, with room for so much and a little more, but no more than one takes as a rule: the next
    /// is mostly like one of the last, and one that grows is copied again and again.
    pub fn with_room(owner: usize, (records, bytes): (usize, usize)) -> Records {
        let room = |len: usize| (len + len / 8).min(Self::FULL + Self::FULL / 8);
        Records {
            owner: owner as u32,
            origins: Vec::with_capacity(room(records)),
            ends: Vec::with_capacity(room(records)),
            bytes: Vec::with_capacity(room(bytes)),
        }
    }
    /// What it holds: records, and their bytes.
    pub fn held(&self) -> (usize, usize) {
        (self.len(), self.bytes.len())
    }
    /// Names another worker.
    pub fn hand_to(&mut self, owner: usize) {
        self.owner = owner as u32;
    }
    /// Adds a record.
    #[inline]
    pub fn push(&mut self, origin: Origin, value: Option<&[u8]>) {
        self.bytes.extend_from_slice(value.unwrap_or_default());
        self.ends.push(self.bytes.len() as u64 | if value.is_none() { TOMBSTONE } else { 0 });
        self.origins.push(origin);
    }
    /// Number of records.
    pub fn len(&self) -> usize {
        self.origins.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }
    /// Whether it should be sent.
    pub fn is_full(&self) -> bool {
        self.size() >= Self::FULL
    }
    /// Bytes that it holds in memory, about.
    pub fn size(&self) -> usize {
        self.bytes.len() + 32 * self.len()
    }
    /// The records in the order in which they were read.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        let mut start = 0;
        self.origins.iter().zip(&self.ends).map(move |(origin, end)| {
            let value = &self.bytes[start..(end & !TOMBSTONE) as usize];
            start += value.len();
            (*origin, (end & TOMBSTONE == 0).then_some(value))
        })
    }
}

impl Owned for Records {
    fn owner(&self) -> usize {
        self.owner as usize
    }
}

impl Accountable for Records {
    fn record_count(&self) -> i64 {
        self.len() as i64
    }
}

impl ContainerBytes for Records {
    fn from_bytes(bytes: Bytes) -> Self {
        let mut rest = &bytes[..];
        let owner = wire::number(&mut rest) as u32;
        let (len, size) = (wire::number(&mut rest) as usize, wire::number(&mut rest) as usize);
        let offsets = wire::numbers(&mut rest, len);
        let times = wire::numbers(&mut rest, len);
        let ends = wire::numbers(&mut rest, len).collect();
        let partitions = wire::halves(&mut rest, len);
        let origins = partitions.zip(offsets.zip(times));
        let origins = origins.map(|(partition, (offset, time))| Origin {
            partition,
            offset: offset as i64,
            time: time as i64,
        });
        Records { owner, origins: origins.collect(), ends, bytes: wire::take(&mut rest, size).to_vec() }
    }
    fn length_in_bytes(&self) -> usize {
        24 + 24 * self.len() + (4 * self.len() + self.bytes.len()).next_multiple_of(8)
    }
    fn into_bytes<W: std::io::Write>(&self, writer: &mut W) {
        let mut out = wire::Padded::new(writer);
        out.numbers([u64::from(self.owner), self.len() as u64, self.bytes.len() as u64]);
        out.numbers(self.origins.iter().map(|origin| origin.offset as u64));
        out.numbers(self.origins.iter().map(|origin| origin.time as u64));
        out.numbers(self.ends.iter().copied());
        out.halves(self.origins.iter().map(|origin| origin.partition));
        out.bytes(&self.bytes);
        out.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use timely::bytes::arc::BytesMut;

    #[test]
    fn there_is_room_for_what_the_last_held_but_not_for_one_huge_record() {
        let mut last = Records::new(1);
        (0..100).for_each(|_| last.push(Origin::default(), Some(b"a record")));
        let next = Records::with_room(2, last.held());
        assert_eq!((next.owner(), next.len(), next.bytes.len()), (2, 0, 0));
        assert!(next.origins.capacity() >= 100 && next.bytes.capacity() >= 800);
        last.push(Origin::default(), Some(&vec![b'x'; 64 * Records::FULL]));
        assert!(Records::with_room(2, last.held()).bytes.capacity() < 2 * Records::FULL);
    }

    #[test]
    fn survives_the_wire() {
        let mut records = Records::new(3);
        for (i, value) in
            [Some(&b"one"[..]), None, Some(b""), Some("\u{e9}t\u{e9}".as_bytes())].into_iter().enumerate()
        {
            records.push(Origin { partition: i as u32, offset: -(i as i64), time: i64::MIN }, value);
        }
        let mut wire = Vec::new();
        records.into_bytes(&mut wire);
        assert_eq!((wire.len(), wire.len() % 8), (records.length_in_bytes(), 0));
        let read = Records::from_bytes(BytesMut::from(wire).freeze());
        assert_eq!(read, records);
        let values: Vec<_> = read.iter().map(|(_, value)| value.map(<[u8]>::to_vec)).collect();
        assert_eq!(values, [Some(b"one".to_vec()), None, Some(Vec::new()), Some("\u{e9}t\u{e9}".into())]);
    }
}
