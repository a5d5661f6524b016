//! Progress advantage: each step is credited with the change of the value that it brings about, on top of the outcome.
//!
//! A step that moves the solution forward is paid even if the end fails, and dithering is not paid.
//!
//! # Formula
//!
//! ```text
//! A_j = outcome · (r − b) + alpha · (J_j − J_{j−1})        J ← 1 − (1 − J)^best_of
//! ```
//!
//! `J_j` is the probability of success after step `j` (after the first `j` blocks), read from the column that `values` names:
//! one value more than there are steps, the first before any step; with `start` the list has one value per step and `start`
//! stands before it. `r` is the reward of the rollout; `b` is 0, the mean of the group, or the reward of stopping, read from
//! the column that `termination` names. `best_of: K` looks through the eyes of a prover that has K tries.
//!
//! | preset | outcome | alpha | baseline | `best_of` |
//! |---|---|---|---|---|
//! | `mrt` (default) | 1 | 1 | group | 1 |
//! | `pav` | 1 | 3 | none | 4 |
//! | `progrm` | 0 | 1 | none | 1 |
//!
//! # When to use it
//!
//! With values per step from rollouts, a process reward model or milestones. Undiscounted progress telescopes to
//! `J_end − J_start`: it moves credit, not the optimum. A prover that always succeeds, or the policy itself, adds nothing.
//!
//! # Departures
//!
//! The values are read, not estimated here. The value per rollout is its outcome part plus `alpha` times its whole
//! progress.
//!
//! # Example
//!
//! ```yaml
//! use: advantage.progress
//! preset: pav
//! values: success_after_step
//! ```
//!
//! ```
//! use guerdon_shape::advantage::progress;
//! let own = progress::changes(&[0.2, 0.5, 0.5, 0.9]);
//! assert!(own.iter().zip([0.3, 0.0, 0.4]).all(|(a, e)| (a - e).abs() < 1e-12));
//! ```
//!
//! # References
//!
//! Qu et al., "Optimizing Test-Time Compute via Meta Reinforcement Fine-Tuning", 2025, section 6. Setlur et al., "Rewarding
//! Progress: Scaling Automated Process Verifiers for LLM Reasoning", 2024, section 3. "`ProgRM`: Build Better GUI Agents with
//! Progress Rewards", 2025.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Fine, MethodError, ParamError, View};
use guerdon_core::{Dense, Level};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{grpo, tokens};

/// The settings of a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Meta reinforcement fine-tuning: outcome against the group, plus progress.
    #[default]
    Mrt,
    /// Process advantage verifiers: outcome plus three times the progress of a best-of-4 prover.
    Pav,
    /// `ProgRM`: progress alone.
    Progrm,
}

/// What is taken off the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Baseline {
    /// Nothing.
    None,
    /// The mean of the group.
    Group,
    /// The reward of stopping, from the column `termination`.
    Termination,
}

/// Parameters of `advantage.progress`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Progress {
    /// The settings of a paper; the other parameters override it. Default `mrt`.
    pub preset: Preset,
    /// Column with the probability of success after each step, 0 to 1. Default `values`.
    pub values: String,
    /// The value before the first step, where the column does not hold it. 0 to 1. Default: the column holds it.
    pub start: Option<f64>,
    /// Weight of the outcome. At least 0. Default: the preset's (`mrt`: 1).
    pub outcome: Option<f64>,
    /// Weight of progress. At least 0. Default: the preset's (`mrt`: 1).
    pub alpha: Option<f64>,
    /// What is taken off the outcome. Default: the preset's (`mrt`: group).
    pub baseline: Option<Baseline>,
    /// Column with the reward of stopping, used with `baseline: termination`. Default `termination`.
    pub termination: String,
    /// Tries of the prover. At least 1. Default: the preset's (`mrt`: 1).
    pub best_of: Option<u32>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            preset: Preset::Mrt,
            values: "values".to_owned(),
            start: None,
            outcome: None,
            alpha: None,
            baseline: None,
            termination: "termination".to_owned(),
            best_of: None,
        }
    }
}

impl Params for Progress {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("outcome", self.outcome.unwrap_or(0.0), 0.0, f64::MAX)?;
        ParamError::in_range("alpha", self.alpha.unwrap_or(0.0), 0.0, f64::MAX)?;
        ParamError::in_range("start", self.start.unwrap_or(0.0), 0.0, 1.0)?;
        match self.best_of {
            Some(0) => Err(ParamError::new("best_of", "`best_of` must be at least 1, not 0")),
            _ => Ok(()),
        }
    }
}

