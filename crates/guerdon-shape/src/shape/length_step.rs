//! A bonus for correct answers within a target length; the target can follow the difficulty of the prompt.
//!
//! # Formula
//!
//! ```text
//! bonus    r' = r + β for a correct rollout of length ≤ T, else r
//! penalty  r' = r − β for a correct rollout of length > T, else r
//! hybrid   r' = r + β or r − β for a correct one
//! explore  r' = r + β for a wrong, not repetitive rollout of length > T as well
//! ```
//!
//! `T` is `target`, or with `adaptive` the target of the group's band: `easy` for a group accuracy of at least 2/3,
//! `medium` from 1/3, `hard` below. Every `period` batches the targets are chosen anew from the rollouts seen since: the
//! least length l of `grid` for which ⌊C · coverage⌋ ≥ `expected_correct`, where coverage is the share of the band's
//! correct rollouts with length ≤ l and C = ⌊2n/3⌋, ⌊n/3⌋, 1 the least number of correct rollouts of a group of n. A band
//! without such a length keeps its target. Targets and counts are saved with the run.
//!
//! | preset | adaptive | explore |
//! |---|---|---|
//! | `laser` (default) | no | no |
//! | `laser_d` | yes | no |
//! | `laser_de` | yes | yes |
//!
//! # When to use it
//!
//! To shorten reasoning without the pull towards ever shorter answers of `shape.length_penalty`: within the target all
//! lengths earn the same. `laser_d` where prompts differ in difficulty, so that hard ones keep their length.
//!
//! # Departures
//!
//! Checked against the authors' code, whose targets come from about 500 prompts that are monitored apart every 20 steps:
//! here the training rollouts themselves are counted. That code starts with one target for all bands, as here. Repetition
//! is what the column `repetitive` says (at least 0.5), not a count of token n-grams.
//!
//! # Example
//!
//! ```yaml
//! use: shape.length_step
//! preset: laser_d
//! length: tokens
//! target: 4096
//! ```
//!
//! ```
//! use guerdon_shape::shape::length_step::Band;
//! assert_eq!([Band::of(1.0), Band::of(0.5), Band::of(0.1)], [Band::Easy, Band::Medium, Band::Hard]);
//! assert_eq!(Band::Easy.least_correct(8), 5);
//! ```
//!
//! # References
//!
//! Liu et al., "Learn to Reason Efficiently with Adaptive Length-based Reward Shaping", 2025, sections 3 and 4.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fine::settle;
use super::success::{accuracy, correct};

/// The variants of the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// One target.
    #[default]
    Laser,
    /// A target per difficulty.
    LaserD,
    /// A target per difficulty, and long wrong answers are paid for exploring.
    LaserDe,
}

/// What a length within or beyond the target earns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// More within the target.
    #[default]
    Bonus,
    /// Less beyond it.
    Penalty,
    /// Both.
    Hybrid,
}

/// How difficult a prompt is, by the accuracy of its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Band {
    /// Accuracy of at least 2/3.
    Easy,
    /// Accuracy of at least 1/3.
    Medium,
    /// Less.
    Hard,
}

impl Band {
    /// The band of a group accuracy.
    pub fn of(accuracy: f64) -> Self {
        if accuracy >= 2.0 / 3.0 {
            Self::Easy
        } else if accuracy >= 1.0 / 3.0 {
            Self::Medium
        } else {
            Self::Hard
        }
    }

    /// The least number of correct rollouts that a group of `n` in this band is counted on for.
    pub fn least_correct(self, n: usize) -> usize {
        match self {
            Self::Easy => 2 * n / 3,
            Self::Medium => n / 3,
            Self::Hard => 1,
        }
    }
}

/// Parameters of `shape.length_step`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LengthStep {
    /// The variants of the paper; `adaptive` and `explore` override it. Default `laser`.
    pub preset: Preset,
    /// What a length earns. Default `bonus`.
    pub kind: Kind,
    /// Column with the length. Default `length`.
    pub length: String,
    /// Column that says what is correct. Default: the running reward.
    pub correct: Option<String>,
    /// Least value that counts as correct. Finite; default 0.5.
    pub threshold: f64,
    /// The target, and where adaptive targets start, in units of length. Greater than 0; default 4096.
    pub target: f64,
    /// The bonus β. At least 0; default 0.5.
    pub bonus: f64,
    /// Whether each difficulty has its own target. Default: the preset's.
    pub adaptive: Option<bool>,
    /// Whether long wrong answers are paid as well. Default: the preset's.
    pub explore: Option<bool>,
    /// Column that is at least 0.5 where an answer repeats itself, which is not paid for exploring. Default: none.
    pub repetitive: Option<String>,
    /// The lengths among which targets are chosen, ascending. Default: 1024 to 16384 in steps of 1024.
    pub grid: Vec<f64>,
    /// Batches between two choices of the targets. At least 1; default 20.
    pub period: u64,
    /// Correct rollouts that must fit into the target. At least 1; default 1.
    pub expected_correct: usize,
}

