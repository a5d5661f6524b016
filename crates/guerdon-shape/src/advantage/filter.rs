//! Policy filtration: only some ranks of a group's rewards enter the update; the rest become unscored.
//!
//! A reward model is more reliable at some levels of reward than at others, so the trainer should see those.
//!
//! # Formula
//!
//! ```text
//! keep: all            every rollout
//!       best           the rollout with the greatest reward
//!       best_random    that, and one of the others drawn at random
//!       best_worst     that, and the one with the least reward
//!       within_sigma   those with |r − μ| ≤ sigma · σ
//! ```
//!
//! `μ` is the mean and `σ` the population standard deviation of the group. A kept rollout keeps its reward. The first of
//! equal rewards counts as the greatest, the last as the least.
//!
//! # When to use it
//!
//! With learned rewards. Choose the filter beforehand by the squared correlation of reward and truth over what it keeps.
//! `within_sigma` drops outliers; the largest possible deviation in a group of G is √(G − 1) σ, so with `sigma: 3` groups of
//! up to 10 are never filtered.
//!
//! # Departures
//!
//! None. What is dropped is unscored, not 0: it takes no part in a later baseline.
//!
//! # Example
//!
//! ```yaml
//! use: advantage.filter
//! keep: best_worst
//! ```
//!
//! ```
//! use guerdon_shape::advantage::filter::{Filter, Keep};
//! let params = Filter { keep: Keep::BestWorst, ..Filter::default() };
//! assert_eq!(params.kept(&[0.1, 0.9, 0.5], |_| 0), [1, 0]);
//! ```
//!
//! # References
//!
//! Zhang et al., "Policy Filtration in RLHF to Fine-Tune LLM for Code Generation", 2024, section 4. "R1-Reward: Training
//! Multimodal Reward Model Through Stable Reinforcement Learning", 2025 (`within_sigma`).

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use rand::RngExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::{Moments, moments};

/// Which rollouts of a group are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// All.
    All,
    /// The best.
    Best,
    /// The best and a random other.
    BestRandom,
    /// The best and the worst.
    #[default]
    BestWorst,
    /// Those near the mean.
    WithinSigma,
}

/// Parameters of `advantage.filter`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    /// Which rollouts of a group are kept. Default `best_worst`.
    pub keep: Keep,
    /// Greatest distance from the mean with `keep: within_sigma`, in standard deviations. Greater than 0; default 3.
    pub sigma: f64,
}

impl Default for Filter {
    fn default() -> Self {
        Self { keep: Keep::BestWorst, sigma: 3.0 }
    }
}

impl Params for Filter {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("sigma", self.sigma)
    }
}

impl Filter {
    /// The indices kept of one group's `rewards`. `draw(n)` gives an index below `n`, for `best_random`.
    pub fn kept(&self, rewards: &[f64], draw: impl FnOnce(usize) -> usize) -> Vec<usize> {
        let all = 0..rewards.len();
        let Some(best) = all.clone().reduce(|a, b| if rewards[b] > rewards[a] { b } else { a })
        else {
            return Vec::new();
        };
        let others: Vec<usize> = all.clone().filter(|i| *i != best).collect();
        let worst =
            others.iter().copied().reduce(|a, b| if rewards[b] <= rewards[a] { b } else { a });
        match self.keep {
            Keep::All => all.collect(),
            Keep::Best => vec![best],
            Keep::BestWorst => std::iter::once(best).chain(worst).collect(),
            Keep::BestRandom if others.is_empty() => vec![best],
            Keep::BestRandom => vec![best, others[draw(others.len()).min(others.len() - 1)]],
            Keep::WithinSigma => {
                let Moments { mean, std } = moments(rewards, 0);
                all.filter(|&i| (rewards[i] - mean).abs() <= self.sigma * std).collect()
            }
        }
    }
}

impl Transform for Filter {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let d = view.close_up(&[])?;
        let mut kept = vec![None; view.frame.rows()];
        for (g, range) in d.groups.iter().enumerate() {
            let rewards = &d.values[range.clone()];
            for i in self.kept(rewards, |n| d.stream(g).random_range(0..n)) {
                kept[d.rows[range.start + i]] = Some(rewards[i]);
            }
        }
        Ok(Column::from_options(kept))
    }

    fn scope(&self) -> Scope {
        Scope::Group
    }
}

guerdon_core::method! {
    Filter: Transform,
    id: "advantage.filter",
    papers: ["pf-ppo-2024", "r1-reward-2025"],
    status: Verified(Worked("PF-PPO's R² of 0.43758 over all and 0.94839 over the ends; R1-Reward's z of -5.568")),
    laws: [OrderPreserving, GroupLocal],
    exempt: [PermutationEquivariant: "Of equal rewards the first counts as the greatest and the last as the least."],
}

#[cfg(test)]
mod tests {
    use super::{Filter, Keep};

    fn check(keep: Keep, rewards: &[f64], expect: &[usize]) {
        let params = Filter { keep, ..Filter::default() };
        assert_eq!(params.kept(rewards, |_| 1), expect, "{keep:?}");
    }

    #[test]
    fn each_filter() {
        let rewards = [0.5, 0.9, 0.1, 0.7];
        check(Keep::All, &rewards, &[0, 1, 2, 3]);
        check(Keep::Best, &rewards, &[1]);
        check(Keep::BestWorst, &rewards, &[1, 2]);
        check(Keep::BestRandom, &rewards, &[1, 2]);
        check(Keep::BestWorst, &[0.5], &[0]);
        check(Keep::BestRandom, &[], &[]);
    }

    #[test]
    fn an_outlier_among_thirty_two_is_dropped() {
        let mut rewards = [2.0; 32];
        rewards[31] = 0.0;
        let all: Vec<usize> = (0..31).collect();
        check(Keep::WithinSigma, &rewards, &all);
        check(
            Keep::WithinSigma,
            &[2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 0.0],
            &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        );
    }

    /// Squared correlation of reward and outcome.
    fn r2(pairs: &[(f64, f64)]) -> f64 {
        let n = pairs.len() as f64;
        let (mx, my) = pairs.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x / n, b + y / n));
        let sum =
            |f: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|(x, y)| f(x - mx, y - my)).sum::<f64>();
        sum(&|x, y| x * y).powi(2) / (sum(&|x, _| x * x) * sum(&|_, y| y * y))
    }

    #[test]
    fn the_ends_are_more_reliable() {
        let outcomes = [0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0];
        let pairs: Vec<_> =
            outcomes.iter().enumerate().map(|(i, y)| ((i as f64 + 1.0) / 10.0, *y)).collect();
        assert!((r2(&pairs) - 0.43758).abs() < 1e-5);
        let ends = [&pairs[..3], &pairs[7..]].concat();
        assert!((r2(&ends) - 0.94839).abs() < 1e-5);
    }
}
