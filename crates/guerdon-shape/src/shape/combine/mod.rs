//! Several signals become one reward: a weighted sum, or another way to join them.
//!
//! A reward is rarely one number: it is right, it keeps the format, it is short enough. This method says how much each
//! counts, and the contribution of each is in the output and the report.
//!
//! # Formula
//!
//! ```text
//! r_i = constant + op over the signals k of (w_k, s_ik)
//! ```
//!
//! | op | result | contribution of signal k |
//! |---|---|---|
//! | `sum` | Σ w·s | w·s |
//! | `mean` | Σ w·s / Σ w | w·s / Σ w |
//! | `conjunction` | Σ w·ln σ(s) | w·ln σ(s) |
//! | `product` | Π s^w | s^w |
//! | `geometric` | (Π s^w)^(1/Σw), s ≥ 0 | s^(w/Σw) |
//! | `min`, `max` | least, greatest w·s | w·s |
//! | `hamacher` | ab/(a + b − ab) of the w·s, from 0 to 1 | w·s |
//! | `fallback` | first w·s that is not 0, in the order of the weights | w·s |
//! | `distance` | −Σ w·abs(s − target) / Σ w | −w·abs(s − target) / Σ w |
//! | `whitened` | Σ v·w·s, v = Σ^(−1/2)·1 scaled to sum 1, Σ the covariance | v·w·s |
//!
//! `s_ik` is signal `k` of rollout `i` (after its `cap`, and after `normalize_first`), `w_k` its weight: a number, a
//! schedule `{from, to, start, steps, path}` over training steps (one batch is one step; the step is saved with the run),
//! or a column that holds a weight per rollout (`name`, or `1 - name`). The name `reward` means the running reward.
//!
//! **A signal that is unscored never counts as zero by itself.** `missing: unscored` (default) leaves the rollout
//! unscored; `skip` joins the signals that are there, and leaves the rollout unscored only where there are none (what TRL
//! does, whose sum passes over `None`); `zero` counts 0 in its place.
//!
//! **Values per step, token or turn** are joined position by position. A signal that has none is paid at the last
//! position where parts add up, and at every position otherwise. Where signals have them at different levels, the result
//! has none.
//!
//! # When to use it
//!
//! As the first shape of nearly every spec with several signals. `normalize_first` where the scales of learned signals
//! differ (normalise, then sum); to normalise the sum, let `shape.normalize` follow. `min`, `geometric` or `conjunction`
//! where no property may be bought with another; `shape.gate` where one decides whether the others count at all.
//!
//! # Departures
//!
//! `ALaRM`, HARMO, `FlowReasoner`, `SafeWork` and other papers do not publish all weights: none is built in. `product` with
//! weights raises to powers, since a factor would only rescale. The mixture weights of DT4IER and HARMO (`w`, `1 − w`) are
//! columns. PPO-SAT is `cap`. The joint diffusion loss of `SeedEdit` is a weight column that is 0 at noisy steps.
//! `per_length` divides each value per step by the number of steps, as PRM-guided RL for code does with lines.
//!
//! # Example
//!
//! ```yaml
//! use: shape.combine
//! weights: {correct: 1.0, tagged: 0.1}
//! ```
//!
//! ```
//! use guerdon_shape::shape::combine::Op;
//! let parts = [(1.0, 1.0), (0.5, 0.2)].map(|(s, w)| Op::Sum.part(s, w, 1.2));
//! assert_eq!(Op::Sum.join(parts.into_iter()), 1.1);
//! ```
//!
//! # References
//!
//! Wang et al., "Transforming and Combining Rewards for Aligning Large Language Models", 2024, section 3 (conjunction).
//! Yu et al., "Meta-World", 2019 (Hamacher product). Qian et al., "`ToolRL`: Reward is All Tool Learning Needs", 2025
//! (schedules). Moskovitz et al., "Confronting Reward Model Overoptimization with Constrained RLHF", 2023 (caps).

mod op;
mod whiten;

use std::borrow::Cow;
use std::collections::BTreeMap;

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Fine, Frame, Level, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use op::{Op, hamacher};

