//! Filters preference pairs by a number: the least or the greatest share goes, or what lies outside a band.
//!
//! # Formula
//!
//! ```text
//! by: score          the pair's own number (a CHES score, a reward gap)
//! by: length_ratio   length of the chosen over length of the rejected response
//! drop the `drop` share with the greatest (least) number, and what lies below `min` or above `max`
//! ```
//!
//! # When to use it
//!
//! With `by: score` and CHES scores, to drop the pairs whose two sides the model represents alike before preference
//! optimisation: those lower the chosen likelihood. With `by: length_ratio` and `max`, against a length bias of pairs. With
//! reward gaps and `drop_end: least`, to drop pairs that are nearly ties.
//!
//! # Departures
//!
//! None. Ties go by input order; pairs without the number are dropped.
//!
//! # Example
//!
//! ```yaml
//! use: data.pair_filter
//! by: score
//! drop: 0.05
//! ```
//!
//! ```
//! use guerdon_model::data::pair_filter::{Pair, PairFilter};
//! let pairs = [-1.0, 3.0].map(|score| Pair { score: Some(score), ..Pair::default() });
//! assert_eq!(PairFilter { drop: 0.5, ..PairFilter::default() }.keep(&pairs), [0]);
//! ```
//!
//! # References
//!
//! Razin et al., "Unintentional Unalignment: Likelihood Displacement in Direct Preference Optimization", 2024, section 6.
//! Zang et al., "`InternLM-XComposer2.5-Reward`", 2025 (length ratio).

use crate::portion;
use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The number by which pairs are filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The pair's `score`.
    #[default]
    Score,
    /// Length of the chosen over length of the rejected response.
    LengthRatio,
}

/// Which end is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The pairs with the greatest numbers.
    #[default]
    Greatest,
    /// The pairs with the least numbers.
    Least,
}

/// Parameters of `data.pair_filter`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PairFilter {
    /// The number by which pairs are filtered. Default `score`.
    pub by: By,
    /// Share of the pairs that is dropped, 0 to 1; default 0.05.
    pub drop: f64,
    /// Which end is dropped. Default `greatest`.
    pub drop_end: End,
    /// Least number that is kept. Default: none.
    pub min: Option<f64>,
    /// Greatest number that is kept. Default: none.
    pub max: Option<f64>,
}

impl Default for PairFilter {
    fn default() -> Self {
        Self { by: By::Score, drop: 0.05, drop_end: End::Greatest, min: None, max: None }
    }
}

impl Params for PairFilter {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("drop", self.drop, 0.0, 1.0)
    }
}

/// A preference pair.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pair {
    /// The pair's own number.
    pub score: Option<f64>,
    /// Length of the chosen response.
    pub chosen_length: Option<f64>,
    /// Length of the rejected response.
    pub rejected_length: Option<f64>,
}

/// Input of `data.pair_filter`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The pairs.
    pub pairs: Vec<Pair>,
}

/// Output of `data.pair_filter`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Indices of the pairs kept, ascending.
    pub kept: Vec<usize>,
}

impl PairFilter {
    /// Indices of the pairs kept, ascending.
    pub fn keep(&self, pairs: &[Pair]) -> Vec<usize> {
        let numbered: Vec<(usize, f64)> = pairs
            .iter()
            .enumerate()
            .filter_map(|(i, pair)| Some((i, self.number(pair)?)))
            .collect();
        let numbers: Vec<f64> = numbered.iter().map(|(_, number)| *number).collect();
        let mut order = match self.drop_end {
            End::Greatest => portion::ascending(&numbers),
            End::Least => portion::descending(&numbers),
        };
        order.truncate(numbers.len() - portion::count(self.drop, numbers.len()));
        let within =
            |x: f64| self.min.is_none_or(|min| x >= min) && self.max.is_none_or(|max| x <= max);
        let mut kept: Vec<usize> =
            order.into_iter().filter(|&k| within(numbers[k])).map(|k| numbered[k].0).collect();
        kept.sort_unstable();
        kept
    }

    fn number(&self, pair: &Pair) -> Option<f64> {
        match self.by {
            By::Score => pair.score,
            By::LengthRatio => {
                Some(pair.chosen_length? / pair.rejected_length.filter(|l| *l > 0.0)?)
            }
        }
    }
}

impl Function for PairFilter {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        Ok(Output { kept: self.keep(&input.pairs) })
    }
}

guerdon_core::method! {
    PairFilter: Function,
    id: "data.pair_filter",
    papers: ["ches-2024", "ixc-reward-2025"],
    status: Stable,
    laws: [],
    exempt: [],
    samples: [
        r#"{"pairs": [{"score": -1}, {"score": 3}, {"score": 0.5}, {}, {"score": -0.25, "chosen_length": 9, "rejected_length": 3}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{By, End, Pair, PairFilter};

    fn check(params: &PairFilter, expect: &[usize]) {
        let own = [(-1.0, 10.0), (3.0, 30.0), (0.5, 5.0), (2.0, 20.0)];
        let mut pairs: Vec<Pair> = own
            .iter()
            .map(|(s, l)| Pair {
                score: Some(*s),
                chosen_length: Some(*l),
                rejected_length: Some(10.0),
            })
            .collect();
        pairs.push(Pair::default());
        assert_eq!(params.keep(&pairs), expect);
    }

    #[test]
    fn the_highest_scores_go() {
        check(&PairFilter { drop: 0.25, ..PairFilter::default() }, &[0, 2, 3]);
        check(&PairFilter { drop: 0.5, drop_end: End::Least, ..PairFilter::default() }, &[1, 3]);
        check(&PairFilter { drop: 0.0, ..PairFilter::default() }, &[0, 1, 2, 3]);
    }

    #[test]
    fn a_length_ratio_has_a_bound() {
        check(
            &PairFilter { by: By::LengthRatio, drop: 0.0, max: Some(1.5), ..PairFilter::default() },
            &[0, 2],
        );
    }

    #[test]
    fn all_may_go() {
        check(&PairFilter { drop: 1.0, ..PairFilter::default() }, &[]);
    }
}
