//! Brings rewards to a common scale: z-scores, a range from 0 to 1, clipped outliers, or a ceiling.
//!
//! # Formula
//!
//! ```text
//! zscore   (r − μ) / (σ + eps)
//! minmax   (r − least) / (greatest − least)
//! clip     r, but at least μ − k·σ and at most μ + k·σ
//! ceiling  r, but at most `ceiling`
//! ```
//!
//! `μ`, `σ` (divisor n − `ddof`), least and greatest are those of what `over` names: the rollout's group, the batch, all
//! batches so far including this one (`running`), or the given numbers (`fixed`: `mean`, `std`, `least`, `greatest`).
//! `by` names a text column: rollouts with different texts (tasks, domains) are normalised apart. With `level: inner` the
//! moments are those of the values per step, token or turn. Values within rollouts always go through the same map.
//!
//! Where nothing spreads (σ + eps = 0, or greatest = least), `zscore` and `minmax` give 0.
//!
//! # When to use it
//!
//! `running` and `fixed` for PPO with a learned reward. `batch` with `by` where several tasks share a policy and their
//! rewards have different scales. After `shape.combine` to normalise a sum; to sum normalised signals use its
//! `normalize_first`. `clip` and `ceiling` are weak guards against an exploited reward model: see `shape.par`.
//!
//! # Departures
//!
//! The study's baselines are `over: running, ddof: 0, eps: 0` with `zscore`, `minmax` or `clip`, `k` 1; its code divides
//! 0 by 0 where nothing spreads, which gives 0 here. `ALaRM` uses moments of a data set: `over: fixed`.
//!
//! # Example
//!
//! ```yaml
//! use: shape.normalize
//! over: running
//! ddof: 0
//! ```
//!
//! ```
//! use guerdon_shape::shape::normalize::{Moments, Normalize};
//! let moments = Moments::of(&[1.0, 2.0, 3.0], 1);
//! let shaped = Normalize::default().value(3.0, &moments);
//! assert!((shaped - 1.0).abs() < 1e-5);
//! ```
//!
//! # References
//!
//! Fu et al., "Reward Shaping to Mitigate Reward Hacking in RLHF", 2025 (baselines). Lai et al., "`ALaRM`: Align Language
//! Models via Hierarchical Rewards Modeling", 2024 (fixed moments). Yu et al., "Meta-World", 2019 (scale per task).

use std::collections::BTreeMap;

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::moments::moments;

/// The map that rewards go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Standard deviations from the mean.
    #[default]
    Zscore,
    /// From 0 (the least) to 1 (the greatest).
    Minmax,
    /// Kept within `k` standard deviations of the mean.
    Clip,
    /// Kept at or below `ceiling`.
    Ceiling,
}

/// Whose moments count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// The rollouts of the same prompt.
    #[default]
    Group,
    /// The rollouts of the same batch.
    Batch,
    /// All rollouts so far, this batch included.
    Running,
    /// The numbers given.
    Fixed,
}

/// Which values make the moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// One value per rollout.
    #[default]
    Rollout,
    /// The values per step, token or turn.
    Inner,
}

/// Parameters of `shape.normalize`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Normalize {
    /// The map. Default `zscore`.
    pub kind: Kind,
    /// Whose moments count. Default `group`.
    pub over: Over,
    /// Text column whose values are normalised apart. Default: none.
    pub by: Option<String>,
    /// Which values make the moments. Default `rollout`.
    pub level: Of,
    /// 1: sample deviation (divisor n − 1); 0: population deviation. Default 1.
    pub ddof: u8,
    /// Added to the standard deviation, in units of reward. At least 0; default 1e-6.
    pub eps: f64,
    /// Half width that `clip` keeps, in standard deviations. Greater than 0; default 1.
    pub k: f64,
    /// Greatest reward that `ceiling` keeps. Finite; default 1.
    pub ceiling: f64,
    /// Mean for `over: fixed`. Finite; default 0.
    pub mean: f64,
    /// Standard deviation for `over: fixed`. At least 0; default 1.
    pub std: f64,
    /// Least reward for `over: fixed`. Finite; default 0.
    pub least: f64,
    /// Greatest reward for `over: fixed`. Finite, at least `least`; default 1.
    pub greatest: f64,
}

