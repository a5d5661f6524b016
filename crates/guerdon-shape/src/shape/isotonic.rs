//! Calibrates scores by the best non-decreasing map, fitted on a few labelled rollouts.
//!
//! # Formula
//!
//! ```text
//! f = argmin over non-decreasing f of Σ (f(score_j) − label_j)²     (pool adjacent violators)
//! r'_i = f(r_i), linear between fitted scores, constant beyond them
//! ```
//!
//! The labelled rollouts are those with a value in the column `label`; they are gathered over the run (at most 100 000,
//! saved with it) and the map is fitted anew with each batch. With `points` the map is given instead.
//!
//! # When to use it
//!
//! Where a judge or a reward model orders well and its scale is off: compressed ends, unequal steps. It keeps the order
//! (but for ties) and cannot repair a wrong one. With fewer than some 50 labels use `shape.match_moments`.
//!
//! # Departures
//!
//! None: the fit equals the closed form on the tests. Equal scores are pooled first.
//!
//! # Example
//!
//! ```yaml
//! use: shape.isotonic
//! label: human
//! ```
//!
//! ```
//! use guerdon_shape::shape::isotonic::fit;
//! let map = fit(&[(1.0, 1.0), (2.0, 3.0), (3.0, 2.0)]);
//! assert_eq!(map, [(1.0, 1.0), (2.0, 2.5), (3.0, 2.5)]);
//! ```
//!
//! # References
//!
//! Barlow et al., "Statistical Inference under Order Restrictions", 1972. Auditing multimodal raters: "Central Tendency
//! Bias in Clinical Ordinal Scoring" (as repair).

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use guerdon_stats::order::compare;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::labelled::Labelled;

/// Parameters of `shape.isotonic`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Isotonic {
    /// Column with the label of some rollouts. Default `label`.
    pub label: String,
    /// A fitted map in its place: pairs of a score and its value, both ascending. Default: fitted on the labels.
    pub points: Vec<(f64, f64)>,
}

impl Default for Isotonic {
    fn default() -> Self {
        Self { label: "label".to_owned(), points: Vec::new() }
    }
}

impl Params for Isotonic {
    fn validate(&self) -> Result<(), ParamError> {
        let ascending = self.points.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 <= w[1].1);
        let finite = self.points.iter().all(|(x, y)| x.is_finite() && y.is_finite());
        if ascending && finite {
            return Ok(());
        }
        Err(ParamError::new(
            "points",
            "`points` must hold finite pairs with ascending scores and values",
        ))
    }
}

/// The non-decreasing least-squares fit: each different score, ascending, with its fitted value.
pub fn fit(pairs: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut pairs = pairs.to_vec();
    pairs.sort_by(|a, b| compare(a.0, b.0).then(compare(a.1, b.1)));
    let mut blocks: Vec<Block> = Vec::new();
    for group in pairs.chunk_by(|a, b| a.0 == b.0) {
        let n = group.len() as f64;
        let mean = group.iter().map(|(_, y)| y / n).sum();
        blocks.push(Block { scores: vec![group[0].0], mean, n });
        while let [.., before, last] = blocks.as_slice()
            && before.mean >= last.mean
        {
            pool(&mut blocks);
        }
    }
    blocks.iter().flat_map(|b| b.scores.iter().map(|x| (*x, b.mean))).collect()
}

/// Neighbouring scores that share a value.
struct Block {
    scores: Vec<f64>,
    mean: f64,
    n: f64,
}

/// Joins the last two blocks.
fn pool(blocks: &mut Vec<Block>) {
    if let (Some(last), Some(before)) = (blocks.pop(), blocks.last_mut()) {
        let n = before.n + last.n;
        before.mean += (last.mean - before.mean) * (last.n / n);
        before.n = n;
        before.scores.extend(last.scores);
    }
}

/// The map at `x`: linear between its points, constant beyond them. `points` is not empty and ascending.
pub fn interpolate(points: &[(f64, f64)], x: f64) -> f64 {
    let after = points.partition_point(|(score, _)| *score < x);
    match (after.checked_sub(1).map(|i| points[i]), points.get(after)) {
        (None, Some(&(_, y))) | (Some((_, y)), None) => y,
        (Some((x0, y0)), Some((x1, y1))) => y0 + (y1 - y0) * ((x - x0) / (x1 - x0)),
        (None, None) => x,
    }
}

impl Isotonic {
    fn transform(self) -> Calibrator {
        Calibrator { params: self, labelled: Labelled::default() }
    }
}

/// `shape.isotonic` in a run: the parameters and the labelled pairs.
#[derive(Debug, Clone)]
pub struct Calibrator {
    params: Isotonic,
    labelled: Labelled,
}

impl Transform for Calibrator {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let mut points = self.params.points.clone();
        if points.is_empty() {
            self.labelled.gather(view, &self.params.label)?;
            self.labelled.needed(view.current()?, &self.params.label)?;
            points = fit(&self.labelled.pairs);
        }
        view.dense(&[], |d| Ok(d.values.iter().map(|x| interpolate(&points, *x)).collect()))
    }

    fn reads(&self) -> Vec<String> {
        if self.params.points.is_empty() { vec![self.params.label.clone()] } else { Vec::new() }
    }

    fn scope(&self) -> Scope {
        if self.params.points.is_empty() { Scope::Batch } else { Scope::Rollout }
    }

    fn save(&self) -> Value {
        if self.params.points.is_empty() {
            serde_json::to_value(&self.labelled).unwrap_or_default()
        } else {
            Value::Null
        }
    }

    fn restore(&mut self, state: &Value) -> Result<(), MethodError> {
        if !state.is_null() {
            self.labelled = super::state::read(state)?;
        }
        Ok(())
    }
}

guerdon_core::method! {
    Isotonic: StatefulTransform,
    id: "shape.isotonic",
    papers: ["cdt-raters"],
    status: Verified(ClosedForm("pool adjacent violators on small sets; a non-decreasing sample is its own fit")),
    laws: [ShiftInvariant, ScaleInvariant, OrderPreserving],
    exempt: [],
    sample_params: r#"{"label": "score"}"#,
}

#[cfg(test)]
mod tests {
    use super::{fit, interpolate};

    #[test]
    fn violators_are_pooled() {
        assert_eq!(fit(&[(1.0, 1.0), (2.0, 2.0)]), [(1.0, 1.0), (2.0, 2.0)]);
        assert_eq!(
            fit(&[(3.0, 0.0), (1.0, 3.0), (2.0, 3.0)]),
            [(1.0, 2.0), (2.0, 2.0), (3.0, 2.0)]
        );
        assert_eq!(fit(&[(1.0, 0.0), (1.0, 1.0), (2.0, 5.0)]), [(1.0, 0.5), (2.0, 5.0)]);
        assert!(fit(&[]).is_empty());
    }

    #[test]
    fn a_compressed_rater_is_stretched() {
        let truth = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        let rated = [1.0, 2.0, 2.0, 3.0, 3.0, 4.0];
        let pairs: Vec<(f64, f64)> = rated.into_iter().zip(truth).collect();
        let map = fit(&pairs);
        assert_eq!(map, [(1.0, 0.0), (2.0, 1.5), (3.0, 3.5), (4.0, 5.0)]);
        assert_eq!([0.0, 1.5, 9.0].map(|x| interpolate(&map, x)), [0.0, 0.75, 5.0]);
    }
}
