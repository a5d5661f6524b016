//! Discounted return: what a token, step or turn earns from here on.
//!
//! # Formula
//!
//! ```text
//! G_t = Σ_{k ≥ t} gamma^(k − t) · r_k
//! ```
//!
//! `r_k` is the reward of token (step, turn) `k`. A rollout without finer rewards keeps its reward: it is its only return.
//!
//! # When to use it
//!
//! For dense rewards without a learned value: token scores of a rewriter, costs per question, feedback per step. Follow it
//! with a normalisation, or condition a policy on it.
//!
//! # Departures
//!
//! None. The value per rollout is the return at its first token.
//!
//! # Example
//!
//! ```yaml
//! use: advantage.return_to_go
//! gamma: 1
//! ```
//!
//! ```
//! use guerdon_shape::advantage::tokens;
//! let mut rewards = [1.0, 0.0, 1.0];
//! tokens::returns(&mut rewards, 1.0);
//! assert_eq!(rewards, [2.0, 1.0, 1.0]);
//! ```
//!
//! # References
//!
//! Sutton and Barto, "Reinforcement Learning: An Introduction", 2018, section 3.3.

use super::tokens;
use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Fine, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of `advantage.return_to_go`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReturnToGo {
    /// Discount per token (step, turn), 0 to 1; default 1.
    pub gamma: f64,
}

impl Default for ReturnToGo {
    fn default() -> Self {
        Self { gamma: 1.0 }
    }
}

impl Params for ReturnToGo {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("gamma", self.gamma, 0.0, 1.0)
    }
}

/// The return of every token, and of every rollout (at its first token; its own reward where it has no tokens).
pub fn returns(
    rewards: &[f64],
    mut fine: Fine,
    gamma: f64,
) -> Result<(Vec<f64>, Fine), MethodError> {
    MethodError::same_length(("rewards", rewards.len()), ("rows of finer rewards", fine.rows()))?;
    tokens::returns_of_rows(&mut fine, gamma);
    let first = |(i, reward): (usize, &f64)| fine.row(i).first().copied().unwrap_or(*reward);
    let values = rewards.iter().enumerate().map(first).collect();
    Ok((values, fine))
}

impl Transform for ReturnToGo {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        if view.current()?.fine.is_none() {
            return view.dense(&[], |d| Ok(d.values.clone()));
        }
        view.dense_fine(&[], |d| {
            let fine =
                d.fine.clone().unwrap_or_else(|| Fine::from_rows(guerdon_core::Level::Token, []));
            returns(&d.values, fine, self.gamma)
        })
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }
}

guerdon_core::method! {
    ReturnToGo: Transform,
    id: "advantage.return_to_go",
    papers: ["dt4ier-2024", "lmrl-gym-2023", "seq2seq-rm-2024"],
    status: Verified(Worked("rewards 1, 0, 1 give returns 2, 1, 1; twenty questions solved at the seventh give -6")),
    laws: [GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::returns;
    use guerdon_core::{Fine, Level};

    fn check(rewards: &[f64], gamma: f64, expect: &[f64]) {
        let (values, fine) =
            returns(&[9.0], Fine::from_rows(Level::Step, [rewards]), gamma).unwrap();
        assert_eq!(fine.values, expect);
        assert_eq!(values[0], expect.first().copied().unwrap_or(9.0));
    }

    #[test]
    fn undiscounted() {
        check(&[1.0, 0.0, 1.0], 1.0, &[2.0, 1.0, 1.0]);
        check(
            &[-1.0, -1.0, -1.0, -1.0, -1.0, -1.0, 0.0],
            1.0,
            &[-6.0, -5.0, -4.0, -3.0, -2.0, -1.0, 0.0],
        );
    }

    #[test]
    fn no_discount_reduces_to_the_rewards() {
        check(&[1.0, 0.5], 0.0, &[1.0, 0.5]);
    }

    #[test]
    fn a_rollout_without_steps_keeps_its_reward() {
        check(&[], 1.0, &[]);
    }
}
