//! A grade for one response: on a scale of numbers or letters, by dimensions, with or without a reference answer.
//!
//! # Formula
//!
//! ```text
//! value = mean over k samples of the grade s
//! none       s = the grade that is written
//! weighted   s = Σ g·p(g) / Σ p(g)     over the grades g that are alternatives of the written one's token
//! softmax    s = Σ g·w(g),  w = softmax(logit(p)/T),  logit(p) = ln(p/(1 − p))
//! ```
//!
//! # When to use it
//!
//! Where a response must get a reward by itself: in training, or where candidates could game a comparison. Comparisons
//! (`judge.pairwise`) tell close responses apart better; grades on a coarse scale tie. The expectation removes these ties
//! where the endpoint gives log-probabilities.
//!
//! # Departures
//!
//! A reply that cannot be read leaves the response unscored, where several of the systems count it as 0 or as the lowest
//! grade. A certain grade (p = 1) is itself; the reference code of TrustJudge drops it and returns 0. The weighted mean is
//! divided by the probability of all grades seen; G-Eval does not divide. Grades must be single tokens for the expectation:
//! a scale where one begins another (1 and 10, cut into digits) is refused when it occurs, instead of being misread.
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
//! Zheng et al., "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", 2023, section 3.1 (single answer grading). Wang et
//! al., "TrustJudge: Inconsistencies of LLM-as-a-Judge and How to Alleviate Them", 2025. Liu et al., "G-Eval", 2023. Cao et
//! al., "CompassJudger-1", 2024 (dimensions).

pub mod expect;

use guerdon_core::method::{Case, Form, Judge, Judgement, Next, Params, Reply, Request};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::contract::{Format, Label, Object, Quotes, Read, Score};
use crate::grader::Grader;
use crate::logprob;
use crate::prompt::{BuiltIn, Prompt};
use crate::script::{Pause, Script, converse, sample};
use crate::view::View;
use expect::Expectation;

const BUILT_IN: BuiltIn = BuiltIn {
    system: include_str!("../../../prompts/judge.system.j2"),
    user: include_str!("../../../prompts/pointwise.user.j2"),
};

/// The name of the whole among the dimensions.
const OVERALL: &str = "overall";
/// The most grades whose probabilities are read.
const MOST_GRADES: usize = 101;

/// Parameters of `judge.pointwise`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pointwise {
    /// The lowest grade. Default: 1.
    pub low: i32,
    /// The highest grade. Default: 10.
    pub high: i32,
    /// Words or letters in place of numbers, from the best to the worst (`[A, B, C]`); empty for numbers.
    pub levels: Vec<String>,
    /// The values of the levels, in their order; empty for even steps from `high` to `low`.
    pub values: Vec<f64>,
    /// What is graded each by itself (`[accuracy, clarity]`), before an overall grade; empty for one grade alone.
    pub dimensions: Vec<String>,
    /// What is taken from the probabilities of the grades. Default: `none`.
    pub expectation: Expectation,
    /// T of `expectation: softmax`. Range: 0.01 to 10. Default: 0.2.
    pub softmax_temperature: f64,
    /// What the grade is for (`helpfulness`, `faithfulness to the source`); empty for the whole of its quality.
    pub criterion: String,
    /// The column that describes who asked, for a grade in that person's place; empty for none.
    pub profile: String,
    /// The column that holds advice for the judge (a rubric, a hint); empty for none.
    pub advice: String,
    /// The language in which the response should be written; empty for any.
    pub answer_in: String,
    /// The language in which the judge reasons; empty for any.
    pub reason_in: String,
    /// Whether the judge answers with the grade alone, without reasoning.
    pub direct: bool,
    /// A published grader whose reply format and reader are used: for prompts that were written for it. Its scale stands in for
    /// `low` and `high`.
    pub reply: Option<Grader>,
    /// How many replies are asked for and averaged. Range: 1 to 64. Default: 1.
    pub samples: u32,
    /// Sampling temperature; `null` for that of the model's entry in the spec. Range: 0 to 2.
    pub temperature: Option<f64>,
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
            levels: Vec::new(),
            values: Vec::new(),
            dimensions: Vec::new(),
            expectation: Expectation::None,
            softmax_temperature: 0.2,
            criterion: String::new(),
            profile: String::new(),
            advice: String::new(),
            answer_in: String::new(),
            reason_in: String::new(),
            direct: false,
            reply: None,
            samples: 1,
            temperature: None,
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
        ParamError::in_range("softmax_temperature", self.softmax_temperature, 0.01, 10.0)?;
        if let Some(temperature) = self.temperature {
            ParamError::in_range("temperature", temperature, 0.0, 2.0)?;
        }
        self.validate_scale()?;
        self.prompt.validate("prompt")
    }
}

