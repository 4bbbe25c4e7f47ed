//! Draws of ranks as words have them in real text: few very often, most hardly ever.
//!
//! Idea: Zipf's law with Mandelbrot's offset, weight 1 / (rank + 3.7) from rank 0 on, so that the very first words do
//! not swallow everything. Drawn from an alias table (Walker 1977; built the way of Vose 1991): one cell for each
//! rank, that says with which likelihood it yields itself and which rank it yields otherwise.
//! Invariant: every rank can come up. Cost: 8 bytes a rank; a draw is one random number and one look-up.

use super::random::Random;

/// What is added to each rank, counted from 1, before its weight is taken.
const OFFSET: f64 = 2.7;

/// A table of ranks 0 to n - 1.
#[derive(Clone, Debug)]
pub struct Ranks {
    cells: Vec<Cell>,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    /// Below this the cell yields its own rank.
    own: u32,
    /// The rank that it yields otherwise.
    other: u32,
}

impl Ranks {
    /// The table of `n` ranks, at least one.
    pub fn new(n: usize) -> Self {
        let weights: Vec<f64> = (0..n).map(|rank| 1.0 / (rank as f64 + 1.0 + OFFSET)).collect();
        let mean = weights.iter().sum::<f64>() / n as f64;
        let mut scaled: Vec<f64> = weights.iter().map(|weight| weight / mean).collect();
        let mut cells: Vec<Cell> = (0..n as u32).map(|rank| Cell { own: u32::MAX, other: rank }).collect();
        let (mut poor, mut rich): (Vec<usize>, Vec<usize>) = (0..n).partition(|&rank| scaled[rank] < 1.0);
        while let (Some(lacking), Some(&giving)) = (poor.pop(), rich.last()) {
            cells[lacking] = Cell { own: (scaled[lacking] * 4_294_967_295.0) as u32, other: giving as u32 };
            scaled[giving] -= 1.0 - scaled[lacking];
            if scaled[giving] < 1.0 {
                rich.pop();
                poor.push(giving);
            }
        }
        Self { cells }
    }

    /// One rank.
    pub fn draw(&self, random: &mut Random) -> usize {
        let bits = random.next();
        let index = ((bits >> 32) * self.cells.len() as u64) >> 32;
        let cell = self.cells[index as usize];
        if (bits as u32) < cell.own { index as usize } else { cell.other as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_the_weights() {
        let (n, draws) = (1_000, 1_000_000);
        let ranks = Ranks::new(n);
        let mut random = Random::new(3);
        let mut seen = vec![0u32; n];
        for _ in 0..draws {
            seen[ranks.draw(&mut random)] += 1;
        }
        let total: f64 = (0..n).map(|rank| 1.0 / (rank as f64 + 3.7)).sum();
        for rank in [0, 1, 5, 50, 500] {
            let expected = f64::from(draws) / (rank as f64 + 3.7) / total;
            let off = (f64::from(seen[rank]) - expected).abs();
            assert!(off < 5.0 * expected.sqrt() + 1.0, "rank {rank}: {} for {expected}", seen[rank]);
        }
        assert!(seen.iter().all(|&times| times > 0), "a rank never came up");
    }

    #[test]
    fn one_rank_alone_is_always_drawn() {
        assert_eq!(Ranks::new(1).draw(&mut Random::new(9)), 0);
    }
}
