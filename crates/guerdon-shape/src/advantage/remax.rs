//! `ReMax` advantage: a rollout's return less the reward of the greedy completion of the same prompt.
//!
//! One extra greedy rollout per prompt serves as the baseline, so groups of one are enough.
//!
//! # Formula
//!
//! ```text
//! A_t = Σ_{k ≥ t} r_k − b      and for a reward per rollout   A = r − b
//! ```
//!
//! `r_k` is the reward of token `k` and `b` the reward of the greedy completion, read from the column that `baseline` names.
//!
//! # When to use it
//!
//! With one sample per prompt and a deterministic greedy decode at hand. With several samples per prompt
//! `advantage.rloo` needs no extra rollout.
//!
//! # Departures
//!
//! None. The value per rollout of a token-level result is the mean over its tokens.
//!
//! # Example
//!
//! ```yaml
//! use: advantage.remax
//! baseline: greedy_reward
//! ```
//!
//! ```
//! use guerdon_shape::advantage::remax;
//! assert_eq!(remax::advantages(&[1.0, 0.0], &[0.25, 0.25]).unwrap(), [0.75, -0.25]);
//! ```
//!
//! # References
//!
//! Li et al., "`ReMax`: A Simple, Effective, and Efficient Reinforcement Learning Method for Aligning Large Language Models",
//! 2023, section 4.

use super::tokens;
use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Fine, MethodError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of `advantage.remax`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Remax {
    /// Column with the reward of the greedy completion of the same prompt. Default `greedy_reward`.
    pub baseline: String,
}

impl Default for Remax {
    fn default() -> Self {
        Self { baseline: "greedy_reward".to_owned() }
    }
}

impl Params for Remax {}

/// Rewards less baselines, one of each per rollout.
pub fn advantages(rewards: &[f64], baselines: &[f64]) -> Result<Vec<f64>, MethodError> {
    MethodError::same_length(("baselines", baselines.len()), ("rewards", rewards.len()))?;
    Ok(rewards.iter().zip(baselines).map(|(r, b)| r - b).collect())
}

/// Returns of every token less the baseline of its rollout. `rewards` holds a row of token rewards per rollout.
pub fn token_advantages(mut rewards: Fine, baselines: &[f64]) -> Result<Fine, MethodError> {
    MethodError::same_length(("baselines", baselines.len()), ("rows of rewards", rewards.rows()))?;
    tokens::returns_of_rows(&mut rewards, 1.0);
    for (i, baseline) in baselines.iter().enumerate() {
        for value in &mut rewards.values[rewards.offsets[i]..rewards.offsets[i + 1]] {
            *value -= baseline;
        }
    }
    Ok(rewards)
}

impl Transform for Remax {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        if view.current()?.fine.is_none() {
            return view.dense(&[&self.baseline], |d| advantages(&d.values, &d.aux[0]));
        }
        view.dense_fine(&[&self.baseline], |d| {
            let rewards =
                d.fine.clone().unwrap_or_else(|| Fine::from_rows(guerdon_core::Level::Token, []));
            let fine = token_advantages(rewards, &d.aux[0])?;
            Ok((tokens::row_means(&fine), fine))
        })
    }

    fn reads(&self) -> Vec<String> {
        vec![self.baseline.clone()]
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }
}

guerdon_core::method! {
    Remax: Transform,
    id: "advantage.remax",
    papers: [],
    status: Verified(Reference("verl compute_remax_outcome_advantage: golden vectors to 1e-6")),
    laws: [GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{advantages, token_advantages};
    use guerdon_core::{Fine, Level};

    #[test]
    fn a_token_gets_what_lies_ahead_less_the_baseline() {
        let rewards = Fine::from_rows(Level::Token, [&[0.5, 0.0, 1.0][..]]);
        assert_eq!(token_advantages(rewards, &[0.25]).unwrap().values, [1.25, 0.75, 0.75]);
    }

    #[test]
    fn an_outcome_on_the_last_token_reduces_to_the_difference() {
        let rewards = Fine::from_rows(Level::Token, [&[0.0, 0.0, 2.0][..]]);
        let whole = advantages(&[2.0], &[0.5]).unwrap()[0];
        assert!(token_advantages(rewards, &[0.5]).unwrap().values.iter().all(|a| *a == whole));
    }
}
