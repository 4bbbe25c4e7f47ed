//! How many terms of a count may be alive, shared by the workers of a process.
//!
//! Idea: terms are spread by their hashes, and where few may be alive some worker has more than an even share of them. So there is
//! one sum, from which workers take ahead what an epoch can bring at most, as long as there is plenty for all; else, term by term,
//! what it does bring.
//! Invariant: what all hold together is never more than there may be, but for what an earlier run kept. Where terms are taken one
//! by one and nobody holds anything ahead, none is refused before there are so many.
//! Cost: some operations on one number, an epoch and worker; near the limit one more for each new term.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The sum.
#[derive(Debug)]
pub struct Quota {
    most: usize,
    sharers: usize,
    free: AtomicI64,
}

impl Quota {
    /// For so many terms, and so many workers that take from it.
    pub fn new(most: usize, sharers: usize) -> Arc<Quota> {
        let free = AtomicI64::new(i64::try_from(most).unwrap_or(i64::MAX));
        Arc::new(Quota { most, sharers: sharers.max(1), free })
    }

    /// Terms for each worker, were they even.
    pub fn even(&self) -> usize {
        self.most.div_ceil(self.sharers)
    }

    /// Takes so many, if as many are left for each other worker.
    fn take(&self, terms: i64, others: i64) -> bool {
        let left = |free: i64| Some(free - terms).filter(|left| *left >= terms.saturating_mul(others));
        self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left).is_ok()
    }
}

/// What a worker holds of it.
pub struct Share {
    quota: Arc<Quota>,
    held: Cell<i64>,
}

impl Share {
    /// Nothing yet.
    pub fn new(quota: &Arc<Quota>) -> Share {
        Share { quota: Arc::clone(quota), held: Cell::new(0) }
    }

    /// Holds so many in place of what it held. Whether that could be: else it holds what it did.
    pub fn hold(&self, terms: usize) -> bool {
        let more = signed(terms) - self.held.get();
        let may = more <= 0 || self.quota.take(more, self.quota.sharers as i64 - 1);
        if may {
            self.hold_anyway(terms, more.max(0));
        }
        may
    }

    /// The same whether there are so many or not: they are alive.
    pub fn must_hold(&self, terms: usize) {
        self.hold_anyway(terms, 0);
    }

    /// One more, if there is one.
    pub fn hold_one_more(&self) -> bool {
        let may = self.quota.take(1, 0);
        self.held.update(|held| held + i64::from(may));
        may
    }

    fn hold_anyway(&self, terms: usize, taken: i64) {
        let back = self.held.replace(signed(terms)) + taken - signed(terms);
        self.quota.free.fetch_add(back, Ordering::Relaxed);
    }
}

/// No machine holds more.
fn signed(terms: usize) -> i64 {
    i64::try_from(terms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever workers take and give back, no more are held than there are; one by one each is to be had.
        #[test]
        fn no_more_are_held_than_there_are(
            most in 0usize..200,
            acts in proptest::collection::vec((0usize..3, 0usize..3, 0usize..120), 0..60),
        ) {
            let quota = Quota::new(most, 3);
            let shares = [(); 3].map(|()| Share::new(&quota));
            let held = || shares.iter().map(|share| share.held.get()).sum::<i64>();
            for (who, act, terms) in acts {
                let (before, share) = (held(), &shares[who]);
                match act {
                    0 => {
                        let (own, may) = (share.held.get(), share.hold(terms));
                        prop_assert_eq!(share.held.get(), if may { terms as i64 } else { own });
                        prop_assert!(may || terms as i64 > own);
                    }
                    1 => prop_assert_eq!(share.hold_one_more(), before < most as i64),
                    _ => prop_assert!(share.hold(terms.min(share.held.get() as usize)), "less is always to be had"),
                }
                prop_assert!(held() <= most as i64);
                prop_assert_eq!(quota.free.load(Ordering::Relaxed), most as i64 - held());
            }
        }
    }

    #[test]
    fn what_was_kept_is_held_and_nothing_comes_to_it() {
        let quota = Quota::new(10, 2);
        let share = Share::new(&quota);
        share.must_hold(15);
        assert!(!share.hold_one_more() && !Share::new(&quota).hold_one_more());
        assert!(share.hold(9), "some have died");
        assert!(share.hold_one_more() && !share.hold_one_more());
    }

    #[test]
    fn whoever_takes_ahead_leaves_as_much_to_others() {
        let quota = Quota::new(10, 2);
        let [one, two] = [(); 2].map(|()| Share::new(&quota));
        assert!(!one.hold(6) && one.hold(5) && two.hold_one_more() && !two.hold(5));
    }
}
