//! Choosing among effect estimators without seeing both outcomes: factual, plug-in, doubly robust, R and matching criteria.
//!
//! # Formula
//!
//! ```text
//! factual: mean (y − ŷ)²      plug_in: mean (τ̂ − (μ1 − μ0))²      r: mean (y − m − τ̂·(w − e))²
//! dr: mean (τ̂ − ψ)²,  ψ = μ1 − μ0 + w(y − μ1)/e − (1 − w)(y − μ0)/(1 − e)
//! matching: mean (τ̂ − difference to the nearest unit of the other arm)²      PEHE = √mean (τ̂ − τ)²
//! ```
//!
//! `w` treatment, `y` outcome, `e` propensity, `μ1`, `μ0`, `m` outcome models with, without and regardless of treatment.
//!
//! # When to use it
//!
//! To pick, on validation data, which estimate of "who gains" to use: which prompts gain from thinking mode. No criterion wins
//! everywhere; each favours estimators built like itself, so report several.
//!
//! # Departures
//!
//! Nuisances that are not given are fitted by ridge regression, cross-fitted over `folds` contiguous folds; the propensity by
//! the share treated (a randomised design). Influence functions are left out.
//!
//! # Example
//!
//! ```yaml
//! use: stats.cate_select
//! criterion: dr
//! ```
//!
//! ```
//! use guerdon_stats::stats::cate_select::pseudo_outcome;
//! assert_eq!(pseudo_outcome(3.0, true, 0.5, 2.0, 1.0), 3.0);
//! assert_eq!(pseudo_outcome(1.0, false, 0.5, 2.0, 1.0), 1.0);
//! ```
//!
//! # References
//!
//! Curth and van der Schaar, "In Search of Insights, Not Magic Bullets", 2023; Kennedy 2020 (DR); Nie and Wager 2021 (R).

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::linalg::ridge;
use crate::moments::{at_least, check, finite, mean};

/// What a candidate is judged by: smaller is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// Error of its predicted outcomes.
    Factual,
    /// Distance to μ1 − μ0.
    PlugIn,
    /// Distance to the doubly robust outcome.
    #[default]
    Dr,
    /// Robinson's residual loss.
    R,
    /// Distance to differences of nearest neighbours.
    Matching,
}

/// Parameters of `stats.cate_select`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CateSelect {
    /// What candidates are judged by. Default `dr`.
    pub criterion: Criterion,
    /// Folds for the nuisances, 2 to 100. Default 3.
    pub folds: usize,
    /// Ridge penalty of the nuisances, at least 0. Default 1.
    pub penalty: f64,
}

impl Default for CateSelect {
    fn default() -> Self {
        Self { criterion: Criterion::Dr, folds: 3, penalty: 1.0 }
    }
}

impl Params for CateSelect {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("folds", self.folds as f64, 2.0, 100.0)?;
        ParamError::in_range("penalty", self.penalty, 0.0, 1e100)
    }
}

/// One estimator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// Its effect for every unit.
    pub effect: Vec<f64>,
    /// Its prediction of the observed outcome, read by `factual`.
    #[serde(default)]
    pub outcome: Vec<f64>,
}

/// Input of `stats.cate_select`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Whether each unit was treated; some of either kind.
    pub treated: Vec<bool>,
    /// Observed outcomes.
    pub outcomes: Vec<f64>,
    /// Features of each unit, for fitted nuisances and matching.
    #[serde(default)]
    pub features: Vec<Vec<f64>>,
    /// Outcome model with treatment; absent: fitted.
    #[serde(default)]
    pub mu1: Vec<f64>,
    /// Outcome model without treatment; absent: fitted.
    #[serde(default)]
    pub mu0: Vec<f64>,
    /// Propensity, inside 0 to 1; absent: the share treated.
    #[serde(default)]
    pub propensity: Vec<f64>,
    /// The estimators, at least one.
    pub candidates: Vec<Candidate>,
    /// True effects, where known (simulations).
    #[serde(default)]
    pub truth: Vec<f64>,
}

/// One estimator's figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// Its name.
    pub name: String,
    /// Its criterion; smaller is better.
    pub criterion: f64,
    /// Root mean squared error of its effects; null without truth.
    pub pehe: Option<f64>,
}

/// Output of `stats.cate_select`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Index of the chosen estimator; ties to the first.
    pub index: usize,
    /// The estimators in their order.
    pub candidates: Vec<Judged>,
}

/// The doubly robust outcome of one unit.
pub fn pseudo_outcome(y: f64, treated: bool, e: f64, mu1: f64, mu0: f64) -> f64 {
    mu1 - mu0 + if treated { (y - mu1) / e } else { -(y - mu0) / (1.0 - e) }
}

/// Root mean squared error of effects. Slices are equally long and not empty.
pub fn pehe(effect: &[f64], truth: &[f64]) -> f64 {
    (effect.iter().zip(truth).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / effect.len() as f64)
        .sqrt()
}

