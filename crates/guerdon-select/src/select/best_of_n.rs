//! Best of n: the candidate with the highest score.
//!
//! # Formula
//!
//! ```text
//! chosen = argmax_i s_i        s_i: the score, the step scores joined, or the log-probability
//! ```
//!
//! Ties go to the earliest candidate. The optimisation pressure of choosing one of n is at most ln n − (n − 1)/n nats.
//!
//! # When to use it
//!
//! With a score that ranks well. A proxy is over-optimised as n grows: watch a second score (`audit.overopt`). With
//! countable answers a weighted `select.vote` is usually steadier.
//!
//! # Departures
//!
//! Candidates without a score are passed over; an empty list of step scores counts `no_steps` (−1, as the compared
//! process-reward code has it).
//!
//! # Example
//!
//! ```yaml
//! use: select.best_of_n
//! score: steps_min
//! ```
//!
//! ```
//! use guerdon_core::method::{Candidates, Selector as _};
//! use guerdon_select::select::best_of_n::BestOfN;
//! let scores = vec![Some(0.2), Some(0.9), Some(0.9), None];
//! assert_eq!(BestOfN::default().select(&Candidates { scores, ..Candidates::default() }, 0).unwrap().index, 1);
//! ```
//!
//! # References
//!
//! Stiennon et al., "Learning to summarize from human feedback", 2020; Gao et al., "Scaling Laws for Reward Model
//! Overoptimization", 2022 (the bound).

use guerdon_core::method::{Candidates, Params, Selection, Selector};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ballot::first_max;
use crate::weight::Source;

/// Parameters of `select.best_of_n`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BestOfN {
    /// What is compared. Default `score`.
    pub score: Source,
    /// What an empty list of step scores counts; default −1, null: passed over.
    pub no_steps: Option<f64>,
}

impl Default for BestOfN {
    fn default() -> Self {
        Self { score: Source::Score, no_steps: Some(-1.0) }
    }
}

impl Params for BestOfN {
    fn validate(&self) -> Result<(), ParamError> {
        if self.score == Source::Uniform {
            return Err(ParamError::new("score", "`uniform` ranks nothing; name a score"));
        }
        self.no_steps.map_or(Ok(()), |x| {
            ParamError::in_range("no_steps", x, f64::NEG_INFINITY, f64::INFINITY)
        })
    }
}

/// The index of the first greatest score; `None` when there is none.
pub fn argmax(scores: &[Option<f64>]) -> Option<usize> {
    let known: Vec<usize> = (0..scores.len()).filter(|&i| scores[i].is_some()).collect();
    first_max(known.iter().filter_map(|&i| scores[i])).map(|at| known[at])
}

/// Upper bound of KL(best of n ‖ base) in nats: ln n − (n − 1)/n, exact without ties.
pub fn kl_bound(n: u64) -> f64 {
    let n = n.max(1) as f64;
    n.ln() - (n - 1.0) / n
}

impl Selector for BestOfN {
    fn select(&self, candidates: &Candidates, _seed: u64) -> Result<Selection, Unscored> {
        let scores = self.score.of(candidates, self.no_steps)?;
        let index = argmax(&scores)
            .ok_or_else(|| Unscored::missing("there is no candidate with a score"))?;
        Ok(Selection { index, share: None, tally: Vec::new() })
    }
}

guerdon_core::method! {
    BestOfN: Selector,
    id: "select.best_of_n",
    papers: ["compute-optimal-tts-2025", "overopt-2022", "mpbench-2025", "medical-dapt-2024"],
    status: Verified(Reference("compute-optimal-tts vote_utils, 210 cases; ln n − (n − 1)/n at n = 4 … 1024")),
    laws: [RelabelEquivariant, MonotoneWinner],
    exempt: [],
    aliases: ["select.argmax"],
}

#[cfg(test)]
mod tests {
    use super::{argmax, kl_bound};

    #[test]
    fn the_first_greatest() {
        assert_eq!(argmax(&[None, Some(1.0), Some(2.0), Some(2.0)]), Some(2));
        assert_eq!(argmax(&[None]), None);
    }

    #[test]
    fn published_bounds() {
        for (n, kl) in
            [(4, 0.636_294), (16, 1.835_089), (64, 3.174_508), (256, 4.549_084), (1024, 5.932_448)]
        {
            assert!((kl_bound(n) - kl).abs() < 1e-6);
        }
        assert_eq!(kl_bound(1), 0.0);
    }
}
