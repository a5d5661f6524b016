//! Progress times soft penalty factors, ended by the first hard infraction: one simple product in place of many terms.
//!
//! # Formula
//!
//! ```text
//! r_t = P_t · Π_k f_kt − T_t
//! ```
//!
//! `P_t` is the progress gained in step `t` (say, percent of a route), `f_kt` soft factors from 0 to 1 (1 when nothing is
//! wrong), `T_t` the `penalty` in the step of the first hard infraction, 0 elsewhere. Steps after it earn nothing. The
//! running reward holds the progress, as values per step or one value per rollout; factors and infractions likewise. The
//! rollout's value becomes the sum over its steps.
//!
//! # When to use it
//!
//! For agents with a measurable goal: the product has its optimum at full progress without faults, while a sum of
//! bonuses can be collected without arriving.
//!
//! # Departures
//!
//! None in the formula (checked on the worked numbers). A factor outside 0 to 1 is an error.
//!
//! # Example
//!
//! ```yaml
//! use: shape.progress
//! factors: [speed, distance]
//! infraction: collision
//! ```
//!
//! ```
//! use guerdon_shape::shape::progress::episode;
//! assert_eq!(episode(&[3.0, 2.0], &[vec![0.5, 1.0]], &[false, true], 1.0), [1.5, 1.0]);
//! ```
//!
//! # References
//!
//! Jaeger et al., "`CaRL`: Learning Scalable Planning Policies with Simple Rewards", 2025.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fine::column;

/// Parameters of `shape.progress`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Progress {
    /// Columns with soft factors, 0 to 1. Default: none.
    pub factors: Vec<String>,
    /// Column that is at least 0.5 in the step of a hard infraction. Default: none.
    pub infraction: Option<String>,
    /// Taken off in the step of the first hard infraction. At least 0; default 0.
    pub penalty: f64,
}

impl Params for Progress {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("penalty", self.penalty, 0.0, f64::INFINITY)
    }
}

/// The rewards per step. `factors` has one list per factor, each as long as `progress`, as is `infractions`.
pub fn episode(
    progress: &[f64],
    factors: &[Vec<f64>],
    infractions: &[bool],
    penalty: f64,
) -> Vec<f64> {
    let end = infractions.iter().position(|i| *i);
    let step = |t: usize| match end {
        Some(end) if t > end => 0.0,
        _ => {
            let soft: f64 = factors.iter().map(|f| f[t]).product();
            progress[t] * soft - if end == Some(t) { penalty } else { 0.0 }
        }
    };
    (0..progress.len()).map(step).collect()
}

/// The values of a row: one per step, or its own value alone.
fn steps(column: &Column, row: usize) -> Option<Vec<f64>> {
    let own = column.get(row)?;
    let inner = column.fine.as_ref().map_or(&[][..], |fine| fine.row(row));
    Some(if inner.is_empty() { vec![own] } else { inner.to_vec() })
}

impl Progress {
    fn row(
        &self,
        current: &Column,
        factors: &[&Column],
        infraction: Option<&Column>,
        row: usize,
    ) -> Result<Option<(f64, Vec<f64>)>, MethodError> {
        let own: Option<Vec<Vec<f64>>> = factors.iter().map(|c| steps(c, row)).collect();
        let (Some(progress), Some(own)) = (steps(current, row), own) else { return Ok(None) };
        let n = progress.len();
        for (factor, name) in own.iter().zip(&self.factors) {
            MethodError::same_length((name, factor.len()), ("progress", n))?;
            if let Some(bad) = factor.iter().find(|f| !(0.0..=1.0).contains(*f)) {
                return Err(MethodError::domain(format!(
                    "factor `{name}` is {bad} in row {row}: it must lie between 0 and 1"
                )));
            }
        }
        let hard = match infraction.map(|c| steps(c, row)) {
            None => vec![false; n],
            Some(None) => return Ok(None),
            Some(Some(flags)) => flags.iter().map(|f| *f >= 0.5).collect(),
        };
        MethodError::same_length(("infractions", hard.len()), ("progress", n))?;
        let rewards = episode(&progress, &own, &hard, self.penalty);
        Ok(Some((rewards.iter().sum(), rewards)))
    }
}

impl Transform for Progress {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let current = view.current()?;
        let factors: Vec<&Column> =
            self.factors.iter().map(|n| view.frame.column(n)).collect::<Result<_, _>>()?;
        let infraction = self.infraction.as_ref().map(|n| view.frame.column(n)).transpose()?;
        let rows: Result<Vec<_>, _> =
            (0..current.len()).map(|row| self.row(current, &factors, infraction, row)).collect();
        let rows = rows?;
        match &current.fine {
            Some(fine) => Ok(column(fine.level, &rows)),
            None => Ok(Column::from_options(
                rows.iter().map(|row| row.as_ref().map(|(total, _)| *total)),
            )),
        }
    }

    fn reads(&self) -> Vec<String> {
        self.factors.iter().chain(&self.infraction).cloned().collect()
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }
}

guerdon_core::method! {
    Progress: Transform,
    id: "shape.progress",
    papers: ["carl-2025"],
    status: Verified(Worked("3 % progress with factors 0.8 and 0.5 earns 1.2; a full route without faults earns 100")),
    laws: [GroupLocal],
    exempt: [],
    sample_params: r#"{"factors": ["score"], "infraction": "correct", "penalty": 1.0}"#,
}

#[cfg(test)]
mod tests {
    use super::episode;

    fn check(progress: &[f64], factors: &[Vec<f64>], infractions: &[bool], expect: &[f64]) {
        let own = episode(progress, factors, infractions, 0.0);
        assert!(
            own.iter().zip(expect).all(|(a, e)| (a - e).abs() < 1e-12),
            "{own:?}, not {expect:?}"
        );
    }

    #[test]
    fn worked_numbers() {
        check(&[3.0], &[vec![0.8], vec![0.5]], &[false], &[1.2]);
        check(&[3.0], &[vec![0.0]], &[false], &[0.0]);
        check(&[50.0, 30.0, 20.0], &[], &[false; 3], &[50.0, 30.0, 20.0]);
    }

    #[test]
    fn a_hard_infraction_ends_the_episode() {
        assert_eq!(episode(&[1.0, 1.0, 1.0], &[], &[false, true, false], 0.25), [1.0, 0.75, 0.0]);
    }
}
