//! Decoupled group advantage for several rewards: normalise each reward within its group, then add, then whiten.
//!
//! Adding rewards before normalising lets different mixtures collapse to the same advantage; normalising each first keeps
//! them apart.
//!
//! # Formula
//!
//! ```text
//! S_i = Σ_k w_k · (r_{i,k} − μ_k) / (σ_k + eps)          A_i = (S_i − mean(S)) / divisor(σ(S))
//! ```
//!
//! `r_{i,k}` is the reward `k` of rollout `i`, `μ_k` and `σ_k` its mean and sample standard deviation in the group, `w_k` its
//! weight. The whitening runs over the rollouts of the batch, or over their tokens.
//!
//! | preset | eps | whitening | group of one |
//! |---|---|---|---|
//! | `plain` (default) | 1e-6 | rollouts, √(σ² + 1e-8) | 0 |
//! | `verl` | 1e-6 | tokens, √(σ² + 1e-8) | its reward |
//! | `trl` | 1e-4 | rollouts, σ + 1e-4 | 0 |
//! | `ms_swift` | 1e-8 | rollouts, σ + 1e-8 | 0 |
//!
//! # When to use it
//!
//! With rewards of different scale or sparsity (correctness, format, length), where each should keep its own say. With a
//! single reward it is a group norm followed by whitening.
//!
//! # Departures
//!
//! An unscored signal adds nothing to its rollout and takes no part in its group; a rollout without any score stays unscored.
//!
//! # Example
//!
//! ```yaml
//! use: advantage.gdpo
//! weights:
//!   correct: 1
//!   format: 0.5
//! ```
//!
//! ```
//! use guerdon_core::Groups;
//! use guerdon_shape::advantage::gdpo::Preset;
//! let part = Preset::Plain.norm(&[1.0, 0.0, 0.0, 1.0], &Groups::one(4)).unwrap();
//! assert!((part[0] - 0.866024).abs() < 1e-6);
//! ```
//!
//! # References
//!
//! Liu et al., "GDPO: Group reward-Decoupled Normalization Policy Optimization for Multi-reward RL Optimization", 2026.
//! Implementations of verl, TRL and ms-swift as of 2026.

use std::collections::BTreeMap;

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Groups, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::grpo;
use super::rules::{Divisor, Whiten};
use crate::moments::{moments, standardise, weighted};

/// The conventions of a trainer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Whitened over rollouts; a group of one gets 0.
    #[default]
    Plain,
    /// verl: whitened over tokens; a group of one gets its reward.
    Verl,
    /// TRL (`normalize_then_sum`): eps 1e-4 in both steps.
    Trl,
    /// ms-swift: eps 1e-8 in both steps.
    MsSwift,
}

/// Parameters of `advantage.gdpo`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gdpo {
    /// The conventions of a trainer; `whiten` overrides it. Default `plain`.
    pub preset: Preset,
    /// Weight of each signal, by its name. Finite; at least one. Default: the running reward alone.
    pub weights: BTreeMap<String, f64>,
    /// Over what the sum is whitened. Default: the preset's (`plain`: rollouts).
    pub whiten: Option<Whiten>,
    /// Column with the length of each completion in tokens, used with `whiten: tokens`. Default `length`.
    pub length: String,
}

impl Default for Gdpo {
    fn default() -> Self {
        Self {
            preset: Preset::Plain,
            weights: BTreeMap::new(),
            whiten: None,
            length: "length".to_owned(),
        }
    }
}

impl Params for Gdpo {
    fn validate(&self) -> Result<(), ParamError> {
        for (name, weight) in &self.weights {
            if !weight.is_finite() {
                let message = format!("the weight of `{name}` must be finite, not {weight}");
                return Err(ParamError {
                    path: vec!["weights".into(), name.clone()],
                    message,
                    unknown_key: false,
                });
            }
        }
        Ok(())
    }
}

impl Preset {
    /// One reward, normalised within its groups. `rewards` has one value per row of `groups`.
    pub fn norm(self, rewards: &[f64], groups: &Groups) -> Result<Vec<f64>, MethodError> {
        let rule = match self {
            Self::Plain => grpo::Preset::Plain.rule(),
            Self::Verl => grpo::Preset::Verl.rule(),
            Self::Trl => grpo::Preset::Trl.rule(),
            Self::MsSwift => grpo::Rule { eps: 1e-8, ..grpo::Preset::Plain.rule() },
        };
        rule.advantages(rewards, groups)
    }

    fn divisor(self) -> Divisor {
        match self {
            Self::Plain | Self::Verl => Divisor::Sample,
            Self::Trl => Divisor::SampleEps(1e-4),
            Self::MsSwift => Divisor::SampleEps(1e-8),
        }
    }
}

/// A signal's name and its part of the sum; `None` where it is unscored.
type Part = (String, Vec<Option<f64>>);

impl Gdpo {
    fn whitening(&self) -> Whiten {
        self.whiten.unwrap_or(if self.preset == Preset::Verl {
            Whiten::Tokens
        } else {
            Whiten::Rollouts
        })
    }

