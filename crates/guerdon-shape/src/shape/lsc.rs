//! Log-sigmoid of the centred reward: the log-probability that the rollout is good, that is, better than a reference.
//!
//! Linear below the reference and saturating above, it pays for lifting weak answers first.
//!
//! # Formula
//!
//! ```text
//! u_i = ln σ(r_i − r_ref)
//! ```
//!
//! `r_ref` is a statistic of the references: by default the 0.85 quantile of the normal distribution with their mean and
//! standard deviation (divisor n). The references are the columns `references` (single values or lists), or, without any,
//! the rollouts of the group. Values computed for several properties add up to the log-probability that all hold:
//! `shape.combine` with `op: conjunction` does it in one go for signals that are centred already.
//!
//! # When to use it
//!
//! With reward models trained on pairs (Bradley–Terry), whose differences are log-odds. Not with 0/1 rewards.
//!
//! # Departures
//!
//! The paper's references are completions of the base policy; the rollouts of the group are ours. A code that other
//! authors published for comparison adds 1e-5 to the standard deviation; we add nothing.
//!
//! # Example
//!
//! ```yaml
//! use: shape.lsc
//! references: [base_1, base_2, base_3]
//! quantile: 0.85
//! ```
//!
//! ```
//! use guerdon_shape::shape::lsc::Lsc;
//! let value = Lsc::default().against(2.0, &[0.5, 1.0, 3.0]);
//! assert!((value + 1.0501).abs() < 1e-4);
//! ```
//!
//! # References
//!
//! Wang et al., "Transforming and Combining Rewards for Aligning Large Language Models", 2024, section 3.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::center::Statistic;
use super::curve::log_sigmoid;
use super::reference::{References, names};

/// Parameters of `shape.lsc`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Lsc {
    /// Columns with the scores of reference completions: a name or a list. Default: the rollouts of the group.
    #[serde(alias = "reference", deserialize_with = "names")]
    pub references: Vec<String>,
    /// Which number stands for the references. Default `normal_quantile`.
    pub statistic: Statistic,
    /// The quantile, where the statistic uses one. Between 0 and 1; default 0.85.
    pub quantile: f64,
}

impl Default for Lsc {
    fn default() -> Self {
        Self { references: Vec::new(), statistic: Statistic::NormalQuantile, quantile: 0.85 }
    }
}

impl Params for Lsc {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("quantile", self.quantile, 1e-12, 1.0 - 1e-12)
    }
}

impl Lsc {
    /// ln σ of how far `reward` exceeds the statistic of `references`. At most 0.
    pub fn against(&self, reward: f64, references: &[f64]) -> f64 {
        log_sigmoid(reward - self.statistic.of(references, self.quantile))
    }
}

impl Transform for Lsc {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        if !self.references.is_empty() {
            let references = References::of(view, &self.references, usize::MAX)?;
            return references.map(view.current()?, |r, list| Ok(self.against(r, list)));
        }
        view.dense(&[], |d| {
            let mut out = Vec::with_capacity(d.values.len());
            for range in d.groups.iter() {
                let group = &d.values[range];
                let reference = self.statistic.of(group, self.quantile);
                out.extend(group.iter().map(|r| log_sigmoid(r - reference)));
            }
            Ok(out)
        })
    }

    fn reads(&self) -> Vec<String> {
        self.references.clone()
    }

    fn scope(&self) -> Scope {
        if self.references.is_empty() { Scope::Group } else { Scope::Rollout }
    }
}

guerdon_core::method! {
    Lsc: Transform,
    id: "shape.lsc",
    papers: ["lsc-2024", "par-2025"],
    status: Verified(Worked("r = 2 against the 0.85 normal quantile of 0.5, 1 and 3; ln σ(1) = −0.3133; the tails at ±700")),
    laws: [ShiftInvariant, OrderPreserving, GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{Lsc, Statistic};

    fn check(statistic: Statistic, reward: f64, references: &[f64], expect: f64) {
        let own = Lsc { statistic, ..Lsc::default() }.against(reward, references);
        assert!((own - expect).abs() < 5e-5, "{own}, not {expect}");
    }

    #[test]
    fn worked_numbers() {
        check(Statistic::Mean, 1.0, &[0.0], -0.3133);
        check(Statistic::Mean, 1.5, &[0.5, 1.5, 2.5], -std::f64::consts::LN_2);
        check(Statistic::NormalQuantile, 2.0, &[0.5, 1.0, 3.0], -1.0501);
    }

    #[test]
    fn far_below_it_is_linear_and_far_above_it_is_zero() {
        check(Statistic::Mean, -700.0, &[0.0], -700.0);
        check(Statistic::Mean, 700.0, &[0.0], 0.0);
    }
}
