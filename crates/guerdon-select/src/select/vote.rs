//! Vote: the answer that most candidates give, each candidate counting one or as much as its score.
//!
//! # Formula
//!
//! ```text
//! winner = argmax_a Σ_{i : answer_i = a} w_i        w_i = 1, the score, the step scores joined, or exp(log-probability)
//! ```
//!
//! `w_i` is what `weight` names. With `temperature` T the weights are `exp((w_i − max w)/T)`, a softmax vote. Ties go to the
//! answer given earliest. The candidate returned is the first of the winning answer, or the heaviest of it.
//!
//! # When to use it
//!
//! Where answers can be compared and wrong ones scatter. Weighted votes need a score that means something in absolute
//! terms; for a score that only ranks use `select.best_of_n`. For free text there is nothing to count.
//!
//! # Departures
//!
//! A candidate without an answer, or without the number that `weight` reads, casts no vote (some scripts let the empty
//! answer win). Negative weights are summed as they are, as the compared process-reward votes do (an empty list of step
//! scores counts `no_steps` = −1 there); the share is then not given.
//!
//! # Example
//!
//! ```yaml
//! use: select.vote
//! weight: score
//! equality: number
//! ```
//!
//! ```
//! use guerdon_core::method::{Candidates, Selector as _};
//! use guerdon_select::select::vote::Vote;
//! let answers = ["7", "8", "8"].map(|a| Some(a.to_owned())).into();
//! let chosen = Vote::default().select(&Candidates { answers, ..Candidates::default() }, 0).unwrap();
//! assert_eq!((chosen.index, chosen.share), (1, Some(2.0 / 3.0)));
//! ```
//!
//! # References
//!
//! Wang et al., "Self-Consistency Improves Chain of Thought Reasoning in Language Models", 2023; Uesato et al., "Solving
//! math word problems with process- and outcome-based feedback", 2022 (weighted by a reward model).

use guerdon_core::method::{Candidates, Params, Selection, Selector};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ballot::{Equality, count, first_max, share, tally, winner};
use crate::weight::Source;

/// Which candidate of the winning answer is returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Representative {
    /// The earliest.
    #[default]
    First,
    /// The heaviest; ties to the earliest.
    Best,
}

/// Parameters of `select.vote`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Vote {
    /// What a candidate counts. Default `uniform`: one each.
    pub weight: Source,
    /// Softmax temperature over the weights, greater than 0; default none: the weights as they are.
    pub temperature: Option<f64>,
    /// When two answers are the same. Default `text`.
    pub equality: Equality,
    /// Which candidate of the winning answer is returned. Default `first`.
    pub representative: Representative,
    /// What an empty list of step scores counts; default −1, null: no vote.
    pub no_steps: Option<f64>,
}

impl Default for Vote {
    fn default() -> Self {
        Self {
            weight: Source::Uniform,
            temperature: None,
            equality: Equality::Text,
            representative: Representative::First,
            no_steps: Some(-1.0),
        }
    }
}

impl Params for Vote {
    fn validate(&self) -> Result<(), ParamError> {
        if let Some(no_steps) = self.no_steps {
            ParamError::in_range("no_steps", no_steps, f64::NEG_INFINITY, f64::INFINITY)?;
        }
        self.temperature.map_or(Ok(()), |t| ParamError::positive("temperature", t))
    }
}

/// The weights of a softmax vote: exp((w − max w)/temperature).
pub fn softmax(weights: &[Option<f64>], temperature: f64) -> Vec<Option<f64>> {
    let greatest = weights.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    weights.iter().map(|w| w.map(|w| ((w - greatest) / temperature).exp())).collect()
}

impl Selector for Vote {
    fn select(&self, candidates: &Candidates, _seed: u64) -> Result<Selection, Unscored> {
        let mut weights = self.weight.of(candidates, self.no_steps)?;
        if let Some(temperature) = self.temperature {
            weights = softmax(&weights, temperature);
        }
        let keys: Vec<_> =
            candidates.answers.iter().map(|a| a.as_deref().map(|a| self.equality.key(a))).collect();
        let classes = count(&keys, &weights);
        let won = winner(&classes)
            .ok_or_else(|| Unscored::missing("no candidate has an answer to vote for"))?;
        if !won.weight.is_finite() {
            return Err(Unscored::invalid("the summed weights overflow: rescale the scores"));
        }
        let place = match self.representative {
            Representative::First => Some(0),
            Representative::Best => {
                first_max(won.members.iter().map(|&i| weights[i].unwrap_or(f64::NEG_INFINITY)))
            }
        };
        let index = won.members[place.unwrap_or(0)];
        Ok(Selection { index, share: share(won, &classes), tally: tally(&classes) })
    }
}

guerdon_core::method! {
    Vote: Selector,
    id: "select.vote",
    papers: ["compute-optimal-tts-2025", "uesato-2022", "rlcr-2025", "mpbench-2025", "magicore-2024"],
    status: Verified(Reference("compute-optimal-tts vote_utils, 210 cases")),
    laws: [RelabelEquivariant, MonotoneWinner],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{Representative, Vote};
    use crate::weight::Source;
    use guerdon_core::method::{Candidates, Selector as _};

    fn candidates(answers: &[&str], scores: &[f64]) -> Candidates {
        Candidates {
            answers: answers.iter().map(|a| (!a.is_empty()).then(|| (*a).to_owned())).collect(),
            scores: scores.iter().map(|s| Some(*s)).collect(),
            ..Candidates::default()
        }
    }

    fn check(params: &Vote, candidates: &Candidates, expect: usize) {
        assert_eq!(params.select(candidates, 0).unwrap().index, expect);
    }

    #[test]
    fn two_weak_votes_outweigh_a_strong_one() {
        let c = candidates(&["A", "A", "B"], &[0.6, 0.5, 0.9]);
        let weighted = Vote { weight: Source::Score, ..Vote::default() };
        check(&weighted, &c, 0);
        assert_eq!(weighted.select(&c, 0).unwrap().tally[0], ("A".to_owned(), 1.1));
    }

    #[test]
    fn a_cold_softmax_vote_is_best_of_n() {
        let c = candidates(&["A", "A", "B"], &[0.6, 0.5, 0.9]);
        check(&Vote { weight: Source::Score, temperature: Some(0.01), ..Vote::default() }, &c, 2);
    }

    #[test]
    fn the_empty_answer_never_wins() {
        check(&Vote::default(), &candidates(&["", "", "x"], &[]), 2);
        assert!(Vote::default().select(&candidates(&["", ""], &[]), 0).is_err());
        assert!(Vote::default().select(&Candidates::default(), 0).is_err());
    }

    #[test]
    fn the_best_of_the_winners() {
        let best =
            Vote { representative: Representative::Best, weight: Source::Score, ..Vote::default() };
        check(&best, &candidates(&["A", "B", "A"], &[0.3, 0.9, 0.8]), 2);
    }
}
