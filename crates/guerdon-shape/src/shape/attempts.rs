//! The reward of an episode with several attempts: any success counts, or the sooner the better, and repeats cost.
//!
//! # Formula
//!
//! ```text
//! any_correct  1 where any attempt is right; else `wrong`, or `malformed` where the format is broken
//! decay        γ^t for the first success at attempt t (from 0), else 0
//! both         − λ · (1 − E / T),  E different answers among the T given
//! ```
//!
//! The attempts are the columns `attempts`, oldest first (a column may hold a list; an unscored one was not made, and ends
//! the list), or the values within the running reward. An attempt is right from `threshold`. λ is
//! `repeat_penalty`; `E` is counted from the text columns `answers`, or read from the column `distinct`.
//!
//! | preset | rule | else |
//! |---|---|---|
//! | `multi_attempt` (default) | any correct | wrong −0.5, malformed −1 |
//! | `ufo` | decay | γ 0.5, λ 0.1 |
//!
//! # When to use it
//!
//! For episodes that go on after a wrong answer. `decay` where the first answer should already be right; the penalty where
//! a policy repeats its wrong answer. `shape.improvement` pays for getting better instead.
//!
//! # Departures
//!
//! None in the formulas. The code of multi-attempt RL was read: an episode counts as well-formed once any attempt had an
//! answer, and its discount for later successes is overwritten by 1. An episode without any attempt is unscored. Answers are compared as texts: normalise them in the
//! data.
//!
//! # Example
//!
//! ```yaml
//! use: shape.attempts
//! preset: ufo
//! attempts: [first, second, third]
//! distinct: different_answers
//! ```
//!
//! ```
//! use guerdon_shape::shape::attempts::Attempts;
//! let attempts = Attempts::default();
//! assert_eq!(attempts.value(&[0.0, 1.0], None, true), 1.0);
//! assert_eq!(attempts.value(&[0.0, 0.0], None, true), -0.5);
//! ```
//!
//! # References
//!
//! Chung et al., "Learning from Failures in Multi-Attempt Reinforcement Learning", 2025. Liu et al., "A Simple 'Try Again'
//! Can Elicit Multi-Turn LLM Reasoning", 2025 (UFO).

use std::collections::BTreeSet;

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fine::series;

/// The conventions of a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Multi-attempt RL.
    #[default]
    MultiAttempt,
    /// Unary feedback as observation.
    Ufo,
}

/// What a success is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// 1, whenever it comes.
    AnyCorrect,
    /// The less the later it comes.
    Decay,
}

/// Parameters of `shape.attempts`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Attempts {
    /// The conventions of a paper; the other parameters override it. Default `multi_attempt`.
    pub preset: Preset,
    /// What a success is worth. Default: the preset's.
    pub rule: Option<Rule>,
    /// Columns with the score of each attempt, oldest first. Default: the values within the running reward.
    pub attempts: Vec<String>,
    /// Least score of a right attempt. Finite; default 0.5.
    pub threshold: Option<f64>,
    /// The most attempts that count, the first ones. At least 1; default: all.
    pub max_attempts: Option<usize>,
    /// What an episode without success earns under `any_correct`. Finite; default −0.5.
    pub wrong: Option<f64>,
    /// What it earns where the format is broken. Finite; default −1.
    pub malformed: Option<f64>,
    /// Column that is at least 0.5 where the format is in order. Default: it always is.
    pub format: Option<String>,
    /// γ of `decay`. 0 to 1; default 0.5.
    pub gamma: Option<f64>,
    /// λ. At least 0. Default: the preset's (`ufo`: 0.1).
    pub repeat_penalty: Option<f64>,
    /// Column with the number of different answers. Default: none.
    pub distinct: Option<String>,
    /// Text columns with the answer of each attempt, in place of `distinct`. Default: none.
    pub answers: Vec<String>,
}

impl Params for Attempts {
    fn validate(&self) -> Result<(), ParamError> {
        const ANY: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
        ParamError::in_range("threshold", self.threshold.unwrap_or(0.5), ANY.0, ANY.1)?;
        ParamError::in_range(
            "max_attempts",
            self.max_attempts.unwrap_or(1) as f64,
            1.0,
            f64::INFINITY,
        )?;
        ParamError::in_range("wrong", self.wrong.unwrap_or(0.0), ANY.0, ANY.1)?;
        ParamError::in_range("malformed", self.malformed.unwrap_or(0.0), ANY.0, ANY.1)?;
        ParamError::in_range("gamma", self.gamma.unwrap_or(0.5), 0.0, 1.0)?;
        ParamError::in_range("repeat_penalty", self.repeat_penalty(), 0.0, f64::INFINITY)
    }
}

impl Attempts {
    fn rule(&self) -> Rule {
        self.rule.unwrap_or(if self.preset == Preset::Ufo { Rule::Decay } else { Rule::AnyCorrect })
    }

    fn repeat_penalty(&self) -> f64 {
        self.repeat_penalty.unwrap_or(if self.preset == Preset::Ufo { 0.1 } else { 0.0 })
    }

