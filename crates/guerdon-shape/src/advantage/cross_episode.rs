//! Returns across attempts: a step also earns from later attempts at the same task.
//!
//! An agent has several attempts at one task, with history in context. Credit that flows across attempts pays for
//! exploring first.
//!
//! # Formula
//!
//! ```text
//! G_t = Σ_{l ≥ t} step_gamma^(l − t) · r_l  +  Σ_{m > n} traj_gamma^(m − n) · Σ_l step_gamma^l · r_l⁽ᵐ⁾
//! A_t = (G_t − μ) / (σ + eps)                                   with `normalize`
//! ```
//!
//! `t` is a step of attempt `n`, `l` counts steps from the start of their attempt (from 0), `r⁽ᵐ⁾` are the rewards of a
//! later attempt `m`. `μ` and `σ` are mean and sample standard deviation of all `G` of the group. The column that `attempt`
//! names says for each step to which attempt it belongs: a new attempt begins where the number changes.
//!
//! # When to use it
//!
//! For episodes of several attempts with rewards per step. `traj_gamma: 0` is ordinary reinforcement learning per attempt;
//! 1 with `step_gamma: 1` is the plain sum over all that follows.
//!
//! # Departures
//!
//! The group norm runs over all steps of the group's episodes. The value per rollout is the mean over its steps.
//!
//! # Example
//!
//! ```yaml
//! use: advantage.cross_episode
//! attempt: attempt
//! step_gamma: 0.95
//! traj_gamma: 0.6
//! ```
//!
//! ```
//! use guerdon_shape::advantage::cross_episode;
//! let own = cross_episode::returns(&[0.0, 1.0], &[1.0, 2.0], 0.95, 0.6);
//! assert_eq!(own, [0.6, 1.0]);
//! ```
//!
//! # References
//!
//! "Meta-RL Induces Exploration in Language Agents", 2025 (`LaMer`).

use super::rules::{check_std, denominator};
use super::tokens;
use crate::moments::{moments, standardise};
use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of `advantage.cross_episode`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CrossEpisode {
    /// Column with the number of the attempt at each step. Default `attempt`.
    pub attempt: String,
    /// Discount per step within an attempt, 0 to 1; default 0.95.
    pub step_gamma: f64,
    /// Discount per attempt, 0 to 1; default 0.6.
    pub traj_gamma: f64,
    /// Whether the returns of a group are brought to mean 0 and standard deviation 1. Default true.
    pub normalize: bool,
    /// Added to the standard deviation. At least 0; default 1e-6.
    pub eps: f64,
}

impl Default for CrossEpisode {
    fn default() -> Self {
        Self {
            attempt: "attempt".to_owned(),
            step_gamma: 0.95,
            traj_gamma: 0.6,
            normalize: true,
            eps: 1e-6,
        }
    }
}

impl Params for CrossEpisode {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("step_gamma", self.step_gamma, 0.0, 1.0)?;
        ParamError::in_range("traj_gamma", self.traj_gamma, 0.0, 1.0)?;
        check_std(None, Some(self.eps))
    }
}

/// The return of every step of one episode. `rewards` and `attempts` have one value per step.
pub fn returns(rewards: &[f64], attempts: &[f64], step_gamma: f64, traj_gamma: f64) -> Vec<f64> {
    let mut out = rewards.to_vec();
    let (mut ahead, mut later) = (0.0, 0.0);
    for t in (0..rewards.len().min(attempts.len())).rev() {
        if t + 1 < attempts.len() && attempts[t + 1] != attempts[t] {
            // `ahead` is now the whole return of the attempt that begins at t + 1.
            later = traj_gamma * (ahead + later);
            ahead = 0.0;
        }
        ahead = rewards[t] + step_gamma * ahead;
        out[t] = ahead + later;
    }
    out
}

impl CrossEpisode {
    /// The advantages of one group in place: `returns` holds all its steps.
    fn normalise(&self, returns: &mut [f64]) {
        let m = moments(returns, 1);
        standardise(returns, m.mean, denominator(m.std, self.eps));
    }
}

impl Transform for CrossEpisode {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        view.dense_fine(&[&self.attempt], |d| {
            let attempts = tokens::column(view, d, &self.attempt)?;
            let mut fine = tokens::rewards(d, &attempts)?;
            for i in 0..fine.rows() {
                let own = returns(fine.row(i), attempts.row(i), self.step_gamma, self.traj_gamma);
                fine.values[attempts.offsets[i]..attempts.offsets[i + 1]].copy_from_slice(&own);
            }
            for range in d.groups.iter().filter(|_| self.normalize) {
                self.normalise(
                    &mut fine.values[attempts.offsets[range.start]..attempts.offsets[range.end]],
                );
            }
            Ok((tokens::row_means(&fine), fine))
        })
    }

    fn reads(&self) -> Vec<String> {
        vec![self.attempt.clone()]
    }

    fn scope(&self) -> Scope {
        if self.normalize { Scope::Group } else { Scope::Rollout }
    }
}

guerdon_core::method! {
    CrossEpisode: Transform,
    id: "advantage.cross_episode",
    papers: ["lamer-2025"],
    status: Verified(Worked("LaMer: one success at the second step of the third attempt gives 0.342, 0.57, 0.95")),
    laws: [GroupLocal],
    exempt: [],
    sample_params: r#"{"attempt": "a"}"#,
}

#[cfg(test)]
mod tests {
    use super::returns;

    const REWARDS: [f64; 6] = [0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    const ATTEMPTS: [f64; 6] = [1.0, 1.0, 2.0, 2.0, 3.0, 3.0];

    fn check(step_gamma: f64, traj_gamma: f64, expect: [f64; 3]) {
        let own = returns(&REWARDS, &ATTEMPTS, step_gamma, traj_gamma);
        let firsts = [own[0], own[2], own[4]];
        assert!(
            firsts.iter().zip(expect).all(|(a, e)| (a - e).abs() < 1e-12),
            "{firsts:?} is not {expect:?}"
        );
    }

    #[test]
    fn credit_flows_back_to_earlier_attempts() {
        check(0.95, 0.6, [0.342, 0.57, 0.95]);
    }

    #[test]
    fn limits_reduce_to_one_attempt_and_to_the_plain_sum() {
        check(0.95, 0.0, [0.0, 0.0, 0.95]);
        check(1.0, 1.0, [1.0, 1.0, 1.0]);
        assert_eq!(returns(&[1.0, 2.0, 4.0], &[1.0, 2.0, 3.0], 1.0, 1.0), [7.0, 6.0, 4.0]);
    }
}
