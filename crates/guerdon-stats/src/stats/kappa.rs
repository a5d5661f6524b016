//! Agreement of two raters beyond chance: Cohen's κ with weights, and its relatives by other models of chance.
//!
//! # Formula
//!
//! ```text
//! κ = 1 − Σ_ij w_ij·O_ij / Σ_ij w_ij·E_ij        w: 0/1, |i − j| or (i − j)² on the order of the labels
//! E_ij = r_i·c_j (cohen),  π_i·π_j with π = (r + c)/2 (scott),  1/q² (uniform)
//! ```
//!
//! `O` is the table of shares, `r` and `c` its margins, `q` the number of labels. The standard error is the asymptotic one
//! of Fleiss, Cohen and Everitt; `standard_error_null` is that under κ = 0.
//!
//! # When to use it
//!
//! For a judge against people. With a rare label κ is low at high agreement: read it beside `observed`. For more raters or
//! gaps `stats.agreement`.
//!
//! # Departures
//!
//! Weights go by the place of a label in `labels` (or among those that occur, ascending), as in scikit-learn. Two constant
//! raters leave κ undefined (null). Standard errors are given for Cohen's chance model alone.
//!
//! # Example
//!
//! ```yaml
//! use: stats.kappa
//! weights: quadratic
//! ```
//!
//! ```
//! use guerdon_stats::labels::Label;
//! use guerdon_stats::stats::kappa::{Kappa, kappa};
//! let rater = |votes: &str| votes.split(' ').map(Label::from).collect::<Vec<_>>();
//! let out = kappa(&rater("y y n n"), &rater("y n n n"), &[], &Kappa::default()).unwrap();
//! assert_eq!((out.observed, out.kappa), (0.75, Some(0.5)));
//! ```
//!
//! # References
//!
//! Cohen, "A coefficient of agreement for nominal scales", 1960, and "Weighted kappa", 1968; Fleiss, Cohen and Everitt,
//! "Large sample standard errors of kappa and weighted kappa", 1969; Scott 1955; Bennett, Alpert and Goldstein 1954.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::check_level;
use crate::dist::two_sided_z;
use crate::labels::{Codes, Label};
use crate::moments::at_least;
use crate::resample::Interval;

/// What a disagreement costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// Every disagreement the same.
    #[default]
    None,
    /// By the distance of the labels' places.
    Linear,
    /// By the squared distance of the labels' places.
    Quadratic,
}

impl Weights {
    fn cost(self, i: usize, j: usize) -> f64 {
        let gap = i.abs_diff(j) as f64;
        match self {
            Self::None => f64::from(u8::from(i != j)),
            Self::Linear => gap,
            Self::Quadratic => gap * gap,
        }
    }
}

/// What agreement by chance means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Chance {
    /// Each rater keeps to the own margins.
    #[default]
    Cohen,
    /// Both raters keep to the common margins (Scott's π).
    Scott,
    /// All labels are equally likely (Bennett's S).
    Uniform,
}

/// Parameters of `stats.kappa`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Kappa {
    /// What a disagreement costs. Default `none`.
    pub weights: Weights,
    /// What agreement by chance means. Default `cohen`.
    pub chance: Chance,
    /// Confidence level, between 0 and 1. Default 0.95.
    pub level: f64,
}

impl Default for Kappa {
    fn default() -> Self {
        Self { weights: Weights::None, chance: Chance::Cohen, level: 0.95 }
    }
}

impl Params for Kappa {
    fn validate(&self) -> Result<(), ParamError> {
        check_level(self.level)
    }
}

/// Input of `stats.kappa`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Labels by the first rater, at least one.
    pub a: Vec<Label>,
    /// Labels by the second rater on the same items.
    pub b: Vec<Label>,
    /// All labels in their order; absent: those that occur, ascending.
    #[serde(default)]
    pub labels: Vec<Label>,
}

