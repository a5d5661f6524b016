//! pass^k and G-Pass@k: the probability that all, or enough, of k samples are right.
//!
//! # Formula
//!
//! ```text
//! pass^k = C(c, k) / C(n, k)
//! G-Pass@k(τ) = P(at least ⌈τk⌉ of k drawn are right) = Σ_{j ≥ max(1, ⌈τk⌉)} C(c, j)·C(n − c, k − j) / C(n, k)
//! mG-Pass@k = (2/k)·Σ_{i = ⌈k/2⌉ + 1}^{k} G-Pass@k(i/k)
//! ```
//!
//! `n` samples of a task, `c` right, `k` drawn without replacement. τ = 1 is pass^k, τ → 0 is pass@k.
//!
//! # When to use it
//!
//! For what a user meets who asks again and again: reliability, where `stats.pass_at_k` measures reach. A large gap between
//! the two is luck.
//!
//! # Departures
//!
//! Tasks with n < k have no value and are left out of the means. At k = 1 the sum of mG-Pass is empty and the value 0, as in
//! the reference implementation.
//!
//! # Example
//!
//! ```yaml
//! use: stats.pass_k
//! k: [4]
//! thresholds: [0.5, 1.0]
//! ```
//!
//! ```
//! use guerdon_stats::stats::pass_k::{g_pass_at_k, pass_hat_k};
//! assert!((pass_hat_k(10, 7, 3).unwrap() - 0.291_666_666_666_666_7).abs() < 1e-15);
//! assert_eq!(g_pass_at_k(10, 7, 3, 1.0), pass_hat_k(10, 7, 3));
//! ```
//!
//! # References
//!
//! Yao et al., "τ-bench", 2024 (pass^k); Liu et al., "Are Your LLMs Capable of Stable Reasoning?", 2024 (G-Pass@k).

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::{check_level, check_rounds};
use super::pass_at_k::{AtK, Input, all_from, check_k, pass_at_k, summarise};
use crate::dist::ln_choose;
use crate::order::index;

/// Parameters of `stats.pass_k`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PassK {
    /// Numbers of samples drawn, 1 to 100,000 each. Default `[1]`.
    pub k: Vec<u64>,
    /// Shares of the k that must be right, 0 to 1 each. Default [1.0]: all.
    pub thresholds: Vec<f64>,
    /// Bootstrap resamples of the tasks, 0 (no interval) to 1,000,000. Default 1000.
    pub rounds: u32,
    /// Confidence level, between 0 and 1. Default 0.95.
    pub level: f64,
}

impl Default for PassK {
    fn default() -> Self {
        Self { k: vec![1], thresholds: vec![1.0], rounds: 1000, level: 0.95 }
    }
}

impl Params for PassK {
    fn validate(&self) -> Result<(), ParamError> {
        check_k(&self.k)?;
        if let Some(k) = self.k.iter().find(|k| **k > 100_000) {
            return Err(ParamError::new("k", format!("`k` must be at most 100000, not {k}")));
        }
        for threshold in &self.thresholds {
            ParamError::in_range("thresholds", *threshold, 0.0, 1.0)?;
        }
        check_rounds(self.rounds.max(1))?;
        check_level(self.level)
    }
}

/// One threshold at one k.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AtThreshold {
    /// The share of the k that must be right.
    pub threshold: f64,
    /// The value over tasks.
    #[serde(flatten)]
    pub at: AtK,
}

/// One k.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ForK {
    /// The thresholds in the order asked for.
    pub thresholds: Vec<AtThreshold>,
    /// mG-Pass@k, the mean over thresholds above one half.
    pub mean_above_half: AtK,
}

/// Output of `stats.pass_k`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// One entry per `k`, in the order asked for.
    pub at: Vec<ForK>,
}

/// Probability that all `k` of the `n` samples are among the `c` right ones; `None` for k > n.
pub fn pass_hat_k(n: u64, c: u64, k: u64) -> Option<f64> {
    (k <= n && c <= n).then(|| all_from(c, n, k))
}

