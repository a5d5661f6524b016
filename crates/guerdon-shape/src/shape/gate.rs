//! One signal decides whether the others count: format first, accuracy first, a holistic score first.
//!
//! # Formula
//!
//! ```text
//! r'_i = B_then(r_i)       where the gate is open
//!        B_otherwise(r_i)  where it is closed
//! B(r) = value, if the branch has one, else scale · r;  plus Σ_k w_k · s_ik   (σ(s_ik) with `squash`)
//! ```
//!
//! The gate is open where the signals `when` are at least `at_least`: all of them, or any with `need: any`. A branch that
//! is not given leaves the reward as it is; `otherwise` is by default the value 0.
//!
//! | what | entry |
//! |---|---|
//! | broken format pays −1 whatever the rest (Router-R1) | `{when: format, otherwise: {value: -1}}` |
//! | aspects count only for good answers (`ALaRM`) | `{when: holistic, at_least: 0.5, then: {add: {aspect: 1}, squash: true}, otherwise: {}}` |
//! | a truncated answer is scaled or set (`OpenRLHF`) | `{when: truncated, then: {scale: 0.5}, otherwise: {}}`, or `{value: -0.5}` |
//! | a fallback for wrong answers (noisy rewards) | `{when: correct, otherwise: {value: 0, add: {pattern: 1}}}` |
//! | a suggestion counts for wrong actions (GUI-Critic) | `{when: action_right, then: {}, otherwise: {add: {suggestion: 0.5}}}` |
//! | violations have a price (SQRL) | `{when: violations, at_least: 1, then: {add: {violations: -0.1}}, otherwise: {}}` |
//!
//! # When to use it
//!
//! Where a sum could be bought with the wrong part: cheap malformed answers, fluent wrong ones. A closed gate removes all
//! spread below it, so early in training (nothing passes) it also removes the signal: watch the share of groups without
//! spread.
//!
//! # Departures
//!
//! `ALaRM` pays its aspects where they occur; here they are added to the rollout's value (and paid at its last step).
//! SafeWork-R1 and SQRL publish no formula for the gate: the entries above are our reading. `OpenRLHF`'s coefficient is
//! a scale at or above 0 and a value below.
//!
//! # Example
//!
//! ```yaml
//! use: shape.gate
//! when: format
//! otherwise: {value: -1.0}
//! ```
//!
//! ```
//! use guerdon_shape::shape::gate::Branch;
//! let closed = Branch { value: Some(-1.0), ..Branch::default() };
//! assert_eq!(closed.value_of(0.64, &[]), -1.0);
//! ```
//!
//! # References
//!
//! Lai et al., "`ALaRM`: Align Language Models via Hierarchical Rewards Modeling", 2024. Zhang et al., "Router-R1: Teaching
//! LLMs Multi-Round Routing and Aggregation via Reinforcement Learning", 2025.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::curve::sigmoid;
use super::fine::settle;
use super::reference::names;
use super::weights::{Resolved, Weights};

/// What a rollout earns on one side of the gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Branch {
    /// Takes the place of the reward. Finite; default: none.
    pub value: Option<f64>,
    /// Multiplies the reward. Finite; default 1.
    pub scale: f64,
    /// Signals that are added, with their weights (numbers or columns). Default: none.
    pub add: Weights,
    /// Whether added signals go through the logistic function, so that they are positive. Default false.
    pub squash: bool,
}

impl Default for Branch {
    fn default() -> Self {
        Self { value: None, scale: 1.0, add: Weights::default(), squash: false }
    }
}

impl Branch {
    /// What a reward becomes; `added` holds a weight and a value per signal of `add`.
    pub fn value_of(&self, reward: f64, added: &[(f64, f64)]) -> f64 {
        let base = self.value.unwrap_or(self.scale * reward);
        let part = |(w, s): &(f64, f64)| w * if self.squash { sigmoid(*s) } else { *s };
        base + added.iter().map(part).sum::<f64>()
    }

