//! What to ask next: how many more comparisons tell neighbours apart, and which pair is worth most.
//!
//! # Formula
//!
//! ```text
//! needed: (1 / v_goal − 1 / v) / (p (1 − p)),   v_goal = (Δ / (z_{α/2} + z_β))²,   v = Var(θ_a − θ_b) now
//! gain of asking a pair: ½ ln(1 + p (1 − p) v), times twice the probability that the order is wrong (goal order, best)
//! ```
//!
//! `Δ` is the estimated difference of strength, `p = σ(Δ)`, α = 1 − level, β = 1 − power.
//!
//! # When to use it
//!
//! Before more comparisons are bought. `needed` assumes that the estimate is right and counts comparisons of the pair itself;
//! those with third contestants help too, so that it is an upper bound.
//!
//! # Departures
//!
//! None.
//!
//! # Example
//!
//! ```yaml
//! use: rank.plan
//! goal: order
//! list: 5
//! ```
//!
//! ```
//! use guerdon_rank::uncertainty::plan::needed;
//! assert_eq!(needed(0.2, 0.1, 0.95, 0.8), Some(753));
//! assert_eq!(needed(2.0, 0.1, 0.95, 0.8), Some(0));
//! ```
//!
//! # References
//!
//! Glickman and Jensen, "Adaptive paired comparison design", Journal of Statistical Planning and Inference 127, 2005.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fit::pair::Ties;
use crate::fit::{self, Options};
use crate::uncertainty::covariance::Covariance;
use crate::uncertainty::plan::{Goal, needed, next_pairs};
use crate::uncertainty::ranks::order;
use crate::{Comparisons, Counts};

/// Parameters of `rank.plan`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Plan {
    /// What a tie means to the fit. Default: half a win for either side.
    pub ties: Ties,
    /// λ of the penalty (λ/2)·Σθ², at least 0; default 0.1, so that newcomers have a finite strength.
    pub ridge: f64,
    /// What further comparisons are for. Default: the order.
    pub goal: Goal,
    /// Level at which a difference counts as decided, between 0 and 1; default 0.95.
    pub level: f64,
    /// Probability with which it is to be found, between 0 and 1; default 0.8.
    pub power: f64,
    /// How many pairs worth asking are listed, up to 100000; default 10.
    pub list: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self { ties: Ties::Half, ridge: 0.1, goal: Goal::Order, level: 0.95, power: 0.8, list: 10 }
    }
}

impl Params for Plan {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("ridge", self.ridge, 0.0, f64::INFINITY)?;
        ParamError::in_range("list", self.list as f64, 0.0, 1e5)?;
        super::check_level(self.level)?;
        if self.power > 0.0 && self.power < 1.0 {
            return Ok(());
        }
        Err(ParamError::new(
            "power",
            format!("`power` must lie between 0 and 1, for example 0.8, not {}", self.power),
        ))
    }
}

/// What it takes to tell two neighbours of the table apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// The one ranked higher.
    pub better: String,
    /// The next one.
    pub worse: String,
    /// Further comparisons of the two that a decision needs: 0 when it is made, `None` when their estimates are equal.
    pub more: Option<u64>,
}

/// A pair worth asking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    /// One contestant.
    pub first: String,
    /// The other.
    pub second: String,
    /// What one comparison is worth, in nats.
    pub gain: f64,
}

/// Decisions and questions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Planned {
    /// Neighbours of the table, best first.
    pub decisions: Vec<Decision>,
    /// The pairs worth asking, best first.
    pub questions: Vec<Question>,
}

impl Plan {
    /// The plan for these counts.
    pub fn plan(&self, counts: &Counts, names: &[String]) -> Result<Planned, MethodError> {
        let options = Options { ties: self.ties, ridge: self.ridge, ..Options::default() };
        let fit = fit::fit(counts, names, &options)?;
        let covariance = Covariance::fisher(counts, &fit, &options)?;
        let label = &fit.components.label;
        let order = order(&fit.theta);
        let neighbours = order.windows(2).filter(|pair| label[pair[0]] == label[pair[1]]);
        let decisions = neighbours.map(|pair| {
            let (a, b) = (pair[0], pair[1]);
            let more = needed(
                fit.theta[a] - fit.theta[b],
                covariance.of_difference(a, b),
                self.level,
                self.power,
            );
            Decision { better: names[a].clone(), worse: names[b].clone(), more }
        });
        let asks = next_pairs(&fit.theta, label, &covariance, self.goal, self.list);
        let question = |ask: &crate::uncertainty::plan::Ask| Question {
            first: names[ask.a].clone(),
            second: names[ask.b].clone(),
            gain: ask.gain,
        };
        Ok(Planned {
            decisions: decisions.collect(),
            questions: asks.iter().map(question).collect(),
        })
    }
}

impl Function for Plan {
    type Input = Comparisons;
    type Output = Planned;

    fn call(&self, input: &Comparisons, _seed: u64) -> Result<Planned, MethodError> {
        self.plan(&input.counts(), input.names())
    }
}

guerdon_core::method! {
    Plan: Function,
    id: "rank.plan",
    papers: [],
    status: Verified(ClosedForm("with this many comparisons the variance is (Δ / (z_{α/2} + z_β))²")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"first": ["a", "b", "c", "a", "a", "a"], "second": ["b", "c", "a", "c", "b", "b"],
            "outcome": ["first", "tie", "second", "first", "first", "first"]}"#
    ],
}

#[cfg(test)]
mod tests {
    use super::Plan;
    use crate::uncertainty::plan::Goal;
    use crate::{Cell, Counts};

    fn counts() -> Counts {
        let cell = |a, b, wins_a, wins_b| Cell { a, b, wins_a, wins_b, ties: 0.0 };
        Counts::from_cells(3, [cell(0, 1, 90.0, 10.0), cell(0, 2, 91.0, 9.0), cell(1, 2, 6.0, 5.0)])
    }

    #[test]
    fn the_close_pair_is_asked_and_needs_many() {
        let names = ["a", "b", "c"].map(str::to_owned);
        let plan = Plan::default().plan(&counts(), &names).unwrap();
        assert_eq!(plan.decisions[0].more, Some(0));
        assert!(plan.decisions[1].more.unwrap() > 100);
        assert_eq!(
            (plan.questions[0].first.as_str(), plan.questions[0].second.as_str()),
            ("b", "c")
        );
        let best = Plan { goal: Goal::Best, ..Plan::default() }.plan(&counts(), &names).unwrap();
        assert!(best.questions.iter().all(|q| q.first == "a"));
    }
}