/// Cross-fitted ridge predictions of `y` for all units from those where `member` holds.
fn cross_fit(
    x: &[Vec<f64>],
    y: &[f64],
    member: impl Fn(usize) -> bool,
    params: &CateSelect,
) -> Result<Vec<f64>, MethodError> {
    let n = x.len();
    let mut out = vec![0.0; n];
    for fold in 0..params.folds {
        let (from, to) = (fold * n / params.folds, (fold + 1) * n / params.folds);
        let train: Vec<usize> = (0..n).filter(|&i| (i < from || i >= to) && member(i)).collect();
        at_least("units to fit a nuisance on", train.len(), 2)?;
        let rows: Vec<&[f64]> = train.iter().map(|&i| x[i].as_slice()).collect();
        let targets: Vec<f64> = train.iter().map(|&i| y[i]).collect();
        let w = ridge(&rows, &targets, params.penalty)?;
        for i in from..to {
            out[i] = x[i].iter().zip(&w).map(|(x, w)| x * w).sum::<f64>() + w[x[i].len()];
        }
    }
    Ok(out)
}

struct Nuisance {
    mu1: Vec<f64>,
    mu0: Vec<f64>,
    e: Vec<f64>,
}

impl CateSelect {
    fn nuisance(&self, input: &Input) -> Result<Nuisance, MethodError> {
        let n = input.treated.len();
        let fitted = |given: &[f64], name: &str, side: bool| {
            if given.is_empty() {
                MethodError::same_length(("treated", n), ("features", input.features.len()))?;
                return cross_fit(
                    &input.features,
                    &input.outcomes,
                    |i| input.treated[i] == side,
                    self,
                );
            }
            MethodError::same_length(("treated", n), (name, given.len()))?;
            check(name, given)?;
            Ok(given.to_vec())
        };
        let share = input.treated.iter().filter(|t| **t).count() as f64 / n as f64;
        let e = if input.propensity.is_empty() { vec![share; n] } else { input.propensity.clone() };
        MethodError::same_length(("treated", n), ("propensity", e.len()))?;
        if e.iter().any(|e| !(1e-6..=1.0 - 1e-6).contains(e)) {
            return Err(MethodError::domain(
                "the propensity must lie inside 0 and 1: some units of either kind are needed",
            ));
        }
        Ok(Nuisance {
            mu1: fitted(&input.mu1, "mu1", true)?,
            mu0: fitted(&input.mu0, "mu0", false)?,
            e,
        })
    }

    /// What every candidate is compared with: per unit the target of τ̂ (`None` for `factual` and `r`).
    fn targets(&self, input: &Input, nuisance: &Nuisance) -> Result<Vec<f64>, MethodError> {
        let n = input.treated.len();
        let of = |f: &dyn Fn(usize) -> f64| (0..n).map(f).collect::<Vec<_>>();
        match self.criterion {
            Criterion::Matching => {
                MethodError::same_length(("treated", n), ("features", input.features.len()))?;
                if n > 5000 {
                    return Err(MethodError::Budget(
                        "`matching` takes at most 5000 units".to_owned(),
                    ));
                }
                let gap = |i: usize, j: usize| {
                    input.features[i]
                        .iter()
                        .zip(&input.features[j])
                        .map(|(a, b)| (a - b).powi(2))
                        .sum::<f64>()
                };
                let nearest = |i: usize| {
                    let others = (0..n).filter(|&j| input.treated[j] != input.treated[i]);
                    let best = others.min_by(|&a, &b| gap(i, a).total_cmp(&gap(i, b))).unwrap_or(i);
                    let difference = input.outcomes[i] - input.outcomes[best];
                    if input.treated[i] { difference } else { -difference }
                };
                Ok(of(&nearest))
            }
            Criterion::PlugIn => Ok(of(&|i| nuisance.mu1[i] - nuisance.mu0[i])),
            _ => Ok(of(&|i| {
                pseudo_outcome(
                    input.outcomes[i],
                    input.treated[i],
                    nuisance.e[i],
                    nuisance.mu1[i],
                    nuisance.mu0[i],
                )
            })),
        }
    }

    fn loss(
        &self,
        input: &Input,
        c: &Candidate,
        nuisance: Option<&(Nuisance, Vec<f64>)>,
    ) -> Result<f64, MethodError> {
        let n = input.treated.len();
        let terms: Vec<f64> = match (self.criterion, nuisance) {
            (Criterion::R, Some((nuisance, _))) => (0..n)
                .map(|i| {
                    let w = f64::from(u8::from(input.treated[i]));
                    let (e, mu1, mu0) = (nuisance.e[i], nuisance.mu1[i], nuisance.mu0[i]);
                    let m = e * mu1 + (1.0 - e) * mu0;
                    (input.outcomes[i] - m - c.effect[i] * (w - e)).powi(2)
                })
                .collect(),
            (Criterion::Factual, _) | (_, None) => {
                MethodError::same_length(
                    ("outcomes", n),
                    ("a candidate's outcome", c.outcome.len()),
                )?;
                check("a candidate's outcome", &c.outcome)?;
                c.outcome.iter().zip(&input.outcomes).map(|(a, b)| (a - b).powi(2)).collect()
            }
            (_, Some((_, targets))) => {
                c.effect.iter().zip(targets).map(|(a, b)| (a - b).powi(2)).collect()
            }
        };
        finite("criterion", mean(&terms))
    }
}

