//! Bradley–Terry with style: how much of a win is owed to length, lists and bold face rather than to the contestant.
//!
//! # Formula
//!
//! ```text
//! P(first wins) = σ(θ_a − θ_b + Σ_f β_f z_f)
//! z_f = (x_f − mean) / sd over the rows,   x_f = (s_a − s_b) / (s_a + s_b + 1)   (transform: relative)
//! maximise  Σ w (S ln P + (1 − S) ln(1 − P)) − (ridge / 2) (Σ (θ / ln 10)² + Σ β²),   S = 1, ½, 0
//! ```
//!
//! `s_a`, `s_b` are the values of a style property (tokens, headers, lists) in the two completions.
//!
//! # When to use it
//!
//! When judges favour a style and contestants differ in it. With one property, the length, it is length control. Style that
//! is part of quality is taken away with the rest: report both tables.
//!
//! # Departures
//!
//! The features, their standardisation and the ridge (1.0 in the halved form, on the ratings in base-10 units and on the
//! coefficients) are FastChat's; there a quasi-Newton search stops early, here Newton's method goes to rounding error. A
//! property that never varies gets the coefficient 0 and a warning. The mean of z over rows is removed, so that the first
//! slot's advantage is not part of style.
//!
//! # Example
//!
//! ```yaml
//! use: rank.style_bt
//! features: [length]
//! ```
//!
//! ```
//! use guerdon_rank::rank::style_bt::relative;
//! assert_eq!(relative(300.0, 99.0), 201.0 / 400.0);
//! ```
//!
//! # References
//!
//! Li et al., "Does style matter? Disentangling style and substance in Chatbot Arena", 2024; Dubois et al.,
//! "Length-Controlled AlpacaEval", 2024.

use guerdon_core::method::Params;
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rate;
use crate::comparisons::Style;
use crate::fit::pair::{ln_sigmoid, sigmoid};
use crate::graph;
use crate::linalg::{Cholesky, Matrix, max_abs};
use crate::report::leaderboard::{Draft, Scale};
use crate::{Comparisons, Counts, Leaderboard};

/// Most contestants: the information matrix is dense.
const MOST: usize = 2000;

/// How two values of a style property become one feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// (a − b) / (a + b + 1), for counts.
    #[default]
    Relative,
    /// a − b.
    Plain,
}

/// Parameters of `rank.style_bt`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StyleBt {
    /// The style properties to control for. Default: all that the comparisons have.
    pub features: Option<Vec<String>>,
    /// How two values become one feature. Default: relative.
    pub transform: Difference,
    /// λ of the penalty (λ/2)·(Σ(θ/ln 10)² + Σβ²), at least 0; default 1.
    pub ridge: f64,
    /// Level of the intervals, between 0 and 1; default 0.95.
    pub level: f64,
}

impl Default for StyleBt {
    fn default() -> Self {
        Self { features: None, transform: Difference::Relative, ridge: 1.0, level: 0.95 }
    }
}

impl Params for StyleBt {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("ridge", self.ridge, 0.0, f64::INFINITY)?;
        super::check_level(self.level)
    }
}

/// The relative difference of two counts: (a − b) / (a + b + 1).
pub fn relative(a: f64, b: f64) -> f64 {
    (a - b) / (a + b + 1.0)
}

