//! An unreliable signal counts as much as it can be trusted: as well as it separates right from wrong in the group.
//!
//! # Formula
//!
//! ```text
//! r'_i = r_i + γ_g · α · exp(−t / T) · s_i
//! γ_g  = 1 where μ_right ≥ μ_wrong, else exp(μ_right − μ_wrong)
//! ```
//!
//! `s_i` is the column `signal` (a grade of the reasoning, 0 to 1), μ its mean over the right and the wrong rollouts of
//! the group, `α` the weight, `t` the training step (one batch is one step; it is saved with the run), `T` the steps after
//! which the weight has fallen to 1/e. A rollout is right when its reward is at least `threshold`. With `skip_uniform` a
//! group that is all right or all wrong keeps its reward.
//!
//! # When to use it
//!
//! To add a model's opinion of the reasoning to a checked outcome, where that opinion is sometimes upside down. With a
//! small `α` a group-normalised learner hardly notices either way.
//!
//! # Departures
//!
//! Checked against the authors' code: trust and annealing agree. That code also grades only rollouts with an outcome of at
//! least 0.2, the others count as grade 0 (`least: 0.2`), and calls a group uniform from 0.9 up and from 0.1 down.
//!
//! # Example
//!
//! ```yaml
//! use: shape.trust
//! signal: reasoning
//! alpha: 0.3
//! anneal: 500
//! ```
//!
//! ```
//! use guerdon_shape::shape::trust::trust;
//! assert!((trust(0.5, 0.7) - 0.8187).abs() < 1e-4);
//! assert_eq!(trust(0.7, 0.5), 1.0);
//! ```
//!
//! # References
//!
//! Fan et al., "`SophiaVL-R1`: Reinforcing MLLMs Reasoning with Thinking Reward", 2025, section 3.3.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fine::settle;
use crate::moments::mean;

/// Parameters of `shape.trust`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Trust {
    /// Column with the signal that may not be reliable. Default `thinking`.
    pub signal: String,
    /// Least reward that counts as right. Finite; default 0.5.
    pub threshold: f64,
    /// Weight of the signal at the first step. At least 0; default 0.3.
    pub alpha: f64,
    /// Steps after which the weight has fallen to 1/e. At least 1; default 500.
    pub anneal: u64,
    /// Whether groups that are all right or all wrong keep their rewards. Default true.
    pub skip_uniform: bool,
    /// Least reward with which a rollout's grade counts; below it the grade is 0. Finite; default: none.
    pub least: Option<f64>,
}

impl Default for Trust {
    fn default() -> Self {
        Self {
            signal: "thinking".to_owned(),
            threshold: 0.5,
            alpha: 0.3,
            anneal: 500,
            skip_uniform: true,
            least: None,
        }
    }
}

impl Params for Trust {
    fn validate(&self) -> Result<(), ParamError> {
        const ANY: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
        ParamError::in_range("threshold", self.threshold, ANY.0, ANY.1)?;
        ParamError::in_range("alpha", self.alpha, 0.0, f64::INFINITY)?;
        ParamError::in_range("anneal", self.anneal as f64, 1.0, f64::INFINITY)?;
        ParamError::in_range("least", self.least.unwrap_or(0.0), ANY.0, ANY.1)
    }
}

/// How far a signal is trusted whose means over right and wrong rollouts are these: above 0, at most 1.
pub fn trust(right: f64, wrong: f64) -> f64 {
    (right - wrong).min(0.0).exp()
}

impl Trust {
    fn transform(self) -> Truster {
        Truster { params: self, step: 0 }
    }

    /// The shaped rewards of one group at a step.
    pub fn group(&self, rewards: &[f64], signal: &[f64], step: u64) -> Vec<f64> {
        let counts = |r: f64| self.least.is_none_or(|least| r >= least);
        let signal: Vec<f64> =
            rewards.iter().zip(signal).map(|(r, s)| if counts(*r) { *s } else { 0.0 }).collect();
        let of = |right: bool| -> Vec<f64> {
            let side =
                rewards.iter().zip(&signal).filter(|(r, _)| (**r >= self.threshold) == right);
            side.map(|(_, s)| *s).collect()
        };
        let (right, wrong) = (of(true), of(false));
        let uniform = right.is_empty() || wrong.is_empty();
        if uniform && self.skip_uniform {
            return rewards.to_vec();
        }
        let trusted = if uniform { 1.0 } else { trust(mean(&right), mean(&wrong)) };
        let weight = trusted * self.alpha * (-(step as f64) / self.anneal as f64).exp();
        let counts = |r: f64| self.least.is_none_or(|least| r >= least);
        rewards
            .iter()
            .zip(signal)
            .map(|(r, s)| if counts(*r) { r + weight * s } else { *r })
            .collect()
    }
}

/// `shape.trust` in a run: the parameters and the training step.
#[derive(Debug, Clone)]
pub struct Truster {
    params: Trust,
    step: u64,
}

impl Transform for Truster {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let shaped = view.dense(&[&self.params.signal], |d| {
            let group = |range: std::ops::Range<usize>| {
                self.params.group(&d.values[range.clone()], &d.aux[0][range], self.step)
            };
            Ok(d.groups.iter().flat_map(group).collect())
        })?;
        self.step += 1;
        Ok(settle(view.current()?, shaped))
    }

    fn reads(&self) -> Vec<String> {
        vec![self.params.signal.clone()]
    }

    fn scope(&self) -> Scope {
        Scope::Batch
    }

    fn save(&self) -> Value {
        json!(self.step)
    }

    fn restore(&mut self, state: &Value) -> Result<(), MethodError> {
        self.step = super::state::read(state)?;
        Ok(())
    }
}

guerdon_core::method! {
    Trust: StatefulTransform,
    id: "shape.trust",
    papers: ["sophiavl-2025"],
    status: Verified(Worked("means 0.5 and 0.7 at step 250: weight 0.14898, a right rollout with grade 0.8 gets 1.1192")),
    laws: [GroupLocal],
    exempt: [],
    sample_params: r#"{"signal": "score"}"#,
}

#[cfg(test)]
mod tests {
    use super::Trust;

    fn check(rewards: &[f64], signal: &[f64], step: u64, expect: &[f64]) {
        let own = Trust::default().group(rewards, signal, step);
        assert!(
            own.iter().zip(expect).all(|(a, e)| (a - e).abs() < 5e-5),
            "{own:?}, not {expect:?}"
        );
    }

    #[test]
    fn an_inverted_grader_counts_less() {
        check(&[1.0, 1.0, 0.0], &[0.8, 0.2, 0.7], 250, &[1.1192, 1.0298, 0.1043]);
    }

    #[test]
    fn a_uniform_group_keeps_its_outcome() {
        check(&[1.0, 1.0], &[0.8, 0.2], 0, &[1.0, 1.0]);
        check(&[0.0, 0.0], &[0.8, 0.2], 0, &[0.0, 0.0]);
    }

    #[test]
    fn after_long_training_only_the_outcome_remains() {
        check(&[1.0, 0.0], &[0.8, 0.2], 1_000_000, &[1.0, 0.0]);
    }
}