impl Function for CateSelect {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let n = input.treated.len();
        at_least("candidates", input.candidates.len(), 1)?;
        check("outcomes", &input.outcomes)?;
        MethodError::same_length(("treated", n), ("outcomes", input.outcomes.len()))?;
        let width = input.features.first().map_or(0, Vec::len);
        for row in &input.features {
            MethodError::same_length(("features[0]", width), ("a row of features", row.len()))?;
            MethodError::all_finite("features", row)?;
        }
        let nuisance = if self.criterion == Criterion::Factual {
            None
        } else {
            let nuisance = self.nuisance(input)?;
            let targets = self.targets(input, &nuisance)?;
            Some((nuisance, targets))
        };
        let judge = |c: &Candidate| {
            MethodError::same_length(("treated", n), ("a candidate's effect", c.effect.len()))?;
            check("a candidate's effect", &c.effect)?;
            let pehe = if input.truth.is_empty() {
                None
            } else {
                MethodError::same_length(("treated", n), ("truth", input.truth.len()))?;
                Some(finite("pehe", pehe(&c.effect, &input.truth))?)
            };
            Ok(Judged {
                name: c.name.clone(),
                criterion: self.loss(input, c, nuisance.as_ref())?,
                pehe,
            })
        };
        let candidates =
            input.candidates.iter().map(judge).collect::<Result<Vec<_>, MethodError>>()?;
        let best = candidates
            .iter()
            .enumerate()
            .reduce(|a, b| if b.1.criterion < a.1.criterion { b } else { a });
        Ok(Output { index: best.map_or(0, |b| b.0), candidates })
    }
}

guerdon_core::method! {
    CateSelect: Function,
    id: "stats.cate_select",
    papers: ["cate-selection-2023"],
    status: Verified(Worked("y 3, w 1, e 0.5, μ 2, 1: 3; w 0, y 1: 1; unbiased with true nuisances")),
    laws: [],
    exempt: [],
    aliases: ["stats.pehe"],
    samples: [
        r#"{"treated": [true, false, true, false], "outcomes": [3, 1, 4, 1], "mu1": [2, 2, 3, 3], "mu0": [1, 1, 1, 1], "candidates": [{"name": "a", "effect": [1, 1, 2, 2]}, {"name": "b", "effect": [0, 0, 0, 0]}], "truth": [1, 1, 2, 2]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Candidate, CateSelect, Criterion, Input};
    use guerdon_core::method::Function as _;

    /// Outcome 1 + x + 2w without noise: every sound criterion must choose the effect 2.
    fn input() -> Input {
        let n = 60;
        let features: Vec<Vec<f64>> = (0..n).map(|i| vec![f64::from(i % 13) / 13.0]).collect();
        let treated: Vec<bool> = (0..n).map(|i| i % 2 == 0).collect();
        let outcomes: Vec<f64> = features
            .iter()
            .zip(&treated)
            .map(|(x, t)| 1.0 + x[0] + if *t { 2.0 } else { 0.0 })
            .collect();
        let candidate = |name: &str, effect: f64| Candidate {
            name: name.into(),
            effect: vec![effect; 60],
            outcome: outcomes
                .iter()
                .zip(&treated)
                .map(|(y, t)| if *t { y - 2.0 + effect } else { *y })
                .collect(),
        };
        Input {
            candidates: vec![candidate("none", 0.0), candidate("two", 2.0), candidate("five", 5.0)],
            features,
            treated,
            outcomes,
            mu1: vec![],
            mu0: vec![],
            propensity: vec![],
            truth: vec![2.0; 60],
        }
    }

    #[test]
    fn every_criterion_finds_the_true_effect() {
        for criterion in [
            Criterion::Factual,
            Criterion::PlugIn,
            Criterion::Dr,
            Criterion::R,
            Criterion::Matching,
        ] {
            let params = CateSelect { criterion, penalty: 1e-6, ..CateSelect::default() };
            let out = params.call(&input(), 0).unwrap();
            assert_eq!(out.index, 1, "{criterion:?}");
            assert_eq!(out.candidates[2].pehe, Some(3.0));
        }
    }

    #[test]
    fn one_arm_only_is_refused() {
        let input = Input { treated: vec![true; 60], ..input() };
        assert!(CateSelect::default().call(&input, 0).is_err());
    }
}
