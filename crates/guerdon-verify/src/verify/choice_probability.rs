//! Choice probability: the probability of an option, read from the next-token probabilities of the option letters.
//!
//! # Formula
//!
//! ```text
//! m_p(X) = P(prefix p + letter X)      p* = argmax_p Σ_X m_p(X)      R(X) = m_p*(X) / Σ_Y m_p*(Y)
//! score = R(positive)                  or Σ_X R(X) · value_X          averaged over the orders of the options
//! ```
//!
//! The column `next` maps tokens to probabilities (or natural-log probabilities, with `log`), or is a list of objects
//! `{"order": "BA", "probabilities": {...}}`, one per order: the k-th letter of `choices` then showed the k-th option of `order`.
//!
//! # When to use it
//!
//! To read a calibrated risk score or preference off a multiple-choice question without sampling. The score's confidence is
//! the total mass on the letters; a small mass means that the model wanted to say something else.
//!
//! # Departures
//!
//! A mass below `min_mass` leaves the row unscored, where the reference implementation warns (below 0.1).
//!
//! # Example
//!
//! ```yaml
//! use: verify.choice_probability
//! choices: AB
//! positive: B
//! ```
//!
//! ```
//! use guerdon_verify::verify::choice_probability::ChoiceProbability;
//! let next = [(" A", 0.30), (" B", 0.10), ("A", 0.02), ("B", 0.01)];
//! let next: Vec<_> = next.iter().map(|(t, p)| (t.to_string(), *p)).collect();
//! let (shares, mass) = ChoiceProbability::default().shares(&next).unwrap();
//! assert!((shares[1] - 0.25).abs() < 1e-12 && (mass - 0.4).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! Cruz et al., "Evaluating language models as risk scores" (folktexts), 2024.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::column::number;
use super::records;

/// Parameters of `verify.choice_probability`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChoiceProbability {
    /// Column with the next-token probabilities. Default `next`.
    pub next: String,
    /// The option letters, each once, 2 to 26. Default `AB`.
    pub choices: String,
    /// The option whose probability is the score. Default `B`.
    pub positive: char,
    /// One number per option: the score is their expectation instead. Default none.
    pub values: Option<Vec<f64>>,
    /// What may stand before a letter in its token. Default nothing and a space.
    pub prefixes: Vec<String>,
    /// The column holds natural-log probabilities. Default false.
    pub log: bool,
    /// Least total probability of the letters, 0 to 1; below it the row is unscored. Default 0.1.
    pub min_mass: f64,
}

impl Default for ChoiceProbability {
    fn default() -> Self {
        Self {
            next: "next".into(),
            choices: "AB".into(),
            positive: 'B',
            values: None,
            prefixes: vec![String::new(), " ".into()],
            log: false,
            min_mass: 0.1,
        }
    }
}

impl Params for ChoiceProbability {
    fn validate(&self) -> Result<(), ParamError> {
        records::named("next", &self.next)?;
        ParamError::in_range("min_mass", self.min_mass, 0.0, 1.0)?;
        let letters: Vec<char> = self.choices.chars().collect();
        let twice = letters.iter().enumerate().any(|(i, c)| letters[..i].contains(c));
        if twice || !(2..=26).contains(&letters.len()) {
            return Err(ParamError::new("choices", "`choices` must be 2 to 26 different letters"));
        }
        if self.values.is_none() && !letters.contains(&self.positive) {
            return Err(ParamError::new(
                "positive",
                format!(
                    "`positive` ({}) must be one of `choices` ({})",
                    self.positive, self.choices
                ),
            ));
        }
        if let Some(values) = &self.values
            && (values.len() != letters.len() || values.iter().any(|v| !v.is_finite()))
        {
            return Err(ParamError::new(
                "values",
                "`values` must hold one finite number per choice",
            ));
        }
        if self.prefixes.is_empty() {
            return Err(ParamError::new("prefixes", "`prefixes` must hold at least one prefix"));
        }
        Ok(())
    }
}

impl ChoiceProbability {
    /// The share of every letter, in the order of `choices`, under the prefix with most mass, and that mass.
    pub fn shares(&self, next: &[(String, f64)]) -> Result<(Vec<f64>, f64), Unscored> {
        let mut best: (Vec<f64>, f64) = (Vec::new(), 0.0);
        for prefix in &self.prefixes {
            let of = |letter: char| {
                let tokens = next.iter().filter(|(token, _)| {
                    token
                        .strip_prefix(prefix.as_str())
                        .is_some_and(|rest| rest.chars().eq([letter]))
                });
                tokens.map(|(_, p)| p).sum::<f64>()
            };
            let shares: Vec<f64> = self.choices.chars().map(of).collect();
            let mass = shares.iter().sum::<f64>();
            if mass > best.1 {
                best = (shares, mass);
            }
        }
        let (mut shares, mass) = best;
        if mass < self.min_mass || shares.is_empty() {
            return Err(Unscored::abstained(format!(
                "the letters have a probability of {mass:.3}, less than `min_mass`"
            )));
        }
        shares.iter_mut().for_each(|p| *p /= mass);
        Ok((shares, mass.min(1.0)))
    }

