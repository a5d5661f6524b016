//! Optimal token baseline: at every token position the baseline that minimises the variance of the group's gradient.
//!
//! Each rollout's return is weighted by the gradient energy it has gathered up to that token, estimated from
//! probabilities alone.
//!
//! # Formula
//!
//! ```text
//! w_{i,t} = 1 − 2 π_{i,t} + S_{i,t}        W_{i,t} = Σ_{k ≤ t} w_{i,k}
//! b_t     = Σ_i G_{i,t} W_{i,t} / (Σ_i W_{i,t} + eps)
//! A_{i,t} = G_{i,t} − b_t
//! ```
//!
//! `π` is the probability of the sampled token, `S` the sum of the squared probabilities of all tokens at that position, `G`
//! the undiscounted return. Sums over `i` run over the rollouts of the group that still have a token at `t`. Where only the
//! longest rollout is left there is nothing to compare with: its baseline is 0 there (`zero_tail`); so it is in a group of
//! one.
//!
//! # When to use it
//!
//! With groups per prompt and recorded log-probabilities, where lengths differ and long rollouts dominate the variance.
//!
//! # Departures
//!
//! Without a column for `S` it is π², its least value, so that `w = (1 − π)²`. Tool and user tokens must not be in the
//! lists; positions are then counted over the policy's own tokens (verl's multi-turn form). The value per rollout is the
//! mean over its tokens.
//!
//! # Example
//!
//! ```yaml
//! use: advantage.otb
//! logprobs: policy_logprobs
//! sum_pi_squared: sum_pi_squared
//! ```
//!
//! ```
//! use guerdon_core::{Fine, Groups, Level};
//! use guerdon_shape::advantage::otb::Otb;
//! let rewards = Fine::from_rows(Level::Token, [&[1.0][..], &[0.0]]);
//! let logprobs = Fine::from_rows(Level::Token, [&[-0.5][..], &[-0.5]]);
//! let own = Otb::default().advantages(rewards, &logprobs, None, &Groups::one(2)).unwrap();
//! assert!((own.values[0] - 0.5).abs() < 1e-6 && (own.values[1] + 0.5).abs() < 1e-6);
//! ```
//!
//! # References
//!
//! verl's estimators `optimal_token_baseline` and `tir_optimal_token_baseline` as of 2026.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Fine, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

use guerdon_core::Groups;

use super::tokens;

/// Parameters of `advantage.otb`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Otb {
    /// Column with the natural-log probability of each sampled token. Default `logprobs`.
    pub logprobs: String,
    /// Column with the sum of the squared probabilities of all tokens at each position, 0 to 1. Default: π² stands in.
    pub sum_pi_squared: Option<String>,
    /// Whether the part of the longest rollout that no other reaches has baseline 0. Default true.
    pub zero_tail: bool,
    /// Added to the sum of the weights. Greater than 0; default 1e-8.
    pub eps: f64,
}

impl Default for Otb {
    fn default() -> Self {
        Self { logprobs: "logprobs".to_owned(), sum_pi_squared: None, zero_tail: true, eps: 1e-8 }
    }
}

impl Params for Otb {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("eps", self.eps)
    }
}

impl Otb {
    /// The advantages of a batch. All tables have the same shape, with one row per row of `groups`.
    pub fn advantages(
        &self,
        rewards: Fine,
        logprobs: &Fine,
        sum_pi_squared: Option<&Fine>,
        groups: &Groups,
    ) -> Result<Fine, MethodError> {
        tokens::same_shape(&rewards, logprobs)?;
        MethodError::same_length(
            ("rows of rewards", rewards.rows()),
            ("rows of the groups", groups.rows()),
        )?;
        if let Some(squares) = sum_pi_squared {
            tokens::same_shape(&rewards, squares)?;
        }
        let mut returns = rewards;
        tokens::returns_of_rows(&mut returns, 1.0);
        let energy = energy(logprobs, sum_pi_squared);
        for range in groups.iter().filter(|range| range.len() > 1) {
            let baselines = self.baselines(&returns, &energy, range.clone());
            for i in range {
                let own = &mut returns.values[returns.offsets[i]..returns.offsets[i + 1]];
                own.iter_mut().zip(&baselines).for_each(|(value, baseline)| *value -= baseline);
            }
        }
        Ok(returns)
    }

