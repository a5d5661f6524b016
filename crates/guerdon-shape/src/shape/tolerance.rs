//! A bounded reward for being near: 1 inside the bounds, falling smoothly to a small value at the margin.
//!
//! # Formula
//!
//! ```text
//! d = distance of r to [low, high], in margins;  v = value_at_margin
//! r' = 1 for d = 0, else
//! gaussian      exp(−½·(s·d)²),  s = √(−2·ln v)        reciprocal    1 / (1 + d·(1/v − 1))
//! hyperbolic    1 / cosh(s·d),   s = acosh(1/v)        cosine        (1 + cos(π·s·d)) / 2, s = acos(2v − 1)/π, 0 for s·d ≥ 1
//! long_tail     1 / (1 + (s·d)²), s = √(1/v − 1)       linear        1 − d·(1 − v), at least 0
//! tanh_squared  1 − tanh²(s·d),  s = atanh(√(1 − v))   quadratic     1 − (d·√(1 − v))², at least 0
//! ```
//!
//! `r` is the running reward: a distance, an error, a number to hit. A margin of 0 pays 1 inside and 0 outside.
//!
//! # When to use it
//!
//! To turn measured quantities into rewards of one scale, from 0 to 1, which `shape.combine` with `op: hamacher` joins to
//! a soft AND. `long_tail` still pulls from afar; `linear`, `quadratic` and `cosine` end.
//!
//! # Departures
//!
//! None: the shapes are those of the benchmark's reward utilities. Without bounds (`low` = `high` = 0) the reward is a
//! distance to 0.
//!
//! # Example
//!
//! ```yaml
//! use: shape.tolerance
//! high: 0.02
//! margin: 0.05
//! shape: long_tail
//! ```
//!
//! ```
//! use guerdon_shape::shape::tolerance::Shape;
//! assert!((Shape::Gaussian.value(0.5, 0.1) - 0.5623).abs() < 1e-4);
//! ```
//!
//! # References
//!
//! Yu et al., "Meta-World: A Benchmark and Evaluation for Multi-Task and Meta Reinforcement Learning", 2019.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use std::f64::consts::PI;

/// How the reward falls outside the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A bell.
    #[default]
    Gaussian,
    /// A hyperbolic secant.
    Hyperbolic,
    /// Slowly, never ending.
    LongTail,
    /// With a tip.
    Reciprocal,
    /// Half a cosine, ending.
    Cosine,
    /// A line, ending.
    Linear,
    /// A parabola, ending.
    Quadratic,
    /// A squared hyperbolic tangent.
    TanhSquared,
}

impl Shape {
    /// The value at distance `d` (in margins) when it is `v` at distance 1.
    pub fn value(self, d: f64, v: f64) -> f64 {
        match self {
            Self::Gaussian => (v.ln() * d * d).exp(),
            Self::Hyperbolic => 1.0 / ((1.0 / v).acosh() * d).cosh(),
            Self::LongTail => 1.0 / (1.0 + (1.0 / v - 1.0) * d * d),
            Self::Reciprocal => 1.0 / (1.0 + (1.0 / v - 1.0) * d),
            Self::Cosine => {
                let x = (2.0 * v - 1.0).acos() / PI * d;
                if x >= 1.0 { 0.0 } else { f64::midpoint(1.0, (PI * x).cos()) }
            }
            Self::Linear => (1.0 - (1.0 - v) * d).max(0.0),
            Self::Quadratic => (1.0 - (1.0 - v) * d * d).max(0.0),
            Self::TanhSquared => 1.0 - ((1.0 - v).sqrt().atanh() * d).tanh().powi(2),
        }
    }
}

/// Parameters of `shape.tolerance`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tolerance {
    /// Lower bound of what is perfect, in units of the running reward. Finite; default 0.
    pub low: f64,
    /// Upper bound of what is perfect. Finite, at least `low`; default 0.
    pub high: f64,
    /// Distance to the bounds at which the reward is `value_at_margin`. At least 0; default 1.
    pub margin: f64,
    /// How the reward falls. Default `gaussian`.
    pub shape: Shape,
    /// Reward at the margin. Between 0 and 1; default 0.1.
    pub value_at_margin: f64,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self { low: 0.0, high: 0.0, margin: 1.0, shape: Shape::Gaussian, value_at_margin: 0.1 }
    }
}

impl Params for Tolerance {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("low", self.low, f64::NEG_INFINITY, f64::INFINITY)?;
        ParamError::in_range("high", self.high, self.low, f64::INFINITY)?;
        ParamError::in_range("margin", self.margin, 0.0, f64::INFINITY)?;
        ParamError::in_range("value_at_margin", self.value_at_margin, 1e-9, 1.0 - 1e-9)
    }
}

impl Tolerance {
    /// The reward of the quantity `x`, from 0 to 1.
    pub fn value(&self, x: f64) -> f64 {
        let distance = (self.low - x).max(x - self.high);
        if distance <= 0.0 {
            return 1.0;
        }
        if self.margin == 0.0 {
            return 0.0;
        }
        self.shape.value(distance / self.margin, self.value_at_margin)
    }
}

impl Transform for Tolerance {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let current = view.current()?;
        let mut shaped =
            view.dense(&[], |d| Ok(d.values.iter().map(|x| self.value(*x)).collect()))?;
        shaped.fine = current.fine.clone().map(|mut fine| {
            fine.values.iter_mut().for_each(|x| *x = self.value(*x));
            fine
        });
        Ok(shaped)
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }
}

guerdon_core::method! {
    Tolerance: Transform,
    id: "shape.tolerance",
    papers: ["meta-world-2019"],
    status: Verified(Worked("half the margin: gaussian 0.5623, long tail 0.3077; every shape is 0.1 at the margin")),
    laws: [GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{Shape, Tolerance};

    const SHAPES: [Shape; 8] = [
        Shape::Gaussian,
        Shape::Hyperbolic,
        Shape::LongTail,
        Shape::Reciprocal,
        Shape::Cosine,
        Shape::Linear,
        Shape::Quadratic,
        Shape::TanhSquared,
    ];

    #[test]
    fn every_shape_falls_from_one_to_the_value_at_the_margin() {
        for shape in SHAPES {
            assert!((shape.value(0.0, 0.1) - 1.0).abs() < 1e-12, "{shape:?}");
            assert!((shape.value(1.0, 0.1) - 0.1).abs() < 1e-12, "{shape:?}");
            assert!((0.0..0.1).contains(&shape.value(3.0, 0.1)), "{shape:?}");
        }
    }

    #[test]
    fn worked_numbers() {
        let check = |shape: Shape, d: f64, expect: f64| {
            assert!((shape.value(d, 0.1) - expect).abs() < 5e-5);
        };
        check(Shape::Gaussian, 0.5, 0.5623);
        check(Shape::LongTail, 0.5, 0.3077);
        check(Shape::Gaussian, 0.4, 0.6918);
    }

    #[test]
    fn no_margin_is_all_or_nothing() {
        let strict = Tolerance { low: 1.0, high: 2.0, margin: 0.0, ..Tolerance::default() };
        assert_eq!([0.9, 1.0, 2.0, 2.1].map(|x| strict.value(x)), [0.0, 1.0, 1.0, 0.0]);
    }
}
