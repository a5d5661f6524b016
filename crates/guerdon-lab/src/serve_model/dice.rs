//! Chance without a state: every draw is a hash of what it is about.

use rand::RngExt as _;
use rand_distr::{Distribution as _, StandardNormal};

use guerdon_core::seed::{Stream, fnv1a, stream};

/// A place in the tree of random streams. The same path gives the same draws, whatever was drawn elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The root for a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(mix(seed ^ 0x6775_6572_646f_6e21))
    }

    /// The branch named by a text.
    pub(crate) fn on(self, label: &str) -> Self {
        self.at(fnv1a(label))
    }

    /// The branch named by a number.
    pub(crate) fn at(self, number: u64) -> Self {
        Self(mix(self.0.rotate_left(23) ^ number))
    }

    /// The place itself as a number.
    pub(crate) fn key(self) -> u64 {
        self.0
    }

    /// A uniform draw in [0, 1).
    pub(crate) fn uniform(self) -> f64 {
        // The 53 bits that a double holds.
        (mix(self.0) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of that probability happens.
    pub(crate) fn chance(self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// A standard normal draw.
    pub(crate) fn normal(self) -> f64 {
        StandardNormal.sample(&mut self.stream())
    }

    /// An index below `n`; 0 where there is none.
    pub(crate) fn below(self, n: usize) -> usize {
        if n < 2 { 0 } else { self.stream().random_range(0..n) }
    }

    /// The position of a draw from weights; the last positive one where rounding leaves none.
    pub(crate) fn weighted(self, weights: impl IntoIterator<Item = f64> + Clone) -> usize {
        let total: f64 = weights.clone().into_iter().sum();
        let mut left = self.uniform() * total;
        let mut chosen = 0;
        for (i, weight) in weights.into_iter().enumerate() {
            if weight > 0.0 {
                chosen = i;
                if left < weight {
                    break;
                }
                left -= weight;
            }
        }
        chosen
    }

    /// A stream for many draws.
    pub(crate) fn stream(self) -> Stream {
        stream(self.0, "")
    }
}

/// The finaliser of splitmix64: one changed bit changes every bit with probability one half.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn draws_depend_on_the_path_alone() {
        let dice = Dice::new(7).on("a").at(3);
        assert_eq!(dice.uniform(), Dice::new(7).on("a").at(3).uniform());
        assert_ne!(dice.uniform(), Dice::new(7).at(3).on("a").uniform());
        assert_ne!(dice.uniform(), Dice::new(8).on("a").at(3).uniform());
    }

    #[test]
    fn draws_are_uniform_and_normal() {
        let n = 20_000;
        let draws: Vec<Dice> = (0..n).map(|i| Dice::new(1).at(i)).collect();
        let mean = draws.iter().map(|d| d.uniform()).sum::<f64>() / n as f64;
        let squares = draws.iter().map(|d| d.normal().powi(2)).sum::<f64>() / n as f64;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        assert!((squares - 1.0).abs() < 0.04, "{squares}");
        let second = draws.iter().filter(|d| d.weighted([1.0, 3.0, 0.0]) == 1).count();
        assert!((second as f64 / n as f64 - 0.75).abs() < 0.015);
    }
}
