//! Citations: whether the completion cites the passages that support it.
//!
//! # Formula
//!
//! ```text
//! C = the passage numbers that the text cites, as [1], [2, 3] or [1][2]          R = the right ones
//! precision = |C ∩ R| / |C|     recall = |C ∩ R| / |R|     f1 = 2·|C ∩ R| / (|C| + |R|)
//! valid = the share of C that lies in 1 … documents
//! ```
//!
//! A text without citations has precision 0 and validity 0.
//!
//! # When to use it
//!
//! For answers written from numbered passages, where the supporting ones are known (`f1`) or only their number (`valid`).
//! Whether a passage supports its sentence is for an entailment model to say (`verify.constraint_nli`).
//!
//! # Departures
//!
//! Benchmarks score citations per sentence by entailment; this compares sets of numbers over the whole text.
//!
//! # Example
//!
//! ```yaml
//! use: verify.citation
//! kind: f1
//! ```
//!
//! ```
//! use guerdon_verify::verify::citation::cited;
//! assert_eq!(cited("So it is [2, 1], and more [3][1].").into_iter().collect::<Vec<_>>(), [1, 2, 3]);
//! ```
//!
//! # References
//!
//! Jin et al., "RAG-RewardBench: Benchmarking Reward Models in Retrieval Augmented Generation for Preference Alignment", 2024.

use std::collections::BTreeSet;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::records;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The harmonic mean of precision and recall.
    #[default]
    F1,
    /// The share of the citations that are right.
    Precision,
    /// The share of the right passages that are cited.
    Recall,
    /// The share of the citations that name a passage at all.
    Valid,
}

/// Parameters of `verify.citation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Citation {
    /// What is measured. Default `f1`.
    pub kind: Kind,
    /// Column with the numbers of the right passages, from 1. Default `citations`; not read for `valid`.
    pub right: String,
    /// Column with the number of passages, for `valid`. Default `documents`.
    pub documents: String,
}

impl Default for Citation {
    fn default() -> Self {
        Self { kind: Kind::F1, right: "citations".into(), documents: "documents".into() }
    }
}

impl Params for Citation {
    fn validate(&self) -> Result<(), ParamError> {
        records::named("right", &self.right)?;
        records::named("documents", &self.documents)
    }
}

/// The passage numbers that a text cites in square brackets. Linear in its length.
pub fn cited(text: &str) -> BTreeSet<u64> {
    let mut numbers = BTreeSet::new();
    for piece in text.split('[').skip(1) {
        let Some((inner, _)) = piece.split_once(']') else { continue };
        let parsed: Option<Vec<u64>> = inner.split(',').map(|n| n.trim().parse().ok()).collect();
        numbers.extend(parsed.unwrap_or_default());
    }
    numbers
}

impl Citation {
    /// The score of the numbers `cited` where `right` are the right ones; both may be empty.
    pub fn value(&self, cited: &BTreeSet<u64>, right: &BTreeSet<u64>) -> f64 {
        let hits = cited.intersection(right).count() as f64;
        let whole = match self.kind {
            Kind::F1 => (cited.len() + right.len()) as f64 / 2.0,
            Kind::Precision | Kind::Valid => cited.len() as f64,
            Kind::Recall => right.len() as f64,
        };
        if whole > 0.0 { hits / whole } else { 0.0 }
    }

    fn right(&self, rollout: &Rollout, cited: &BTreeSet<u64>) -> Result<BTreeSet<u64>, Unscored> {
        if self.kind == Kind::Valid {
            let documents =
                records::value(rollout, &self.documents)?.as_u64().ok_or_else(|| {
                    Unscored::invalid(format!("column `{}`: expected a count", self.documents))
                })?;
            return Ok(cited.iter().copied().filter(|n| (1..=documents).contains(n)).collect());
        }
        let list = records::list_at(rollout, &self.right)?;
        let numbers: Option<_> = list.iter().map(serde_json::Value::as_u64).collect();
        numbers.ok_or_else(|| {
            Unscored::invalid(format!("column `{}`: expected passage numbers", self.right))
        })
    }
}

impl Signal for Citation {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let cited = cited(rollout.text());
        let right = self.right(rollout, &cited)?;
        Score::new(self.value(&cited, &right))
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Citation: Signal,
    id: "verify.citation",
    papers: ["rag-rewardbench-2024"],
    status: Verified(ClosedForm("precision, recall and F1 of sets")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [],
    samples: [
        r#"{"prompt": "Who?", "completion": "Ada [1], with Charles [3].", "citations": [3, 1]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Citation, Kind, cited};
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;
    use serde_json::json;

    fn check(kind: Kind, text: &str, expect: f64) {
        let mut rollout = Rollout::new("", text, "");
        rollout.columns.insert("citations".into(), json!([1, 2]));
        rollout.columns.insert("documents".into(), json!(3));
        let got = Citation { kind, ..Citation::default() }.score(&rollout).unwrap().value();
        assert!((got - expect).abs() < 1e-12, "{kind:?} {text:?}: {got}, not {expect}");
    }

    #[test]
    fn sets_of_passages() {
        check(Kind::F1, "a [1] b [2]", 1.0);
        check(Kind::F1, "a [1][3]", 0.5);
        check(Kind::Precision, "a [1]", 1.0);
        check(Kind::Recall, "a [1]", 0.5);
        check(Kind::F1, "nothing cited", 0.0);
        check(Kind::Valid, "a [3, 4]", 0.5);
        check(Kind::Valid, "none", 0.0);
    }

    #[test]
    fn brackets_that_are_no_citations() {
        assert!(cited("[see note] [1, x] [").is_empty());
    }
}
