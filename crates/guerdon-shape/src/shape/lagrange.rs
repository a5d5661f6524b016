//! Constraints on signals: weights that are learned as Lagrange multipliers, so that each signal reaches its target.
//!
//! # Formula
//!
//! ```text
//! r'_i = (N − Σ_k μ_k) · r_i + Σ_k μ_k · s_ik
//! V_k ← ema · V_k + (1 − ema) · mean of s_k over the batch
//! v_k ← momentum · v_k + s'(x_k) · (θ_k − V_k),  x_k ← x_k + lr · v_k,  μ_k = s(x_k)
//! s: clip (x itself, kept within the bounds) or squash (the logistic function for mu, tanh for xi)
//! ```
//!
//! `r_i` is the running reward (the part that is always wanted, such as staying near the reference policy), `s_ik` the
//! signal `k` of `N`, `θ_k` its threshold. With `kind: mu` a signal must reach at least its threshold: μ lies in [0, 1] and
//! returns to 0 once it does. With `kind: xi` it must equal the threshold: μ lies in [−1, 1] and pushes back above it.
//! The multipliers and running values are saved with the run.
//!
//! # When to use it
//!
//! For rewards that are each useful only up to a point (past it the evaluation falls), and for limits: length, cost,
//! refusals. Fixed weights overshoot some and miss others. Thresholds come from a run that stops where the evaluation is
//! best. `lr` should be small against the speed at which the policy moves a signal, or the multipliers swing.
//!
//! # Departures
//!
//! The paper mixes advantages with one value head per signal; mixed here are the rewards, which is the same for any
//! advantage that is linear in the reward. The authors' code was read: with one constraint it has the same mixture (of
//! advantages normalised over the batch), starts at μ = 0.5, and bounds μ by the logistic function with learning rate
//! 0.01 and momentum 0.9 (`bound: squash, momentum: 0.9`). The default clips μ, as the worked step does.
//!
//! # Example
//!
//! ```yaml
//! use: shape.lagrange
//! thresholds: {helpful: 1.0, brief: 0.6}
//! lr: 0.1
//! ```
//!
//! ```
//! use guerdon_shape::shape::lagrange::mixed;
//! assert!((mixed(-0.2, &[1.0, -0.4], &[0.3, 0.5]) + 0.14).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! Moskovitz et al., "Confronting Reward Model Overoptimization with Constrained RLHF", 2023.

use std::collections::BTreeMap;

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::curve::sigmoid;
use super::fine::settle;
use crate::moments::mean;

/// The sort of constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// At least the threshold.
    #[default]
    Mu,
    /// Exactly the threshold.
    Xi,
}

/// Parameters of `shape.lagrange`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Lagrange {
    /// Signals with the values that their means should reach. Required.
    pub thresholds: BTreeMap<String, f64>,
    /// The sort of constraint. Default `mu`.
    pub kind: Kind,
    /// Change of a multiplier per batch and unit of violation. At least 0; default 0.01.
    pub lr: f64,
    /// Share of the old running value that is kept with each batch. 0 to below 1; default 0.
    pub ema: f64,
    /// How multipliers are kept within their bounds. Default `clip`.
    pub bound: Bound,
    /// Share of the last change that is repeated with each batch. 0 to below 1; default 0.
    pub momentum: f64,
    /// The multipliers at the start. Within the bounds of `kind`; default 0.5.
    pub initial: f64,
}

impl Default for Lagrange {
    fn default() -> Self {
        Self {
            thresholds: BTreeMap::new(),
            kind: Kind::Mu,
            lr: 0.01,
            ema: 0.0,
            bound: Bound::Clip,
            momentum: 0.0,
            initial: 0.5,
        }
    }
}

/// How a multiplier is kept within its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// It is cut off there.
    #[default]
    Clip,
    /// It is a logistic function (`mu`) or hyperbolic tangent (`xi`) of what is learned.
    Squash,
}

impl Kind {
    fn bounds(self) -> (f64, f64) {
        match self {
            Self::Mu => (0.0, 1.0),
            Self::Xi => (-1.0, 1.0),
        }
    }
}