    /// The reward of one episode: the scores of its attempts, how many different answers they gave, whether the format
    /// was in order.
    pub fn value(&self, scores: &[f64], distinct: Option<f64>, well_formed: bool) -> f64 {
        let scores = &scores[..scores.len().min(self.max_attempts.unwrap_or(usize::MAX))];
        let first = scores.iter().position(|s| *s >= self.threshold.unwrap_or(0.5));
        let success = match (self.rule(), first) {
            (Rule::AnyCorrect, Some(_)) => 1.0,
            (Rule::AnyCorrect, None) if well_formed => self.wrong.unwrap_or(-0.5),
            (Rule::AnyCorrect, None) => self.malformed.unwrap_or(-1.0),
            (Rule::Decay, Some(t)) => self.gamma.unwrap_or(0.5).powf(t as f64),
            (Rule::Decay, None) => 0.0,
        };
        let all = scores.len() as f64;
        let repeated = distinct.map_or(0.0, |e| 1.0 - e.clamp(1.0, all.max(1.0)) / all.max(1.0));
        success - self.repeat_penalty() * repeated
    }

    /// How many different answers the first `n` attempts of a row gave.
    fn different(answers: &[&[Option<String>]], row: usize, n: usize) -> Option<f64> {
        if answers.is_empty() {
            return None;
        }
        let given: BTreeSet<&str> =
            answers.iter().take(n).filter_map(|texts| texts[row].as_deref()).collect();
        Some(given.len() as f64)
    }
}

impl Transform for Attempts {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let rows = view.frame.rows();
        if rows == 0 {
            return Ok(Column::default());
        }
        let column = |name: &String| view.frame.column(name);
        let columns: Vec<&Column> = self.attempts.iter().map(column).collect::<Result<_, _>>()?;
        let current = if columns.is_empty() { Some(view.current()?) } else { view.current };
        let distinct = self.distinct.as_ref().map(column).transpose()?;
        let format = self.format.as_ref().map(column).transpose()?;
        let answers: Vec<&[Option<String>]> =
            self.answers.iter().map(|n| view.frame.text(n)).collect::<Result<_, _>>()?;
        let value = |row: usize| {
            let scores = series(&columns, current, row);
            let distinct = match distinct {
                Some(column) => Some(column.get(row)?),
                None => Self::different(&answers, row, scores.len()),
            };
            let well_formed = format.map_or(Some(true), |f| f.get(row).map(|v| v >= 0.5))?;
            (!scores.is_empty()).then(|| self.value(&scores, distinct, well_formed))
        };
        Ok(Column::from_options((0..rows).map(value)))
    }

    fn reads(&self) -> Vec<String> {
        self.attempts
            .iter()
            .chain(&self.distinct)
            .chain(&self.format)
            .chain(&self.answers)
            .cloned()
            .collect()
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }
}

guerdon_core::method! {
    Attempts: Transform,
    id: "shape.attempts",
    papers: ["multi-attempt-2025", "ufo-2025"],
    status: Verified(Worked("multi-attempt's 1, −0.5, −1 and UFO's 0.21667, 0.5, −0.06")),
    laws: [GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{Attempts, Preset};
    use guerdon_core::method::Transform as _;
    use guerdon_core::{Column, Frame, Groups, View};

    fn check(preset: Preset, scores: &[f64], distinct: f64, expect: f64) {
        let own = Attempts { preset, ..Attempts::default() }.value(scores, Some(distinct), true);
        assert!((own - expect).abs() < 5e-6, "{own}, not {expect}");
    }

    #[test]
    fn worked_numbers() {
        check(Preset::MultiAttempt, &[0.0, 1.0], 2.0, 1.0);
        check(Preset::MultiAttempt, &[0.0, 0.0, 0.0], 3.0, -0.5);
        assert_eq!(Attempts::default().value(&[0.0], None, false), -1.0);
        check(Preset::Ufo, &[0.0, 0.0, 1.0], 2.0, 0.216_67);
        check(Preset::Ufo, &[0.0, 1.0], 2.0, 0.5);
        check(Preset::Ufo, &[0.0; 5], 2.0, -0.06);
    }

    #[test]
    fn attempts_that_were_not_made_do_not_count() {
        let mut frame = Frame::new(Groups::one(2));
        frame.insert("first", Column::from_options([Some(0.0), Some(0.0)])).unwrap();
        frame.insert("second", Column::from_options([Some(1.0), None])).unwrap();
        for (name, texts) in [("a1", ["7", "7"]), ("a2", ["8", "8"])] {
            frame.insert_text(name, texts.map(|t| Some(t.to_owned())).to_vec()).unwrap();
        }
        let names = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        let mut attempts = Attempts {
            preset: Preset::Ufo,
            attempts: names("first", "second"),
            answers: names("a1", "a2"),
            ..Attempts::default()
        };
        let own = attempts.apply(&View { frame: &frame, current: None, seed: 0 }).unwrap();
        assert_eq!(own, Column::from_options([Some(0.5), Some(0.0)]));
    }
}
