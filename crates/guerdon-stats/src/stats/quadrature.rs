//! Quadrature: the area under a sampled curve by trapezoid, Simpson or Bayesian weights.
//!
//! # Formula
//!
//! ```text
//! trapezoid: Σ (x_{i+1} − x_i)(y_i + y_{i+1})/2      simpson: h/3·(y_0 + 4y_1 + 2y_2 + … + y_n), equal steps
//! bayesian: zᵀK⁻¹y,  K_ij = k(x_i, x_j),  z_i = ∫ k(x, x_i) dx,  k a Matérn kernel
//! ```
//!
//! # When to use it
//!
//! For areas under risk, coverage and regret curves. Trapezoid errors fall with N⁻², Simpson's with N⁻⁴ on smooth curves;
//! Bayesian weights suit few, uneven samples of a smooth curve and come with a variance.
//!
//! # Departures
//!
//! Simpson needs an odd number of equally spaced points and says so. The kernel has unit variance and mean 0: far from the
//! samples (in length scales) the integral is pulled to 0.
//!
//! # Example
//!
//! ```yaml
//! use: stats.quadrature
//! kind: trapezoid
//! ```
//!
//! ```
//! use guerdon_stats::stats::quadrature::trapezoid;
//! assert_eq!(trapezoid(&[0.0, 1.0, 3.0], &[0.0, 2.0, 2.0]), 5.0);
//! ```
//!
//! # References
//!
//! O'Hagan, "Bayes-Hermite quadrature", 1991; Cao and Ni, "Impact of Computation in Integral Reinforcement Learning for
//! Continuous-Time Control", 2024.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::linalg::Cholesky;
use crate::moments::{at_least, check_pair, finite};

/// Which rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Straight lines between samples.
    #[default]
    Trapezoid,
    /// Parabolas; equal steps, an odd number of samples.
    Simpson,
    /// Posterior mean under a Matérn prior.
    Bayesian,
}

/// Smoothness of the Matérn kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Smoothness {
    /// ½: rough.
    Half,
    /// 3/2: once differentiable.
    ThreeHalves,
    /// 5/2: twice differentiable.
    #[default]
    FiveHalves,
}

/// Parameters of `stats.quadrature`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Quadrature {
    /// Which rule. Default `trapezoid`.
    pub kind: Kind,
    /// Smoothness of the kernel (`bayesian`). Default `five_halves`.
    pub smoothness: Smoothness,
    /// Length scale of the kernel in units of x, greater than 0; default: the whole range.
    pub length: Option<f64>,
}

impl Default for Quadrature {
    fn default() -> Self {
        Self { kind: Kind::Trapezoid, smoothness: Smoothness::FiveHalves, length: None }
    }
}

impl Params for Quadrature {
    fn validate(&self) -> Result<(), ParamError> {
        self.length.map_or(Ok(()), |l| ParamError::positive("length", l))
    }
}

/// Input of `stats.quadrature`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Places, at least two, strictly ascending.
    pub x: Vec<f64>,
    /// Values there.
    pub y: Vec<f64>,
}

/// Output of `stats.quadrature`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The area.
    pub integral: f64,
    /// Posterior variance for a kernel of unit variance; null for the other rules.
    pub variance: Option<f64>,
}

/// The trapezoid rule on ascending places.
pub fn trapezoid(x: &[f64], y: &[f64]) -> f64 {
    x.windows(2).zip(y.windows(2)).map(|(x, y)| (x[1] - x[0]) * f64::midpoint(y[0], y[1])).sum()
}

/// Simpson's rule; places must be equally spaced and odd in number.
pub fn simpson(x: &[f64], y: &[f64]) -> Result<f64, MethodError> {
    let h = (x[x.len() - 1] - x[0]) / (x.len() - 1) as f64;
    if x.len() < 3
        || x.len().is_multiple_of(2)
        || x.windows(2).any(|w| (w[1] - w[0] - h).abs() > 1e-6 * h)
    {
        return Err(MethodError::domain(
            "Simpson needs an odd number of equally spaced places; use `trapezoid`",
        ));
    }
    let weight =
        |i: usize| if i == 0 || i == x.len() - 1 { 1.0 } else { 2.0 + 2.0 * (i % 2) as f64 };
    Ok(h / 3.0 * y.iter().enumerate().map(|(i, y)| weight(i) * y).sum::<f64>())
}

impl Smoothness {
    fn rate(self) -> f64 {
        match self {
            Self::Half => 1.0,
            Self::ThreeHalves => 3.0_f64.sqrt(),
            Self::FiveHalves => 5.0_f64.sqrt(),
        }
    }

    /// The kernel at scaled distance u.
    fn kernel(self, u: f64) -> f64 {
        let poly = match self {
            Self::Half => 1.0,
            Self::ThreeHalves => 1.0 + u,
            Self::FiveHalves => 1.0 + u + u * u / 3.0,
        };
        poly * (-u).exp()
    }

