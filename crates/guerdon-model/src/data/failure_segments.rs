//! Rescues the useful part of a failed expert trajectory, as far as the current agent's own play-outs prove it.
//!
//! From states along the trajectory the agent plays on. A state from which it succeeds shows that the actions before it
//! were worth something.
//!
//! # Formula
//!
//! ```text
//! needed = first state s with a successful play-out            useful prefix = the expert's first s actions
//! harm   = between the last such state and the next one tried   tail dropped from there
//! ```
//!
//! A state counts as successful if at least `min_rate` of its play-outs are. With `loss: needed_prefix` only the useful prefix
//! is trained on, besides the agent's successful continuations; with `loss: until_harm` all actions up to the last
//! successful state.
//!
//! # When to use it
//!
//! Where experts fail on tasks that neither they nor rejection sampling solve. Without any successful play-out nothing is kept.
//!
//! # Departures
//!
//! None; the play-outs are made elsewhere.
//!
//! # Example
//!
//! ```yaml
//! use: data.failure_segments
//! loss: needed_prefix
//! ```
//!
//! ```
//! use guerdon_model::data::failure_segments::FailureSegments;
//! let own = FailureSegments::default().segment(&[0, 1, 2, 3, 4, 5], &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0]).unwrap();
//! assert_eq!((own.needed, own.harm), (Some(2), Some((3, 4))));
//! ```
//!
//! # References
//!
//! "Exploring Expert Failures Improves LLM Agent Tuning", 2025 (EEF).

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The part of the expert's trajectory that is trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Up to the first state from which the agent succeeds.
    #[default]
    NeededPrefix,
    /// Up to the last state from which the agent succeeds.
    UntilHarm,
}

/// Parameters of `data.failure_segments`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FailureSegments {
    /// Share of a state's play-outs that must succeed. Greater than 0, at most 1; default: any success counts.
    pub min_rate: Option<f64>,
    /// The part of the expert's trajectory that is trained on. Default `needed_prefix`.
    pub loss: Loss,
}

impl Default for FailureSegments {
    fn default() -> Self {
        Self { min_rate: None, loss: Loss::NeededPrefix }
    }
}

impl Params for FailureSegments {
    fn validate(&self) -> Result<(), ParamError> {
        let Some(rate) = self.min_rate else { return Ok(()) };
        ParamError::positive("min_rate", rate)?;
        ParamError::in_range("min_rate", rate, 0.0, 1.0)
    }
}

/// Input of `data.failure_segments`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The states from which the agent played on: numbers of expert actions before them, ascending.
    pub states: Vec<usize>,
    /// Share of successful play-outs from each, 0 to 1.
    pub rates: Vec<f64>,
}

/// Output of `data.failure_segments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The first state from which the agent succeeds; null when nothing is kept.
    pub needed: Option<usize>,
    /// The number of expert actions to train on.
    pub train_actions: usize,
    /// The last successful state and the next one tried: the harm lies between. Null when there is none.
    pub harm: Option<(usize, usize)>,
}

impl FailureSegments {
    /// The useful part. `states` (ascending) and `rates` (0 to 1) have one value per state tried.
    pub fn segment(&self, states: &[usize], rates: &[f64]) -> Result<Output, MethodError> {
        MethodError::same_length(("states", states.len()), ("rates", rates.len()))?;
        if !states.is_sorted_by(|a, b| a < b) {
            return Err(MethodError::domain("`states` must ascend strictly"));
        }
        let good =
            |k: &usize| rates[*k] > 0.0 && self.min_rate.is_none_or(|least| rates[*k] >= least);
        let (Some(first), Some(last)) =
            ((0..states.len()).find(good), (0..states.len()).rev().find(good))
        else {
            return Ok(Output { needed: None, train_actions: 0, harm: None });
        };
        let train_actions = match self.loss {
            Loss::NeededPrefix => states[first],
            Loss::UntilHarm => states[last],
        };
        let harm = states.get(last + 1).map(|next| (states[last], *next));
        Ok(Output { needed: Some(states[first]), train_actions, harm })
    }
}

impl Function for FailureSegments {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        self.segment(&input.states, &input.rates)
    }
}

guerdon_core::method! {
    FailureSegments: Function,
    id: "data.failure_segments",
    papers: ["eef-2025"],
    status: Verified(Worked("play-outs 0,0,1,1,0,0: prefix up to state 2, harm between 3 and 4")),
    laws: [],
    exempt: [],
    samples: [r#"{"states": [0, 1, 2, 3, 4, 5], "rates": [0, 0, 1, 1, 0, 0]}"#],
}

#[cfg(test)]
mod tests {
    use super::{FailureSegments, Loss, Output};

    fn check(params: &FailureSegments, rates: &[f64], expect: &Output) {
        let states: Vec<usize> = (0..rates.len()).collect();
        assert_eq!(params.segment(&states, rates).unwrap(), *expect);
    }

    #[test]
    fn the_prefix_that_was_needed() {
        let rates = [0.0, 0.0, 1.0, 1.0, 0.0, 0.0];
        let needed = Output { needed: Some(2), train_actions: 2, harm: Some((3, 4)) };
        check(&FailureSegments::default(), &rates, &needed);
        let whole = FailureSegments { loss: Loss::UntilHarm, ..FailureSegments::default() };
        check(&whole, &rates, &Output { train_actions: 3, ..needed });
    }

    #[test]
    fn without_success_nothing_is_kept() {
        check(
            &FailureSegments::default(),
            &[0.0; 6],
            &Output { needed: None, train_actions: 0, harm: None },
        );
    }

    #[test]
    fn a_rate_may_be_asked_for() {
        let half = FailureSegments { min_rate: Some(0.5), ..FailureSegments::default() };
        check(&half, &[0.25, 0.5], &Output { needed: Some(1), train_actions: 1, harm: None });
    }
}
