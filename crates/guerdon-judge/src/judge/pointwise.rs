//! A grade for one response, on a scale, with or without a reference answer.
//!
//! # Formula
//!
//! ```text
//! value = mean over k samples of the score that the judge gives, low ≤ score ≤ high
//! ```
//!
//! # When to use it
//!
//! Where a response must get a reward by itself: in training, or where candidates could game a comparison. Comparisons
//! (`judge.pairwise`) tell close responses apart better; grades on a coarse scale tie.
//!
//! # Departures
//!
//! A reply that cannot be read leaves the response unscored, where several of the systems count it as 0 or as the lowest
//! grade.
//!
//! # Example
//!
//! ```yaml
//! use: judge.pointwise
//! low: 1
//! high: 10
//! ```
//!
//! ```
//! use guerdon_core::method::{Case, Judge, Next};
//! use guerdon_judge::judge::pointwise::Pointwise;
//!
//! let judge = Pointwise::default();
//! let case = Case { prompt: "Say hello.".into(), responses: vec!["Hello!".into()], ..Case::default() };
//! let Ok(Next::Ask(requests)) = judge.next(&case, &[], 0) else { panic!() };
//! let rounds = [vec!["Friendly and short.\nScore: 9".into(); requests.len()]];
//! let Ok(Next::Done(told)) = judge.next(&case, &rounds, 0) else { panic!() };
//! assert_eq!(told.values, [9.0]);
//! ```
//!
//! # References
//!
//! Zheng et al., "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", 2023, section 3.1 (single answer grading).

use guerdon_core::method::{Case, Form, Judge, Judgement, Next, Params, Reply, Request};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Quotes, Read, Score};
use crate::fence::Fences;
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::script::{Pause, Script, converse, sample};

const BUILT_IN: BuiltIn = BuiltIn {
    system: include_str!("../../prompts/judge.system.j2"),
    user: include_str!("../../prompts/pointwise.user.j2"),
};

/// Parameters of `judge.pointwise`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pointwise {
    /// The lowest grade. Default: 1.
    pub low: i32,
    /// The highest grade. Default: 10.
    pub high: i32,
    /// What the grade is for (`helpfulness`, `faithfulness to the source`); empty for the whole of its quality.
    pub criterion: String,
    /// How many replies are asked for and averaged. Range: 1 to 64. Default: 1.
    pub samples: u32,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates in place of the built-in ones.
    pub prompt: Prompt,
}

impl Default for Pointwise {
    fn default() -> Self {
        Self {
            low: 1,
            high: 10,
            criterion: String::new(),
            samples: 1,
            retries: 1,
            prompt: Prompt::default(),
        }
    }
}

impl Params for Pointwise {
    fn validate(&self) -> Result<(), ParamError> {
        if self.low >= self.high {
            return Err(ParamError::new("high", "`high` must be greater than `low`"));
        }
        ParamError::in_range("samples", self.samples.into(), 1.0, 64.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        self.prompt.validate("prompt")
    }
}

impl Pointwise {
    fn format(&self) -> Score {
        Score::whole(self.low, self.high)
    }

    fn request(&self, case: &Case, seed: u64) -> Result<Request, Unscored> {
        let (question, response) = (question(case), &case.responses[0]);
        let reference = case.reference.as_deref();
        let texts = [question.as_str(), response, reference.unwrap_or_default()];
        let fences = Fences::new(&texts, seed);
        let fill = Fill::new(&fences)
            .text("question", &question)
            .text("response", response)
            .maybe("reference", reference)
            .value("criterion", &self.criterion)
            .value("low", self.low)
            .value("high", self.high);
        self.prompt.request(BUILT_IN, fill, &self.format())
    }

    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        let request = self.request(case, script.seed())?;
        let quotes = Quotes::of(case.responses.iter().map(String::as_str));
        let scores = script.all(self.samples as usize, |k, script| {
            script.read(&sample(&request, k), |reply| self.format().read(&reply.text, &quotes))
        })?;
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        Ok(Judgement::score(mean))
    }
}

impl Judge for Pointwise {
    fn form(&self) -> Form {
        Form::Single
    }

    fn next(
        &self,
        case: &Case,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Judgement>, Unscored> {
        converse(rounds, self.retries, seed, |script| self.talk(case, script))
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((self.low.into(), self.high.into()))
    }
}

guerdon_core::method! {
    Pointwise: Judge,
    id: "judge.pointwise",
    papers: ["compassjudger-2024"],
    status: Stable,
    laws: [],
    exempt: [],
    samples: [r#"{
        "case": {"prompt": "What is 2 + 2?", "responses": ["It is four."], "reference": "4"},
        "replies": [["Right.\nScore: 9"]],
        "values": [9]
    }"#]
}

#[cfg(test)]
mod tests {
    use super::Pointwise;
    use guerdon_core::method::{Case, Judge, Next};

    #[test]
    fn samples_are_averaged() {
        let judge = Pointwise { samples: 2, ..Pointwise::default() };
        let case = Case { responses: vec!["x".into()], ..Case::default() };
        let Ok(Next::Ask(requests)) = judge.next(&case, &[], 0) else { panic!("it asks nothing") };
        assert_eq!(requests.iter().map(|r| r.sample).collect::<Vec<_>>(), [0, 1]);
        let rounds = [vec!["Score: 4".into(), "Score: 9".into()]];
        let Ok(Next::Done(told)) = judge.next(&case, &rounds, 0) else { panic!("it is not done") };
        assert_eq!(told.values, [6.5]);
    }
}
