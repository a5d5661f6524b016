//! Failed attempts before the right one: how many candidates stand above it.
//!
//! # Formula
//!
//! ```text
//! scores:   failures = |{ j : s_j > s_right }|
//! ranking:  failures = position of the first relevant item, from 0
//! ```
//!
//! # When to use it
//!
//! As input of a failure-tail analysis: a language model's failures before the right token are read from one forward pass,
//! a retriever's from its ranking. With `reciprocal` it is the reciprocal rank 1/(failures + 1).
//!
//! # Departures
//!
//! Ties with the right item are no failures, as in the paper's count of larger logits. A ranking without the item has no
//! count: the row is unscored, not censored at the ranking's length.
//!
//! # Example
//!
//! ```yaml
//! use: verify.rank_failures
//! scores: logits
//! right: target
//! ```
//!
//! ```
//! use guerdon_verify::verify::rank_failures::failures;
//! assert_eq!(failures(&[0.1, 3.0, 2.0, 2.0], 2), Some(1));
//! ```
//!
//! # References
//!
//! Zhan et al., "Evaluating Intelligence via Trial and Error", 2025.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::records;

/// Parameters of `verify.rank_failures`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RankFailures {
    /// Column with one score per candidate (logits, similarities). Default `scores`.
    pub scores: String,
    /// Column with a ranking, best first, instead of scores. Default none.
    pub ranking: Option<String>,
    /// Column with the right candidate: its index from 0 for scores; the item itself, or a list of them, for a ranking.
    /// Default `right`.
    pub right: String,
    /// The reciprocal rank instead of the count. Default false.
    pub reciprocal: bool,
}

impl Default for RankFailures {
    fn default() -> Self {
        Self { scores: "scores".into(), ranking: None, right: "right".into(), reciprocal: false }
    }
}

impl Params for RankFailures {
    fn validate(&self) -> Result<(), ParamError> {
        records::named("scores", &self.scores)?;
        records::named("right", &self.right)
    }
}

/// How many scores are greater than that of candidate `right`; `None` where there is no such candidate.
pub fn failures(scores: &[f64], right: usize) -> Option<usize> {
    let own = scores.get(right)?;
    Some(scores.iter().filter(|s| *s > own).count())
}

impl RankFailures {
    fn count(&self, rollout: &Rollout) -> Result<usize, Unscored> {
        let right = records::value(rollout, &self.right)?;
        if let Some(column) = &self.ranking {
            let ranking = records::list_at(rollout, column)?;
            let relevant = |item| match right {
                serde_json::Value::Array(items) => items.contains(item),
                one => one == item,
            };
            return ranking
                .iter()
                .position(relevant)
                .ok_or_else(|| Unscored::missing("the ranking does not hold the right item"));
        }
        let scores = records::numbers_at(rollout, &self.scores)?;
        let index = right.as_u64().and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| failures(&scores, index)).ok_or_else(|| {
            Unscored::invalid(format!(
                "column `{}`: expected an index below {}, found {right}",
                self.right,
                scores.len()
            ))
        })
    }
}

impl Signal for RankFailures {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let count = self.count(rollout)? as f64;
        Score::new(if self.reciprocal { 1.0 / (count + 1.0) } else { count })
    }

    fn range(&self) -> Option<(f64, f64)> {
        self.reciprocal.then_some((0.0, 1.0))
    }

    fn reads_completion(&self) -> bool {
        false
    }
}

guerdon_core::method! {
    RankFailures: Signal,
    id: "verify.rank_failures",
    papers: ["survival-game-2025"],
    status: Verified(ClosedForm("a plain count")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [
        DegenerateEarnsNothing: "The scores come from the data, not from the completion's text.",
        InjectionGainsNothing: "The scores come from the data, not from the completion's text.",
    ],
    samples: [r#"{"completion": "A text.", "scores": [0.5, 2.5, -1], "right": 2}"#],
}

#[cfg(test)]
mod tests {
    use super::RankFailures;
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;
    use serde_json::{Value, json};

    fn check(params: &RankFailures, columns: &Value, expect: Option<f64>) {
        let rollout =
            Rollout { columns: columns.as_object().unwrap().clone(), ..Rollout::default() };
        assert_eq!(params.score(&rollout).ok().map(|s| s.value()), expect, "{columns}");
    }

    #[test]
    fn scores() {
        let params = RankFailures::default();
        check(&params, &json!({"scores": [0.5, 2.5, -1], "right": 1}), Some(0.0));
        check(&params, &json!({"scores": [0.5, 2.5, -1], "right": 2}), Some(2.0));
        check(&params, &json!({"scores": [1, 1, 1], "right": 2}), Some(0.0));
        check(&params, &json!({"scores": [1, 1, 1], "right": 3}), None);
        check(&params, &json!({"scores": [1], "right": "x"}), None);
    }

    #[test]
    fn rankings() {
        let params = RankFailures { ranking: Some("found".into()), ..RankFailures::default() };
        check(&params, &json!({"found": ["d3", "d1"], "right": "d1"}), Some(1.0));
        check(&params, &json!({"found": ["d3", "d1"], "right": ["d1", "d3"]}), Some(0.0));
        check(&params, &json!({"found": ["d3"], "right": "d1"}), None);
        let reciprocal = RankFailures { reciprocal: true, ..params };
        check(&reciprocal, &json!({"found": ["d3", "d1"], "right": "d1"}), Some(0.5));
    }
}
