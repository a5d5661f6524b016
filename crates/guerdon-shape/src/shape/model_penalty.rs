//! Takes the uncertainty of a learned model off the reward, so that what the model does not know is not sought.
//!
//! # Formula
//!
//! ```text
//! r'_i = r_i − λ · u_i
//! max_aleatoric   max_k σ_k
//! max_distance    max_k |μ_k − μ̄|
//! max_pairwise    max_{j,k} |μ_j − μ_k|
//! std_of_means    standard deviation of the μ_k (divisor K)
//! variance        mean(σ² + μ²) − μ̄²,  the variance of the mixture;  std: its root
//! loo_kl          mean over k of KL(N(μ_k, σ_k²) ‖ the other members' mixture as one normal)
//! likelihood      variance over k of ln N(μ̄; μ_k, σ_k²)
//! ```
//!
//! `μ_k` are the columns `means`, `σ_k` the columns `stds` (needed by all but `max_distance`, `max_pairwise` and
//! `std_of_means`), `r_i` the running reward. Deviations of 0 count as 1e-9 where they divide.
//!
//! # When to use it
//!
//! For rewards or transitions predicted by an ensemble, as in offline model-based learning. `std` follows the true error
//! best in the study; the scale λ matters as much as the kind. `shape.ensemble` mixes the members themselves.
//!
//! # Departures
//!
//! The study draws a member at random for `loo_kl` and a state for `likelihood`; here all members count, and the
//! likelihood is that of the mean.
//!
//! # Example
//!
//! ```yaml
//! use: shape.model_penalty
//! means: [m1, m2, m3]
//! stds: [s1, s2, s3]
//! kind: std
//! lambda: 0.5
//! ```
//!
//! ```
//! use guerdon_shape::shape::model_penalty::Kind;
//! assert_eq!(Kind::MaxAleatoric.of(&[1.0, 1.2, 0.8], &[0.1, 0.2, 0.15]), 0.2);
//! ```
//!
//! # References
//!
//! Lu et al., "Revisiting Design Choices in Offline Model-Based Reinforcement Learning", 2021.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fine::settle;
use crate::moments::{mean, std};

/// What stands in for a deviation of 0 where it divides.
const LEAST_STD: f64 = 1e-9;

/// A measure of what an ensemble does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The greatest predicted deviation.
    MaxAleatoric,
    /// The greatest distance of a mean from their mean.
    MaxDistance,
    /// The greatest distance between two means.
    MaxPairwise,
    /// The standard deviation of the means.
    StdOfMeans,
    /// The variance of the mixture.
    Variance,
    /// The standard deviation of the mixture.
    #[default]
    Std,
    /// The mean divergence of a member from the others.
    LooKl,
    /// The variance of the members' log-likelihoods.
    Likelihood,
}

impl Kind {
    fn needs_stds(self) -> bool {
        !matches!(self, Self::MaxDistance | Self::MaxPairwise | Self::StdOfMeans)
    }

    /// The measure; 0 without members. `stds` is as long as `means`, or empty where it is not needed.
    pub fn of(self, means: &[f64], stds: &[f64]) -> f64 {
        let centre = mean(means);
        let greatest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
        match self {
            Self::MaxAleatoric => greatest(&mut stds.iter().copied()),
            Self::MaxDistance => greatest(&mut means.iter().map(|m| (m - centre).abs())),
            Self::MaxPairwise => greatest(
                &mut means.iter().map(|m| means.iter().fold(0.0, |g, o| f64::max(g, m - o))),
            ),
            Self::StdOfMeans => std(means, 0),
            Self::Variance => mixture(means, stds).1,
            Self::Std => mixture(means, stds).1.sqrt(),
            Self::LooKl => {
                mean(&(0..means.len()).map(|k| left_out(means, stds, k)).collect::<Vec<_>>())
            }
            Self::Likelihood => {
                let of = |(m, s): (&f64, &f64)| {
                    let s = s.max(LEAST_STD);
                    -s.ln() - (centre - m) * (centre - m) / (2.0 * s * s)
                };
                std(&means.iter().zip(stds).map(of).collect::<Vec<_>>(), 0).powi(2)
            }
        }
    }
}

/// Mean and variance of an even mixture of normal distributions.
fn mixture(means: &[f64], stds: &[f64]) -> (f64, f64) {
    let aleatoric = mean(&stds.iter().map(|s| s * s).collect::<Vec<_>>());
    (mean(means), aleatoric + std(means, 0).powi(2))
}

