//! Generalised advantage estimation: a geometric mean of how much better every horizon went than the critic expected.
//!
//! # Formula
//!
//! ```text
//! δ_t = r_t + gamma · V_{t+1} − V_t          A_t = δ_t + gamma · lambda · A_{t+1}
//! A_t ← (A_t − mean) / divisor(σ)            with a preset that whitens
//! ```
//!
//! `r_t` is the reward and `V_t` the critic's value at token (step, turn) `t`; behind the last one both are 0. A reward per
//! rollout counts at its last token. Where a mask is given, tokens with mask 0 are passed over: they have no reward and
//! no value, and get advantage 0. Means and deviations run over all tokens of the batch with mask 1.
//!
//! | preset | whitening |
//! |---|---|
//! | `plain` (default) | none |
//! | `verl` | divisor √(σ² + 1e-8), σ² with n − 1 |
//! | `openrlhf` | divisor √(max(σ², 1e-8)), σ² with n |
//! | `openrlhf_no_std` | the mean goes, no division |
//!
//! # When to use it
//!
//! With a learned critic (PPO), or with values per step from any process reward. `lambda: 1` is the return less the value,
//! `lambda: 0` the one-step error.
//!
//! # Departures
//!
//! Trainers leave arbitrary numbers at masked tokens; here they are 0. The value per rollout is the mean over its tokens.
//!
//! # Example
//!
//! ```yaml
//! use: advantage.gae
//! values: critic
//! gamma: 1
//! lambda: 0.95
//! preset: verl
//! ```
//!
//! ```
//! use guerdon_shape::advantage::gae;
//! let own = gae::row(&[0.0, 1.0], &[0.5, 0.5], None, 1.0, 1.0);
//! assert_eq!(own, [0.5, 0.5]);
//! ```
//!
//! # References
//!
//! Schulman et al., "High-Dimensional Continuous Control Using Generalized Advantage Estimation", 2016, section 3. Schulman
//! et al., "Proximal Policy Optimization Algorithms", 2017 (gamma 0.99, lambda 0.95).

use super::rules::Divisor;
use super::tokens;
use crate::moments::{moments, standardise};
use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Fine, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the advantages of a batch are whitened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Not at all.
    #[default]
    Plain,
    /// verl.
    Verl,
    /// `OpenRLHF`.
    Openrlhf,
    /// `OpenRLHF` without division.
    OpenrlhfNoStd,
}

/// Parameters of `advantage.gae`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gae {
    /// How the advantages of a batch are whitened. Default `plain`: not at all.
    pub preset: Preset,
    /// Column with the critic's value at each token. Default `values`.
    pub values: String,
    /// Column with 1 for each token of the policy and 0 for others. Default: all are the policy's.
    pub mask: Option<String>,
    /// Discount per token, 0 to 1; default 0.99.
    pub gamma: f64,
    /// Weight of longer horizons, 0 to 1; default 0.95.
    pub lambda: f64,
}

impl Default for Gae {
    fn default() -> Self {
        Self {
            preset: Preset::Plain,
            values: "values".to_owned(),
            mask: None,
            gamma: 0.99,
            lambda: 0.95,
        }
    }
}

impl Params for Gae {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("gamma", self.gamma, 0.0, 1.0)?;
        ParamError::in_range("lambda", self.lambda, 0.0, 1.0)
    }
}

impl Preset {
    /// The divisor of the whitening, if there is one.
    pub fn divisor(self) -> Option<Divisor> {
        match self {
            Self::Plain => None,
            Self::Verl => Some(Divisor::Sample),
            Self::Openrlhf => Some(Divisor::Population),
            Self::OpenrlhfNoStd => Some(Divisor::One),
        }
    }
}

/// The advantages of one rollout. `rewards`, `values` and `mask` have one value per token; tokens whose mask is 0 are passed
/// over and get 0.
pub fn row(
    rewards: &[f64],
    values: &[f64],
    mask: Option<&[f64]>,
    gamma: f64,
    lambda: f64,
) -> Vec<f64> {
    let mut advantages = vec![0.0; rewards.len()];
    let (mut next_value, mut ahead) = (0.0, 0.0);
    for t in (0..rewards.len().min(values.len())).rev() {
        if mask.is_some_and(|mask| mask[t] == 0.0) {
            continue;
        }
        ahead = rewards[t] + gamma * next_value - values[t] + gamma * lambda * ahead;
        next_value = values[t];
        advantages[t] = ahead;
    }
    advantages
}

