//! Risk profile of a model under elimination: how its expected wins fall as more models leave after each round.
//!
//! # Formula
//!
//! ```text
//! E_T[S_m] for T = 0 … most, by `rank.swiss`;   drop = E_0 − E_1;   slope = least-squares slope of E_T over T
//! ```
//!
//! # When to use it
//!
//! Beside `rank.swiss`: a flat curve is a robust generalist, a steep one a specialist that early failures throw out. The
//! order of the benchmarks matters: run it with several.
//!
//! # Departures
//!
//! The curve is relative to the model's own E_0; the paper reads it off a plot. `slope` is ours.
//!
//! # Example
//!
//! ```yaml
//! use: rank.failure_sensitivity
//! most: 3
//! ```
//!
//! ```
//! use guerdon_core::method::Function as _;
//! use guerdon_rank::comparisons::scores::ScoreTable;
//! use guerdon_rank::rank::failure_sensitivity::FailureSensitivity;
//! let names = |prefix: &str, n: usize| (0..n).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>();
//! let scores = vec![vec![Some(2.0); 2], vec![Some(1.0); 2]];
//! let table = ScoreTable::new(names("m", 2), names("t", 2), scores)?;
//! let out = FailureSensitivity { most: 1, simulations: 50, ..FailureSensitivity::default() }.call(&table, 0)?;
//! assert_eq!((out.profiles[1].name.as_str(), out.profiles[1].expected.as_slice()), ("m0", [2.0, 1.0].as_slice()));
//! # Ok::<(), guerdon_core::MethodError>(())
//! ```
//!
//! # References
//!
//! "LLM Swiss Round: Aggregating Multi-Benchmark Performance via Competitive Swiss-System Dynamics", 2025.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::swiss::{prepare, simulate};
use crate::comparisons::scores::ScoreTable;

/// Parameters of `rank.failure_sensitivity`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FailureSensitivity {
    /// Most models that leave after each round, 1 to 1000; default 2.
    pub most: usize,
    /// Simulated contests per setting, 2 to 10 million; default 100000.
    pub simulations: usize,
    /// The benchmarks in the order of the rounds. Default: as the table lists them.
    pub order: Option<Vec<String>>,
}

impl Default for FailureSensitivity {
    fn default() -> Self {
        Self { most: 2, simulations: 100_000, order: None }
    }
}

impl Params for FailureSensitivity {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("most", self.most as f64, 1.0, 1000.0)?;
        ParamError::in_range("simulations", self.simulations as f64, 2.0, 1e7)
    }
}

/// How one model fares as more leave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// The model.
    pub name: String,
    /// Expected wins with 0, 1, … models leaving after each round.
    pub expected: Vec<f64>,
    /// Expected wins lost when one model leaves after each round instead of none.
    pub drop: f64,
    /// Least-squares slope of the expected wins over the number that leave.
    pub slope: f64,
}

/// The profiles, the least sensitive first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Profiles {
    /// One per model, by drop; equal drops by name.
    pub profiles: Vec<Profile>,
}

fn slope(values: &[f64]) -> f64 {
    let centre = (values.len() as f64 - 1.0) / 2.0;
    let moments = values
        .iter()
        .enumerate()
        .map(|(t, y)| ((t as f64 - centre) * y, (t as f64 - centre).powi(2)));
    let (up, down) = moments.fold((0.0, 0.0), |sum, m| (sum.0 + m.0, sum.1 + m.1));
    if down == 0.0 { 0.0 } else { up / down }
}

impl Function for FailureSensitivity {
    type Input = ScoreTable;
    type Output = Profiles;

    fn call(&self, input: &ScoreTable, seed: u64) -> Result<Profiles, MethodError> {
        let order =
            prepare(input, self.order.as_deref(), self.simulations.saturating_mul(self.most + 1))?;
        let runs: Vec<_> =
            (0..=self.most).map(|t| simulate(input, &order, t, self.simulations, seed)).collect();
        let profile = |(m, name): (usize, &String)| {
            let expected: Vec<f64> = runs.iter().map(|run| run[m].mean).collect();
            Profile {
                name: name.clone(),
                drop: expected[0] - expected[1],
                slope: slope(&expected),
                expected,
            }
        };
        let mut profiles: Vec<Profile> = input.models().iter().enumerate().map(profile).collect();
        profiles.sort_by(|x, y| x.drop.total_cmp(&y.drop).then_with(|| x.name.cmp(&y.name)));
        Ok(Profiles { profiles })
    }
}

guerdon_core::method! {
    FailureSensitivity: Function,
    id: "rank.failure_sensitivity",
    papers: ["llm-swiss-round-2025"],
    status: Verified(ClosedForm("two models: the winner has K wins at T = 0 and 1 at T = 1")),
    laws: [],
    exempt: [],
    sample_params: r#"{"simulations": 100}"#,
    samples: [
        r#"{"models": ["a", "b", "c"], "tasks": ["t", "u"], "scores": [[1, 3], [2, null], [0.5, 4]]}"#
    ],
}

#[cfg(test)]
mod tests {
    use super::{FailureSensitivity, slope};
    use crate::comparisons::scores::ScoreTable;
    use guerdon_core::method::Function as _;

    #[test]
    fn the_slope_is_that_of_a_line() {
        assert_eq!(slope(&[3.0, 1.0, -1.0]), -2.0);
        assert_eq!(slope(&[3.0]), 0.0);
    }

    /// The catalogue's claim: the specialist, weak on the first two of six benchmarks, drops by more than one win more than
    /// the generalist.
    #[test]
    fn a_specialist_is_more_sensitive_than_a_generalist() {
        let mut scores = vec![vec![Some(8.0); 6]];
        scores.push([0.0, 0.0, 9.0, 9.0, 9.0, 9.0].map(Some).to_vec());
        scores.extend(
            (0..6).map(|m| (0..6).map(|k| Some(f64::from(1 + (m * 5 + k * 3) % 7))).collect()),
        );
        let names =
            |prefix: &str, n: usize| (0..n).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>();
        let table = ScoreTable::new(names("m", 8), names("t", 6), scores).unwrap();
        let method = FailureSensitivity { simulations: 4000, ..FailureSensitivity::default() };
        let out = method.call(&table, 1).unwrap();
        let drop = |name: &str| out.profiles.iter().find(|p| p.name == name).unwrap().drop;
        assert!(drop("m1") - drop("m0") > 1.0, "{} {}", drop("m1"), drop("m0"));
    }
}