impl Default for LengthStep {
    fn default() -> Self {
        Self {
            preset: Preset::Laser,
            kind: Kind::Bonus,
            length: "length".to_owned(),
            correct: None,
            threshold: 0.5,
            target: 4096.0,
            bonus: 0.5,
            adaptive: None,
            explore: None,
            repetitive: None,
            grid: (1..=16).map(|i| 1024.0 * f64::from(i)).collect(),
            period: 20,
            expected_correct: 1,
        }
    }
}

impl Params for LengthStep {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("threshold", self.threshold, f64::NEG_INFINITY, f64::INFINITY)?;
        ParamError::positive("target", self.target)?;
        ParamError::in_range("bonus", self.bonus, 0.0, f64::INFINITY)?;
        ParamError::in_range("period", self.period as f64, 1.0, f64::INFINITY)?;
        ParamError::in_range("expected_correct", self.expected_correct as f64, 1.0, f64::INFINITY)?;
        let ascending =
            self.grid.windows(2).all(|w| w[0] < w[1]) && self.grid.iter().all(|l| *l > 0.0);
        if self.grid.is_empty() || !ascending {
            return Err(ParamError::new(
                "grid",
                "`grid` must hold lengths greater than 0 in ascending order",
            ));
        }
        Ok(())
    }
}

impl LengthStep {
    fn adapts(&self) -> bool {
        self.adaptive.unwrap_or(self.preset != Preset::Laser)
    }

    fn explores(&self) -> bool {
        self.explore.unwrap_or(self.preset == Preset::LaserDe)
    }

    fn transform(self) -> Stepper {
        let state = State {
            targets: [self.target; 3],
            batches: 0,
            covered: vec![vec![0; self.grid.len()]; 3],
            seen: [0; 3],
            size: 0,
        };
        Stepper { params: self, state }
    }

    /// What length adds to a rollout's reward, for a target.
    pub fn term(&self, length: f64, right: bool, repetitive: bool, target: f64) -> f64 {
        let within = length <= target;
        if !right {
            return if self.explores() && !within && !repetitive { self.bonus } else { 0.0 };
        }
        match (self.kind, within) {
            (Kind::Bonus | Kind::Hybrid, true) => self.bonus,
            (Kind::Penalty | Kind::Hybrid, false) => -self.bonus,
            _ => 0.0,
        }
    }
}

/// The least length of `grid` into which enough correct rollouts fit: `coverage` holds the share that each covers.
pub fn choose_target(
    grid: &[f64],
    coverage: &[f64],
    least_correct: usize,
    expected: usize,
) -> Option<f64> {
    let fits = |share: f64| (least_correct as f64 * share).floor() >= expected as f64;
    grid.iter().zip(coverage).find(|(_, share)| fits(**share)).map(|(length, _)| *length)
}

/// What is remembered: targets, and since their last choice the counts per band and length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    targets: [f64; 3],
    batches: u64,
    covered: Vec<Vec<u64>>,
    seen: [u64; 3],
    /// The size of the largest group.
    size: usize,
}

/// `shape.length_step` in a run: the parameters and the targets.
#[derive(Debug, Clone)]
pub struct Stepper {
    params: LengthStep,
    state: State,
}

const BANDS: [Band; 3] = [Band::Easy, Band::Medium, Band::Hard];

impl Stepper {
    fn count(&mut self, band: Band, lengths: &[f64], right: &[bool]) {
        let b = band as usize;
        self.state.size = self.state.size.max(lengths.len());
        for (length, _) in lengths.iter().zip(right).filter(|(_, right)| **right) {
            self.state.seen[b] += 1;
            for (covered, l) in self.state.covered[b].iter_mut().zip(&self.params.grid) {
                *covered += u64::from(length <= l);
            }
        }
    }

    fn end_batch(&mut self) {
        self.state.batches += 1;
        if self.state.batches < self.params.period {
            return;
        }
        for (b, band) in BANDS.into_iter().enumerate() {
            let seen = self.state.seen[b] as f64;
            let coverage: Vec<f64> = self.state.covered[b]
                .iter()
                .map(|c| if seen > 0.0 { *c as f64 / seen } else { 0.0 })
                .collect();
            let least = band.least_correct(self.state.size);
            if let Some(target) =
                choose_target(&self.params.grid, &coverage, least, self.params.expected_correct)
            {
                self.state.targets[b] = target;
            }
        }
        let targets = self.state.targets;
        self.state = self.params.clone().transform().state;
        self.state.targets = targets;
    }

    fn group(
        &mut self,
        rewards: &[f64],
        lengths: &[f64],
        right: &[bool],
        repetitive: &[bool],
    ) -> Vec<f64> {
        let mut target = self.params.target;
        if let (true, Some(accuracy)) = (self.params.adapts(), accuracy(right.iter().copied())) {
            let band = Band::of(accuracy);
            target = self.state.targets[band as usize];
            self.count(band, lengths, right);
        }
        let term = |i: usize| self.params.term(lengths[i], right[i], repetitive[i], target);
        (0..rewards.len()).map(|i| rewards[i] + term(i)).collect()
    }
}

