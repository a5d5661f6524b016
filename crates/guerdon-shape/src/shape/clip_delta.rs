//! Bounds what step rewards can add up to: only poor steps cost (clip), or each step earns the drop that follows (delta).
//!
//! A sum of step rewards grows with every needless correct step, so a policy learns to repeat itself. Both refinements
//! bound it.
//!
//! # Formula
//!
//! ```text
//! clip   p'_k = min(p_k − η, 0)
//! delta  p'_k = p_k − p_{k+1} for k < K − 1,  p_{K−1} for k = K − 1,  0 for the last step K
//! result coefficient · p'_k per step, plus the rollout's own reward at the last step
//! ```
//!
//! `p_k` is the process reward of step `k` of `K`: the values per step of the column `process`, or of the running reward.
//! Clip comes before delta. The sum of `delta` is `p_1` (for K ≥ 2), the return from step k is `p_k` however many follow; the
//! sum of `clip` is at most 0.
//!
//! # When to use it
//!
//! Whenever process rewards are summed, as in PPO with a process reward model and success at the end. With a minimum or
//! a product over steps (`process.aggregate`) there is nothing to bound.
//!
//! # Departures
//!
//! None known in the formulas: the authors' code was not available to us, so they are checked on worked numbers only.
//! Without `process` the running reward is taken apart: its values per step are the process rewards, its own value is the
//! success.
//!
//! # Example
//!
//! ```yaml
//! use: shape.clip_delta
//! process: steps
//! clip: 0.8
//! delta: true
//! ```
//!
//! ```
//! use guerdon_shape::shape::clip_delta::delta;
//! assert_eq!(delta(&[0.75, 0.5, 0.25, 1.0]), [0.25, 0.25, 0.25, 0.0]);
//! ```
//!
//! # References
//!
//! Gao et al., "On Designing Effective RL Reward at Training Time for LLM Reasoning", 2024, section 4.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Level, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fine::column;

/// Parameters of `shape.clip_delta`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClipDelta {
    /// Column with values per step. Default: the running reward.
    pub process: Option<String>,
    /// Threshold η below which a step costs. Finite; default: no clipping.
    pub clip: Option<f64>,
    /// Whether successive differences are taken. Default true.
    pub delta: bool,
    /// Weight of the process rewards. Finite; default 1.
    pub coefficient: f64,
}

impl Default for ClipDelta {
    fn default() -> Self {
        Self { process: None, clip: None, delta: true, coefficient: 1.0 }
    }
}

impl Params for ClipDelta {
    fn validate(&self) -> Result<(), ParamError> {
        const ANY: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
        ParamError::in_range("clip", self.clip.unwrap_or(0.0), ANY.0, ANY.1)?;
        ParamError::in_range("coefficient", self.coefficient, ANY.0, ANY.1)
    }
}

/// Successive differences: the last step gets 0, the one before it keeps its value.
pub fn delta(steps: &[f64]) -> Vec<f64> {
    let kept = &steps[..steps.len().saturating_sub(1)];
    let next = kept.iter().skip(1).chain(std::iter::once(&0.0));
    kept.iter().zip(next).map(|(a, b)| a - b).chain(steps.last().map(|_| 0.0)).collect()
}

impl ClipDelta {
    /// The refined process rewards of one rollout, weighted.
    pub fn refine(&self, steps: &[f64]) -> Vec<f64> {
        let mut out = steps.to_vec();
        if let Some(eta) = self.clip {
            out = out.iter().map(|p| (p - eta).min(0.0)).collect();
        }
        if self.delta {
            out = delta(&out);
        }
        out.iter().map(|p| self.coefficient * p).collect()
    }
}

impl Transform for ClipDelta {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let current = view.current()?;
        let process = self.process.as_ref().map_or(Ok(current), |name| view.frame.column(name))?;
        let level = process.fine.as_ref().map_or(Level::Step, |fine| fine.level);
        let row = |row: usize| {
            let success = current.get(row)?;
            process.get(row)?;
            let mut steps = self.refine(process.fine.as_ref().map_or(&[], |fine| fine.row(row)));
            let total = success + steps.iter().sum::<f64>();
            if let Some(last) = steps.last_mut() {
                *last += success;
            }
            Some((total, steps))
        };
        Ok(column(level, &(0..current.len()).map(row).collect::<Vec<_>>()))
    }

    fn reads(&self) -> Vec<String> {
        self.process.iter().cloned().collect()
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }
}

guerdon_core::method! {
    ClipDelta: Transform,
    id: "shape.clip_delta",
    papers: ["clip-delta-2024"],
    status: Verified(Worked("p = (0.9, 0.8, 0.3, 0.9), η = 0.8: clip, delta and both")),
    laws: [GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::ClipDelta;

    fn check(clip: Option<f64>, delta: bool, expect: [f64; 4]) {
        let own = ClipDelta { clip, delta, ..ClipDelta::default() }.refine(&[0.9, 0.8, 0.3, 0.9]);
        assert!(
            own.iter().zip(expect).all(|(a, e)| (a - e).abs() < 1e-12),
            "{own:?}, not {expect:?}"
        );
    }

    #[test]
    fn worked_numbers() {
        check(Some(0.8), false, [0.0, 0.0, -0.5, 0.0]);
        check(None, true, [0.1, 0.5, 0.3, 0.0]);
        check(Some(0.8), true, [0.0, 0.5, -0.5, 0.0]);
        check(None, false, [0.9, 0.8, 0.3, 0.9]);
    }

    #[test]
    fn the_return_does_not_grow_with_needless_steps() {
        let delta = ClipDelta::default();
        let total = |steps: &[f64]| delta.refine(steps).iter().sum::<f64>();
        assert!((total(&[0.7, 0.9, 0.9, 0.9, 0.9, 1.0]) - 0.7).abs() < 1e-12);
        assert!((total(&[0.7, 1.0]) - 0.7).abs() < 1e-12);
        assert_eq!(delta.refine(&[0.7]), [0.0]);
        assert!(delta.refine(&[]).is_empty());
    }
}
