//! Agreement of many raters with gaps: Krippendorff's α, Fleiss' κ, Randolph's κ, Gwet's AC.
//!
//! # Formula
//!
//! ```text
//! krippendorff: α = 1 − D_o/D_e,  o_ck = Σ_u (pairs c, k in unit u)/(m_u − 1),  D = Σ o_ck·δ²_ck / n,
//!               D_e = Σ n_c·n_k·δ²_ck / (n(n − 1))
//! others:       (P_a − P_e)/(1 − P_e),  P_a = mean over units of the share of agreeing pairs of ratings
//!               P_e = Σ π_k² (fleiss),  1/q (randolph),  Σ π_k(1 − π_k)/(q − 1) (gwet)
//! ```
//!
//! `m_u` ratings in unit u, `n_c` pairable ratings with label c, `δ` the distance of two labels by `metric`, `π_k` the mean
//! share of label k, `q` the number of labels. Units with fewer than two ratings do not count.
//!
//! # When to use it
//!
//! Krippendorff for any number of raters, gaps, and graded labels; Gwet where one label dominates and the others collapse
//! (the paradox of κ). For two raters without gaps `stats.kappa`.
//!
//! # Departures
//!
//! Fleiss, Randolph and Gwet go over units of any number of ratings; with equal numbers they are the textbook values. Gwet's
//! π counts units with a single rating too, as Gwet has it. `metric` is read by Krippendorff alone. One label only leaves
//! every coefficient but Gwet's undefined (null).
//!
//! # Example
//!
//! ```yaml
//! use: stats.agreement
//! kind: krippendorff
//! metric: ordinal
//! ```
//!
//! ```
//! use guerdon_stats::stats::agreement::{Agreement, coefficient};
//! let units = vec![vec![0, 0], vec![1, 1], vec![0, 1], vec![1, 1]];
//! let alpha = coefficient(&units, &[0.0, 1.0], &Agreement::default()).unwrap();
//! assert!((alpha - 0.533_333_333_333_333_3).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011; Fleiss 1971; Randolph 2005; Gwet, "Computing inter-rater
//! reliability and its variance in the presence of high agreement", 2008.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::{check_level, check_rounds};
use crate::labels::{Codes, Label};
use crate::moments::at_least;
use crate::resample::{Interval, IntervalKind, interval, replicates};

/// Which coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Krippendorff's α.
    #[default]
    Krippendorff,
    /// Fleiss' κ.
    Fleiss,
    /// Randolph's free-marginal κ.
    Randolph,
    /// Gwet's AC1.
    Gwet,
}

/// The distance of two labels, for Krippendorff's α.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// 0 or 1.
    #[default]
    Nominal,
    /// Ratings between the two in the order of labels, ends counted half.
    Ordinal,
    /// The difference of the numbers.
    Interval,
    /// The difference over the sum of the numbers.
    Ratio,
}

/// Parameters of `stats.agreement`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Agreement {
    /// Which coefficient. Default `krippendorff`.
    pub kind: Kind,
    /// The distance of two labels. Default `nominal`.
    pub metric: Metric,
    /// Bootstrap resamples of the units, 0 (no interval) to 1,000,000. Default 0.
    pub rounds: u32,
    /// Confidence level, between 0 and 1. Default 0.95.
    pub level: f64,
}

impl Default for Agreement {
    fn default() -> Self {
        Self { kind: Kind::Krippendorff, metric: Metric::Nominal, rounds: 0, level: 0.95 }
    }
}

impl Params for Agreement {
    fn validate(&self) -> Result<(), ParamError> {
        check_rounds(self.rounds.max(1))?;
        check_level(self.level)?;
        if self.kind != Kind::Krippendorff && self.metric != Metric::Nominal {
            return Err(ParamError::new(
                "metric",
                "`metric` other than `nominal` goes with `kind: krippendorff` only",
            ));
        }
        Ok(())
    }
}

/// Input of `stats.agreement`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Per rater, the label of every unit; null where the rater gave none. All raters list the same units.
    pub ratings: Vec<Vec<Option<Label>>>,
    /// All labels in their order; absent: those that occur, ascending.
    #[serde(default)]
    pub labels: Vec<Label>,
}

/// Output of `stats.agreement`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The coefficient, at most 1; null where it is undefined.
    pub coefficient: Option<f64>,
    /// Bootstrap interval over units; null without rounds.
    pub interval: Option<Interval>,
    /// Share of agreeing pairs of ratings, mean over units.
    pub observed: Option<f64>,
    /// Units with at least two ratings.
    pub units: usize,
}

/// How often each label was given in every unit, with a weight per unit.
struct Counts<'a> {
    units: &'a [Vec<f64>],
    weight: &'a [u32],
}

