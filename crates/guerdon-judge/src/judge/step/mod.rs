//! A verdict on each step of a response: right or wrong, from one or several readings of the steps.
//!
//! # Formula
//!
//! ```text
//! row v_j = verdicts of sample j on the T steps (1 right, 0 wrong)
//! step_majority      1 where more than half of the rows say right
//! outcome_majority   the first row whose outcome (all right, or not) is that of more than half of the rows; even = wrong
//! plurality          the most frequent first error (none is one of them); the earliest among equals
//! meta_critique      the row that a model gives after it has read all critiques and a critique of them
//! value              min, mean, or the share of the steps before the first wrong one
//! ```
//!
//! | `ask` | what is asked | calls per sample |
//! |---|---|---|
//! | `all` | YES or NO for every step, in one reply | 1 |
//! | `first_error` | the number of the first wrong step; all from there on count as wrong | 1 |
//! | `each` | each step by itself, with the steps before it | T |
//! | `in_turn` | the same one after the other, until one is wrong; all from there on count as wrong | at most T |
//!
//! `steps` of the judgement hold the final row; `made.first_error` is the place of its first wrong step counted from 0, −1
//! for none: the label of `ProcessBench`.
//!
//! # When to use it
//!
//! Where the way to an answer is rewarded or checked: labels for a process reward, a dense reward, a gate for a search that
//! draws a rejected step again. Majorities per step survive noisy judges; whole-verdict majorities do not, as a long
//! response almost always has some step that some sample flips. Settings of the systems: SPARK `samples: 16` with an
//! `aggregate`; Med-PRM `ask: each`, `scoring: probability`, `documents`; the self-play critic `ask: each`,
//! `adversarial: true`; Agent-R `ask: in_turn`, `unsure: true`.
//!
//! # Departures
//!
//! SPARK's and Med-PRM's prompts are not copied. Med-PRM's labels + and − are YES and NO here. Of the samples that agree with
//! the majority's outcome the first gives the row, where SPARK draws one. A row without steps is unscored.
//!
//! # Example
//!
//! ```yaml
//! use: judge.step
//! samples: 5
//! aggregate: step_majority
//! ```
//!
//! ```
//! use guerdon_core::method::{Case, Judge, Next};
//! use guerdon_judge::judge::step::Step;
//!
//! let steps = vec!["2 + 2 = 4".to_owned(), "4 + 1 = 6".to_owned()];
//! let case = Case { responses: vec![steps.join("\n\n")], steps, ..Case::default() };
//! let rounds = [vec!["The second sum is off.\n1. YES\n2. NO".into()]];
//! let Ok(Next::Done(told)) = Step::default().next(&case, &rounds, 0) else { panic!() };
//! assert_eq!((told.steps, told.values), (vec![1.0, 0.0], vec![0.0]));
//! ```
//!
//! # References
//!
//! "SPARK: Stepwise Process-Aware Rewards for Reference-Free Reinforcement Learning", 2025. Yun et al., "Med-PRM: Medical
//! Reasoning Models with Stepwise, Guideline-verified Process Rewards", 2025. Chen et al., "SPC: Evolving Self-Play Critic
//! via Adversarial Games for LLM Reasoning", 2025. Yuan et al., "Agent-R", 2025. Zheng et al., "ProcessBench", 2024.

mod evidence;
pub mod rows;

use std::ops::Range;

use guerdon_core::method::{Case, Form, Judge, Judgement, Next, Params, Reply, Request};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::rows::{Row, first_error, until};
use crate::contract::{Answers, Format, Free, Label, Quotes, Read, Score};
use crate::fence::Fences;
use crate::logprob;
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::script::{Pause, Script, converse, sample};

const SYSTEM: &str = include_str!("../../../prompts/judge.system.j2");
const ALL: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../../prompts/step.all.user.j2") };
const EACH: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../../prompts/step.each.user.j2") };
const REVIEW: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../../prompts/step.review.user.j2") };
const MERGE: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../../prompts/step.merge.user.j2") };

