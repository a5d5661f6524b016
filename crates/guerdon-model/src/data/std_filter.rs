//! Keeps the prompts whose rollouts disagree enough: those whose rewards have a standard deviation of at least a threshold.
//!
//! A group whose rollouts all earn the same teaches a group-relative learner nothing.
//!
//! # Formula
//!
//! ```text
//! keep g  if  σ_g > threshold  (σ_g ≥ β with `threshold: ema`)   and   low < μ_g < high
//! β ← decay · β + (1 − decay) · mean(σ)
//! ```
//!
//! `μ_g` and `σ_g` are mean and population standard deviation of the scored rewards of group `g`. β is updated with this
//! batch's deviations before it is applied; the first batch sets it to their mean.
//!
//! # When to use it
//!
//! Before a group-relative advantage. With 0/1 rewards the default drops prompts that are always or never solved.
//!
//! # Departures
//!
//! The paper's decay is not public; ours is 0.9. The average is handed in and out, so that a run can be resumed.
//!
//! # Example
//!
//! ```yaml
//! use: data.std_filter
//! threshold: ema
//! decay: 0.9
//! ```
//!
//! ```
//! use guerdon_model::data::std_filter::StdFilter;
//! let groups = [vec![Some(1.0), Some(0.0)], vec![Some(1.0), Some(1.0)]];
//! assert_eq!(StdFilter::default().filter(&groups, None).kept, [0]);
//! ```
//!
//! # References
//!
//! Yu et al., "RLPR: Extrapolating RLVR to General Domains without Verifiers", 2025, section 3. Yu et al., "DAPO: An
//! Open-Source LLM Reinforcement Learning System at Scale", 2025 (dynamic sampling).

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::moments;

/// What a group's standard deviation is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// The parameter `min_std`.
    #[default]
    Fixed,
    /// The moving average of the batches' mean deviations.
    Ema,
}

/// Parameters of `data.std_filter`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StdFilter {
    /// What a group's standard deviation is compared with. Default `fixed`.
    pub threshold: Threshold,
    /// With `threshold: fixed`, the deviation that a group must exceed, in units of reward. At least 0; default 0.
    pub min_std: f64,
    /// With `threshold: ema`, the weight of the past, 0 to 1; default 0.9.
    pub decay: f64,
    /// The mean reward that a group must exceed. Default: none.
    pub low: Option<f64>,
    /// The mean reward that a group must stay below. Default: none.
    pub high: Option<f64>,
}

impl Default for StdFilter {
    fn default() -> Self {
        Self { threshold: Threshold::Fixed, min_std: 0.0, decay: 0.9, low: None, high: None }
    }
}

impl Params for StdFilter {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("min_std", self.min_std, 0.0, f64::MAX)?;
        ParamError::in_range("decay", self.decay, 0.0, 1.0)
    }
}

/// Input of `data.std_filter`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The rewards of each group; null where a rollout is unscored.
    pub groups: Vec<Vec<Option<f64>>>,
    /// The moving average after the last batch; absent before the first.
    #[serde(default)]
    pub average: Option<f64>,
}

/// Output of `data.std_filter`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Indices of the groups kept, ascending.
    pub kept: Vec<usize>,
    /// The standard deviation of each group; null where nothing is scored.
    pub stds: Vec<Option<f64>>,
    /// The moving average after this batch; null before any scored group.
    pub average: Option<f64>,
}

impl StdFilter {
    /// Filters one batch. `average` is the moving average after the last one.
    pub fn filter(&self, groups: &[Vec<Option<f64>>], average: Option<f64>) -> Output {
        let moments: Vec<Option<(f64, f64)>> =
            groups.iter().map(|group| scored_moments(group)).collect();
        let scored: Vec<f64> = moments.iter().flatten().map(|(_, std)| *std).collect();
        let batch = (!scored.is_empty())
            .then(|| scored.iter().map(|std| std / scored.len() as f64).sum::<f64>());
        let average = match (average, batch) {
            (Some(past), Some(now)) => Some(self.decay * past + (1.0 - self.decay) * now),
            (past, now) => past.or(now),
        };
        let passes = |(mean, std): (f64, f64)| {
            let spread = match self.threshold {
                Threshold::Fixed => std > self.min_std,
                Threshold::Ema => average.is_none_or(|average| std >= average),
            };
            spread
                && self.low.is_none_or(|low| mean > low)
                && self.high.is_none_or(|high| mean < high)
        };
        let kept = (0..groups.len()).filter(|&g| moments[g].is_some_and(passes)).collect();
        Output { kept, stds: moments.into_iter().map(|m| m.map(|(_, std)| std)).collect(), average }
    }
}

/// Mean and population standard deviation of the scored rewards.
fn scored_moments(group: &[Option<f64>]) -> Option<(f64, f64)> {
    moments(&group.iter().flatten().copied().collect::<Vec<_>>())
}

impl Function for StdFilter {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        Ok(self.filter(&input.groups, input.average))
    }
}

guerdon_core::method! {
    StdFilter: Function,
    id: "data.std_filter",
    papers: ["rlpr-2025", "magicgui-2025", "leanabell-2025"],
    status: Verified(ClosedForm("0 < p < 1 on binary groups; the recurrence of the moving average")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"groups": [[1, 0, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0], [0.5, null, 0.25, 0.75]]}"#,
        r#"{"groups": [[0.9, 0.1], [0.5, 0.4], []], "average": 0.2}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{StdFilter, Threshold};

    fn check(
        params: &StdFilter,
        groups: &[&[f64]],
        average: Option<f64>,
        kept: &[usize],
        after: f64,
    ) {
        let groups: Vec<Vec<Option<f64>>> =
            groups.iter().map(|g| g.iter().copied().map(Some).collect()).collect();
        let own = params.filter(&groups, average);
        assert_eq!(own.kept, kept);
        assert!((own.average.unwrap() - after).abs() < 1e-12, "{:?}", own.average);
    }

    #[test]
    fn always_and_never_solved_prompts_go() {
        check(
            &StdFilter::default(),
            &[&[1.0, 0.0], &[1.0, 1.0], &[0.0, 0.0]],
            None,
            &[0],
            0.5 / 3.0,
        );
    }

    #[test]
    fn the_threshold_follows_the_batches() {
        let params = StdFilter { threshold: Threshold::Ema, decay: 0.5, ..StdFilter::default() };
        check(&params, &[&[1.0, 0.0], &[0.5, 0.4]], None, &[0], 0.275);
        check(&params, &[&[0.5, 0.1], &[0.5, 0.4]], Some(0.275), &[0], 0.2);
    }

    #[test]
    fn a_band_of_success_rates() {
        let params = StdFilter { low: Some(0.25), high: Some(0.75), ..StdFilter::default() };
        check(
            &params,
            &[&[1.0, 0.0], &[1.0, 1.0, 1.0, 0.0], &[1.0, 0.0, 0.0, 0.0]],
            None,
            &[0],
            (0.5 + 2.0 * 0.1875_f64.sqrt()) / 3.0,
        );
    }
}
