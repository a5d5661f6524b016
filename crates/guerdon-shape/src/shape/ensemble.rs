//! One reward from several reward models: the mean, or a cautious mixture that distrusts where they disagree.
//!
//! # Formula
//!
//! ```text
//! mean, median, min   of the members r_1 … r_K
//! lcb                 mean − λ · standard deviation
//! uwo                 mean − λ · variance
//! blend               λ · nominal + (1 − λ) · min
//! ```
//!
//! Deviation and variance have divisor K − `ddof`. The nominal reward of `blend` is that of the member with the smallest
//! own standard deviation (the columns `stds`, in the order of the members), or without them the mean.
//!
//! # When to use it
//!
//! Against over-optimisation of a learned reward: errors that members do not share are averaged out or avoided. Errors
//! they share (length, copying) remain; members that differ in pretraining help more than ones that share it.
//!
//! # Departures
//!
//! **Trap:** the published codes of one paper use divisor K for best-of-n and K − 1 for PPO: state `ddof`. A rollout
//! that a member cannot score is unscored, since a minimum over fewer members is a different reward; `missing: skip`
//! takes the members that are there.
//!
//! # Example
//!
//! ```yaml
//! use: shape.ensemble
//! members: [rm_1, rm_2, rm_3, rm_4, rm_5]
//! kind: uwo
//! lambda: 0.1
//! ```
//!
//! ```
//! use guerdon_shape::shape::ensemble::{Ensemble, Kind};
//! let uwo = Ensemble { kind: Kind::Uwo, ..Ensemble::default() };
//! assert!((uwo.value(&[1.0, 1.4, 0.6, 1.2, 0.8], &[]) - 0.96).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! Coste et al., "Reward Model Ensembles Help Mitigate Overoptimization", 2023. Eisenstein et al., "Helping or Herding?
//! Reward Model Ensembles Mitigate but do not Eliminate Reward Hacking", 2023. Yan et al., "Reward-Robust RLHF in LLMs", 2024.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use guerdon_stats::order::{quantile_sorted, sorted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::{Moments, moments};

/// How members are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Their mean.
    #[default]
    Mean,
    /// Their median.
    Median,
    /// The worst case.
    Min,
    /// The mean less λ standard deviations.
    Lcb,
    /// The mean less λ times the variance.
    Uwo,
    /// λ parts of the nominal reward, the rest the worst case.
    Blend,
}

/// What becomes of a rollout that a member cannot score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// It is unscored.
    #[default]
    Unscored,
    /// The members that are there are joined.
    Skip,
}

/// Parameters of `shape.ensemble`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ensemble {
    /// The members' signals. Required.
    pub members: Vec<String>,
    /// How they are joined. Default `mean`.
    pub kind: Kind,
    /// Weight of the disagreement, or share of the nominal reward in `blend`. At least 0; default 0.5.
    pub lambda: f64,
    /// 1: divisor K − 1; 0: divisor K. Default 0.
    pub ddof: u8,
    /// Columns with each member's own standard deviation, for `blend`. Default: none.
    pub stds: Vec<String>,
    /// What becomes of a rollout that a member cannot score. Default `unscored`.
    pub missing: Missing,
}

impl Default for Ensemble {
    fn default() -> Self {
        Self {
            members: Vec::new(),
            kind: Kind::Mean,
            lambda: 0.5,
            ddof: 0,
            stds: Vec::new(),
            missing: Missing::Unscored,
        }
    }
}

impl Params for Ensemble {
    fn validate(&self) -> Result<(), ParamError> {
        if self.members.is_empty() {
            return Err(ParamError::new("members", "`members` must name at least one signal"));
        }
        if !self.stds.is_empty() && self.stds.len() != self.members.len() {
            let message = format!(
                "`stds` must name one column per member: {}, not {}",
                self.members.len(),
                self.stds.len()
            );
            return Err(ParamError::new("stds", message));
        }
        ParamError::in_range("ddof", f64::from(self.ddof), 0.0, 1.0)?;
        ParamError::in_range(
            "lambda",
            self.lambda,
            0.0,
            if self.kind == Kind::Blend { 1.0 } else { f64::INFINITY },
        )
    }
}

