//! Steering: minus the distance between where a text came to stand and where it was asked to stand.
//!
//! # Formula
//!
//! ```text
//! score = −‖ẑ − z*‖₂
//! ```
//!
//! `z*` are the requested attributes, `ẑ` those measured on the output, each a list of coordinates in [0, 1] (reading
//! difficulty, formality, diversity, length, as the data measures them).
//!
//! # When to use it
//!
//! To reward and select rewrites by how close they come to the request, side effects included. How much of the error lies
//! along the request and how much beside it is for an audit to say.
//!
//! # Departures
//!
//! None. Coordinates outside [0, 1] are taken as they are.
//!
//! # Example
//!
//! ```yaml
//! use: verify.steering
//! goal: requested
//! output: measured
//! ```
//!
//! ```
//! use guerdon_verify::verify::steering::error;
//! assert!((error(&[0.9, 0.5, 0.2], &[0.7, 0.5, 0.5]) - 0.360_555).abs() < 1e-6);
//! ```
//!
//! # References
//!
//! Chang et al., "A Course Correction in Steerability Evaluation: Revealing Miscalibration and Side Effects in LLMs", 2025.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{MethodError, Outcome, ParamError, Rollout, Score};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::records;

/// Parameters of `verify.steering`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Steering {
    /// Column with the requested coordinates. Default `goal`.
    pub goal: String,
    /// Column with the coordinates of the output. Default `output`.
    pub output: String,
}

impl Default for Steering {
    fn default() -> Self {
        Self { goal: "goal".into(), output: "output".into() }
    }
}

impl Params for Steering {
    fn validate(&self) -> Result<(), ParamError> {
        records::named("goal", &self.goal)?;
        records::named("output", &self.output)
    }
}

/// The Euclidean distance of two points of the same dimension.
pub fn error(output: &[f64], goal: &[f64]) -> f64 {
    output.iter().zip(goal).fold(0.0, |sum: f64, (o, g)| sum.hypot(o - g))
}

impl Signal for Steering {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let goal = records::numbers_at(rollout, &self.goal)?;
        let output = records::numbers_at(rollout, &self.output)?;
        MethodError::same_length((&self.goal, goal.len()), (&self.output, output.len()))?;
        Score::new(-error(&output, &goal))
    }

    fn reads_completion(&self) -> bool {
        false
    }
}

guerdon_core::method! {
    Steering: Signal,
    id: "verify.steering",
    papers: ["steerability-2025"],
    status: Verified(Worked("steering error of (0.9, 0.5, 0.2) for the goal (0.7, 0.5, 0.5)")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [
        DegenerateEarnsNothing: "The coordinates come from the data, not from the completion's text.",
        InjectionGainsNothing: "The coordinates come from the data, not from the completion's text.",
    ],
    samples: [r#"{"completion": "A text.", "goal": [0.5, 0.25], "output": [0.5, 0.25]}"#],
}

#[cfg(test)]
mod tests {
    use super::{Steering, error};
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;
    use serde_json::json;

    #[test]
    fn the_distance() {
        assert!((error(&[0.9, 0.5, 0.2], &[0.7, 0.5, 0.5]) - 0.360_555).abs() < 1e-6);
        assert_eq!(error(&[1.0], &[1.0]), 0.0);
    }

    #[test]
    fn different_dimensions_are_unscored() {
        let mut rollout = Rollout::default();
        rollout.columns.insert("goal".into(), json!([0.5]));
        rollout.columns.insert("output".into(), json!([0.5, 0.5]));
        assert!(Steering::default().score(&rollout).is_err());
    }
}
