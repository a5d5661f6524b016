//! Reads the reply of a published grader as that grader reads it.
//!
//! # Formula
//!
//! ```text
//! reply → a verdict on two responses | a letter grade | a number | a number per name | why there is none
//! ```
//!
//! For `alpaca_eval` with log-probabilities: `preference = 2 − p(m)/(p(m) + p(M))`, from 1 (the first) to 2, and
//! `3 − preference` where the responses were swapped.
//!
//! # When to use it
//!
//! To read recorded replies again, or to see why a reply has no verdict. `judge.pairwise` and `judge.pointwise` take the same
//! names as `reply`, so that a prompt written for one of these graders runs with its own reader.
//!
//! # Departures
//!
//! What a grader fails to read is reported, never a tie and never a number: PandaLM and JudgeLM take it for a tie, MT-bench
//! lets the first of several verdicts win. RewardAnything repairs JSON by turning every `'` into `"`; here an apostrophe inside
//! a word stays.
//!
//! # Example
//!
//! ```yaml
//! use: judge.verdict_parse
//! grader: arena_hard
//! ```
//!
//! ```
//! use guerdon_core::method::Function;
//! use guerdon_judge::grader::Grader;
//! use guerdon_judge::judge::verdict_parse::{Input, VerdictParse};
//!
//! let parse = VerdictParse { grader: Grader::ArenaHard };
//! let told = parse.call(&Input::of("My final verdict is: [[A>>B]]"), 0)?;
//! assert_eq!(told.label.as_deref(), Some("A>B"));
//! # Ok::<(), guerdon_core::MethodError>(())
//! ```
//!
//! # References
//!
//! Li et al., "From Crowdsourced Data to High-Quality Benchmarks", 2024 (Arena-Hard). Tan et al., "JudgeBench", 2024.
//! Kim et al., "Prometheus 2", 2024. Chen et al., "RM-R1", 2025. Yu et al., "RewardAnything", 2025. Zheng et al., "Judging
//! LLM-as-a-Judge with MT-Bench and Chatbot Arena", 2023. Dubois et al., "Length-Controlled AlpacaEval", 2024.

use guerdon_core::method::{Function, Params, Preference};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::grader::{Grader, Said};

/// Parameters of `judge.verdict_parse`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VerdictParse {
    /// Whose reply it is. Default: `arena_hard`.
    pub grader: Grader,
}

impl Default for VerdictParse {
    fn default() -> Self {
        Self { grader: Grader::ArenaHard }
    }
}

impl Params for VerdictParse {
    fn validate(&self) -> Result<(), ParamError> {
        Ok(())
    }
}

/// A reply.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The text.
    pub text: String,
    /// `alpaca_eval`: natural-log probabilities of the first token's alternatives, by token.
    #[serde(default)]
    pub top_logprobs: BTreeMap<String, f64>,
    /// Whether the responses were shown in the other order: the verdict is turned round.
    #[serde(default)]
    pub switched: bool,
}

impl Input {
    /// A text alone.
    pub fn of(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }
}

/// What it says: one of the fields besides `preference` is given.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Told {
    /// `A>B`, `A=B`, `B>A` of a pair; the letter of a grade.
    pub label: Option<String>,
    /// The number; of `alpaca_eval`, the preference from 1 to 2.
    pub number: Option<f64>,
    /// A number for each name.
    pub scores: Option<BTreeMap<String, f64>>,
    /// Which of two is better, where the reply says it.
    pub preference: Option<Preference>,
    /// Why the reply cannot be read.
    pub unreadable: Option<String>,
}

impl Function for VerdictParse {
    type Input = Input;
    type Output = Told;

    fn call(&self, input: &Input, _: u64) -> Result<Told, MethodError> {
        if self.grader == Grader::AlpacaEval && !input.top_logprobs.is_empty() {
            return Ok(alpaca_eval(&input.top_logprobs, input.switched));
        }
        Ok(match self.grader.read(&input.text) {
            Ok(said) => told(&said, input.switched),
            Err(why) => Told { unreadable: Some(why.detail), ..Told::default() },
        })
    }
}

fn told(said: &Said, switched: bool) -> Told {
    let turned = |p: Preference| if switched { p.swapped() } else { p };
    let preference = said.preference().ok().map(turned);
    let label = preference.map(|p| {
        let label = match p.first.total_cmp(&p.second) {
            std::cmp::Ordering::Greater => "A>B",
            std::cmp::Ordering::Equal => "A=B",
            std::cmp::Ordering::Less => "B>A",
        };
        label.to_owned()
    });
    let plain = Told { preference, ..Told::default() };
    match said {
        Said::Pair(_) => Told { label, ..plain },
        Said::Grade(letter) => Told { label: Some(letter.to_string()), ..plain },
        Said::Number(value) => Told { number: Some(*value), ..plain },
        Said::Scores(scores) => {
            Told { label, scores: Some(scores.iter().cloned().collect()), ..plain }
        }
    }
}

/// The preference of the letters' probabilities. A letter that is no alternative has probability 0.
fn alpaca_eval(logprobs: &BTreeMap<String, f64>, switched: bool) -> Told {
    let p = |letter: &str| logprobs.get(letter).map_or(0.0, |l| l.min(0.0).exp());
    let Some(first) = Preference::from_weights(p("m"), 0.0, p("M")) else {
        let why = "neither m nor M is among the alternatives";
        return Told { unreadable: Some(why.to_owned()), ..Told::default() };
    };
    let preference = if switched { first.swapped() } else { first };
    Told { number: Some(2.0 - preference.first), preference: Some(preference), ..Told::default() }
}

guerdon_core::method! {
    VerdictParse: Function,
    id: "judge.verdict_parse",
    papers: ["trustjudge-2025", "rm-r1-2025", "rewardanything-2025", "compassjudger-2024"],
    status: Verified(Reference("1240 recorded Arena-Hard replies; parsers of inspect_ai, Prometheus and RewardAnything")),
    laws: [],
    exempt: [],
    samples: [r#"{"text": "My final verdict is: [[B>A]]"}"#, r#"{"text": "[[A=B]] or [[A>B]]"}"#]
}

#[cfg(test)]
mod tests {
    use super::{Input, VerdictParse};
    use crate::grader::Grader;
    use guerdon_core::method::Function;

    #[test]
    fn letters_have_probabilities() {
        let parse = VerdictParse { grader: Grader::AlpacaEval };
        let logprobs = [("m".to_owned(), 0.6f64.ln()), ("M".to_owned(), 0.2f64.ln())];
        let read = |switched| {
            let input =
                Input { top_logprobs: logprobs.clone().into(), switched, ..Input::default() };
            parse.call(&input, 0).unwrap().number.unwrap()
        };
        assert!((read(false) - 1.25).abs() < 1e-12 && (read(true) - 1.75).abs() < 1e-12);
        assert_eq!(parse.call(&Input::of("M"), 0).unwrap().label.as_deref(), Some("B>A"));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let told = VerdictParse::default().call(&Input::of("[[A=B]] or [[A>B]]"), 0).unwrap();
        assert!(told.unreadable.unwrap().contains("several") && told.preference.is_none());
    }
}