impl Pointwise {
    fn validate_scale(&self) -> Result<(), ParamError> {
        let wrong = |field: &str, why: &str| Err(ParamError::new(field, why));
        let twice =
            |names: &[String]| names.iter().enumerate().any(|(k, n)| names[..k].contains(n));
        let odd = |name: &String| {
            name.trim().is_empty() || name.trim() != name || name.contains(['[', ']', '\n'])
        };
        if self.levels.len() == 1 || twice(&self.levels) || self.levels.iter().any(odd) {
            return wrong(
                "levels",
                "`levels` must be two or more different words, without brackets",
            );
        }
        if !self.values.is_empty() && self.values.len() != self.levels.len() {
            return wrong("values", "`values` must hold one value for each of `levels`");
        }
        if self.values.iter().any(|value| !value.is_finite()) {
            return wrong("values", "`values` must be finite");
        }
        if twice(&self.dimensions) || self.dimensions.iter().any(|d| odd(d) || d == OVERALL) {
            return wrong("dimensions", "`dimensions` must be different names, without `overall`");
        }
        let forms = [!self.levels.is_empty(), !self.dimensions.is_empty(), self.reply.is_some()];
        if forms.iter().filter(|on| **on).count() > 1 {
            return wrong("reply", "only one of `levels`, `dimensions` and `reply` can be given");
        }
        if self.reply.is_some_and(|grader| grader.compares() || grader == Grader::RewardAnything) {
            return wrong("reply", "`reply` must be a grader that grades one response");
        }
        if self.expectation == Expectation::None {
            return Ok(());
        }
        if self.reply.is_some() || !self.dimensions.is_empty() {
            return wrong("expectation", "an expectation needs one grade of the built-in formats");
        }
        if self.high.abs_diff(self.low) as usize >= MOST_GRADES {
            return wrong("high", "an expectation needs a scale of at most 101 grades");
        }
        Ok(())
    }

    /// The grades as they are written, with their values.
    fn grades(&self) -> Vec<(String, f64)> {
        let (low, high) = (f64::from(self.low), f64::from(self.high));
        let even = |k: usize| high - (high - low) * k as f64 / (self.levels.len() - 1) as f64;
        let value = |k: usize| self.values.get(k).copied().unwrap_or_else(|| even(k));
        let levels = self.levels.iter().enumerate().map(|(k, name)| (name.clone(), value(k)));
        if self.levels.is_empty() {
            (self.low..=self.high).map(|grade| (grade.to_string(), grade.into())).collect()
        } else {
            levels.collect()
        }
    }

    fn score(&self) -> Score {
        Score { direct: self.direct, ..Score::whole(self.low, self.high) }
    }

    fn label(&self) -> Label {
        Label { labels: self.levels.clone(), direct: self.direct }
    }

