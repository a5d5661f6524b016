//! A price on length: soft overlong punishment, linear, relative to the group, cosine, and others.
//!
//! # Formula
//!
//! ```text
//! r'_i = r_i + t_i                                          (cosine: r'_i = t_i)
//!
//! overlong       t = −factor · max(0, L − (max − buffer)) / buffer, at least −factor with `floor`
//! linear         t = −c · max(0, L − free)
//! zscore         t = −c · f((L − μ) / σ), f: raw, sigmoid or absolute
//! minmax         t = c · (0.5 − (L − least) / (greatest − least))
//! cosine         t = long + (short − long) · (1 + cos(π·L / max)) / 2, `short` and `long` by correctness
//! turning_point  t = c · (1 − (1 − x/p)²) for x ≤ p, c · (1 − 2·((x − p)/(1 − p))²) beyond, x = L / max, p = `turn`
//! saturating     t = −c · rate·L / (1 + rate·L)
//! ```
//!
//! `L` is the column `length`, `c` the `coefficient`. μ and σ (divisor n − `ddof`) are those of the group's correct
//! rollouts (or of all with `over_all`), least and greatest those of the whole group. A rollout is correct when the
//! column `correct` (default: the running reward) is at least `threshold`. `wrong` says how the others are priced.
//!
//! With `control` the coefficient is a controller's: after every batch it becomes max(floor, c + lr · (accuracy −
//! reference)), so that length is priced more while the policy is better than it was, and less when it falls behind. The
//! coefficient is saved with the run.
//!
//! A preset sets the conventions of a paper or a trainer; a parameter that is given overrides it.
//!
//! | preset | kind | c or factor | wrong | else |
//! |---|---|---|---|---|
//! | `dapo`, `trl` | overlong | 1 | same | floor |
//! | `openrlhf` | overlong | 1 | same | floor at −factor |
//! | `verl`, `nemo_rl` | overlong | 1 | same | **no floor** |
//! | `ms_swift` | cosine | | | corners 1, 0.5, −0.5, 0; no limit beyond `max` |
//! | `cosine` | cosine | | | corners 2, 1, −10, 0; −10 at `max` |
//! | `a_dlp` | linear | from 1e-3 | same | lr 1e-3, reference 0.62, floor 0 |
//! | `s_dlp` | linear | 1e-3 | same | |
//! | `grpo_lambda` | zscore, sigmoid | 0.2 | exempt | ddof 0 |
//! | `laser_zscore` | zscore, sigmoid | 0.4 | exempt | ddof 1 |
//! | `kimi` | minmax | 0.4 | punished only | |
//! | `harmo` | zscore, absolute | 0.1 | same | over all, ddof 0 |
//! | `format_length` | turning point | 1 | punished only | turn 0.5, max 3072 |
//! | `e3` | saturating | 1 | exempt | rate 1e-3 |
//! | `par` | linear | 0.01 | same | free 300 |
//!
//! # When to use it
//!
//! `dapo` against answers that run into the token limit. Every other kind shortens answers that are not too long, and
//! costs accuracy on hard prompts first: put it behind `shape.length_gate`, or use `shape.length_step`.
//!
//! # Departures
//!
//! **Traps that presets reproduce:** without a floor (`verl`, `nemo_rl`) an answer beyond `max` is punished without
//! bound; beyond `max` the cosine of `ms_swift` turns back, so that a very long right answer earns more again. A group
//! with one correct rollout has z-score 0 here; the LASER authors' baseline takes μ = 0, σ = 1 there. Their min–max
//! baseline divides by the spread plus 1e-6. HARMO does not publish its curve: ours prices any length unlike the
//! group's. A-DLP's code agrees, but puts the price at the last position of the padded tensor, which the loss masks for
//! all but the longest answers; here it is part of the reward. The values of `par` are ours (the study's code has the form, its configuration the values).
//!
//! # Example
//!
//! ```yaml
//! use: shape.length_penalty
//! preset: dapo
//! length: tokens
//! max: 4096
//! buffer: 1024
//! ```
//!
//! ```
//! use guerdon_shape::shape::length_penalty::overlong;
//! assert_eq!(overlong(90.0, 100.0, 20.0, 1.0, true), -0.5);
//! ```
//!
//! # References
//!
//! Yu et al., "DAPO: An Open-Source LLM Reinforcement Learning System at Scale", 2025, equation 13. Yeo et al.,
//! "Demystifying Long Chain-of-Thought Reasoning in LLMs", 2025 (cosine). Su and Cardie, "Thinking Fast and Right", 2025
//! (`a_dlp`). Dai et al., "Stable Reinforcement Learning for Efficient Reasoning", 2025 (`grpo_lambda`). Liu et al., "Learn to
//! Reason Efficiently with Adaptive Length-based Reward Shaping", 2025 (baselines). Xin et al., "Surrogate Signals from
//! Format and Length", 2025 (`format_length`). Liao et al., "Enhancing Efficiency and Exploration in Reinforcement
//! Learning for LLMs", 2025 (`e3`).

