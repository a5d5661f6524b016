//! Three values instead of two: correct, abstained, wrong, so that "I don't know" is better than a guess.
//!
//! # Formula
//!
//! ```text
//! r_i = abstain where the rollout abstains, else correct or wrong
//! ```
//!
//! A rollout abstains where the column `abstained` is at least 0.5, and is correct where the running reward (or the column
//! `correct`) is at least `threshold`. Answering with success probability p is worth p·correct + (1 − p)·wrong, so abstaining
//! is better below p = (abstain − wrong) / (correct − wrong).
//!
//! | preset | correct | abstain | wrong | answers from p |
//! |---|---|---|---|---|
//! | `truthrl` (default) | 1 | 0 | −1 | 0.5 |
//! | `binary` | 1 | 0 | 0 | 0 |
//! | `binary_strict` | 1 | −1 | −1 | 0 |
//! | `chow` | 0 | −`cost` | −1 | 1 − cost |
//!
//! With `out_of_knowledge` a group without any correct rollout lies outside what the model knows, and abstaining there
//! earns this value.
//!
//! # When to use it
//!
//! For factual questions, where a wrong answer does harm. The policy needs something to tell hard questions from easy
//! ones by, or it abstains from all or none. For graded confidence use `shape.proper_score`.
//!
//! # Departures
//!
//! The paper lets a model decide correctness: that is a signal of the spec. In `binary` abstention earns what a wrong
//! answer earns, which is the control that punishes it.
//!
//! # Example
//!
//! ```yaml
//! use: shape.abstain
//! abstained: says_unknown
//! preset: truthrl
//! ```
//!
//! ```
//! use guerdon_shape::shape::abstain::{Preset, Values};
//! let values: Values = Preset::Truthrl.values(0.1);
//! assert_eq!(values.answer_from(), 0.5);
//! ```
//!
//! # References
//!
//! Wei et al., "`TruthRL`: Incentivizing Truthful LLMs via Reinforcement Learning", 2025. Hendrickx et al., "Machine Learning
//! with a Reject Option: A Survey", 2021 (Chow's cost). Mathews and Nagappan, "Is Your Automated Software Engineer
//! Trustworthy?", 2025.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fine::settle;
use super::success::correct;

/// The values of a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// 1, 0, −1.
    #[default]
    Truthrl,
    /// 1, 0, 0.
    Binary,
    /// 1, −1, −1.
    BinaryStrict,
    /// 0, −cost, −1.
    Chow,
}

/// What the three outcomes earn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Values {
    /// A correct answer.
    pub correct: f64,
    /// An abstention.
    pub abstain: f64,
    /// A wrong answer.
    pub wrong: f64,
}

impl Preset {
    /// The values; `cost` is that of an abstention under Chow's rule.
    pub fn values(self, cost: f64) -> Values {
        let (correct, abstain, wrong) = match self {
            Self::Truthrl => (1.0, 0.0, -1.0),
            Self::Binary => (1.0, 0.0, 0.0),
            Self::BinaryStrict => (1.0, -1.0, -1.0),
            Self::Chow => (0.0, -cost, -1.0),
        };
        Values { correct, abstain, wrong }
    }
}

impl Values {
    /// The success probability from which answering is worth at least as much as abstaining.
    pub fn answer_from(&self) -> f64 {
        (self.abstain - self.wrong) / (self.correct - self.wrong)
    }
}

/// Parameters of `shape.abstain`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Abstain {
    /// The values of a paper; the other parameters override it. Default `truthrl`.
    pub preset: Preset,
    /// Column that is at least 0.5 where the rollout abstains. Default `abstained`.
    pub abstained: String,
    /// Column that says what is correct. Default: the running reward.
    pub correct: Option<String>,
    /// Least value that counts as correct. Finite; default 0.5.
    pub threshold: f64,
    /// What a correct answer earns. Finite. Default: the preset's.
    pub correct_value: Option<f64>,
    /// What an abstention earns. Finite. Default: the preset's.
    pub abstain_value: Option<f64>,
    /// What a wrong answer earns. Finite. Default: the preset's.
    pub wrong_value: Option<f64>,
    /// Cost of an abstention under `chow`, in errors. 0 to 1; default 0.1.
    pub cost: f64,
    /// What an abstention earns in a group without any correct rollout. Finite; default: what it earns elsewhere.
    pub out_of_knowledge: Option<f64>,
}

impl Default for Abstain {
    fn default() -> Self {
        Self {
            preset: Preset::Truthrl,
            abstained: "abstained".to_owned(),
            correct: None,
            threshold: 0.5,
            correct_value: None,
            abstain_value: None,
            wrong_value: None,
            cost: 0.1,
            out_of_knowledge: None,
        }
    }
}