/// Output of `stats.kappa`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// κ, at most 1; null where chance alone is perfect.
    pub kappa: Option<f64>,
    /// Share of items with the same label.
    pub observed: f64,
    /// Share of items whose labels are at most one place apart.
    pub adjacent: f64,
    /// Root of the mean squared difference; null where labels are texts.
    pub rmse: Option<f64>,
    /// Asymptotic standard error; null where κ is, and for other chance models.
    pub standard_error: Option<f64>,
    /// Asymptotic standard error if κ were 0.
    pub standard_error_null: Option<f64>,
    /// Normal interval.
    pub interval: Option<Interval>,
}

/// Table of shares of `a` × `b`, row by row, for `q` labels.
struct Table {
    q: usize,
    n: f64,
    shares: Vec<f64>,
    rows: Vec<f64>,
    columns: Vec<f64>,
}

impl Table {
    fn new(pairs: &[(usize, usize)], q: usize) -> Self {
        let n = pairs.len() as f64;
        let (mut shares, mut rows, mut columns) = (vec![0.0; q * q], vec![0.0; q], vec![0.0; q]);
        for &(i, j) in pairs {
            shares[i * q + j] += 1.0 / n;
            rows[i] += 1.0 / n;
            columns[j] += 1.0 / n;
        }
        Self { q, n, shares, rows, columns }
    }

    fn sum(&self, f: impl Fn(usize, usize) -> f64) -> f64 {
        (0..self.q).flat_map(|i| (0..self.q).map(move |j| (i, j))).map(|(i, j)| f(i, j)).sum()
    }

    fn chance(&self, model: Chance, i: usize, j: usize) -> f64 {
        let common = |k: usize| f64::midpoint(self.rows[k], self.columns[k]);
        match model {
            Chance::Cohen => self.rows[i] * self.columns[j],
            Chance::Scott => common(i) * common(j),
            Chance::Uniform => 1.0 / (self.q * self.q) as f64,
        }
    }

    /// Standard errors of Cohen's κ: at `kappa` and at 0 (Fleiss, Cohen and Everitt). Weights scaled to agreement 0..1.
    fn errors(&self, kappa: f64, weights: Weights) -> (f64, f64) {
        let most = weights.cost(0, self.q - 1).max(1.0);
        let w = |i: usize, j: usize| 1.0 - weights.cost(i, j) / most;
        let by_row: Vec<f64> =
            (0..self.q).map(|i| (0..self.q).map(|j| w(i, j) * self.columns[j]).sum()).collect();
        let by_column: Vec<f64> =
            (0..self.q).map(|j| (0..self.q).map(|i| w(i, j) * self.rows[i]).sum()).collect();
        let expected = self.sum(|i, j| w(i, j) * self.rows[i] * self.columns[j]);
        let scale = self.n * (1.0 - expected).powi(2);
        let own = |i: usize, j: usize| w(i, j) - (by_row[i] + by_column[j]) * (1.0 - kappa);
        let at = self.sum(|i, j| self.shares[i * self.q + j] * own(i, j).powi(2));
        let at = at - (kappa - expected * (1.0 - kappa)).powi(2);
        let null = self.sum(|i, j| {
            self.rows[i] * self.columns[j] * (w(i, j) - by_row[i] - by_column[j]).powi(2)
        });
        ((at.max(0.0) / scale).sqrt(), ((null - expected * expected).max(0.0) / scale).sqrt())
    }
}

/// Most distinct labels: the table is quadratic in them.
const LABEL_LIMIT: usize = 2000;

