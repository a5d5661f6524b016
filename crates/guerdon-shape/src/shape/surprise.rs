//! A bonus for what was not expected: information gained about a state, surprisal, or prediction error.
//!
//! # Formula
//!
//! ```text
//! r'_i = r_i + β · S_i
//! bayesian   S = KL(N(μ, σ²) ‖ N(μ₀, σ₀²))     columns mean, std, prior_mean, prior_std
//! surprisal  S = −log-probability              column `logprob`
//! error      S = (mean − prior_mean)²          columns mean, prior_mean
//! ```
//!
//! In nats. Where the columns hold values per step (or per latent dimension), S sums over them. `β` is `weight`.
//!
//! # When to use it
//!
//! As intrinsic reward for exploration inside a learned model. `error` is drawn to noise that cannot be learned;
//! `bayesian` is not, since noise leaves prior and posterior alike.
//!
//! # Departures
//!
//! The model that gives prior and posterior is the user's: they arrive as columns. Deviations below 1e-9 count as 1e-9.
//!
//! # Example
//!
//! ```yaml
//! use: shape.surprise
//! kind: bayesian
//! mean: posterior_mean
//! std: posterior_std
//! weight: 0.1
//! ```
//!
//! ```
//! use guerdon_shape::shape::model_penalty::normal_kl;
//! assert!((normal_kl(1.0, 0.5, 0.0, 1.0) - 0.818147).abs() < 1e-6);
//! ```
//!
//! # References
//!
//! Mazzaglia et al., "Choreographer: Learning and Adapting Skills in Imagination", 2022.

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fine::settle;
use super::model_penalty::normal_kl;

/// What counts as surprise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// How far a belief moved.
    #[default]
    Bayesian,
    /// How improbable the outcome was.
    Surprisal,
    /// How wrong the prediction was.
    Error,
}

/// Parameters of `shape.surprise`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Surprise {
    /// What counts as surprise. Default `bayesian`.
    pub kind: Kind,
    /// Column with the posterior mean, or the outcome. Default `mean`.
    pub mean: String,
    /// Column with the posterior standard deviation. Default `std`.
    pub std: String,
    /// Column with the prior mean, or the prediction. Default `prior_mean`.
    pub prior_mean: String,
    /// Column with the prior standard deviation. Default `prior_std`.
    pub prior_std: String,
    /// Column with the log-probability of the outcome, in nats. Default `logprob`.
    pub logprob: String,
    /// Weight β of the bonus. Finite; default 1.
    pub weight: f64,
}

impl Default for Surprise {
    fn default() -> Self {
        Self {
            kind: Kind::Bayesian,
            mean: "mean".to_owned(),
            std: "std".to_owned(),
            prior_mean: "prior_mean".to_owned(),
            prior_std: "prior_std".to_owned(),
            logprob: "logprob".to_owned(),
            weight: 1.0,
        }
    }
}

impl Params for Surprise {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("weight", self.weight, f64::NEG_INFINITY, f64::INFINITY)
    }
}

impl Surprise {
    fn names(&self) -> Vec<&String> {
        match self.kind {
            Kind::Bayesian => vec![&self.mean, &self.std, &self.prior_mean, &self.prior_std],
            Kind::Surprisal => vec![&self.logprob],
            Kind::Error => vec![&self.mean, &self.prior_mean],
        }
    }

    /// The surprise of one position: the columns in the order of the formula.
    fn one(&self, columns: &[f64]) -> f64 {
        match (self.kind, columns) {
            (Kind::Bayesian, [mean, std, prior_mean, prior_std]) => {
                normal_kl(*mean, *std, *prior_mean, *prior_std)
            }
            (Kind::Error, [mean, prior_mean]) => (mean - prior_mean) * (mean - prior_mean),
            (_, [logprob]) => -logprob,
            _ => 0.0,
        }
    }

    /// The surprise of a row: summed over the values within it, where there are any.
    fn row(&self, columns: &[&Column], row: usize) -> Result<Option<f64>, MethodError> {
        let Some(own) = columns.iter().map(|c| c.get(row)).collect::<Option<Vec<f64>>>() else {
            return Ok(None);
        };
        let inner: Vec<&[f64]> =
            columns.iter().map(|c| c.fine.as_ref().map_or(&[][..], |f| f.row(row))).collect();
        let n = inner[0].len();
        for (values, name) in inner.iter().zip(self.names()) {
            MethodError::same_length((name, values.len()), (self.names()[0], n))?;
        }
        if n == 0 {
            return Ok(Some(self.one(&own)));
        }
        let at = |t: usize| self.one(&inner.iter().map(|values| values[t]).collect::<Vec<_>>());
        Ok(Some((0..n).map(at).sum()))
    }
}

impl Transform for Surprise {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let current = view.current()?;
        let columns: Vec<&Column> =
            self.names().into_iter().map(|n| view.frame.column(n)).collect::<Result<_, _>>()?;
        let mut out = Vec::with_capacity(current.len());
        for (row, reward) in current.iter().enumerate() {
            let surprise = self.row(&columns, row)?;
            out.push(reward.zip(surprise).map(|(r, s)| r + self.weight * s));
        }
        Ok(settle(current, Column::from_options(out)))
    }

    fn reads(&self) -> Vec<String> {
        self.names().into_iter().cloned().collect()
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }
}

guerdon_core::method! {
    Surprise: Transform,
    id: "shape.surprise",
    papers: ["choreographer-2022"],
    status: Verified(Worked("KL of N(1, 0.5²) from N(0, 1) is 0.818147")),
    laws: [GroupLocal],
    exempt: [],
    sample_params: r#"{"kind": "error", "mean": "b", "prior_mean": "score"}"#,
}

#[cfg(test)]
mod tests {
    use super::{Kind, Surprise};
    use guerdon_core::method::Transform as _;
    use guerdon_core::{Column, Fine, Frame, Groups, Level, View};

    fn check(kind: Kind, columns: &[(&str, &[f64])], expect: f64) {
        let mut frame = Frame::new(Groups::one(1));
        for (name, values) in columns {
            let mut column = Column::full(vec![values[0]]);
            if values.len() > 1 {
                column.fine = Some(Fine::from_rows(Level::Step, [*values]));
            }
            frame.insert(name, column).unwrap();
        }
        let current = Column::full(vec![1.0]);
        let view = View { frame: &frame, current: Some(&current), seed: 0 };
        let own = Surprise { kind, weight: 2.0, ..Surprise::default() }
            .apply(&view)
            .unwrap()
            .get(0)
            .unwrap();
        assert!((own - 1.0 - 2.0 * expect).abs() < 1e-6, "{own}");
    }

    #[test]
    fn worked_numbers() {
        check(
            Kind::Bayesian,
            &[("mean", &[1.0]), ("std", &[0.5]), ("prior_mean", &[0.0]), ("prior_std", &[1.0])],
            0.818_147,
        );
        check(Kind::Surprisal, &[("logprob", &[-2.5])], 2.5);
        check(Kind::Error, &[("mean", &[3.0]), ("prior_mean", &[1.0])], 4.0);
    }

    #[test]
    fn dimensions_add_up() {
        check(Kind::Error, &[("mean", &[3.0, 1.0]), ("prior_mean", &[1.0, 0.0])], 5.0);
    }
}
