//! Random numbers that a seed repeats, by SplitMix64 (Steele, Lea and Flood, 2014).

/// A generator.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which must be above 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A number from `low` to `high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as u64) as i64
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of these.
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize].clone()
    }
}

/// The seed of a test: its own, or that of `TIDINGS_TEST_SEED`, which repeats a failure or looks elsewhere.
pub fn seed(own: u64) -> u64 {
    let set = std::env::var("TIDINGS_TEST_SEED")
        .ok()
        .map(|text| text.parse().expect("TIDINGS_TEST_SEED is a number"));
    let seed = set.unwrap_or(own);
    println!("TIDINGS_TEST_SEED={seed}");
    seed
}