    /// The object of all dimensions and the overall grade.
    fn object(&self) -> Object {
        let grade = json!({"type": "integer", "minimum": self.low, "maximum": self.high});
        let names: Vec<&str> =
            self.dimensions.iter().map(String::as_str).chain([OVERALL]).collect();
        let properties: Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), grade.clone())).collect();
        let schema = json!({
            "type": "object",
            "properties": properties,
            "required": names,
            "additionalProperties": false,
        });
        Object { schema }
    }

    fn format(&self) -> Box<dyn Format> {
        match self.reply {
            Some(grader) => Box::new(grader),
            None if !self.levels.is_empty() => Box::new(self.label()),
            None if !self.dimensions.is_empty() => Box::new(self.object()),
            None => Box::new(self.score()),
        }
    }

    fn view<'a>(&'a self, case: &'a Case) -> View<'a> {
        View {
            case: Some(case),
            criterion: &self.criterion,
            profile: &self.profile,
            advice: &self.advice,
            answer_in: &self.answer_in,
            reason_in: &self.reason_in,
        }
    }

    fn request(&self, case: &Case, seed: u64) -> Result<Request, Unscored> {
        let view = self.view(case);
        let texts = view.texts(&[], seed)?;
        let mut fill = view
            .fill(&texts)
            .text("response", &case.responses[0])
            .value("levels", &self.levels)
            .value("dimensions", &self.dimensions);
        if self.reply.is_none() {
            fill = fill.value("low", self.low).value("high", self.high);
        }
        let request = self.prompt.request(BUILT_IN, fill, self.format().as_ref())?;
        let expects = self.expectation != Expectation::None;
        let top_logprobs = if expects { logprob::TOP } else { 0 };
        Ok(Request { temperature: self.temperature, top_logprobs, ..request })
    }

    /// The grade, and those of the dimensions.
    fn read(&self, reply: &Reply, quotes: &Quotes<'_>) -> Result<(f64, Vec<f64>), Unscored> {
        let alone = |grade| Ok((grade, Vec::new()));
        if let Some(grader) = self.reply {
            return alone(grader.read_beside(&reply.text, quotes)?.number()?);
        }
        if !self.dimensions.is_empty() {
            return self.read_dimensions(&self.object().read(&reply.text, quotes)?);
        }
        if self.levels.is_empty() {
            let grade = self.score().read(&reply.text, quotes)?;
            return alone(self.expected(reply, Score::place(&reply.text), grade)?);
        }
        let format = self.label();
        let level = format.read(&reply.text, quotes)?;
        let place = format.place(&reply.text, level);
        let place = place.map(|at| (at, self.levels[level].as_str()));
        alone(self.expected(reply, place, self.grades()[level].1)?)
    }

    fn read_dimensions(&self, object: &Map<String, Value>) -> Result<(f64, Vec<f64>), Unscored> {
        let grade = |name: &str| {
            let value = object.get(name).and_then(Value::as_f64);
            let whole = value.filter(|v| v.fract() == 0.0);
            let sound = whole.filter(|v| (self.low.into()..=self.high.into()).contains(v));
            sound.ok_or_else(|| {
                let given = object.get(name).map_or("nothing".to_owned(), Value::to_string);
                Unscored::unreadable(format!(
                    "`{name}` must be a whole number from {} to {}, not {given}",
                    self.low, self.high
                ))
            })
        };
        let each = self.dimensions.iter().map(|name| grade(name)).collect::<Result<_, _>>()?;
        Ok((grade(OVERALL)?, each))
    }

    /// What is made of the written grade at its place in the reply.
    fn expected(
        &self,
        reply: &Reply,
        place: Option<(usize, &str)>,
        written: f64,
    ) -> Result<f64, Unscored> {
        if self.expectation == Expectation::None {
            return Ok(written);
        }
        let lost = || Unscored::unreadable("the grade's place in the reply is lost");
        let (start, word) = place.ok_or_else(lost)?;
        let (names, values): (Vec<String>, Vec<f64>) = self.grades().into_iter().unzip();
        let probabilities = logprob::choices(reply, start, word, &names)?;
        let grades: Vec<(f64, f64)> = values.into_iter().zip(probabilities).collect();
        let value = match self.expectation {
            Expectation::Softmax => expect::softmax(&grades, self.softmax_temperature),
            _ => expect::weighted(&grades),
        };
        value.ok_or_else(lost)
    }

    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        let request = self.request(case, script.seed())?;
        let quotes = Quotes::of(case.responses.iter().map(String::as_str));
        let told = script.all(self.samples as usize, |k, script| {
            script.read(&sample(&request, k), |reply| self.read(reply, &quotes))
        })?;
        let n = told.len() as f64;
        let whole = told.iter().map(|(grade, _)| grade).sum::<f64>() / n;
        let parts = self.dimensions.iter().enumerate();
        Ok(parts.fold(Judgement::score(whole), |judgement, (k, name)| {
            let mean = told.iter().map(|(_, each)| each[k]).sum::<f64>() / n;
            judgement.part(name.as_str(), vec![Some(mean)])
        }))
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

    fn reads(&self) -> Vec<String> {
        self.view(&Case::default()).reads()
    }

    fn range(&self) -> Option<(f64, f64)> {
        if let Some(grader) = self.reply {
            return Some(grader.range());
        }
        if self.levels.is_empty() {
            return Some((self.low.into(), self.high.into()));
        }
        let values = self.grades().into_iter().map(|(_, value)| value);
        values.fold(None, |range: Option<(f64, f64)>, v| {
            Some(range.map_or((v, v), |(low, high)| (low.min(v), high.max(v))))
        })
    }
}

guerdon_core::method! {
    Pointwise: Judge,
    id: "judge.pointwise",
    papers: [
        "compassjudger-2024",
        "trustjudge-2025",
        "sparse-feedback-2023",
        "pairwise-or-pointwise-2025",
        "math-feedback-2024"
    ],
    status: Verified(Reference("121 recorded grades of TrustJudge")),
    laws: [],
    exempt: [],
    samples: [r#"{
        "case": {"prompt": "What is 2 + 2?", "responses": ["It is four."], "reference": "4"},
        "replies": [["Right.\nScore: 9"]],
        "values": [9]
    }"#]
}

#[cfg(test)]
mod tests;