impl Transform for Stepper {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let params = self.params.clone();
        let right = correct(view, params.correct.as_deref(), params.threshold)?;
        let reads = params.columns();
        let reads: Vec<&str> = reads.iter().map(String::as_str).collect();
        let shaped = view.dense(&reads, |d| {
            let right: Vec<bool> = d.rows.iter().map(|&row| right[row] == Some(true)).collect();
            let repetitive: Vec<bool> = match params.repetitive {
                Some(_) => d.aux[d.aux.len() - 1].iter().map(|v| *v >= 0.5).collect(),
                None => vec![false; right.len()],
            };
            let mut out = Vec::with_capacity(d.values.len());
            for r in d.groups.iter() {
                out.extend(self.group(
                    &d.values[r.clone()],
                    &d.aux[0][r.clone()],
                    &right[r.clone()],
                    &repetitive[r],
                ));
            }
            Ok(out)
        })?;
        if params.adapts() {
            self.end_batch();
        }
        Ok(settle(view.current()?, shaped))
    }

    fn reads(&self) -> Vec<String> {
        self.params.columns()
    }

    fn scope(&self) -> Scope {
        if self.params.adapts() { Scope::Batch } else { Scope::Rollout }
    }

    fn save(&self) -> Value {
        if self.params.adapts() {
            serde_json::to_value(&self.state).unwrap_or_default()
        } else {
            Value::Null
        }
    }

    fn restore(&mut self, state: &Value) -> Result<(), MethodError> {
        if state.is_null() {
            return Ok(());
        }
        let state: State = super::state::read(state)?;
        let grid = self.params.grid.len();
        if state.covered.len() != BANDS.len() || state.covered.iter().any(|c| c.len() != grid) {
            return Err(MethodError::domain(format!(
                "the saved state does not have 3 bands of {grid} lengths"
            )));
        }
        self.state = state;
        Ok(())
    }
}

impl LengthStep {
    fn columns(&self) -> Vec<String> {
        std::iter::once(&self.length)
            .chain(&self.correct)
            .chain(&self.repetitive)
            .cloned()
            .collect()
    }
}

guerdon_core::method! {
    LengthStep: StatefulTransform,
    id: "shape.length_step",
    papers: ["laser-2025"],
    status: Verified(Worked("n = 8: C = 5, 2, 1; coverage 0.15 at 1024 and 0.25 at 2048 gives the target 2048")),
    laws: [GroupLocal],
    exempt: [],
    sample_params: r#"{"target": 200}"#,
}

#[cfg(test)]
mod tests {
    use super::{Band, Kind, LengthStep, Preset, choose_target};
    use guerdon_core::method::Transform as _;
    use guerdon_core::{Column, Frame, Groups, View};

    #[test]
    fn targets_of_the_paper() {
        assert_eq!([Band::Easy, Band::Medium, Band::Hard].map(|b| b.least_correct(8)), [5, 2, 1]);
        assert_eq!(choose_target(&[1024.0, 2048.0], &[0.15, 0.25], 5, 1), Some(2048.0));
        assert_eq!(choose_target(&[1024.0, 2048.0], &[0.0, 0.1], 5, 1), None);
    }

    #[test]
    fn bonus_penalty_and_exploration() {
        let step =
            |kind, preset| LengthStep { kind, preset, target: 10.0, ..LengthStep::default() };
        let terms = |s: LengthStep| {
            [(5.0, true), (15.0, true), (5.0, false), (15.0, false)]
                .map(|(l, r)| s.term(l, r, false, 10.0))
        };
        assert_eq!(terms(step(Kind::Bonus, Preset::Laser)), [0.5, 0.0, 0.0, 0.0]);
        assert_eq!(terms(step(Kind::Penalty, Preset::Laser)), [0.0, -0.5, 0.0, 0.0]);
        assert_eq!(terms(step(Kind::Hybrid, Preset::Laser)), [0.5, -0.5, 0.0, 0.0]);
        assert_eq!(terms(step(Kind::Bonus, Preset::LaserDe)), [0.5, 0.0, 0.0, 0.5]);
        assert_eq!(step(Kind::Bonus, Preset::LaserDe).term(15.0, false, true, 10.0), 0.0);
    }

    #[test]
    fn targets_follow_the_difficulty() {
        let params = LengthStep {
            preset: Preset::LaserD,
            period: 1,
            grid: vec![10.0, 20.0, 30.0],
            target: 99.0,
            ..LengthStep::default()
        };
        let mut stepper = params.transform();
        let mut frame = Frame::new(Groups::equal(6, 3));
        frame.insert("length", Column::full(vec![5.0, 12.0, 15.0, 25.0, 28.0, 29.0])).unwrap();
        let current = Column::full(vec![1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
        let view = View { frame: &frame, current: Some(&current), seed: 0 };
        stepper.apply(&view).unwrap();
        assert_eq!(stepper.state.targets, [20.0, 99.0, 99.0]);
        let again: Vec<_> = stepper.apply(&view).unwrap().iter().flatten().collect();
        assert_eq!(again, [1.5, 1.5, 1.5, 0.0, 0.0, 0.0]);
    }
}
