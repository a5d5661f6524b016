//! Maximum-likelihood strengths from rankings of any number of contestants.
//!
//! # Formula
//!
//! ```text
//! P(ranking i_1 ≻ i_2 ≻ … ≻ i_m) = Π_k  p_{i_k} / (p_{i_k} + … + p_{i_m}),   p = e^θ
//! maximise  Σ ln P − (ridge / 2) Σ θ²
//! ```
//!
//! A ranking lists some of the contestants, best first; those not listed are not compared.
//!
//! # When to use it
//!
//! When judges order several completions at once. Rankings of two are Bradley–Terry (`rank.bradley_terry`), which also
//! knows ties.
//!
//! # Departures
//!
//! `ridge` is λ in (λ/2)Σθ²; choix penalises αΣθ², so that its α is half of λ. The interval comes from the curvature of
//! the likelihood.
//!
//! # Example
//!
//! ```yaml
//! use: rank.plackett_luce
//! ridge: 0.1
//! ```
//!
//! ```
//! use guerdon_core::method::Function as _;
//! use guerdon_rank::rank::plackett_luce::{PlackettLuce, Rankings};
//! let list = |names: &str| names.chars().map(String::from).collect();
//! let rankings = Rankings { rankings: vec![list("abc"), list("bca"), list("cab"), list("abc")], weight: None };
//! let board = PlackettLuce::default().call(&rankings, 0)?;
//! assert_eq!(board.ratings[0].name, "a");
//! # Ok::<(), guerdon_core::MethodError>(())
//! ```
//!
//! # References
//!
//! Luce, "Individual Choice Behavior", 1959; Plackett, "The analysis of permutations", 1975; Hunter, 2004.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::comparisons::names::Names;
use crate::graph;
use crate::linalg::{Cholesky, Matrix, max_abs};
use crate::report::leaderboard::{Draft, Scale};
use crate::{Cell, Counts, Leaderboard};

/// Most contestants: the information matrix is dense.
const MOST: usize = 2000;

/// Rankings, best first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rankings {
    /// Each ranking lists names, best first, none twice.
    pub rankings: Vec<Vec<String>>,
    /// How often each ranking counts, finite and at least 0. Default: once.
    #[serde(default)]
    pub weight: Option<Vec<f64>>,
}

/// Parameters of `rank.plackett_luce`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlackettLuce {
    /// λ of the penalty (λ/2)·Σθ², at least 0; default 0.
    pub ridge: f64,
    /// Level of the intervals, between 0 and 1; default 0.95.
    pub level: f64,
    /// Most Newton steps, at least 1; default 200.
    pub limit: usize,
}

impl Default for PlackettLuce {
    fn default() -> Self {
        Self { ridge: 0.0, level: 0.95, limit: 200 }
    }
}

impl Params for PlackettLuce {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("ridge", self.ridge, 0.0, f64::INFINITY)?;
        ParamError::in_range("limit", self.limit as f64, 1.0, 1e6)?;
        super::check_level(self.level)
    }
}

/// Rankings by index, with their weights.
struct Data {
    names: Vec<String>,
    rankings: Vec<(Vec<usize>, f64)>,
}

impl Data {
    fn read(input: &Rankings) -> Result<Self, MethodError> {
        if let Some(weight) = &input.weight {
            MethodError::same_length(("rankings", input.rankings.len()), ("weight", weight.len()))?;
            if let Some(bad) = weight.iter().find(|w| !w.is_finite() || **w < 0.0) {
                return Err(MethodError::domain(format!(
                    "a weight is {bad}: weights must be finite and at least 0"
                )));
            }
        }
        let mut names = Names::default();
        let mut rankings = Vec::with_capacity(input.rankings.len());
        for (k, ranking) in input.rankings.iter().enumerate() {
            let ids = ranking
                .iter()
                .map(|name| Ok(names.id(name)? as usize))
                .collect::<Result<Vec<_>, MethodError>>()?;
            let mut sorted = ids.clone();
            sorted.sort_unstable();
            if let Some(twice) = sorted.windows(2).find(|w| w[0] == w[1]) {
                return Err(MethodError::domain(format!(
                    "ranking {k} lists `{}` twice",
                    ranking[ids.iter().position(|i| *i == twice[0]).unwrap_or(0)]
                )));
            }
            rankings.push((ids, input.weight.as_ref().map_or(1.0, |w| w[k])));
        }
        Ok(Self { names: names.into_vec(), rankings })
    }

