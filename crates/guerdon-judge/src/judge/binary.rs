//! One yes-or-no question about a response, answered by a verdict or by the probability of YES.
//!
//! # Formula
//!
//! ```text
//! verdict       value = 1 for YES, 0 for NO
//! probability   value = p(YES) / (p(YES) + p(NO)) at the token of the verdict, where the reply has log-probabilities
//! ```
//!
//! # When to use it
//!
//! For a single property: is the block good, is the answer supported, is the language right. The share of YES over many blocks is
//! the mean of this signal. `probability` makes a graded reward of it where the endpoint gives log-probabilities. Several
//! questions at once are `judge.rubric`.
//!
//! # Departures
//!
//! An unreadable verdict is neither YES nor NO. Where `probability` is asked for and a reply has no log-probabilities, the
//! verdict counts.
//!
//! # Example
//!
//! ```yaml
//! use: judge.binary
//! question: Does the code handle the exception so that the caller can tell what went wrong?
//! probability: true
//! ```
//!
//! ```
//! use guerdon_core::method::{Case, Judge, Next};
//! use guerdon_judge::judge::binary::Binary;
//!
//! let judge = Binary::default();
//! let case = Case { prompt: "2 + 2?".into(), responses: vec!["4".into()], ..Case::default() };
//! let Ok(Next::Done(told)) = judge.next(&case, &[vec!["Right. [[YES]]".into()]], 0) else { panic!() };
//! assert_eq!(told.values, [1.0]);
//! ```
//!
//! # References
//!
//! "Seeker: Enhancing Exception Handling in Code with LLM-based Multi-Agent Approach", 2024 (the review score: blocks judged
//! good / blocks written).

use guerdon_core::method::{Case, Form, Judge, Judgement, Next, Params, Reply, Request};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Label, Quotes, Read as _};
use crate::logprob;
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::script::{Pause, Script, converse, sample};
use crate::show;

const BUILT_IN: BuiltIn = BuiltIn {
    system: include_str!("../../prompts/judge.system.j2"),
    user: include_str!("../../prompts/binary.user.j2"),
};

/// Parameters of `judge.binary`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Binary {
    /// The question; YES speaks for the response. Default: whether it answers rightly what was asked.
    pub question: String,
    /// Whether the value is the probability of YES. Default: false.
    pub probability: bool,
    /// Whether the judge answers at once, without reasoning. Default: false.
    pub direct: bool,
    /// How many replies are asked for and averaged. Range: 1 to 64. Default: 1.
    pub samples: u32,
    /// The model, by its name in the spec. Default: the spec's default.
    pub model: Option<String>,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates in place of the built-in ones.
    pub prompt: Prompt,
}

impl Default for Binary {
    fn default() -> Self {
        Self {
            question: "Does the response answer rightly what was asked?".to_owned(),
            probability: false,
            direct: false,
            samples: 1,
            model: None,
            retries: 1,
            prompt: Prompt::default(),
        }
    }
}

impl Params for Binary {
    fn validate(&self) -> Result<(), ParamError> {
        if self.question.trim().is_empty() {
            return Err(ParamError::new("question", "`question` must not be empty"));
        }
        ParamError::in_range("samples", self.samples.into(), 1.0, 64.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        self.prompt.validate("prompt")
    }
}

impl Binary {
    fn format(&self) -> Label {
        Label { direct: self.direct, ..Label::new(["YES", "NO"]) }
    }

    fn request(&self, case: &Case, script: &Script<'_>) -> Result<Request, Unscored> {
        let fences = show::fences(case, &[], script.seed());
        let fill = Fill::new(&fences)
            .text("question", &question(case))
            .maybe("reference", case.reference.as_deref())
            .text("response", &case.responses[0])
            .value("criterion", self.question.trim());
        let request = self.prompt.request(BUILT_IN, fill, &self.format())?;
        let top_logprobs = if self.probability { logprob::TOP } else { 0 };
        Ok(Request { model: self.model.clone(), top_logprobs, ..request })
    }

    /// The value of one reply.
    fn value(&self, reply: &Reply, quotes: &Quotes<'_>) -> Result<f64, Unscored> {
        let format = self.format();
        let label = format.read(&reply.text, quotes)?;
        if !self.probability || reply.logprobs.is_empty() {
            return Ok(if label == 0 { 1.0 } else { 0.0 });
        }
        let lost = || Unscored::unreadable("the verdict is not where the reply holds it");
        let place = format.place(&reply.text, label).ok_or_else(lost)?;
        let of = logprob::choices(reply, place, &format.labels[label], &format.labels)?;
        Ok(of[0] / (of[0] + of[1]))
    }

    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        let request = self.request(case, script)?;
        let quotes = Quotes::of([case.responses[0].as_str()]);
        let told = script.all(self.samples as usize, |k, script| {
            script.read(&sample(&request, k), |reply| {
                Ok((self.value(reply, &quotes)?, reply.text.clone()))
            })
        })?;
        let mean = told.iter().map(|(value, _)| value).sum::<f64>() / told.len() as f64;
        let words: Vec<&str> = told.iter().map(|(_, words)| words.trim()).collect();
        Ok(Judgement::score(mean).sure(mean.max(1.0 - mean)).because(words.join("\n\n")))
    }
}

impl Judge for Binary {
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

    fn models(&self) -> Vec<String> {
        self.model.iter().cloned().collect()
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Binary: Judge,
    id: "judge.binary",
    papers: ["seeker-2024"],
    status: Stable,
    laws: [],
    exempt: [],
    samples: [r#"{
        "case": {"prompt": "What is 2 + 2?", "responses": ["It is five."], "reference": "4"},
        "replies": [["It is off by one.\n[[NO]]"]],
        "values": [0]
    }"#]
}

#[cfg(test)]
mod tests {
    use guerdon_core::method::{Judge, Next, Reply, TokenLogProb};

    use super::Binary;
    use crate::scripted::{self, case};

    fn reply() -> Reply {
        let token = |token: &str, logprob: f64, top: &[(&str, f64)]| TokenLogProb {
            token: token.to_owned(),
            logprob,
            top: top.iter().map(|(word, p)| ((*word).to_owned(), p.ln())).collect(),
        };
        let verdict = token("YES", 0.6_f64.ln(), &[("YES", 0.6), ("NO", 0.2), ("MAYBE", 0.2)]);
        let logprobs = vec![token("[[", 0.0, &[]), verdict, token("]]", 0.0, &[])];
        Reply { logprobs, ..Reply::from("[[YES]]") }
    }

    #[test]
    fn the_probability_is_read_where_the_verdict_stands() {
        let judge = Binary { probability: true, ..Binary::default() };
        let run = |reply| match judge.next(&case("q", &["r"]), &[vec![reply]], 0) {
            Ok(Next::Done(told)) => told.values[0],
            other => panic!("{other:?}"),
        };
        assert!((run(reply()) - 0.75).abs() < 1e-12);
        assert_eq!(run(Reply::from("[[NO]]")), 0.0);
        let Ok(Next::Ask(asked)) = judge.next(&case("q", &["r"]), &[], 0) else { panic!() };
        assert_eq!(asked[0].top_logprobs, 20);
    }

    #[test]
    fn samples_vote() {
        let judge = Binary { samples: 4, ..Binary::default() };
        let (told, _) = scripted::judge(&judge, &case("q", &["r"]), |request| {
            if request.sample == 0 { "[[NO]]" } else { "[[YES]]" }.into()
        });
        let told = told.unwrap();
        assert_eq!((told.values[0], told.confidence), (0.75, Some(0.75)));
    }
}
