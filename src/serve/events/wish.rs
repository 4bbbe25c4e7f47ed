//! What a client of a stream wants to see: some counts, one window, so many places.
//!
//! Idea: read once into indices, it is the key by which clients share a feed.
//! Invariant: every count is there once, in the order of the configuration, and has the window.
//! Cost: names are compared; there are few.

use super::super::problem::{Kind, Problem};
use super::super::query::Query;
use super::super::scope::{find_count, find_window};
use super::super::top::PLACES;
use crate::engine::Reader;

/// What is to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wish {
    /// Indices of counts, each with the index of its window.
    pub counts: Vec<(usize, usize)>,
    /// Places of each ranking.
    pub k: usize,
}

impl Wish {
    /// Reads `counts` (all where it is not given), `window` (the first of the first count that all of them have) and `k`.
    ///
    /// # Errors
    /// What there is not, with what there is.
    pub fn read(reader: &Reader, query: &Query) -> Result<Wish, Problem> {
        let named = match query.get("counts") {
            Some(names) => names.split(',').map(|name| find_count(reader, name)).collect::<Result<_, _>>()?,
            None => (0..reader.counts().len()).collect::<Vec<_>>(),
        };
        let window = query.get("window").or(common_window(reader, &named));
        let mut counts = Vec::with_capacity(named.len());
        for count in named {
            counts.push((count, find_window(&reader.counts()[count], window)?));
        }
        counts.sort_unstable();
        if counts.windows(2).any(|pair| pair[0] == pair[1]) {
            let detail = "`counts` names a count twice; name it once";
            let names = reader.counts().iter().map(|count| count.name.as_str());
            return Err(Problem::new(Kind::BadParameter, detail).valid(names));
        }
        let k = query.number("k", 1..=PLACES.1)?.unwrap_or(PLACES.0) as usize;
        Ok(Wish { counts, k })
    }
}

/// The first window of the first of these counts that the others have too; else its first, which one of them then lacks.
fn common_window<'a>(reader: &'a Reader, counts: &[usize]) -> Option<&'a str> {
    let windows = &reader.counts()[*counts.first()?].windows;
    let has = |count: &usize, name: &str| find_window(&reader.counts()[*count], Some(name)).is_ok();
    let common = windows.iter().find(|window| counts.iter().all(|count| has(count, &window.name)));
    common.or(windows.first()).map(|window| window.name.as_str())
}
