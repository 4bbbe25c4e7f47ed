//! How often each spelling of a term occurred, since the start.
//!
//! Idea: a spelling is a term of a table of its own, `key NUL spelling`, as the engine keeps it.
//! Cost: a probe an occurrence.

use super::table::{Staged, Table};

/// The spellings of one count.
pub struct Spellings {
    table: Table,
    bytes: Vec<u8>,
    staged: Vec<Staged>,
    ids: Vec<u32>,
}

impl Spellings {
    /// None yet.
    pub fn new() -> Spellings {
        Spellings { table: Table::new(), bytes: Vec::new(), staged: Vec::new(), ids: Vec::new() }
    }

    /// Takes an occurrence of the post at hand.
    #[inline]
    pub fn stage(&mut self, key: &[u8], spelling: &[u8]) {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(key);
        self.bytes.push(0);
        self.bytes.extend_from_slice(spelling);
        self.staged.push(self.table.stage(&self.bytes, from, self.bytes.len(), from));
    }

    /// Counts those of the post at hand.
    pub fn count(&mut self) {
        self.table.ids(&self.bytes, &self.staged, &mut self.ids);
        self.ids.iter().for_each(|id| self.table.totals(*id)[0] += 1);
        self.staged.clear();
        self.bytes.clear();
    }

    /// The commonest spelling of a term, ties by code point.
    pub fn commonest(&self, key: &str) -> Option<String> {
        let prefix = [key.as_bytes(), &[0]].concat();
        let all = (0..self.table.len() as u32).map(|id| (self.table.total(id, 0), self.table.term(id)));
        let own = all.filter(|(_, term)| term.starts_with(&prefix));
        let commonest = own.max_by(|one, two| one.0.cmp(&two.0).then_with(|| two.1.cmp(&one.1)));
        commonest.map(|(_, term)| String::from_utf8_lossy(&term[prefix.len()..]).into_owned())
    }
}
