//! Adaptive vote: when to stop sampling answers to a prompt, and which prompt to sample next.
//!
//! # Formula
//!
//! ```text
//! a, b: the two largest counts
//! beta: P(leader right) = 1 − I_½(a + 1, b + 1)      dirichlet: P(leader's share is the largest), Dirichlet(counts + 1)
//! entropy: H/ln(classes) ≤ conf      majority: a/n ≥ conf      ppr: density of Beta(a + 1, b + 1) at ½ ≤ 1 − conf
//! ```
//!
//! A prompt stops when `beta`, `dirichlet` or `majority` reach `conf`. The next sample goes to the prompt that is least settled.
//!
//! # When to use it
//!
//! To spend a sampling budget where the vote is open. `beta` is cheap and near `dirichlet`; `ppr` holds at any stopping time
//! and needs about twice as many samples.
//!
//! # Departures
//!
//! `dirichlet` looks at the five largest counts, as the reference does, by exact integration in place of sampling. A single
//! sample never stops; a single class counts in `entropy` as if another answer had been seen once. The published blend of rules
//! has no frozen weights: here one rule orders the prompts.
//!
//! # Example
//!
//! ```yaml
//! use: select.adaptive_vote
//! rule: beta
//! conf: 0.95
//! ```
//!
//! ```
//! use guerdon_select::select::adaptive_vote::beta_confidence;
//! assert!((beta_confidence(1, 0) - 0.75).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! Aggarwal et al., "Let's Sample Step by Step: Adaptive-Consistency", 2023; "Optimal Self-Consistency for Efficient Reasoning
//! with Large Language Models", 2025; Waudby-Smith and Ramdas (the martingale).

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use guerdon_stats::dist::{beta_cdf, gamma_cdf, ln_choose, ln_gamma};

/// The stop rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Beta tail of the two leading answers.
    #[default]
    Beta,
    /// Dirichlet probability that the leader leads.
    Dirichlet,
    /// Normalised entropy of the answers.
    Entropy,
    /// Share of the leader.
    Majority,
    /// Anytime-valid martingale of the two leading answers.
    Ppr,
}

/// Parameters of `select.adaptive_vote`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdaptiveVote {
    /// The stop rule. Default `beta`.
    pub rule: Rule,
    /// Confidence at which a prompt stops, 0 to 1; for `entropy` the largest entropy. Default 0.95.
    pub conf: f64,
    /// Samples per prompt at most, at least 1. Default 40.
    pub most: u64,
}

impl Default for AdaptiveVote {
    fn default() -> Self {
        Self { rule: Rule::Beta, conf: 0.95, most: 40 }
    }
}

impl Params for AdaptiveVote {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("conf", self.conf, 0.0, 1.0)?;
        ParamError::in_range("most", self.most as f64, 1.0, 1e9)
    }
}

/// Input of `select.adaptive_vote`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Per prompt, how often each answer was given so far (to 1,000,000,000); at least one prompt.
    pub counts: Vec<Vec<u64>>,
}

/// One prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Prompt {
    /// Index of the leading answer, ties to the first; null before any sample.
    pub leader: Option<usize>,
    /// What the rule says: a confidence, or for `entropy` the entropy; null below two samples.
    pub value: Option<f64>,
    /// Whether to stop.
    pub stop: bool,
}

/// Output of `select.adaptive_vote`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The prompts.
    pub prompts: Vec<Prompt>,
    /// The prompt to sample next; null when all have stopped.
    pub next: Option<usize>,
}

/// P(the leader is the likelier of the two leading answers) for counts `a` ≥ `b`.
pub fn beta_confidence(a: u64, b: u64) -> f64 {
    1.0 - beta_cdf(0.5, a as f64 + 1.0, b as f64 + 1.0)
}

/// Density of Beta(a + 1, b + 1) at ½: the martingale's p-value, at most 1 when it decides.
pub fn ppr_density(a: u64, b: u64) -> f64 {
    let n = a + b;
    ((n as f64 + 1.0).ln() + ln_choose(n, a) - n as f64 * std::f64::consts::LN_2).exp()
}

/// P(the first of `counts` has the largest share) under Dirichlet(counts + 1).
///
/// As independent gamma variables: `∫ f_1(x)·Π F_j(x) dx`, by Simpson's rule over where `f_1` lives.
pub fn dirichlet_confidence(counts: &[u64]) -> f64 {
    const STEPS: u32 = 4000;
    let shape = counts[0] as f64 + 1.0;
    let reach = 12.0 * shape.sqrt() + 40.0;
    let (low, high) = ((shape - reach).max(0.0), shape + reach);
    let density = |x: f64| {
        if x > 0.0 {
            ((shape - 1.0) * x.ln() - x - ln_gamma(shape)).exp()
        } else if shape == 1.0 {
            1.0
        } else {
            0.0
        }
    };
    let h = (high - low) / f64::from(STEPS);
    let term = |i: u32| {
        let x = low + h * f64::from(i);
        let weight = if i == 0 || i == STEPS { 1.0 } else { 2.0 + 2.0 * f64::from(i % 2) };
        weight
            * density(x)
            * counts[1..].iter().map(|c| gamma_cdf(x, *c as f64 + 1.0)).product::<f64>()
    };
    ((0..=STEPS).map(term).sum::<f64>() * h / 3.0).clamp(0.0, 1.0)
}

