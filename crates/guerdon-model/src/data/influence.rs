//! Influence scores: ranks training items by what training leaves behind, and keeps a part.
//!
//! # Formula
//!
//! ```text
//! vog              mean over inputs of the standard deviation over checkpoints of the gradient   (form: std)
//!                  mean over inputs of √(1/K) · Σ (g − μ)²                                         (form: squares)
//!                  then standardised within the class, with `per_class`
//! el2n             ‖p − onehot(y)‖₂
//! forgetting       number of times that a right prediction became wrong
//! pvi              log p(y | x) − log p(y | no x), in nats
//! tracin           Σ over checkpoints of rate · ⟨gradient of the item, gradient of the test⟩
//! posterior_ratio  C · softmax(scores over a pool of C)[own]
//! ```
//!
//! Then the share `keep` is kept from the `hard` end (high scores; for `pvi` low ones), from the `easy` end, or from the
//! `middle`; with `per_class` the same share of each class.
//!
//! # When to use it
//!
//! To prune data. On clean data the hard half keeps accuracy; with wrong labels the hard half is mostly those: take the middle
//! or the easy end.
//!
//! # Departures
//!
//! The artefacts (gradients, probabilities, predictions) are recorded elsewhere.
//!
//! # Example
//!
//! ```yaml
//! use: data.influence
//! score: el2n
//! keep: 0.5
//! end: middle
//! ```
//!
//! ```
//! use guerdon_model::data::influence::el2n;
//! assert!((el2n(&[0.7, 0.2, 0.1], 0) - 0.37417).abs() < 1e-5);
//! ```
//!
//! # References
//!
//! Anand et al., "Influence Scores at Scale for Efficient Language Data Sampling", 2023. "Conservative Offline Robot Policy
//! Learning via Posterior-Transition Reweighting", 2026 (`posterior_ratio`).

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::moments::moments;
use crate::portion;

/// The score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Score {
    /// Variance of gradients over checkpoints.
    Vog,
    /// Distance of the predicted probabilities from the label.
    #[default]
    El2n,
    /// Forgetting events.
    Forgetting,
    /// Pointwise V-information.
    Pvi,
    /// Gradient tracing.
    Tracin,
    /// How recognisable the item's outcome is in a pool.
    PosteriorRatio,
}

/// The end of the ranking that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The hardest items.
    #[default]
    Hard,
    /// Those in the middle.
    Middle,
    /// The easiest items.
    Easy,
}

/// The form of the gradient variance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Standard deviation over checkpoints.
    #[default]
    Std,
    /// Sum of squares times √(1/K).
    Squares,
}

/// Parameters of `data.influence`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Influence {
    /// The score. Default `el2n`.
    pub score: Score,
    /// Share of the items to keep. Greater than 0, at most 1; default 0.5.
    pub keep: f64,
    /// The end of the ranking that is kept. Default `hard`.
    pub end: End,
    /// Whether `vog` is standardised, and the share taken, within each class. Default false.
    pub per_class: bool,
    /// The form of `vog`. Default `std`.
    pub form: Form,
}

impl Default for Influence {
    fn default() -> Self {
        Self { score: Score::El2n, keep: 0.5, end: End::Hard, per_class: false, form: Form::Std }
    }
}

impl Params for Influence {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("keep", self.keep)?;
        ParamError::in_range("keep", self.keep, 0.0, 1.0)
    }
}

/// What training left behind of one item. Only what the score needs must be given.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Item {
    /// Index of its class.
    pub class: usize,
    /// Probability of each class, early in training (`el2n`).
    pub probabilities: Vec<f64>,
    /// At each checkpoint the gradient of the true class with respect to each input (`vog`), or of the item's loss (`tracin`).
    pub gradients: Vec<Vec<f64>>,
    /// At each checkpoint the gradient of the test loss (`tracin`).
    pub test_gradients: Vec<Vec<f64>>,
    /// The learning rate at each checkpoint (`tracin`).
    pub rates: Vec<f64>,
    /// Whether the prediction was right after each epoch (`forgetting`).
    pub right: Vec<bool>,
    /// Natural-log probability of the label with the input and without it (`pvi`).
    pub log_probs: Option<(f64, f64)>,
    /// Scores over the pool, the item's own outcome first (`posterior_ratio`).
    pub pool: Vec<f64>,
}

