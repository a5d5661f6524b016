//! Decides which pairs people label and which the judge's verdict is good enough for, within a budget.
//!
//! # Formula
//!
//! ```text
//! uncertainty    gain_j = 1 − how sure the judge is of pair j − the error rate of people
//! features       gain_j = f(e_j) − f(0):  Σ weights of j's features + Σ weights of pairs of features that j has both of
//! people get the pairs with the greatest gains above 0, at most share·n (or count) of them; ties in their order
//! ```
//!
//! How sure the judge is: the probability of its likeliest verdict, or the stated confidence. A pair that the judge left
//! unscored has no verdict to trust: it comes before all others.
//!
//! # When to use it
//!
//! To spend few human labels where they change most. `uncertainty` trusts the judge to know when it does not know: a judge
//! with a blind spot is sure of its errors there, and these pairs never reach a person. `features` takes the weights of a
//! performance model that was fitted on trial mixes of labels, and finds blind spots that have a name.
//!
//! # Departures
//!
//! The performance model is fitted elsewhere. Gains of chosen pairs are added up: with weights on pairs of features this
//! ignores how chosen pairs act together, as in the system's own rule.
//!
//! # Example
//!
//! ```yaml
//! use: data.route
//! by: uncertainty
//! share: 0.2
//! ```
//!
//! ```
//! use guerdon_judge::data::route::{Item, Route};
//!
//! let sure = |confidence| Item { confidence: Some(confidence), ..Item::default() };
//! let routed = Route { share: 0.5, ..Route::default() }.route(&[sure(0.9), sure(0.6)]);
//! assert_eq!(routed.people, [1]);
//! ```
//!
//! # References
//!
//! Miranda et al., "Hybrid Preferences: Learning to Route Instances for Human vs. AI Feedback", 2024.

use std::collections::BTreeMap;

use guerdon_core::method::{Function, Params, Preference};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the gain of a human label is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// How unsure the judge is.
    #[default]
    Uncertainty,
    /// Weights of the pair's features.
    Features,
}

/// The weight of two features together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Together {
    /// One feature.
    pub a: String,
    /// The other one; the same for a square.
    pub b: String,
    /// The weight. Finite.
    pub weight: f64,
}

/// Parameters of `data.route`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Route {
    /// What the gain of a human label is taken from. Default: `uncertainty`.
    pub by: By,
    /// The share of the pairs that people can label, 0 to 1, rounded down. Default: 0.25.
    pub share: f64,
    /// How many pairs people can label, in place of `share`. Default: none.
    pub count: Option<u32>,
    /// How often a person errs, 0 to 0.5: where the judge is surer than that, its verdict stays. Default: 0.
    pub human_error: f64,
    /// `features`: the weight of each feature. Default: none.
    pub weights: BTreeMap<String, f64>,
    /// `features`: weights of two features together. Default: none.
    pub together: Vec<Together>,
}

impl Default for Route {
    fn default() -> Self {
        Self {
            by: By::Uncertainty,
            share: 0.25,
            count: None,
            human_error: 0.0,
            weights: BTreeMap::new(),
            together: Vec::new(),
        }
    }
}

impl Params for Route {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("share", self.share, 0.0, 1.0)?;
        ParamError::in_range("human_error", self.human_error, 0.0, 0.5)?;
        let together = self.together.iter().map(|together| ("together", together.weight));
        let all = self.weights.values().map(|weight| ("weights", *weight)).chain(together);
        for (field, weight) in all {
            ParamError::in_range(field, weight, -1e9, 1e9)?;
        }
        Ok(())
    }
}

/// A pair, as far as the routing looks at it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Item {
    /// The judge's verdict: probabilities.
    pub preference: Option<Preference>,
    /// How sure the judge is, 0 to 1; goes before `preference`.
    pub confidence: Option<f64>,
    /// The pair's features: names of bins and tags.
    pub features: Vec<String>,
}

/// Input of `data.route`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The pairs.
    pub items: Vec<Item>,
}

/// Output of `data.route`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Routed {
    /// The places of the pairs that people label, the greatest gain first.
    pub people: Vec<usize>,
    /// The places of the pairs that keep the judge's verdict, ascending.
    pub judge: Vec<usize>,
    /// The places of the pairs that nobody labels: the judge left them unscored, and the budget is spent. Ascending.
    pub nobody: Vec<usize>,
    /// How many labels are expected to be wrong, by the judge's own certainty and `human_error`.
    pub expected_errors: f64,
}

impl Item {
    /// How sure the judge is, 0 to 1; `None` where it said nothing that can be used.
    fn certainty(&self) -> Option<f64> {
        let likeliest = |p: Preference| p.first.max(p.tie).max(p.second);
        let told = self.confidence.or(self.preference.map(likeliest))?;
        (0.0..=1.0).contains(&told).then_some(told)
    }
}

impl Route {
    /// What a human label of the pair is worth; infinite where the judge gave none.
    fn gain(&self, item: &Item) -> f64 {
        let Some(sure) = item.certainty() else { return f64::INFINITY };
        match self.by {
            By::Uncertainty => 1.0 - sure - self.human_error,
            By::Features => {
                let has = |name: &String| item.features.contains(name);
                let alone = self.weights.iter().filter(|(name, _)| has(name)).map(|(_, w)| *w);
                let both =
                    self.together.iter().filter(|t| has(&t.a) && has(&t.b)).map(|t| t.weight);
                alone.chain(both).sum()
            }
        }
    }