    /// Who was placed before whom in neighbouring places: enough to know what is connected.
    fn counts(&self) -> Counts {
        let neighbours =
            self.rankings.iter().filter(|(_, weight)| *weight > 0.0).flat_map(|(ids, weight)| {
                ids.windows(2).map(|pair| Cell {
                    a: u32::try_from(pair[0]).unwrap_or(u32::MAX),
                    b: u32::try_from(pair[1]).unwrap_or(u32::MAX),
                    wins_a: *weight,
                    ..Cell::default()
                })
            });
        Counts::from_cells(self.names.len(), neighbours)
    }

    fn value(&self, theta: &[f64]) -> f64 {
        let of_ranking = |(ids, weight): &(Vec<usize>, f64)| {
            let mut value = 0.0;
            let mut sum = LogSum::default();
            for &i in ids.iter().rev() {
                sum.add(theta[i]);
                value += theta[i] - sum.ln();
            }
            weight * value
        };
        self.rankings.iter().map(of_ranking).sum()
    }

    fn gradient_and_information(&self, theta: &[f64]) -> (Vec<f64>, Matrix) {
        let n = theta.len();
        let (mut gradient, mut information) = (vec![0.0; n], Matrix::zeros(n));
        for (ids, weight) in &self.rankings {
            for (stage, &chosen) in ids.iter().enumerate().take(ids.len().saturating_sub(1)) {
                let rest = &ids[stage..];
                let top = rest.iter().map(|&i| theta[i]).fold(f64::NEG_INFINITY, f64::max);
                let total: f64 = rest.iter().map(|&i| (theta[i] - top).exp()).sum();
                let share = |i: usize| (theta[i] - top).exp() / total;
                gradient[chosen] += weight;
                for &i in rest {
                    gradient[i] -= weight * share(i);
                    information.add(i, i, weight * share(i));
                    for &j in rest {
                        information.add(i, j, -weight * share(i) * share(j));
                    }
                }
            }
        }
        (gradient, information)
    }
}

/// ln Σ e^x, term by term.
#[derive(Default)]
struct LogSum {
    top: Option<f64>,
    scaled: f64,
}

impl LogSum {
    fn add(&mut self, x: f64) {
        let top = self.top.map_or(x, |top| top.max(x));
        self.scaled = self.scaled * self.top.map_or(0.0, |old| (old - top).exp()) + (x - top).exp();
        self.top = Some(top);
    }

    fn ln(&self) -> f64 {
        self.top.unwrap_or(0.0) + self.scaled.ln()
    }
}

struct Solved {
    theta: Vec<f64>,
    errors: Vec<f64>,
    iterations: usize,
}

impl PlackettLuce {
    fn solve(&self, data: &Data, components: &graph::Components) -> Result<Solved, MethodError> {
        let mut theta = vec![0.0; data.names.len()];
        let singular = || {
            MethodError::domain(
                "the information about the strengths is singular: set `ridge` (for example 0.1)",
            )
        };
        for iterations in 1..=self.limit {
            let (mut gradient, information) = data.gradient_and_information(&theta);
            gradient.iter_mut().zip(&theta).for_each(|(g, t)| *g -= self.ridge * t);
            let (factor, gauge) = self.factor(information, components).ok_or_else(singular)?;
            let step = factor.solve(&gradient);
            let moved = self.advance(data, components, &mut theta, &step);
            if moved <= 1e-11 * (1.0 + max_abs(&theta)) {
                let errors = self.errors(&factor, gauge, components);
                return Ok(Solved { theta, errors, iterations });
            }
        }
        Err(MethodError::Budget(format!(
            "the fit did not converge in {} steps: raise `limit` or set `ridge`",
            self.limit
        )))
    }

    /// The factor of the information with ridge and, along each component's level, a gauge of this size.
    fn factor(
        &self,
        mut information: Matrix,
        components: &graph::Components,
    ) -> Option<(Cholesky, f64)> {
        let n = information.n();
        let gauge = ((0..n).map(|i| information.at(i, i)).sum::<f64>() / n as f64 + self.ridge)
            .max(f64::MIN_POSITIVE);
        for i in 0..n {
            information.add(i, i, self.ridge);
        }
        for members in components.members() {
            for &i in &members {
                for &j in &members {
                    information.add(i, j, gauge / members.len() as f64);
                }
            }
        }
        Some((Cholesky::of(information)?, gauge))
    }

    fn errors(&self, factor: &Cholesky, gauge: f64, components: &graph::Components) -> Vec<f64> {
        let inverse = factor.inverse();
        let sizes: Vec<f64> = components.members().iter().map(|m| m.len() as f64).collect();
        let variance =
            |i: usize| inverse.at(i, i) - 1.0 / ((gauge + self.ridge) * sizes[components.label[i]]);
        (0..inverse.n()).map(|i| variance(i).max(0.0).sqrt()).collect()
    }

