//! RPC: votes weighted by path probability, after paths of low probability are pruned by a fitted mixture.
//!
//! # Formula
//!
//! ```text
//! p_i = exp(mean token log-probability)
//! mixture: w·Weibull(k1, λ1) + (1 − w)·Weibull(k2, λ2) fitted to the p; "high" is the component with the larger mean
//! drop i when P(low | p_i) > ½ and p_i < mean p;   score(a) = Σ_{distinct kept i : answer a} p_i, normalised
//! ```
//!
//! # When to use it
//!
//! With sampled answers and their log-probabilities, at small n: the estimate converges faster than plain voting. It is wrong
//! where probability says nothing about correctness.
//!
//! # Departures
//!
//! The mixture is fitted by expectation-maximisation from the paper's start within its bounds (w in [0.2, 0.8]; shapes 0.01
//! to 1000), not by L-BFGS-B: the likelihood is only loosely identified, and the pruned sets are what is compared. If all would
//! be pruned, or fewer than four paths are distinct in value, nothing is. Two candidates are one path when answer and
//! log-probability are both equal.
//!
//! # Example
//!
//! ```yaml
//! use: select.rpc
//! prune: true
//! ```
//!
//! ```
//! use guerdon_select::select::rpc::{Rpc, weights};
//! let w = weights(&[-0.944_684, -0.262_045, -0.145_616, -0.218_344], &Rpc::default());
//! assert!(w[0] == 0.0 && w[2] > w[1]);
//! ```
//!
//! # References
//!
//! Zhou et al., "Bridging Internal Probability and Self-Consistency for Effective and Efficient LLM Reasoning", 2025.

use guerdon_core::method::{Candidates, Params, Selection, Selector};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ballot::{Equality, count, share, tally, winner};

/// Parameters of `select.rpc`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rpc {
    /// Drop paths of low probability. Default true.
    pub prune: bool,
    /// When two answers are the same. Default `text`.
    pub equality: Equality,
    /// Steps of the fit, 1 to 10,000. Default 500.
    pub steps: u32,
}

impl Default for Rpc {
    fn default() -> Self {
        Self { prune: true, equality: Equality::Text, steps: 500 }
    }
}

impl Params for Rpc {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("steps", f64::from(self.steps), 1.0, 1e4)
    }
}

/// A Weibull distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weibull {
    /// Shape k.
    pub shape: f64,
    /// Scale λ.
    pub scale: f64,
}

impl Weibull {
    /// ln of the density at `x` > 0.
    pub fn ln_density(&self, x: f64) -> f64 {
        let (k, u) = (self.shape, x.ln() - self.scale.ln());
        k.ln() - self.scale.ln() + (k - 1.0) * u - (k * u).exp()
    }

    /// ln of the mean λ·Γ(1 + 1/k).
    pub fn ln_mean(&self) -> f64 {
        self.scale.ln() + guerdon_stats::dist::ln_gamma(1.0 + 1.0 / self.shape)
    }

    /// The weighted maximum-likelihood fit, its shape found by bisection.
    fn fit(x: &[f64], weight: &[f64]) -> Option<Self> {
        let total: f64 = weight.iter().sum();
        let most = x.iter().copied().fold(0.0, f64::max);
        if total < 1e-9 || most <= 0.0 {
            return None;
        }
        let logs: Vec<f64> = x.iter().map(|x| (x / most).ln()).collect();
        let mean_log = logs.iter().zip(weight).map(|(l, w)| l * w).sum::<f64>() / total;
        let moments = |k: f64| {
            let powers = logs.iter().zip(weight).map(|(l, w)| (w * (k * l).exp(), *l));
            powers.fold((0.0, 0.0), |(a, b), (p, l)| (a + p, b + p * l))
        };
        let slope = |k: f64| {
            let (sum, with_log) = moments(k);
            with_log / sum - 1.0 / k - mean_log
        };
        let (mut low, mut high) = (SHAPES.0, SHAPES.1);
        for _ in 0..60 {
            let middle = (low * high).sqrt();
            if slope(middle) < 0.0 { low = middle } else { high = middle }
        }
        let shape = (low * high).sqrt();
        let scale = most * (moments(shape).0 / total).powf(1.0 / shape);
        (scale > 0.0 && scale.is_finite()).then_some(Self { shape, scale: scale.max(0.01) })
    }
}

/// Bounds of the shapes.
const SHAPES: (f64, f64) = (0.01, 1000.0);

/// A mixture of two Weibull distributions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mixture {
    /// Weight of the first, 0.2 to 0.8.
    pub weight: f64,
    /// The components.
    pub parts: [Weibull; 2],
}

impl Mixture {
    /// P(first component | x).
    pub fn first(&self, x: f64) -> f64 {
        let a = self.weight.ln() + self.parts[0].ln_density(x);
        let b = (1.0 - self.weight).ln() + self.parts[1].ln_density(x);
        1.0 / (1.0 + (b - a).exp())
    }

    /// Negative log-likelihood of `x`.
    pub fn loss(&self, x: &[f64]) -> f64 {
        let one = |x: &f64| {
            let a = self.weight.ln() + self.parts[0].ln_density(*x);
            let b = (1.0 - self.weight).ln() + self.parts[1].ln_density(*x);
            a.max(b) + (-(a - b).abs()).exp().ln_1p()
        };
        -x.iter().map(one).sum::<f64>()
    }

