//! Bidirectional max-average similarity: every token of one text looks for its nearest in the other, both ways.
//!
//! # Formula
//!
//! ```text
//! S_ij = cosine(r_i, t_j)        BMAS = ½ [ (1/m) Σ_i max_j S_ij + (1/n) Σ_j max_i S_ij ]
//! ```
//!
//! `r_1..r_m` are the embeddings of the response's tokens, `t_1..t_n` those of the reference's, in two columns of the data
//! (lists of lists of numbers). An embedding of length 0 has the cosine 0 with everything.
//!
//! # When to use it
//!
//! For open text with a reference, where word overlap is too strict. Embeddings without context let a shuffled text pass.
//!
//! # Departures
//!
//! The paper scales all rewards to [0, 1]; the similarity is left in [−1, 1]. The embeddings come from the data, not from a
//! policy's own table.
//!
//! # Example
//!
//! ```yaml
//! use: verify.bmas
//! response: response_embeddings
//! target: reference_embeddings
//! ```
//!
//! ```
//! use guerdon_verify::verify::bmas::bmas;
//! let response = [vec![1.0, 0.0], vec![0.6, 0.8]];
//! let reference = [vec![1.0, 0.0], vec![0.0, 1.0], vec![-1.0, 0.0]];
//! assert!((bmas(&response, &reference) - 0.65).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! Xu et al., "Mixed-R1: Unified Reward Perspective For Reasoning Capability in Multimodal Large Language Models", 2025.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::records;

/// Most multiplications of one comparison.
const WORK: usize = 1 << 28;

/// Parameters of `verify.bmas`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bmas {
    /// Column with the embeddings of the response's tokens. Default `response_embeddings`.
    pub response: String,
    /// Column with the embeddings of the reference's tokens. Default `reference_embeddings`.
    pub target: String,
}

impl Default for Bmas {
    fn default() -> Self {
        Self { response: "response_embeddings".into(), target: "reference_embeddings".into() }
    }
}

impl Params for Bmas {
    fn validate(&self) -> Result<(), ParamError> {
        records::named("response", &self.response)?;
        records::named("target", &self.target)
    }
}

/// A vector of length 1 in the same direction; zeros stay.
fn unit(vector: &[f64]) -> Vec<f64> {
    let greatest = vector.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    if greatest == 0.0 {
        return vector.to_vec();
    }
    // Scaled first, so that squares neither overflow nor vanish.
    let scaled: Vec<f64> = vector.iter().map(|x| x / greatest).collect();
    let norm = scaled.iter().map(|x| x * x).sum::<f64>().sqrt();
    scaled.into_iter().map(|x| x / norm).collect()
}

/// The similarity of two texts as lists of token embeddings of one dimension, −1 to 1; 0 where one is empty.
pub fn bmas(response: &[Vec<f64>], reference: &[Vec<f64>]) -> f64 {
    let (r, t): (Vec<_>, Vec<_>) =
        (response.iter().map(|v| unit(v)).collect(), reference.iter().map(|v| unit(v)).collect());
    if r.is_empty() || t.is_empty() {
        return 0.0;
    }
    let (mut rows, mut columns) = (vec![-1.0_f64; r.len()], vec![-1.0_f64; t.len()]);
    for (row, a) in rows.iter_mut().zip(&r) {
        for (column, b) in columns.iter_mut().zip(&t) {
            let cosine = a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>().clamp(-1.0, 1.0);
            *row = row.max(cosine);
            *column = column.max(cosine);
        }
    }
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    f64::midpoint(mean(&rows), mean(&columns))
}

fn matrix(rollout: &Rollout, column: &str) -> Result<Vec<Vec<f64>>, Unscored> {
    let rows = records::list_at(rollout, column)?;
    rows.iter().map(|row| records::numbers(row).map_err(|why| records::at(column, &why))).collect()
}

impl Signal for Bmas {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let response = matrix(rollout, &self.response)?;
        let reference = matrix(rollout, &self.target)?;
        let dimension = response[0].len();
        if response.iter().chain(&reference).any(|v| v.len() != dimension) {
            return Err(Unscored::invalid("the embeddings are not all of one dimension"));
        }
        if response.len().saturating_mul(reference.len()).saturating_mul(dimension) > WORK {
            return Err(Unscored::budget("the two texts need more than 2^28 multiplications"));
        }
        Score::new(bmas(&response, &reference).clamp(-1.0, 1.0))
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((-1.0, 1.0))
    }

    fn reads_completion(&self) -> bool {
        false
    }
}

guerdon_core::method! {
    Bmas: Signal,
    id: "verify.bmas",
    papers: ["mixed-r1-2025"],
    status: Verified(Worked("BMAS 0.65 of two response and three reference tokens")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [
        DegenerateEarnsNothing: "The embeddings come from the data, not from the completion's text.",
        InjectionGainsNothing: "The embeddings come from the data, not from the completion's text.",
    ],
    samples: [
        r#"{"completion": "a b", "response_embeddings": [[2, 0], [0, 1]], "reference_embeddings": [[0, 1], [1, 0]]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Bmas, bmas};
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;
    use serde_json::json;

    #[test]
    fn worked_example_and_identity() {
        let response = [vec![1.0, 0.0], vec![0.6, 0.8]];
        let reference = [vec![1.0, 0.0], vec![0.0, 1.0], vec![-1.0, 0.0]];
        assert!((bmas(&response, &reference) - 0.65).abs() < 1e-12);
        assert!((bmas(&reference, &response) - 0.65).abs() < 1e-12);
        assert!((bmas(&response, &response) - 1.0).abs() < 1e-12);
        assert_eq!(bmas(&response, &[]), 0.0);
        assert_eq!(bmas(&[vec![0.0, 0.0]], &[vec![1.0, 0.0]]), 0.0);
    }

    #[test]
    fn ragged_embeddings_are_refused() {
        let mut rollout = Rollout::default();
        rollout.columns.insert("response_embeddings".into(), json!([[1, 0], [1]]));
        rollout.columns.insert("reference_embeddings".into(), json!([[1, 0]]));
        assert!(Bmas::default().score(&rollout).is_err());
    }
}