mod kind;
mod preset;

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use kind::{
    Corners, Kind, Wrong, ZCurve, cosine, minmax, overlong, saturating, turning_point, zscores,
};
pub use preset::{Preset, Rule};

use super::fine::settle;
use super::success::{accuracy, correct};

/// A coefficient that follows the accuracy of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Control {
    /// Change of the coefficient per batch and unit of accuracy. At least 0; default 1e-3.
    pub lr: f64,
    /// The accuracy at which the coefficient stays: that of the starting policy. 0 to 1; default 0.62.
    pub reference: f64,
    /// The least coefficient. Finite; default 0.
    pub floor: f64,
}

impl Default for Control {
    fn default() -> Self {
        Self { lr: 1e-3, reference: 0.62, floor: 0.0 }
    }
}

/// Parameters of `shape.length_penalty`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LengthPenalty {
    /// The conventions of a paper or a trainer; the other parameters override it. Default `dapo`.
    pub preset: Preset,
    /// The form of the length term. Default: the preset's.
    pub kind: Option<Kind>,
    /// Column with the length, in tokens or words. Default `length`.
    pub length: String,
    /// Column that says what is correct. Default: the running reward.
    pub correct: Option<String>,
    /// Least value that counts as correct. Finite; default 0.5.
    pub threshold: f64,
    /// The longest answer allowed, in units of length. Greater than 0. Default: the preset's (4096).
    pub max: Option<f64>,
    /// Width of the soft zone before `max`, in units of length. 0 to `max`. Default: the preset's (a quarter of `max`).
    pub buffer: Option<f64>,
    /// Punishment over one buffer. At least 0. Default: the preset's (1).
    pub factor: Option<f64>,
    /// Whether the punishment stops at −`factor`. Default: the preset's.
    pub floor: Option<bool>,
    /// Weight of the length term, and where `control` starts. Finite. Default: the preset's.
    pub coefficient: Option<f64>,
    /// Follow the accuracy with the coefficient. Default: the preset's (only `a_dlp` does).
    pub control: Option<Control>,
    /// Length that costs nothing, for `linear`. At least 0. Default: the preset's (0).
    pub free: Option<f64>,
    /// The curve of a z-score. Default: the preset's.
    pub curve: Option<ZCurve>,
    /// Whether mean and deviation are those of all rollouts of the group. Default: the preset's (only the correct ones).
    pub over_all: Option<bool>,
    /// 1: sample deviation (divisor n − 1); 0: population deviation. Default: the preset's.
    pub ddof: Option<u8>,
    /// How wrong rollouts are priced. Default: the preset's.
    pub wrong: Option<Wrong>,
    /// The share of `max` up to which length is rewarded, for `turning_point`. Between 0 and 1. Default 0.5.
    pub turn: Option<f64>,
    /// Inverse of the length that costs half the coefficient, for `saturating`. Greater than 0. Default 1e-3.
    pub rate: Option<f64>,
    /// The values of the cosine. Default: the preset's.
    pub corners: Option<Corners>,
}

impl Default for LengthPenalty {
    fn default() -> Self {
        Self {
            preset: Preset::Dapo,
            kind: None,
            length: "length".to_owned(),
            correct: None,
            threshold: 0.5,
            max: None,
            buffer: None,
            factor: None,
            floor: None,
            coefficient: None,
            control: None,
            free: None,
            curve: None,
            over_all: None,
            ddof: None,
            wrong: None,
            turn: None,
            rate: None,
            corners: None,
        }
    }
}

impl Params for LengthPenalty {
    fn validate(&self) -> Result<(), ParamError> {
        const INF: f64 = f64::INFINITY;
        let rule = self.rule();
        ParamError::in_range("threshold", self.threshold, -INF, INF)?;
        ParamError::positive("max", rule.max)?;
        ParamError::in_range("buffer", rule.buffer, 0.0, rule.max)?;
        ParamError::in_range("factor", rule.factor, 0.0, INF)?;
        ParamError::in_range("coefficient", rule.coefficient, -INF, INF)?;
        ParamError::in_range("free", rule.free, 0.0, INF)?;
        ParamError::in_range("ddof", f64::from(rule.ddof), 0.0, 1.0)?;
        ParamError::in_range("turn", rule.turn, 1e-9, 1.0 - 1e-9)?;
        ParamError::positive("rate", rule.rate)?;
        if rule.kind == Kind::Overlong && rule.buffer == 0.0 && !rule.floor {
            return Err(ParamError::new(
                "buffer",
                "`buffer` must be greater than 0 where the punishment has no `floor`",
            ));
        }
        rule.control.map_or(Ok(()), |c| c.validate())
    }
}

impl Control {
    fn validate(&self) -> Result<(), ParamError> {
        let at =
            |e: ParamError| ParamError { path: vec!["control".to_owned(), e.path.concat()], ..e };
        ParamError::in_range("lr", self.lr, 0.0, f64::INFINITY).map_err(at)?;
        ParamError::in_range("reference", self.reference, 0.0, 1.0).map_err(at)?;
        ParamError::in_range("floor", self.floor, f64::NEG_INFINITY, f64::INFINITY).map_err(at)
    }