impl Default for Normalize {
    fn default() -> Self {
        Self {
            kind: Kind::Zscore,
            over: Over::Group,
            by: None,
            level: Of::Rollout,
            ddof: 1,
            eps: 1e-6,
            k: 1.0,
            ceiling: 1.0,
            mean: 0.0,
            std: 1.0,
            least: 0.0,
            greatest: 1.0,
        }
    }
}

impl Params for Normalize {
    fn validate(&self) -> Result<(), ParamError> {
        const ANY: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
        ParamError::in_range("ddof", f64::from(self.ddof), 0.0, 1.0)?;
        ParamError::in_range("eps", self.eps, 0.0, f64::INFINITY)?;
        ParamError::positive("k", self.k)?;
        ParamError::in_range("ceiling", self.ceiling, ANY.0, ANY.1)?;
        ParamError::in_range("mean", self.mean, ANY.0, ANY.1)?;
        ParamError::in_range("std", self.std, 0.0, f64::INFINITY)?;
        ParamError::in_range("least", self.least, ANY.0, ANY.1)?;
        ParamError::in_range("greatest", self.greatest, self.least, f64::INFINITY)
    }
}

/// What the maps need to know of a set of rewards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub std: f64,
    /// The least value.
    pub least: f64,
    /// The greatest value.
    pub greatest: f64,
}

