//! What a candidate counts: one number out of its score, its step scores or its log-probability.

use guerdon_core::Unscored;
use guerdon_core::method::Candidates;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a candidate's number comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// 1 for every candidate.
    Uniform,
    /// Its score.
    #[default]
    Score,
    /// exp of its log-probability.
    Probability,
    /// Its log-probability.
    Logprob,
    /// The smallest of its step scores.
    StepsMin,
    /// The last of its step scores.
    StepsLast,
    /// The mean of its step scores.
    StepsMean,
    /// The product of its step scores.
    StepsProduct,
    /// Its score plus the product of its step scores (outcome and process together).
    ScorePlusProduct,
}

impl Source {
    /// Whether the number is read off step scores.
    pub fn needs_steps(self) -> bool {
        !matches!(self, Self::Uniform | Self::Score | Self::Probability | Self::Logprob)
    }

    /// Joins the step scores of one candidate; `None` without steps or where the source reads none.
    pub fn join(self, steps: &[f64]) -> Option<f64> {
        let last = *steps.last()?;
        match self {
            Self::StepsMin => Some(steps.iter().copied().fold(f64::INFINITY, f64::min)),
            Self::StepsLast => Some(last),
            Self::StepsMean => Some(steps.iter().sum::<f64>() / steps.len() as f64),
            Self::StepsProduct | Self::ScorePlusProduct => Some(steps.iter().product()),
            _ => None,
        }
    }

    /// The number of every candidate; `None` where it is not known. `no_steps` stands in for an empty list of steps.
    pub fn of(
        self,
        candidates: &Candidates,
        no_steps: Option<f64>,
    ) -> Result<Vec<Option<f64>>, Unscored> {
        candidates.check()?;
        let n = candidates.len();
        if self.needs_steps() && candidates.step_scores.is_empty() && n > 0 {
            return Err(Unscored::missing("the candidates have no `step_scores`"));
        }
        let score = |i: usize| candidates.scores.get(i).copied().flatten();
        let logprob = |i: usize| candidates.logprobs.get(i).copied().flatten();
        let join = |i: usize| candidates.step_scores.get(i).and_then(|s| self.join(s).or(no_steps));
        let values: Vec<Option<f64>> = (0..n)
            .map(|i| match self {
                Self::Uniform => Some(1.0),
                Self::Score => score(i),
                Self::Logprob => logprob(i),
                Self::Probability => logprob(i).map(f64::exp),
                Self::ScorePlusProduct => Some(score(i)? + join(i)?),
                _ => join(i),
            })
            .collect();
        match values.iter().flatten().find(|v| !v.is_finite()) {
            Some(_) => Err(Unscored::invalid("a candidate's number overflows: rescale the scores")),
            None if values.iter().all(Option::is_none) && n > 0 => {
                Err(Unscored::missing(format!("no candidate has what `{self:?}` reads")))
            }
            None => Ok(values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Source;
    use guerdon_core::method::Candidates;

    #[test]
    fn steps_are_joined() {
        let steps = [0.5, 0.2, 0.8];
        assert_eq!(Source::StepsMin.join(&steps), Some(0.2));
        assert_eq!(Source::StepsLast.join(&steps), Some(0.8));
        assert_eq!(Source::StepsMean.join(&steps), Some(0.5));
        assert_eq!(Source::StepsProduct.join(&steps), Some(0.5 * 0.2 * 0.8));
        assert_eq!(Source::StepsMin.join(&[]), None);
    }

    #[test]
    fn what_is_missing_is_said() {
        let candidates = Candidates { answers: vec![Some("a".into())], ..Candidates::default() };
        assert!(Source::Score.of(&candidates, None).is_err());
        assert!(Source::StepsMin.of(&candidates, None).is_err());
        assert_eq!(Source::Uniform.of(&candidates, None), Ok(vec![Some(1.0)]));
    }
}
