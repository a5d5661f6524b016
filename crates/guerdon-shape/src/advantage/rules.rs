//! The conventions in which trainers differ, as parameters that several estimators share.

use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a difference from the baseline is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// The standard deviation of the group.
    Group,
    /// The standard deviation of the whole batch.
    Batch,
    /// Nothing: the difference stays in units of reward.
    None,
}

/// What a group of one gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Single {
    /// Advantage 0: nothing to compare with, nothing to learn.
    Zero,
    /// Its reward, as if its baseline were 0 and its standard deviation 1.
    Reward,
}

/// How a batch of advantages is brought to mean 0 and standard deviation 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Whiten {
    /// Over all tokens of the batch: a long completion counts more.
    Tokens,
    /// Over all rollouts of the batch: every completion counts once.
    Rollouts,
    /// Not at all.
    None,
}

/// The divisor of a whitening.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Divisor {
    /// `sqrt(σ² + 1e-8)`, σ² with divisor n − 1 (verl).
    Sample,
    /// `sqrt(max(σ², 1e-8))`, σ² with divisor n (`OpenRLHF`).
    Population,
    /// `σ` plus this, σ² with divisor n − 1 (TRL, ms-swift).
    SampleEps(f64),
    /// 1: the mean goes, the spread stays.
    One,
}

impl Divisor {
    /// Taken off the count in the divisor of the variance.
    pub fn ddof(self) -> u8 {
        u8::from(self != Self::Population)
    }

    /// The divisor for standard deviation `std`.
    pub fn of(self, std: f64) -> f64 {
        match self {
            Self::Sample => (std * std + 1e-8).sqrt(),
            Self::Population => std.max(1e-4),
            Self::SampleEps(eps) => std + eps,
            Self::One => 1.0,
        }
    }
}

/// `std + eps`, or 1 where that is 0: a group without spread is centred and not divided.
pub fn denominator(std: f64, eps: f64) -> f64 {
    if std + eps > 0.0 { std + eps } else { 1.0 }
}

/// Checks the two parameters that every standardisation has.
pub fn check_std(ddof: Option<u8>, eps: Option<f64>) -> Result<(), ParamError> {
    if let Some(ddof) = ddof.filter(|d| *d > 1) {
        return Err(ParamError::new("ddof", format!("`ddof` must be 0 or 1, not {ddof}")));
    }
    eps.map_or(Ok(()), |eps| ParamError::in_range("eps", eps, 0.0, f64::MAX))
}

/// Checks that `groups` covers `rewards`.
pub fn check_rows(rewards: &[f64], groups: &guerdon_core::Groups) -> Result<(), MethodError> {
    MethodError::same_length(("rewards", rewards.len()), ("rows of the groups", groups.rows()))
}
