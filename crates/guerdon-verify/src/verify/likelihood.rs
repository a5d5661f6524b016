//! Likelihood: how probable the policy finds the reference answer after its own reasoning.
//!
//! # Formula
//!
//! ```text
//! logprob       Σ_i ℓ_i                       prob        exp Σ_i ℓ_i
//! mean_logprob  (1/n) Σ_i ℓ_i                 mean_prob   (1/n) Σ_i exp ℓ_i
//! geometric     exp((1/n) Σ_i ℓ_i)            jepo        log (1/G) Σ_j exp Σ_i ℓ_ij     over the group's G rollouts j
//! ```
//!
//! `ℓ_i` is the natural-log probability of the i-th of the n tokens of the reference answer, given prompt and reasoning;
//! the column `logprobs` holds them per rollout. Values below `floor` count as `floor`.
//!
//! # When to use it
//!
//! Where the answer is too long or free for a checker. `prob` vanishes for long answers; `mean_prob` is robust to one odd
//! token and to length; `logprob` serves short and long answers alike.
//!
//! # Departures
//!
//! Sums stay in log space and `jepo` normalises by the greatest term, so that a 500-token answer does not underflow before
//! it is averaged. `jepo` gives every rollout of the group the same bound; a group with an unscored member is averaged over
//! the others. `geometric` is the mean log-probability as a probability.
//!
//! # Example
//!
//! ```yaml
//! use: verify.likelihood
//! logprobs: reference_logprobs
//! kind: mean_prob
//! ```
//!
//! ```
//! use guerdon_verify::verify::likelihood::{Kind, value};
//! let l = [-0.1, -0.5, -2.0];
//! assert!((value(&l, Kind::Logprob) + 2.6).abs() < 1e-12);
//! assert!((value(&l, Kind::MeanProb) - 0.5489).abs() < 1e-4);
//! ```
//!
//! # References
//!
//! "Likelihood-Based Reward Designs for General LLM Reasoning", 2026; Yu et al., "RLPR: Extrapolating RLVR to General
//! Domains without Verifiers", 2025 (`mean_prob`).

use guerdon_core::method::{Params, Scope, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::records;

/// What becomes of the token log-probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Their sum.
    Logprob,
    /// Their mean.
    MeanLogprob,
    /// The probability of the answer.
    Prob,
    /// The mean of the tokens' probabilities.
    #[default]
    MeanProb,
    /// The geometric mean of the tokens' probabilities.
    Geometric,
    /// The log of the group's mean probability of the answer.
    Jepo,
}

/// Parameters of `verify.likelihood`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Likelihood {
    /// What becomes of the token log-probabilities. Default `mean_prob`.
    pub kind: Kind,
    /// Column with the reference answer's natural-log probabilities, one per token. Default `reference_logprobs`.
    pub logprobs: String,
    /// Token log-probabilities below this count as this; at most 0. Default none.
    pub floor: Option<f64>,
}

impl Default for Likelihood {
    fn default() -> Self {
        Self { kind: Kind::MeanProb, logprobs: "reference_logprobs".into(), floor: None }
    }
}

impl Params for Likelihood {
    fn validate(&self) -> Result<(), ParamError> {
        records::named("logprobs", &self.logprobs)?;
        self.floor
            .map_or(Ok(()), |floor| ParamError::in_range("floor", floor, f64::NEG_INFINITY, 0.0))
    }
}

/// The reward of one rollout from its token log-probabilities (at least one; nats). [`Kind::Jepo`] gives their sum, which
/// [`log_mean_exp`] joins over the group.
pub fn value(logprobs: &[f64], kind: Kind) -> f64 {
    let n = logprobs.len() as f64;
    let sum: f64 = logprobs.iter().sum();
    match kind {
        Kind::Logprob | Kind::Jepo => sum,
        Kind::MeanLogprob => sum / n,
        Kind::Prob => sum.exp(),
        Kind::MeanProb => logprobs.iter().map(|l| l.exp()).sum::<f64>() / n,
        Kind::Geometric => (sum / n).exp(),
    }
}

/// log (1/G) Σ exp x_j, without underflow; −∞ for none.
pub fn log_mean_exp(values: &[f64]) -> f64 {
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = values.iter().map(|x| (x - greatest).exp()).sum();
    if values.is_empty() { greatest } else { greatest + (sum / values.len() as f64).ln() }
}