    /// Fits by expectation-maximisation from the paper's start.
    pub fn fit(x: &[f64], steps: u32) -> Option<Self> {
        let start = [Weibull { shape: 1.0, scale: 1.0 }, Weibull { shape: 1.5, scale: 2.0 }];
        let mut now = Self { weight: 0.5, parts: start };
        let mut loss = now.loss(x);
        for _ in 0..steps {
            let first: Vec<f64> = x.iter().map(|x| now.first(*x)).collect();
            let second: Vec<f64> = first.iter().map(|p| 1.0 - p).collect();
            let weight = (first.iter().sum::<f64>() / x.len() as f64).clamp(0.2, 0.8);
            let next =
                Self { weight, parts: [Weibull::fit(x, &first)?, Weibull::fit(x, &second)?] };
            let better = next.loss(x);
            if !better.is_finite() || better > loss - 1e-10 {
                break;
            }
            (now, loss) = (next, better);
        }
        loss.is_finite().then_some(now)
    }
}

/// Indices of the paths to prune; `p` holds path probabilities.
pub fn pruned(p: &[f64], steps: u32) -> Vec<usize> {
    let x: Vec<f64> = p.iter().map(|p| p.max(1e-300)).collect();
    let mut distinct = x.clone();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    let Some(mixture) = (distinct.len() >= 4).then(|| Mixture::fit(&x, steps)).flatten() else {
        return Vec::new();
    };
    let first_is_high = mixture.parts[0].ln_mean() > mixture.parts[1].ln_mean();
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let low = |x: f64| if first_is_high { 1.0 - mixture.first(x) } else { mixture.first(x) };
    let out: Vec<usize> = (0..x.len()).filter(|&i| low(x[i]) > 0.5 && x[i] < mean).collect();
    if out.len() == x.len() { Vec::new() } else { out }
}

/// Vote weight of every path: its probability, 0 where it is pruned.
pub fn weights(logprobs: &[f64], params: &Rpc) -> Vec<f64> {
    let mut weights: Vec<f64> = logprobs.iter().map(|l| l.exp()).collect();
    if params.prune {
        for i in pruned(&weights.clone(), params.steps) {
            weights[i] = 0.0;
        }
    }
    weights
}

impl Selector for Rpc {
    fn select(&self, candidates: &Candidates, _seed: u64) -> Result<Selection, Unscored> {
        candidates.check()?;
        if candidates.logprobs.is_empty() {
            return Err(Unscored::missing(
                "`select.rpc` needs `logprobs`: the mean token log-probability of each path",
            ));
        }
        let key = |i: usize| {
            candidates.answers.get(i).and_then(|a| a.as_deref()).map(|a| self.equality.key(a))
        };
        let voters: Vec<(usize, String, f64)> = (0..candidates.len())
            .filter_map(|i| Some((i, key(i)?, candidates.logprobs[i]?)))
            .collect();
        if voters.iter().any(|v| v.2 > 1e-9) {
            return Err(Unscored::invalid("`logprobs` must not be greater than 0"));
        }
        let all = weights(&voters.iter().map(|v| v.2.min(0.0)).collect::<Vec<_>>(), self);
        let repeated =
            |at: usize| voters[..at].iter().any(|v| v.1 == voters[at].1 && v.2 == voters[at].2);
        let kept: Vec<f64> =
            (0..all.len()).map(|at| if repeated(at) { 0.0 } else { all[at] }).collect();
        let keys: Vec<Option<String>> = voters.iter().map(|v| Some(v.1.clone())).collect();
        let classes = count(&keys, &kept.into_iter().map(Some).collect::<Vec<_>>());
        let won = winner(&classes)
            .ok_or_else(|| Unscored::missing("no candidate has an answer and a log-probability"))?;
        Ok(Selection {
            index: voters[won.members[0]].0,
            share: share(won, &classes),
            tally: tally(&classes),
        })
    }
}

guerdon_core::method! {
    Rpc: Selector,
    id: "select.rpc",
    papers: ["rpc-2025"],
    status: Verified(Reference("RPC evaluators, 24 cases: winners, weights, 21 of 24 pruned sets")),
    laws: [RelabelEquivariant],
    exempt: [MonotoneWinner: "It reads log-probabilities; raising one can move the mixture and prune others."],
}

#[cfg(test)]
mod tests {
    use super::{Mixture, Rpc, pruned, weights};

    #[test]
    fn a_clear_low_path_is_pruned() {
        let p: Vec<f64> =
            [-0.944_684, -0.262_045, -0.145_616, -0.218_344_f64].iter().map(|l| l.exp()).collect();
        assert_eq!(pruned(&p, 500), [0]);
        assert_eq!(pruned(&[0.5; 8], 500), [0; 0]);
    }

    #[test]
    fn without_pruning_weights_are_probabilities() {
        let w = weights(&[0.0, -1.0], &Rpc { prune: false, ..Rpc::default() });
        assert_eq!(w, [1.0, (-1.0_f64).exp()]);
    }

    #[test]
    fn the_fit_never_worsens() {
        let x: Vec<f64> =
            (1..40).map(|i| 0.3 + f64::from(i % 7) / 20.0 + f64::from(i) / 200.0).collect();
        let short = Mixture::fit(&x, 3).unwrap().loss(&x);
        assert!(Mixture::fit(&x, 300).unwrap().loss(&x) <= short + 1e-9);
    }
}
