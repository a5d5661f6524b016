//! Rewards for choosing among options: by regret, by what an oracle would do, with a bonus for trying what is new.
//!
//! # Formula
//!
//! ```text
//! raw          r
//! strategic    1 − (μ* − μ_a) / (μ* − μ_min)
//! algorithmic  1 where the action equals the oracle's, else 0
//! oracle       1 where the action is a best one (μ_a = μ*), else 0
//! all          + untried_bonus where the action was never tried before;  `invalid` alone where it cannot be read
//! ```
//!
//! `r` is the running reward, `μ_a` the column `mean` (the expected reward of the chosen action), `μ*` and `μ_min` the
//! columns `best` and `worst`. Where best and worst are equal every action is a best one.
//!
//! # When to use it
//!
//! To train a model on bandit episodes. `strategic` has the same optimum as `raw` without its noise; `algorithmic` imitates
//! an algorithm, which makes the model greedier than its teacher: watch how often it stops exploring.
//!
//! # Departures
//!
//! The paper of `strategic` publishes the idea, not the formula: ours is the regret on the scale of the options. The bonus
//! and the price of an unreadable action are those of a second paper.
//!
//! # Example
//!
//! ```yaml
//! use: shape.regret
//! kind: strategic
//! mean: arm_mean
//! best: best_mean
//! worst: worst_mean
//! ```
//!
//! ```
//! use guerdon_shape::shape::regret::strategic;
//! assert!((strategic(0.5, 0.9, 0.2) - 0.428571).abs() < 1e-6);
//! ```
//!
//! # References
//!
//! Schmied et al., "LLMs are Greedy Agents", 2025 (bonus, invalid actions). Sun et al., "When Greedy Wins: Emergent
//! Exploitation Bias in Meta-Bandit LLM Training", 2025 (kinds).

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fine::settle;

/// What a choice is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The reward that came.
    #[default]
    Raw,
    /// The expected reward, between worst and best.
    Strategic,
    /// Whether an algorithm would have done the same.
    Algorithmic,
    /// Whether it was the best.
    Oracle,
}

/// Parameters of `shape.regret`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Regret {
    /// What a choice is judged by. Default `raw`.
    pub kind: Kind,
    /// Column with the expected reward of the chosen action. Default `mean`.
    pub mean: String,
    /// Column with the expected reward of the best action. Default `best`.
    pub best: String,
    /// Column with the expected reward of the worst action. Default `worst`.
    pub worst: String,
    /// Column with the number of the chosen action, for `algorithmic`. Default `action`.
    pub action: String,
    /// Column with the number of the oracle's action. Default `oracle`.
    pub oracle: String,
    /// Column that is at least 0.5 where the action was never tried before. Default: no bonus.
    pub untried: Option<String>,
    /// Bonus for an untried action. Finite; default 1.
    pub untried_bonus: f64,
    /// Column that is at least 0.5 where the action could be read. Default: it always could.
    pub valid: Option<String>,
    /// What an unreadable action earns. Finite; default −5.
    pub invalid: f64,
}

impl Default for Regret {
    fn default() -> Self {
        Self {
            kind: Kind::Raw,
            mean: "mean".to_owned(),
            best: "best".to_owned(),
            worst: "worst".to_owned(),
            action: "action".to_owned(),
            oracle: "oracle".to_owned(),
            untried: None,
            untried_bonus: 1.0,
            valid: None,
            invalid: -5.0,
        }
    }
}

impl Params for Regret {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range(
            "untried_bonus",
            self.untried_bonus,
            f64::NEG_INFINITY,
            f64::INFINITY,
        )?;
        ParamError::in_range("invalid", self.invalid, f64::NEG_INFINITY, f64::INFINITY)
    }
}

/// 1 less the regret of an action on the scale from `worst` to `best`; 1 where these are equal.
pub fn strategic(mean: f64, best: f64, worst: f64) -> f64 {
    if best == worst { 1.0 } else { 1.0 - (best - mean) / (best - worst) }
}

impl Regret {
    /// The columns that the kind needs, in the order of [`Regret::judged`].
    fn needed(&self) -> Vec<&String> {
        match self.kind {
            Kind::Raw => Vec::new(),
            Kind::Strategic => vec![&self.mean, &self.best, &self.worst],
            Kind::Algorithmic => vec![&self.action, &self.oracle],
            Kind::Oracle => vec![&self.mean, &self.best],
        }
    }

    fn judged(&self, reward: f64, columns: &[f64]) -> f64 {
        match (self.kind, columns) {
            (Kind::Strategic, [mean, best, worst]) => strategic(*mean, *best, *worst),
            (Kind::Algorithmic, [action, oracle]) => f64::from(u8::from(action == oracle)),
            (Kind::Oracle, [mean, best]) => f64::from(u8::from(mean >= best)),
            _ => reward,
        }
    }

    fn row(&self, view: &Columns<'_>, row: usize, reward: f64) -> Option<f64> {
        if let Some(valid) = view.valid
            && valid.get(row)? < 0.5
        {
            return Some(self.invalid);
        }
        let needed: Option<Vec<f64>> = view.needed.iter().map(|c| c.get(row)).collect();
        let bonus = match view.untried {
            Some(untried) if untried.get(row)? >= 0.5 => self.untried_bonus,
            _ => 0.0,
        };
        Some(self.judged(reward, &needed?) + bonus)
    }
}

struct Columns<'a> {
    needed: Vec<&'a Column>,
    untried: Option<&'a Column>,
    valid: Option<&'a Column>,
}

impl Transform for Regret {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let current = view.current()?;
        let column = |name: &String| view.frame.column(name);
        let columns = Columns {
            needed: self.needed().into_iter().map(column).collect::<Result<_, _>>()?,
            untried: self.untried.as_ref().map(column).transpose()?,
            valid: self.valid.as_ref().map(column).transpose()?,
        };
        let shaped =
            current.iter().enumerate().map(|(row, reward)| self.row(&columns, row, reward?));
        Ok(settle(current, Column::from_options(shaped)))
    }

    fn reads(&self) -> Vec<String> {
        self.needed().into_iter().chain(&self.untried).chain(&self.valid).cloned().collect()
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }
}

guerdon_core::method! {
    Regret: Transform,
    id: "shape.regret",
    papers: ["greedy-agents-2025", "greedy-wins-2025"],
    status: Verified(Worked("means 0.2, 0.5, 0.9: action 2 earns 0.428571, action 3 earns 1")),
    laws: [GroupLocal],
    exempt: [],
    sample_params: r#"{"kind": "raw", "untried": "correct", "valid": "score"}"#,
}

#[cfg(test)]
mod tests {
    use super::{Kind, Regret, strategic};

    #[test]
    fn worked_numbers() {
        assert!((strategic(0.5, 0.9, 0.2) - 0.428_571).abs() < 1e-6);
        assert_eq!(strategic(0.9, 0.9, 0.2), 1.0);
        assert_eq!(strategic(0.3, 0.3, 0.3), 1.0);
    }

    #[test]
    fn kinds() {
        let judged =
            |kind, columns: &[f64]| Regret { kind, ..Regret::default() }.judged(0.25, columns);
        assert_eq!(judged(Kind::Raw, &[]), 0.25);
        assert_eq!(judged(Kind::Algorithmic, &[2.0, 2.0]), 1.0);
        assert_eq!(judged(Kind::Oracle, &[0.5, 0.9]), 0.0);
    }
}
