//! Information gained about a state: by how much each observation shrinks the uncertainty.
//!
//! # Formula
//!
//! ```text
//! gain = ½ · ln(det Σ_before / det Σ_after)                         from covariances
//! gain = ½ · ln(1 + hᵀΣh / noise),  Σ ← Σ − Σh·hᵀΣ / (hᵀΣh + noise)   from observations z = hᵀx + ε, ε of variance `noise`
//! ```
//!
//! In nats. The covariances are those of a belief before and after each step; with observations, the last covariance is
//! updated by each (a Kalman update). The reward of a step is its gain; gains add up over steps.
//!
//! # When to use it
//!
//! As the reward of an agent that must find things out: where targets are, which user it talks to.
//!
//! # Departures
//!
//! The paper's exact form of the reward is not in its abstract: half the log-determinant is our reading. Beliefs are
//! Gaussian.
//!
//! # Example
//!
//! ```yaml
//! use: shape.info_gain
//! ```
//!
//! ```
//! use guerdon_shape::shape::info_gain::observe;
//! let (gain, after) = observe(&[vec![1.0]], &[1.0], 0.25).unwrap();
//! assert!((gain - 0.804719).abs() < 1e-6 && (after[0][0] - 0.2).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! Hsu et al., "Scalable Reinforcement Learning Policies for Multi-Agent Control", 2020.

use guerdon_core::MethodError;
use guerdon_core::method::{Function, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most rows of a covariance.
const MOST: usize = 256;

/// Parameters of `shape.info_gain`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InfoGain {}

impl Params for InfoGain {}

/// One observation of a linear function of the state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// The function: one weight per dimension of the state.
    pub h: Vec<f64>,
    /// Variance of the noise. Greater than 0.
    pub noise: f64,
}

/// Covariances of a belief, and observations that update the last of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The covariance before the first step, then after each step. Symmetric, positive definite, at most 256 rows.
    pub covariances: Vec<Vec<Vec<f64>>>,
    /// Further observations. Default: none.
    #[serde(default)]
    pub observations: Vec<Observation>,
}

/// Information gained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Per step, in nats.
    pub gains: Vec<f64>,
    /// Over all steps, in nats.
    pub total: f64,
    /// The covariance after the last step.
    pub covariance: Vec<Vec<f64>>,
}

/// ln det of a symmetric positive definite matrix, by Cholesky's decomposition.
pub fn log_det(matrix: &[Vec<f64>]) -> Result<f64, MethodError> {
    check(matrix)?;
    let n = matrix.len();
    let mut l = vec![vec![0.0; n]; n];
    let mut sum = 0.0;
    for i in 0..n {
        for j in 0..=i {
            let rest = matrix[i][j] - (0..j).map(|k| l[i][k] * l[j][k]).sum::<f64>();
            if i != j {
                l[i][j] = rest / l[j][j];
            } else if rest > 0.0 && rest.is_finite() {
                l[i][i] = rest.sqrt();
                sum += rest.ln();
            } else {
                return Err(MethodError::domain(format!(
                    "a covariance is not positive definite: pivot {i} is {rest}"
                )));
            }
        }
    }
    Ok(sum)
}

fn check(matrix: &[Vec<f64>]) -> Result<(), MethodError> {
    let n = matrix.len();
    if n > MOST {
        return Err(MethodError::Budget(format!(
            "a covariance has {n} rows: at most {MOST} are handled"
        )));
    }
    for (i, row) in matrix.iter().enumerate() {
        MethodError::same_length(("row of a covariance", row.len()), ("rows", n))?;
        MethodError::all_finite("covariance", row)?;
        if let Some(j) = (0..i)
            .find(|&j| (row[j] - matrix[j][i]).abs() > 1e-9 * (row[j].abs() + matrix[j][i].abs()))
        {
            return Err(MethodError::domain(format!(
                "a covariance is not symmetric: [{i}][{j}] is {}, [{j}][{i}] is {}",
                row[j], matrix[j][i]
            )));
        }
    }
    Ok(())
}

/// Gain of one observation in nats, and the covariance after it.
pub fn observe(
    covariance: &[Vec<f64>],
    h: &[f64],
    noise: f64,
) -> Result<(f64, Vec<Vec<f64>>), MethodError> {
    MethodError::same_length(("h", h.len()), ("covariance", covariance.len()))?;
    if !(noise > 0.0 && noise.is_finite()) {
        return Err(MethodError::domain(format!(
            "`noise` must be finite and greater than 0, not {noise}"
        )));
    }
    let product: Vec<f64> =
        covariance.iter().map(|row| row.iter().zip(h).map(|(c, w)| c * w).sum()).collect();
    let signal: f64 = product.iter().zip(h).map(|(p, w)| p * w).sum();
    let cell = |i: usize, j: usize| covariance[i][j] - product[i] * product[j] / (signal + noise);
    let n = covariance.len();
    let after: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| cell(i, j)).collect()).collect();
    let gain = 0.5 * (signal / noise).ln_1p();
    if !gain.is_finite() || after.iter().flatten().any(|c| !c.is_finite()) {
        return Err(MethodError::domain(format!(
            "an observation with noise {noise} overflows: rescale the state"
        )));
    }
    Ok((gain, after))
}

impl Function for InfoGain {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let Some(last) = input.covariances.last() else {
            return Err(MethodError::domain(
                "`covariances` must hold at least the covariance before the first step",
            ));
        };
        let dets: Vec<f64> =
            input.covariances.iter().map(|c| log_det(c)).collect::<Result<_, _>>()?;
        let mut gains: Vec<f64> = dets.windows(2).map(|w| 0.5 * (w[0] - w[1])).collect();
        let mut covariance = last.clone();
        for Observation { h, noise } in &input.observations {
            let (gain, after) = observe(&covariance, h, *noise)?;
            gains.push(gain);
            covariance = after;
        }
        Ok(Output { total: gains.iter().sum(), gains, covariance })
    }
}

guerdon_core::method! {
    InfoGain: Function,
    id: "shape.info_gain",
    papers: ["marl-tracking-2020"],
    status: Verified(Worked("variance 1, noise 0.25: variance 0.2 after it, gain ½·ln 5")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"covariances": [[[1.0]]], "observations": [{"h": [1.0], "noise": 0.25}]}"#,
        r#"{"covariances": [[[2.0, 0.5], [0.5, 1.0]], [[1.0, 0.25], [0.25, 0.5]]]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{InfoGain, Input, Observation, log_det};
    use guerdon_core::method::Function as _;

    #[test]
    fn both_forms_agree() {
        let prior = vec![vec![2.0, 0.5], vec![0.5, 1.0]];
        let seen = Observation { h: vec![1.0, -1.0], noise: 0.5 };
        let run = |covariances, observations| {
            InfoGain {}.call(&Input { covariances, observations }, 0).unwrap()
        };
        let by_observation = run(vec![prior.clone()], vec![seen]);
        let by_covariance = run(vec![prior, by_observation.covariance.clone()], Vec::new());
        assert!((by_observation.total - by_covariance.total).abs() < 1e-12);
    }

    #[test]
    fn determinants() {
        assert!(
            (log_det(&[vec![2.0, 0.5], vec![0.5, 1.0]]).unwrap() - 1.75_f64.ln()).abs() < 1e-15
        );
        assert_eq!(log_det(&[]).unwrap(), 0.0);
        assert!(log_det(&[vec![1.0, 2.0], vec![2.0, 1.0]]).is_err());
        assert!(log_det(&[vec![1.0, 0.3], vec![0.2, 1.0]]).is_err());
    }
}
