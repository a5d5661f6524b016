//! Training texts that correct an error: a wrong start, a reflection, a right end, with a mask that says what is learned.
//!
//! # Formula
//!
//! ```text
//! wrong = w_1 … w_n, first error at step e (from 0);   right = r_1 … r_m;   both share r_1 … r_d
//! fix       w_0 … w_e   [reflection]  right from step e on
//! restart   w_0 … w_e   [reflection]  right from the start
//! splice    w_0 … w_e   [reflection]  right from the first step that differs
//! whole     [wrong]     correction = reflection and right
//! ```
//!
//! The wrong part carries no loss (with `loss_on_error` it does), the reflection and the right part do. A case is dropped if
//! `e` is not a step of `wrong`, if its answer is known not to match the reference, if `right` is empty or ends as `wrong`
//! does, in `whole` if nothing explains the error, or, in `splice`, unless the values satisfy `right_value > alpha` and `right_value − wrong_value > beta`.
//!
//! # When to use it
//!
//! `whole` (`LeMa`) to learn from explained mistakes, `fix` and `restart` (LEMMA) for correction within one generation, `splice`
//! (Agent-R) for agent trajectories. Loss on planted errors raises the error rate.
//!
//! # Departures
//!
//! Finding the first error and writing the reflection are a judge's work. Sequential rejection sampling is `keeps_trace`.
//!
//! # Example
//!
//! ```yaml
//! use: data.correction
//! mode: splice
//! alpha: 0.5
//! beta: 0.2
//! ```
//!
//! ```
//! use guerdon_model::data::correction::{Case, Correction, Mode};
//! let steps = |own: &[&str]| own.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
//! let case = Case { wrong: steps(&["s1", "x"]), right: steps(&["s1", "s2", "s3"]), error: 1, reflection: "hm".into(), ..Case::default() };
//! let text = Correction { mode: Mode::Fix, ..Correction::default() }.text(&case).unwrap();
//! assert_eq!(text.iter().map(|part| part.text.as_str()).collect::<Vec<_>>(), ["s1", "x", "hm", "s2", "s3"]);
//! ```
//!
//! # References
//!
//! An et al., "Learning From Mistakes Makes LLM Better Reasoner", 2023. Pan et al., "LEMMA: Learning from Errors for
//! `MatheMatical` Advancement in LLMs", 2025. Yuan et al., "Agent-R: Training Language Model Agents to Reflect via Iterative
//! Self-Training", 2025. Xiong et al., "Self-rewarding correction for mathematical reasoning", 2025.

use crate::portion;
use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the wrong start and the right end are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The right solution goes on from the step that was wrong.
    #[default]
    Fix,
    /// The right solution begins afresh.
    Restart,
    /// The right path goes on from the first step that differs.
    Splice,
    /// The whole wrong solution, then its correction.
    Whole,
}

/// Parameters of `data.correction`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Correction {
    /// How the two parts are joined. Default `fix`.
    pub mode: Mode,
    /// Whether the wrong part carries loss. Default false.
    pub loss_on_error: bool,
    /// With `mode: splice`, the value that the right end must exceed. Default 0.
    pub alpha: f64,
    /// With `mode: splice`, the difference of values that must be exceeded. At least 0; default 0.
    pub beta: f64,
    /// With shares of error kinds given, the number of cases to take, in those shares. Default: all.
    pub total: Option<usize>,
}

impl Default for Correction {
    fn default() -> Self {
        Self { mode: Mode::Fix, loss_on_error: false, alpha: 0.0, beta: 0.0, total: None }
    }
}

impl Params for Correction {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("alpha", self.alpha, f64::MIN, f64::MAX)?;
        ParamError::in_range("beta", self.beta, 0.0, f64::MAX)
    }
}

/// A wrong and a right solution of one question.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Case {
    /// The steps of the wrong solution.
    pub wrong: Vec<String>,
    /// The steps of the right solution.
    pub right: Vec<String>,
    /// The first wrong step, from 0.
    pub error: usize,
    /// What is said at the turning point; may be empty.
    pub reflection: String,
    /// Whether the right solution's answer equals the reference; null where it was not checked.
    pub matches: Option<bool>,
    /// The value of the right solution's end.
    pub right_value: Option<f64>,
    /// The value of the wrong solution's end.
    pub wrong_value: Option<f64>,
    /// The kind of error, as a number from 0.
    pub kind: usize,
}