use super::weights::{Resolved, Weights};
use crate::moments::{Moments, moments};

/// The name under which the running reward can be combined again.
const RUNNING: &str = "reward";

/// What becomes of a rollout for which a signal is unscored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// It stays unscored.
    #[default]
    Unscored,
    /// The signals that are there are joined.
    Skip,
    /// The signal counts as 0.
    Zero,
}

/// Whether and over what each signal is normalised before it is joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum First {
    /// Signals are joined as they are.
    #[default]
    None,
    /// z-scores within the group.
    Group,
    /// z-scores within the batch.
    Batch,
}

/// Parameters of `shape.combine`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Combine {
    /// Signals with their weights: a number, a schedule, or the name of a column. Required.
    pub weights: Weights,
    /// How values are joined. Default `sum`.
    pub op: Op,
    /// What an unscored signal does to its rollout. Default `unscored`.
    pub missing: Missing,
    /// z-scores of each signal before it is joined (sample deviation, eps 1e-6). Default `none`.
    pub normalize_first: First,
    /// Added to every result: the price of a step, say. Finite; default 0.
    pub constant: f64,
    /// Greatest value that counts, by signal. Default: none.
    pub cap: BTreeMap<String, f64>,
    /// The value aimed at, by signal, for `op: distance`. Signals without one aim at 0.
    pub targets: BTreeMap<String, f64>,
    /// Signals that are switched off: they count nothing and are still reported. Default: none.
    pub off: Vec<String>,
    /// Whether values per step are divided by their number. Default false.
    pub per_length: bool,
    /// Covariance of the signals for `op: whitened`, in the order of the weights. Default: that of the batch.
    pub covariance: Vec<Vec<f64>>,
    /// Added to the diagonal of the covariance. At least 0; default 1e-3.
    pub ridge: f64,
}

impl Default for Combine {
    fn default() -> Self {
        Self {
            weights: Weights::default(),
            op: Op::Sum,
            missing: Missing::Unscored,
            normalize_first: First::None,
            constant: 0.0,
            cap: BTreeMap::new(),
            targets: BTreeMap::new(),
            off: Vec::new(),
            per_length: false,
            covariance: Vec::new(),
            ridge: 1e-3,
        }
    }
}

impl Params for Combine {
    fn validate(&self) -> Result<(), ParamError> {
        self.weights.validate("weights")?;
        ParamError::in_range("constant", self.constant, f64::NEG_INFINITY, f64::INFINITY)?;
        ParamError::in_range("ridge", self.ridge, 0.0, f64::INFINITY)?;
        self.known("cap", self.cap.keys())?;
        self.known("targets", self.targets.keys())?;
        self.known("off", self.off.iter())?;
        self.check_covariance()
    }
}

impl Combine {
    fn known<'a>(
        &self,
        field: &str,
        names: impl Iterator<Item = &'a String>,
    ) -> Result<(), ParamError> {
        for name in names {
            if !self.weights.names().any(|known| known == name) {
                let message = format!(
                    "`{name}` is not among the weights: {}",
                    self.weights.names().collect::<Vec<_>>().join(", ")
                );
                return Err(ParamError {
                    path: vec![field.to_owned(), name.clone()],
                    message,
                    unknown_key: false,
                });
            }
        }
        Ok(())
    }

    fn check_covariance(&self) -> Result<(), ParamError> {
        let k = self.weights.0.len();
        if self.op == Op::Whitened && k > whiten::MAX_SIGNALS {
            return Err(ParamError::new(
                "weights",
                format!("`op: whitened` takes at most {} signals, not {k}", whiten::MAX_SIGNALS),
            ));
        }
        let square = self.covariance.len() == k && self.covariance.iter().all(|row| row.len() == k);
        if self.covariance.is_empty() || square {
            return Ok(());
        }
        Err(ParamError::new(
            "covariance",
            format!("`covariance` must have {k} rows of {k} values, one per weight"),
        ))
    }

    fn transform(self) -> Combiner {
        Combiner { params: self, step: 0 }
    }

    fn is_on(&self, name: &str) -> bool {
        !self.off.iter().any(|off| off == name)
    }
}

