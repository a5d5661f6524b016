//! Length of the completion, as a number or as a test against bounds.
//!
//! # Formula
//!
//! ```text
//! without bounds:  score = length
//! with bounds:     score = 1 if min ≤ length ≤ max, else 0
//! ```
//!
//! `length` counts `unit`s: `characters` (Unicode scalar values), `words` (separated by white space), `lines`
//! (non-empty), `bytes` (UTF-8) or `tokens` (the recorded number of tokens, or those of a tokenizer).
//!
//! # When to use it
//!
//! Without bounds to watch length, to correlate it with other signals, and as input of `shape.length_penalty`; with bounds
//! as a format requirement. A raw length is no reward: nothing is easier to farm.
//!
//! # Departures
//!
//! None. Tokens are those that the data records (`tokens`, or the number of log-probabilities), unless `tokenizer` names the
//! `tokenizer.json` of a model, in Hugging Face's format: its tokens are counted without those that frame a text. Only builds
//! with the feature `tokenizers` read such files. Rows without a number of tokens are unscored.
//!
//! # Example
//!
//! ```yaml
//! use: verify.length
//! unit: words
//! max: 200
//! ```
//!
//! ```
//! use guerdon_verify::verify::length::{Unit, count};
//! assert_eq!(count("naïve  words here", Unit::Words), Some(3));
//! assert_eq!(count("naïve", Unit::Characters), Some(5));
//! ```
//!
//! # References
//!
//! None; a plain count.

mod tokenizer;

use std::path::PathBuf;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::tokenizer::Tokenizer;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Unicode scalar values.
    #[serde(alias = "chars")]
    Characters,
    /// Runs of characters between white space.
    #[default]
    Words,
    /// Lines that hold more than white space.
    Lines,
    /// Bytes of UTF-8.
    Bytes,
    /// Tokens, as recorded in the data or as `tokenizer` cuts them.
    Tokens,
}

/// Parameters of `verify.length`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Length {
    /// What is counted. Default `words`.
    pub unit: Unit,
    /// Least length, inclusive. Default none.
    pub min: Option<u64>,
    /// Greatest length, inclusive. Default none.
    pub max: Option<u64>,
    /// For `unit: tokens`: a model's `tokenizer.json`. Default none: the recorded number.
    pub tokenizer: Option<PathBuf>,
}

impl Params for Length {
    fn validate(&self) -> Result<(), ParamError> {
        if self.tokenizer.is_some() && self.unit != Unit::Tokens {
            return Err(ParamError::new("tokenizer", "`tokenizer` needs `unit: tokens`"));
        }
        match (self.min, self.max) {
            (Some(min), Some(max)) if min > max => Err(ParamError::new(
                "max",
                format!("`max` ({max}) must not be less than `min` ({min})"),
            )),
            _ => Ok(()),
        }
    }
}

/// The length of `text`; `None` for tokens, which a text alone does not tell.
pub fn count(text: &str, unit: Unit) -> Option<u64> {
    Some(match unit {
        Unit::Characters => text.chars().count(),
        Unit::Words => text.split_whitespace().count(),
        Unit::Lines => text.lines().filter(|line| !line.trim().is_empty()).count(),
        Unit::Bytes => text.len(),
        Unit::Tokens => return None,
    } as u64)
}

fn recorded_tokens(rollout: &Rollout) -> Option<u64> {
    let logged = || rollout.logprobs.as_ref().map(|lp| lp.policy.len() as u64).filter(|n| *n > 0);
    rollout.tokens.or_else(logged)
}

/// The built signal: parameters and the tokenizer, where one is named.
struct Counter {
    params: Length,
    tokenizer: Option<Tokenizer>,
}

impl Length {
    fn signal(self) -> Result<impl Signal, ParamError> {
        let tokenizer = self.tokenizer.as_deref().map(Tokenizer::read).transpose()?;
        Ok(Counter { params: self, tokenizer })
    }
}

impl Counter {
    fn length(&self, rollout: &Rollout) -> Result<u64, Unscored> {
        if let Some(tokenizer) = &self.tokenizer {
            return tokenizer.count(rollout.text());
        }
        let counted = count(rollout.text(), self.params.unit).or_else(|| recorded_tokens(rollout));
        counted.ok_or_else(|| {
            Unscored::missing(
                "the row records no tokens: map `tokens` in the spec, or name a `tokenizer`",
            )
        })
    }
}

impl Signal for Counter {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let length = self.length(rollout)?;
        let Length { min, max, .. } = self.params;
        if min.is_none() && max.is_none() {
            return Score::new(length as f64);
        }
        let within = min.is_none_or(|min| length >= min) && max.is_none_or(|max| length <= max);
        Ok(Score::binary(within).because(format!("length {length}")))
    }

    fn range(&self) -> Option<(f64, f64)> {
        (self.params.min.is_some() || self.params.max.is_some()).then_some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Length: BuiltSignal,
    id: "verify.length",
    papers: [],
    status: Verified(ClosedForm("a plain count")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [
        ReferenceMaximal: "A length has no reference.",
        DegenerateEarnsNothing: "A length is not a judgement: long nonsense is long.",
        InjectionGainsNothing: "A length is not a judgement: more text is longer.",
    ],
}

#[cfg(test)]
mod tests {
    use super::{Length, Unit, count};
    use guerdon_core::Rollout;
    use guerdon_core::method::{Params as _, Signal as _};

    #[test]
    fn every_unit() {
        let text = "one  two\n\n drei größer\n";
        let expect =
            [(Unit::Characters, 23), (Unit::Words, 4), (Unit::Lines, 2), (Unit::Bytes, 25)];
        for (unit, n) in expect {
            assert_eq!(count(text, unit), Some(n), "{unit:?}");
        }
    }

    #[test]
    fn bounds_are_inclusive() {
        let params = Length { min: Some(2), max: Some(3), ..Length::default() };
        let signal = params.signal().unwrap();
        let score = |text| signal.score(&Rollout::new("", text, "")).map(|s| s.value());
        assert_eq!(
            [score("a"), score("a b"), score("a b c"), score("a b c d")],
            [Ok(0.0), Ok(1.0), Ok(1.0), Ok(0.0)]
        );
        assert!(Length { min: Some(3), max: Some(2), ..Length::default() }.validate().is_err());
    }

    #[test]
    fn tokens_come_from_the_data() {
        let signal = Length { unit: Unit::Tokens, ..Length::default() }.signal().unwrap();
        let mut rollout = Rollout::new("", "a b", "");
        assert!(signal.score(&rollout).is_err());
        rollout.tokens = Some(7);
        assert_eq!(signal.score(&rollout).map(|s| s.value()), Ok(7.0));
    }

    #[test]
    fn a_tokenizer_that_is_not_there_is_refused() {
        let tokens =
            Length { unit: Unit::Tokens, tokenizer: Some("none.json".into()), ..Length::default() };
        assert!(tokens.signal().is_err_and(|error| error.message.contains("none.json")));
        assert!(Length { tokenizer: Some("x".into()), ..Length::default() }.validate().is_err());
    }
}