/// Strengths and style coefficients.
#[derive(Debug, Clone, PartialEq)]
pub struct StyleFit {
    /// Natural-log strengths, mean 0 within each group of contestants that met.
    pub theta: Vec<f64>,
    /// Standard errors of the strengths, from the curvature.
    pub errors: Vec<f64>,
    /// Name and coefficient of each feature, in natural-log odds per standard deviation.
    pub coefficients: Vec<(String, f64)>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl StyleBt {
    /// Fits strengths and coefficients to the rows of `all`.
    pub fn fit(&self, all: &Comparisons, counts: &Counts) -> Result<StyleFit, MethodError> {
        super::needs_comparisons(counts)?;
        if counts.n() > MOST {
            return Err(MethodError::Budget(format!(
                "`rank.style_bt` serves up to {MOST} contestants"
            )));
        }
        if self.ridge == 0.0 && graph::separation(counts, &[]).is_some() {
            return Err(MethodError::domain(
                "someone never lost to the others: set `ridge` (1 is the default)",
            ));
        }
        let chosen = self.chosen(all)?;
        let mut warnings = Vec::new();
        let columns = chosen
            .iter()
            .map(|style| self.feature(style, &mut warnings))
            .collect::<Result<Vec<_>, _>>()?;
        let problem = Problem::new(self.ridge, all, counts, columns);
        let (point, errors) = problem.solve()?;
        let (theta, beta) = point.split_at(counts.n());
        let coefficients =
            chosen.iter().map(|style| style.name.clone()).zip(beta.iter().copied()).collect();
        Ok(StyleFit { theta: theta.to_vec(), errors, coefficients, warnings })
    }

    fn chosen<'a>(&self, all: &'a Comparisons) -> Result<Vec<&'a Style>, MethodError> {
        let Some(features) = &self.features else { return Ok(all.styles().iter().collect()) };
        let known: Vec<String> = all.styles().iter().map(|style| style.name.clone()).collect();
        let find = |name: &String| {
            all.styles().iter().find(|style| style.name == *name).ok_or_else(|| {
                MethodError::MissingColumn {
                    name: name.clone(),
                    near: guerdon_core::nearest(name, known.iter().map(String::as_str))
                        .map(str::to_owned),
                    known: known.clone(),
                }
            })
        };
        features.iter().map(find).collect()
    }

    /// The standardised feature of each row.
    fn feature(&self, style: &Style, warnings: &mut Vec<String>) -> Result<Vec<f64>, MethodError> {
        let pairs = style.first.iter().zip(&style.second);
        let mut values: Vec<f64> = match self.transform {
            Difference::Relative => pairs.map(|(&a, &b)| relative(a, b)).collect(),
            Difference::Plain => pairs.map(|(a, b)| a - b).collect(),
        };
        MethodError::all_finite(&style.name, &values)?;
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let deviation = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        if deviation <= 1e-12 * (1.0 + mean.abs()) || !deviation.is_finite() {
            warnings.push(format!(
                "`{}` never varies between the two sides: its coefficient is 0",
                style.name
            ));
            values.fill(0.0);
        } else {
            for x in &mut values {
                *x = (*x - mean) / deviation;
            }
        }
        Ok(values)
    }
}

struct Problem<'a> {
    all: &'a Comparisons,
    n: usize,
    columns: Vec<Vec<f64>>,
    /// Penalty of each parameter.
    penalty: Vec<f64>,
    components: graph::Components,
}

impl<'a> Problem<'a> {
    fn new(ridge: f64, all: &'a Comparisons, counts: &Counts, columns: Vec<Vec<f64>>) -> Self {
        let n = counts.n();
        let tens = std::f64::consts::LN_10 * std::f64::consts::LN_10;
        let mut penalty = vec![ridge / tens; n];
        // A feature that never varies needs some penalty, or its coefficient would be undetermined.
        penalty.extend(
            columns
                .iter()
                .map(|c| if c.iter().all(|x| *x == 0.0) { ridge.max(1.0) } else { ridge }),
        );
        Self { all, n, columns, penalty, components: graph::connected(counts, &[]) }
    }

    fn odds(&self, point: &[f64], k: usize, a: usize, b: usize) -> f64 {
        let style: f64 =
            self.columns.iter().zip(&point[self.n..]).map(|(column, beta)| beta * column[k]).sum();
        point[a] - point[b] + style
    }

    fn value(&self, point: &[f64]) -> f64 {
        let rows = self.all.rows().enumerate().map(|(k, (a, b, outcome, weight))| {
            let odds = self.odds(point, k, a, b);
            weight
                * (outcome.points() * ln_sigmoid(odds)
                    + (1.0 - outcome.points()) * ln_sigmoid(-odds))
        });
        rows.sum::<f64>()
            - 0.5 * self.penalty.iter().zip(point).map(|(p, x)| p * x * x).sum::<f64>()
    }