    /// The coefficient after a batch of this accuracy.
    pub fn step(&self, coefficient: f64, accuracy: f64) -> f64 {
        self.floor.max(coefficient + self.lr * (accuracy - self.reference))
    }
}

impl LengthPenalty {
    fn transform(self) -> Pricer {
        let rule = self.rule();
        Pricer { coefficient: rule.coefficient, params: self, rule }
    }
}

impl Rule {
    /// The shaped rewards of one group at a coefficient.
    pub fn group(
        &self,
        rewards: &[f64],
        lengths: &[f64],
        right: &[bool],
        coefficient: f64,
    ) -> Vec<f64> {
        if self.kind == Kind::Cosine {
            return lengths.iter().zip(right).map(|(l, r)| self.cosine(*l, *r)).collect();
        }
        let terms = self.terms(lengths, right, coefficient);
        let priced = |((reward, term), right): ((&f64, f64), &bool)| {
            reward
                + match self.wrong {
                    Wrong::Exempt if !right => 0.0,
                    Wrong::PunishedOnly if !right => term.min(0.0),
                    _ => term,
                }
        };
        rewards.iter().zip(terms).zip(right).map(priced).collect()
    }

    fn terms(&self, lengths: &[f64], right: &[bool], c: f64) -> Vec<f64> {
        let each = |f: &dyn Fn(f64) -> f64| lengths.iter().map(|l| f(*l)).collect();
        match self.kind {
            Kind::Overlong => {
                each(&|l| overlong(l, self.max, self.buffer, self.factor, self.floor))
            }
            Kind::Linear => each(&|l| -c * (l - self.free).max(0.0)),
            Kind::TurningPoint => each(&|l| c * turning_point(l, self.max, self.turn)),
            Kind::Saturating => each(&|l| -c * saturating(l, self.rate)),
            Kind::Minmax => minmax(lengths).into_iter().map(|t| c * t).collect(),
            Kind::Zscore => {
                let all = vec![true; lengths.len()];
                let counts = if self.over_all { &all } else { right };
                zscores(lengths, counts, self.ddof)
                    .into_iter()
                    .map(|z| -c * self.curve.bend(z))
                    .collect()
            }
            Kind::Cosine => each(&|_| 0.0),
        }
    }

    fn cosine(&self, length: f64, right: bool) -> f64 {
        let Corners { correct_short, correct_long, wrong_short, wrong_long, exceeded } =
            self.corners;
        match exceeded {
            Some(value) if length >= self.max => value,
            _ if right => cosine(length, self.max, correct_short, correct_long),
            _ => cosine(length, self.max, wrong_short, wrong_long),
        }
    }
}

/// `shape.length_penalty` in a run: the conventions and the coefficient.
#[derive(Debug, Clone)]
pub struct Pricer {
    params: LengthPenalty,
    rule: Rule,
    coefficient: f64,
}

impl Transform for Pricer {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let right = correct(view, self.params.correct.as_deref(), self.params.threshold)?;
        let mut reads: Vec<&str> = vec![&self.params.length];
        reads.extend(self.params.correct.as_deref());
        let mut judged = Vec::new();
        let shaped = view.dense(&reads, |d| {
            judged = d.rows.iter().map(|&row| right[row] == Some(true)).collect();
            let mut out = Vec::with_capacity(d.values.len());
            for range in d.groups.iter() {
                let (rewards, lengths) = (&d.values[range.clone()], &d.aux[0][range.clone()]);
                out.extend(self.rule.group(rewards, lengths, &judged[range], self.coefficient));
            }
            Ok(out)
        })?;
        if let (Some(control), Some(accuracy)) = (self.rule.control, accuracy(judged)) {
            self.coefficient = control.step(self.coefficient, accuracy);
        }
        Ok(settle(view.current()?, shaped))
    }

    fn reads(&self) -> Vec<String> {
        std::iter::once(&self.params.length).chain(&self.params.correct).cloned().collect()
    }

    fn scope(&self) -> Scope {
        match self.rule.kind {
            _ if self.rule.control.is_some() => Scope::Batch,
            Kind::Zscore | Kind::Minmax => Scope::Group,
            _ => Scope::Rollout,
        }
    }

    fn save(&self) -> Value {
        if self.rule.control.is_some() { json!(self.coefficient) } else { Value::Null }
    }

    fn restore(&mut self, state: &Value) -> Result<(), MethodError> {
        if !state.is_null() {
            self.coefficient = super::state::read(state)?;
        }
        Ok(())
    }
}

guerdon_core::method! {
    LengthPenalty: StatefulTransform,
    id: "shape.length_penalty",
    papers: [
        "adlp-2025", "grpo-lambda-2025", "laser-2025", "harmo-2025", "format-length-2025", "par-2025", "e3-2025",
    ],
    status: Verified(Reference("verl, TRL, OpenRLHF overlong and ms-swift cosine: golden values to 1e-6")),
    laws: [GroupLocal],
    exempt: [],
    sample_params: r#"{"max": 200}"#,
}

#[cfg(test)]
mod tests;
