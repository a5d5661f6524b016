//! Unique solution: 1 if the constraints of a question leave exactly its answer, and no shortcut does, 0 if not.
//!
//! # Formula
//!
//! ```text
//! score = 1 if S_1 ∩ … ∩ S_k = { answer }, k ≥ min_constraints, and (unless allowed) no S_i alone is { answer }, else 0
//! ```
//!
//! `S_i` is the set of candidates that satisfy the i-th constraint: the column `constraints` is a list of lists. The answer
//! is the reference; without one, any single common candidate will do.
//!
//! # When to use it
//!
//! As a filter on synthesised questions: under-determined ones and ones with a decisive fact are rejected.
//!
//! # Departures
//!
//! The source builds trees of constraints; a tree is checked node by node with this signal.
//!
//! # Example
//!
//! ```yaml
//! use: verify.unique_solution
//! min_constraints: 2
//! ```
//!
//! ```
//! use guerdon_verify::verify::unique_solution::common;
//! let sets = [vec!["a", "b", "c"], vec!["b", "c", "d"], vec!["c", "e"]];
//! assert_eq!(common(&sets), ["c"]);
//! ```
//!
//! # References
//!
//! "Open Data Synthesis For Deep Research" (InfoSeek), 2025.

use std::collections::BTreeSet;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::records;

/// Parameters of `verify.unique_solution`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UniqueSolution {
    /// Column with one list of candidates per constraint. Default `constraints`.
    pub constraints: String,
    /// Least number of constraints, at least 1. Default 2.
    pub min_constraints: usize,
    /// A constraint may be decisive alone. Default false.
    pub allow_shortcut: bool,
}

impl Default for UniqueSolution {
    fn default() -> Self {
        Self { constraints: "constraints".into(), min_constraints: 2, allow_shortcut: false }
    }
}

impl Params for UniqueSolution {
    fn validate(&self) -> Result<(), ParamError> {
        records::named("constraints", &self.constraints)?;
        if self.min_constraints == 0 {
            return Err(ParamError::new("min_constraints", "`min_constraints` must be at least 1"));
        }
        Ok(())
    }
}

/// The members of all sets, sorted, each once.
pub fn common<T: Ord + Clone>(sets: &[Vec<T>]) -> Vec<T> {
    let mut sets = sets.iter().map(|set| set.iter().cloned().collect::<BTreeSet<T>>());
    let first = sets.next().unwrap_or_default();
    let left = sets.fold(first, |left, set| left.intersection(&set).cloned().collect());
    left.into_iter().collect()
}

fn name(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned())
}

impl UniqueSolution {
    /// Why the constraints are no good for `answer` (for any answer, if there is none); `None` where they are.
    pub fn fault(&self, sets: &[Vec<String>], answer: Option<&str>) -> Option<String> {
        let left = common(sets);
        let single = |set: &Vec<String>| common(std::slice::from_ref(set)) == left;
        match left.as_slice() {
            _ if sets.len() < self.min_constraints => {
                Some(format!("{} constraints are too few", sets.len()))
            }
            [] => Some("nothing satisfies all constraints".into()),
            [only] if answer.is_some_and(|a| a != only) => {
                Some(format!("the only solution is {only}"))
            }
            [_] if !self.allow_shortcut && sets.iter().any(single) => {
                Some("one constraint is decisive alone".into())
            }
            [_] => None,
            many => Some(format!("{} solutions are left", many.len())),
        }
    }
}

impl Signal for UniqueSolution {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let lists = records::list_at(rollout, &self.constraints)?;
        let read = |list: &Value| match list {
            Value::Array(items) => Ok(items.iter().map(name).collect()),
            _ => Err(Unscored::invalid("a constraint is a list of candidates")),
        };
        let sets = lists.iter().map(read).collect::<Result<Vec<Vec<String>>, _>>()?;
        let answer = rollout.reference_text().map(|text| text.trim().to_owned());
        Ok(match self.fault(&sets, answer.as_deref()) {
            Some(fault) => Score::binary(false).because(fault),
            None => Score::binary(true),
        })
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }

    fn reads_completion(&self) -> bool {
        false
    }
}

guerdon_core::method! {
    UniqueSolution: Signal,
    id: "verify.unique_solution",
    papers: ["infoseek-2025"],
    status: Verified(Worked("InfoSeek: unique, under-determined and shortcut sets")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [
        DegenerateEarnsNothing: "The constraints come from the data, not from the completion's text.",
        InjectionGainsNothing: "The constraints come from the data, not from the completion's text.",
    ],
    samples: [
        r#"{"completion": "c", "reference": "c", "constraints": [["a", "b", "c"], ["b", "c", "d"], ["c", "e"]]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::UniqueSolution;
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;
    use serde_json::{Value, json};

    fn check(constraints: &Value, reference: &str, expect: f64) {
        let mut rollout = Rollout::new("", "", reference);
        rollout.columns.insert("constraints".into(), constraints.clone());
        let got = UniqueSolution::default().score(&rollout).unwrap().value();
        assert_eq!(got, expect, "{constraints}");
    }

    #[test]
    fn unique_under_determined_and_shortcut() {
        check(&json!([["a", "b", "c"], ["b", "c", "d"], ["c", "e"]]), "c", 1.0);
        check(&json!([["a", "b", "c"], ["b", "c", "d"], ["c", "e"]]), "b", 0.0);
        check(&json!([["a", "b", "c"], ["b", "c", "d"]]), "c", 0.0);
        check(&json!([["a", "b", "c"], ["c"]]), "c", 0.0);
        check(&json!([["a", "b"], ["c", "d"]]), "c", 0.0);
        check(&json!([["c"]]), "c", 0.0);
    }
}
