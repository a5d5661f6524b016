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