    fn gradient_and_information(&self, point: &[f64]) -> (Vec<f64>, Matrix) {
        let size = point.len();
        let mut gradient: Vec<f64> = self.penalty.iter().zip(point).map(|(p, x)| -p * x).collect();
        let mut information = Matrix::zeros(size);
        for (k, (a, b, outcome, weight)) in self.all.rows().enumerate() {
            let p = sigmoid(self.odds(point, k, a, b));
            let (surplus, curve) = (weight * (outcome.points() - p), weight * p * (1.0 - p));
            gradient[a] += surplus;
            gradient[b] -= surplus;
            information.add_edge(a, b, curve);
            for (f, column) in self.columns.iter().enumerate() {
                let (row, x) = (self.n + f, column[k]);
                gradient[row] += surplus * x;
                // Only the lower triangle is read.
                information.add(row, a, curve * x);
                information.add(row, b, -curve * x);
                for (g, other) in self.columns.iter().enumerate().take(f + 1) {
                    information.add(row, self.n + g, curve * x * other[k]);
                }
            }
        }
        for (i, penalty) in self.penalty.iter().enumerate() {
            information.add(i, i, *penalty);
        }
        (gradient, information)
    }

    fn solve(&self) -> Result<(Vec<f64>, Vec<f64>), MethodError> {
        let mut point = vec![0.0; self.n + self.columns.len()];
        for _ in 0..200 {
            let (gradient, mut information) = self.gradient_and_information(&point);
            let gauge = information.at(0, 0).max(f64::MIN_POSITIVE);
            self.add_gauge(&mut information, gauge);
            let factor = Cholesky::of(information).ok_or_else(|| {
                MethodError::domain(
                    "the style properties determine each other: leave one out or set `ridge`",
                )
            })?;
            let step = factor.solve(&gradient);
            let moved = self.advance(&mut point, &step);
            if moved <= 1e-11 * (1.0 + max_abs(&point)) {
                return Ok((point, self.errors(&factor, gauge)));
            }
        }
        Err(MethodError::Budget(
            "the style-controlled fit did not converge in 200 steps: raise `ridge`".into(),
        ))
    }

    fn add_gauge(&self, information: &mut Matrix, gauge: f64) {
        for members in self.components.members() {
            for &i in &members {
                for &j in &members {
                    information.add(i, j, gauge / members.len() as f64);
                }
            }
        }
    }

    fn errors(&self, factor: &Cholesky, gauge: f64) -> Vec<f64> {
        let inverse = factor.inverse();
        let sizes: Vec<f64> = self.components.members().iter().map(|m| m.len() as f64).collect();
        let level = |i: usize| 1.0 / ((gauge + self.penalty[i]) * sizes[self.components.label[i]]);
        (0..self.n).map(|i| (inverse.at(i, i) - level(i)).max(0.0).sqrt()).collect()
    }

    fn advance(&self, point: &mut Vec<f64>, step: &[f64]) -> f64 {
        let before = self.value(point);
        let mut scale = 1.0;
        for _ in 0..40 {
            let mut next: Vec<f64> = point.iter().zip(step).map(|(x, s)| x + scale * s).collect();
            self.components.center(&mut next);
            if self.value(&next) >= before - 1e-12 * before.abs() {
                *point = next;
                return scale * max_abs(step);
            }
            scale *= 0.5;
        }
        0.0
    }
}

impl Rate for StyleBt {
    fn rate(
        &self,
        all: &Comparisons,
        counts: &Counts,
        _seed: u64,
    ) -> Result<Leaderboard, MethodError> {
        let fit = self.fit(all, counts)?;
        let z = guerdon_stats::dist::two_sided_z(self.level);
        let mut draft = Draft::new(METHOD.id, all.names(), counts, fit.theta, Scale::Strength);
        draft.component = graph::connected(counts, &[]).label;
        draft.intervals = draft
            .values
            .iter()
            .zip(&fit.errors)
            .map(|(t, e)| Some((t - z * e, t + z * e)))
            .collect();
        draft.interval = Some(("fisher", self.level));
        draft.fit = fit
            .coefficients
            .into_iter()
            .map(|(name, beta)| (format!("style {name}"), beta))
            .collect();
        draft.warnings = all.warnings().iter().cloned().chain(fit.warnings).collect();
        if draft.fit.is_empty() {
            draft.warnings.push(
                "the comparisons have no style properties: this is a plain Bradley-Terry fit"
                    .into(),
            );
        }
        Ok(draft.finish())
    }
}

function_of_comparisons!(StyleBt);