impl Counts<'_> {
    /// Units with at least two ratings, with their weight and number of ratings.
    fn pairable(&self) -> impl Iterator<Item = (&Vec<f64>, f64, f64)> {
        let rows = self
            .units
            .iter()
            .zip(self.weight)
            .map(|(u, w)| (u, f64::from(*w), u.iter().sum::<f64>()));
        rows.filter(|(_, w, m)| *w > 0.0 && *m >= 2.0)
    }

    fn observed(&self) -> Option<f64> {
        let (mut sum, mut total) = (0.0, 0.0);
        for (unit, w, m) in self.pairable() {
            sum += w * unit.iter().map(|c| c * (c - 1.0)).sum::<f64>() / (m * (m - 1.0));
            total += w;
        }
        (total > 0.0).then(|| sum / total)
    }

    fn krippendorff(&self, numbers: &[f64], metric: Metric) -> Option<f64> {
        let q = numbers.len();
        let mut totals = vec![0.0; q];
        for (unit, w, _) in self.pairable() {
            (0..q).for_each(|c| totals[c] += w * unit[c]);
        }
        let distance = distances(&totals, numbers, metric);
        let mut observed = 0.0;
        for (unit, w, m) in self.pairable() {
            let present: Vec<usize> = (0..q).filter(|&c| unit[c] > 0.0).collect();
            for &c in &present {
                observed += present
                    .iter()
                    .map(|&k| w * unit[c] * unit[k] * distance[c * q + k])
                    .sum::<f64>()
                    / (m - 1.0);
            }
        }
        let n: f64 = totals.iter().sum();
        let expected: f64 =
            (0..q * q).map(|i| totals[i / q] * totals[i % q] * distance[i]).sum::<f64>()
                / (n - 1.0);
        (expected > 0.0 && expected.is_finite()).then(|| 1.0 - observed / expected)
    }

    fn by_chance(&self, kind: Kind, q: usize) -> Option<f64> {
        let mut shares = vec![0.0; q];
        let mut total = 0.0;
        let rows = self
            .units
            .iter()
            .zip(self.weight)
            .map(|(u, w)| (u, f64::from(*w), u.iter().sum::<f64>()));
        // Fleiss weighs every rating alike, Gwet every unit.
        for (unit, w, m) in
            rows.filter(|(_, _, m)| *m >= if kind == Kind::Gwet { 1.0 } else { 2.0 })
        {
            let scale = if kind == Kind::Gwet { w / m } else { w };
            (0..q).for_each(|k| shares[k] += scale * unit[k]);
            total += scale * m;
        }
        let share = |k: usize| shares[k] / total;
        match kind {
            Kind::Randolph => Some(1.0 / q as f64),
            Kind::Gwet if q < 2 => Some(0.0),
            Kind::Gwet => {
                Some((0..q).map(|k| share(k) * (1.0 - share(k))).sum::<f64>() / (q as f64 - 1.0))
            }
            _ => Some((0..q).map(|k| share(k).powi(2)).sum()),
        }
        .filter(|p: &f64| p.is_finite())
    }

    fn coefficient(&self, numbers: &[f64], params: &Agreement) -> Option<f64> {
        if params.kind == Kind::Krippendorff {
            return self.krippendorff(numbers, params.metric);
        }
        let (observed, chance) = (self.observed()?, self.by_chance(params.kind, numbers.len())?);
        (chance < 1.0 - 1e-12).then(|| (observed - chance) / (1.0 - chance))
    }
}

/// Squared distances of all pairs of labels.
fn distances(totals: &[f64], numbers: &[f64], metric: Metric) -> Vec<f64> {
    let q = numbers.len();
    let mut cumulative = vec![0.0];
    for total in totals {
        cumulative.push(cumulative[cumulative.len() - 1] + total);
    }
    let one = |c: usize, k: usize| {
        let (a, b) = (numbers[c], numbers[k]);
        match metric {
            _ if c == k => 0.0,
            Metric::Nominal => 1.0,
            Metric::Ordinal => {
                let (low, high) = (c.min(k), c.max(k));
                (cumulative[high + 1] - cumulative[low] - f64::midpoint(totals[c], totals[k]))
                    .powi(2)
            }
            Metric::Interval => (a - b).powi(2),
            Metric::Ratio => {
                if a + b == 0.0 {
                    0.0
                } else {
                    ((a - b) / (a + b)).powi(2)
                }
            }
        }
    };
    (0..q * q).map(|i| one(i / q, i % q)).collect()
}

/// The coefficient of `units` (per unit, the indices of the labels given); `numbers` holds each label's number.
pub fn coefficient(units: &[Vec<usize>], numbers: &[f64], params: &Agreement) -> Option<f64> {
    let counts = count(units, numbers.len());
    Counts { units: &counts, weight: &vec![1; counts.len()] }.coefficient(numbers, params)
}

fn count(units: &[Vec<usize>], q: usize) -> Vec<Vec<f64>> {
    let one = |unit: &Vec<usize>| {
        let mut counts = vec![0.0; q];
        for &label in unit {
            counts[label] += 1.0;
        }
        counts
    };
    units.iter().map(one).collect()
}

