//! Plants one small, checked error in a right solution: a near-miss to prefer against, or to learn to find.
//!
//! # Formula
//!
//! ```text
//! a step holds an equation  t₁ op t₂ op … = c  over numbers;  an edit changes it once:
//! value      c or one of the t becomes another number near it
//! operator   one op becomes another
//! term       one t and its op are deleted
//! swap       two neighbouring t change places
//! chain      c changes, and so does every later number of the solution that equals it
//! ```
//!
//! An edit is valid only if the equation held before and does not hold after, and if no text announces it. With
//! `per_solution: n`, n valid edits are drawn from all that are possible, without repetition.
//!
//! # When to use it
//!
//! To make pairs that isolate the error from style: same prefix, one wrong step. Also to test verifiers and step judges.
//!
//! # Departures
//!
//! The paper asks the model itself to edit and also misreads words; here edits follow rules on arithmetic, so that each can be
//! checked. Swapping factors is no error, and the check refuses it.
//!
//! # Example
//!
//! ```yaml
//! use: data.error_injection
//! kinds: [value, operator]
//! per_solution: 1
//! ```
//!
//! ```
//! use guerdon_model::data::error_injection::equation::holds;
//! assert_eq!(holds("12 * 4 = 48"), Some(true));
//! assert_eq!(holds("12 + 4 = 48"), Some(false));
//! assert_eq!(holds("4 * 12 = 48"), Some(true));
//! ```
//!
//! # References
//!
//! Xu et al., "Subtle Errors Matter: Preference Learning via Error-injected Self-editing", 2024 (RISE), section 3. Pan et al.,
//! "LEMMA: Learning from Errors for `MatheMatical` Advancement in LLMs", 2025.

mod edits;
pub mod equation;

use guerdon_core::method::{Function, Params};
use guerdon_core::seed;
use guerdon_core::{MethodError, ParamError};
use rand::seq::SliceRandom as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The sort of edit.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A number becomes another.
    Value,
    /// An operator becomes another.
    Operator,
    /// A term goes.
    Term,
    /// Two terms change places.
    Swap,
    /// A result becomes another, and with it every later mention.
    Chain,
}

/// Parameters of `data.error_injection`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorInjection {
    /// The sorts of edit that may be drawn; at least one. Default: all.
    pub kinds: Vec<Kind>,
    /// Number of edits drawn for each solution. 1 to 1000; default 1.
    pub per_solution: usize,
}

impl Default for ErrorInjection {
    fn default() -> Self {
        Self {
            kinds: vec![Kind::Value, Kind::Operator, Kind::Term, Kind::Swap, Kind::Chain],
            per_solution: 1,
        }
    }
}

impl Params for ErrorInjection {
    fn validate(&self) -> Result<(), ParamError> {
        if self.kinds.is_empty() {
            return Err(ParamError::new("kinds", "`kinds` must name at least one sort of edit"));
        }
        if !(1..=1000).contains(&self.per_solution) {
            let message =
                format!("`per_solution` must be between 1 and 1000, not {}", self.per_solution);
            return Err(ParamError::new("per_solution", message));
        }
        Ok(())
    }
}

/// Input of `data.error_injection`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The steps of each right solution.
    pub solutions: Vec<Vec<String>>,
}

/// A planted error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Edit {
    /// Index of the solution.
    pub solution: usize,
    /// Index of the step that is now wrong: the steps before it are the shared prefix.
    pub step: usize,
    /// The sort of edit.
    pub kind: Kind,
    /// All steps, with the error.
    pub steps: Vec<String>,
}

/// Output of `data.error_injection`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The planted errors.
    pub edits: Vec<Edit>,
    /// Indices of the solutions in which no valid edit is possible.
    pub barren: Vec<usize>,
}

/// An edit that is not yet written out: only what changes.
struct Draft {
    step: usize,
    kind: Kind,
    /// The step's new text.
    text: String,
    /// A number of later steps with what it becomes.
    chain: Option<(String, String)>,
}

impl Draft {
    fn edit(self, solution: usize, steps: &[String]) -> Edit {
        let mut own = steps.to_vec();
        own[self.step] = self.text;
        if let Some((old, new)) = self.chain {
            for step in &mut own[self.step + 1..] {
                *step = edits::renamed(step, &old, &new);
            }
        }
        Edit { solution, step: self.step, kind: self.kind, steps: own }
    }
}

/// The longest solution that is read.
const MAX_STEPS: usize = 1000;
const MAX_BYTES: usize = 200_000;

