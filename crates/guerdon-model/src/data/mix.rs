//! Mixes sources of training data in given proportions: how many items of each, and in which order.
//!
//! # Formula
//!
//! ```text
//! n_k = whole part of w_k / Σ w · total, and one more for the greatest remainders, so that Σ n_k = total
//! ```
//!
//! `w_k` is the weight of source `k`. A source with fewer items than its number gives all it has (or, with `repeat`, begins
//! again); what is missing goes to the others in proportion. The order interleaves the sources evenly: at every point each
//! has given its share as nearly as whole numbers allow.
//!
//! # When to use it
//!
//! For mixtures of domains, of harmful and harmless prompts, of fresh and replayed data.
//!
//! # Departures
//!
//! None: this is the largest-remainder rule.
//!
//! # Example
//!
//! ```yaml
//! use: data.mix
//! total: 1000
//! ```
//!
//! ```
//! use guerdon_model::data::mix::interleave;
//! assert_eq!(interleave(&[2, 1]), [0, 1, 0]);
//! ```
//!
//! # References
//!
//! Kim et al., "Reasoning as an Adaptive Defense for Safety", 2025 (TARS: harmful, harmless and ambiguous prompts).

use crate::portion;
use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of `data.mix`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mix {
    /// Number of items wanted, 1 to 1 million. Default 1000.
    pub total: usize,
    /// Whether a source that is used up begins again. Default false.
    pub repeat: bool,
}

impl Default for Mix {
    fn default() -> Self {
        Self { total: 1000, repeat: false }
    }
}

/// The largest mixture.
const MAX_TOTAL: usize = 1_000_000;

impl Params for Mix {
    fn validate(&self) -> Result<(), ParamError> {
        if (1..=MAX_TOTAL).contains(&self.total) {
            return Ok(());
        }
        Err(ParamError::new(
            "total",
            format!("`total` must be between 1 and {MAX_TOTAL}, not {}", self.total),
        ))
    }
}

/// A source of items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Its weight, at least 0.
    pub weight: f64,
    /// The number of items it has.
    pub size: usize,
}

/// Input of `data.mix`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The sources.
    pub sources: Vec<Source>,
}

/// Output of `data.mix`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The number of items of each source.
    pub counts: Vec<usize>,
    /// The source (index) and the item (index in the source) at each place.
    pub order: Vec<(usize, usize)>,
}

impl Mix {
    /// The number of items of each source.
    pub fn counts(&self, sources: &[Source]) -> Vec<usize> {
        let room = |source: &Source| match (self.repeat, source.size) {
            (_, 0) => 0,
            (true, _) => self.total,
            (false, size) => size,
        };
        let mut counts = vec![0; sources.len()];
        let mut spent = vec![false; sources.len()];
        // Each round but the last finds a source that must give all it has.
        for _ in 0..=sources.len() {
            let given: usize = (0..sources.len()).filter(|&k| spent[k]).map(|k| counts[k]).sum();
            let open: Vec<f64> = sources
                .iter()
                .zip(&spent)
                .map(|(s, spent)| if *spent { 0.0 } else { s.weight })
                .collect();
            let shares = portion::largest_remainder(&open, self.total - given);
            let short = |k: usize| !spent[k] && shares[k] > room(&sources[k]);
            let newly: Vec<usize> = (0..sources.len()).filter(|&k| short(k)).collect();
            for k in (0..sources.len()).filter(|&k| !spent[k]) {
                counts[k] = shares[k].min(room(&sources[k]));
            }
            if newly.is_empty() {
                break;
            }
            for k in newly {
                spent[k] = true;
            }
        }
        counts
    }
}

/// The source at each place when sources of these sizes are interleaved evenly; ties go by order.
pub fn interleave(counts: &[usize]) -> Vec<usize> {
    let mut places: Vec<(f64, usize)> = Vec::with_capacity(counts.iter().sum());
    for (k, &count) in counts.iter().enumerate() {
        places.extend((0..count).map(|i| ((i as f64 + 0.5) / count as f64, k)));
    }
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    places.into_iter().map(|(_, k)| k).collect()
}

impl Function for Mix {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        if let Some(bad) = input.sources.iter().find(|s| s.weight < 0.0 || !s.weight.is_finite()) {
            let message = format!(
                "the weight of `{}` must be finite and at least 0, not {}",
                bad.name, bad.weight
            );
            return Err(MethodError::domain(message));
        }
        let counts = self.counts(&input.sources);
        let mut next = vec![0; counts.len()];
        let item = |k: usize| {
            let own = next[k] % input.sources[k].size.max(1);
            next[k] += 1;
            (k, own)
        };
        Ok(Output { order: interleave(&counts).into_iter().map(item).collect(), counts })
    }
}

guerdon_core::method! {
    Mix: Function,
    id: "data.mix",
    papers: ["tars-2025", "bi-induct-2025", "asdagent-2026"],
    status: Verified(ClosedForm("largest remainders add up to the total")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"sources": [{"name": "harmful", "weight": 0.5, "size": 40}, {"name": "harmless", "weight": 0.3, "size": 400},
            {"name": "ambiguous", "weight": 0.2, "size": 9}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Mix, Source, interleave};

    fn check(params: &Mix, sources: &[(f64, usize)], expect: &[usize]) {
        let sources: Vec<Source> = sources
            .iter()
            .map(|(weight, size)| Source { name: String::new(), weight: *weight, size: *size })
            .collect();
        assert_eq!(params.counts(&sources), expect);
    }

    #[test]
    fn proportions_in_whole_numbers() {
        check(&Mix { total: 7, repeat: false }, &[(0.5, 99), (0.3, 99), (0.2, 99)], &[4, 2, 1]);
    }

    #[test]
    fn a_short_source_gives_all_it_has() {
        check(&Mix { total: 10, repeat: false }, &[(0.5, 2), (0.25, 99), (0.25, 99)], &[2, 4, 4]);
        check(&Mix { total: 10, repeat: false }, &[(0.5, 2), (0.5, 3)], &[2, 3]);
        check(&Mix { total: 10, repeat: true }, &[(0.5, 2), (0.5, 0)], &[10, 0]);
    }

    #[test]
    fn sources_alternate_evenly() {
        assert_eq!(interleave(&[2, 2]), [0, 1, 0, 1]);
        assert_eq!(interleave(&[4, 1]), [0, 0, 1, 0, 0]);
        assert!(interleave(&[]).is_empty());
    }
}
