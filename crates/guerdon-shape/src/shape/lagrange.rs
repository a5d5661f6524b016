//! Constraints on signals: weights that are learned as Lagrange multipliers, so that each signal reaches its target.
//!
//! # Formula
//!
//! ```text
//! r'_i = (N − Σ_k μ_k) · r_i + Σ_k μ_k · s_ik
//! V_k ← ema · V_k + (1 − ema) · mean of s_k over the batch
//! μ_k ← clip(μ_k + lr · (θ_k − V_k), bounds)
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
//! advantage that is linear in the reward. It keeps multipliers bounded by a squashing function: here by the bounds
//! themselves. The paper's code was not available to us: the update is checked by its worked step alone.
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
    /// The multipliers at the start. Within the bounds of `kind`; default 0.5.
    pub initial: f64,
}

impl Default for Lagrange {
    fn default() -> Self {
        Self { thresholds: BTreeMap::new(), kind: Kind::Mu, lr: 0.01, ema: 0.0, initial: 0.5 }
    }
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
        ParamError::in_range("initial", self.initial, low, high)
    }
}

impl Lagrange {
    fn transform(self) -> Multipliers {
        let state = State { mu: vec![self.initial; self.thresholds.len()], values: Vec::new() };
        Multipliers { last: state.mu.clone(), params: self, state }
    }

    /// The multiplier after a batch in which its signal's running value was `value`.
    pub fn step(&self, mu: f64, threshold: f64, value: f64) -> f64 {
        let (low, high) = self.kind.bounds();
        (mu + self.lr * (threshold - value)).clamp(low, high)
    }
}

/// The reward mixed from the nominal one and the signals by their multipliers.
pub fn mixed(nominal: f64, signals: &[f64], mu: &[f64]) -> f64 {
    let rest = mu.len() as f64 - mu.iter().sum::<f64>();
    rest * nominal + signals.iter().zip(mu).map(|(s, m)| m * s).sum::<f64>()
}

/// What is remembered: per signal the multiplier and, after the first batch, the running value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    mu: Vec<f64>,
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
        for ((mu, value), threshold) in
            self.state.mu.iter_mut().zip(&self.state.values).zip(self.params.thresholds.values())
        {
            *mu = self.params.step(*mu, *threshold, *value);
        }
    }
}

impl Transform for Multipliers {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let mut means = Vec::new();
        let shaped = view.dense(&self.names(), |d| {
            if !d.values.is_empty() {
                means = d.aux.iter().map(|s| mean(s)).collect();
            }
            let row = |(i, r): (usize, &f64)| {
                let signals: Vec<f64> = d.aux.iter().map(|s| s[i]).collect();
                mixed(*r, &signals, &self.state.mu)
            };
            Ok(d.values.iter().enumerate().map(row).collect())
        })?;
        self.last.clone_from(&self.state.mu);
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
        MethodError::same_length(
            ("saved multipliers", state.mu.len()),
            ("thresholds", self.params.thresholds.len()),
        )?;
        self.last.clone_from(&state.mu);
        self.state = state;
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
    use super::{Kind, Lagrange, mixed};
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
            (multipliers.state.mu[0] - 0.46).abs() < 1e-12
                && (multipliers.state.mu[1] - 0.53).abs() < 1e-12
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
        assert_eq!(at_least.state.mu, [0.0, 1.0]);
        assert_eq!(equal.state.mu, [-1.0, 1.0]);
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