/// Input of `data.correction`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The cases.
    pub cases: Vec<Case>,
    /// The shares in which error kinds are wanted, kind 0 first; empty: all cases are taken.
    #[serde(default)]
    pub kinds: Vec<f64>,
}

/// A part of a training text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// The text.
    pub text: String,
    /// Whether it is learned.
    pub loss: bool,
}

/// A training text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Text {
    /// Index of its case.
    pub case: usize,
    /// Its parts, in order.
    pub parts: Vec<Part>,
}

/// Output of `data.correction`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The training texts.
    pub texts: Vec<Text>,
    /// Indices of the cases that are not usable.
    pub dropped: Vec<usize>,
}

/// Whether a trace of answer, verdict and revision may be learned: no verdict may be false, and a revision that follows a
/// true "wrong" must be right. `revised_right` is null where there is no revision.
pub fn keeps_trace(answer_right: bool, says_right: bool, revised_right: Option<bool>) -> bool {
    answer_right == says_right
        && if says_right { revised_right.is_none() } else { revised_right == Some(true) }
}

impl Correction {
    /// The training text of a case; `None` where the case is not usable.
    pub fn text(&self, case: &Case) -> Option<Vec<Part>> {
        let repeats = case.right.last().map(|s| s.trim()) == case.wrong.last().map(|s| s.trim());
        let usable = case.error < case.wrong.len()
            && !case.right.is_empty()
            && !repeats
            && case.matches != Some(false);
        let passes = match self.mode {
            Mode::Splice => self.values_pass(case),
            Mode::Whole => !case.reflection.trim().is_empty(),
            Mode::Fix | Mode::Restart => true,
        };
        if !usable || !passes {
            return None;
        }
        let shared = case.wrong.iter().zip(&case.right).take_while(|(w, r)| w == r).count();
        let (wrong, from) = match self.mode {
            Mode::Fix => (case.error + 1, case.error),
            Mode::Restart => (case.error + 1, 0),
            Mode::Splice => (case.error + 1, shared),
            Mode::Whole => (case.wrong.len(), 0),
        };
        let right = case.right.get(from..).filter(|rest| !rest.is_empty())?;
        let part = |loss: bool| move |text: &String| Part { text: text.clone(), loss };
        let reflection = std::iter::once(&case.reflection).filter(|text| !text.is_empty());
        let start = case.wrong[..wrong].iter().map(part(self.loss_on_error));
        Some(start.chain(reflection.chain(right).map(part(true))).collect())
    }

    fn values_pass(&self, case: &Case) -> bool {
        let values = case.right_value.zip(case.wrong_value);
        values.is_some_and(|(right, wrong)| right > self.alpha && right - wrong > self.beta)
    }

    /// The usable cases to take, so that their kinds stand in the wanted shares (as far as there are enough).
    fn take(&self, usable: Vec<Text>, cases: &[Case], kinds: &[f64]) -> Vec<Text> {
        if kinds.is_empty() {
            return usable;
        }
        let total = self.total.unwrap_or(usable.len()).min(usable.len());
        let mut room = portion::largest_remainder(kinds, total);
        let has_room = |text: &Text| {
            let left = room.get_mut(cases[text.case].kind)?;
            *left = left.checked_sub(1)?;
            Some(())
        };
        let mut has_room = has_room;
        usable.into_iter().filter(|text| has_room(text).is_some()).collect()
    }
}

impl Function for Correction {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let (mut usable, mut dropped) = (Vec::new(), Vec::new());
        for (case, own) in input.cases.iter().enumerate() {
            match self.text(own) {
                Some(parts) => usable.push(Text { case, parts }),
                None => dropped.push(case),
            }
        }
        Ok(Output { texts: self.take(usable, &input.cases, &input.kinds), dropped })
    }
}