impl Likelihood {
    fn own(&self, rollout: &Rollout) -> Outcome {
        let mut logprobs = records::logprobs_at(rollout, &self.logprobs)?;
        let floor = self.floor.unwrap_or(f64::NEG_INFINITY);
        logprobs.iter_mut().for_each(|l| *l = l.clamp(floor, 0.0));
        Score::new(value(&logprobs, self.kind))
    }
}

impl Signal for Likelihood {
    fn score(&self, rollout: &Rollout) -> Outcome {
        self.own(rollout)
    }

    fn score_group(&self, group: &[Rollout]) -> Vec<Outcome> {
        let own: Vec<Outcome> = group.iter().map(|rollout| self.own(rollout)).collect();
        if self.kind != Kind::Jepo {
            return own;
        }
        let sums: Vec<f64> = own.iter().flatten().map(Score::value).collect();
        let bound = log_mean_exp(&sums);
        own.into_iter().map(|outcome| outcome.and_then(|_| Score::new(bound))).collect()
    }

    fn scope(&self) -> Scope {
        if self.kind == Kind::Jepo { Scope::Group } else { Scope::Rollout }
    }

    fn range(&self) -> Option<(f64, f64)> {
        matches!(self.kind, Kind::Prob | Kind::MeanProb | Kind::Geometric).then_some((0.0, 1.0))
    }

    fn reads_completion(&self) -> bool {
        false
    }
}

guerdon_core::method! {
    Likelihood: Signal,
    id: "verify.likelihood",
    papers: ["likelihood-rewards-2026", "rlpr-2025"],
    status: Verified(Worked("the five designs on (-0.1, -0.5, -2)")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [
        DegenerateEarnsNothing: "The log-probabilities come from the data, not from the completion's text.",
        InjectionGainsNothing: "The log-probabilities come from the data, not from the completion's text.",
    ],
    samples: [
        r#"{"prompt": "Why?", "completion": "Because.", "reference": "It rains.", "reference_logprobs": [0, 0.0, 0]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Kind, Likelihood, log_mean_exp, value};
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;
    use serde_json::json;

    fn check(logprobs: &[f64], kind: Kind, expect: f64, tolerance: f64) {
        let got = value(logprobs, kind);
        assert!((got - expect).abs() <= tolerance, "{kind:?} of {logprobs:?}: {got}, not {expect}");
    }

    #[test]
    fn the_designs_on_the_worked_example() {
        let l = [-0.1, -0.5, -2.0];
        check(&l, Kind::Logprob, -2.6, 1e-12);
        check(&l, Kind::MeanLogprob, -0.8667, 5e-5);
        check(&l, Kind::Prob, 0.07427, 5e-6);
        check(&l, Kind::MeanProb, 0.5489, 5e-5);
        check(&l, Kind::Geometric, 0.4204, 5e-5);
    }

    #[test]
    fn one_odd_token_moves_the_product_and_not_the_mean() {
        let third = |p: f64| [0.9_f64.ln(), 0.9_f64.ln(), p.ln()];
        check(&third(0.01), Kind::MeanProb, 0.603, 5e-4);
        check(&third(0.01), Kind::Prob, 0.0081, 1e-9);
        check(&third(0.05), Kind::MeanProb, 0.617, 5e-4);
        check(&third(0.05), Kind::Prob, 0.0405, 1e-9);
    }

    #[test]
    fn the_group_bound_does_not_underflow() {
        assert!((log_mean_exp(&[-5000.0, -5000.0]) + 5000.0).abs() < 1e-9);
        assert!((log_mean_exp(&[-0.5]) + 0.5).abs() < 1e-12);
        let jepo = Likelihood { kind: Kind::Jepo, ..Likelihood::default() };
        let row = |l: f64| {
            let mut rollout = Rollout::default();
            rollout.columns.insert("reference_logprobs".into(), json!([l]));
            rollout
        };
        let scores = jepo.score_group(&[row(0.5_f64.ln()), row(0.25_f64.ln()), Rollout::default()]);
        assert!((scores[0].as_ref().unwrap().value() - 0.375_f64.ln()).abs() < 1e-12);
        assert!((scores[1].as_ref().unwrap().value() - 0.375_f64.ln()).abs() < 1e-12);
        assert!(scores[2].is_err());
    }

    #[test]
    fn a_positive_log_probability_is_refused() {
        let mut rollout = Rollout::default();
        rollout.columns.insert("reference_logprobs".into(), json!([0.2]));
        assert!(Likelihood::default().score(&rollout).is_err());
    }
}
