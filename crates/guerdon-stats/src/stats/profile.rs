//! Behaviour profiles compared: how alike agents, judges or models are in the rates of what they do.
//!
//! # Formula
//!
//! ```text
//! differentiation = mean over pairs of (1 − cos(a, b)), or of a divergence of the normalised profiles
//! ```
//!
//! A profile is a vector of rates or counts, one per behaviour.
//!
//! # When to use it
//!
//! To ask whether agents in a group grow apart, or whether synthetic dialogues use the strategies of real ones. Sparse counts
//! alone lower the cosine: compare with a label-shuffled null (`stats.permutation_test`).
//!
//! # Departures
//!
//! A profile that is all zero has no direction: an error, not a similarity of 0.
//!
//! # Example
//!
//! ```yaml
//! use: stats.profile
//! kind: cosine
//! ```
//!
//! ```
//! use guerdon_stats::stats::profile::cosine;
//! let c = cosine(&[0.5, 0.2, 0.1, 0.4, 0.0, 0.3], &[0.1, 0.6, 0.3, 0.1, 0.2, 0.1]).unwrap();
//! assert!((c - 0.505).abs() < 5e-4);
//! ```
//!
//! # References
//!
//! "Who Am I, and Who Else Is Here? Behavioral Differentiation Without Role Assignment in Multi-Agent LLM Systems", 2026.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::divergence::{self, normalise};
use crate::moments::{at_least, check, finite};

/// How two profiles are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 1 − cosine of the vectors.
    #[default]
    Cosine,
    /// Jensen-Shannon divergence, nats.
    Js,
    /// Mean of the Kullback-Leibler divergences of both directions, nats.
    Kl,
}

/// Parameters of `stats.profile`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// How two profiles are compared. Default `cosine`.
    pub kind: Kind,
    /// Added to every rate before normalising (`js`, `kl`), at least 0. Default 0.
    pub smoothing: f64,
}

impl Params for Profile {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("smoothing", self.smoothing, 0.0, 1e100)
    }
}

/// Input of `stats.profile`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// One profile per agent, at least two, equally long, not negative.
    pub profiles: Vec<Vec<f64>>,
}

/// Output of `stats.profile`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Mean difference over pairs.
    pub mean_difference: f64,
    /// The difference of every pair, row by row.
    pub differences: Vec<Vec<f64>>,
}

/// Cosine of two vectors; `None` where one is all zero.
pub fn cosine(a: &[f64], b: &[f64]) -> Option<f64> {
    let unit = |v: &[f64]| {
        let most = v.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        let scaled: Vec<f64> = v.iter().map(|x| x / most).collect();
        let length = scaled.iter().map(|x| x * x).sum::<f64>().sqrt();
        (most > 0.0).then(|| scaled.iter().map(|x| x / length).collect::<Vec<_>>())
    };
    let (a, b) = (unit(a)?, unit(b)?);
    Some(a.iter().zip(&b).map(|(x, y)| x * y).sum::<f64>().clamp(-1.0, 1.0))
}

/// Most pairs × behaviours.
const LIMIT: usize = 100_000_000;

impl Profile {
    fn difference(&self, a: &[f64], b: &[f64]) -> Result<f64, MethodError> {
        if self.kind == Kind::Cosine {
            let found = cosine(a, b).map(|c| 1.0 - c);
            return found
                .ok_or_else(|| MethodError::domain("a profile is all zero: leave that agent out"));
        }
        let (p, q) =
            (normalise("profiles", a, self.smoothing)?, normalise("profiles", b, self.smoothing)?);
        let value = match self.kind {
            Kind::Js => divergence::js(&p, &q),
            _ => f64::midpoint(divergence::kl(&p, &q), divergence::kl(&q, &p)),
        };
        finite("difference", value)
            .map_err(|_| MethodError::domain("a rate is 0 in one profile only: set `smoothing`"))
    }
}

impl Function for Profile {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let n = input.profiles.len();
        at_least("profiles", n, 2)?;
        let width = input.profiles[0].len();
        if n.saturating_mul(n).saturating_mul(width) > LIMIT {
            return Err(MethodError::Budget(format!(
                "{n} profiles of {width} behaviours: too many pairs"
            )));
        }
        for profile in &input.profiles {
            MethodError::same_length(("profiles[0]", width), ("a profile", profile.len()))?;
            check("a profile", profile)?;
            if profile.iter().any(|x| *x < 0.0) {
                return Err(MethodError::domain("rates must not be negative"));
            }
        }
        let mut differences = vec![vec![0.0; n]; n];
        let mut sum = 0.0;
        for (i, j) in (0..n).flat_map(|i| (0..i).map(move |j| (i, j))) {
            let d = self.difference(&input.profiles[i], &input.profiles[j])?;
            (differences[i][j], differences[j][i]) = (d, d);
            sum += d;
        }
        Ok(Output { mean_difference: sum / (n * (n - 1) / 2) as f64, differences })
    }
}

guerdon_core::method! {
    Profile: Function,
    id: "stats.profile",
    papers: ["who-am-i-2026", "asdagent-2026"],
    status: Verified(Worked("two profiles of six rates: cosine 0.505")),
    laws: [],
    exempt: [],
    samples: [r#"{"profiles": [[0.5, 0.2, 0.3], [0.1, 0.6, 0.3], [0.9, 0.1, 0.2]]}"#],
}

#[cfg(test)]
mod tests {
    use super::{Input, Kind, Profile, cosine};
    use guerdon_core::method::Function as _;

    #[test]
    fn equal_profiles_do_not_differ() {
        for kind in [Kind::Cosine, Kind::Js, Kind::Kl] {
            let out = Profile { kind, smoothing: 0.0 }
                .call(&Input { profiles: vec![vec![1.0, 2.0], vec![2.0, 4.0]] }, 0)
                .unwrap();
            assert!(out.mean_difference.abs() < 1e-12);
        }
        assert_eq!(cosine(&[0.0], &[1.0]), None);
    }
}