/// Most cells (units × labels, and labels × labels).
const CELL_LIMIT: usize = 20_000_000;

/// Codes the table: per unit the indices of its labels, and each label's number (its place where it is a text).
fn read(input: &Input, metric: Metric) -> Result<(Vec<Vec<usize>>, Vec<f64>), MethodError> {
    at_least("ratings", input.ratings.len(), 1)?;
    let width = input.ratings[0].len();
    for row in &input.ratings {
        MethodError::same_length(("ratings[0]", width), ("a row of ratings", row.len()))?;
    }
    let codes = Codes::new(input.ratings.iter().flatten().flatten(), &input.labels)?;
    if codes.len().saturating_mul(codes.len().max(width)) > CELL_LIMIT {
        return Err(MethodError::Budget(format!(
            "{} labels × {width} units exceed {CELL_LIMIT} cells",
            codes.len()
        )));
    }
    let numbers = match codes.numbers() {
        Some(numbers) => numbers,
        None if matches!(metric, Metric::Interval | Metric::Ratio) => {
            return Err(MethodError::domain("`interval` and `ratio` need labels that are numbers"));
        }
        None => (0..codes.len()).map(|i| i as f64).collect(),
    };
    let unit = |u: usize| {
        input.ratings.iter().filter_map(|row| row[u].as_ref()).map(|l| codes.code(l)).collect()
    };
    Ok(((0..width).map(unit).collect::<Result<_, _>>()?, numbers))
}

impl Function for Agreement {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, seed: u64) -> Result<Output, MethodError> {
        let (units, numbers) = read(input, self.metric)?;
        let rows = count(&units, numbers.len());
        let ones = vec![1; rows.len()];
        let all = Counts { units: &rows, weight: &ones };
        let value = all.coefficient(&numbers, self).filter(|v| v.is_finite());
        let interval = match value {
            Some(value) if self.rounds > 0 => {
                let draw = |weight: &[u32]| {
                    Counts { units: &rows, weight }
                        .coefficient(&numbers, self)
                        .filter(|v| v.is_finite())
                };
                let replicates = replicates(rows.len(), self.rounds, seed, draw)?;
                interval(IntervalKind::Percentile, value, &replicates, &[], self.level)
            }
            _ => None,
        };
        Ok(Output {
            coefficient: value,
            interval,
            observed: all.observed(),
            units: all.pairable().count(),
        })
    }
}

guerdon_core::method! {
    Agreement: Function,
    id: "stats.agreement",
    papers: ["persuasive-pairs-2024"],
    status: Verified(Reference("krippendorff 0.9; statsmodels fleiss_kappa 0.15")),
    laws: [],
    exempt: [PermutationInvariant: "the rows are raters, whose order is shuffled together with the labels' order."],
    samples: [
        r#"{"ratings": [[1, 2, 3, 3], [1, 2, 3, 2], [null, 2, 3, 3]]}"#,
        r#"{"ratings": [["a", "b"], ["a", "a"], ["b", "b"]], "labels": ["a", "b"]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Agreement, Input, Kind, Metric};
    use crate::labels::Label;
    use guerdon_core::method::Function as _;

    fn input(rows: &[&str]) -> Input {
        let row = |r: &&str| {
            r.chars().map(|c| (c != '.').then(|| Label::from(c.to_string().as_str()))).collect()
        };
        Input { ratings: rows.iter().map(row).collect(), labels: Vec::new() }
    }

    #[test]
    fn perfect_agreement_is_one() {
        for kind in [Kind::Krippendorff, Kind::Fleiss, Kind::Randolph, Kind::Gwet] {
            let out = Agreement { kind, ..Agreement::default() }
                .call(&input(&["abca", "abca", "ab.."]), 0)
                .unwrap();
            assert_eq!(
                (out.coefficient, out.observed, out.units),
                (Some(1.0), Some(1.0), 4),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn gwet_survives_a_dominant_label() {
        let rows = ["aaaaaaaaab", "aaaaaaaaba"];
        let of = |kind| {
            Agreement { kind, ..Agreement::default() }
                .call(&input(&rows), 0)
                .unwrap()
                .coefficient
                .unwrap()
        };
        // Pa 0.8, π (0.9, 0.1): Pe 0.18, so (0.8 − 0.18)/0.82.
        assert!((of(Kind::Gwet) - 0.62 / 0.82).abs() < 1e-12);
        assert!(of(Kind::Fleiss) < 0.0);
    }

    #[test]
    fn bad_tables_are_refused() {
        assert!(Agreement::default().call(&input(&["ab", "a"]), 0).is_err());
        assert!(
            Agreement { metric: Metric::Interval, ..Agreement::default() }
                .call(&input(&["ab", "ab"]), 0)
                .is_err()
        );
        assert_eq!(Agreement::default().call(&input(&["a.", ".a"]), 0).unwrap().coefficient, None);
    }
}