/// KL of member `k` from the others' mixture, taken as one normal distribution; 0 for a single member.
fn left_out(means: &[f64], stds: &[f64], k: usize) -> f64 {
    if means.len() < 2 {
        return 0.0;
    }
    let others = |v: &[f64]| {
        v.iter().enumerate().filter(|(i, _)| *i != k).map(|(_, x)| *x).collect::<Vec<_>>()
    };
    let (centre, variance) = mixture(&others(means), &others(stds));
    normal_kl(means[k], stds[k], centre, variance.sqrt())
}

/// KL(N(μ, σ²) ‖ N(μ₀, σ₀²)) in nats; deviations below 1e-9 count as that.
pub fn normal_kl(mu: f64, sigma: f64, mu0: f64, sigma0: f64) -> f64 {
    let (s, s0) = (sigma.max(LEAST_STD), sigma0.max(LEAST_STD));
    let apart = mu - mu0;
    (s0 / s).ln() + (s * s + apart * apart) / (2.0 * s0 * s0) - 0.5
}

/// Parameters of `shape.model_penalty`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelPenalty {
    /// Columns with the members' predictions. Required.
    pub means: Vec<String>,
    /// Columns with the members' own standard deviations, in the same order. Default: none.
    pub stds: Vec<String>,
    /// The measure of uncertainty. Default `std`.
    pub kind: Kind,
    /// Price of one unit of uncertainty. At least 0; default 1.
    pub lambda: f64,
}

impl Default for ModelPenalty {
    fn default() -> Self {
        Self { means: Vec::new(), stds: Vec::new(), kind: Kind::Std, lambda: 1.0 }
    }
}

impl Params for ModelPenalty {
    fn validate(&self) -> Result<(), ParamError> {
        if self.means.is_empty() {
            return Err(ParamError::new("means", "`means` must name at least one column"));
        }
        let wanted = if self.kind.needs_stds() { self.means.len() } else { self.stds.len() };
        if self.stds.len() != wanted {
            let message = format!(
                "`stds` must name one column per member: {wanted}, not {}",
                self.stds.len()
            );
            return Err(ParamError::new("stds", message));
        }
        ParamError::in_range("lambda", self.lambda, 0.0, f64::INFINITY)
    }
}

impl Transform for ModelPenalty {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let names: Vec<&str> = self.means.iter().chain(&self.stds).map(String::as_str).collect();
        let shaped = view.dense(&names, |d| {
            let row = |(i, r): (usize, &f64)| {
                let all: Vec<f64> = d.aux.iter().map(|column| column[i]).collect();
                let (means, stds) = all.split_at(self.means.len());
                r - self.lambda * self.kind.of(means, stds)
            };
            Ok(d.values.iter().enumerate().map(row).collect())
        })?;
        Ok(settle(view.current()?, shaped))
    }

    fn reads(&self) -> Vec<String> {
        self.means.iter().chain(&self.stds).cloned().collect()
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }
}

guerdon_core::method! {
    ModelPenalty: Transform,
    id: "shape.model_penalty",
    papers: ["offline-mbrl-2021"],
    status: Verified(Worked("means 1, 1.2, 0.8 with deviations 0.1, 0.2, 0.15: six of the eight measures")),
    laws: [GroupLocal],
    exempt: [],
    sample_params: r#"{"means": ["b", "score"], "stds": ["correct", "score"]}"#,
}

#[cfg(test)]
mod tests {
    use super::{Kind, normal_kl};

    #[test]
    fn worked_numbers() {
        let (means, stds) = ([1.0, 1.2, 0.8], [0.1, 0.2, 0.15]);
        let check = |kind: Kind, expect: f64| {
            let own = kind.of(&means, &stds);
            assert!((own - expect).abs() < 5e-7, "{kind:?}: {own}, not {expect}");
        };
        check(Kind::MaxAleatoric, 0.2);
        check(Kind::MaxDistance, 0.2);
        check(Kind::MaxPairwise, 0.4);
        check(Kind::Variance, 0.050_833);
        check(Kind::Std, 0.225_462);
        check(Kind::StdOfMeans, 0.163_299);
    }

    #[test]
    fn members_that_agree_know() {
        for kind in
            [Kind::MaxDistance, Kind::MaxPairwise, Kind::StdOfMeans, Kind::LooKl, Kind::Likelihood]
        {
            assert!(kind.of(&[2.0, 2.0], &[0.5, 0.5]).abs() < 1e-12, "{kind:?}");
        }
        assert!((normal_kl(1.0, 0.5, 0.0, 1.0) - 0.818_147).abs() < 1e-6);
    }
}
