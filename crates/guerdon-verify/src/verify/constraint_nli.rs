//! Constraint satisfaction by entailment: relevant statements must be entailed, the others not contradicted.
//!
//! # Formula
//!
//! ```text
//! APC = Σ_i [ g_i · e_i + (1 − g_i) · (1 − c_i) ]
//! sum: APC      mean: APC / n      delta: APC − APC_neutral
//! ```
//!
//! `g_i` is the probability that statement i is relevant to the query, `e_i` that the response entails it, `c_i` that the
//! response contradicts it. A neutral response entails and contradicts nothing: `APC_neutral = Σ_i (1 − g_i)`.
//!
//! # When to use it
//!
//! For faithfulness to a persona, a policy or a set of facts, with the probabilities from a relevance and an entailment
//! model in the data.
//!
//! # Departures
//!
//! The paper also reports the score relative to the best response; that needs a second response and is left to shaping.
//!
//! # Example
//!
//! ```yaml
//! use: verify.constraint_nli
//! kind: mean
//! ```
//!
//! ```
//! use guerdon_verify::verify::constraint_nli::satisfaction;
//! assert!((satisfaction(0.9, 0.8, 0.05) - 0.815).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! Peng and Shang, "Quantifying and Optimizing Global Faithfulness in Persona-driven Role-playing", 2024.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{MethodError, Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::records;

/// How the statements are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Their sum.
    #[default]
    Sum,
    /// Their mean.
    Mean,
    /// Their sum less that of a neutral response.
    Delta,
}

/// Parameters of `verify.constraint_nli`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConstraintNli {
    /// How the statements are joined. Default `sum`.
    pub kind: Kind,
    /// Column with the probabilities of relevance, one per statement. Default `relevance`.
    pub relevance: String,
    /// Column with the probabilities of entailment. Default `entail`.
    pub entail: String,
    /// Column with the probabilities of contradiction. Default `contradict`.
    pub contradict: String,
}

impl Default for ConstraintNli {
    fn default() -> Self {
        Self {
            kind: Kind::Sum,
            relevance: "relevance".into(),
            entail: "entail".into(),
            contradict: "contradict".into(),
        }
    }
}

impl Params for ConstraintNli {
    fn validate(&self) -> Result<(), ParamError> {
        records::named("relevance", &self.relevance)?;
        records::named("entail", &self.entail)?;
        records::named("contradict", &self.contradict)
    }
}

/// How far one statement is satisfied, 0 to 1.
pub fn satisfaction(relevance: f64, entail: f64, contradict: f64) -> f64 {
    relevance * entail + (1.0 - relevance) * (1.0 - contradict)
}

fn probabilities(rollout: &Rollout, column: &str) -> Result<Vec<f64>, Unscored> {
    let values = records::numbers_at(rollout, column)?;
    match values.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        Some(bad) => Err(Unscored::invalid(format!("column `{column}`: {bad} is no probability"))),
        None => Ok(values),
    }
}

impl Signal for ConstraintNli {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let g = probabilities(rollout, &self.relevance)?;
        let e = probabilities(rollout, &self.entail)?;
        let c = probabilities(rollout, &self.contradict)?;
        MethodError::same_length((&self.relevance, g.len()), (&self.entail, e.len()))?;
        MethodError::same_length((&self.relevance, g.len()), (&self.contradict, c.len()))?;
        let each: Vec<f64> = (0..g.len()).map(|i| satisfaction(g[i], e[i], c[i])).collect();
        let sum: f64 = each.iter().sum();
        let neutral: f64 = g.iter().map(|g| 1.0 - g).sum();
        let mut score = Score::new(match self.kind {
            Kind::Sum => sum,
            Kind::Mean => sum / g.len() as f64,
            Kind::Delta => sum - neutral,
        })?;
        score.parts = each.into_iter().enumerate().map(|(i, x)| (i.to_string(), x)).collect();
        Ok(score)
    }

    fn range(&self) -> Option<(f64, f64)> {
        (self.kind == Kind::Mean).then_some((0.0, 1.0))
    }

    fn reads_completion(&self) -> bool {
        false
    }
}

guerdon_core::method! {
    ConstraintNli: Signal,
    id: "verify.constraint_nli",
    papers: ["apc-2024"],
    status: Verified(Worked("APC of g 0.9, e 0.8, c 0.05")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [
        DegenerateEarnsNothing: "The probabilities come from the data, not from the completion's text.",
        InjectionGainsNothing: "The probabilities come from the data, not from the completion's text.",
    ],
    samples: [
        r#"{"completion": "I am a baker.", "relevance": [1, 0], "entail": [1, 0], "contradict": [0, 0]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{ConstraintNli, Kind};
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;
    use serde_json::json;

    fn check(kind: Kind, g: &[f64], e: &[f64], c: &[f64], expect: f64) {
        let mut rollout = Rollout::default();
        for (name, values) in [("relevance", g), ("entail", e), ("contradict", c)] {
            rollout.columns.insert(name.into(), json!(values));
        }
        let got =
            ConstraintNli { kind, ..ConstraintNli::default() }.score(&rollout).unwrap().value();
        assert!((got - expect).abs() < 1e-12, "{kind:?}: {got}, not {expect}");
    }

    #[test]
    fn worked_example() {
        check(Kind::Sum, &[0.9], &[0.8], &[0.05], 0.815);
        check(Kind::Mean, &[0.9, 1.0], &[0.8, 0.5], &[0.05, 0.5], 0.6575);
    }

    #[test]
    fn a_neutral_response_is_zero() {
        check(Kind::Delta, &[0.9, 0.2], &[0.0, 0.0], &[0.0, 0.0], 0.0);
    }

    #[test]
    fn a_probability_above_one_is_refused() {
        let mut rollout = Rollout::default();
        for name in ["relevance", "entail", "contradict"] {
            rollout.columns.insert(name.into(), json!([1.5]));
        }
        assert!(ConstraintNli::default().score(&rollout).is_err());
    }
}
