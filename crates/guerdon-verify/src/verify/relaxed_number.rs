//! Relaxed number: the completion's number within a share of the reference, or graded by its distance from it.
//!
//! # Formula
//!
//! ```text
//! relative:  1 if |a − b| ≤ tolerance · |b|, else 0
//! abs_rel:   1 − ½·min(|a − b|, 1) − ½·min(|a − b| / (|b| + ε), 1)          ε = 1e-9
//! ```
//!
//! `a` is the number of the completion (read as `verify.number` does), `b` the reference. With `relative`, a reference that
//! is no number is compared as a text without regard to case.
//!
//! # When to use it
//!
//! `relative` for values read off charts, `abs_rel` for computed reals where closeness should pay.
//!
//! # Departures
//!
//! ChartQA's grader parses the whole answer as one number and makes a percentage a share on either side; here the answer
//! may stand in a sentence, and the percent sign counts where only one side has it. Its reference 0 demands equality, as here.
//!
//! # Example
//!
//! ```yaml
//! use: verify.relaxed_number
//! tolerance: 0.05
//! ```
//!
//! ```
//! use guerdon_verify::verify::relaxed_number::graded;
//! assert!((graded(10.2, 10.0) - 0.89).abs() < 1e-9);
//! assert_eq!(graded(10.0, 10.0), 1.0);
//! ```
//!
//! # References
//!
//! Masry et al., "ChartQA", 2022 (relaxed accuracy); "Mixed-R1", 2025; Wu et al., "Reasoning or Memorization? Unreliable
//! Results of Reinforcement Learning Due to Data Contamination", 2025 (`abs_rel`).

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number::{Found, Number, find};

/// How closeness pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// All or nothing, by a share of the reference.
    #[default]
    Relative,
    /// Graded by the absolute and the relative distance.
    AbsRel,
}

/// Parameters of `verify.relaxed_number`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RelaxedNumber {
    /// How closeness pays. Default `relative`.
    pub kind: Kind,
    /// For `relative`: greatest difference, as a share of the reference; at least 0. Default 0.05.
    pub tolerance: f64,
}

impl Default for RelaxedNumber {
    fn default() -> Self {
        Self { kind: Kind::Relative, tolerance: 0.05 }
    }
}

impl Params for RelaxedNumber {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("tolerance", self.tolerance, 0.0, 1e9)
    }
}

/// The graded score of `a` for the truth `b`, 0 to 1.
pub fn graded(a: f64, b: f64) -> f64 {
    let distance = (a - b).abs();
    1.0 - 0.5 * distance.min(1.0) - 0.5 * (distance / (b.abs() + 1e-9)).min(1.0)
}

/// The two values, percent signs resolved where only one side has one.
fn scaled(own: Found, reference: Found) -> (f64, f64) {
    let differ = own.percent != reference.percent;
    let value = |n: Found| if n.percent && differ { n.value / 100.0 } else { n.value };
    (value(own), value(reference))
}

impl RelaxedNumber {
    fn against(&self, completion: &str, reference: &str) -> Result<f64, Unscored> {
        let right = match (find(reference).last(), self.kind) {
            (Some(right), _) => right,
            (None, Kind::Relative) if !reference.trim().is_empty() => {
                let same = completion.trim().to_lowercase() == reference.trim().to_lowercase();
                return Ok(f64::from(u8::from(same)));
            }
            _ => {
                return Err(Unscored::invalid(format!(
                    "the reference {reference:?} holds no number"
                )));
            }
        };
        let Some(own) = Number::default().answer(completion) else { return Ok(0.0) };
        let (a, b) = scaled(own, right);
        Ok(match self.kind {
            Kind::Relative => f64::from(u8::from((a - b).abs() <= self.tolerance * b.abs())),
            Kind::AbsRel => graded(a, b),
        })
    }
}

impl Signal for RelaxedNumber {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let references = rollout.references();
        let mut best: Option<f64> = None;
        for reference in &references {
            let value = self.against(rollout.text(), reference)?;
            best = Some(best.map_or(value, |b| b.max(value)));
        }
        Score::new(best.ok_or_else(|| {
            Unscored::missing("there is no reference to compare with: map `reference` in the spec")
        })?)
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    RelaxedNumber: Signal,
    id: "verify.relaxed_number",
    papers: ["mixed-r1-2025", "random-calculation-2025"],
    status: Verified(Worked("graded rewards for the truth 10: 10, 10.2, 15, 40")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [],
    samples: [
        r#"{"prompt": "Height of the bar?", "completion": "About 104.", "reference": "100"}"#,
        r#"{"prompt": "Which colour?", "completion": "dark blue", "reference": "Dark Blue"}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Kind, RelaxedNumber, graded};
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;

    fn check(completion: &str, reference: &str, expect: Option<f64>) {
        let score = RelaxedNumber::default().score(&Rollout::new("", completion, reference));
        assert_eq!(score.ok().map(|s| s.value()), expect, "{completion:?} against {reference:?}");
    }

    #[test]
    fn five_percent_of_the_reference() {
        check("104", "100", Some(1.0));
        check("106", "100", Some(0.0));
        check("0.5", "50%", Some(1.0));
        check("0", "0", Some(1.0));
        check("0.01", "0", Some(0.0));
        check("blue", "Blue", Some(1.0));
        check("red", "Blue", Some(0.0));
        check("42", "", None);
    }

    #[test]
    fn graded_by_distance() {
        for (a, expect) in [(10.0, 1.0), (10.2, 0.89), (15.0, 0.25), (40.0, 0.0)] {
            assert!((graded(a, 10.0) - expect).abs() < 1e-9, "{a}");
        }
        let params = RelaxedNumber { kind: Kind::AbsRel, ..RelaxedNumber::default() };
        assert!(params.score(&Rollout::new("", "ten", "ten")).is_err());
    }
}