    fn probabilities(&self, map: &Map<String, Value>) -> Result<Vec<(String, f64)>, Unscored> {
        let read = |(token, value): (&String, &Value)| {
            let p = if self.log { number(value)?.exp() } else { number(value)? };
            if (0.0..=1.0 + 1e-6).contains(&p) {
                return Ok((token.clone(), p));
            }
            Err(Unscored::invalid(format!("{value} of the token {token:?} is no probability")))
        };
        map.iter().map(read).collect()
    }

    /// The share of every option, where the letters showed the options in this order.
    fn ordered(&self, item: &Value) -> Result<(Vec<f64>, f64), Unscored> {
        let map = item.get("probabilities").and_then(Value::as_object);
        let map =
            map.ok_or_else(|| Unscored::invalid("an order needs `probabilities`, an object"))?;
        let (by_letter, mass) = self.shares(&self.probabilities(map)?)?;
        let order = item.get("order").and_then(Value::as_str).unwrap_or(&self.choices);
        let at = |option: char| order.chars().position(|c| c == option);
        let shares: Option<Vec<f64>> = self
            .choices
            .chars()
            .map(|option| at(option).and_then(|k| by_letter.get(k)).copied())
            .collect();
        let shares =
            shares.filter(|_| order.chars().count() == by_letter.len()).ok_or_else(|| {
                Unscored::invalid(format!("the order {order:?} does not name every choice once"))
            })?;
        Ok((shares, mass))
    }

    fn reading(&self, shares: &[f64]) -> f64 {
        if let Some(values) = &self.values {
            return shares.iter().zip(values).map(|(p, v)| p * v).sum();
        }
        let pairs = self.choices.chars().zip(shares);
        pairs.filter(|(c, _)| *c == self.positive).map(|(_, p)| p).sum()
    }
}

impl Signal for ChoiceProbability {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let orders = match records::value(rollout, &self.next)? {
            Value::Object(map) => vec![self.shares(&self.probabilities(map)?)?],
            other => {
                let items = records::list(other).map_err(|why| records::at(&self.next, &why))?;
                items.iter().map(|item| self.ordered(item)).collect::<Result<Vec<_>, _>>()?
            }
        };
        let n = orders.len() as f64;
        let mut score =
            Score::new(orders.iter().map(|(shares, _)| self.reading(shares)).sum::<f64>() / n)?;
        score.confidence = Some(orders.iter().map(|(_, mass)| mass).sum::<f64>() / n);
        Ok(score)
    }

    fn range(&self) -> Option<(f64, f64)> {
        // The mean of shares may exceed 1 by rounding only where they are expectations of given values.
        None
    }

    fn reads_completion(&self) -> bool {
        false
    }
}

guerdon_core::method! {
    ChoiceProbability: Signal,
    id: "verify.choice_probability",
    papers: ["folktexts-2024"],
    status: Verified(Worked("folktexts: letters with and without a space; values 1, 2, 3")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [
        DegenerateEarnsNothing: "The probabilities come from the data, not from the completion's text.",
        InjectionGainsNothing: "The probabilities come from the data, not from the completion's text.",
    ],
    samples: [r#"{"completion": "B", "next": {" A": 0.0, " B": 0.8}}"#],
}

#[cfg(test)]
mod tests {
    use super::ChoiceProbability;
    use guerdon_core::Rollout;
    use guerdon_core::method::{Params as _, Signal as _};
    use serde_json::{Value, json};

    fn check(params: &ChoiceProbability, next: Value, expect: Option<f64>) {
        let mut rollout = Rollout::default();
        rollout.columns.insert("next".into(), next);
        let got = params.score(&rollout).ok().map(|s| s.value());
        let near = |(a, b): (f64, f64)| (a - b).abs() < 1e-12;
        assert!(got.is_some() == expect.is_some() && got.zip(expect).is_none_or(near), "{got:?}");
    }

    #[test]
    fn the_prefix_with_more_mass_counts() {
        let params = ChoiceProbability::default();
        let next = json!({" A": 0.30, " B": 0.10, "A": 0.02, "B": 0.01});
        check(&params, next, Some(0.25));
        check(&params, json!({"A": 0.02, "B": 0.01}), None);
        check(&params, json!({"A": 1.5}), None);
    }

    #[test]
    fn expectations_of_values() {
        let params = ChoiceProbability {
            choices: "ABC".into(),
            values: Some(vec![1.0, 2.0, 3.0]),
            ..ChoiceProbability::default()
        };
        check(&params, json!({"A": 0.2, "B": 0.5, "C": 0.3}), Some(2.1));
    }

    #[test]
    fn orders_are_averaged() {
        let params = ChoiceProbability::default();
        let next = json!([
            {"order": "AB", "probabilities": {"A": 0.6, "B": 0.2}},
            {"order": "BA", "probabilities": {"A": 0.4, "B": 0.4}},
        ]);
        check(&params, next, Some(0.375));
        check(&params, json!([{"order": "BB", "probabilities": {"A": 0.6, "B": 0.2}}]), None);
    }

    #[test]
    fn logs_and_bad_parameters() {
        let params = ChoiceProbability { log: true, ..ChoiceProbability::default() };
        check(&params, json!({"A": 0.5_f64.ln(), "B": 0.5_f64.ln()}), Some(0.5));
        assert!(ChoiceProbability { positive: 'Z', ..params }.validate().is_err());
    }
}
