//! Terms as numbers, each with its totals in one cache line.
//!
//! Idea: what the engine cannot do, since it counts per epoch and sends updates to their owners, the loop can: look a term
//! up once, in one table that lives for the whole run, and keep its totals right beside it.
//! Invariant: an id is given once and for ever; terms of up to sixteen bytes are equal exactly if their heads are.
//! Cost: one probe of four bytes and one line of 64 an occurrence; terms that are dead are kept, which favours the loop.

use tidings_dataflows::term::{HEAD, HashKeys, head};

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
    from: usize,
    to: usize,
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

    /// Prepares the look-up of `bytes[from..to]`.
    #[inline]
    pub fn stage(&self, bytes: &[u8], from: usize, to: usize) -> Staged {
        let term = &bytes[from..to];
        let head = head(term);
        Staged { head, tag: self.keys.tag(head, term), from, to }
    }

    /// Looks a group of terms up, so that their misses overlap, and leaves their ids in `ids`.
    #[inline]
    pub fn ids(&mut self, bytes: &[u8], staged: &[Staged], ids: &mut Vec<u32>) {
        ids.clear();
        for new in staged {
            ids.push(self.id(new, &bytes[new.from..new.to]));
        }
    }

    #[inline]
    fn id(&mut self, new: &Staged, term: &[u8]) -> u32 {
        let low = (self.slots.len() - 1) as u32;
        let mut at = new.tag & low;
        loop {
            let slot = self.slots[at as usize];
            if slot == 0 {
                return self.insert(new, at, term);
            }
            let id = (slot & low) - 1;
            if slot & !low == new.tag & !low && self.is(id, new.head, term) {
                return id;
            }
            at = (at + 1) & low;
        }
    }

    #[inline]
    fn is(&self, id: u32, head: u128, term: &[u8]) -> bool {
        let row = &self.rows[id as usize];
        row.head == head
            && row.len as usize == term.len()
            && (term.len() <= HEAD || &*self.long[row.long as usize] == term)
    }

    #[cold]
    fn insert(&mut self, new: &Staged, at: u32, term: &[u8]) -> u32 {
        let id = self.rows.len() as u32;
        let long = self.long.len() as u32;
        if term.len() > HEAD {
            self.long.push(term.into());
        }
        self.rows.push(Row { head: new.head, totals: [0; COLUMNS], len: term.len() as u32, long });
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
