//! Rank-surprisal ratio: how well a teacher's trajectory fits a student, as its tokens' ranks over their surprisals.
//!
//! Low is good: tokens that are unlikely in absolute terms and yet high in the student's order.
//!
//! # Formula
//!
//! ```text
//! RSR(sample) = Σ_t min(rank_t, r_max) / max(Σ_t surprisal_t, 1e-12)
//! RSR(set)    = mean over samples of the mean rank / mean over samples of the mean surprisal
//! ```
//!
//! `rank_t` is 1 + the number of tokens that the student finds likelier than the one in the trajectory, `surprisal_t` its
//! negative natural-log probability in nats.
//!
//! # When to use it
//!
//! To choose teachers or trajectories for imitation, with a forward pass of the student. It needs ranks beside
//! log-probabilities, which few APIs give.
//!
//! # Departures
//!
//! None.
//!
//! # Example
//!
//! ```yaml
//! use: data.rank_surprisal
//! r_max: 100
//! keep: 0.5
//! ```
//!
//! ```
//! use guerdon_model::data::rank_surprisal::ratio;
//! let own = ratio(&[0.1, 2.3, 0.7, 4.6], &[1.0, 3.0, 2.0, 150.0], 100.0);
//! assert!((own - 13.76623).abs() < 1e-5);
//! ```
//!
//! # References
//!
//! "Which Reasoning Trajectories Teach Students to Reason Better? A Simple Metric of Informative Alignment", 2026.

use crate::portion;
use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of `data.rank_surprisal`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RankSurprisal {
    /// Ranks beyond this count as this. At least 1; default 100.
    pub r_max: f64,
    /// Share of the samples to keep, lowest ratio first. Greater than 0, at most 1; default 0.5.
    pub keep: f64,
}

impl Default for RankSurprisal {
    fn default() -> Self {
        Self { r_max: 100.0, keep: 0.5 }
    }
}

impl Params for RankSurprisal {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("r_max", self.r_max, 1.0, f64::MAX)?;
        ParamError::positive("keep", self.keep)?;
        ParamError::in_range("keep", self.keep, 0.0, 1.0)
    }
}

/// A teacher's trajectory as the student sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Negative natural-log probability of each token under the student, in nats. At least 0.
    pub surprisals: Vec<f64>,
    /// Rank of each token in the student's order, from 1.
    pub ranks: Vec<f64>,
}

/// Input of `data.rank_surprisal`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The trajectories, each with at least one token.
    pub samples: Vec<Sample>,
}

/// Output of `data.rank_surprisal`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The ratio of each sample.
    pub ratios: Vec<f64>,
    /// The ratio of the whole set; null for an empty set.
    pub set: Option<f64>,
    /// Indices of the samples kept, lowest ratio first.
    pub kept: Vec<usize>,
}

/// The floor of a sum of surprisals.
const FLOOR: f64 = 1e-12;

/// The ratio of one trajectory. `surprisals` (nats) and `ranks` (from 1) have one value per token.
pub fn ratio(surprisals: &[f64], ranks: &[f64], r_max: f64) -> f64 {
    ranks.iter().map(|rank| rank.min(r_max)).sum::<f64>()
        / surprisals.iter().sum::<f64>().max(FLOOR)
}

fn checked(samples: &[Sample]) -> Result<(), MethodError> {
    for sample in samples {
        MethodError::same_length(
            ("surprisals", sample.surprisals.len()),
            ("ranks", sample.ranks.len()),
        )?;
        if sample.ranks.is_empty() {
            return Err(MethodError::domain("a trajectory has no tokens: leave it out"));
        }
        if let Some(bad) = sample.ranks.iter().find(|rank| **rank < 1.0) {
            return Err(MethodError::domain(format!("a rank must be at least 1, not {bad}")));
        }
        if let Some(bad) = sample.surprisals.iter().find(|s| **s < 0.0 || **s > 1e9) {
            return Err(MethodError::domain(format!(
                "a surprisal must be between 0 and 1e9 nats, not {bad}"
            )));
        }
    }
    Ok(())
}

impl Function for RankSurprisal {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        checked(&input.samples)?;
        let (mut ranks, mut surprisals) = (0.0, 0.0);
        for sample in &input.samples {
            let tokens = sample.ranks.len() as f64;
            ranks += sample.ranks.iter().map(|rank| rank.min(self.r_max)).sum::<f64>() / tokens;
            surprisals += sample.surprisals.iter().sum::<f64>() / tokens;
        }
        let ratios: Vec<f64> = input
            .samples
            .iter()
            .map(|s| ratio(&s.surprisals, &s.ranks, self.r_max))
            .filter(|r| r.is_finite())
            .collect();
        MethodError::same_length(
            ("finite ratios", ratios.len()),
            ("samples", input.samples.len()),
        )?;
        let mut kept = portion::ascending(&ratios);
        kept.truncate(portion::count(self.keep, ratios.len()));
        Ok(Output {
            set: (!ratios.is_empty()).then(|| ranks / surprisals.max(FLOOR)),
            ratios,
            kept,
        })
    }
}

guerdon_core::method! {
    RankSurprisal: Function,
    id: "data.rank_surprisal",
    papers: ["rsr-2026"],
    status: Verified(Worked("four tokens with ranks 1, 3, 2, 150 and with rank 4")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"samples": [{"surprisals": [0.1, 2.3, 0.7, 4.6], "ranks": [1, 3, 2, 150]},
            {"surprisals": [0.1, 2.3, 0.7, 1.5], "ranks": [1, 3, 2, 4]}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Input, RankSurprisal, Sample, ratio};
    use guerdon_core::method::Function as _;

    #[test]
    fn far_ranks_are_cut() {
        assert!(
            (ratio(&[0.1, 2.3, 0.7, 4.6], &[1.0, 3.0, 2.0, 150.0], 100.0) - 13.76623).abs() < 1e-5
        );
        assert!(
            (ratio(&[0.1, 2.3, 0.7, 1.5], &[1.0, 3.0, 2.0, 4.0], 100.0) - 2.173_91).abs() < 1e-5
        );
    }

    #[test]
    fn one_sample_reduces_the_set_to_the_sample() {
        let sample = Sample { surprisals: vec![0.5, 1.5], ranks: vec![1.0, 5.0] };
        let own = RankSurprisal::default().call(&Input { samples: vec![sample] }, 0).unwrap();
        assert_eq!((own.set, own.kept), (Some(own.ratios[0]), vec![0]));
    }

    #[test]
    fn a_sure_student_does_not_divide_by_zero() {
        assert!(ratio(&[0.0], &[1.0], 100.0).is_finite());
    }
}
