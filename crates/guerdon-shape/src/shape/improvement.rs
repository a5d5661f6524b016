//! Pays for getting better from one attempt to the next, and takes off for getting worse.
//!
//! # Formula
//!
//! ```text
//! bonus       r'_1 = r_1,  r'_t = r_t + α · (r_t − r_{t−1}) for t > 1
//! discounted  r'_t = γ^(T−t) · (r_t − r_{t−1}),  r_0 = 0
//! ```
//!
//! `r_t` is the reward of attempt `t` of `T`: the columns `attempts`, oldest first (a list, or one each; an unscored one ends
//! the list), or the values within the running reward. With `unit` every `r_t` is multiplied by a column (the number of
//! tests, to turn shares into counts). The result has one value per attempt; the rollout's value is their sum, or with
//! `total: last` the last one.
//!
//! | preset | form | else |
//! |---|---|---|
//! | `score` (default) | bonus | α 10 |
//! | `cocos` | discounted | γ 0.5 |
//!
//! # When to use it
//!
//! For self-correction. Credit the bonus to the turn that earns it (`advantage.turn`): credited to the whole trajectory it
//! teaches the policy to get the first answer wrong on purpose.
//!
//! # Departures
//!
//! `SCoRe` has no public code: its formula is checked on worked numbers. The code of `CoCoS` was read and agrees (γ = 0
//! keeps the last difference); it uses raw counts of passed tests, which favours tasks with many tests: `unit` reproduces
//! it. PAG's bonus for a revision that
//! improves has the form of `bonus`.
//!
//! # Example
//!
//! ```yaml
//! use: shape.improvement
//! preset: score
//! attempts: [first, second]
//! ```
//!
//! ```
//! use guerdon_shape::shape::improvement::bonus;
//! assert_eq!(bonus(&[0.0, 1.0], 10.0), [0.0, 11.0]);
//! ```
//!
//! # References
//!
//! Kumar et al., "Training Language Models to Self-Correct via Reinforcement Learning", 2024 (`SCoRe`). Cho et al.,
//! "Self-Correcting Code Generation Using Small Language Models", 2025 (`CoCoS`).

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Level, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fine::{column, series};

/// The conventions of a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// `SCoRe`.
    #[default]
    Score,
    /// `CoCoS`.
    Cocos,
}

/// How a difference is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// On top of the attempt's own reward.
    Bonus,
    /// Alone, the more the later.
    Discounted,
}

/// What stands for the whole rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Total {
    /// The sum over the attempts.
    #[default]
    Sum,
    /// The last attempt's.
    Last,
}

/// Parameters of `shape.improvement`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Improvement {
    /// The conventions of a paper; the other parameters override it. Default `score`.
    pub preset: Preset,
    /// How a difference is paid. Default: the preset's.
    pub form: Option<Form>,
    /// Columns with the reward of each attempt, oldest first. Default: the values within the running reward.
    pub attempts: Vec<String>,
    /// Weight α of the difference under `bonus`. Finite; default 10.
    pub alpha: Option<f64>,
    /// Discount γ under `discounted`. 0 to 1; default 0.5.
    pub gamma: Option<f64>,
    /// Column that every attempt's reward is multiplied with. Default: none.
    pub unit: Option<String>,
    /// What stands for the whole rollout. Default `sum`.
    pub total: Total,
}

impl Params for Improvement {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("alpha", self.alpha(), f64::NEG_INFINITY, f64::INFINITY)?;
        ParamError::in_range("gamma", self.gamma(), 0.0, 1.0)
    }
}

/// Every attempt's reward with α times its difference to the one before.
pub fn bonus(rewards: &[f64], alpha: f64) -> Vec<f64> {
    let before = rewards.first().into_iter().chain(rewards);
    rewards.iter().zip(before).map(|(r, b)| r + alpha * (r - b)).collect()
}

