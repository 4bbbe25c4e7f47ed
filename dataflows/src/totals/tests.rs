//! Totals against a plain map.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::add::Adding;
use super::*;
use crate::rows::Rows;
use crate::windows::Mask;

/// A change: which of the terms, a bit for each column, and how many more.
type Given = (usize, Mask, i64);

fn changes(columns: usize) -> impl Strategy<Value = Vec<Given>> {
    // Masks repeat, as they do within a pane, so that many changes in a row are for the same columns.
    let masks = proptest::collection::vec(0..1u64 << columns, 1..4);
    masks.prop_flat_map(|masks| {
        let change = (0..40usize, proptest::sample::select(masks), -3..6i64, 1..20usize);
        let repeated = |(term, mask, n, times)| (0..times).map(move |more| ((term + more) % 40, mask, n));
        let changes = proptest::collection::vec(change, 0..30);
        changes.prop_map(move |changes| changes.into_iter().flat_map(repeated).collect())
    })
}

proptest! {
    #[test]
    fn as_a_map_has_them(
        (columns, changes, floor) in
            (1..=33usize).prop_flat_map(|columns| (Just(columns), changes(columns), -2..8i64)),
        any_processor: bool,
    ) {
        let term = |number: usize| "term".repeat(number % 6) + &number.to_string();
        let terms: Vec<String> = (0..40).map(term).collect();
        let mut totals = Totals::new(columns, HashKeys::new(3));
        let floors: Vec<i64> = (0..columns as i64).map(|column| floor + column % 3).collect();
        let mut expected = vec![BTreeMap::<usize, i64>::new(); columns];
        let mut high = Vec::new();
        for &(number, windows, n) in &changes {
            for (column, counts) in expected.iter_mut().enumerate().filter(|(column, _)| windows >> column & 1 == 1) {
                let total = counts.entry(number).or_default();
                *total += n;
                if n > 0 && *total - n <= floors[column] && *total >= floors[column] {
                    high.push((column, terms[number].clone()));
                }
            }
        }
        let (mut rows, mut risen) = (Rows::default(), Vec::new());
        for (number, _, n) in &changes {
            rows.push(Update::new(totals.keys(), terms[*number].as_bytes(), *n));
        }
        let mut start = 0;
        for alike in changes.chunk_by(|one, two| one.1 == two.1) {
            let range = start..start + alike.len();
            start = range.end;
            if any_processor {
                let (rows, windows, floors, risen) = (&rows, alike[0].1, &floors[..], &mut risen);
                totals.add_range(range, Adding { rows, windows, floors, risen });
            } else {
                totals.add(&rows, range, alike[0].1, &floors, &mut risen);
            }
        }
        for (column, counts) in expected.iter().enumerate() {
            let mut found = BTreeMap::new();
            for (id, n) in totals.column(column) {
                let number = terms.iter().position(|term| term.as_bytes() == totals.spell(id, &mut [0; HEAD]));
                prop_assert_eq!(totals.count(id, column), n);
                found.insert(number.expect("one of them"), n);
            }
            found.retain(|_, n| *n != 0);
            let counts: BTreeMap<_, _> = counts.iter().map(|(number, n)| (*number, *n)).filter(|(_, n)| *n != 0).collect();
            let figures = totals.figures()[column];
            prop_assert_eq!((figures.total, figures.distinct), (counts.values().sum(), counts.len() as u64));
            prop_assert_eq!(found, counts);
        }
        let mut risen: Vec<_> = risen
            .into_iter()
            .map(|(column, id)| (column, String::from_utf8(totals.spell(id, &mut [0; HEAD]).to_vec()).expect("it was text")))
            .collect();
        risen.sort();
        high.sort();
        prop_assert_eq!(risen, high);
    }
}

proptest! {
    /// Terms come and go, thousands at a time: an id leads to its term and total wherever compactions took it, the dead are never
    /// many more than a quarter of the living for long, and no compaction loses or finds anything.
    #[test]
    fn compactions_drop_the_dead_only(
        epochs in proptest::collection::vec((0..9000usize, 0..6000usize), 1..12),
        columns in 1..=5usize,
    ) {
        let term = |number: usize| "a rather long term ".repeat(number % 2) + &number.to_string();
        let terms: Vec<String> = (0..9000).map(term).collect();
        let mut totals = Totals::new(columns, HashKeys::new(5));
        let (mut expected, mut ids) = (BTreeMap::<usize, i64>::new(), BTreeMap::<usize, u32>::new());
        for (from, many) in epochs {
            // What is there goes, what is not comes.
            let mut rows = Rows::default();
            for (number, term) in terms.iter().enumerate().skip(from).take(many) {
                let n = expected.remove(&number).map_or(3, |n| -n);
                if n > 0 {
                    expected.insert(number, n);
                }
                rows.push(Update::new(totals.keys(), term.as_bytes(), n));
            }
            totals.add(&rows, 0..rows.len(), (1 << columns) - 1, &vec![i64::MAX; columns], &mut Vec::new());
            if let Some(moved) = totals.compact() {
                ids.retain(|number, id| {
                    let to = moved.to(*id);
                    assert!(to.is_some() || !expected.contains_key(number));
                    to.inspect(|to| *id = *to).is_some()
                });
            }
            prop_assert_eq!(totals.alive(), expected.len());
            prop_assert!(4 * totals.len() < 5 * totals.alive().max(SHARDS));
            prop_assert_eq!(totals.column(0).count(), totals.len());
            let mut found = BTreeMap::new();
            for (id, n) in totals.column(columns - 1) {
                prop_assert!((id as usize) < totals.bound());
                let number = String::from_utf8_lossy(totals.spell(id, &mut [0; HEAD])).rsplit(' ').next().map(str::parse);
                let Some(Ok(number)) = number else { panic!("one of them") };
                prop_assert!(ids.insert(number, id).is_none_or(|before| before == id));
                found.insert(number, n);
            }
            found.retain(|_, n| *n != 0);
            prop_assert_eq!(&found, &expected);
        }
    }
}