guerdon_core::method! {
    Correction: Function,
    id: "data.correction",
    papers: ["lema-2023", "lemma-2025", "agent-r-2025", "self-rewarding-correction-2025"],
    status: Verified(Worked("LEMMA's fix and restart, Agent-R's splice, LeMa's checks, no trace with a false verdict")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"cases": [{"wrong": ["s1", "x"], "right": ["s1", "s2", "s3"], "error": 1, "reflection": "wait"},
            {"wrong": ["y"], "right": ["s1"], "error": 3},
            {"wrong": ["y", "z"], "right": ["s1", "s4"], "error": 0, "matches": true, "kind": 1}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Case, Correction, Input, Mode, keeps_trace};
    use guerdon_core::method::Function as _;

    fn case(wrong: &str, right: &str, error: usize) -> Case {
        let steps = |own: &str| own.split(' ').map(str::to_owned).collect();
        Case {
            wrong: steps(wrong),
            right: steps(right),
            error,
            reflection: "[reflect]".into(),
            ..Case::default()
        }
    }

    /// The text; what carries no loss stands in brackets at the front.
    fn check(mode: Mode, case: &Case, expect: Option<(&str, &str)>) {
        let params = Correction { mode, beta: 0.25, ..Correction::default() };
        let own = params.text(case).map(|parts| {
            let join = |loss| {
                parts
                    .iter()
                    .filter(|p| p.loss == loss)
                    .map(|p| p.text.clone())
                    .collect::<Vec<_>>()
                    .join(" ")
            };
            (join(false), join(true))
        });
        assert_eq!(own.as_ref().map(|(a, b)| (a.as_str(), b.as_str())), expect);
    }

    #[test]
    fn fix_and_restart() {
        let own = case("s1 x", "s1 s2 s3", 1);
        check(Mode::Fix, &own, Some(("s1 x", "[reflect] s2 s3")));
        check(Mode::Restart, &own, Some(("s1 x", "[reflect] s1 s2 s3")));
        check(Mode::Whole, &case("s1 x y", "s1 s2", 1), Some(("s1 x y", "[reflect] s1 s2")));
    }

    #[test]
    fn splice_at_the_first_bad_action() {
        let mut own = case("b1 b2 b3", "b1 g2 g3", 1);
        (own.right_value, own.wrong_value) = (Some(1.0), Some(0.5));
        check(Mode::Splice, &own, Some(("b1 b2", "[reflect] g2 g3")));
        own.wrong_value = Some(0.75);
        check(Mode::Splice, &own, None);
        own.wrong_value = None;
        check(Mode::Splice, &own, None);
    }

    #[test]
    fn unusable_cases() {
        check(Mode::Fix, &case("s1 x", "s1 s2", 2), None);
        check(Mode::Fix, &case("s1 x", "s2 x", 1), None);
        check(Mode::Whole, &Case { matches: Some(false), ..case("s1 x", "s1 s2", 1) }, None);
        check(Mode::Fix, &case("s1 s2 x", "s1 y", 2), None);
    }

    #[test]
    fn an_explained_mistake_has_step_reason_and_solution() {
        check(Mode::Whole, &Case { reflection: " ".into(), ..case("s1 x", "s1 s2", 1) }, None);
        check(Mode::Whole, &case("s1 x", "s1 s2", 1), Some(("s1 x", "[reflect] s1 s2")));
    }

    #[test]
    fn a_kept_trace_never_holds_a_false_verdict() {
        assert!(keeps_trace(true, true, None) && keeps_trace(false, false, Some(true)));
        assert!(!keeps_trace(true, false, Some(true)) && !keeps_trace(false, true, None));
        assert!(!keeps_trace(false, false, Some(false)) && !keeps_trace(false, false, None));
    }

    #[test]
    fn kinds_in_their_observed_shares() {
        let cases = (0..6).map(|i| Case { kind: i % 2, ..case("x", "s", 0) }).collect();
        let params = Correction { total: Some(4), ..Correction::default() };
        let own = params.call(&Input { cases, kinds: vec![0.75, 0.25] }, 0).unwrap();
        let taken: Vec<_> = own.texts.iter().map(|t| t.case).collect();
        assert_eq!(taken, [0, 1, 2, 4]);
    }
}