/// Input of `data.influence`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The items.
    pub items: Vec<Item>,
}

/// Output of `data.influence`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The score of each item.
    pub scores: Vec<f64>,
    /// Indices of the items kept, ascending.
    pub kept: Vec<usize>,
}

/// Distance of `probabilities` from the label `class`.
pub fn el2n(probabilities: &[f64], class: usize) -> f64 {
    let off = |(k, p): (usize, &f64)| (p - f64::from(u8::from(k == class))).powi(2);
    probabilities.iter().enumerate().map(off).sum::<f64>().sqrt()
}

/// Number of times that a right prediction became wrong.
pub fn forgetting(right: &[bool]) -> usize {
    right.windows(2).filter(|pair| pair[0] && !pair[1]).count()
}

/// Variance of gradients: `gradients` has one list per checkpoint, all equally long.
pub fn vog(gradients: &[Vec<f64>], form: Form) -> Option<f64> {
    let checkpoints = gradients.len() as f64;
    let inputs = gradients.first()?.len();
    if inputs == 0 || gradients.iter().any(|own| own.len() != inputs) {
        return None;
    }
    let spread = |x: usize| {
        let (_, std) = moments(&gradients.iter().map(|own| own[x]).collect::<Vec<_>>())?;
        Some(if form == Form::Std { std } else { checkpoints.sqrt() * std * std })
    };
    let total: f64 = (0..inputs).map(spread).sum::<Option<f64>>()?;
    Some(total / inputs as f64)
}

/// Pool size times the probability of the first entry under a softmax of `pool`; 1 when the scores say nothing.
pub fn posterior_ratio(pool: &[f64]) -> Option<f64> {
    let largest = pool.iter().copied().reduce(f64::max)?;
    let total: f64 = pool.iter().map(|s| (s - largest).exp()).sum();
    Some((pool[0] - largest).exp() / total * pool.len() as f64)
}

/// Gradient tracing: learning rate times inner product, summed over checkpoints.
pub fn tracin(item: &Item) -> Option<f64> {
    let n = item.gradients.len();
    if n == 0 || item.test_gradients.len() != n || item.rates.len() != n {
        return None;
    }
    let inner = |k: usize| {
        let (own, test) = (&item.gradients[k], &item.test_gradients[k]);
        let product: f64 = own.iter().zip(test).map(|(a, b)| a * b).sum();
        (own.len() == test.len()).then_some(item.rates[k] * product)
    };
    (0..n).map(inner).sum()
}

impl Influence {
    fn score(&self, item: &Item) -> Option<f64> {
        match self.score {
            Score::Vog => vog(&item.gradients, self.form),
            Score::El2n => (item.class < item.probabilities.len())
                .then(|| el2n(&item.probabilities, item.class)),
            Score::Forgetting => (!item.right.is_empty()).then(|| forgetting(&item.right) as f64),
            Score::Pvi => item.log_probs.map(|(with, without)| with - without),
            Score::Tracin => tracin(item),
            Score::PosteriorRatio => posterior_ratio(&item.pool),
        }
    }

    fn scores(&self, items: &[Item]) -> Result<Vec<f64>, MethodError> {
        let one = |(i, item): (usize, &Item)| {
            self.score(item).filter(|s| s.is_finite()).ok_or_else(|| {
                MethodError::domain(format!(
                    "item {i} lacks what the score `{}` needs, or it overflows",
                    name(self.score)
                ))
            })
        };
        let mut scores = items.iter().enumerate().map(one).collect::<Result<Vec<_>, _>>()?;
        if self.score == Score::Vog && self.per_class {
            for own in self.classes(items) {
                let part: Vec<f64> = own.iter().map(|&i| scores[i]).collect();
                let (mean, std) = moments(&part).unwrap_or_default();
                for i in own {
                    scores[i] = if std > 0.0 { (scores[i] - mean) / std } else { 0.0 };
                }
            }
        }
        Ok(scores)
    }

    /// The items of each class, or all of them.
    fn classes(&self, items: &[Item]) -> Vec<Vec<usize>> {
        let mut classes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (i, item) in items.iter().enumerate() {
            classes.entry(if self.per_class { item.class } else { 0 }).or_default().push(i);
        }
        classes.into_values().collect()
    }

