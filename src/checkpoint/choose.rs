//! Which checkpoint a run goes on from.
//!
//! Idea: the newest that is whole; an older one is as exact, since its offsets are older too, only that more is counted
//! again. Whether a checkpoint is whole is found out elsewhere.
//! Invariant: a damaged checkpoint is never chosen. Where there were checkpoints and none is whole, none is chosen and
//! nothing is begun: counts that are too small look like counts.
//! Cost: none.

/// What is known of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All of it is there as it was written.
    Whole,
    /// Something is not, and what.
    Damaged(String),
}

/// From where to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// There is nothing yet.
    Anew,
    /// From this one; the damage of all newer ones.
    From(u64, Vec<String>),
    /// There are some and all are damaged: the damage of each, the newest first.
    Refuse(Vec<String>),
}

/// Chooses. `judge` is asked for as few as possible, the newest first.
pub fn choose<E>(
    numbers: impl IntoIterator<Item = u64>,
    mut judge: impl FnMut(u64) -> Result<Verdict, E>,
) -> Result<Choice, E> {
    let mut numbers: Vec<u64> = numbers.into_iter().collect();
    numbers.sort_unstable();
    let mut damage = Vec::new();
    for number in numbers.into_iter().rev() {
        match judge(number)? {
            Verdict::Whole => return Ok(Choice::From(number, damage)),
            Verdict::Damaged(why) => damage.push(why),
        }
    }
    Ok(if damage.is_empty() { Choice::Anew } else { Choice::Refuse(damage) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_newest_that_is_whole(all in proptest::collection::btree_map(0u64..100, any::<bool>(), 0..8)) {
            let judge = |number: u64| {
                Ok::<_, ()>(if all[&number] { Verdict::Whole } else { Verdict::Damaged(number.to_string()) })
            };
            let newest = all.iter().rev().find(|(_, whole)| **whole).map(|(number, _)| *number);
            let damaged = |newer: u64| all.keys().rev().filter(|number| **number >= newer).map(u64::to_string).collect::<Vec<_>>();
            match choose(all.keys().copied(), judge).unwrap() {
                Choice::Anew => prop_assert!(all.is_empty()),
                Choice::From(number, damage) => {
                    prop_assert_eq!(Some(number), newest);
                    prop_assert_eq!(damage, damaged(number + 1));
                }
                Choice::Refuse(damage) => {
                    prop_assert!(newest.is_none() && !all.is_empty());
                    prop_assert_eq!(damage, damaged(0));
                }
            }
        }
    }
}