    fn validate(&self, field: &str) -> Result<(), ParamError> {
        const ANY: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
        let within = |e: ParamError| {
            let path = std::iter::once(field.to_owned()).chain(e.path).collect();
            ParamError { path, ..e }
        };
        ParamError::in_range("value", self.value.unwrap_or(0.0), ANY.0, ANY.1).map_err(within)?;
        ParamError::in_range("scale", self.scale, ANY.0, ANY.1).map_err(within)?;
        if self.add.moves() {
            let error = ParamError::new(
                "add",
                "weights behind a gate cannot be scheduled: schedule them in `shape.combine`",
            );
            return Err(within(error));
        }
        if self.add.0.is_empty() { Ok(()) } else { self.add.validate("add").map_err(within) }
    }
}

/// Whether all or any of the gate's signals must pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// All of them.
    #[default]
    All,
    /// One of them.
    Any,
}

/// Parameters of `shape.gate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gate {
    /// The signals that decide: a name or a list. Default: the running reward.
    #[serde(deserialize_with = "names")]
    pub when: Vec<String>,
    /// Least value with which a signal passes. Finite; default 0.5.
    pub at_least: f64,
    /// Whether all signals must pass. Default `all`.
    pub need: Need,
    /// What a rollout earns where the gate is open. Default: its reward.
    pub then: Branch,
    /// What a rollout earns where the gate is closed. Default: 0.
    pub otherwise: Branch,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            when: Vec::new(),
            at_least: 0.5,
            need: Need::All,
            then: Branch::default(),
            otherwise: Branch { value: Some(0.0), ..Branch::default() },
        }
    }
}

impl Params for Gate {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("at_least", self.at_least, f64::NEG_INFINITY, f64::INFINITY)?;
        self.then.validate("then")?;
        self.otherwise.validate("otherwise")
    }
}

/// A branch with the columns it adds.
struct Ready<'a> {
    branch: &'a Branch,
    added: Vec<(Resolved<'a>, &'a Column)>,
}

impl<'a> Ready<'a> {
    fn new(branch: &'a Branch, view: &View<'a>) -> Result<Self, MethodError> {
        let mut added = Vec::new();
        for (name, weight) in &branch.add.0 {
            added.push((weight.resolve(0, view.frame)?, view.frame.column(name)?));
        }
        Ok(Self { branch, added })
    }

    /// The row's reward on this side; none where an added signal is unscored.
    fn of(&self, row: usize, reward: f64) -> Option<f64> {
        let part =
            |(weight, column): &(Resolved<'_>, &Column)| Some((weight.get(row)?, column.get(row)?));
        let added: Option<Vec<_>> = self.added.iter().map(part).collect();
        Some(self.branch.value_of(reward, &added?))
    }
}

impl Gate {
    /// Whether the gate is open for a row; none where a deciding signal is unscored.
    fn open(&self, deciding: &[&Column], row: usize) -> Option<bool> {
        let passes: Option<Vec<bool>> =
            deciding.iter().map(|c| Some(c.get(row)? >= self.at_least)).collect();
        let passes = passes?;
        Some(match self.need {
            Need::All => passes.iter().all(|p| *p),
            Need::Any => passes.iter().any(|p| *p),
        })
    }
}

impl Transform for Gate {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let current = view.current()?;
        let mut deciding: Vec<&Column> =
            self.when.iter().map(|n| view.frame.column(n)).collect::<Result<_, _>>()?;
        if deciding.is_empty() {
            deciding.push(current);
        }
        let (then, otherwise) = (Ready::new(&self.then, view)?, Ready::new(&self.otherwise, view)?);
        let shaped = current.iter().enumerate().map(|(row, reward)| {
            let side = if self.open(&deciding, row)? { &then } else { &otherwise };
            side.of(row, reward?)
        });
        Ok(settle(current, Column::from_options(shaped)))
    }

    fn reads(&self) -> Vec<String> {
        let added = [&self.then, &self.otherwise].into_iter().flat_map(|b| b.add.reads());
        self.when.iter().cloned().chain(added).collect()
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }
}