impl Params for Lagrange {
    fn validate(&self) -> Result<(), ParamError> {
        if self.thresholds.is_empty() {
            let message = "`thresholds` must name at least one signal, for example `thresholds: {helpful: 1.0}`";
            return Err(ParamError::new("thresholds", message));
        }
        for (name, threshold) in &self.thresholds {
            ParamError::in_range(name, *threshold, f64::NEG_INFINITY, f64::INFINITY).map_err(
                |e| ParamError { path: vec!["thresholds".to_owned(), name.clone()], ..e },
            )?;
        }
        let (low, high) = self.kind.bounds();
        ParamError::in_range("lr", self.lr, 0.0, f64::INFINITY)?;
        ParamError::in_range("ema", self.ema, 0.0, 1.0 - 1e-12)?;
        ParamError::in_range("momentum", self.momentum, 0.0, 1.0 - 1e-12)?;
        if self.bound == Bound::Squash && !(self.initial > low && self.initial < high) {
            let message = format!(
                "`initial` must lie inside {low} and {high} with `bound: squash`, not {}",
                self.initial
            );
            return Err(ParamError::new("initial", message));
        }
        ParamError::in_range("initial", self.initial, low, high)
    }
}

impl Lagrange {
    fn transform(self) -> Multipliers {
        let n = self.thresholds.len();
        let state = State {
            latent: vec![self.latent(self.initial); n],
            velocity: vec![0.0; n],
            values: Vec::new(),
        };
        Multipliers { last: vec![self.initial; n], params: self, state }
    }

    /// What is learned for a multiplier of this value.
    fn latent(&self, mu: f64) -> f64 {
        match (self.bound, self.kind) {
            (Bound::Clip, _) => mu,
            (Bound::Squash, Kind::Mu) => (mu / (1.0 - mu)).ln(),
            (Bound::Squash, Kind::Xi) => mu.atanh(),
        }
    }

    /// The multiplier of what is learned, and how fast it moves with it.
    fn multiplier(&self, latent: f64) -> (f64, f64) {
        match (self.bound, self.kind) {
            (Bound::Clip, _) => (latent, 1.0),
            (Bound::Squash, Kind::Mu) => {
                let mu = sigmoid(latent);
                (mu, mu * (1.0 - mu))
            }
            (Bound::Squash, Kind::Xi) => (latent.tanh(), 1.0 - latent.tanh().powi(2)),
        }
    }

    /// Latent and velocity after a batch in which the signal's running value falls short of its threshold by `short`.
    pub fn step(&self, latent: f64, velocity: f64, short: f64) -> (f64, f64) {
        let velocity = self.momentum * velocity + self.multiplier(latent).1 * short;
        let next = latent + self.lr * velocity;
        let (low, high) = self.kind.bounds();
        (if self.bound == Bound::Clip { next.clamp(low, high) } else { next }, velocity)
    }
}

/// The reward mixed from the nominal one and the signals by their multipliers.
pub fn mixed(nominal: f64, signals: &[f64], mu: &[f64]) -> f64 {
    let rest = mu.len() as f64 - mu.iter().sum::<f64>();
    rest * nominal + signals.iter().zip(mu).map(|(s, m)| m * s).sum::<f64>()
}

/// What is remembered per signal: what is learned, its last change, and, after the first batch, the running value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    latent: Vec<f64>,
    velocity: Vec<f64>,
    values: Vec<f64>,
}

/// `shape.lagrange` in a run: the parameters and the multipliers.
#[derive(Debug, Clone)]
pub struct Multipliers {
    params: Lagrange,
    state: State,
    /// The multipliers of the last batch, for the contributions.
    last: Vec<f64>,
}

impl Multipliers {
    fn names(&self) -> Vec<&str> {
        self.params.thresholds.keys().map(String::as_str).collect()
    }

    fn update(&mut self, means: &[f64]) {
        let ema = self.params.ema;
        if self.state.values.len() == means.len() {
            let blend = |(old, new): (&f64, &f64)| ema * old + (1.0 - ema) * new;
            self.state.values = self.state.values.iter().zip(means).map(blend).collect();
        } else {
            self.state.values = means.to_vec();
        }
        for (k, threshold) in self.params.thresholds.values().enumerate() {
            let short = threshold - self.state.values[k];
            (self.state.latent[k], self.state.velocity[k]) =
                self.params.step(self.state.latent[k], self.state.velocity[k], short);
        }
    }

    /// The multipliers in force.
    fn mu(&self) -> Vec<f64> {
        self.state.latent.iter().map(|x| self.params.multiplier(*x).0).collect()
    }
}