guerdon_core::method! {
    StyleBt: Function,
    id: "rank.style_bt",
    papers: [],
    status: Verified(ClosedForm("without features it is the ridge-penalised Bradley-Terry fit; simulated coefficients are recovered")),
    laws: [],
    exempt: [
        PermutationInvariant: "the result is invariant, but the columns of a style lie deeper than the lists that the law shuffles."
    ],
    samples: [
        r#"{"first": ["a", "b", "c", "a", "b", "c"], "second": ["b", "c", "a", "c", "a", "b"],
            "outcome": ["first", "tie", "first", "first", "first", "second"],
            "styles": [{"name": "length", "first": [200, 300, 80, 500, 90, 70], "second": [100, 320, 120, 90, 200, 300]}]}"#
    ],
}

#[cfg(test)]
mod tests {
    use super::StyleBt;
    use crate::comparisons::Style;
    use crate::fit::pair::sigmoid;
    use crate::fit::{Options, fit};
    use crate::{Comparisons, Outcome};
    use guerdon_core::seed;
    use rand::RngExt as _;

    /// Weak contestants write long, and judges like it long: plain ratings are compressed, controlled ones are right.
    #[test]
    fn a_planted_preference_for_length_is_found() {
        let mut rng = seed::stream(4, "style");
        let truth: Vec<f64> = (0..6_u8).map(|i| f64::from(i) * 0.4 - 1.0).collect();
        let (mut first, mut second, mut outcome, mut lengths) =
            (vec![], vec![], vec![], (vec![], vec![]));
        for _ in 0..20_000 {
            let a = rng.random_range(0..6_u32);
            let b = (a + rng.random_range(1..6_u32)) % 6;
            let mut length =
                |i: u32| 400.0 * (-0.5 * truth[i as usize]).exp() * rng.random_range(0.5..1.5_f64);
            let (long_a, long_b) = (length(a), length(b));
            let odds =
                truth[a as usize] - truth[b as usize] + 3.0 * super::relative(long_a, long_b);
            outcome.push(if rng.random::<f64>() < sigmoid(odds) {
                Outcome::First
            } else {
                Outcome::Second
            });
            first.push(a);
            second.push(b);
            lengths.0.push(long_a);
            lengths.1.push(long_b);
        }
        let names = (0..6).map(|i| format!("m{i}")).collect();
        let all = Comparisons::new(names, first, second, outcome).unwrap();
        let all = all
            .with_style(Style { name: "length".into(), first: lengths.0, second: lengths.1 })
            .unwrap();
        let counts = all.counts();
        let controlled = StyleBt::default().fit(&all, &counts).unwrap();
        let plain = fit(&counts, all.names(), &Options::default()).unwrap();
        let error = |theta: &[f64]| {
            theta.iter().zip(&truth).map(|(t, x)| (t - x).powi(2)).sum::<f64>().sqrt()
        };
        assert!(error(&controlled.theta) < 0.1, "{:?}", controlled.theta);
        assert!(error(&plain.theta) > 0.5);
        assert!(controlled.coefficients[0].1 > 0.3);
    }

    #[test]
    fn without_features_it_is_the_ridge_fit() {
        let outcome = vec![Outcome::First, Outcome::First, Outcome::Second, Outcome::Tie];
        let all =
            Comparisons::from_names(&["a", "b", "a", "c"], &["b", "c", "c", "a"], outcome).unwrap();
        let style = StyleBt::default().fit(&all, &all.counts()).unwrap();
        let tens = std::f64::consts::LN_10.powi(2);
        let ridge =
            fit(&all.counts(), all.names(), &Options { ridge: 1.0 / tens, ..Options::default() })
                .unwrap();
        assert!(style.theta.iter().zip(&ridge.theta).all(|(x, y)| (x - y).abs() < 1e-9));
    }

    #[test]
    fn a_missing_feature_is_an_error_and_a_constant_one_a_warning() {
        let all = Comparisons::from_names(
            &["a", "a"],
            &["b", "b"],
            vec![Outcome::First, Outcome::Second],
        )
        .unwrap();
        let missing = StyleBt { features: Some(vec!["length".into()]), ..StyleBt::default() };
        assert!(missing.fit(&all, &all.counts()).is_err());
        let flat = Style { name: "length".into(), first: vec![5.0; 2], second: vec![5.0; 2] };
        let all = all.with_style(flat).unwrap();
        let fit = StyleBt::default().fit(&all, &all.counts()).unwrap();
        assert_eq!(fit.coefficients[0].1, 0.0);
        assert!(fit.warnings[0].contains("never varies"));
    }
}