/// Whitens the tokens whose mask is not 0, over the whole batch; the others stay as they are.
pub fn whiten(advantages: &mut [f64], mask: Option<&[f64]>, divisor: Divisor) {
    let counts = |t: usize| mask.is_none_or(|mask| mask[t] != 0.0);
    let mut own: Vec<f64> =
        (0..advantages.len()).filter(|t| counts(*t)).map(|t| advantages[t]).collect();
    let m = moments(&own, divisor.ddof());
    standardise(&mut own, m.mean, divisor.of(m.std));
    let mut whitened = own.into_iter();
    for t in (0..advantages.len()).filter(|t| counts(*t)) {
        advantages[t] = whitened.next().unwrap_or_default();
    }
}

impl Gae {
    /// The advantages of a batch, whitened as the preset says; the three tables have the same shape.
    pub fn advantages(
        &self,
        rewards: &Fine,
        values: &Fine,
        mask: Option<&Fine>,
    ) -> Result<Fine, MethodError> {
        tokens::same_shape(rewards, values)?;
        if let Some(mask) = mask {
            tokens::same_shape(rewards, mask)?;
        }
        let mut out =
            Fine { level: rewards.level, offsets: rewards.offsets.clone(), values: Vec::new() };
        for i in 0..rewards.rows() {
            let mask = mask.map(|mask| mask.row(i));
            out.values.extend(row(rewards.row(i), values.row(i), mask, self.gamma, self.lambda));
        }
        if let Some(divisor) = self.preset.divisor() {
            whiten(&mut out.values, mask.map(|mask| mask.values.as_slice()), divisor);
        }
        Ok(out)
    }
}

impl Transform for Gae {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let lists: Vec<&str> =
            std::iter::once(&self.values).chain(&self.mask).map(String::as_str).collect();
        view.dense_fine(&lists, |d| {
            let values = tokens::column(view, d, &self.values)?;
            let mask = self.mask.as_ref().map(|name| tokens::column(view, d, name)).transpose()?;
            let fine = self.advantages(&tokens::rewards(d, &values)?, &values, mask.as_ref())?;
            Ok((tokens::row_means(&fine), fine))
        })
    }

    fn reads(&self) -> Vec<String> {
        std::iter::once(&self.values).chain(&self.mask).cloned().collect()
    }

    fn scope(&self) -> Scope {
        if self.preset == Preset::Plain { Scope::Rollout } else { Scope::Batch }
    }
}

guerdon_core::method! {
    Gae: Transform,
    id: "advantage.gae",
    papers: ["unpacking-dpo-ppo-2024", "credit-survey-2026"],
    status: Verified(Reference("verl compute_gae_advantage_return, OpenRLHF: golden vectors to 1e-6")),
    laws: [GroupLocal],
    exempt: [],
    sample_params: r#"{"values": "a"}"#,
}

#[cfg(test)]
mod tests {
    use super::{Gae, row};
    use guerdon_core::method::Transform as _;
    use guerdon_core::{Column, Fine, Frame, Groups, Level, View};

    fn check(lambda: f64, mask: Option<&[f64]>, expect: &[f64]) {
        let own = row(&[0.0, 0.5, 1.0], &[0.2, 0.4, 0.6], mask, 0.5, lambda);
        assert!(
            own.iter().zip(expect).all(|(a, e)| (a - e).abs() < 1e-15),
            "{own:?} is not {expect:?}"
        );
    }

    #[test]
    fn lambda_one_reduces_to_the_return_less_the_value() {
        check(1.0, None, &[0.5 - 0.2, 1.0 - 0.4, 1.0 - 0.6]);
    }

    #[test]
    fn lambda_zero_reduces_to_the_one_step_error() {
        check(0.0, None, &[0.2 - 0.2, 0.5 + 0.3 - 0.4, 0.4]);
    }

    #[test]
    fn a_rollout_without_values_is_unscored_alone() {
        let list = |rows: [&[f64]; 2]| {
            let mut column = Column::from_options(rows.map(|row| row.first().copied()));
            column.fine = Some(Fine::from_rows(Level::Token, rows));
            column
        };
        let mut frame = Frame::new(Groups::one(2));
        frame.insert("values", list([&[0.5, 0.5], &[]])).unwrap();
        let current = list([&[0.0, 1.0], &[1.0, 1.0]]);
        let view = View { frame: &frame, current: Some(&current), seed: 0 };
        let own = Gae { gamma: 1.0, lambda: 1.0, ..Gae::default() }.apply(&view).unwrap();
        assert_eq!((own.get(0), own.get(1)), (Some(0.5), None));
    }

    #[test]
    fn masked_tokens_are_passed_over() {
        check(1.0, Some(&[1.0, 0.0, 1.0]), &[0.5 - 0.2, 0.0, 0.4]);
    }
}