/// The most calls for one response.
const MAX_CALLS: usize = 1_000;
const RIGHT: &str = "YES";
const WRONG: &str = "NO";
const UNSURE: &str = "UNSURE";

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// A verdict on every step, in one reply.
    #[default]
    All,
    /// The first wrong step.
    FirstError,
    /// A verdict on each step, in a call of its own.
    Each,
    /// A verdict on each step, one after the other, until one is wrong.
    InTurn,
}

/// How several samples become one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// The majority on each step.
    #[default]
    StepMajority,
    /// A row that agrees with the majority's outcome.
    OutcomeMajority,
    /// The most frequent first error.
    Plurality,
    /// A model criticises the critiques and gives the final row.
    MetaCritique,
    /// The mean verdict on each step: soft labels.
    Mean,
}

/// How a verdict on one step is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scoring {
    /// As the word.
    #[default]
    Verdict,
    /// As the probability of YES among YES and NO, from the log-probabilities of the reply.
    Probability,
}

/// How the row becomes the response's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// The least verdict: 1 if every step is right.
    #[default]
    Min,
    /// The mean verdict.
    Mean,
    /// The share of the steps before the first wrong one.
    Prefix,
}

/// Parameters of `judge.step`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// What is asked. Default: `all`.
    pub ask: Ask,
    /// How many independent rows are asked for. Range: 1 to 64. Default: 1.
    pub samples: u32,
    /// How several rows become one. Default: `step_majority`.
    pub aggregate: Aggregate,
    /// How a verdict on one step is read. Default: `verdict`. `probability` needs `ask: each`, and an endpoint that gives
    /// log-probabilities; rows are then averaged (`aggregate: mean`).
    pub scoring: Scoring,
    /// How the row becomes the response's value. Default: `min`.
    pub value: Value,
    /// Whether the judge may say that it cannot tell; such a step counts as right. Default: false.
    pub unsure: bool,
    /// Whether the judge is told that a step may have been replaced by a plausible wrong one. Default: false.
    pub adversarial: bool,
    /// The column with documents (a list of texts, or of objects with `text`) that are shown as evidence. Empty, the default:
    /// none. A row without documents is judged without.
    pub documents: String,
    /// How many documents are shown: those that fit best by BM25. Range: 1 to 50. Default: 3.
    pub top_k: u32,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates of the verdict in place of the built-in ones.
    pub prompt: Prompt,
    /// Templates of the critique of the critiques, for `aggregate: meta_critique`.
    pub review_prompt: Prompt,
    /// Templates of the final verdict, for `aggregate: meta_critique`.
    pub merge_prompt: Prompt,
}

impl Default for Step {
    fn default() -> Self {
        Self {
            ask: Ask::All,
            samples: 1,
            aggregate: Aggregate::StepMajority,
            scoring: Scoring::Verdict,
            value: Value::Min,
            unsure: false,
            adversarial: false,
            documents: String::new(),
            top_k: 3,
            retries: 1,
            prompt: Prompt::default(),
            review_prompt: Prompt::default(),
            merge_prompt: Prompt::default(),
        }
    }
}

impl Params for Step {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("samples", self.samples.into(), 1.0, 64.0)?;
        ParamError::in_range("top_k", self.top_k.into(), 1.0, 50.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        if self.scoring == Scoring::Probability {
            if self.ask != Ask::Each {
                return Err(ParamError::new("scoring", "`scoring: probability` needs `ask: each`"));
            }
            if self.samples > 1 && self.aggregate != Aggregate::Mean {
                let message = "several rows of probabilities are averaged: set `aggregate: mean`";
                return Err(ParamError::new("aggregate", message));
            }
            if self.unsure {
                let message = "`unsure` and `scoring: probability` exclude each other";
                return Err(ParamError::new("unsure", message));
            }
        }
        if self.unsure && self.ask == Ask::FirstError {
            let message = "`ask: first_error` asks for a number: there is no place for `unsure`";
            return Err(ParamError::new("unsure", message));
        }
        self.prompt.validate("prompt")?;
        self.review_prompt.validate("review_prompt")?;
        self.merge_prompt.validate("merge_prompt")
    }
}