    /// ∫ of the kernel over scaled distances 0 to u.
    fn area(self, u: f64) -> f64 {
        let e = (-u).exp();
        match self {
            Self::Half => 1.0 - e,
            Self::ThreeHalves => 2.0 - (2.0 + u) * e,
            Self::FiveHalves => (8.0 - (8.0 + 5.0 * u + u * u) * e) / 3.0,
        }
    }
}

/// Weights of the places, and the posterior variance.
pub fn bayesian_weights(
    x: &[f64],
    smoothness: Smoothness,
    length: f64,
) -> Result<(Vec<f64>, f64), MethodError> {
    let (n, c) = (x.len(), smoothness.rate() / length);
    let (from, to) = (x[0], x[n - 1]);
    let mut k = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..n {
            // The jitter keeps close places from making the matrix singular.
            k[i * n + j] =
                smoothness.kernel(c * (x[i] - x[j]).abs()) + if i == j { 1e-12 } else { 0.0 };
        }
    }
    let part = |at: f64| (smoothness.area(c * (at - from)) + smoothness.area(c * (to - at))) / c;
    let z: Vec<f64> = x.iter().map(|at| part(*at)).collect();
    let weights = Cholesky::new(&k, n)?.solve(&z);
    // ∬ k by Simpson on the inner integral: the prior variance of the area.
    let steps = 400;
    let grid: Vec<f64> =
        (0..=steps).map(|i| from + (to - from) * f64::from(i) / f64::from(steps)).collect();
    let prior = simpson(&grid, &grid.iter().map(|at| part(*at)).collect::<Vec<_>>())?;
    let explained: f64 = weights.iter().zip(&z).map(|(w, z)| w * z).sum();
    Ok((weights, (prior - explained).max(0.0)))
}

impl Function for Quadrature {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        check_pair(("x", &input.x), ("y", &input.y))?;
        at_least("x", input.x.len(), 2)?;
        let range = finite("the range of x", input.x[input.x.len() - 1] - input.x[0])?;
        if !input.x.is_sorted_by(|a, b| a < b) {
            return Err(MethodError::domain("`x` must be strictly ascending"));
        }
        let (integral, variance) = match self.kind {
            Kind::Trapezoid => (trapezoid(&input.x, &input.y), None),
            Kind::Simpson => (simpson(&input.x, &input.y)?, None),
            Kind::Bayesian => {
                let (weights, variance) =
                    bayesian_weights(&input.x, self.smoothness, self.length.unwrap_or(range))?;
                (
                    weights.iter().zip(&input.y).map(|(w, y)| w * y).sum(),
                    Some(finite("variance", variance)?),
                )
            }
        };
        Ok(Output { integral: finite("integral", integral)?, variance })
    }
}

guerdon_core::method! {
    Quadrature: Function,
    id: "stats.quadrature",
    papers: ["intrl-quadrature-2024"],
    status: Verified(ClosedForm("∫ e^−t: trapezoid errors fall fourfold; kernel weights integrate the kernel's representers")),
    laws: [],
    exempt: [Symmetric: "The two lists are places and values, not two sides.", PermutationInvariant: "Places must ascend: a shuffled list is refused."],
    samples: [r#"{"x": [0, 0.5, 1], "y": [1, 0.6, 0.37]}"#],
}

#[cfg(test)]
mod tests {
    use super::{Smoothness, bayesian_weights, simpson, trapezoid};

    fn grid(n: u32) -> (Vec<f64>, Vec<f64>) {
        (0..=n).map(|i| f64::from(i) / f64::from(n)).map(|t| (t, (-t).exp())).unzip()
    }

    #[test]
    fn errors_fall_as_they_should() {
        let truth = 1.0 - (-1.0_f64).exp();
        let error = |n| (trapezoid(&grid(n).0, &grid(n).1) - truth).abs();
        assert!((error(8) / error(16) - 4.0).abs() < 0.01);
        let error = |n| (simpson(&grid(n).0, &grid(n).1).unwrap() - truth).abs();
        assert!((error(8) / error(16) - 16.0).abs() < 0.2);
        assert!(simpson(&[0.0, 1.0], &[0.0, 1.0]).is_err());
    }

    #[test]
    fn kernel_weights_integrate_their_representers() {
        let x: Vec<f64> = [0.0, 0.2, 0.5, 0.7, 1.0].to_vec();
        for smoothness in [Smoothness::Half, Smoothness::ThreeHalves, Smoothness::FiveHalves] {
            let (weights, variance) = bayesian_weights(&x, smoothness, 0.6).unwrap();
            let c = smoothness.rate() / 0.6;
            let got: f64 = x
                .iter()
                .zip(&weights)
                .map(|(at, w)| w * smoothness.kernel(c * (at - 0.2).abs()))
                .sum();
            let truth = (smoothness.area(c * 0.2) + smoothness.area(c * 0.8)) / c;
            assert!((got - truth).abs() < 1e-9 && variance < 0.05, "{smoothness:?}");
        }
    }
}