impl Moments {
    /// The moments of `values`, the deviation with divisor n − `ddof`.
    pub fn of(values: &[f64], ddof: u8) -> Self {
        let own = moments(values, ddof);
        Self {
            mean: own.mean,
            std: own.std,
            least: values.iter().copied().fold(f64::INFINITY, f64::min),
            greatest: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// Moments of all values so far, merged batch by batch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Running {
    n: f64,
    mean: f64,
    squares: f64,
    least: f64,
    greatest: f64,
}

impl Running {
    const NONE: Self =
        Self { n: 0.0, mean: 0.0, squares: 0.0, least: f64::MAX, greatest: f64::MIN };

    fn merge(&mut self, values: &[f64]) {
        let batch = Moments::of(values, 0);
        let (k, n) = (values.len() as f64, self.n + values.len() as f64);
        let apart = batch.mean - self.mean;
        self.mean += apart * (k / n);
        self.squares += batch.std * batch.std * k + apart * apart * (self.n * k / n);
        self.n = n;
        self.least = self.least.min(batch.least);
        self.greatest = self.greatest.max(batch.greatest);
    }

    fn moments(self, ddof: u8) -> Moments {
        let free = self.n - f64::from(ddof);
        let std = if free > 0.0 { (self.squares / free).sqrt() } else { 0.0 };
        Moments { mean: self.mean, std, least: self.least, greatest: self.greatest }
    }
}

impl Normalize {
    /// One reward through the map.
    pub fn value(&self, reward: f64, m: &Moments) -> f64 {
        let divided = |over: f64, by: f64| if by == 0.0 { 0.0 } else { over / by };
        match self.kind {
            Kind::Zscore => divided(reward - m.mean, m.std + self.eps),
            Kind::Minmax => divided(reward - m.least, m.greatest - m.least),
            Kind::Clip => reward.max(m.mean - self.k * m.std).min(m.mean + self.k * m.std),
            Kind::Ceiling => reward.min(self.ceiling),
        }
    }

    fn fixed(&self) -> Moments {
        Moments { mean: self.mean, std: self.std, least: self.least, greatest: self.greatest }
    }

    fn transform(self) -> Normalizer {
        Normalizer { params: self, running: BTreeMap::new() }
    }
}

/// `shape.normalize` in a run: the parameters and the running moments by text of `by`.
#[derive(Debug, Clone)]
pub struct Normalizer {
    params: Normalize,
    running: BTreeMap<String, Running>,
}

impl Normalizer {
    /// The scored rows that are normalised together, with the text they share.
    fn cells<'a>(
        &self,
        view: &View<'a>,
        current: &Column,
    ) -> Result<Vec<(&'a str, Vec<usize>)>, MethodError> {
        let texts = self.params.by.as_ref().map(|name| view.frame.text(name)).transpose()?;
        let whole = guerdon_core::Groups::one(view.frame.rows());
        let groups = if self.params.over == Over::Group { &view.frame.groups } else { &whole };
        let mut cells = Vec::new();
        for range in groups.iter() {
            let mut by_text: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
            for row in range.filter(|&row| current.get(row).is_some()) {
                let text = texts.and_then(|t| t[row].as_deref()).unwrap_or("");
                by_text.entry(text).or_default().push(row);
            }
            cells.extend(by_text);
        }
        Ok(cells)
    }

    fn values(&self, current: &Column, rows: &[usize]) -> Vec<f64> {
        match (&current.fine, self.params.level) {
            (Some(fine), Of::Inner) => {
                rows.iter().flat_map(|&row| fine.row(row)).copied().collect()
            }
            _ => rows.iter().filter_map(|&row| current.get(row)).collect(),
        }
    }

    fn moments(&mut self, text: &str, values: &[f64]) -> Moments {
        match self.params.over {
            Over::Fixed => self.params.fixed(),
            Over::Group | Over::Batch => Moments::of(values, self.params.ddof),
            Over::Running => {
                let running = self.running.entry(text.to_owned()).or_insert(Running::NONE);
                running.merge(values);
                running.moments(self.params.ddof)
            }
        }
    }
}

impl Transform for Normalizer {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let current = view.current()?;
        let mut out = vec![None; current.len()];
        let mut fine = current.fine.clone();
        for (text, rows) in self.cells(view, current)? {
            let values = self.values(current, &rows);
            if values.is_empty() {
                continue;
            }
            let moments = self.moments(text, &values);
            for row in rows {
                out[row] = current.get(row).map(|reward| self.params.value(reward, &moments));
                if let Some(fine) = &mut fine {
                    let (start, end) = (fine.offsets[row], fine.offsets[row + 1]);
                    fine.values[start..end]
                        .iter_mut()
                        .for_each(|v| *v = self.params.value(*v, &moments));
                }
            }
        }
        finite(Column::from_options(out), fine)
    }

    fn reads(&self) -> Vec<String> {
        self.params.by.iter().cloned().collect()
    }

    fn scope(&self) -> Scope {
        match self.params.over {
            Over::Fixed => Scope::Rollout,
            Over::Group => Scope::Group,
            Over::Batch | Over::Running => Scope::Batch,
        }
    }

    fn save(&self) -> Value {
        if self.params.over == Over::Running {
            serde_json::to_value(&self.running).unwrap_or_default()
        } else {
            Value::Null
        }
    }

    fn restore(&mut self, state: &Value) -> Result<(), MethodError> {
        if !state.is_null() {
            self.running = super::state::read(state)?;
        }
        Ok(())
    }
}

/// The column with its inner values, if all of them are finite; a row whose own value is not is unscored already.
fn finite(mut column: Column, fine: Option<guerdon_core::Fine>) -> Result<Column, MethodError> {
    if let Some(fine) = fine {
        MethodError::all_finite("normalised value", &fine.values)?;
        let rows = (0..column.len())
            .map(|row| if column.get(row).is_some() { fine.row(row) } else { &[] });
        column.fine = Some(guerdon_core::Fine::from_rows(fine.level, rows));
    }
    Ok(column)
}

