//! Perplexity gain: how much better the query explains the response than nothing does, by the policy's own perplexity.
//!
//! # Formula
//!
//! ```text
//! ppl(a) = exp(−(1/n) Σ log π(a_i | a_<i))        ppl(a|q) = exp(−(1/n) Σ log π(a_i | q, a_<i))
//! ratio        max(floor, (ppl(a) − ppl(a|q)) / ppl(a))
//! log          log ppl(a) − log ppl(a|q)
//! difference   ppl(a) − ppl(a|q)
//! ```
//!
//! `a` is the whole response, `q` the query. The column `unconditional` holds the log-probabilities of the response alone,
//! `conditional` those given the query (the recorded policy log-probabilities by default).
//!
//! # When to use it
//!
//! Added with a small weight (0.2) to correctness: it favours text that the query explains, which is short and specific,
//! over filler. Alone it rewards repeating the query.
//!
//! # Departures
//!
//! `floor` and `cap` apply to every kind; the paper bounds the ratio at −1. Perplexities beyond a 64-bit float are unscored
//! for `difference`; the ratio is computed from the difference of the logs and does not overflow.
//!
//! # Example
//!
//! ```yaml
//! use: verify.perplexity_gain
//! unconditional: response_only_logprobs
//! ```
//!
//! ```
//! use guerdon_verify::verify::perplexity_gain::{Kind, gain};
//! assert!((gain(8_f64.ln(), 4_f64.ln(), Kind::Ratio) - 0.5).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! "Self-Aligned Reward: Towards Effective and Efficient Reasoners", 2025.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::records;

/// How the two perplexities are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The relative drop.
    #[default]
    Ratio,
    /// The difference of the logs.
    Log,
    /// The plain difference.
    Difference,
}

/// Parameters of `verify.perplexity_gain`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PerplexityGain {
    /// How the two perplexities are compared. Default `ratio`.
    pub kind: Kind,
    /// Column with the response's natural-log probabilities without the query. Default `unconditional_logprobs`.
    pub unconditional: String,
    /// Column with them given the query. Default none: the recorded policy log-probabilities.
    pub conditional: Option<String>,
    /// Least value. Default −1.
    pub floor: f64,
    /// Greatest value, at least `floor`. Default none.
    pub cap: Option<f64>,
}

impl Default for PerplexityGain {
    fn default() -> Self {
        Self {
            kind: Kind::Ratio,
            unconditional: "unconditional_logprobs".into(),
            conditional: None,
            floor: -1.0,
            cap: None,
        }
    }
}

impl Params for PerplexityGain {
    fn validate(&self) -> Result<(), ParamError> {
        records::named("unconditional", &self.unconditional)?;
        ParamError::in_range("floor", self.floor, -1e300, 1e300)?;
        self.cap.map_or(Ok(()), |cap| ParamError::in_range("cap", cap, self.floor, 1e300))
    }
}

/// The gain from the log-perplexities (nats) without and with the query, before floor and cap.
pub fn gain(without: f64, with: f64, kind: Kind) -> f64 {
    match kind {
        Kind::Ratio => -(with - without).exp_m1(),
        Kind::Log => without - with,
        Kind::Difference => without.exp() - with.exp(),
    }
}

fn log_perplexity(logprobs: &[f64]) -> f64 {
    -logprobs.iter().sum::<f64>() / logprobs.len() as f64
}

impl PerplexityGain {
    fn conditional(&self, rollout: &Rollout) -> Result<Vec<f64>, Unscored> {
        if let Some(column) = &self.conditional {
            return records::logprobs_at(rollout, column);
        }
        let recorded = rollout.logprobs.as_ref().map(|lp| lp.policy.clone()).unwrap_or_default();
        if recorded.is_empty() {
            return Err(Unscored::missing(
                "the row records no log-probabilities: map `logprobs` or set `conditional`",
            ));
        }
        Ok(recorded)
    }
}

impl Signal for PerplexityGain {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let without = records::logprobs_at(rollout, &self.unconditional)?;
        let with = self.conditional(rollout)?;
        if with.len() != without.len() {
            return Err(Unscored::invalid(format!(
                "{} log-probabilities without the query and {} with it: both are of the same response",
                without.len(),
                with.len()
            )));
        }
        let raw = gain(log_perplexity(&without), log_perplexity(&with), self.kind);
        if raw.is_nan() {
            return Err(Unscored::invalid("the perplexities are not finite"));
        }
        Score::new(raw.max(self.floor).min(self.cap.unwrap_or(f64::INFINITY)))
    }

    fn range(&self) -> Option<(f64, f64)> {
        let high = match self.kind {
            Kind::Ratio => Some(self.cap.unwrap_or(1.0)),
            _ => self.cap,
        };
        high.filter(|high| *high > self.floor).map(|high| (self.floor, high))
    }

    fn reads_completion(&self) -> bool {
        false
    }
}

guerdon_core::method! {
    PerplexityGain: Signal,
    id: "verify.perplexity_gain",
    papers: ["sar-2025"],
    status: Verified(Worked("SAR: perplexities 8 and 4, equal, 2 and 6; specific and filler tokens")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [
        DegenerateEarnsNothing: "The log-probabilities come from the data, not from the completion's text.",
        InjectionGainsNothing: "The log-probabilities come from the data, not from the completion's text.",
    ],
    sample_params: r#"{"cap": 0.5}"#,
    samples: [
        r#"{"prompt": "q", "completion": "a b", "logprobs": {"policy": [-0.5, -0.5]}, "unconditional_logprobs": [-3, -3]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Kind, PerplexityGain, gain};
    use guerdon_core::method::Signal as _;
    use guerdon_core::{LogProbs, Rollout};
    use serde_json::json;

    fn check(without: &[f64], with: &[f64], expect: f64, tolerance: f64) {
        let mut rollout = Rollout {
            logprobs: Some(LogProbs { policy: with.to_vec(), reference: Vec::new() }),
            ..Rollout::default()
        };
        rollout.columns.insert("unconditional_logprobs".into(), json!(without));
        let got = PerplexityGain::default().score(&rollout).unwrap().value();
        assert!((got - expect).abs() <= tolerance, "{without:?} {with:?}: {got}, not {expect}");
    }

    #[test]
    fn worked_perplexities() {
        let l = |ppl: f64| [-ppl.ln()];
        check(&l(8.0), &l(4.0), 0.5, 1e-12);
        check(&l(3.0), &l(3.0), 0.0, 1e-12);
        check(&l(2.0), &l(6.0), -1.0, 1e-12);
    }

    #[test]
    fn specific_tokens_gain_more_than_filler() {
        check(&[-3.0; 4], &[-0.5; 4], 0.918, 5e-4);
        check(&[-3.0, -0.5], &[-0.5, -0.5], 0.713, 5e-4);
    }

    #[test]
    fn other_kinds() {
        assert!((gain(8_f64.ln(), 4_f64.ln(), Kind::Log) - 2_f64.ln()).abs() < 1e-12);
        assert!((gain(8_f64.ln(), 4_f64.ln(), Kind::Difference) - 4.0).abs() < 1e-12);
        assert!((gain(2000.0, 1.0, Kind::Ratio) - 1.0).abs() < 1e-12);
    }
}
