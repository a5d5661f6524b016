//! Separate weights for right and wrong rollouts, without a baseline.
//!
//! Splits the policy gradient of a 0/1 reward into its two halves: reinforcing what was right and discouraging what was
//! wrong.
//!
//! # Formula
//!
//! ```text
//! A_i = w₊  if r_i > right_above,  else −w₋
//! psr: w₊ = 1, w₋ = 0      nsr: w₊ = 0, w₋ = 1      weighted: w₊ = lambda, w₋ = 1
//! ```
//!
//! `r_i` is the reward of rollout `i`. For a softmax policy with probabilities `p`, one wrong sample `v` under `nsr` moves
//! the logits by `−p_v (1 − p_v)` on `v` and `p_u p_v` on every other `u`.
//!
//! # When to use it
//!
//! `nsr` and `weighted` where pass@k at large k matters: mass goes to the alternatives in proportion to the prior, and the
//! step vanishes with the error. `psr` sharpens and loses diversity.
//!
//! # Departures
//!
//! None. On policy, the expected gradients of `psr` and `nsr` are equal; they differ with several updates per batch.
//!
//! # Example
//!
//! ```yaml
//! use: advantage.sign_weight
//! mode: weighted
//! lambda: 0.1
//! ```
//!
//! ```
//! use guerdon_shape::advantage::sign_weight::{Mode, SignWeight};
//! let nsr = SignWeight { mode: Mode::Nsr, ..SignWeight::default() };
//! assert_eq!(nsr.advantage(0.0), -1.0);
//! assert_eq!(nsr.advantage(1.0), 0.0);
//! ```
//!
//! # References
//!
//! Zhu et al., "The Surprising Effectiveness of Negative Reinforcement in LLM Reasoning", 2025, section 3.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which half of the gradient counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Right rollouts only.
    Psr,
    /// Wrong rollouts only.
    Nsr,
    /// Wrong rollouts fully, right ones with weight `lambda`.
    #[default]
    Weighted,
}

/// Parameters of `advantage.sign_weight`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SignWeight {
    /// Which half of the gradient counts. Default `weighted`.
    pub mode: Mode,
    /// Weight of right rollouts with `mode: weighted`. At least 0; default 0.1.
    pub lambda: f64,
    /// A rollout is right if its reward is greater than this, in units of reward. Default 0.
    pub right_above: f64,
}

impl Default for SignWeight {
    fn default() -> Self {
        Self { mode: Mode::Weighted, lambda: 0.1, right_above: 0.0 }
    }
}

impl Params for SignWeight {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("lambda", self.lambda, 0.0, f64::MAX)?;
        ParamError::in_range("right_above", self.right_above, f64::MIN, f64::MAX)
    }
}

impl SignWeight {
    /// The advantage of a rollout with this reward.
    pub fn advantage(&self, reward: f64) -> f64 {
        match (reward > self.right_above, self.mode) {
            (true, Mode::Psr) => 1.0,
            (true, Mode::Weighted) => self.lambda,
            (false, Mode::Nsr | Mode::Weighted) => -1.0,
            (true, Mode::Nsr) | (false, Mode::Psr) => 0.0,
        }
    }
}

impl Transform for SignWeight {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        view.dense(&[], |d| Ok(d.values.iter().map(|r| self.advantage(*r)).collect()))
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }
}

guerdon_core::method! {
    SignWeight: Transform,
    id: "advantage.sign_weight",
    papers: ["nsr-2025"],
    status: Verified(ClosedForm("softmax logit steps of a wrong sample; equal expected gradients of both halves")),
    laws: [ScaleInvariant, OrderPreserving, GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{Mode, SignWeight};

    /// Gradient of `advantage · ln p[sample]` with respect to the logits.
    fn step(p: [f64; 3], sample: usize, advantage: f64) -> [f64; 3] {
        std::array::from_fn(|u| advantage * (f64::from(u8::from(u == sample)) - p[u]))
    }

    fn params(mode: Mode) -> SignWeight {
        SignWeight { mode, ..SignWeight::default() }
    }

    #[test]
    fn a_wrong_sample_moves_mass_to_the_alternatives() {
        let p = [0.5, 0.3, 0.2];
        let advantage = params(Mode::Nsr).advantage(0.0);
        // The expected gradient of one draw of the wrong answer: its probability times its score.
        let moved = step(p, 0, advantage).map(|s| s * p[0]);
        assert!(
            moved.iter().zip([-0.25, 0.15, 0.10]).all(|(a, e)| (a - e).abs() < 1e-15),
            "{moved:?}"
        );
    }

    #[test]
    fn on_policy_both_halves_have_the_same_expected_gradient() {
        let (p, rewards) = ([0.5, 0.3, 0.2], [0.0, 1.0, 0.0]);
        let expected = |mode| {
            let mut sum = [0.0; 3];
            for (v, reward) in rewards.into_iter().enumerate() {
                let step = step(p, v, params(mode).advantage(reward));
                for (total, s) in sum.iter_mut().zip(step) {
                    *total += p[v] * s;
                }
            }
            sum
        };
        let (psr, nsr) = (expected(Mode::Psr), expected(Mode::Nsr));
        assert!(psr.iter().zip(nsr).all(|(a, b)| (a - b).abs() < 1e-15), "{psr:?} {nsr:?}");
    }

    #[test]
    fn weighted_damps_the_right_half() {
        assert_eq!(params(Mode::Weighted).advantage(1.0), 0.1);
        assert_eq!(params(Mode::Psr).advantage(1.0), 1.0);
        assert_eq!(params(Mode::Psr).advantage(-1.0), 0.0);
    }
}
