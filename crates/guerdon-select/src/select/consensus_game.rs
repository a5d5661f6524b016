//! Consensus game: generator and discriminator scores of the same model reconciled by a regularised equilibrium.
//!
//! # Formula
//!
//! ```text
//! G_{t+1}(y|v) ∝ exp((Q_t(y|v) + λ_G·ln G_1(y|v)) / (1/(ηt) + λ_G)),   Q_t(y|v) = (1/2t)·Σ_{s≤t} D_s(v|y)
//! D_{t+1}(v|y) ∝ exp((Q_t(v|y) + λ_D·ln D_1(v|y)) / (1/(ηt) + λ_D)),   Q_t(v|y) = (1/2t)·Σ_{s≤t} G_s(y|v)
//! ```
//!
//! `v` is correct or incorrect, `y` a candidate, `G_1`, `D_1` the model's own normalised scores.
//!
//! # When to use it
//!
//! When a model both proposes and judges and the two disagree. Both sources are beaten as a rule; the plain product of the two
//! is about as good (`rank_by: product` gives it for comparison).
//!
//! # Departures
//!
//! Zero probabilities are raised to 1e-12, so that logarithms exist.
//!
//! # Example
//!
//! ```yaml
//! use: select.consensus_game
//! iterations: 1000
//! ```
//!
//! ```
//! use guerdon_select::select::consensus_game::{ConsensusGame, equilibrium};
//! let (g, d) = equilibrium(&[vec![0.5, 0.4, 0.1], vec![0.3, 0.2, 0.5]], &[0.45, 0.7, 0.2], &ConsensusGame::default()).unwrap();
//! assert!((g[0][1] - 0.762_323).abs() < 1e-4 && (d[1] - 0.986_977).abs() < 1e-4);
//! ```
//!
//! # References
//!
//! Jacob et al., "The Consensus Game: Language Model Generation via Equilibrium Search", 2023.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What candidates are ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RankBy {
    /// D(correct | y) at the equilibrium.
    #[default]
    Discriminator,
    /// G(y | correct) at the equilibrium.
    Generator,
    /// `G_1(y | correct)·D_1(correct | y)`, without a game.
    Product,
}

/// Parameters of `select.consensus_game`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConsensusGame {
    /// Step size, greater than 0. Default 0.1.
    pub eta: f64,
    /// Pull of the generator to its own scores, at least 0. Default 0.1.
    pub lambda_g: f64,
    /// Pull of the discriminator to its own scores, at least 0. Default 0.1.
    pub lambda_d: f64,
    /// Iterations, 1 to 1,000,000. Default 5000.
    pub iterations: u32,
    /// What candidates are ranked by. Default `discriminator`.
    pub rank_by: RankBy,
}

impl Default for ConsensusGame {
    fn default() -> Self {
        Self {
            eta: 0.1,
            lambda_g: 0.1,
            lambda_d: 0.1,
            iterations: 5000,
            rank_by: RankBy::Discriminator,
        }
    }
}

impl Params for ConsensusGame {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("eta", self.eta)?;
        ParamError::in_range("lambda_g", self.lambda_g, 0.0, 1e12)?;
        ParamError::in_range("lambda_d", self.lambda_d, 0.0, 1e12)?;
        ParamError::in_range("iterations", f64::from(self.iterations), 1.0, 1e6)
    }
}

/// Input of `select.consensus_game`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// G(y | correct) of each candidate, not negative; normalised here.
    pub generator_correct: Vec<f64>,
    /// G(y | incorrect) of each candidate, not negative; normalised here.
    pub generator_incorrect: Vec<f64>,
    /// D(correct | y) of each candidate, 0 to 1.
    pub discriminator: Vec<f64>,
}

/// Output of `select.consensus_game`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The chosen candidate; ties to the first.
    pub index: usize,
    /// What candidates are ranked by.
    pub scores: Vec<f64>,
}

/// Most candidates × iterations.
const LIMIT: u64 = 200_000_000;

fn softmax(logits: &[f64]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let odds: Vec<f64> = logits.iter().map(|l| (l - most).exp()).collect();
    let total: f64 = odds.iter().sum();
    odds.iter().map(|o| o / total).collect()
}