/// One reading of the steps.
struct Reading {
    row: Row,
    words: String,
}

/// The case with what all its requests share.
struct Work<'a> {
    judge: &'a Step,
    case: &'a Case,
    question: String,
    documents: Vec<String>,
    fences: Fences,
    quotes: Quotes<'a>,
}

impl<'a> Work<'a> {
    fn new(judge: &'a Step, case: &'a Case, seed: u64) -> Result<Self, Unscored> {
        let documents = evidence::documents(case, &judge.documents)?;
        let others: Vec<&str> = documents.iter().map(String::as_str).collect();
        Ok(Self {
            judge,
            case,
            question: question(case),
            fences: crate::show::fences(case, &others, seed),
            documents,
            quotes: Quotes::of(case.responses.iter().chain(&case.steps).map(String::as_str)),
        })
    }

    /// What every template knows: the question, the reference, the steps of a range; `before` are those ahead of it.
    fn fill(&self, fences: &'a Fences, shown: Range<usize>) -> Fill<'a> {
        let label = |k: usize| ((k + 1).to_string(), self.case.steps[k].as_str());
        let before: Vec<(String, &str)> = (0..shown.start).map(label).collect();
        let steps: Vec<(String, &str)> = shown.map(label).collect();
        Fill::new(fences)
            .text("question", &self.question)
            .maybe("reference", self.case.reference.as_deref())
            .texts("before", &before)
            .texts("step", &steps)
            .value("count", self.case.steps.len())
    }

    /// The request for verdicts on the steps of a range.
    fn request(
        &self,
        built_in: BuiltIn,
        shown: Range<usize>,
        format: &dyn Format,
    ) -> Result<Request, Unscored> {
        let steps = self.case.steps[shown.clone()].join(" ");
        let whole = matches!(self.judge.ask, Ask::All | Ask::FirstError);
        let query = if whole { format!("{} {steps}", self.question) } else { steps };
        let chosen = evidence::chosen(&query, &self.documents, self.judge.top_k as usize);
        let number = shown.end;
        let fill = self
            .fill(&self.fences, shown)
            .texts("document", &chosen)
            .value("number", number)
            .value("unsure", self.judge.unsure)
            .value("adversarial", self.judge.adversarial)
            .value("first", self.judge.ask == Ask::FirstError);
        self.judge.prompt.request(built_in, fill, format)
    }

    fn words(&self) -> Vec<String> {
        let words = [RIGHT, WRONG].into_iter().chain(self.judge.unsure.then_some(UNSURE));
        words.map(str::to_owned).collect()
    }

    /// One reading of all steps.
    fn reading(&self, k: usize, script: &mut Script<'_>) -> Result<Reading, Pause> {
        let steps = self.case.steps.len();
        match self.judge.ask {
            Ask::All => {
                let format = Answers { count: steps, words: self.words() };
                let request = sample(&self.request(ALL, 0..steps, &format)?, k);
                Ok(script.read(&request, |reply| self.answers(&format, reply))?)
            }
            Ask::FirstError => {
                let format = Score::whole(0, i32::try_from(steps).unwrap_or(i32::MAX));
                let request = sample(&self.request(ALL, 0..steps, &format)?, k);
                Ok(script.read(&request, |reply| self.located(&format, reply))?)
            }
            Ask::Each => self.each(k, script),
            Ask::InTurn => self.in_turn(k, script),
        }
    }

    fn answers(&self, format: &Answers, reply: &Reply) -> Result<Reading, Unscored> {
        let answers = format.read(&reply.text, &self.quotes)?;
        let verdict =
            |answer: Result<usize, Unscored>| answer.map(|word| f64::from(u8::from(word != 1)));
        let row = answers.into_iter().map(verdict).collect::<Result<Row, _>>()?;
        Ok(Reading { row, words: reply.text.clone() })
    }

    fn located(&self, format: &Score, reply: &Reply) -> Result<Reading, Unscored> {
        let number = format.read(&reply.text, &self.quotes)?;
        let steps = self.case.steps.len();
        let place = (1..=steps).find(|step| *step as f64 == number).map(|step| step - 1);
        Ok(Reading { row: until(place, steps), words: reply.text.clone() })
    }

    fn each(&self, k: usize, script: &mut Script<'_>) -> Result<Reading, Pause> {
        let verdicts =
            script.all(self.case.steps.len(), |step, script| self.single(step, k, script))?;
        let words =
            verdicts.iter().enumerate().map(|(step, (_, words))| said(step, words)).collect();
        Ok(Reading { row: verdicts.iter().map(|(verdict, _)| *verdict).collect(), words })
    }

    fn in_turn(&self, k: usize, script: &mut Script<'_>) -> Result<Reading, Pause> {
        let (steps, mut words, mut error) = (self.case.steps.len(), String::new(), None);
        for step in 0..steps {
            let (verdict, own) = self.single(step, k, script)?;
            words.push_str(&said(step, &own));
            if !rows::right(verdict) {
                error = Some(step);
                break;
            }
        }
        Ok(Reading { row: until(error, steps), words })
    }

    /// The verdict on one step, and its words.
    fn single(
        &self,
        step: usize,
        k: usize,
        script: &mut Script<'_>,
    ) -> Result<(f64, String), Pause> {
        let probable = self.judge.scoring == Scoring::Probability;
        let format = Label { labels: self.words(), direct: probable };
        let mut request = sample(&self.request(EACH, step..step + 1, &format)?, k);
        if probable {
            request.top_logprobs = logprob::TOP;
        }
        script.read(&request, |reply| {
            let word = format.read(&reply.text, &self.quotes)?;
            let verdict = if probable {
                Self::probability(&format, word, reply)?
            } else {
                f64::from(u8::from(word != 1))
            };
            Ok((verdict, reply.text.clone()))
        })
    }

    /// P(YES) among YES and NO, where the reply gives its verdict.
    fn probability(format: &Label, word: usize, reply: &Reply) -> Result<f64, Unscored> {
        let word = &format.labels[word];
        let start = reply.text.rfind(word.as_str()).unwrap_or(0);
        let weights = logprob::choices(reply, start, word, &format.labels)?;
        Ok(weights[0] / weights.iter().sum::<f64>())
    }

    /// The critique of the critiques, then the row that comes of it.
    fn merged(&self, readings: &[Reading], script: &mut Script<'_>) -> Result<Row, Pause> {
        let steps = self.case.steps.len();
        let critiques: Vec<(String, &str)> = readings
            .iter()
            .enumerate()
            .map(|(k, reading)| ((k + 1).to_string(), reading.words.as_str()))
            .collect();
        let words: Vec<&str> = critiques.iter().map(|(_, words)| *words).collect();
        let fences = crate::show::fences(self.case, &words, script.seed());
        let fill = self.fill(&fences, 0..steps).texts("critique", &critiques);
        let request = self.judge.review_prompt.request(REVIEW, fill, &Free)?;
        let review = script.read(&request, |reply| Free.read(&reply.text, &self.quotes))?;
        let words: Vec<&str> = words.into_iter().chain([review.as_str()]).collect();
        let fences = crate::show::fences(self.case, &words, script.seed());
        let fill =
            self.fill(&fences, 0..steps).texts("critique", &critiques).text("review", &review);
        let format = Answers::new(steps, [RIGHT, WRONG]);
        let request = self.judge.merge_prompt.request(MERGE, fill, &format)?;
        // The critiques hold verdicts in the same format: a final row that equals one of theirs is no quote.
        script.read(&request, |reply| {
            let answers = format.read(&reply.text, &self.quotes)?;
            answers.into_iter().map(|a| a.map(|word| f64::from(u8::from(word == 0)))).collect()
        })
    }
}

fn said(step: usize, words: &str) -> String {
    format!("On step {}: {}\n\n", step + 1, words.trim())
}

impl Step {
    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        let per_row = match self.ask {
            Ask::All | Ask::FirstError => 1,
            Ask::Each | Ask::InTurn => case.steps.len(),
        };
        if case.steps.is_empty() {
            let reason = "the judge needs the steps of the response, which the row lacks";
            return Err(Unscored::missing(reason).into());
        }
        if case.steps.len().max(per_row * self.samples as usize) > MAX_CALLS {
            let reason = format!("{} steps are too many to judge", case.steps.len());
            return Err(Unscored::budget(reason).into());
        }
        let work = Work::new(self, case, script.seed())?;
        let readings = script.all(self.samples as usize, |k, script| work.reading(k, script))?;
        let rows: Vec<Row> = readings.iter().map(|reading| reading.row.clone()).collect();
        let row = match self.aggregate {
            _ if self.scoring == Scoring::Probability => rows::mean(&rows),
            Aggregate::StepMajority => rows::step_majority(&rows),
            Aggregate::OutcomeMajority => rows::outcome_majority(&rows),
            Aggregate::Plurality => rows::plurality(&rows),
            Aggregate::Mean => rows::mean(&rows),
            Aggregate::MetaCritique => work.merged(&readings, script)?,
        };
        Ok(self.judgement(row, &rows))
    }