guerdon_core::method! {
    Gate: Transform,
    id: "shape.gate",
    papers: [
        "alarm-2024", "router-r1-2025", "gui-critic-r1-2025", "noisy-rewards-2025", "format-length-2025",
        "extrans-2025", "tars-2025", "safework-r1-2025", "sqrl-2023", "spark-2025",
    ],
    status: Verified(Worked("ALaRM's 2.9987 and 0.9, Router-R1's −1, OpenRLHF's stop-properly golden values")),
    laws: [GroupLocal],
    exempt: [],
    sample_params: r#"{"when": "correct"}"#,
}

#[cfg(test)]
mod tests {
    use super::Gate;
    use guerdon_core::method::{Params as _, Transform as _};
    use guerdon_core::{Column, Fine, Frame, Groups, Level, View};
    use serde_json::{Value, json};

    fn build(params: Value) -> Gate {
        let gate: Gate = serde_json::from_value(params).unwrap();
        gate.validate().unwrap();
        gate
    }

    fn check(params: Value, reward: f64, signals: &[(&str, Option<f64>)], expect: Option<f64>) {
        let mut frame = Frame::new(Groups::one(1));
        for (name, value) in signals {
            frame.insert(name, Column::from_options([*value])).unwrap();
        }
        let current = Column::full(vec![reward]);
        let view = View { frame: &frame, current: Some(&current), seed: 0 };
        let own = build(params).apply(&view).unwrap().get(0);
        assert_eq!(own.map(|v| (v * 1e4).round() / 1e4), expect);
    }

    #[test]
    fn hierarchies_of_the_papers() {
        let alarm =
            json!({"when": "h", "then": {"add": {"aspect": 1}, "squash": true}, "otherwise": {}});
        check(alarm.clone(), 2.4, &[("h", Some(0.8)), ("aspect", Some(0.4))], Some(2.9987));
        check(alarm, 0.9, &[("h", Some(0.3)), ("aspect", Some(0.4))], Some(0.9));
        let router = json!({"when": "format", "otherwise": {"value": -1}});
        check(router.clone(), 0.64, &[("format", Some(1.0))], Some(0.64));
        check(router, 0.64, &[("format", Some(0.0))], Some(-1.0));
        let critic =
            json!({"when": "right", "then": {}, "otherwise": {"add": {"suggestion": 0.5}}});
        check(critic.clone(), 1.0, &[("right", Some(0.0)), ("suggestion", Some(1.0))], Some(1.5));
        check(critic, 1.0, &[("right", Some(1.0)), ("suggestion", Some(1.0))], Some(1.0));
        let fallback = json!({"when": "right", "otherwise": {"value": 0, "add": {"pattern": 1}}});
        check(fallback, 0.0, &[("right", Some(0.0)), ("pattern", Some(0.35))], Some(0.35));
    }

    #[test]
    fn several_gates_in_a_row() {
        let both = json!({"when": ["a", "b"]});
        check(both, 1.0, &[("a", Some(1.0)), ("b", Some(0.0))], Some(0.0));
        let either = json!({"when": ["a", "b"], "need": "any"});
        check(either, 1.0, &[("a", Some(1.0)), ("b", Some(0.0))], Some(1.0));
    }

    #[test]
    fn an_unscored_gate_leaves_the_rollout_unscored() {
        check(json!({"when": "a"}), 1.0, &[("a", None)], None);
        check(
            json!({"when": "a", "then": {"add": {"b": 1}}}),
            1.0,
            &[("a", Some(1.0)), ("b", None)],
            None,
        );
    }

    #[test]
    fn the_change_is_paid_at_the_last_step() {
        let mut frame = Frame::new(Groups::one(1));
        frame.insert("format", Column::full(vec![0.0])).unwrap();
        let mut current = Column::full(vec![1.0]);
        current.fine = Some(Fine::from_rows(Level::Step, [&[0.25, 0.75][..]]));
        let view = View { frame: &frame, current: Some(&current), seed: 0 };
        let own = build(json!({"when": "format"})).apply(&view).unwrap();
        assert_eq!(own.fine.unwrap().values, [0.25, -0.25]);
    }
}