/// Entropy of the answers over that of as many equal ones; a single class counts as two to one.
pub fn normalised_entropy(counts: &[u64]) -> f64 {
    let mut seen: Vec<f64> = counts.iter().filter(|c| **c > 0).map(|c| *c as f64).collect();
    if seen.len() == 1 {
        seen.push(1.0);
    }
    let total: f64 = seen.iter().sum();
    let entropy: f64 = seen.iter().map(|c| -c / total * (c / total).ln()).sum();
    entropy / (seen.len() as f64).ln()
}

impl AdaptiveVote {
    /// What the rule says of one prompt; `None` below two samples.
    pub fn value(&self, counts: &[u64]) -> Option<f64> {
        let total: u64 = counts.iter().sum();
        if total < 2 {
            return None;
        }
        let mut sorted = counts.to_vec();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        let (a, b) = (sorted[0], sorted.get(1).copied().unwrap_or(0));
        Some(match self.rule {
            Rule::Beta => beta_confidence(a, b),
            Rule::Dirichlet => {
                sorted.retain(|c| *c > 0);
                sorted.truncate(5);
                if sorted.len() == 1 {
                    beta_confidence(a, 0)
                } else {
                    dirichlet_confidence(&sorted)
                }
            }
            Rule::Entropy => normalised_entropy(counts),
            Rule::Majority => a as f64 / total as f64,
            Rule::Ppr => 1.0 - ppr_density(a, b).min(1.0),
        })
    }

    fn prompt(&self, counts: &[u64]) -> Prompt {
        let total: u64 = counts.iter().sum();
        let value = self.value(counts);
        let settled = value.is_some_and(|v| {
            if self.rule == Rule::Entropy { v <= self.conf } else { v >= self.conf }
        });
        let leader =
            crate::ballot::first_max(counts.iter().map(|c| *c as f64)).filter(|_| total > 0);
        Prompt { leader, value, stop: settled || total >= self.most }
    }
}

impl Function for AdaptiveVote {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        if input.counts.is_empty() || input.counts.iter().flatten().any(|c| *c > 1_000_000_000) {
            return Err(MethodError::domain(
                "`counts` needs at least one prompt and counts to 1000000000",
            ));
        }
        if self.rule == Rule::Dirichlet && input.counts.len() > 10_000 {
            return Err(MethodError::Budget(
                "`dirichlet` takes at most 10000 prompts at once; use `beta`".to_owned(),
            ));
        }
        let prompts: Vec<Prompt> = input.counts.iter().map(|c| self.prompt(c)).collect();
        // Prompts never sampled come first, then the least settled; ties to the first.
        let open = |p: &Prompt| match p.value {
            _ if p.stop => f64::NEG_INFINITY,
            None => f64::MAX,
            Some(v) => {
                if self.rule == Rule::Entropy {
                    v
                } else {
                    -v
                }
            }
        };
        let next = crate::ballot::first_max(prompts.iter().map(open)).filter(|&i| !prompts[i].stop);
        Ok(Output { prompts, next })
    }
}

guerdon_core::method! {
    AdaptiveVote: Function,
    id: "select.adaptive_vote",
    papers: ["blend-asc-2025"],
    status: Verified(Reference("Adaptive-Consistency stop rules: 460 Beta, 21 Dirichlet, 7 entropy and majority cases")),
    laws: [],
    exempt: [],
    samples: [r#"{"counts": [[3, 1], [2, 2, 1], [7]]}"#],
}

#[cfg(test)]
mod tests {
    use super::{AdaptiveVote, Input, Rule, ppr_density};
    use guerdon_core::method::Function as _;

    /// The smallest lead that stops for each runner-up.
    fn leads(rule: Rule) -> Vec<u64> {
        let stop = |a, b| {
            AdaptiveVote { rule, ..AdaptiveVote::default() }
                .value(&[a, b])
                .is_some_and(|v| v >= 0.95)
        };
        (0..6).map(|b| (b + 1..100).find(|&a| stop(a, b)).unwrap()).collect()
    }

    #[test]
    fn published_stop_tables() {
        assert_eq!(leads(Rule::Beta), [4, 6, 8, 9, 11, 12]);
        assert_eq!(leads(Rule::Ppr), [8, 11, 14, 16, 18, 20]);
        assert!(
            (ppr_density(7, 0) - 0.0625).abs() < 1e-12
                && (ppr_density(8, 0) - 0.035_156).abs() < 1e-6
        );
    }

    #[test]
    fn the_open_prompt_is_next() {
        let input = Input { counts: vec![vec![9], vec![2, 2], vec![3, 1]] };
        let out = AdaptiveVote::default().call(&input, 0).unwrap();
        assert_eq!((out.next, out.prompts[0].stop), (Some(1), true));
        let done = Input { counts: vec![vec![9]] };
        assert_eq!(AdaptiveVote::default().call(&done, 0).unwrap().next, None);
    }
}