impl Ensemble {
    /// The joined reward of one rollout. `stds` is empty or as long as `members`; no members give 0.
    pub fn value(&self, members: &[f64], stds: &[f64]) -> f64 {
        if members.is_empty() {
            return 0.0;
        }
        let Moments { mean, std } = moments(members, self.ddof);
        let min = members.iter().copied().fold(f64::INFINITY, f64::min);
        match self.kind {
            Kind::Mean => mean,
            Kind::Median => quantile_sorted(&sorted(members), 0.5),
            Kind::Min => min,
            Kind::Lcb => mean - self.lambda * std,
            Kind::Uwo => mean - self.lambda * std * std,
            Kind::Blend => {
                self.lambda * nominal(members, stds).unwrap_or(mean) + (1.0 - self.lambda) * min
            }
        }
    }
}

/// The member that is surest of itself, the first of equals.
fn nominal(members: &[f64], stds: &[f64]) -> Option<f64> {
    let surest =
        members.iter().zip(stds).reduce(|best, next| if next.1 < best.1 { next } else { best });
    surest.map(|(reward, _)| *reward)
}

impl Transform for Ensemble {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let columns = |names: &[String]| {
            names.iter().map(|n| view.frame.column(n)).collect::<Result<Vec<_>, _>>()
        };
        let (members, stds) = (columns(&self.members)?, columns(&self.stds)?);
        let mut values = Vec::with_capacity(members.len());
        let mut own = Vec::with_capacity(stds.len());
        let mut out = Vec::with_capacity(view.frame.rows());
        for row in 0..view.frame.rows() {
            values.clear();
            own.clear();
            for (k, member) in members.iter().enumerate() {
                let std = stds.get(k).map(|c| c.get(row));
                if let (Some(value), None | Some(Some(_))) = (member.get(row), std) {
                    values.push(value);
                    own.extend(std.flatten());
                }
            }
            let enough = values.len() == members.len()
                || self.missing == Missing::Skip && !values.is_empty();
            out.push(enough.then(|| self.value(&values, &own)));
        }
        Ok(Column::from_options(out))
    }

    fn reads(&self) -> Vec<String> {
        self.members.iter().chain(&self.stds).cloned().collect()
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }

    fn contributions(&self, view: &View<'_>) -> Vec<(String, Column)> {
        let one = |name: &String| Some((name.clone(), view.frame.column(name).ok()?.clone()));
        self.members.iter().filter_map(one).collect()
    }
}

guerdon_core::method! {
    Ensemble: Transform,
    id: "shape.ensemble",
    papers: ["rm-ensembles-2023", "helping-herding-2023", "reward-robust-2024", "offline-mbrl-2021"],
    status: Verified(Worked("five scores: mean 1, min 0.6, UWO 0.96 and 0.95; a nominal blend of 1.08")),
    laws: [GroupLocal],
    exempt: [],
    sample_params: r#"{"members": ["a", "b", "score"], "kind": "uwo"}"#,
}

#[cfg(test)]
mod tests {
    use super::{Ensemble, Kind};

    fn check(kind: Kind, lambda: f64, ddof: u8, members: &[f64], stds: &[f64], expect: f64) {
        let own = Ensemble { kind, lambda, ddof, ..Ensemble::default() }.value(members, stds);
        assert!((own - expect).abs() < 5e-5, "{kind:?}: {own}, not {expect}");
    }

    #[test]
    fn worked_numbers() {
        let five = [1.0, 1.4, 0.6, 1.2, 0.8];
        check(Kind::Mean, 0.0, 0, &five, &[], 1.0);
        check(Kind::Min, 0.0, 0, &five, &[], 0.6);
        check(Kind::Uwo, 0.5, 0, &five, &[], 0.96);
        check(Kind::Uwo, 0.5, 1, &five, &[], 0.95);
        check(Kind::Median, 0.0, 0, &[1.0, 2.0, 4.0], &[], 2.0);
        check(Kind::Lcb, 1.0, 0, &[1.0, 2.0, 4.0], &[], 2.3333 - 1.2472);
    }

    #[test]
    fn the_blend_of_nominal_and_worst() {
        let (means, stds) = ([1.0, 1.4, 0.6], [0.5, 0.3, 0.9]);
        check(Kind::Blend, 0.6, 0, &means, &stds, 1.08);
        check(Kind::Blend, 1.0, 0, &means, &stds, 1.4);
        check(Kind::Blend, 0.0, 0, &means, &stds, 0.6);
        check(Kind::Blend, 1.0, 0, &means, &[], 1.0);
    }

    #[test]
    fn no_weight_reduces_to_the_mean() {
        check(Kind::Uwo, 0.0, 0, &[1.0, 5.0], &[], 3.0);
        check(Kind::Lcb, 0.0, 1, &[1.0, 5.0], &[], 3.0);
    }
}
