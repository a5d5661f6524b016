//! Pairs a hard but solvable prompt with an easy but brittle one, so that an update sees a rare success and a rare failure.
//!
//! # Formula
//!
//! ```text
//! hard: low₀ < p ≤ low₁        easy: high₀ ≤ p < high₁        p = success rate of a prompt's rollouts
//! ```
//!
//! The hardest is paired with the easiest, the second hardest with the second easiest, and so on; ties go by order. Prompts
//! outside both bands and those left over are not used.
//!
//! # When to use it
//!
//! With 0/1 rewards and few prompts per update, before `advantage.pair_norm`.
//!
//! # Departures
//!
//! The paper's bands are not public: ours are (0, 0.25] and [0.75, 1).
//!
//! # Example
//!
//! ```yaml
//! use: data.prompt_pairing
//! low: [0, 0.25]
//! high: [0.75, 1]
//! ```
//!
//! ```
//! use guerdon_model::data::prompt_pairing::PromptPairing;
//! assert_eq!(PromptPairing::default().pairs(&[0.5, 0.125, 0.875]), [(1, 2)]);
//! ```
//!
//! # References
//!
//! "Beyond Variance: Prompt-Efficient RLVR via Rare-Event Amplification and Bidirectional Pairing", 2026.

use crate::portion;
use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of `data.prompt_pairing`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PromptPairing {
    /// Success rates of hard prompts: above the first, up to the second. 0 to 1; default [0, 0.25].
    pub low: [f64; 2],
    /// Success rates of easy prompts: from the first, below the second. 0 to 1; default [0.75, 1].
    pub high: [f64; 2],
}

impl Default for PromptPairing {
    fn default() -> Self {
        Self { low: [0.0, 0.25], high: [0.75, 1.0] }
    }
}

impl Params for PromptPairing {
    fn validate(&self) -> Result<(), ParamError> {
        for (field, [from, to]) in [("low", self.low), ("high", self.high)] {
            if !(0.0 <= from && from <= to && to <= 1.0) {
                let message = format!(
                    "`{field}` must be [from, to] with 0 ≤ from ≤ to ≤ 1, not [{from}, {to}]"
                );
                return Err(ParamError::new(field, message));
            }
        }
        if self.low[1] >= self.high[0] {
            return Err(ParamError::new("high", "`high` must begin above the end of `low`"));
        }
        Ok(())
    }
}

/// Input of `data.prompt_pairing`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The success rate of each prompt, 0 to 1.
    pub rates: Vec<f64>,
}

/// Output of `data.prompt_pairing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Indices of the hard and of the easy prompt of each pair.
    pub pairs: Vec<(usize, usize)>,
}

impl PromptPairing {
    /// Indices of the hard and of the easy prompt of each pair. `rates` are success rates, 0 to 1.
    pub fn pairs(&self, rates: &[f64]) -> Vec<(usize, usize)> {
        let hard = portion::ascending(rates)
            .into_iter()
            .filter(|&i| rates[i] > self.low[0] && rates[i] <= self.low[1]);
        let easy = portion::descending(rates)
            .into_iter()
            .filter(|&i| rates[i] >= self.high[0] && rates[i] < self.high[1]);
        hard.zip(easy).collect()
    }
}

impl Function for PromptPairing {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        MethodError::all_finite("rates", &input.rates)?;
        Ok(Output { pairs: self.pairs(&input.rates) })
    }
}

guerdon_core::method! {
    PromptPairing: Function,
    id: "data.prompt_pairing",
    papers: ["wgrpo-2026"],
    status: Stable,
    laws: [],
    exempt: [],
    samples: [r#"{"rates": [0.125, 0.5, 0.875, 0, 1, 0.25, 0.75]}"#],
}

#[cfg(test)]
mod tests {
    use super::PromptPairing;
    use guerdon_core::method::Params as _;

    #[test]
    fn sure_prompts_and_middling_ones_stay_out() {
        let own = PromptPairing::default().pairs(&[0.25, 0.5, 0.75, 0.0, 1.0, 0.125, 0.875]);
        assert_eq!(own, [(5, 6), (0, 2)]);
    }

    #[test]
    fn what_has_no_partner_is_not_used() {
        assert_eq!(PromptPairing::default().pairs(&[0.1, 0.2, 0.9]), [(0, 2)]);
        assert!(PromptPairing::default().pairs(&[]).is_empty());
    }

    #[test]
    fn bands_that_overlap_are_refused() {
        assert!(PromptPairing { low: [0.0, 0.8], high: [0.7, 1.0] }.validate().is_err());
        assert!(PromptPairing { low: [0.5, 0.2], high: [0.7, 1.0] }.validate().is_err());
    }
}
