//! Mathematical answer: 1 if the answer in the completion equals the reference, 0 if not.
//!
//! The answer is found (a box, `<answer>`, "the answer is", the last formula or number), parsed from LaTeX or plain text,
//! and compared: exactly where that is possible, by modular and high-precision evaluation where it is not. Every step has a
//! budget: a tower of powers or ten thousand braces end in an unscored rollout, never in a wait.
//!
//! # Formula
//!
//! ```text
//! score = 1 if answer(completion) ≡ reference, else 0
//! ```
//!
//! `≡` is equality of numbers, expressions, sets, intervals, tuples, matrices, equations and so on; its rules are listed in
//! [`crate::math`]. A completion without an answer earns 0. A reference that cannot be read, or a spent budget, leaves
//! the rollout unscored.
//!
//! # When to use it
//!
//! For every task with a mathematical reference (GSM8K, MATH, AIME and their kin). For plain numbers `verify.number` is
//! stricter about what it reads; for lettered options use `verify.choice`.
//!
//! # Departures
//!
//! From Math-Verify: trailing letters are not dropped as units, huge exponents are compared exactly rather than as floats,
//! and the comparison is symmetric. `preset: math-verify` reproduces that library's choices; other presets reproduce the
//! graders of verl, MATH, Minerva, PRM800K and Qwen.
//!
//! # Example
//!
//! ```yaml
//! use: verify.math
//! relative_tolerance: 1e-4
//! ```
//!
//! ```
//! use guerdon_verify::math::{Options, Verdict, verify};
//! let options = Options::default();
//! assert_eq!(verify("\\frac{1}{2}", "So it is $\\boxed{0.5}$.", &options), Verdict::Equal);
//! assert_eq!(verify("(x+1)^2", "x^2 + 2x + 1", &options), Verdict::Equal);
//! ```
//!
//! # References
//!
//! Kydlíček, "Math-Verify: A Robust Mathematical Expression Evaluation System", 2025; Hendrycks et al., "Measuring
//! Mathematical Problem Solving With the MATH Dataset", 2021.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};

use crate::math::{Options, Verdict, verify};

impl Params for Options {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("relative_tolerance", self.relative_tolerance, 0.0, 1.0)?;
        ParamError::in_range("absolute_tolerance", self.absolute_tolerance, 0.0, f64::INFINITY)?;
        ParamError::in_range("float_rounding", f64::from(self.float_rounding), 0.0, 30.0)?;
        if self.extract.is_empty() {
            return Err(ParamError::new(
                "extract",
                "`extract` must name at least one place to look for the answer",
            ));
        }
        Ok(())
    }
}

/// The score of a verdict; `reference` is quoted where it is at fault.
fn score_of(verdict: Verdict) -> Outcome {
    match verdict {
        Verdict::Equal => Ok(Score::binary(true)),
        Verdict::Different => Ok(Score::binary(false)),
        Verdict::NoAnswer => Ok(Score::binary(false).because("no answer found")),
        Verdict::BadReference(why) => Err(Unscored::invalid(why)),
        Verdict::Budget(which) => {
            Err(Unscored::budget(format!("the answer needs more than `budget.{which}` allows")))
        }
    }
}

impl Signal for Options {
    /// Any of several references suffices; a right answer outweighs another reference's trouble.
    fn score(&self, rollout: &Rollout) -> Outcome {
        let mut first_other = None;
        for reference in rollout.references() {
            match score_of(verify(&reference, rollout.text(), self)) {
                Ok(score) if score.value() == 1.0 => return Ok(score),
                other => first_other = first_other.or(Some(other)),
            }
        }
        first_other.unwrap_or_else(|| {
            Err(Unscored::missing(
                "there is no reference to compare with: map `reference` in the spec",
            ))
        })
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Options: Signal,
    id: "verify.math",
    papers: [],
    status: Verified(Reference("Math-Verify 0.9.0: its own tests, lighteval's, recorded MATH completions")),
    laws: [WhitespaceInvariant],
    exempt: [],
    samples: [
        r#"{"prompt": "1/4 + 1/4?", "completion": "We get $\\boxed{\\frac{1}{2}}$.", "reference": "0.5"}"#,
        r#"{"prompt": "Solve x^2 = 2.", "completion": "The answer is $x = \\pm\\sqrt{2}$.", "reference": "\\sqrt{2}, -\\sqrt{2}"}"#,
        r#"{"prompt": "Expand.", "completion": "\\boxed{x^2 + 2x + 1}", "reference": "(x+1)^2"}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::Options;
    use guerdon_core::method::Signal as _;
    use guerdon_core::{Rollout, UnscoredKind};
    use serde_json::json;

    fn check(completion: &str, reference: &serde_json::Value, expect: Result<f64, UnscoredKind>) {
        let rollout = Rollout { reference: reference.clone(), ..Rollout::new("", completion, "") };
        let outcome = Options::default().score(&rollout).map(|s| s.value()).map_err(|e| e.kind);
        assert_eq!(outcome, expect, "{completion:?} against {reference}");
    }

    #[test]
    fn references_of_every_shape() {
        check("\\boxed{18}", &json!("9 · 2 = 18\n#### 18"), Ok(1.0));
        check("\\boxed{18}", &json!(18), Ok(1.0));
        check("\\boxed{18}", &json!(["17", "18"]), Ok(1.0));
        check("\\boxed{19}", &json!(["17", "18"]), Ok(0.0));
        check("\\boxed{18}", &json!(null), Err(UnscoredKind::Missing));
        check("\\boxed{18}", &json!(""), Err(UnscoredKind::Invalid));
    }

    #[test]
    fn a_completion_without_an_answer_is_wrong() {
        check("", &json!("18"), Ok(0.0));
        check("I do not know.", &json!("18"), Ok(0.0));
    }

    #[test]
    fn a_spent_budget_is_unscored() {
        let deep = format!("\\boxed{{{}1{}}}", "(".repeat(5000), ")".repeat(5000));
        check(&deep, &json!("18"), Err(UnscoredKind::Budget));
    }
}
