//! Takes the reward of reference completions off: what counts is how much better the rollout is than those.
//!
//! # Formula
//!
//! ```text
//! r'_i = r_i − b_i
//! b_i: mean | median | normal quantile (μ + z_q·σ) | empirical quantile of the references
//! ```
//!
//! The references are the values of the columns `references` (single values or lists; at most `max_refs` are taken), or,
//! without any, all rollouts of the group. With `over: batch` the baseline is one number, the statistic of all reference
//! values of the batch. σ has divisor n.
//!
//! # When to use it
//!
//! Under PPO or REINFORCE, where prompts differ in how high all their rewards are: the baseline takes that variance out,
//! and under symmetric label noise the expected difference keeps its order. Under a group-relative advantage it changes
//! nothing, since the group's mean is taken off anyway. `shape.par` and `shape.lsc` bend the difference as well.
//!
//! # Departures
//!
//! None in the formula. The published k is 5 completions of the initial policy; here all references given count.
//!
//! # Example
//!
//! ```yaml
//! use: shape.center
//! references: [sft_1, sft_2, sft_3]
//! ```
//!
//! ```
//! use guerdon_shape::shape::center::Statistic;
//! assert_eq!(2.0 - Statistic::Mean.of(&[0.5, 1.0, 3.0], 0.5), 0.5);
//! ```
//!
//! # References
//!
//! Shen et al., "Improving Reinforcement Learning from Human Feedback Using Contrastive Rewards", 2024. Stiennon et al.,
//! "Learning to summarize from human feedback", 2020 (over the data set). Fu et al., "Reward Shaping to Mitigate Reward
//! Hacking in RLHF", 2025 (centred rewards as control).

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use guerdon_stats::dist::normal_quantile;
use guerdon_stats::order::{quantile_sorted, sorted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fine::settle;
use super::reference::{References, names};
use crate::moments::moments;

/// Which number stands for the references.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Their mean.
    #[default]
    Mean,
    /// Their median.
    Median,
    /// The `quantile` of the normal distribution with their mean and standard deviation (divisor n).
    NormalQuantile,
    /// Their `quantile`, linear between neighbours.
    Quantile,
}

impl Statistic {
    /// The statistic of `references`, at the quantile `q` where it uses one; 0 without references.
    pub fn of(self, references: &[f64], q: f64) -> f64 {
        match self {
            _ if references.is_empty() => 0.0,
            Self::Mean => moments(references, 0).mean,
            Self::Median => quantile_sorted(&sorted(references), 0.5),
            Self::Quantile => quantile_sorted(&sorted(references), q),
            Self::NormalQuantile => {
                let own = moments(references, 0);
                own.mean + normal_quantile(q) * own.std
            }
        }
    }
}

/// Whose references make a rollout's baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// Its own.
    #[default]
    Prompt,
    /// Those of all rollouts of the batch.
    Batch,
}

/// Parameters of `shape.center`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Center {
    /// Columns with the scores of reference completions: a name or a list. Default: the rollouts of the group.
    #[serde(alias = "reference", alias = "baseline", deserialize_with = "names")]
    pub references: Vec<String>,
    /// The most references of a rollout that count, the first ones. At least 1; default: all.
    pub max_refs: Option<usize>,
    /// Which number stands for the references. Default `mean`.
    pub statistic: Statistic,
    /// The quantile, where the statistic uses one. Between 0 and 1; default 0.85.
    pub quantile: f64,
    /// Whose references count. Default `prompt`.
    pub over: Over,
}

impl Default for Center {
    fn default() -> Self {
        Self {
            references: Vec::new(),
            max_refs: None,
            statistic: Statistic::Mean,
            quantile: 0.85,
            over: Over::Prompt,
        }
    }
}

impl Params for Center {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("quantile", self.quantile, 1e-12, 1.0 - 1e-12)?;
        self.max_refs
            .map_or(Ok(()), |n| ParamError::in_range("max_refs", n as f64, 1.0, f64::INFINITY))
    }
}

impl Center {
    fn baseline(&self, references: &[f64]) -> f64 {
        self.statistic.of(references, self.quantile)
    }