    fn judgement(&self, row: Row, rows: &[Row]) -> Judgement {
        let error = first_error(&row);
        let steps = row.len() as f64;
        let value = match self.value {
            Value::Min => row.iter().copied().fold(f64::INFINITY, f64::min),
            Value::Mean => row.iter().sum::<f64>() / steps,
            Value::Prefix => error.map_or(steps, |at| at as f64) / steps,
        };
        let why = match error {
            Some(at) => format!("step {} is the first wrong one", at + 1),
            None => "every step is right".to_owned(),
        };
        let mut told = Judgement::score(value).because(why);
        if rows.len() > 1 {
            let agree = rows.iter().filter(|own| first_error(own).is_some() == error.is_some());
            told = told.sure(agree.count() as f64 / rows.len() as f64);
        }
        let place = error.map_or(serde_json::Value::from(-1), serde_json::Value::from);
        told.made.insert("first_error".into(), place);
        told.steps = row;
        told
    }
}

impl Judge for Step {
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
        Some(self.documents.clone()).filter(|column| !column.is_empty()).into_iter().collect()
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Step: Judge,
    id: "judge.step",
    papers: ["spark-2025", "med-prm-2025", "spc-2025", "agent-r-2025"],
    status: Verified(Worked("the rows + + −, + − −, + + + of SPARK's entry; P(+) of Med-PRM's; ProcessBench's labels")),
    laws: [],
    exempt: [],
    samples: [r#"{
        "case": {"prompt": "What is 2 + 2 + 1?", "responses": ["2 + 2 = 4\n\n4 + 1 = 6"], "steps": ["2 + 2 = 4", "4 + 1 = 6"]},
        "replies": [["The first is right, the second is not.\n1. YES\n2. NO"]],
        "values": [0]
    }"#, r#"{
        "case": {"prompt": "What is 2 + 2?", "responses": ["2 + 2 = 4"], "steps": ["2 + 2 = 4"]},
        "replies": [["Right.\n1. YES"]],
        "values": [1]
    }"#]
}

#[cfg(test)]
mod tests;