/// The change from each value to the next: one value less than there are.
pub fn changes(values: &[f64]) -> Vec<f64> {
    values.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// The probability (0 to 1) that at least one of `tries` succeeds, each with probability `value` (clamped to 0 to 1).
pub fn best_of(value: f64, tries: u32) -> f64 {
    if tries == 1 {
        return value;
    }
    1.0 - (1.0 - value.clamp(0.0, 1.0)).powf(f64::from(tries))
}

/// Cumulative regret of a rollout: Σ over its blocks of `optimum − value`. `values` has one value per block.
pub fn regret(values: &[f64], optimum: f64) -> f64 {
    values.iter().map(|value| optimum - value).sum()
}

impl Progress {
    fn baseline(&self) -> Baseline {
        let preset = if self.preset == Preset::Mrt { Baseline::Group } else { Baseline::None };
        self.baseline.unwrap_or(preset)
    }

    fn alpha(&self) -> f64 {
        self.alpha.unwrap_or(if self.preset == Preset::Pav { 3.0 } else { 1.0 })
    }

    /// The weighted progress of each step of one rollout. `values` as the parameter `values` says.
    pub fn steps(&self, values: &[f64]) -> Vec<f64> {
        let tries = self.best_of.unwrap_or(if self.preset == Preset::Pav { 4 } else { 1 });
        let seen: Vec<f64> =
            self.start.iter().chain(values).map(|value| best_of(*value, tries)).collect();
        changes(&seen).into_iter().map(|change| self.alpha() * change).collect()
    }

    /// The outcome part of every rollout.
    fn outcomes(&self, d: &Dense<'_>) -> Result<Vec<f64>, MethodError> {
        let weight = self.outcome.unwrap_or(if self.preset == Preset::Progrm { 0.0 } else { 1.0 });
        let mut outcomes = match self.baseline() {
            Baseline::None => d.values.clone(),
            Baseline::Group => grpo::Preset::DrGrpo.rule().advantages(&d.values, &d.groups)?,
            Baseline::Termination => {
                d.values.iter().zip(&d.aux[1]).map(|(r, stop)| r - stop).collect()
            }
        };
        for outcome in &mut outcomes {
            *outcome *= weight;
        }
        Ok(outcomes)
    }
}

impl Transform for Progress {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let mut columns = vec![self.values.as_str()];
        if self.baseline() == Baseline::Termination {
            columns.push(&self.termination);
        }
        view.dense_fine(&columns, |d| {
            let values = tokens::column(view, d, &self.values)?;
            let mut outcomes = self.outcomes(d)?;
            let mut rows = Vec::with_capacity(outcomes.len());
            for (i, outcome) in outcomes.iter_mut().enumerate() {
                let steps = self.steps(values.row(i));
                let credited: Vec<f64> = steps.iter().map(|step| *outcome + step).collect();
                *outcome += steps.iter().sum::<f64>();
                rows.push(credited);
            }
            let fine = Fine::from_rows(Level::Step, rows.iter().map(Vec::as_slice));
            Ok((tokens::sound(outcomes, &fine), fine))
        })
    }

    fn reads(&self) -> Vec<String> {
        let stop = (self.baseline() == Baseline::Termination).then_some(&self.termination);
        std::iter::once(&self.values).chain(stop).cloned().collect()
    }

    fn scope(&self) -> Scope {
        if self.baseline() == Baseline::Group { Scope::Group } else { Scope::Rollout }
    }
}

guerdon_core::method! {
    Progress: Transform,
    id: "advantage.progress",
    papers: ["mrt-2025", "pav-2024", "progrm-2025", "credit-survey-2026"],
    status: Verified(Worked("MRT's blocks and regret; PAV's best-of-K provers; ProgRM's key steps")),
    laws: [ShiftInvariant, GroupLocal],
    exempt: [],
    sample_params: r#"{"values": "a"}"#,
}

#[cfg(test)]
mod tests {
    use super::{Preset, Progress, changes, regret};

    fn check(preset: Preset, start: Option<f64>, values: &[f64], expect: &[f64]) {
        let own = Progress { preset, start, alpha: Some(1.0), ..Progress::default() }.steps(values);
        assert!(
            own.iter().zip(expect).all(|(a, e)| (a - e).abs() < 1e-6),
            "{own:?} is not {expect:?}"
        );
        assert_eq!(own.len(), expect.len());
    }

    #[test]
    fn blocks_of_a_long_output() {
        check(Preset::Mrt, None, &[0.2, 0.5, 0.5, 0.9], &[0.3, 0.0, 0.4]);
        assert!((regret(&[0.2, 0.5, 0.5, 0.9], 1.0) - 1.9).abs() < 1e-12);
    }

    #[test]
    fn through_the_eyes_of_a_prover() {
        check(Preset::Pav, None, &[0.25, 0.5], &[0.253_906]);
        check(Preset::Pav, None, &[0.02, 0.04], &[0.073_022]);
        let sixteen = Progress { best_of: Some(16), ..Progress::default() };
        assert!((sixteen.steps(&[0.9, 0.95])[0]).abs() < 1e-6);
        assert!((sixteen.steps(&[0.25, 0.5])[0] - 0.010_007).abs() < 1e-6);
    }

    #[test]
    fn key_steps_reached_so_far() {
        check(Preset::Progrm, Some(0.0), &[0.2, 0.2, 0.4, 0.6], &[0.2, 0.0, 0.2, 0.2]);
    }

    #[test]
    fn only_the_decisive_step_has_credit() {
        check(Preset::Mrt, None, &[0.5, 0.5, 0.5, 1.0, 1.0, 1.0], &[0.0, 0.0, 0.5, 0.0, 0.0]);
    }

    #[test]
    fn undiscounted_progress_telescopes() {
        let total: f64 = changes(&[0.1, 0.7, 0.3, 0.6]).iter().sum();
        assert!((total - 0.5).abs() < 1e-12);
    }
}