    /// The baseline at each position of one group.
    fn baselines(&self, returns: &Fine, energy: &Fine, group: Range<usize>) -> Vec<f64> {
        let mut lengths: Vec<usize> = group.clone().map(|i| returns.row(i).len()).collect();
        lengths.sort_unstable();
        let (longest, second) = (lengths[lengths.len() - 1], lengths[lengths.len() - 2]);
        let mut sums = vec![(0.0, 0.0); if self.zero_tail { second } else { longest }];
        for i in group {
            for ((sum, total), (g, w)) in
                sums.iter_mut().zip(returns.row(i).iter().zip(energy.row(i)))
            {
                *sum += g * w;
                *total += w;
            }
        }
        sums.into_iter().map(|(sum, total)| sum / (total + self.eps)).collect()
    }
}

/// The gradient energy that each rollout has gathered up to each token.
fn energy(logprobs: &Fine, sum_pi_squared: Option<&Fine>) -> Fine {
    let mut energy = logprobs.clone();
    for i in 0..energy.rows() {
        let range = energy.offsets[i]..energy.offsets[i + 1];
        let mut gathered = 0.0;
        for (t, value) in range.clone().zip(&mut energy.values[range]) {
            let pi = value.min(0.0).exp();
            let squares = sum_pi_squared.map_or(pi * pi, |fine| fine.values[t]);
            gathered += 1.0 - 2.0 * pi + squares;
            *value = gathered;
        }
    }
    energy
}

impl Transform for Otb {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let lists: Vec<&str> = std::iter::once(&self.logprobs)
            .chain(&self.sum_pi_squared)
            .map(String::as_str)
            .collect();
        view.dense_fine(&lists, |d| {
            let logprobs = tokens::column(view, d, &self.logprobs)?;
            let squares = self
                .sum_pi_squared
                .as_ref()
                .map(|name| tokens::column(view, d, name))
                .transpose()?;
            let rewards = tokens::rewards(d, &logprobs)?;
            let fine = self.advantages(rewards, &logprobs, squares.as_ref(), &d.groups)?;
            Ok((tokens::row_means(&fine), fine))
        })
    }

    fn reads(&self) -> Vec<String> {
        std::iter::once(&self.logprobs).chain(&self.sum_pi_squared).cloned().collect()
    }

    fn scope(&self) -> Scope {
        Scope::Group
    }
}

guerdon_core::method! {
    Otb: Transform,
    id: "advantage.otb",
    papers: [],
    status: Verified(Reference("verl compute_optimal_token_baseline_advantage and its multi-turn form: golden vectors to 1e-6")),
    laws: [GroupLocal],
    exempt: [],
    sample_params: r#"{"logprobs": "a"}"#,
}

#[cfg(test)]
mod tests {
    use super::Otb;
    use guerdon_core::{Fine, Groups, Level};

    fn check(rewards: &[&[f64]], logprobs: &[&[f64]], expect: &[f64]) {
        let fine = |rows: &[&[f64]]| Fine::from_rows(Level::Token, rows.iter().copied());
        let groups = Groups::one(rewards.len());
        let own = Otb::default().advantages(fine(rewards), &fine(logprobs), None, &groups).unwrap();
        assert!(
            own.values.iter().zip(expect).all(|(a, e)| (a - e).abs() < 1e-6),
            "{:?} is not {expect:?}",
            own.values
        );
    }

    #[test]
    fn equal_energies_reduce_to_the_group_mean() {
        check(&[&[1.0], &[0.0], &[0.5]], &[&[-1.0], &[-1.0], &[-1.0]], &[0.5, -0.5, 0.0]);
    }

    #[test]
    fn the_tail_of_the_longest_has_no_baseline() {
        check(&[&[0.0, 1.0], &[0.0]], &[&[-1.0, -1.0], &[-1.0]], &[0.5, 1.0, -0.5]);
    }

    #[test]
    fn a_group_of_one_gets_its_returns() {
        check(&[&[0.5, 1.0]], &[&[-1.0, -1.0]], &[1.5, 1.0]);
    }
}