/// The equilibrium: G(y | v) for v correct and incorrect, and D(correct | y).
pub fn equilibrium(
    generator: &[Vec<f64>; 2],
    discriminator: &[f64],
    params: &ConsensusGame,
) -> Result<([Vec<f64>; 2], Vec<f64>), MethodError> {
    let n = discriminator.len();
    if n as u64 * u64::from(params.iterations) > LIMIT {
        return Err(MethodError::Budget(format!("{n} candidates: lower `iterations`")));
    }
    let log = |p: f64| p.max(1e-12).ln();
    let prior_d: Vec<[f64; 2]> = discriminator.iter().map(|d| [log(*d), log(1.0 - d)]).collect();
    let (mut g, mut d) = (generator.clone(), discriminator.to_vec());
    let (mut sum_g, mut sum_d) = ([vec![0.0; n], vec![0.0; n]], vec![[0.0; 2]; n]);
    for t in 1..=params.iterations {
        let t = f64::from(t);
        for y in 0..n {
            sum_d[y][0] += d[y];
            sum_d[y][1] += 1.0 - d[y];
            sum_g[0][y] += g[0][y];
            sum_g[1][y] += g[1][y];
        }
        let (rate_g, rate_d) =
            (1.0 / (params.eta * t) + params.lambda_g, 1.0 / (params.eta * t) + params.lambda_d);
        for v in 0..2 {
            let logit = |y: usize| {
                (sum_d[y][v] / (2.0 * t) + params.lambda_g * log(generator[v][y])) / rate_g
            };
            g[v] = softmax(&(0..n).map(logit).collect::<Vec<_>>());
        }
        for y in 0..n {
            let logit =
                |v: usize| (sum_g[v][y] / (2.0 * t) + params.lambda_d * prior_d[y][v]) / rate_d;
            d[y] = softmax(&[logit(0), logit(1)])[0];
        }
    }
    Ok((g, d))
}

impl Function for ConsensusGame {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let n = input.discriminator.len();
        if n == 0 || input.discriminator.iter().any(|d| !(0.0..=1.0).contains(d)) {
            return Err(MethodError::domain(
                "`discriminator` needs at least one value, each 0 to 1",
            ));
        }
        let normal = |name: &str, g: &[f64]| {
            MethodError::same_length((name, g.len()), ("discriminator", n))?;
            MethodError::all_finite(name, g)?;
            guerdon_stats::stats::divergence::normalise(name, g, 0.0)
        };
        let generator = [
            normal("generator_correct", &input.generator_correct)?,
            normal("generator_incorrect", &input.generator_incorrect)?,
        ];
        let scores = match self.rank_by {
            RankBy::Product => {
                generator[0].iter().zip(&input.discriminator).map(|(g, d)| g * d).collect()
            }
            RankBy::Generator => equilibrium(&generator, &input.discriminator, self)?.0[0].clone(),
            RankBy::Discriminator => equilibrium(&generator, &input.discriminator, self)?.1,
        };
        let index = crate::ballot::first_max(scores.iter().copied()).unwrap_or(0);
        Ok(Output { index, scores })
    }
}

guerdon_core::method! {
    ConsensusGame: Function,
    id: "select.consensus_game",
    papers: ["consensus-game-2023"],
    status: Verified(Worked("three candidates: G 0.23577, 0.762323, 0.001906; D 0.698731, 0.986977, 0.002747")),
    laws: [],
    exempt: [],
    sample_params: r#"{"iterations": 50}"#,
    samples: [
        r#"{"generator_correct": [0.5, 0.4, 0.1], "generator_incorrect": [0.3, 0.2, 0.5], "discriminator": [0.45, 0.7, 0.2]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{ConsensusGame, equilibrium};

    const D: [f64; 3] = [0.45, 0.7, 0.2];

    fn g() -> [Vec<f64>; 2] {
        [vec![0.5, 0.4, 0.1], vec![0.3, 0.2, 0.5]]
    }

    #[test]
    fn the_worked_equilibrium() {
        let (got, d) = equilibrium(&g(), &D, &ConsensusGame::default()).unwrap();
        for (got, expect) in got[0].iter().zip([0.23577, 0.762_323, 0.001_906]) {
            assert!((got - expect).abs() < 2e-5, "{got} is not {expect}");
        }
        for (got, expect) in d.iter().zip([0.698_731, 0.986_977, 0.002_747]) {
            assert!((got - expect).abs() < 2e-5, "{got} is not {expect}");
        }
    }

    #[test]
    fn a_strong_pull_returns_the_own_scores() {
        let params = ConsensusGame {
            lambda_g: 1e9,
            lambda_d: 1e9,
            iterations: 50,
            ..ConsensusGame::default()
        };
        let (got, d) = equilibrium(&g(), &D, &params).unwrap();
        assert!((got[0][0] - 0.5).abs() < 1e-6 && (d[1] - 0.7).abs() < 1e-6);
    }
}