fn within_budget(solution: usize, steps: &[String]) -> Result<(), MethodError> {
    let bytes: usize = steps.iter().map(String::len).sum();
    if steps.len() <= MAX_STEPS && bytes <= MAX_BYTES {
        return Ok(());
    }
    let size = format!("solution {solution} has {} steps and {bytes} bytes", steps.len());
    Err(MethodError::Budget(format!("{size}; at most {MAX_STEPS} and {MAX_BYTES} are read")))
}

impl ErrorInjection {
    /// All valid edits of one solution, in a fixed order.
    pub fn edits(&self, solution: usize, steps: &[String]) -> Vec<Edit> {
        self.drafts(steps).into_iter().map(|draft| draft.edit(solution, steps)).collect()
    }

    /// The valid edits, not yet written out.
    fn drafts(&self, steps: &[String]) -> Vec<Draft> {
        let mut all = Vec::new();
        for (step, text) in steps.iter().enumerate() {
            let own = edits::of_step(text, &self.kinds).into_iter();
            all.extend(own.map(|(kind, text)| Draft { step, kind, text, chain: None }));
            if self.kinds.contains(&Kind::Chain) {
                all.extend(edits::chains(steps, step));
            }
        }
        all
    }
}

impl Function for ErrorInjection {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, seed: u64) -> Result<Output, MethodError> {
        let mut output = Output { edits: Vec::new(), barren: Vec::new() };
        for (solution, steps) in input.solutions.iter().enumerate() {
            within_budget(solution, steps)?;
            let mut drafts = self.drafts(steps);
            if drafts.is_empty() {
                output.barren.push(solution);
            }
            drafts.shuffle(&mut seed::stream(seed, &solution.to_string()));
            drafts.truncate(self.per_solution);
            output.edits.extend(drafts.into_iter().map(|draft| draft.edit(solution, steps)));
        }
        Ok(output)
    }
}

guerdon_core::method! {
    ErrorInjection: Function,
    id: "data.error_injection",
    papers: ["rise-2024", "lemma-2025", "self-correction-bench-2025"],
    status: Verified(Worked("RISE: 12 * 4 = 48 to 46 and to 12 + 4; a swap of factors is refused")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"solutions": [["There are 12 * 4 = 48 eggs.", "So 48 - 8 = 40 are left."], ["No number here."], ["7 - 2 - 1 = 4"]]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{ErrorInjection, Input, Kind};
    use guerdon_core::method::Function as _;

    fn all(kinds: &[Kind], steps: &[&str]) -> Vec<String> {
        let params = ErrorInjection { kinds: kinds.to_vec(), ..ErrorInjection::default() };
        let steps: Vec<String> = steps.iter().map(|s| (*s).to_owned()).collect();
        params.edits(0, &steps).into_iter().map(|edit| edit.steps.join(" | ")).collect()
    }

    #[test]
    fn edits_of_one_equation() {
        assert!(all(&[Kind::Value], &["12 * 4 = 48"]).contains(&"12 * 4 = 46".to_owned()));
        assert!(all(&[Kind::Operator], &["12 * 4 = 48"]).contains(&"12 + 4 = 48".to_owned()));
        assert_eq!(all(&[Kind::Term], &["7 - 2 - 1 = 4"]), ["2 - 1 = 4", "7 - 1 = 4", "7 - 2 = 4"]);
    }

    #[test]
    fn a_swap_that_keeps_the_truth_is_refused() {
        assert_eq!(all(&[Kind::Swap], &["12 * 4 = 48"]), Vec::<String>::new());
        assert_eq!(all(&[Kind::Swap], &["7 - 2 = 5"]), ["2 - 7 = 5"]);
    }

    #[test]
    fn a_chain_carries_the_error_on() {
        let own = all(&[Kind::Chain], &["12 * 4 = 48 eggs", "48 - 8 = 40 left"]);
        assert!(own.contains(&"12 * 4 = 46 eggs | 46 - 8 = 40 left".to_owned()), "{own:?}");
    }

    #[test]
    fn what_was_wrong_before_is_not_edited() {
        assert!(all(&ErrorInjection::default().kinds, &["12 * 4 = 49", "no numbers"]).is_empty());
    }

    #[test]
    fn a_huge_solution_is_refused() {
        let input = Input { solutions: vec![vec!["1 + 1 = 2".to_owned(); 1001]] };
        assert!(ErrorInjection::default().call(&input, 0).is_err());
    }

    #[test]
    fn draws_follow_the_seed() {
        let params = ErrorInjection { per_solution: 3, ..ErrorInjection::default() };
        let input = Input { solutions: vec![vec!["12 * 4 = 48".to_owned()]; 2] };
        assert_eq!(params.call(&input, 1), params.call(&input, 1));
        assert_eq!(params.call(&input, 1).unwrap().edits.len(), 6);
    }
}