impl Params for Abstain {
    fn validate(&self) -> Result<(), ParamError> {
        const ANY: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
        ParamError::in_range("threshold", self.threshold, ANY.0, ANY.1)?;
        ParamError::in_range("cost", self.cost, 0.0, 1.0)?;
        let given = [
            ("correct_value", self.correct_value),
            ("abstain_value", self.abstain_value),
            ("wrong_value", self.wrong_value),
            ("out_of_knowledge", self.out_of_knowledge),
        ];
        given
            .into_iter()
            .try_for_each(|(name, v)| ParamError::in_range(name, v.unwrap_or(0.0), ANY.0, ANY.1))
    }
}

impl Abstain {
    /// The preset with its overrides.
    pub fn values(&self) -> Values {
        let preset = self.preset.values(self.cost);
        Values {
            correct: self.correct_value.unwrap_or(preset.correct),
            abstain: self.abstain_value.unwrap_or(preset.abstain),
            wrong: self.wrong_value.unwrap_or(preset.wrong),
        }
    }

    /// The rewards of one group.
    pub fn group(&self, right: &[bool], abstained: &[bool]) -> Vec<f64> {
        let values = self.values();
        let known = right.iter().zip(abstained).any(|(r, a)| *r && !a);
        let abstain =
            if known { values.abstain } else { self.out_of_knowledge.unwrap_or(values.abstain) };
        let value = |(right, abstained): (&bool, &bool)| match (abstained, right) {
            (true, _) => abstain,
            (false, true) => values.correct,
            (false, false) => values.wrong,
        };
        right.iter().zip(abstained).map(value).collect()
    }
}

impl Transform for Abstain {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let right = correct(view, self.correct.as_deref(), self.threshold)?;
        let mut reads = vec![self.abstained.as_str()];
        reads.extend(self.correct.as_deref());
        let shaped = view.dense(&reads, |d| {
            let group = |range: std::ops::Range<usize>| {
                let right: Vec<bool> =
                    d.rows[range.clone()].iter().map(|&row| right[row] == Some(true)).collect();
                let abstained: Vec<bool> = d.aux[0][range].iter().map(|a| *a >= 0.5).collect();
                self.group(&right, &abstained)
            };
            Ok(d.groups.iter().flat_map(group).collect())
        })?;
        Ok(settle(view.current()?, shaped))
    }

    fn reads(&self) -> Vec<String> {
        std::iter::once(&self.abstained).chain(&self.correct).cloned().collect()
    }

    fn scope(&self) -> Scope {
        if self.out_of_knowledge.is_some() { Scope::Group } else { Scope::Rollout }
    }
}

guerdon_core::method! {
    Abstain: Transform,
    id: "shape.abstain",
    papers: ["truthrl-2025", "reject-option-2021", "bouncerbench-2025"],
    status: Verified(Worked("the group (1, 0, −1, −1): mean −0.25, advantages 1.508, 0.302, −0.905, −0.905")),
    laws: [GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{Abstain, Preset};
    use crate::moments::moments;

    const RIGHT: [bool; 4] = [true, false, false, false];
    const ABSTAINED: [bool; 4] = [false, true, false, false];

    #[test]
    fn abstaining_lies_between_right_and_wrong() {
        let own = Abstain::default().group(&RIGHT, &ABSTAINED);
        assert_eq!(own, [1.0, 0.0, -1.0, -1.0]);
        let m = moments(&own, 0);
        let advantages: Vec<f64> = own.iter().map(|r| (r - m.mean) / m.std).collect();
        for (a, e) in advantages.iter().zip([1.508, 0.302, -0.905, -0.905]) {
            assert!((a - e).abs() < 5e-4, "{advantages:?}");
        }
        let binary = Abstain { preset: Preset::Binary, ..Abstain::default() };
        assert_eq!(binary.group(&RIGHT, &ABSTAINED), [1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn thresholds() {
        assert_eq!(Preset::Truthrl.values(0.0).answer_from(), 0.5);
        assert!((Preset::Chow.values(0.3).answer_from() - 0.7).abs() < 1e-15);
        assert_eq!(Preset::BinaryStrict.values(0.0).answer_from(), 0.0);
    }

    #[test]
    fn abstaining_from_the_unknown_can_pay() {
        let bonus = Abstain { out_of_knowledge: Some(1.0), ..Abstain::default() };
        assert_eq!(bonus.group(&[false, false], &[true, false]), [1.0, -1.0]);
        assert_eq!(bonus.group(&RIGHT, &ABSTAINED), [1.0, 0.0, -1.0, -1.0]);
    }

    #[test]
    fn chow_costs() {
        let chow = |cost| Abstain { preset: Preset::Chow, cost, ..Abstain::default() };
        let right = [true, true, false, true, false];
        let kept = |n: usize| (0..5).map(|i| i >= n).collect::<Vec<_>>();
        let mean =
            |cost: f64, n: usize| -chow(cost).group(&right, &kept(n)).iter().sum::<f64>() / 5.0;
        assert!((mean(0.1, 2) - 0.06).abs() < 1e-12 && (mean(0.3, 3) - 0.32).abs() < 1e-12);
        assert!((mean(0.45, 5) - 0.4).abs() < 1e-12);
    }
}
