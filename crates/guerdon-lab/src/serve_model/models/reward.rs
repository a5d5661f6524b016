//! A model that gives a number to a text: a learned reward behind `/classify`, `/pooling`, `/v1/embeddings` or
//! `/get_reward`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::judge::Bias;
use crate::serve_model::bounded::{Finite, Positive};
use crate::serve_model::dice::Dice;
use crate::serve_model::world::Seen;

/// A reward model: r = `center` + `slope` · (q + biases + noise), the same for the same text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RewardModel {
    /// Reward of quality 0. Default: 0.
    pub center: Finite,
    /// Reward per unit of quality. Default: 1.
    pub slope: Finite,
    /// Standard deviation of the noise, in units of quality. Default: 0.3.
    pub noise: Positive,
    /// What moves rewards besides quality.
    pub bias: Bias,
}

impl Default for RewardModel {
    fn default() -> Self {
        Self {
            center: Finite::ZERO,
            slope: Finite::constant(1.0),
            noise: Positive::constant(0.3),
            bias: Bias::default(),
        }
    }
}

impl RewardModel {
    pub(crate) fn reward(&self, seen: &Seen, own: Dice) -> f64 {
        let noise = self.noise.get() * own.on("reward").at(seen.key).normal();
        self.center.get() + self.slope.get() * (seen.quality + self.bias.of(seen) + noise)
    }
}