/// `shape.combine` in a run: the parameters and the training step.
#[derive(Debug, Clone)]
pub struct Combiner {
    params: Combine,
    step: u64,
}

/// A signal in the middle of the work.
struct Term<'a> {
    name: &'a str,
    column: Cow<'a, Column>,
    weight: Resolved<'a>,
    on: bool,
}

impl Term<'_> {
    fn get(&self, row: usize, missing: Missing) -> Option<(f64, f64)> {
        let value = self.column.get(row).zip(self.weight.get(row));
        if missing == Missing::Zero {
            value.or(Some((0.0, self.weight.get(row).unwrap_or(0.0))))
        } else {
            value
        }
    }
}

impl Combiner {
    fn terms<'a>(&'a self, view: &View<'a>, step: u64) -> Result<Vec<Term<'a>>, MethodError> {
        let mut terms = Vec::new();
        for (name, weight) in &self.params.weights.0 {
            let column = signal(view, name)?;
            let weight = weight.resolve(step, view.frame)?;
            let column = self.capped(name, column);
            terms.push(Term { name, column, weight, on: self.params.is_on(name) });
        }
        let rows: Vec<usize> =
            (0..view.frame.rows()).filter(|&row| self.takes_part(&terms, row)).collect();
        self.normalize(&mut terms, view.frame, &rows);
        self.whiten(&mut terms, &rows)?;
        Ok(terms)
    }