    /// The sum of the normalised rewards, whitened in place. `lengths` (tokens) is only read with `whiten: tokens`.
    pub fn whiten(&self, sums: &mut [f64], lengths: &[f64]) {
        let divisor = self.preset.divisor();
        let m = match self.whitening() {
            Whiten::None => return,
            Whiten::Tokens => weighted(sums, lengths, divisor.ddof()),
            Whiten::Rollouts => moments(sums, divisor.ddof()),
        };
        standardise(sums, m.mean, divisor.of(m.std));
    }

    /// Every signal's weighted, normalised part; `None` where the signal is unscored.
    fn parts(&self, view: &View<'_>) -> Result<Vec<Part>, MethodError> {
        let one = |name: &str, column: &Column, weight: f64| {
            let rows = column.scored_rows();
            let own: Vec<f64> = column.iter().flatten().collect();
            let norm = self.preset.norm(&own, &view.frame.groups.restrict(&rows))?;
            let mut part = vec![None; column.len()];
            for (row, value) in rows.into_iter().zip(norm) {
                part[row] = Some(weight * value).filter(|v| v.is_finite());
            }
            Ok((name.to_owned(), part))
        };
        if self.weights.is_empty() {
            return Ok(vec![one("reward", view.current()?, 1.0)?]);
        }
        self.weights
            .iter()
            .map(|(name, weight)| one(name, view.frame.column(name)?, *weight))
            .collect()
    }

    /// The lengths of `rows`; an unscored length counts as one token.
    fn lengths(&self, view: &View<'_>, rows: &[usize]) -> Result<Vec<f64>, MethodError> {
        if self.whitening() != Whiten::Tokens {
            return Ok(Vec::new());
        }
        let column = view.frame.column(&self.length)?;
        Ok(rows.iter().map(|&i| column.get(i).unwrap_or(1.0)).collect())
    }
}

impl Transform for Gdpo {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let parts = self.parts(view)?;
        let sum = |i: usize| parts.iter().filter_map(|(_, part)| part[i]).reduce(|a, b| a + b);
        let sums: Vec<Option<f64>> = (0..view.frame.rows()).map(sum).collect();
        let rows: Vec<usize> = (0..sums.len()).filter(|&i| sums[i].is_some()).collect();
        let mut own: Vec<f64> = sums.into_iter().flatten().collect();
        self.whiten(&mut own, &self.lengths(view, &rows)?);
        let mut out = vec![None; view.frame.rows()];
        for (row, value) in rows.into_iter().zip(own) {
            out[row] = Some(value);
        }
        Ok(Column::from_options(out))
    }

    fn reads(&self) -> Vec<String> {
        let length = (self.whitening() == Whiten::Tokens).then_some(&self.length);
        self.weights.keys().chain(length).cloned().collect()
    }

    fn scope(&self) -> Scope {
        if self.whitening() == Whiten::None { Scope::Group } else { Scope::Batch }
    }

    fn contributions(&self, view: &View<'_>) -> Vec<(String, Column)> {
        let parts = self.parts(view).unwrap_or_default();
        parts.into_iter().map(|(name, part)| (name, Column::from_options(part))).collect()
    }
}

guerdon_core::method! {
    Gdpo: Transform,
    id: "advantage.gdpo",
    papers: [],
    status: Verified(Reference("verl compute_gdpo_outcome_advantage, TRL normalize_then_sum, ms-swift gdpo: golden vectors to 1e-6")),
    laws: [ShiftInvariant, OrderPreserving, ZeroMean, ConstantGroupZero],
    exempt: [],
    sample_params: r#"{"weights": {"a": 1}}"#,
}

#[cfg(test)]
mod tests {
    use super::{Gdpo, Preset};
    use guerdon_core::method::Transform as _;
    use guerdon_core::{Column, Frame, Groups, View};

    fn run(params: &mut Gdpo, columns: &[(&str, Column)]) -> Vec<Option<f64>> {
        let mut frame = Frame::new(Groups::one(columns[0].1.len()));
        for (name, column) in columns {
            frame.insert(name, column.clone()).unwrap();
        }
        params.apply(&View { frame: &frame, current: None, seed: 0 }).unwrap().iter().collect()
    }

    #[test]
    fn an_unscored_signal_leaves_the_others_alone() {
        let weights = [("correct".to_owned(), 1.0), ("format".to_owned(), 1.0)].into();
        let mut params = Gdpo { preset: Preset::Trl, weights, ..Gdpo::default() };
        let correct = Column::from_options([Some(1.0), Some(0.0), None]);
        let format = Column::from_options([Some(1.0), None, None]);
        let own = run(&mut params, &[("correct", correct), ("format", format)]);
        assert!((own[0].unwrap() + own[1].unwrap()).abs() < 1e-12 && own[0].unwrap() > 0.7);
        assert_eq!(own[2], None);
    }

    #[test]
    fn a_reward_without_spread_reduces_to_the_other_alone() {
        let both = [("a".to_owned(), 1.0), ("b".to_owned(), 3.0)].into();
        let a = Column::full(vec![1.0, 0.0, 0.5]);
        let columns = [("a", a), ("b", Column::full(vec![2.0; 3]))];
        let sum = run(&mut Gdpo { weights: both, ..Gdpo::default() }, &columns);
        let alone =
            run(&mut Gdpo { weights: [("a".to_owned(), 1.0)].into(), ..Gdpo::default() }, &columns);
        assert_eq!(sum, alone);
    }
}
