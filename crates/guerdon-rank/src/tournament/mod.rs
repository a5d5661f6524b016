//! Tournaments: who meets whom, and the order that follows.

pub mod bracket;
pub mod duels;
pub mod league;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A match that was played.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Match {
    /// Round, from 0.
    pub round: usize,
    /// The contestant in the first slot.
    pub first: String,
    /// The contestant in the second slot.
    pub second: String,
    /// Score of the first.
    pub first_score: f64,
    /// Score of the second.
    pub second_score: f64,
}

/// How a tournament went.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Played {
    /// Contestants, best first.
    pub order: Vec<String>,
    /// The matches, in order.
    pub matches: Vec<Match>,
}
