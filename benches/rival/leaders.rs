//! The first places of one window, at the price of one comparison an occurrence.
//!
//! Idea: totals rise by one at a time, so a term joins the candidates exactly when its total becomes the floor; from time to
//! time the candidates that fell are let go, and where too few or too many are left, a new floor is chosen.
//! Invariant: after `first` every term whose total is at least the floor is a candidate, once.
//! Cost: per call some hundreds of candidates; a scan of all totals where fewer are left than are asked for.

use super::table::Table;

/// Candidates after a new floor was chosen, about, and the number from which a higher one is.
const FEW: usize = 50;
const MANY: usize = 500;

/// The candidates of one column.
#[derive(Default)]
pub struct Leaders {
    column: usize,
    floor: i64,
    candidates: Vec<u32>,
}

impl Leaders {
    /// None yet, of this column.
    pub fn new(column: usize) -> Leaders {
        Leaders { column, floor: 1, candidates: Vec::new() }
    }

    /// To be told of each total after it rose by one.
    #[inline]
    pub fn rose(&mut self, id: u32, total: i64) {
        if total == self.floor {
            self.candidates.push(id);
        }
    }

    /// The ids of the first `k` places, in order.
    pub fn first(&mut self, k: usize, table: &Table) -> Vec<u32> {
        let (column, floor) = (self.column, self.floor);
        self.candidates.retain(|id| table.total(*id, column) >= floor);
        self.candidates.sort_unstable();
        self.candidates.dedup();
        if self.candidates.len() < k && self.floor > 1 {
            self.candidates = (0..table.len() as u32).filter(|id| table.total(*id, column) > 0).collect();
            self.floor = 1;
        }
        if self.candidates.len() > MANY {
            let nth = self.candidates.select_nth_unstable_by_key(FEW, |id| -table.total(*id, column)).1;
            self.floor = table.total(*nth, column);
            let floor = self.floor;
            self.candidates.retain(|id| table.total(*id, column) >= floor);
        }
        ranked(self.candidates.clone(), k, column, table)
    }
}

/// The first `k` of these ids by total, descending, then by term.
pub fn ranked(mut ids: Vec<u32>, k: usize, column: usize, table: &Table) -> Vec<u32> {
    let order = |one: &u32, two: &u32| {
        let totals = table.total(*two, column).cmp(&table.total(*one, column));
        totals.then_with(|| table.term(*one).cmp(&table.term(*two)))
    };
    if ids.len() > k && k > 0 {
        ids.select_nth_unstable_by(k - 1, order);
        ids.truncate(k);
    }
    ids.sort_unstable_by(order);
    ids
}