guerdon_core::method! {
    Normalize: StatefulTransform,
    id: "shape.normalize",
    papers: ["par-2025", "lsc-2024", "alarm-2024", "meta-world-2019"],
    status: Verified(ClosedForm("batches merged one by one have the moments of all values at once")),
    laws: [ShiftInvariant, OrderPreserving, ZeroMean, ConstantGroupZero, GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{Kind, Moments, Normalize, Over, Running};
    use guerdon_core::method::Transform as _;
    use guerdon_core::{Column, Fine, Frame, Groups, Level, View};

    fn run(params: Normalize, batches: &[&[f64]]) -> Vec<f64> {
        let mut transform = params.transform();
        let mut last = Vec::new();
        for batch in batches {
            let frame = Frame::new(Groups::equal(batch.len(), 2));
            let current = Column::full(batch.to_vec());
            let view = View { frame: &frame, current: Some(&current), seed: 0 };
            last = transform.apply(&view).unwrap().iter().flatten().collect();
        }
        last
    }

    #[test]
    fn running_moments_are_those_of_all_values() {
        let all = [2.0, -1.0, 0.5, 4.0, 3.0];
        let mut running = Running::NONE;
        running.merge(&all[..2]);
        running.merge(&all[2..]);
        let (own, expect) = (running.moments(0), Moments::of(&all, 0));
        assert!((own.mean - expect.mean).abs() < 1e-15 && (own.std - expect.std).abs() < 1e-15);
        assert_eq!((own.least, own.greatest), (-1.0, 4.0));
    }

    #[test]
    fn each_map() {
        let fixed = |kind| Normalize {
            kind,
            over: Over::Fixed,
            eps: 0.0,
            mean: 1.0,
            std: 2.0,
            least: -1.0,
            greatest: 3.0,
            ..Normalize::default()
        };
        assert_eq!(run(fixed(Kind::Zscore), &[&[2.0]]), [0.5]);
        assert_eq!(run(fixed(Kind::Minmax), &[&[2.0]]), [0.75]);
        assert_eq!(run(fixed(Kind::Clip), &[&[9.0, -9.0]]), [3.0, -1.0]);
        assert_eq!(run(fixed(Kind::Ceiling), &[&[9.0, -9.0]]), [1.0, -9.0]);
    }

    #[test]
    fn the_baseline_of_the_study_keeps_its_moments() {
        let params = Normalize { over: Over::Running, ddof: 0, eps: 0.0, ..Normalize::default() };
        assert_eq!(run(params.clone(), &[&[5.0, 5.0]]), [0.0, 0.0]);
        let own = run(params, &[&[0.0, 0.0], &[2.0, 2.0]]);
        assert_eq!(own, [1.0, 1.0]);
    }

    #[test]
    fn tasks_are_normalised_apart() {
        let mut frame = Frame::new(Groups::one(4));
        frame
            .insert_text("task", ["a", "a", "b", "b"].map(|t| Some(t.to_owned())).to_vec())
            .unwrap();
        let current = Column::full(vec![0.0, 1.0, 0.0, 100.0]);
        let params = Normalize {
            over: Over::Batch,
            by: Some("task".into()),
            kind: Kind::Minmax,
            ..Normalize::default()
        };
        let view = View { frame: &frame, current: Some(&current), seed: 0 };
        assert_eq!(
            params.transform().apply(&view).unwrap(),
            Column::full(vec![0.0, 1.0, 0.0, 1.0])
        );
    }

    #[test]
    fn values_per_step_go_through_the_same_map() {
        let frame = Frame::new(Groups::one(1));
        let mut current = Column::full(vec![2.0]);
        current.fine = Some(Fine::from_rows(Level::Step, [&[1.0, 3.0][..]]));
        let view = View { frame: &frame, current: Some(&current), seed: 0 };
        let params =
            Normalize { level: super::Of::Inner, ddof: 0, eps: 0.0, ..Normalize::default() };
        let own = params.transform().apply(&view).unwrap();
        assert_eq!((own.get(0), own.fine.unwrap().values), (Some(0.0), vec![-1.0, 1.0]));
    }
}