/// κ of two raters; `labels` fixes the order of the labels, empty takes those that occur.
pub fn kappa(
    a: &[Label],
    b: &[Label],
    labels: &[Label],
    params: &Kappa,
) -> Result<Output, MethodError> {
    MethodError::same_length(("a", a.len()), ("b", b.len()))?;
    at_least("a", a.len(), 1)?;
    let codes = Codes::new(a.iter().chain(b), labels)?;
    if codes.len() > LABEL_LIMIT {
        return Err(MethodError::Budget(format!(
            "{} distinct labels: at most {LABEL_LIMIT} make a table",
            codes.len()
        )));
    }
    let pairs = a.iter().zip(b).map(|(a, b)| Ok((codes.code(a)?, codes.code(b)?)));
    let pairs = pairs.collect::<Result<Vec<_>, MethodError>>()?;
    let table = Table::new(&pairs, codes.len());
    let cost = table.sum(|i, j| params.weights.cost(i, j) * table.shares[i * table.q + j]);
    let by_chance = table.sum(|i, j| params.weights.cost(i, j) * table.chance(params.chance, i, j));
    let kappa = (by_chance > 0.0).then(|| 1.0 - cost / by_chance);
    let errors =
        kappa.filter(|_| params.chance == Chance::Cohen).map(|k| table.errors(k, params.weights));
    let reach = two_sided_z(params.level);
    let within =
        |gap: usize| pairs.iter().filter(|(i, j)| i.abs_diff(*j) <= gap).count() as f64 / table.n;
    Ok(Output {
        kappa,
        observed: within(0),
        adjacent: within(1),
        rmse: codes
            .numbers()
            .map(|v| {
                (pairs.iter().map(|&(i, j)| (v[i] - v[j]).powi(2)).sum::<f64>() / table.n).sqrt()
            })
            .filter(|r| r.is_finite()),
        standard_error: errors.map(|e| e.0),
        standard_error_null: errors.map(|e| e.1),
        interval: kappa
            .zip(errors)
            .map(|(k, e)| Interval { low: k - reach * e.0, high: k + reach * e.0 }),
    })
}

impl Function for Kappa {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        kappa(&input.a, &input.b, &input.labels, self)
    }
}

guerdon_core::method! {
    Kappa: Function,
    id: "stats.kappa",
    papers: ["m-rewardbench-2024", "thinkslm-2025", "who-am-i-2026", "fellowship-2024", "math-feedback-2024"],
    status: Verified(Reference("scikit-learn cohen_kappa_score; statsmodels cohens_kappa 0.15")),
    laws: [PermutationInvariant, Symmetric],
    exempt: [],
    samples: [
        r#"{"a": [1, 2, 3, 1], "b": [1, 2, 2, 1]}"#,
        r#"{"a": ["yes", "no", "no"], "b": ["yes", "yes", "no"], "labels": ["no", "yes"]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Chance, Kappa, Output, Weights, kappa};
    use crate::labels::Label;

    /// κ of a table of counts.
    fn of(table: &[&[usize]], params: &Kappa) -> Output {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for (i, row) in table.iter().enumerate() {
            for (j, count) in row.iter().enumerate() {
                a.extend(vec![Label::from(i as f64); *count]);
                b.extend(vec![Label::from(j as f64); *count]);
            }
        }
        kappa(&a, &b, &[], params).unwrap()
    }

    #[test]
    fn worked_tables() {
        let out = of(&[&[40, 10], &[5, 45]], &Kappa::default());
        assert!((out.kappa.unwrap() - 0.7).abs() < 1e-12 && (out.observed - 0.85).abs() < 1e-12);
        let grades: [&[usize]; 5] = [
            &[8, 2, 0, 0, 0],
            &[1, 6, 3, 0, 0],
            &[0, 2, 7, 1, 0],
            &[0, 0, 2, 7, 1],
            &[0, 0, 1, 2, 7],
        ];
        let out = of(&grades, &Kappa { weights: Weights::Quadratic, ..Kappa::default() });
        assert!(
            (out.kappa.unwrap() - 0.904).abs() < 5e-4 && (out.rmse.unwrap() - 0.6).abs() < 5e-4
        );
        assert!((out.observed - 0.70).abs() < 1e-12 && (out.adjacent - 0.98).abs() < 1e-12);
    }

    #[test]
    fn two_constant_raters_are_undefined() {
        assert_eq!(of(&[&[5]], &Kappa::default()).kappa, None);
    }

    #[test]
    fn equal_margins_make_cohen_scott() {
        let table: [&[usize]; 2] = [&[30, 10], &[10, 50]];
        let by = |chance| of(&table, &Kappa { chance, ..Kappa::default() }).kappa.unwrap();
        assert!((by(Chance::Cohen) - by(Chance::Scott)).abs() < 1e-12);
        assert!((by(Chance::Uniform) - 0.6).abs() < 1e-12);
    }
}
