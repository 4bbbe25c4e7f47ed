//! The dice of the generator.
//!
//! Idea: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): one addition and
//! two multiplications a number. It stands here, and not in a library, because the same seed must give the same posts
//! byte for byte for ever, whatever version of a library is in use. For the same reason nothing here uses logarithms
//! or powers, whose last bit differs between platforms.
//! Invariant: the n-th number is a function of the seed and n alone. Not fit for secrets.

/// A stream of numbers that is the same for the same seed.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The stream of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The stream of this seed for one purpose, told apart from the others by a number.
    pub fn derived(seed: u64, purpose: u64) -> Self {
        let mut mixed = Self(seed ^ purpose.wrapping_mul(0xd1b5_4a32_d192_ed03));
        Self(mixed.next())
    }

    /// The next 64 random bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `bound`, which must be at least 1; even to within one part in 2^32 / `bound`.
    pub fn below(&mut self, bound: u32) -> u32 {
        (((self.next() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// True with this likelihood.
    pub fn chance(&mut self, share: Share) -> bool {
        (self.next() >> 32) < share.0
    }

    /// One of these; the list must not be empty.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u32) as usize]
    }
}

/// A likelihood as a number of parts in 2^32, so that one comparison of integers decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(pub u64);

impl Share {
    /// The share for a number from 0 to 1; what lies outside is taken to the nearer end, and what is no number to 0.
    pub fn of(share: f64) -> Self {
        Self((share.clamp(0.0, 1.0) * 4_294_967_296.0) as u64)
    }

    /// This many in a hundred.
    pub const fn percent(percent: u64) -> Self {
        Self((percent << 32) / 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn below_stays_below(seed: u64, bound in 1u32..) {
            prop_assert!(Random::new(seed).below(bound) < bound);
        }

        #[test]
        fn streams_repeat_and_differ(seed: u64) {
            let draw = |mut random: Random| std::array::from_fn::<u64, 8, _>(|_| random.next());
            prop_assert_eq!(draw(Random::new(seed)), draw(Random::new(seed)));
            prop_assert_ne!(draw(Random::derived(seed, 1)), draw(Random::derived(seed, 2)));
        }
    }

    #[test]
    fn first_numbers_are_those_of_the_published_algorithm() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_share_comes_about_as_often_as_it_says() {
        let mut random = Random::new(7);
        let hits = (0..100_000).filter(|_| random.chance(Share::of(0.05))).count();
        assert!((4_700..5_300).contains(&hits), "{hits}");
        assert!(!random.chance(Share::of(0.0)) && random.chance(Share::of(1.0)));
        assert_eq!(Share::of(f64::NAN), Share(0));
    }
}
