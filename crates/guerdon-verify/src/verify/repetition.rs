//! Repetition: the share of n-grams that repeat an earlier one, as a penalty, or the share that does not.
//!
//! # Formula
//!
//! ```text
//! unique = (different n-grams) / (all n-grams)        1 where the text has fewer than n units
//! penalty        −max_penalty · (1 − unique)
//! unique_share   unique
//! ```
//!
//! An n-gram is a run of `n` units: lower-case words between white space, characters, or token ids from the column `tokens`.
//!
//! # When to use it
//!
//! Against loops and padding, beside a signal that judges. Long texts repeat n-grams by chance; with `n` 20 only copied
//! passages count.
//!
//! # Departures
//!
//! None from the reward of TRL (token ids) and of Open R1 (words, `n` 3): both start from the penalty of Yeo et al. Where
//! they take the maximum penalty as a negative number, `max_penalty` here is its size.
//!
//! # Example
//!
//! ```yaml
//! use: verify.repetition
//! n: 3
//! max_penalty: 1.0
//! ```
//!
//! ```
//! use guerdon_verify::verify::repetition::unique_share;
//! assert_eq!(unique_share(&["a", "b", "c", "a", "b", "c"], 3), 0.75);
//! ```
//!
//! # References
//!
//! Yeo et al., "Demystifying Long Chain-of-Thought Reasoning in LLMs", 2025, appendix C.2; "Preference-free Alignment
//! Learning with Regularized Relevance Reward", 2024 (unique trigrams).

use std::collections::HashSet;
use std::hash::Hash;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::records;

/// What an n-gram is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Lower-case words between white space.
    #[default]
    Words,
    /// Unicode scalar values.
    Characters,
    /// Token ids of the column `tokens`.
    Tokens,
}

/// What the share becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A penalty: 0 where nothing repeats, towards −`max_penalty`.
    #[default]
    Penalty,
    /// The share of n-grams that are new.
    UniqueShare,
}

/// Parameters of `verify.repetition`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Repetition {
    /// What the share becomes. Default `penalty`.
    pub kind: Kind,
    /// Units per n-gram, 1 to 64. Default 3.
    pub n: usize,
    /// Size of the greatest penalty, at least 0. Default 1.
    pub max_penalty: f64,
    /// What an n-gram is made of. Default `words`.
    pub unit: Unit,
    /// Column with the token ids, for `unit: tokens`. Default `completion_ids`.
    pub tokens: String,
}

impl Default for Repetition {
    fn default() -> Self {
        Self {
            kind: Kind::Penalty,
            n: 3,
            max_penalty: 1.0,
            unit: Unit::Words,
            tokens: "completion_ids".into(),
        }
    }
}

impl Params for Repetition {
    fn validate(&self) -> Result<(), ParamError> {
        if !(1..=64).contains(&self.n) {
            return Err(ParamError::new("n", format!("`n` must be from 1 to 64, not {}", self.n)));
        }
        ParamError::in_range("max_penalty", self.max_penalty, 0.0, 1e9)?;
        records::named("tokens", &self.tokens)
    }
}

/// The share of the `n`-grams of `units` that differ from all earlier ones; 1 where there is none.
///
/// The work is the number of units times `n`. `n` must be at least 1.
pub fn unique_share<T: Hash + Eq>(units: &[T], n: usize) -> f64 {
    let total = (units.len() + 1).saturating_sub(n);
    if total == 0 {
        return 1.0;
    }
    let different: HashSet<&[T]> = units.windows(n).collect();
    different.len() as f64 / total as f64
}

impl Repetition {
    fn unique(&self, rollout: &Rollout) -> Result<f64, Unscored> {
        Ok(match self.unit {
            Unit::Words => {
                let lower = rollout.text().to_lowercase();
                unique_share(&lower.split_whitespace().collect::<Vec<_>>(), self.n)
            }
            Unit::Characters => unique_share(&rollout.text().chars().collect::<Vec<_>>(), self.n),
            Unit::Tokens => {
                let ids = records::numbers_at(rollout, &self.tokens)?;
                unique_share(&ids.iter().map(|id| id.to_bits()).collect::<Vec<_>>(), self.n)
            }
        })
    }

    /// The score of a text whose n-grams are new to this share, 0 to 1.
    pub fn value(&self, unique: f64) -> f64 {
        match self.kind {
            Kind::UniqueShare => unique,
            // Written so that nothing repeated gives 0, not −0.
            Kind::Penalty => self.max_penalty * (unique - 1.0),
        }
    }
}

impl Signal for Repetition {
    fn score(&self, rollout: &Rollout) -> Outcome {
        Score::new(self.value(self.unique(rollout)?))
    }

    fn range(&self) -> Option<(f64, f64)> {
        match self.kind {
            Kind::UniqueShare => Some((0.0, 1.0)),
            Kind::Penalty => (self.max_penalty > 0.0).then_some((-self.max_penalty, 0.0)),
        }
    }

    fn reads_completion(&self) -> bool {
        self.unit != Unit::Tokens
    }
}

guerdon_core::method! {
    Repetition: Signal,
    id: "verify.repetition",
    papers: ["r3-2024"],
    status: Verified(Reference("TRL's repetition penalty")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [
        DegenerateEarnsNothing: "A penalty on repetition is no judgement: a short empty phrase repeats nothing.",
        InjectionGainsNothing: "A penalty on repetition is no judgement: a wrong answer repeats nothing either.",
    ],
    samples: [
        r#"{"prompt": "q", "completion": "every word here is new"}"#,
        r#"{"prompt": "q", "completion": "First this, then that, then more."}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Kind, Repetition, Unit};
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;
    use serde_json::json;

    fn check(params: &Repetition, rollout: &Rollout, expect: f64) {
        let got = params.score(rollout).unwrap().value();
        assert!((got - expect).abs() < 1e-12, "{:?}: {got}, not {expect}", rollout.columns);
    }

    #[test]
    fn token_ids_as_in_trl() {
        let cases = [
            (json!([1, 2, 3, 4]), 0.0, 0.0),
            (json!([5, 5, 5, 5, 5]), -0.75, -2.0 / 3.0),
            (json!([1, 2, 1, 2, 1, 2]), -0.6, -0.5),
            (json!([1]), 0.0, 0.0),
            (json!([1, 2, 3, 1, 2, 3, 1]), -0.5, -0.4),
        ];
        for (ids, two, three) in cases {
            let mut rollout = Rollout::default();
            rollout.columns.insert("completion_ids".into(), ids);
            let params = |n| Repetition { unit: Unit::Tokens, n, ..Repetition::default() };
            check(&params(2), &rollout, two);
            check(&params(3), &rollout, three);
        }
    }

    #[test]
    fn words_and_characters() {
        let share = Repetition { kind: Kind::UniqueShare, ..Repetition::default() };
        check(&share, &Rollout::new("", "A b c a B c", ""), 0.75);
        check(&share, &Rollout::new("", "a b", ""), 1.0);
        let letters = Repetition { unit: Unit::Characters, n: 1, ..share };
        check(&letters, &Rollout::new("", "aabb", ""), 0.5);
    }
}