/// Probability that at least `max(1, ⌈threshold·k⌉)` of `k` are right; `None` for k > n.
pub fn g_pass_at_k(n: u64, c: u64, k: u64, threshold: f64) -> Option<f64> {
    if k > n || c > n {
        return None;
    }
    // A hair is taken off so that (i/k)·k does not round up to i + 1.
    let least = index((threshold * k as f64 - 1e-9).ceil()).max(1) as u64;
    match least {
        1 => pass_at_k(n, c, k),
        least if least == k => pass_hat_k(n, c, k),
        least => Some(at_least(n, c, k, least)),
    }
}

fn at_least(n: u64, c: u64, k: u64, least: u64) -> f64 {
    let all = ln_choose(n, k);
    let term = |j: u64| (ln_choose(c, j) + ln_choose(n - c, k - j) - all).exp();
    (least..=k.min(c)).map(term).sum::<f64>().min(1.0)
}

/// mG-Pass@k of one task; `None` for k > n.
pub fn mean_g_pass(n: u64, c: u64, k: u64) -> Option<f64> {
    if k > n || c > n {
        return None;
    }
    // Σ_i P(X ≥ i) over i ≥ first counts every outcome j once for each i up to j.
    let (first, all) = (k.div_ceil(2) + 1, ln_choose(n, k));
    let chance = |j: u64| (ln_choose(c, j) + ln_choose(n - c, k - j) - all).exp();
    let sum: f64 = (first..=k.min(c)).map(|j| chance(j) * (j - first + 1) as f64).sum();
    let most = (k + 1 - first.min(k + 1)) as f64;
    Some(2.0 * sum.min(most) / k as f64)
}

impl Function for PassK {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, seed: u64) -> Result<Output, MethodError> {
        let counts = input.counts()?;
        let over = |k: u64, f: &dyn Fn(u64, u64) -> Option<f64>| {
            let per_task = counts.iter().map(|&(n, c)| f(n, c)).collect();
            summarise(k, per_task, self.rounds, self.level, seed)
        };
        let for_k = |&k: &u64| -> Result<ForK, MethodError> {
            let threshold = |&t: &f64| {
                Ok(AtThreshold { threshold: t, at: over(k, &|n, c| g_pass_at_k(n, c, k, t))? })
            };
            Ok(ForK {
                thresholds: self
                    .thresholds
                    .iter()
                    .map(threshold)
                    .collect::<Result<_, MethodError>>()?,
                mean_above_half: over(k, &|n, c| {
                    if k > 5000 { None } else { mean_g_pass(n, c, k) }
                })?,
            })
        };
        Ok(Output { at: self.k.iter().map(for_k).collect::<Result<_, _>>()? })
    }
}

guerdon_core::method! {
    PassK: Function,
    id: "stats.pass_k",
    papers: ["agentic-randomness-2026", "claw-eval-2026"],
    status: Verified(ClosedForm("exact integer combinatorics, n to 1000; lighteval g_pass_at_k")),
    laws: [],
    exempt: [PermutationInvariant: "values per task follow the order of the tasks; the means do not depend on it."],
    aliases: ["stats.g_pass_at_k"],
    sample_params: r#"{"k": [2, 3], "thresholds": [0.5, 1.0]}"#,
    samples: [
        r#"{"correct": [[true, false, true], [false, false, false]]}"#,
        r#"{"n": [10, 10, 200], "c": [3, 10, 37]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{g_pass_at_k, mean_g_pass, pass_hat_k};
    use crate::stats::pass_at_k::pass_at_k;

    #[test]
    fn the_ends_are_pass_at_k_and_pass_hat_k() {
        for k in 1..=8 {
            assert_eq!(g_pass_at_k(8, 5, k, 0.0), pass_at_k(8, 5, k));
            assert_eq!(g_pass_at_k(8, 5, k, 1.0), pass_hat_k(8, 5, k));
        }
        assert_eq!(pass_hat_k(3, 3, 4), None);
    }

    #[test]
    fn the_middle_is_hypergeometric() {
        // 4 of 8, 5 right: P(at least 2) = 1 − C(3,3)·C(5,1)/70.
        assert!((g_pass_at_k(8, 5, 4, 0.5).unwrap() - (1.0 - 5.0 / 70.0)).abs() < 1e-12);
        assert_eq!(mean_g_pass(8, 8, 4), Some(1.0));
        assert_eq!(mean_g_pass(1, 1, 1), Some(0.0));
    }
}