/// Every difference to the attempt before (0 before the first), discounted by how many attempts follow.
pub fn discounted(rewards: &[f64], gamma: f64) -> Vec<f64> {
    let n = rewards.len();
    let before = std::iter::once(&0.0).chain(rewards);
    rewards
        .iter()
        .zip(before)
        .enumerate()
        .map(|(t, (r, b))| gamma.powf((n - 1 - t) as f64) * (r - b))
        .collect()
}

impl Improvement {
    fn alpha(&self) -> f64 {
        self.alpha.unwrap_or(10.0)
    }

    fn gamma(&self) -> f64 {
        self.gamma.unwrap_or(0.5)
    }

    /// The shaped rewards of one rollout's attempts.
    pub fn shape(&self, rewards: &[f64]) -> Vec<f64> {
        match self.form.unwrap_or(if self.preset == Preset::Cocos {
            Form::Discounted
        } else {
            Form::Bonus
        }) {
            Form::Bonus => bonus(rewards, self.alpha()),
            Form::Discounted => discounted(rewards, self.gamma()),
        }
    }
}

impl Transform for Improvement {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let columns: Vec<&Column> =
            self.attempts.iter().map(|n| view.frame.column(n)).collect::<Result<_, _>>()?;
        let current = if columns.is_empty() { Some(view.current()?) } else { view.current };
        let unit = self.unit.as_ref().map(|n| view.frame.column(n)).transpose()?;
        let row = |row: usize| {
            let mut rewards = series(&columns, current, row);
            if let Some(unit) = unit {
                let unit = unit.get(row)?;
                rewards = rewards.iter().map(|r| r * unit).collect();
            }
            let shaped = self.shape(&rewards);
            let last = *shaped.last()?;
            Some((if self.total == Total::Last { last } else { shaped.iter().sum() }, shaped))
        };
        let level = current
            .and_then(|c| c.fine.as_ref())
            .filter(|_| columns.is_empty())
            .map_or(Level::Turn, |f| f.level);
        Ok(column(level, &(0..view.frame.rows()).map(row).collect::<Vec<_>>()))
    }

    fn reads(&self) -> Vec<String> {
        self.attempts.iter().chain(&self.unit).cloned().collect()
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }
}

guerdon_core::method! {
    Improvement: Transform,
    id: "shape.improvement",
    papers: ["score-2024", "cocos-2025", "pag-2025"],
    status: Verified(Worked("SCoRe's second rewards 0, 11, −10, 1; CoCoS's 0.8333, 0.5, −0.1667, 0.75 and 2.5 in counts")),
    laws: [GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{bonus, discounted};

    #[test]
    fn second_attempts_of_score() {
        let second = |a: f64, b: f64| bonus(&[a, b], 10.0)[1];
        assert_eq!(
            [second(0.0, 0.0), second(0.0, 1.0), second(1.0, 0.0), second(1.0, 1.0)],
            [0.0, 11.0, -10.0, 1.0]
        );
        assert_eq!(bonus(&[0.5, 0.25], 0.0), [0.5, 0.25]);
        assert!(bonus(&[], 1.0).is_empty());
    }

    #[test]
    fn dialogues_of_cocos() {
        let check = |rewards: &[f64], expect: f64| {
            let own: f64 = discounted(rewards, 0.5).iter().sum();
            assert!((own - expect).abs() < 5e-6, "{own}, not {expect}");
        };
        check(&[1.0 / 3.0, 1.0], 0.833_333);
        check(&[1.0, 1.0], 0.5);
        check(&[1.0, 1.0 / 3.0], -0.166_667);
        check(&[0.0, 0.5, 1.0], 0.75);
        check(&[1.0, 3.0], 2.5);
    }

    #[test]
    fn no_discount_keeps_the_last_reward() {
        assert_eq!(discounted(&[0.25, 0.75, 0.5], 1.0).iter().sum::<f64>(), 0.5);
        assert_eq!(discounted(&[0.25, 0.75, 0.5], 0.0), [0.0, 0.0, -0.25]);
    }
}
