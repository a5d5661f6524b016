//! Potential-based shaping: a hint per step that cannot change which policy is best.
//!
//! # Formula
//!
//! ```text
//! r'_t = r_t + γ · Φ(s_{t+1}) − Φ(s_t)
//! ```
//!
//! `Φ` are the values per step of the column `potential`, one per state: as many as the steps (then the state after the
//! last step has potential 0, or with `last: keep` that of the last state), or one more. `r_t` are the running reward's
//! values per step; where it has none its own value is paid at the last step. The rollout's value becomes the discounted
//! return Σ γ^t r'_t.
//!
//! # When to use it
//!
//! To give a dense hint (progress, a value, a similarity to the goal) with a guarantee, and as the control arm for learned
//! or hand-made step rewards. With `last: keep` the guarantee is lost when episodes end early in good states.
//!
//! # Departures
//!
//! None: the telescoping sum `γ^T·Φ(s_T)` − `Φ(s_0)` is tested.
//!
//! # Example
//!
//! ```yaml
//! use: shape.potential
//! potential: progress
//! gamma: 0.99
//! ```
//!
//! ```
//! use guerdon_shape::shape::potential::terms;
//! assert_eq!(terms(&[0.0, 1.0, 3.0], 0.5), [0.5, 0.5]);
//! ```
//!
//! # References
//!
//! Ng, Harada and Russell, "Policy Invariance Under Reward Transformations", 1999. Gupta et al., "Behavior Alignment via
//! Reward Function Optimization", 2023, and Devidze, "Reward Design for Reinforcement Learning Agents", 2025 (as control).

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Level, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fine::column;

/// The potential after the last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Last {
    /// 0, which keeps the best policy best.
    #[default]
    Zero,
    /// That of the last state.
    Keep,
}

/// Parameters of `shape.potential`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Potential {
    /// Column with the potential of every state, as values per step. Default `potential`.
    pub potential: String,
    /// Discount per step. 0 to 1; default 1.
    pub gamma: f64,
    /// The potential after the last step, where the column does not hold it. Default `zero`.
    pub last: Last,
}

impl Default for Potential {
    fn default() -> Self {
        Self { potential: "potential".to_owned(), gamma: 1.0, last: Last::Zero }
    }
}

impl Params for Potential {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("gamma", self.gamma, 0.0, 1.0)
    }
}

/// γ·Φ(s_{t+1}) − `Φ(s_t)` for every step: one fewer than the states of `potential`.
pub fn terms(potential: &[f64], gamma: f64) -> Vec<f64> {
    potential.windows(2).map(|w| gamma * w[1] - w[0]).collect()
}

/// Σ `γ^t·r_t`.
pub fn discounted(rewards: &[f64], gamma: f64) -> f64 {
    rewards.iter().rev().fold(0.0, |after, r| r + gamma * after)
}

impl Potential {
    /// The shaped rewards per step of one rollout whose steps earn `rewards`.
    pub fn shape(&self, rewards: &[f64], states: &[f64]) -> Result<Vec<f64>, MethodError> {
        let mut states = states.to_vec();
        if states.len() == rewards.len() {
            states.push(match self.last {
                Last::Zero => 0.0,
                Last::Keep => states.last().copied().unwrap_or(0.0),
            });
        }
        MethodError::same_length(
            ("potential", states.len()),
            ("steps and the state after", rewards.len() + 1),
        )?;
        Ok(rewards.iter().zip(terms(&states, self.gamma)).map(|(r, f)| r + f).collect())
    }

    fn row(
        &self,
        current: &Column,
        potential: &Column,
        row: usize,
    ) -> Result<Option<(f64, Vec<f64>)>, MethodError> {
        let (Some(own), Some(_)) = (current.get(row), potential.get(row)) else { return Ok(None) };
        let states = potential.fine.as_ref().map_or(&[][..], |fine| fine.row(row));
        let mut rewards =
            current.fine.as_ref().map_or_else(Vec::new, |fine| fine.row(row).to_vec());
        if rewards.is_empty() && !states.is_empty() {
            rewards = vec![0.0; states.len()];
            rewards[states.len() - 1] = own;
        }
        if rewards.is_empty() || states.is_empty() {
            return Ok(Some((own, rewards)));
        }
        let shaped = self.shape(&rewards, states)?;
        Ok(Some((discounted(&shaped, self.gamma), shaped)))
    }
}

impl Transform for Potential {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let (current, potential) = (view.current()?, view.frame.column(&self.potential)?);
        let level = potential
            .fine
            .as_ref()
            .or(current.fine.as_ref())
            .map_or(Level::Step, |fine| fine.level);
        let rows: Result<Vec<_>, _> =
            (0..current.len()).map(|row| self.row(current, potential, row)).collect();
        Ok(column(level, &rows?))
    }

    fn reads(&self) -> Vec<String> {
        vec![self.potential.clone()]
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }
}

guerdon_core::method! {
    Potential: Transform,
    id: "shape.potential",
    papers: ["barfi-2023", "reward-design-thesis-2025", "vlc-2024"],
    status: Verified(ClosedForm("the discounted terms telescope to γ^T·Φ(s_T) − Φ(s_0); Φ = (0, 1, 3) at γ = 0.9 gives 2.43")),
    laws: [GroupLocal],
    exempt: [],
    sample_params: r#"{"potential": "a"}"#,
}

#[cfg(test)]
mod tests {
    use super::{Last, Potential, discounted, terms};

    #[test]
    fn the_sum_telescopes() {
        let states = [0.0, 1.0, 3.0];
        assert!((discounted(&terms(&states, 0.9), 0.9) - 2.43).abs() < 1e-12);
        let long: Vec<f64> = (0..50).map(|i| f64::from(i * i % 17)).collect();
        let expect = 0.95_f64.powi(49) * long[49] - long[0];
        assert!((discounted(&terms(&long, 0.95), 0.95) - expect).abs() < 1e-9);
    }

    #[test]
    fn a_rollout_keeps_its_return_up_to_the_first_potential() {
        let shaped = Potential::default().shape(&[0.0, 0.0, 1.0], &[0.2, 0.5, 0.9]).unwrap();
        assert!((shaped.iter().sum::<f64>() - (1.0 - 0.2)).abs() < 1e-12, "{shaped:?}");
        let kept = Potential { last: Last::Keep, ..Potential::default() };
        let shaped = kept.shape(&[0.0, 0.0, 1.0], &[0.2, 0.5, 0.9]).unwrap();
        assert!((shaped.iter().sum::<f64>() - (1.0 - 0.2 + 0.9)).abs() < 1e-12, "{shaped:?}");
    }

    #[test]
    fn no_potential_changes_nothing() {
        assert_eq!(Potential::default().shape(&[1.0, 2.0], &[0.0; 3]).unwrap(), [1.0, 2.0]);
        assert!(Potential::default().shape(&[1.0, 2.0], &[0.0; 5]).is_err());
    }
}
