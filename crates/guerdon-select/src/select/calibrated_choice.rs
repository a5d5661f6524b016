//! Calibrated choice: a lettered option chosen by the model's probabilities with the letters' own bias taken off.
//!
//! # Formula
//!
//! ```text
//! adjusted_i = p_i + 1/k − bias_i,   bias_i the mean probability of letter i on calibration questions with k options
//! ```
//!
//! # When to use it
//!
//! When a model picks among options (tools, answers) by letter: some letters are liked for themselves. Averaging over rotated
//! orders is at least as good and k times as dear.
//!
//! # Departures
//!
//! None. Without calibration data the bias is 1/k: the plain choice.
//!
//! # Example
//!
//! ```yaml
//! use: select.calibrated_choice
//! ```
//!
//! ```
//! use guerdon_select::select::calibrated_choice::adjusted;
//! let a = adjusted(&[0.45, 0.35, 0.20], &[0.5, 0.3, 0.2]);
//! assert!((a[1] - 0.383_333).abs() < 1e-6);
//! ```
//!
//! # References
//!
//! Alazraki and Rei, "Meta-Reasoning Improves Tool Use in Large Language Models", 2024.

use guerdon_core::MethodError;
use guerdon_core::method::{Function, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of `select.calibrated_choice`: none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CalibratedChoice {}

impl Params for CalibratedChoice {}

/// Input of `select.calibrated_choice`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Probability of each letter, at least one, 0 to 1.
    pub probabilities: Vec<f64>,
    /// Letter probabilities on calibration questions with as many options; absent: no correction.
    #[serde(default)]
    pub calibration: Vec<Vec<f64>>,
}

/// Output of `select.calibrated_choice`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The chosen option; ties to the first.
    pub index: usize,
    /// The adjusted scores.
    pub scores: Vec<f64>,
    /// The bias of each letter.
    pub bias: Vec<f64>,
}

/// Probabilities with the bias taken off. Slices are equally long.
pub fn adjusted(probabilities: &[f64], bias: &[f64]) -> Vec<f64> {
    let k = probabilities.len() as f64;
    probabilities.iter().zip(bias).map(|(p, b)| p + 1.0 / k - b).collect()
}

impl Function for CalibratedChoice {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let k = input.probabilities.len();
        let all = std::iter::once(&input.probabilities).chain(&input.calibration);
        for row in all {
            MethodError::same_length(("probabilities", k), ("calibration", row.len()))?;
            if k == 0 || row.iter().any(|p| !(0.0..=1.0).contains(p)) {
                return Err(MethodError::domain("probabilities must be given, each 0 to 1"));
            }
        }
        let n = input.calibration.len() as f64;
        let mean = |i: usize| input.calibration.iter().map(|row| row[i]).sum::<f64>() / n;
        let bias: Vec<f64> = if input.calibration.is_empty() {
            vec![1.0 / k as f64; k]
        } else {
            (0..k).map(mean).collect()
        };
        let scores = adjusted(&input.probabilities, &bias);
        let index = crate::ballot::first_max(scores.iter().copied()).unwrap_or(0);
        Ok(Output { index, scores, bias })
    }
}

guerdon_core::method! {
    CalibratedChoice: Function,
    id: "select.calibrated_choice",
    papers: ["tecton-2024"],
    status: Verified(Worked("A 0.45, B 0.35, C 0.20 with biases 0.5, 0.3, 0.2: B wins")),
    laws: [],
    exempt: [],
    samples: [r#"{"probabilities": [0.45, 0.35, 0.2], "calibration": [[0.6, 0.3, 0.1], [0.4, 0.3, 0.3]]}"#],
}

#[cfg(test)]
mod tests {
    use super::{CalibratedChoice, Input};
    use guerdon_core::method::Function as _;

    #[test]
    fn the_liked_letter_loses_its_advantage() {
        let choose = |calibration| {
            let input = Input { probabilities: vec![0.45, 0.35, 0.2], calibration };
            CalibratedChoice::default().call(&input, 0).unwrap().index
        };
        assert_eq!(choose(vec![]), 0);
        assert_eq!(choose(vec![vec![0.6, 0.3, 0.1], vec![0.4, 0.3, 0.3]]), 1);
        assert!(
            CalibratedChoice::default()
                .call(&Input { probabilities: vec![], calibration: vec![] }, 0)
                .is_err()
        );
    }
}