    fn advance(
        &self,
        data: &Data,
        components: &graph::Components,
        theta: &mut Vec<f64>,
        step: &[f64],
    ) -> f64 {
        let value = |theta: &[f64]| {
            data.value(theta) - 0.5 * self.ridge * theta.iter().map(|t| t * t).sum::<f64>()
        };
        let before = value(theta);
        let mut scale = 1.0;
        for _ in 0..40 {
            let mut next: Vec<f64> = theta.iter().zip(step).map(|(t, s)| t + scale * s).collect();
            components.center(&mut next);
            if value(&next) >= before - 1e-12 * before.abs() {
                *theta = next;
                return scale * max_abs(step);
            }
            scale *= 0.5;
        }
        0.0
    }
}

impl Function for PlackettLuce {
    type Input = Rankings;
    type Output = Leaderboard;

    fn call(&self, input: &Rankings, _seed: u64) -> Result<Leaderboard, MethodError> {
        let data = Data::read(input)?;
        if data.names.len() > MOST {
            return Err(MethodError::Budget(format!(
                "`rank.plackett_luce` serves up to {MOST} contestants"
            )));
        }
        let counts = data.counts();
        super::needs_comparisons(&counts)?;
        let components = graph::connected(&counts, &[]);
        if self.ridge == 0.0
            && let Some(found) = graph::separation(&counts, &[])
        {
            return Err(MethodError::domain(format!(
                "{} of {} contestants were never placed below the others: set `ridge` (for example 0.1)",
                found.above.len(),
                counts.n()
            )));
        }
        let solved = self.solve(&data, &components)?;
        let mut draft = Draft::new(METHOD.id, &data.names, &counts, solved.theta, Scale::Strength);
        let z = guerdon_stats::dist::two_sided_z(self.level);
        let around = |(t, e): (&f64, &f64)| Some((t - z * e, t + z * e));
        draft.intervals = draft.values.iter().zip(&solved.errors).map(around).collect();
        draft.interval = Some(("fisher", self.level));
        draft.fit.insert("log_likelihood".into(), data.value(&draft.values));
        draft.fit.insert("iterations".into(), solved.iterations as f64);
        if components.count > 1 {
            draft.warnings.push(format!(
                "{} groups never met: ratings are comparable only within a group",
                components.count
            ));
        }
        draft.component = components.label;
        Ok(draft.finish())
    }
}

guerdon_core::method! {
    PlackettLuce: Function,
    id: "rank.plackett_luce",
    papers: [],
    status: Verified(Reference("choix 0.4.1 opt_rankings and ilsr_rankings")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"rankings": [["a", "b", "c"], ["b", "c", "a"], ["c", "a"], ["a", "b"], ["a", "c", "b"]]}"#
    ],
}

#[cfg(test)]
mod tests {
    use super::{PlackettLuce, Rankings};
    use crate::fit::{Options, fit};
    use crate::{Cell, Counts};
    use guerdon_core::method::Function as _;

    fn rankings(lists: &[&str]) -> Rankings {
        let names = |list: &&str| list.chars().map(String::from).collect();
        Rankings { rankings: lists.iter().map(names).collect(), weight: None }
    }

    #[test]
    fn rankings_of_two_are_bradley_terry() {
        let board = PlackettLuce::default()
            .call(&rankings(&["ab", "ab", "ba", "bc", "cb", "bc", "ca"]), 0)
            .unwrap();
        let cell = |a, b, wins_a, wins_b| Cell { a, b, wins_a, wins_b, ties: 0.0 };
        let counts = Counts::from_cells(
            3,
            [cell(0, 1, 2.0, 1.0), cell(1, 2, 2.0, 1.0), cell(0, 2, 0.0, 1.0)],
        );
        let names = ["a", "b", "c"].map(str::to_owned);
        let theta = fit(&counts, &names, &Options::default()).unwrap().theta;
        for (name, theta) in names.iter().zip(theta) {
            assert!((board.get(name).unwrap().strength.unwrap() - theta).abs() < 1e-9);
        }
    }

    #[test]
    fn bad_rankings_are_refused() {
        let check = |input: &Rankings, says: &str| {
            let message = PlackettLuce::default().call(input, 0).unwrap_err().to_string();
            assert!(message.contains(says), "{message}");
        };
        check(&rankings(&["aba"]), "twice");
        check(&rankings(&[]), "at least two");
        check(&rankings(&["abc"]), "never placed below");
        check(&Rankings { weight: Some(vec![f64::NAN]), ..rankings(&["ab"]) }, "NaN");
        assert!(
            PlackettLuce { ridge: 0.1, ..PlackettLuce::default() }
                .call(&rankings(&["abc"]), 0)
                .is_ok()
        );
    }
}
