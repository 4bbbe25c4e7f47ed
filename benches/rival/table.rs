//! Terms as numbers, each with its totals in one cache line.
//!
//! Idea: what the engine cannot do, since it counts per epoch and sends updates to their owners, the loop can: look a term
//! up once, in one table that lives for the whole run, and keep its totals right beside it.
//! Invariant: an id is given once and for ever; terms of up to sixteen bytes are equal exactly if their heads are.
//! Cost: one probe of eight bytes and one line of 64 an occurrence; terms that are dead are kept, which favours the loop.

use tidings_dataflows::term::{HEAD, HashKeys, head};

/// Columns of totals: the sliding windows that there is room for, and `all`.
pub const COLUMNS: usize = 4;

#[derive(Clone, Copy, Default)]
struct Slot {
    tag: u32,
    /// Id plus one; 0 is vacant.
    id: u32,
}

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
    hash: u64,
    from: usize,
    to: usize,
}

/// All terms of a count.
pub struct Table {
    keys: HashKeys,
    slots: Vec<Slot>,
    rows: Vec<Row>,
    long: Vec<Box<[u8]>>,
}

impl Table {
    /// No terms yet.
    pub fn new() -> Table {
        Table {
            keys: HashKeys::new(1),
            slots: vec![Slot::default(); 1 << 10],
            rows: Vec::new(),
            long: Vec::new(),
        }
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
        Staged { head, hash: self.keys.hash(head, term), from, to }
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
        let (tag, mask) = ((new.hash >> 32) as u32, self.slots.len() - 1);
        let mut at = new.hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot.id == 0 {
                return self.insert(new, at, term);
            }
            if slot.tag == tag && self.is(slot.id - 1, new.head, term) {
                return slot.id - 1;
            }
            at = (at + 1) & mask;
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
    fn insert(&mut self, new: &Staged, at: usize, term: &[u8]) -> u32 {
        let id = self.rows.len() as u32;
        let long = self.long.len() as u32;
        if term.len() > HEAD {
            self.long.push(term.into());
        }
        self.rows.push(Row { head: new.head, totals: [0; COLUMNS], len: term.len() as u32, long });
        self.slots[at] = Slot { tag: (new.hash >> 32) as u32, id: id + 1 };
        if 2 * self.rows.len() > self.slots.len() {
            self.grow();
        }
        id
    }

    fn grow(&mut self) {
        let mask = 2 * self.slots.len() - 1;
        self.slots = vec![Slot::default(); mask + 1];
        for id in 0..self.rows.len() as u32 {
            let hash = self.keys.hash(self.rows[id as usize].head, &self.term(id));
            let mut at = hash as usize & mask;
            while self.slots[at].id != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = Slot { tag: (hash >> 32) as u32, id: id + 1 };
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
