//! Classification: Matthews correlation, accuracy, and F1 per class, macro, micro and weighted.
//!
//! # Formula
//!
//! ```text
//! binary: MCC = (TP·TN − FP·FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN))
//! any:    MCC = (c·s − Σ_k p_k·t_k) / √((s² − Σ p_k²)(s² − Σ t_k²))
//! F1_k = 2·TP_k / (p_k + t_k),  macro = mean of F1_k,  weighted = Σ t_k·F1_k / s,  micro = c/s
//! ```
//!
//! `s` items, `c` right, `p_k` predicted and `t_k` true items of class k.
//!
//! # When to use it
//!
//! MCC or macro F1 when classes are unequal: accuracy then praises the constant answer.
//!
//! # Departures
//!
//! A constant side makes MCC undefined: the value is 0 with `undefined: zero` (the default; scikit-learn and the cited
//! benchmark do so) or null. Classes are those that occur on either side; F1 of a class with neither is not counted.
//!
//! # Example
//!
//! ```yaml
//! use: stats.mcc
//! ```
//!
//! ```
//! use guerdon_stats::stats::mcc::binary_mcc;
//! assert!((binary_mcc(3.0, 1.0, 1.0, 1.0).unwrap() - 0.25).abs() < 1e-15);
//! ```
//!
//! # References
//!
//! Matthews 1975; Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient", 2004.

use guerdon_core::MethodError;
use guerdon_core::method::{Function, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::labels::{Codes, Label};
use crate::moments::at_least;

/// What an undefined MCC is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Undefined {
    /// 0: no association shown.
    #[default]
    Zero,
    /// Null.
    Null,
}

/// Parameters of `stats.mcc`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mcc {
    /// What MCC is when a side is constant. Default `zero`.
    pub undefined: Undefined,
}

impl Params for Mcc {}

/// Input of `stats.mcc`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Predicted labels, at least one.
    pub predicted: Vec<Label>,
    /// True labels of the same items.
    pub reference: Vec<Label>,
}

/// One class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Class {
    /// Its label.
    pub label: Label,
    /// Precision; null when it is never predicted.
    pub precision: Option<f64>,
    /// Recall; null when it never occurs.
    pub recall: Option<f64>,
    /// F1.
    pub f1: f64,
    /// True items.
    pub support: u64,
}

/// Output of `stats.mcc`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Matthews correlation, −1 to 1.
    pub mcc: Option<f64>,
    /// Share right; the micro F1 of single labels.
    pub accuracy: f64,
    /// Mean F1 over classes.
    pub macro_f1: f64,
    /// F1 weighted by true items.
    pub weighted_f1: f64,
    /// The classes in order of label.
    pub classes: Vec<Class>,
}

/// MCC of a two-by-two table; `None` when a margin is empty.
pub fn binary_mcc(tp: f64, fp: f64, tn: f64, fn_: f64) -> Option<f64> {
    let margins = (tp + fp).sqrt() * (tp + fn_).sqrt() * (tn + fp).sqrt() * (tn + fn_).sqrt();
    (margins > 0.0).then(|| (tp * tn - fp * fn_) / margins)
}

impl Mcc {
    /// All figures of predictions against truth.
    pub fn classify(
        &self,
        predicted: &[Label],
        reference: &[Label],
    ) -> Result<Output, MethodError> {
        MethodError::same_length(("predicted", predicted.len()), ("reference", reference.len()))?;
        at_least("predicted", predicted.len(), 1)?;
        let codes = Codes::new(predicted.iter().chain(reference), &[])?;
        let q = codes.len();
        let (mut said, mut is, mut hit) = (vec![0.0; q], vec![0.0; q], vec![0.0; q]);
        let mut names = vec![None; q];
        for (p, t) in predicted.iter().zip(reference) {
            let (i, j) = (codes.code(p)?, codes.code(t)?);
            said[i] += 1.0;
            is[j] += 1.0;
            hit[i] += f64::from(u8::from(i == j));
            names[i].get_or_insert_with(|| p.clone());
            names[j].get_or_insert_with(|| t.clone());
        }
        let s = predicted.len() as f64;
        let right: f64 = hit.iter().sum();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let spread = (s * s - dot(&said, &said)).sqrt() * (s * s - dot(&is, &is)).sqrt();
        let mcc = (spread > 0.0).then(|| (right * s - dot(&said, &is)) / spread);
        let f1 = |k: usize| 2.0 * hit[k] / (said[k] + is[k]);
        let rate = |all: f64, k: usize| (all > 0.0).then(|| hit[k] / all);
        let class = |(k, label): (usize, Option<Label>)| {
            let (precision, recall) = (rate(said[k], k), rate(is[k], k));
            label.map(|label| Class {
                label,
                precision,
                recall,
                f1: f1(k),
                support: crate::order::index(is[k]) as u64,
            })
        };
        Ok(Output {
            mcc: mcc.or((self.undefined == Undefined::Zero).then_some(0.0)),
            accuracy: right / s,
            macro_f1: (0..q).map(f1).sum::<f64>() / q as f64,
            weighted_f1: (0..q).map(|k| is[k] * f1(k)).sum::<f64>() / s,
            classes: names.into_iter().enumerate().filter_map(class).collect(),
        })
    }
}

impl Function for Mcc {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        self.classify(&input.predicted, &input.reference)
    }
}

guerdon_core::method! {
    Mcc: Function,
    id: "stats.mcc",
    papers: ["mpbench-2025", "mr-gsm8k-2023"],
    status: Verified(Worked("TP 1100, FN 327, TN 1200, FP 373: 0.533175; TP 3, FP 1, TN 1, FN 1: 0.25")),
    laws: [PermutationInvariant],
    exempt: [Symmetric: "MCC and accuracy are symmetric; precision, recall and support change places."],
    aliases: ["stats.f1"],
    samples: [
        r#"{"predicted": ["a", "b", "a", "c"], "reference": ["a", "b", "c", "c"]}"#,
        r#"{"predicted": [1, 0, 1, 1], "reference": [1, 0, 0, 1]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Mcc, Undefined, binary_mcc};
    use crate::labels::Label;

    #[test]
    fn published_values() {
        assert!((binary_mcc(1100.0, 373.0, 1200.0, 327.0).unwrap() - 0.533_175).abs() < 1e-6);
        assert_eq!(binary_mcc(1.0, 1.0, 0.0, 0.0), None);
    }

    #[test]
    fn many_classes_reduce_to_two() {
        let labels = |v: &[u8]| v.iter().map(|x| Label::from(f64::from(*x))).collect::<Vec<_>>();
        let (p, t) = (labels(&[1, 1, 1, 1, 0, 0]), labels(&[1, 1, 1, 0, 0, 1]));
        let out = Mcc::default().classify(&p, &t).unwrap();
        assert!((out.mcc.unwrap() - 0.25).abs() < 1e-12);
        assert!(
            (out.classes[1].f1 - 0.75).abs() < 1e-12 && (out.classes[0].f1 - 0.5).abs() < 1e-12
        );
    }

    #[test]
    fn the_constant_answer_is_shown_up_by_macro_f1() {
        let truth: Vec<Label> =
            (0..10).map(|i| Label::from(if i < 2 { "reversed" } else { "upheld" })).collect();
        let out = Mcc { undefined: Undefined::Null }
            .classify(&vec![Label::from("upheld"); 10], &truth)
            .unwrap();
        assert!(
            (out.accuracy - 0.8).abs() < 1e-12 && (out.macro_f1 - 0.444_444_444_444).abs() < 1e-9
        );
        assert_eq!(out.mcc, None);
    }
}