    fn keep(&self, own: &[usize], scores: &[f64]) -> Vec<usize> {
        let part: Vec<f64> = own.iter().map(|&i| scores[i]).collect();
        // A low V-information is a hard item; every other score grows with difficulty.
        let hard_first = if self.score == Score::Pvi {
            portion::ascending(&part)
        } else {
            portion::descending(&part)
        };
        let count = portion::count(self.keep, own.len());
        let skip = match self.end {
            End::Hard => 0,
            End::Middle => (own.len() - count) / 2,
            End::Easy => own.len() - count,
        };
        hard_first.into_iter().skip(skip).take(count).map(|k| own[k]).collect()
    }
}

fn name(score: Score) -> &'static str {
    match score {
        Score::Vog => "vog",
        Score::El2n => "el2n",
        Score::Forgetting => "forgetting",
        Score::Pvi => "pvi",
        Score::Tracin => "tracin",
        Score::PosteriorRatio => "posterior_ratio",
    }
}

impl Function for Influence {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let scores = self.scores(&input.items)?;
        let mut kept: Vec<usize> =
            self.classes(&input.items).iter().flat_map(|own| self.keep(own, &scores)).collect();
        kept.sort_unstable();
        Ok(Output { scores, kept })
    }
}

guerdon_core::method! {
    Influence: Function,
    id: "data.influence",
    papers: ["influence-scores-2023", "ptr-2026"],
    status: Verified(Worked("EL2N, VoG in both forms, forgetting; a posterior ratio over a pool of four")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"items": [{"class": 0, "probabilities": [0.7, 0.2, 0.1]}, {"class": 2, "probabilities": [0.7, 0.2, 0.1]},
            {"class": 1, "probabilities": [0.1, 0.8, 0.1]}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{End, Form, Influence, Input, Item, Score, el2n, forgetting, posterior_ratio, vog};
    use guerdon_core::method::Function as _;

    fn close(own: f64, expect: f64) {
        assert!((own - expect).abs() < 1e-5, "{own}, not {expect}");
    }

    #[test]
    fn worked_scores() {
        close(el2n(&[0.7, 0.2, 0.1], 0), 0.37417);
        let gradients = [vec![0.1, 0.4], vec![0.3, 0.4], vec![0.5, 0.4]];
        close(vog(&gradients, Form::Std).unwrap(), 0.08165);
        close(vog(&gradients, Form::Squares).unwrap(), 0.02309);
        assert_eq!(forgetting(&[true, false, true, false]), 2);
        close(posterior_ratio(&[2.0, 0.0, 0.0, 0.0]).unwrap(), 2.84494);
        close(posterior_ratio(&[5.0; 7]).unwrap(), 1.0);
    }

    #[test]
    fn gradient_tracing_is_an_inner_product() {
        let item = Item {
            gradients: vec![vec![1.0, 2.0], vec![0.5, 0.0]],
            test_gradients: vec![vec![3.0, 1.0], vec![2.0, 9.0]],
            rates: vec![0.1, 1.0],
            ..Item::default()
        };
        close(super::tracin(&item).unwrap(), 1.5);
    }

    fn check(params: &Influence, expect: &[usize]) {
        let item = |(class, p): (usize, f64)| Item {
            class,
            probabilities: vec![p, 1.0 - p],
            ..Item::default()
        };
        let items = [(0, 0.9), (0, 0.1), (0, 0.5), (0, 0.7), (1, 0.2), (1, 0.6)].map(item).to_vec();
        assert_eq!(params.call(&Input { items }, 0).unwrap().kept, expect);
    }

    #[test]
    fn each_end() {
        check(&Influence::default(), &[1, 2, 5]);
        check(&Influence { end: End::Easy, ..Influence::default() }, &[0, 3, 4]);
        check(&Influence { end: End::Middle, keep: 1.0 / 3.0, ..Influence::default() }, &[2, 3]);
        check(&Influence { per_class: true, ..Influence::default() }, &[1, 2, 5]);
    }

    #[test]
    fn what_is_missing_is_an_error() {
        let vog = Influence { score: Score::Vog, ..Influence::default() };
        let error = vog.call(&Input { items: vec![Item::default()] }, 0).unwrap_err();
        assert!(error.to_string().contains("item 0 lacks what the score `vog` needs"));
    }
}
