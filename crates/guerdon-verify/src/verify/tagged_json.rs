//! Tagged JSON: whether a tag of the completion encloses a JSON value with the numbers asked for, and whether pairs of them differ.
//!
//! # Formula
//!
//! ```text
//! score = (1 / n) · Σ over numbers [is there and finite]                                          without `pairs`
//! score = (1 / 2m) · Σ over pairs ([a ≠ b] + [|a − b| > margin · max(|a|, |b|)])                  with `pairs`
//! ```
//!
//! A completion without the tag, with the tag more than once, or with anything but JSON in it earns 0, and with `pairs` one
//! in which any number is missing does too.
//!
//! # When to use it
//!
//! For answers that carry a table of figures beside their text, such as the payoff table of a game: `pairs` keeps the
//! policy from filling the table with one number.
//!
//! # Departures
//!
//! GTAlign gives 1/12 for each of six cells with unequal payoffs and 1/12 if they differ by more than 10 %: `pairs` with six
//! entries. What the 10 % refer to is taken to be the greater of the two magnitudes.
//!
//! # Example
//!
//! ```yaml
//! use: verify.tagged_json
//! tag: payoff
//! numbers: [ask.user, ask.model]
//! pairs: [[ask.user, ask.model]]
//! ```
//!
//! ```
//! use guerdon_verify::verify::tagged_json::TaggedJson;
//! let params = TaggedJson { tag: "payoff".into(), numbers: vec!["u".into(), "m".into()], ..TaggedJson::default() };
//! assert_eq!(params.value("<payoff>{\"u\": 3, \"m\": \"high\"}</payoff>"), Ok(0.5));
//! ```
//!
//! # References
//!
//! "GTAlign: Game-Theoretic Alignment of LLM Assistants for Mutual Welfare", 2025.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::passage;

/// Parameters of `verify.tagged_json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TaggedJson {
    /// The tag that encloses the value, exactly once, without angle brackets. Default `json`.
    pub tag: String,
    /// Dotted paths of numbers that must be there (`a.0.b`: key a, first item, key b). Default none.
    pub numbers: Vec<String>,
    /// Pairs of dotted paths whose numbers should differ. Default none.
    pub pairs: Vec<(String, String)>,
    /// The share of the greater magnitude by which a pair should differ; 0 to 1. Default 0.1.
    pub margin: f64,
}

impl Default for TaggedJson {
    fn default() -> Self {
        Self { tag: "json".into(), numbers: Vec::new(), pairs: Vec::new(), margin: 0.1 }
    }
}

impl Params for TaggedJson {
    fn validate(&self) -> Result<(), ParamError> {
        if self.tag.is_empty() {
            return Err(ParamError::new("tag", "`tag` must name the tag that encloses the value"));
        }
        passage::tag_name("tag", &self.tag)?;
        ParamError::in_range("margin", self.margin, 0.0, 1.0)
    }
}

impl TaggedJson {
    /// The score of `text`, 0 to 1, or why there is nothing to read.
    pub fn value(&self, text: &str) -> Result<f64, String> {
        let value = self.read(text)?;
        let there = self.numbers.iter().filter(|path| number(&value, path).is_some()).count();
        if self.pairs.is_empty() {
            return Ok(share(there, self.numbers.len()));
        }
        if there < self.numbers.len() {
            return Err("a number is missing".to_owned());
        }
        let mut points = 0;
        for (a, b) in &self.pairs {
            let pair = number(&value, a).zip(number(&value, b));
            let (a, b) = pair.ok_or_else(|| format!("`{a}` or `{b}` is no number"))?;
            let apart = (a - b).abs() > self.margin * a.abs().max(b.abs());
            points += usize::from(a != b) + usize::from(a != b && apart);
        }
        Ok(share(points, 2 * self.pairs.len()))
    }

    fn read(&self, text: &str) -> Result<Value, String> {
        let (open, close) = (format!("<{}>", self.tag), format!("</{}>", self.tag));
        if text.matches(&open).count() != 1 || text.matches(&close).count() != 1 {
            return Err(format!("{open}…{close} must be there exactly once"));
        }
        passage::json(passage::passage(text, &self.tag)?)
    }
}

/// The share that was reached; all of nothing.
fn share(reached: usize, of: usize) -> f64 {
    if of == 0 { 1.0 } else { reached as f64 / of as f64 }
}

fn number(value: &Value, path: &str) -> Option<f64> {
    passage::at_path(value, path)?.as_f64().filter(|x| x.is_finite())
}

impl Signal for TaggedJson {
    fn score(&self, rollout: &Rollout) -> Outcome {
        match self.value(rollout.text()) {
            Ok(value) => Score::new(value),
            Err(why) => Ok(Score::binary(false).because(why)),
        }
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    TaggedJson: Signal,
    id: "verify.tagged_json",
    papers: ["gtalign-2025"],
    status: Stable,
    laws: [WhitespaceInvariant],
    exempt: [],
    samples: [
        r#"{"prompt": "Which?", "completion": "<json>{\"user\": 2, \"model\": 1}</json> The first.", "reference": "first"}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::TaggedJson;

    fn check(text: &str, expect: Option<f64>) {
        let pairs = vec![("u".to_owned(), "m".to_owned()), ("u".to_owned(), "n".to_owned())];
        let params = TaggedJson { tag: "t".into(), pairs, ..TaggedJson::default() };
        assert_eq!(params.value(text).ok(), expect, "{text:?}");
    }

    #[test]
    fn pairs_earn_half_for_unequal_and_half_for_apart() {
        check("<t>{\"u\": 10, \"m\": 8, \"n\": 0}</t>", Some(1.0));
        check("<t>{\"u\": 10, \"m\": 9.5, \"n\": 0}</t>", Some(0.75));
        check("<t>{\"u\": 10, \"m\": 10, \"n\": 10.0}</t>", Some(0.0));
        check("<t>{\"u\": 10, \"m\": 8}</t>", None);
    }

    #[test]
    fn the_tag_stands_once() {
        check("{\"u\": 10, \"m\": 8, \"n\": 0}", None);
        check("<t>{}</t><t>{\"u\": 10, \"m\": 8, \"n\": 0}</t>", None);
        check("<t>u = 10</t>", None);
    }
}