impl Transform for Multipliers {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let mut means = Vec::new();
        let mu = self.mu();
        let shaped = view.dense(&self.names(), |d| {
            if !d.values.is_empty() {
                means = d.aux.iter().map(|s| mean(s)).collect();
            }
            let row = |(i, r): (usize, &f64)| {
                let signals: Vec<f64> = d.aux.iter().map(|s| s[i]).collect();
                mixed(*r, &signals, &mu)
            };
            Ok(d.values.iter().enumerate().map(row).collect())
        })?;
        self.last = mu;
        if !means.is_empty() {
            self.update(&means);
        }
        Ok(settle(view.current()?, shaped))
    }

    fn reads(&self) -> Vec<String> {
        self.params.thresholds.keys().cloned().collect()
    }

    fn scope(&self) -> Scope {
        Scope::Batch
    }

    fn save(&self) -> Value {
        serde_json::to_value(&self.state).unwrap_or_default()
    }

    fn restore(&mut self, state: &Value) -> Result<(), MethodError> {
        let state: State = super::state::read(state)?;
        let n = self.params.thresholds.len();
        MethodError::same_length(("saved multipliers", state.latent.len()), ("thresholds", n))?;
        MethodError::same_length(("saved changes", state.velocity.len()), ("thresholds", n))?;
        self.state = state;
        self.last = self.mu();
        Ok(())
    }

    fn contributions(&self, view: &View<'_>) -> Vec<(String, Column)> {
        let part = |(name, mu): (&str, &f64)| {
            let column = view.frame.column(name).ok()?;
            Some((name.to_owned(), Column::from_options(column.iter().map(|v| v.map(|v| mu * v)))))
        };
        self.names().into_iter().zip(&self.last).filter_map(part).collect()
    }
}

guerdon_core::method! {
    Lagrange: StatefulTransform,
    id: "shape.lagrange",
    papers: ["constrained-rlhf-2023"],
    status: Verified(Worked("the mixed advantage −0.14 and the dual step to (0.46, 0.53)")),
    laws: [],
    exempt: [GroupLocal: "The multipliers move with the mean of the whole batch, from the next batch on."],
    sample_params: r#"{"thresholds": {"b": 0.5, "score": 0.5}}"#,
}

#[cfg(test)]
mod tests {
    use super::{Bound, Kind, Lagrange, mixed};
    use guerdon_core::method::Transform as _;
    use guerdon_core::{Column, Frame, Groups, View};
    use std::collections::BTreeMap;

    fn lagrange(kind: Kind) -> Lagrange {
        let thresholds = BTreeMap::from([("a".to_owned(), 1.0), ("b".to_owned(), 1.3)]);
        Lagrange { thresholds, kind, lr: 0.1, ..Lagrange::default() }
    }

    #[test]
    fn worked_numbers() {
        assert!((mixed(-0.2, &[1.0, -0.4], &[0.3, 0.5]) + 0.14).abs() < 1e-12);
        let mut multipliers = lagrange(Kind::Mu).transform();
        multipliers.update(&[1.4, 1.0]);
        assert!(
            (multipliers.mu()[0] - 0.46).abs() < 1e-12
                && (multipliers.mu()[1] - 0.53).abs() < 1e-12
        );
    }

    #[test]
    fn a_satisfied_constraint_stops_counting_and_an_equality_pushes_back() {
        let mut at_least = lagrange(Kind::Mu).transform();
        let mut equal = lagrange(Kind::Xi).transform();
        for _ in 0..100 {
            at_least.update(&[2.0, 0.0]);
            equal.update(&[2.0, 0.0]);
        }
        assert_eq!(at_least.mu(), [0.0, 1.0]);
        assert_eq!(equal.mu(), [-1.0, 1.0]);
    }

    #[test]
    fn squashed_multipliers_stay_inside() {
        for (kind, edge) in [(Kind::Mu, 0.0), (Kind::Xi, -1.0)] {
            let params =
                Lagrange { bound: Bound::Squash, momentum: 0.9, lr: 1.0, ..lagrange(kind) };
            let mut squashed = params.transform();
            squashed.update(&[2.0, 1.3]);
            let slope = if kind == Kind::Mu { 0.25 } else { 0.75 };
            assert!(
                (squashed.state.velocity[0] + slope).abs() < 1e-12
                    && (squashed.mu()[1] - 0.5).abs() < 1e-12
            );
            for _ in 0..50 {
                squashed.update(&[2.0, 0.0]);
            }
            assert!(
                squashed.mu()[0] > edge && squashed.mu()[0] < edge + 0.1 && squashed.mu()[1] > 0.9
            );
        }
    }

    #[test]
    fn a_batch_is_mixed_before_the_multipliers_move() {
        let mut frame = Frame::new(Groups::one(1));
        frame.insert("a", Column::full(vec![1.0])).unwrap();
        frame.insert("b", Column::full(vec![2.0])).unwrap();
        let current = Column::full(vec![0.0]);
        let view = View { frame: &frame, current: Some(&current), seed: 0 };
        let mut multipliers = lagrange(Kind::Mu).transform();
        assert_eq!(multipliers.apply(&view).unwrap().get(0), Some(1.5));
        let parts: Vec<_> =
            multipliers.contributions(&view).into_iter().map(|(_, c)| c.get(0)).collect();
        assert_eq!(parts, [Some(0.5), Some(1.0)]);
    }
}