    /// Who labels which pair.
    pub fn route(&self, items: &[Item]) -> Routed {
        let gains: Vec<f64> = items.iter().map(|item| self.gain(item)).collect();
        let mut people: Vec<usize> = (0..items.len()).filter(|k| gains[*k] > 0.0).collect();
        people.sort_by(|a, b| gains[*b].total_cmp(&gains[*a]));
        people.truncate(self.budget(items.len()));
        let mut routed = vec![false; items.len()];
        people.iter().for_each(|k| routed[*k] = true);
        let rest = (0..items.len()).filter(|k| !routed[*k]);
        let (judge, nobody): (Vec<usize>, Vec<usize>) =
            rest.partition(|k| items[*k].certainty().is_some());
        let unsure = judge.iter().filter_map(|k| items[*k].certainty()).map(|sure| 1.0 - sure);
        let expected_errors = self.human_error * people.len() as f64 + unsure.sum::<f64>();
        Routed { people, judge, nobody, expected_errors }
    }

    /// How many pairs people can label.
    fn budget(&self, pairs: usize) -> usize {
        match self.count {
            Some(count) => (count as usize).min(pairs),
            // The greatest count whose share does not exceed the budget, a rounding error forgiven.
            None => (0..=pairs)
                .rev()
                .find(|k| *k as f64 <= self.share * pairs as f64 + 1e-9)
                .unwrap_or(0),
        }
    }
}

impl Function for Route {
    type Input = Input;
    type Output = Routed;

    fn call(&self, input: &Input, _seed: u64) -> Result<Routed, MethodError> {
        Ok(self.route(&input.items))
    }
}

guerdon_core::method! {
    Route: Function,
    id: "data.route",
    papers: ["hyper-2024"],
    status: Verified(ClosedForm("linear gains: the sum of the weights, sort and cut; quadratic gains of single pairs")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"items": [{"confidence": 0.9}, {"confidence": 0.55}, {}, {"preference": {"first": 0.4, "tie": 0.35, "second": 0.25}}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{By, Item, Route, Together};
    use guerdon_core::method::Preference;
    use guerdon_core::seed::stream;
    use rand::RngExt as _;

    fn sure(confidence: f64) -> Item {
        Item { confidence: Some(confidence), ..Item::default() }
    }

    fn with(features: &[&str]) -> Item {
        Item { features: features.iter().map(|f| (*f).to_owned()).collect(), ..sure(0.9) }
    }

    #[test]
    fn the_least_certain_go_to_people() {
        let torn = Item {
            preference: Some(Preference { first: 0.5, tie: 0.0, second: 0.5 }),
            ..Item::default()
        };
        let items = [sure(0.9), torn, sure(0.7), Item::default()];
        let routed = Route { count: Some(2), ..Route::default() }.route(&items);
        assert_eq!((routed.people, routed.judge), (vec![3, 1], vec![0, 2]));
        assert!((routed.expected_errors - 0.4).abs() < 1e-12);
        let none = Route { share: 0.0, ..Route::default() }.route(&items);
        assert_eq!((none.people, none.judge, none.nobody), (vec![], vec![0, 1, 2], vec![3]));
        let all = Route { share: 1.0, human_error: 0.2, ..Route::default() }.route(&items);
        assert_eq!(all.people, [3, 1, 2], "the judge is surer of the first than people are");
        assert_eq!(Route { share: 0.3, ..Route::default() }.budget(10), 3);
    }

    #[test]
    fn linear_gains_are_sums_and_the_choice_is_sort_and_cut() {
        let weights = [("long", 2.0), ("code", 3.0), ("safe", -1.0)];
        let weights = weights.map(|(name, weight)| (name.to_owned(), weight)).into();
        let own = Route { by: By::Features, count: Some(2), weights, ..Route::default() };
        let items =
            [with(&["long"]), with(&["long", "code", "safe"]), with(&["safe"]), with(&["code"])];
        assert_eq!(items.each_ref().map(|item| own.gain(item)), [2.0, 4.0, -1.0, 3.0]);
        assert_eq!(own.route(&items).people, [1, 3]);
        assert_eq!(Route { share: 1.0, count: None, ..own }.route(&items).people, [1, 3, 0]);
    }

    #[test]
    fn quadratic_gains_see_one_pair_at_a_time() {
        let together = vec![Together { a: "long".into(), b: "code".into(), weight: 5.0 }];
        let own = Route { by: By::Features, together, count: Some(2), ..Route::default() };
        // Two pairs that have one feature each gain nothing, although both together would.
        assert_eq!(own.gain(&with(&["long"])) + own.gain(&with(&["code"])), 0.0);
        assert_eq!(own.gain(&with(&["long", "code"])), 5.0);
    }

    /// The share of right labels at a budget, where the judge's certainty is calibrated and people err in 5 %.
    fn accuracy(own: &Route) -> f64 {
        let mut rng = stream(6, "routing");
        let truth: Vec<f64> = (0..4_000).map(|_| rng.random_range(0.5..1.0)).collect();
        let items: Vec<Item> = truth.iter().map(|p| sure(*p)).collect();
        let routed = own.route(&items);
        let people =
            routed.people.iter().map(|_| f64::from(u8::from(rng.random_bool(0.95)))).sum::<f64>();
        let judge = routed
            .judge
            .iter()
            .map(|k| f64::from(u8::from(rng.random_bool(truth[*k]))))
            .sum::<f64>();
        (people + judge) / 4_000.0
    }

    #[test]
    fn routing_beats_the_judge_alone_and_expects_what_happens() {
        let own = |share| Route { share, human_error: 0.05, ..Route::default() };
        let (alone, routed) = (accuracy(&own(0.0)), accuracy(&own(0.25)));
        // Without people 0.75. With a quarter: people on 0.5..0.625, the judge's mean on the rest 0.8125.
        assert!((alone - 0.75).abs() < 0.02, "{alone}");
        assert!((routed - (0.25 * 0.95 + 0.75 * 0.8125)).abs() < 0.02, "{routed}");
    }
}
