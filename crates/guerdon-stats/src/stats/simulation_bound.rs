//! Simulation bound: how far a value computed in a learned model can lie from the true one.
//!
//! # Formula
//!
//! ```text
//! |V − V̂| ≤ ε_r/(1 − γ) + γ·ε_P·R_max / (2(1 − γ)²)
//! ```
//!
//! `ε_r` is the largest reward error, `ε_P` the largest L1 error of the transition probabilities (0 to 2), `γ` the discount,
//! `R_max` the largest reward. With a finite `horizon` k the sums run over k steps: 1/(1 − γ) becomes (1 − γ^k)/(1 − γ).
//!
//! # When to use it
//!
//! Before planning in a learned model or a simulated user: if the bound exceeds the differences that matter, shorten the
//! rollouts.
//!
//! # Departures
//!
//! The finite-horizon form is ours: `Σ_{t<k} γ^t·(ε_r + min(t·ε_P/2, 1)·R_max)`, tighter than cutting the closed form.
//!
//! # Example
//!
//! ```yaml
//! use: stats.simulation_bound
//! ```
//!
//! ```
//! use guerdon_stats::stats::simulation_bound::bound;
//! assert!((bound(0.9, 0.05, 0.1, 1.0) - 5.0).abs() < 1e-9);
//! ```
//!
//! # References
//!
//! Kearns and Singh 2002; Luo et al., "A Survey on Model-based Reinforcement Learning", 2022.

use guerdon_core::MethodError;
use guerdon_core::method::{Function, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::finite;

/// Parameters of `stats.simulation_bound`: none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SimulationBound {}

impl Params for SimulationBound {}

/// Input of `stats.simulation_bound`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Discount, 0 to below 1.
    pub gamma: f64,
    /// Largest reward error, at least 0.
    pub reward_error: f64,
    /// Largest L1 error of transition probabilities, 0 to 2.
    pub transition_error: f64,
    /// Largest reward, at least 0.
    pub reward_max: f64,
    /// Length of the rollouts, to 1,000,000; absent: infinite.
    #[serde(default)]
    pub horizon: Option<u32>,
}

/// Output of `stats.simulation_bound`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The bound on the value error.
    pub bound: f64,
}

/// The bound for infinite rollouts.
pub fn bound(gamma: f64, reward_error: f64, transition_error: f64, reward_max: f64) -> f64 {
    let rest = 1.0 - gamma;
    reward_error / rest + gamma * transition_error * reward_max / (2.0 * rest * rest)
}

/// The bound for rollouts of `horizon` steps.
pub fn finite_bound(
    gamma: f64,
    reward_error: f64,
    transition_error: f64,
    reward_max: f64,
    horizon: u32,
) -> f64 {
    let (mut discount, mut sum) = (1.0, 0.0);
    for t in 0..horizon {
        sum += discount
            * (reward_error + (f64::from(t) * transition_error / 2.0).min(1.0) * reward_max);
        discount *= gamma;
    }
    sum
}

impl Function for SimulationBound {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let &Input { gamma, reward_error, transition_error, reward_max, horizon } = input;
        let fine = (0.0..1.0).contains(&gamma) && (0.0..=2.0).contains(&transition_error);
        let fine = fine && reward_error >= 0.0 && reward_max >= 0.0;
        if !fine || horizon.is_some_and(|k| k > 1_000_000) {
            return Err(MethodError::domain(
                "need 0 ≤ gamma < 1, 0 ≤ transition_error ≤ 2, rewards not negative, a horizon to 1000000",
            ));
        }
        let bound = match horizon {
            None => bound(gamma, reward_error, transition_error, reward_max),
            Some(k) => finite_bound(gamma, reward_error, transition_error, reward_max, k),
        };
        Ok(Output { bound: finite("bound", bound)? })
    }
}

guerdon_core::method! {
    SimulationBound: Function,
    id: "stats.simulation_bound",
    papers: ["mbrl-survey-2022"],
    status: Verified(Worked("γ 0.9, ε_r 0.05, ε_P 0.1, R_max 1: 5.0; a two-state chain that loses 0.430622 of 0.45")),
    laws: [],
    exempt: [],
    samples: [r#"{"gamma": 0.9, "reward_error": 0.05, "transition_error": 0.1, "reward_max": 1}"#],
}

#[cfg(test)]
mod tests {
    use super::{bound, finite_bound};

    #[test]
    fn the_leaking_chain_stays_below_the_bound() {
        let (gamma, leak) = (0.9_f64, 0.005_f64);
        let loss = 1.0 / (1.0 - gamma) - 1.0 / (1.0 - gamma * (1.0 - leak));
        assert!((loss - 0.430_622).abs() < 1e-6);
        let bound = bound(gamma, 0.0, 2.0 * leak, 1.0);
        assert!((bound - 0.45).abs() < 1e-12 && loss < bound);
    }

    #[test]
    fn long_rollouts_reach_the_infinite_bound_from_below() {
        assert_eq!(finite_bound(0.9, 0.05, 0.1, 1.0, 1), 0.05);
        assert!(finite_bound(0.9, 0.05, 0.1, 1.0, 10_000) <= bound(0.9, 0.05, 0.1, 1.0));
        let tiny = finite_bound(0.9, 0.05, 1e-6, 1.0, 10_000);
        assert!((tiny - bound(0.9, 0.05, 1e-6, 1.0)).abs() < 1e-9);
    }
}
