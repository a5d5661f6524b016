//! Moves a reward by the stated confidence: up for confidence in good answers, down for confidence in bad ones.
//!
//! # Formula
//!
//! ```text
//! m ← α · mean(r over the batch) + (1 − α) · m
//! threshold   r' = r + w·|r|·(q − 0.5) where r ≥ m,  r − w·|r|·(q − 0.5) below
//! difference  r' = r + w·(r − m)·(q − 0.5)
//! ```
//!
//! `r` is the score of the answer with its confidence removed, clipped to ±`clip`; `q` is the column `confidence` divided
//! by `scale` (0.5 where none is stated), `m` the running mean, updated before it is used and saved with the run.
//!
//! # When to use it
//!
//! With a learned reward that has no 0 and 1, and answers that state a confidence. With verified correctness use
//! `shape.proper_score`, which has a proof.
//!
//! # Departures
//!
//! Checked against the authors' code, whose formulas agree; its running mean starts at the mean that the reward model
//! recorded in training: give that as `initial`.
//!
//! # Example
//!
//! ```yaml
//! use: shape.confidence_shift
//! confidence: confidence
//! form: threshold
//! ```
//!
//! ```
//! use guerdon_shape::shape::confidence_shift::ConfidenceShift;
//! assert!((ConfidenceShift::default().value(1.0, 0.9, 0.21) - 1.2).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! Leng et al., "Taming Overconfidence in LLMs: Reward Calibration in RLHF", 2024 (PPO-C).

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fine::settle;
use crate::moments::mean;

/// How the confidence moves the reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// By the size of the reward, up at or above the running mean, down below.
    #[default]
    Threshold,
    /// By the difference to the running mean.
    Difference,
}

/// Parameters of `shape.confidence_shift`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConfidenceShift {
    /// How the confidence moves the reward. Default `threshold`.
    pub form: Form,
    /// Column with the stated confidence. Default `confidence`.
    pub confidence: String,
    /// The greatest confidence that can be stated. Greater than 0; default 1 (the paper's answers state 0 to 10).
    pub scale: f64,
    /// Weight w. At least 0; default 0.5.
    pub weight: f64,
    /// Share α of a batch in the running mean. 0 to 1; default 0.1.
    pub alpha: f64,
    /// Running mean at the start. Finite; default 0.
    pub initial: f64,
    /// Bound on the size of a reward. Greater than 0; default 10.
    pub clip: f64,
}

impl Default for ConfidenceShift {
    fn default() -> Self {
        Self {
            form: Form::Threshold,
            confidence: "confidence".to_owned(),
            scale: 1.0,
            weight: 0.5,
            alpha: 0.1,
            initial: 0.0,
            clip: 10.0,
        }
    }
}

impl Params for ConfidenceShift {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("scale", self.scale)?;
        ParamError::in_range("weight", self.weight, 0.0, f64::INFINITY)?;
        ParamError::in_range("alpha", self.alpha, 0.0, 1.0)?;
        ParamError::in_range("initial", self.initial, f64::NEG_INFINITY, f64::INFINITY)?;
        ParamError::positive("clip", self.clip)
    }
}

impl ConfidenceShift {
    fn transform(self) -> Shifter {
        Shifter { running: self.initial, params: self }
    }

    /// The shaped reward of an answer stated with confidence `q`, 0 to 1, at the running mean `m`.
    pub fn value(&self, reward: f64, q: f64, m: f64) -> f64 {
        let lean = self.weight * (q - 0.5);
        match self.form {
            Form::Threshold if reward >= m => reward + lean * reward.abs(),
            Form::Threshold => reward - lean * reward.abs(),
            Form::Difference => reward + lean * (reward - m),
        }
    }
}

/// `shape.confidence_shift` in a run: the parameters and the running mean.
#[derive(Debug, Clone)]
pub struct Shifter {
    params: ConfidenceShift,
    running: f64,
}

impl Transform for Shifter {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let confidence = view.frame.column(&self.params.confidence)?;
        let shaped = view.dense(&[], |d| {
            let clip = self.params.clip;
            let rewards: Vec<f64> = d.values.iter().map(|r| r.clamp(-clip, clip)).collect();
            if !rewards.is_empty() {
                self.running =
                    self.params.alpha * mean(&rewards) + (1.0 - self.params.alpha) * self.running;
            }
            let stated = |row: &usize| confidence.get(*row).map_or(0.5, |q| q / self.params.scale);
            let shift = |(r, row): (&f64, &usize)| self.params.value(*r, stated(row), self.running);
            Ok(rewards.iter().zip(&d.rows).map(shift).collect())
        })?;
        Ok(settle(view.current()?, shaped))
    }

    fn reads(&self) -> Vec<String> {
        vec![self.params.confidence.clone()]
    }

    fn scope(&self) -> Scope {
        Scope::Batch
    }

    fn save(&self) -> Value {
        json!(self.running)
    }

    fn restore(&mut self, state: &Value) -> Result<(), MethodError> {
        self.running = super::state::read(state)?;
        Ok(())
    }
}

guerdon_core::method! {
    ConfidenceShift: StatefulTransform,
    id: "shape.confidence_shift",
    papers: ["reward-calibration-2024"],
    status: Verified(Worked("m 0.2, r (1, −0.4), q 0.9: m 0.21; threshold 1.2, −0.48; difference 1.158, −0.522")),
    laws: [],
    exempt: [],
    sample_params: r#"{"confidence": "score"}"#,
}

#[cfg(test)]
mod tests {
    use super::{ConfidenceShift, Form};
    use guerdon_core::method::Transform as _;
    use guerdon_core::{Column, Frame, Groups, View};

    fn check(form: Form, confidence: Option<f64>, expect: [f64; 2]) {
        let mut frame = Frame::new(Groups::one(2));
        frame.insert("confidence", Column::from_options([confidence, confidence])).unwrap();
        let current = Column::full(vec![1.0, -0.4]);
        let mut shifter =
            ConfidenceShift { form, initial: 0.2, scale: 10.0, ..ConfidenceShift::default() }
                .transform();
        let own = shifter.apply(&View { frame: &frame, current: Some(&current), seed: 0 }).unwrap();
        assert!((shifter.running - 0.21).abs() < 1e-12);
        for (a, e) in own.iter().flatten().zip(expect) {
            assert!((a - e).abs() < 1e-9, "{own:?}, not {expect:?}");
        }
    }

    #[test]
    fn worked_numbers() {
        check(Form::Threshold, Some(9.0), [1.2, -0.48]);
        check(Form::Difference, Some(9.0), [1.158, -0.522]);
    }

    #[test]
    fn an_answer_without_confidence_is_not_moved() {
        check(Form::Threshold, None, [1.0, -0.4]);
    }
}
