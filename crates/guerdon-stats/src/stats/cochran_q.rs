//! Cochran's Q: whether three or more models differ in accuracy on the same items.
//!
//! # Formula
//!
//! ```text
//! Q = (k − 1)·(k·Σ_j G_j² − T²) / (k·T − Σ_i L_i²),  χ² with k − 1 degrees of freedom
//! ```
//!
//! `k` models, `G_j` the items that model j has right, `L_i` the models that have item i right, `T` all successes. With two
//! models Q is McNemar's uncorrected χ².
//!
//! # When to use it
//!
//! As the one test before pairwise `stats.mcnemar` tests (with `stats.multiple`). The χ² needs some twenty items on which
//! the models disagree.
//!
//! # Departures
//!
//! When all models agree on every item, Q is 0 and p is 1.
//!
//! # Example
//!
//! ```yaml
//! use: stats.cochran_q
//! ```
//!
//! ```
//! use guerdon_stats::stats::cochran_q::cochran_q;
//! let out = cochran_q(&[vec![true, false, true], vec![true, false, false]]).unwrap();
//! assert_eq!((out.statistic, out.degrees), (3.0, 2));
//! ```
//!
//! # References
//!
//! Cochran, "The comparison of percentages in matched samples", 1950.

use guerdon_core::MethodError;
use guerdon_core::method::{Function, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dist::chi2_sf;
use crate::moments::at_least;

/// Parameters of `stats.cochran_q`: none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CochranQ {}

impl Params for CochranQ {}

/// Input of `stats.cochran_q`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Per item, whether each model has it right; equally many models (at least two) in every row.
    pub outcomes: Vec<Vec<bool>>,
}

/// Output of `stats.cochran_q`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Q.
    pub statistic: f64,
    /// Degrees of freedom: models − 1.
    pub degrees: usize,
    /// p-value of equal accuracy.
    pub p_value: f64,
}

/// The test on items × models.
pub fn cochran_q(outcomes: &[Vec<bool>]) -> Result<Output, MethodError> {
    at_least("outcomes", outcomes.len(), 1)?;
    let k = outcomes[0].len();
    at_least("outcomes[0]", k, 2)?;
    for row in outcomes {
        MethodError::same_length(("outcomes[0]", k), ("a row of outcomes", row.len()))?;
    }
    let count = |hits: &mut dyn Iterator<Item = bool>| hits.filter(|hit| *hit).count() as f64;
    let columns: f64 = (0..k).map(|j| count(&mut outcomes.iter().map(|row| row[j])).powi(2)).sum();
    let rows: Vec<f64> = outcomes.iter().map(|row| count(&mut row.iter().copied())).collect();
    let total: f64 = rows.iter().sum();
    let kf = k as f64;
    let spread = kf * total - rows.iter().map(|l| l * l).sum::<f64>();
    let excess = (kf - 1.0) * (kf * columns - total * total);
    let statistic = if spread > 0.0 { excess / spread } else { 0.0 };
    Ok(Output { statistic, degrees: k - 1, p_value: chi2_sf(statistic, kf - 1.0) })
}

impl Function for CochranQ {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        cochran_q(&input.outcomes)
    }
}

guerdon_core::method! {
    CochranQ: Function,
    id: "stats.cochran_q",
    papers: [],
    status: Verified(Reference("statsmodels.stats.contingency_tables.cochrans_q 0.15")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"outcomes": [[true, false, true], [true, true, false], [false, false, true]]}"#,
        r#"{"outcomes": [[true, false], [true, false], [false, false]]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::cochran_q;
    use crate::stats::mcnemar::{Kind, mcnemar};

    #[test]
    fn two_models_are_mcnemar() {
        let rows = [[true, false], [true, false], [true, false], [false, true], [true, true]];
        let out = cochran_q(&rows.map(Vec::from)).unwrap();
        let expect = mcnemar(3, 1, Kind::Chi2);
        assert!(
            (out.statistic - expect.statistic).abs() < 1e-12
                && (out.p_value - expect.p_value).abs() < 1e-12
        );
    }

    #[test]
    fn agreement_is_no_evidence_and_ragged_rows_are_refused() {
        assert_eq!(cochran_q(&[vec![true, true], vec![false, false]]).unwrap().p_value, 1.0);
        assert!(cochran_q(&[vec![true, true], vec![true]]).is_err());
        assert!(cochran_q(&[]).is_err() && cochran_q(&[vec![true]]).is_err());
    }
}