    /// Caps, and distances to targets, where there are any.
    fn capped<'a>(&self, name: &str, column: &'a Column) -> Cow<'a, Column> {
        let cap = self.params.cap.get(name).copied();
        let target =
            self.params.targets.get(name).copied().filter(|_| self.params.op == Op::Distance);
        if cap.is_none() && target.is_none() {
            return Cow::Borrowed(column);
        }
        let bend = |v: f64| v.min(cap.unwrap_or(f64::INFINITY)) - target.unwrap_or(0.0);
        Cow::Owned(map(column, bend))
    }

    /// Whether a row will be scored.
    fn takes_part(&self, terms: &[Term<'_>], row: usize) -> bool {
        let scored = |t: &Term<'_>| t.get(row, self.params.missing).is_some();
        let mut on = terms.iter().filter(|t| t.on);
        match self.params.missing {
            Missing::Unscored => on.all(scored),
            Missing::Skip => on.any(scored),
            Missing::Zero => on.any(|t| t.column.get(row).is_some()),
        }
    }

    fn normalize(&self, terms: &mut [Term<'_>], frame: &Frame, rows: &[usize]) {
        let whole = guerdon_core::Groups::one(frame.rows());
        let groups = match self.params.normalize_first {
            First::None => return,
            First::Group => &frame.groups,
            First::Batch => &whole,
        };
        let mut takes_part = vec![false; frame.rows()];
        for &row in rows {
            takes_part[row] = true;
        }
        for term in terms {
            let mut out = vec![None; frame.rows()];
            for range in groups.iter() {
                let rows: Vec<usize> =
                    range.filter(|&i| takes_part[i] && term.column.get(i).is_some()).collect();
                let values: Vec<f64> = rows.iter().filter_map(|&i| term.column.get(i)).collect();
                let Moments { mean, std } = moments(&values, 1);
                for (&i, v) in rows.iter().zip(&values) {
                    out[i] = Some((v - mean) / (std + 1e-6));
                }
            }
            term.column = Cow::Owned(Column::from_options(out));
        }
    }

    fn whiten(&self, terms: &mut [Term<'_>], rows: &[usize]) -> Result<(), MethodError> {
        if self.params.op != Op::Whitened || rows.is_empty() {
            return Ok(());
        }
        let k = terms.len();
        let estimated;
        let covariance = if self.params.covariance.is_empty() {
            let values: Vec<Vec<f64>> = rows
                .iter()
                .filter_map(|&row| terms.iter().map(|t| t.column.get(row)).collect())
                .collect();
            estimated = whiten::covariance(&values, k);
            &estimated
        } else {
            &self.params.covariance
        };
        for (term, v) in terms.iter_mut().zip(whiten::weights(covariance, self.params.ridge)?) {
            term.column = Cow::Owned(map(&term.column, |s| v * s));
        }
        Ok(())
    }

    /// The parts of one row: one per term that is on and there.
    fn parts(
        &self,
        values: &[Option<(f64, f64)>],
        terms: &[Term<'_>],
        out: &mut Vec<f64>,
    ) -> Result<(), MethodError> {
        let total: f64 = values.iter().flatten().map(|(_, w)| w).sum();
        out.clear();
        for (value, term) in values.iter().zip(terms) {
            let Some((s, w)) = *value else { continue };
            if let Some(domain) = self.params.op.refuses(s, w) {
                return Err(MethodError::domain(format!(
                    "`{}` is {s} with weight {w}: this operation takes {domain}; clip or normalise the signal first",
                    term.name
                )));
            }
            out.push(self.params.op.part(s, w, total));
        }
        Ok(())
    }

    fn coarse(&self, terms: &[Term<'_>], rows: usize) -> Result<Column, MethodError> {
        let mut values = Vec::with_capacity(terms.len());
        let mut parts = Vec::with_capacity(terms.len());
        let mut out = Vec::with_capacity(rows);
        for row in 0..rows {
            if !self.takes_part(terms, row) {
                out.push(None);
                continue;
            }
            values.clear();
            values.extend(terms.iter().map(|t| t.get(row, self.params.missing).filter(|_| t.on)));
            self.parts(&values, terms, &mut parts)?;
            out.push(Some(self.params.constant + self.params.op.join(parts.iter().copied())));
        }
        Ok(Column::from_options(out))
    }

    /// Values per step of the result, where the signals have any at one level.
    fn fine(&self, terms: &[Term<'_>], result: &Column) -> Result<Option<Fine>, MethodError> {
        let Some(level) = common_level(terms) else { return Ok(None) };
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(result.len());
        for row in 0..result.len() {
            let n = if result.get(row).is_some() { positions(terms, row)? } else { 0 };
            rows.push(self.fine_row(terms, row, n)?);
        }
        Ok(Some(Fine::from_rows(level, rows.iter().map(Vec::as_slice))))
    }

    fn fine_row(&self, terms: &[Term<'_>], row: usize, n: usize) -> Result<Vec<f64>, MethodError> {
        let share = if self.params.per_length { 1.0 / n as f64 } else { 1.0 };
        let mut parts = Vec::new();
        let mut out = Vec::with_capacity(n);
        for at in 0..n {
            let value = |t: &Term<'_>| {
                let (own, weight) = t.get(row, self.params.missing).filter(|_| t.on)?;
                match fine_of(t, row) {
                    [] if self.params.op.adds() && at + 1 < n => None,
                    [] => Some((own, weight)),
                    fine => Some((fine[at] * share, weight)),
                }
            };
            let values: Vec<Option<(f64, f64)>> = terms.iter().map(value).collect();
            self.parts(&values, terms, &mut parts)?;
            let last = if at + 1 == n { self.params.constant } else { 0.0 };
            let joined = last + self.params.op.join(parts.iter().copied());
            if !joined.is_finite() {
                return Err(MethodError::domain(format!(
                    "row {row} gives {joined} at position {at}: scale the signals down"
                )));
            }
            out.push(joined);
        }
        Ok(out)
    }
}

/// The column of a signal, or the running reward.
fn signal<'a>(view: &View<'a>, name: &str) -> Result<&'a Column, MethodError> {
    if name == RUNNING && !view.frame.has(RUNNING) {
        return view.current();
    }
    view.frame.column(name)
}

/// Every value through `f`, per rollout and within rollouts.
fn map(column: &Column, f: impl Fn(f64) -> f64) -> Column {
    let mut mapped = Column::from_options(column.iter().map(|v| v.map(&f)));
    mapped.fine = column.fine.clone().map(|mut fine| {
        fine.values.iter_mut().for_each(|v| *v = f(*v));
        fine
    });
    mapped
}

fn fine_of<'a>(term: &'a Term<'_>, row: usize) -> &'a [f64] {
    term.column.fine.as_ref().map_or(&[], |fine| fine.row(row))
}

fn common_level(terms: &[Term<'_>]) -> Option<Level> {
    let mut levels =
        terms.iter().filter(|t| t.on).filter_map(|t| t.column.fine.as_ref()).map(|f| f.level);
    let first = levels.next()?;
    levels.all(|level| level == first).then_some(first)
}

/// How many positions a row has: all signals that have any must agree.
fn positions(terms: &[Term<'_>], row: usize) -> Result<usize, MethodError> {
    let mut counts = terms
        .iter()
        .filter(|t| t.on)
        .map(|t| (t.name, fine_of(t, row).len()))
        .filter(|(_, n)| *n > 0);
    let Some(first) = counts.next() else { return Ok(0) };
    for other in counts {
        MethodError::same_length(first, other)?;
    }
    Ok(first.1)
}

impl Transform for Combiner {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let terms = self.terms(view, self.step)?;
        let mut column = self.coarse(&terms, view.frame.rows())?;
        column.fine = self.fine(&terms, &column)?;
        drop(terms);
        self.step += 1;
        Ok(column)
    }

    fn reads(&self) -> Vec<String> {
        self.params.weights.reads().into_iter().filter(|name| name != RUNNING).collect()
    }

    fn scope(&self) -> Scope {
        let Combine { op, normalize_first, covariance, weights, .. } = &self.params;
        match normalize_first {
            _ if weights.moves() || *op == Op::Whitened && covariance.is_empty() => Scope::Batch,
            First::Batch => Scope::Batch,
            First::Group => Scope::Group,
            First::None => Scope::Rollout,
        }
    }

    fn save(&self) -> Value {
        if self.params.weights.moves() { json!({"step": self.step}) } else { Value::Null }
    }

    fn restore(&mut self, state: &Value) -> Result<(), MethodError> {
        self.step = state.get("step").and_then(Value::as_u64).unwrap_or(0);
        Ok(())
    }

    fn contributions(&self, view: &View<'_>) -> Vec<(String, Column)> {
        let Ok(terms) = self.terms(view, self.step.saturating_sub(1)) else { return Vec::new() };
        let rows = view.frame.rows();
        let mut out: Vec<Vec<Option<f64>>> = vec![vec![None; rows]; terms.len()];
        for row in (0..rows).filter(|&row| self.takes_part(&terms, row)) {
            let values: Vec<_> = terms.iter().map(|t| t.get(row, self.params.missing)).collect();
            let total: f64 = values
                .iter()
                .zip(&terms)
                .filter(|(_, t)| t.on)
                .filter_map(|(v, _)| v.map(|(_, w)| w))
                .sum();
            for (k, value) in values.iter().enumerate() {
                out[k][row] = value.map(|(s, w)| self.params.op.part(s, w, total));
            }
        }
        terms
            .iter()
            .zip(out)
            .map(|(t, column)| (t.name.to_owned(), Column::from_options(column)))
            .collect()
    }
}

guerdon_core::method! {
    Combine: StatefulTransform,
    id: "shape.combine",
    papers: [
        "lsc-2024", "r3-2024", "harmo-2025", "idea-control-2024", "seededit3-2025", "flowreasoner-2025",
        "router-r1-2025", "constrained-rlhf-2023", "toolrl-2025", "dt4ier-2024", "noisy-rewards-2025",
        "sar-2025", "gui-critic-r1-2025", "mobile-r1-2025", "magicgui-2025", "safework-r1-2025", "oni-2024",
        "meta-world-2019", "aligndiff-2023", "duashepherd-2025", "prm-code-rl-2024", "alphallm-2024",
        "justifiable-rl-2024", "mad-navigation-2023",
    ],
    status: Verified(Worked("the catalogue's worked combinations: HARMO, FlowReasoner, Router-R1, SAR, R3, AlignDiff, Meta-World")),
    laws: [],
    exempt: [GroupLocal: "With `normalize_first: batch` or `op: whitened` the other groups count."],
    aliases: ["shape.decoupled"],
    sample_params: r#"{"weights": {"a": 1.0, "b": 0.5}}"#,
}

#[cfg(test)]
mod tests;
