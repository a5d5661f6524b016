//! Determinantal choice: a set of candidates that are good and unlike each other.
//!
//! # Formula
//!
//! ```text
//! P(S) = det(L_S)/det(L + I)        greedy: add the item with the largest conditional variance, while it is above `least`
//! L_ij = v_i·K_ij·v_j
//! ```
//!
//! `K` is a similarity kernel (positive semidefinite), `v` the value of an item.
//!
//! # When to use it
//!
//! To pick a batch for labelling or review: by value alone the batch repeats itself.
//!
//! # Departures
//!
//! Only the greedy choice is offered (the usual approximation of the most probable set); drawing a set is not.
//!
//! # Example
//!
//! ```yaml
//! use: select.dpp
//! size: 2
//! ```
//!
//! ```
//! use guerdon_select::select::dpp::greedy;
//! let kernel = vec![vec![1.0, 0.9, 0.1], vec![0.9, 1.0, 0.2], vec![0.1, 0.2, 1.0]];
//! assert_eq!(greedy(&kernel, 2, 0.0), [0, 2]);
//! ```
//!
//! # References
//!
//! Kulesza and Taskar, "Determinantal Point Processes for Machine Learning", 2012; Chen, Zhang and Zhou, "Fast Greedy MAP
//! Inference for Determinantal Point Process", 2018.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of `select.dpp`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Dpp {
    /// Items to choose, at least 1. Default 10.
    pub size: usize,
    /// Smallest conditional variance at which an item is still added, at least 0. Default 1e-10.
    pub least: f64,
}

impl Default for Dpp {
    fn default() -> Self {
        Self { size: 10, least: 1e-10 }
    }
}

impl Params for Dpp {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("size", self.size as f64, 1.0, 1e6)?;
        ParamError::in_range("least", self.least, 0.0, f64::MAX)
    }
}

/// Input of `select.dpp`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Similarity of the items: symmetric, positive semidefinite.
    pub kernel: Vec<Vec<f64>>,
    /// Value of each item, at least 0; absent: all 1.
    #[serde(default)]
    pub values: Vec<f64>,
}

/// Output of `select.dpp`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The chosen items, in the order of choice.
    pub chosen: Vec<usize>,
    /// ln det of the kernel of the chosen.
    pub log_det: f64,
}

/// Most items.
const LIMIT: usize = 3000;

/// The greedy choice of up to `size` items; ties to the first.
pub fn greedy(l: &[Vec<f64>], size: usize, least: f64) -> Vec<usize> {
    let n = l.len();
    let mut variance: Vec<f64> = (0..n).map(|i| l[i][i]).collect();
    let mut factors: Vec<Vec<f64>> = vec![Vec::new(); n];
    let mut chosen = Vec::new();
    while chosen.len() < size.min(n) {
        let open = |i: usize| if chosen.contains(&i) { f64::NEG_INFINITY } else { variance[i] };
        let Some(best) = crate::ballot::first_max((0..n).map(open)).filter(|&b| open(b) > least)
        else {
            break;
        };
        chosen.push(best);
        let (root, own) = (variance[best].sqrt(), factors[best].clone());
        for i in 0..n {
            let dot: f64 = factors[i].iter().zip(&own).map(|(a, b)| a * b).sum();
            let e = (l[best][i] - dot) / root;
            factors[i].push(e);
            variance[i] -= e * e;
        }
    }
    chosen
}

impl Function for Dpp {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let n = input.kernel.len();
        if n == 0 || n > LIMIT {
            return Err(MethodError::domain(format!("{n} items: the kernel needs 1 to {LIMIT}")));
        }
        let ones = vec![1.0; n];
        let values = if input.values.is_empty() { &ones } else { &input.values };
        MethodError::same_length(("kernel", n), ("values", values.len()))?;
        let mut l = Vec::with_capacity(n);
        for (i, row) in input.kernel.iter().enumerate() {
            MethodError::same_length(("kernel", n), ("a row of kernel", row.len()))?;
            let scaled: Vec<f64> = row.iter().zip(values).map(|(k, v)| values[i] * k * v).collect();
            MethodError::all_finite("kernel", &scaled)?;
            l.push(scaled);
        }
        let uneven = (0..n)
            .flat_map(|i| (0..i).map(move |j| (i, j)))
            .any(|(i, j)| (l[i][j] - l[j][i]).abs() > 1e-9 * l[i][j].abs().max(1.0));
        if uneven || values.iter().any(|v| *v < 0.0) {
            return Err(MethodError::domain(
                "`kernel` must be symmetric and `values` not negative",
            ));
        }
        let chosen = greedy(&l, self.size, self.least);
        let mut log_det = 0.0;
        let mut flat = Vec::new();
        for &i in &chosen {
            flat.extend(chosen.iter().map(|&j| l[i][j]));
        }
        if !chosen.is_empty() {
            log_det = guerdon_stats::linalg::Cholesky::new(&flat, chosen.len())?.log_det();
        }
        Ok(Output { chosen, log_det })
    }
}

guerdon_core::method! {
    Dpp: Function,
    id: "select.dpp",
    papers: ["fpi-2023"],
    status: Verified(Worked("a 3 × 3 kernel: pairs 0.19, 0.99, 0.96; greedy takes the first and third")),
    laws: [],
    exempt: [],
    samples: [r#"{"kernel": [[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]], "values": [1, 1.2, 0.8]}"#],
}

#[cfg(test)]
mod tests {
    use super::{Dpp, Input};
    use guerdon_core::method::Function as _;

    fn input() -> Input {
        Input {
            kernel: vec![vec![1.0, 0.9, 0.1], vec![0.9, 1.0, 0.2], vec![0.1, 0.2, 1.0]],
            values: vec![],
        }
    }

    #[test]
    fn the_determinant_is_that_of_the_pair() {
        let out = Dpp { size: 2, ..Dpp::default() }.call(&input(), 0).unwrap();
        assert_eq!(out.chosen, [0, 2]);
        assert!((out.log_det - 0.99_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn copies_are_not_taken_twice() {
        let kernel = vec![vec![1.0, 1.0], vec![1.0, 1.0]];
        assert_eq!(Dpp::default().call(&Input { kernel, values: vec![] }, 0).unwrap().chosen, [0]);
        assert!(Dpp::default().call(&Input { kernel: vec![], values: vec![] }, 0).is_err());
    }
}
