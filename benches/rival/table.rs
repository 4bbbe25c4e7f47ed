//! Terms as numbers, each with its totals in one cache line.
//!
//! Idea: what the engine cannot do, since it counts per epoch and sends updates to their owners, the loop can: look a term
//! up once, in one table that lives for the whole run, and keep its totals right beside it.
//! Invariant: an id is given once and for ever; terms of up to sixteen bytes are equal exactly if their heads are.
//! Cost: one probe of four bytes and one line of 64 an occurrence; terms that are dead are kept, which favours the loop.

use tidings_dataflows::ahead::fetch;
use tidings_dataflows::term::{HEAD, HashKeys, head_within};

/// Columns of totals: the sliding windows that there is room for, and `all`.
pub const COLUMNS: usize = 4;

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Row {
    head: u128,
    totals: [i64; COLUMNS],
    len: u32,
    /// Index into `long`, where the term is longer than its head.
    long: u32,
}

/// A term before it is looked up.
#[derive(Clone, Copy)]
pub struct Staged {
    head: u128,
    tag: u32,
    len: usize,
    /// Where a term stands whole that is longer than its head.
    from: usize,
}

/// All terms of a count.
pub struct Table {
    keys: HashKeys,
    /// High bits of a tag above an id plus one, as in the engine's own tables; 0 is vacant.
    slots: Vec<u32>,
    rows: Vec<Row>,
    long: Vec<Box<[u8]>>,
}

impl Table {
    /// No terms yet.
    pub fn new() -> Table {
        Table { keys: HashKeys::new(1), slots: vec![0; 1 << 10], rows: Vec::new(), long: Vec::new() }
    }

    /// Number of terms ever seen.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Prepares the look-up of a part of a text, which will stand at `kept` if it is longer than its head.
    #[inline]
    pub fn stage(&self, text: &[u8], from: usize, to: usize, kept: usize) -> Staged {
        let (head, len) = (head_within(text, from, to), to - from);
        let tag =
            if len > HEAD { self.keys.tag(head, &text[from..to]) } else { self.keys.tag_of_head(head, len) };
        fetch(&self.slots, tag as usize & (self.slots.len() - 1));
        Staged { head, tag, len, from: kept }
    }

    /// Looks the terms of a post up, and leaves their ids in `ids`. `bytes` are those of the longer ones. Rows are asked for
    /// before the first of them is read; where the first slot of a tag is another's, that of the second.
    #[inline]
    pub fn ids(&mut self, bytes: &[u8], staged: &[Staged], ids: &mut Vec<u32>) {
        ids.clear();
        let low = (self.slots.len() - 1) as u32;
        for new in staged {
            let [first, second] =
                [new.tag, new.tag.wrapping_add(1)].map(|at| self.slots[(at & low) as usize]);
            let slot = if (first ^ new.tag) & !low == 0 { first } else { second };
            fetch(&self.rows, (slot & low).wrapping_sub(1) as usize);
        }
        for new in staged {
            let long = if new.len > HEAD { &bytes[new.from..new.from + new.len] } else { &[] };
            ids.push(self.id(new, long));
        }
    }

    #[inline]
    fn id(&mut self, new: &Staged, long: &[u8]) -> u32 {
        let low = (self.slots.len() - 1) as u32;
        let mut at = new.tag & low;
        loop {
            let slot = self.slots[at as usize];
            if slot == 0 {
                return self.insert(new, at, long);
            }
            let id = (slot & low) - 1;
            if slot & !low == new.tag & !low && self.is(id, new, long) {
                return id;
            }
            at = (at + 1) & low;
        }
    }

    #[inline]
    fn is(&self, id: u32, new: &Staged, long: &[u8]) -> bool {
        let row = &self.rows[id as usize];
        row.head == new.head
            && row.len as usize == new.len
            && (new.len <= HEAD || &*self.long[row.long as usize] == long)
    }

    #[cold]
    fn insert(&mut self, new: &Staged, at: u32, whole: &[u8]) -> u32 {
        let id = self.rows.len() as u32;
        let long = self.long.len() as u32;
        if new.len > HEAD {
            self.long.push(whole.into());
        }
        self.rows.push(Row { head: new.head, totals: [0; COLUMNS], len: new.len as u32, long });
        // As in the engine.
        fetch(self.rows.spare_capacity_mut(), 0);
        let low = (self.slots.len() - 1) as u32;
        self.slots[at as usize] = new.tag & !low | (id + 1);
        if 2 * self.rows.len() >= self.slots.len() {
            self.grow();
        }
        id
    }

    fn grow(&mut self) {
        self.slots = vec![0; 2 * self.slots.len()];
        let low = (self.slots.len() - 1) as u32;
        for id in 0..self.rows.len() as u32 {
            let tag = self.keys.tag(self.rows[id as usize].head, &self.term(id));
            let mut at = tag & low;
            while self.slots[at as usize] != 0 {
                at = (at + 1) & low;
            }
            self.slots[at as usize] = tag & !low | (id + 1);
        }
    }

    /// The term of an id.
    pub fn term(&self, id: u32) -> Vec<u8> {
        let row = &self.rows[id as usize];
        if row.len as usize <= HEAD {
            row.head.to_be_bytes()[..row.len as usize].to_vec()
        } else {
            self.long[row.long as usize].to_vec()
        }
    }

    /// The totals of an id.
    #[inline]
    pub fn totals(&mut self, id: u32) -> &mut [i64; COLUMNS] {
        &mut self.rows[id as usize].totals
    }

    /// The total of an id in a column.
    #[inline]
    pub fn total(&self, id: u32, column: usize) -> i64 {
        self.rows[id as usize].totals[column]
    }
}