    fn against_group(&self, view: &View<'_>) -> Result<Column, MethodError> {
        view.dense(&[], |d| {
            let whole = guerdon_core::Groups::one(d.values.len());
            let groups = if self.over == Over::Batch { &whole } else { &d.groups };
            let mut out = Vec::with_capacity(d.values.len());
            for range in groups.iter() {
                let group = &d.values[range];
                let baseline = self.baseline(group);
                out.extend(group.iter().map(|r| r - baseline));
            }
            Ok(out)
        })
    }

    fn against_batch(&self, references: &References<'_>, current: &Column) -> Column {
        let (mut all, mut own) = (Vec::new(), Vec::new());
        for row in current.scored_rows() {
            references.of_row(row, &mut own);
            all.extend_from_slice(&own);
        }
        let baseline = (!all.is_empty()).then(|| self.baseline(&all));
        Column::from_options(current.iter().map(|r| Some(r? - baseline?)))
    }
}

impl Transform for Center {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let current = view.current()?;
        if self.references.is_empty() {
            return Ok(settle(current, self.against_group(view)?));
        }
        let references =
            References::of(view, &self.references, self.max_refs.unwrap_or(usize::MAX))?;
        let centred = match self.over {
            Over::Batch => self.against_batch(&references, current),
            Over::Prompt => references.map(current, |r, list| Ok(r - self.baseline(list)))?,
        };
        Ok(settle(current, centred))
    }

    fn reads(&self) -> Vec<String> {
        self.references.clone()
    }

    fn scope(&self) -> Scope {
        match self.over {
            Over::Batch => Scope::Batch,
            Over::Prompt if self.references.is_empty() => Scope::Group,
            Over::Prompt => Scope::Rollout,
        }
    }
}

guerdon_core::method! {
    Center: Transform,
    id: "shape.center",
    papers: ["contrastive-rewards-2024", "par-2025", "summarize-hf-2020"],
    status: Verified(Worked("r = 2 against 0.5, 1 and 3 gives 0.5; the 0.85 normal quantile is 2.6195")),
    laws: [OrderPreserving, ZeroMean, ConstantGroupZero, GroupLocal],
    exempt: [ShiftInvariant: "The value per rollout is; values per step keep a shift, except the last one."],
}

#[cfg(test)]
mod tests {
    use super::{Center, Over, Statistic};
    use guerdon_core::method::Transform as _;
    use guerdon_core::{Column, Frame, Groups, View};

    #[test]
    fn statistics_of_references() {
        let references = [0.5, 1.0, 3.0];
        assert_eq!(Statistic::Mean.of(&references, 0.0), 1.5);
        assert_eq!(Statistic::Median.of(&references, 0.0), 1.0);
        assert_eq!(Statistic::Quantile.of(&references, 0.75), 2.0);
        assert!((Statistic::NormalQuantile.of(&references, 0.85) - 2.6195).abs() < 5e-5);
    }

    fn check(center: &mut Center, expect: &[Option<f64>]) {
        let mut frame = Frame::new(Groups::equal(4, 2));
        frame
            .insert("human", Column::from_options([Some(1.0), Some(1.0), Some(3.0), None]))
            .unwrap();
        let current = Column::full(vec![2.0, 4.0, 2.0, 4.0]);
        let view = View { frame: &frame, current: Some(&current), seed: 0 };
        let own: Vec<_> = center.apply(&view).unwrap().iter().collect();
        let close = |(a, e): (&Option<f64>, &Option<f64>)| match (a, e) {
            (Some(a), Some(e)) => (a - e).abs() < 1e-12,
            _ => a == e,
        };
        assert!(own.iter().zip(expect).all(close), "{own:?}, not {expect:?}");
    }

    #[test]
    fn references_of_the_prompt_or_of_the_data() {
        let column = |over| Center { references: vec!["human".into()], over, ..Center::default() };
        check(&mut column(Over::Prompt), &[Some(1.0), Some(3.0), Some(-1.0), None]);
        let mean = 5.0 / 3.0;
        check(
            &mut column(Over::Batch),
            &[2.0 - mean, 4.0 - mean, 2.0 - mean, 4.0 - mean].map(Some),
        );
        check(&mut Center::default(), &[-1.0, 1.0, -1.0, 1.0].map(Some));
    }
}
