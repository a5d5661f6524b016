//! Agreement of a referee's scores with known ranks: the reward of judging well.
//!
//! # Formula
//!
//! ```text
//! score = τ(scores, ranks)     Kendall's τ-a or τ-b, −1 to 1
//! ```
//!
//! Both are lists in the data (columns `scores` and `ranks`, one value per ranked response); a greater rank value means a
//! better response. Scores that are missing, no numbers or of another number get `unreadable`. A single response, or
//! all scores equal, says nothing of the order: 0.
//!
//! # When to use it
//!
//! To train a model that grades its own group of answers on preference data, beside its verifiable and open tasks
//! (`shape.dispatch` by kind).
//!
//! # Departures
//!
//! The paper marks unparsable scores −1, as here. Where every score or every rank is the same, τ-b is undefined: it counts as 0.
//!
//! # Example
//!
//! ```yaml
//! use: shape.kendall
//! scores: own_scores
//! ranks: true_ranks
//! ```
//!
//! ```
//! use guerdon_shape::shape::kendall::{Variant, tau};
//! let tau = tau(&[9.0, 7.0, 8.0, 3.0], &[4.0, 3.0, 2.0, 1.0], Variant::A).unwrap();
//! assert!((tau - 2.0 / 3.0).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! Lu et al., "URPO: A Unified Reward & Policy Optimization Framework for Large Language Models", 2025.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{MethodError, Outcome, ParamError, Rollout, Score, Unscored};
use guerdon_stats::correlation::KendallCounts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most responses that are ranked.
const MOST: usize = 100_000;

/// Which τ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// Over all pairs: a tie is half right.
    #[default]
    A,
    /// Over the pairs untied in both.
    B,
}

/// Parameters of `shape.kendall`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Kendall {
    /// Column with the list of scores that the model gave. Default `scores`.
    pub scores: String,
    /// Column with the list of true ranks, greater for better. Default `ranks`.
    pub ranks: String,
    /// Which τ. Default `a`.
    pub variant: Variant,
    /// What scores that cannot be read earn. −1 to 1; default −1.
    pub unreadable: f64,
}

impl Default for Kendall {
    fn default() -> Self {
        Self {
            scores: "scores".to_owned(),
            ranks: "ranks".to_owned(),
            variant: Variant::A,
            unreadable: -1.0,
        }
    }
}

impl Params for Kendall {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("unreadable", self.unreadable, -1.0, 1.0)
    }
}

/// τ of two equally long lists; 0 where it is undefined.
pub fn tau(scores: &[f64], ranks: &[f64], variant: Variant) -> Result<f64, MethodError> {
    if scores.is_empty() && ranks.is_empty() {
        return Ok(0.0);
    }
    let counts = KendallCounts::new(scores, ranks)?;
    let tau = match variant {
        Variant::A => counts.tau_a(),
        Variant::B => counts.tau_b(),
    };
    Ok(tau.unwrap_or(0.0))
}

/// The finite numbers of a list; `None` where it is no such list.
fn numbers(value: Option<&Value>) -> Option<Vec<f64>> {
    let items = value?.as_array()?;
    (items.len() <= MOST).then_some(())?;
    items.iter().map(|item| item.as_f64().filter(|x| x.is_finite())).collect()
}

impl Signal for Kendall {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let Some(ranks) = numbers(rollout.columns.get(&self.ranks)) else {
            return Err(Unscored::missing(format!(
                "the column `{}` must hold a list of at most {MOST} numbers",
                self.ranks
            )));
        };
        match numbers(rollout.columns.get(&self.scores)) {
            Some(scores) if scores.len() == ranks.len() => {
                Score::new(tau(&scores, &ranks, self.variant)?)
            }
            _ => Ok(Score::new(self.unreadable)?.because("the scores cannot be read")),
        }
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((-1.0, 1.0))
    }
}

guerdon_core::method! {
    Kendall: Signal,
    id: "shape.kendall",
    papers: ["urpo-2025"],
    status: Verified(Worked("ranks 4, 3, 2, 1 and scores 9, 7, 8, 3: 0.666667; with a tie τ-a 0.833333, τ-b 0.912871")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [
        DegenerateEarnsNothing: "The scores come from the data, not from the completion.",
        InjectionGainsNothing: "The scores come from the data, not from the completion.",
    ],
    samples: [r#"{"completion": "Scores: nine, seven", "scores": [9, 7, 5, 3], "ranks": [4, 3, 2, 1]}"#],
}

#[cfg(test)]
mod tests {
    use super::{Kendall, Variant, tau};
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;
    use serde_json::json;

    fn check(scores: &[f64], variant: Variant, expect: f64) {
        let own = tau(scores, &[4.0, 3.0, 2.0, 1.0], variant).unwrap();
        assert!((own - expect).abs() < 5e-7, "{own}, not {expect}");
    }

    #[test]
    fn worked_numbers() {
        check(&[9.0, 7.0, 8.0, 3.0], Variant::A, 0.666_667);
        check(&[9.0, 7.0, 7.0, 3.0], Variant::A, 0.833_333);
        check(&[9.0, 7.0, 7.0, 3.0], Variant::B, 0.912_871);
        check(&[5.0; 4], Variant::B, 0.0);
    }

    #[test]
    fn what_cannot_be_read_earns_least() {
        let score = |scores: serde_json::Value| {
            let columns = json!({"scores": scores, "ranks": [2, 1]}).as_object().unwrap().clone();
            Kendall::default().score(&Rollout { columns, ..Rollout::default() }).unwrap().value()
        };
        assert_eq!(score(json!([3, 1])), 1.0);
        assert_eq!(score(json!(["a", 1])), -1.0);
        assert_eq!(score(json!([1])), -1.0);
        assert_eq!(score(json!(null)), -1.0);
        assert!(Kendall::default().score(&Rollout::default()).is_err());
    }
}
