//! A generative reward model: principles, critique and scores, sampled several times, and voted on, with or without a second
//! model that grades the samples.
//!
//! # Formula
//!
//! ```text
//! sum       S_i = Σ_j S_ij                          over k samples j of scores low…high: from k·low to k·high
//! majority  S_i = share of samples in which i is best (equally good ones share the vote)
//! meta      only the best `keep` of the samples, by the grades of a second model, are voted on
//! ```
//!
//! # When to use it
//!
//! Where more calls may buy a better judgement: the sum of samples is finer than one grade, so that ties vanish, and the order
//! of the responses is drawn anew for each. The meta filter pays where its grades tell good samples from bad ones; without
//! such a model, `majority` often beats `sum`.
//!
//! # Departures
//!
//! The samples are all read or the case is unscored; there, unreadable ones are dropped. The meta model gives a grade in
//! words; there, it is a scalar model (use `filter: meta` with a model of your own behind `meta_model`).
//!
//! # Example
//!
//! ```yaml
//! use: judge.genrm
//! samples: 4
//! filter: none
//! ```
//!
//! ```
//! use guerdon_judge::judge::genrm::vote;
//!
//! let samples = vec![vec![7.0, 6.0, 4.0], vec![8.0, 5.0, 5.0], vec![4.0, 9.0, 5.0]];
//! assert_eq!(vote::sum(&samples), [19.0, 20.0, 14.0]);
//! ```
//!
//! # References
//!
//! Liu et al., "Inference-Time Scaling for Generalist Reward Modeling", 2025 (DeepSeek-GRM, SPCT). "Exploring Data Scaling Trends
//! and Effects in Reinforcement Learning from Human Feedback", 2025 (comparison with a reference).

pub mod vote;

use guerdon_core::method::{Case, Form, Judge, Judgement, Next, Params, Reply, Request};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::contract::{Format, Quotes, Read, Score, Scores};
use crate::prompt::{BuiltIn, Prompt};
use crate::script::{Pause, Script, converse, sample};
use crate::show::Show;
use crate::view::View;

const BUILT_IN: BuiltIn = BuiltIn {
    system: include_str!("../../../prompts/judge.system.j2"),
    user: include_str!("../../../prompts/genrm.user.j2"),
};

const META: BuiltIn = BuiltIn {
    system: include_str!("../../../prompts/judge.system.j2"),
    user: include_str!("../../../prompts/genrm.meta.user.j2"),
};

/// What is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Two or more responses, beside each other.
    #[default]
    List,
    /// One response by itself.
    Single,
    /// One response beside the reference, which is shown as another response: the value is its vote minus the reference's.
    AgainstReference,
}

/// How the samples are voted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Vote {
    /// The scores are added.
    #[default]
    Sum,
    /// Every sample votes for its best response.
    Majority,
}

/// Which samples are voted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// All.
    #[default]
    None,
    /// Those that a second model grades best.
    Meta,
}

/// Parameters of `judge.genrm`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Genrm {
    /// What is scored. Default: `list`.
    pub what: What,
    /// The lowest score. Default: 1.
    pub low: i32,
    /// The highest score. Default: 10.
    pub high: i32,
    /// How many samples k are drawn. Range: 1 to 64. Default: 8.
    pub samples: u32,
    /// Whether the responses are shown in a new order in every sample. Default: true.
    pub shuffle: bool,
    /// How the samples are voted on. Default: `sum`.
    pub vote: Vote,
    /// Which samples are voted on. Default: `none`, that is, all.
    pub filter: Filter,
    /// The share of samples that the meta filter keeps, at least one. Range: above 0 to 1. Default: 0.5.
    pub keep: f64,
    /// The model of the spec that grades the samples; empty for the judge's own.
    pub meta_model: String,
    /// The most principles that the judge may name. Range: 1 to 20. Default: 5.
    pub principles: u32,
    /// A principle that is given; empty for none.
    pub criterion: String,
    /// Sampling temperature; `null` for that of the model's entry in the spec. Range: 0 to 2.
    pub temperature: Option<f64>,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates in place of the built-in ones.
    pub prompt: Prompt,
    /// Templates of the request that grades a sample, in place of the built-in ones.
    pub meta_prompt: Prompt,
}

impl Default for Genrm {
    fn default() -> Self {
        Self {
            what: What::List,
            low: 1,
            high: 10,
            samples: 8,
            shuffle: true,
            vote: Vote::Sum,
            filter: Filter::None,
            keep: 0.5,
            meta_model: String::new(),
            principles: 5,
            criterion: String::new(),
            temperature: None,
            retries: 1,
            prompt: Prompt::default(),
            meta_prompt: Prompt::default(),
        }
    }
}

impl Params for Genrm {
    fn validate(&self) -> Result<(), ParamError> {
        if self.low >= self.high {
            return Err(ParamError::new("high", "`high` must be greater than `low`"));
        }
        ParamError::in_range("samples", self.samples.into(), 1.0, 64.0)?;
        ParamError::in_range("principles", self.principles.into(), 1.0, 20.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        ParamError::positive("keep", self.keep)?;
        ParamError::in_range("keep", self.keep, 0.0, 1.0)?;
        if let Some(temperature) = self.temperature {
            ParamError::in_range("temperature", temperature, 0.0, 2.0)?;
        }
        if self.temperature == Some(0.0) && self.samples > 1 && !self.shuffle {
            let why =
                "`temperature` must be above 0: without `shuffle` all samples would be the same";
            return Err(ParamError::new("temperature", why));
        }
        if self.what == What::Single && self.vote == Vote::Majority {
            return Err(ParamError::new("vote", "`vote: majority` needs several responses"));
        }
        self.prompt.validate("prompt")?;
        self.meta_prompt.validate("meta_prompt")
    }
}

/// One sample: the judge's words, and its scores by response.
#[derive(Debug, Clone)]
struct Sample {
    text: String,
    scores: Vec<f64>,
}

impl Genrm {
    /// What is scored beside each other, as a case of its own.
    fn scored(&self, case: &Case) -> Result<Case, Unscored> {
        if self.what != What::AgainstReference {
            return Ok(case.clone());
        }
        let reference = case.need_reference()?.to_owned();
        let mut own = case.with_responses(vec![case.responses[0].clone(), reference]);
        own.reference = None;
        Ok(own)
    }

    fn view<'a>(&'a self, case: &'a Case) -> View<'a> {
        View { case: Some(case), criterion: &self.criterion, ..View::default() }
    }

    fn show(&self, script: &Script<'_>, n: usize, k: usize) -> Show {
        let draw = if self.shuffle { format!("order {k}") } else { "order".to_owned() };
        Show::seeded(script, n, &draw)
    }

    fn score(&self) -> Score {
        Score::whole(self.low, self.high)
    }

    fn request(&self, case: &Case, show: &Show, seed: u64) -> Result<Request, Unscored> {
        let view = self.view(case);
        let texts = view.texts(&[], seed)?;
        let fill = show
            .fill(view.fill(&texts), &texts.fences, &case.responses)
            .value("low", self.low)
            .value("high", self.high)
            .value("principles", self.principles);
        let (one, all) =
            (self.score(), Scores { count: case.responses.len(), score: self.score() });
        let format: &dyn Format = if case.responses.len() == 1 { &one } else { &all };
        let request = self.prompt.request(BUILT_IN, fill, format)?;
        Ok(Request { temperature: self.temperature, ..request })
    }

    fn ask(&self, case: &Case, k: usize, script: &mut Script<'_>) -> Result<Sample, Pause> {
        let n = case.responses.len();
        let show = self.show(script, n, k);
        let request = sample(&self.request(case, &show, script.seed())?, k);
        let quotes = Quotes::of(case.responses.iter().map(String::as_str));
        let (text, scores) = script.read(&request, |reply| {
            let scores = if n == 1 {
                vec![self.score().read(&reply.text, &quotes)?]
            } else {
                Scores { count: n, score: self.score() }.read(&reply.text, &quotes)?
            };
            Ok((reply.text.clone(), scores))
        })?;
        Ok(Sample { text, scores: show.back(&scores) })
    }

    /// The second model's grade of a sample.
    fn grade(
        &self,
        case: &Case,
        told: &Sample,
        k: usize,
        script: &mut Script<'_>,
    ) -> Result<f64, Pause> {
        let view = self.view(case);
        let texts = view.texts(&[&told.text], script.seed())?;
        let show = self.show(script, case.responses.len(), k);
        let shown: Vec<String> = show
            .labels()
            .iter()
            .enumerate()
            .map(|(place, label)| {
                let name = format!("context_{}", label.to_lowercase());
                texts.fences.wrap(&name, show.text(&case.responses, place))
            })
            .collect();
        let fill = view
            .fill(&texts)
            .value("count", shown.len())
            .value("shown", shown)
            .text("text_judgement", &told.text);
        let format = Score::whole(1, 10);
        let mut request = self.meta_prompt.request(META, fill, &format)?;
        request.model = (!self.meta_model.is_empty()).then(|| self.meta_model.clone());
        let quotes = Quotes::of([told.text.as_str()]);
        script.read(&sample(&request, k), |reply| format.read(&reply.text, &quotes))
    }

    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        let own = self.scored(case)?;
        let samples = script.all(self.samples as usize, |k, script| self.ask(&own, k, script))?;
        let mut made =
            vec![("samples", json!(samples.iter().map(|s| &s.scores).collect::<Vec<_>>()))];
        let kept = match self.filter {
            Filter::None => (0..samples.len()).collect(),
            Filter::Meta => {
                let grades = script
                    .all(samples.len(), |k, script| self.grade(&own, &samples[k], k, script))?;
                made.push(("meta", json!(grades)));
                vote::keep(&grades, self.keep)
            }
        };
        let voting: Vec<Vec<f64>> = kept.iter().map(|k| samples[*k].scores.clone()).collect();
        let values = match self.vote {
            Vote::Sum => vote::sum(&voting),
            Vote::Majority => vote::majority(&voting),
        };
        let mut told = match (self.what, values.as_slice()) {
            (What::AgainstReference, [own, reference]) => Judgement::score(own - reference),
            _ => Judgement::scores(values),
        };
        told.made = made.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        Ok(match agreement(&vote::majority(&voting)) {
            Some(share) if own.responses.len() > 1 => told.sure(share),
            _ => told,
        })
    }
}

/// The share of the votes that the best response has.
fn agreement(shares: &[f64]) -> Option<f64> {
    shares.iter().copied().reduce(f64::max).map(|share| share.clamp(0.0, 1.0))
}

impl Judge for Genrm {
    fn form(&self) -> Form {
        if self.what == What::List { Form::List } else { Form::Single }
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
        let own = self.filter == Filter::Meta && !self.meta_model.is_empty();
        own.then(|| self.meta_model.clone()).into_iter().collect()
    }

    fn range(&self) -> Option<(f64, f64)> {
        let kept = match self.filter {
            Filter::None => f64::from(self.samples),
            Filter::Meta => vote::keep(&vec![0.0; self.samples as usize], self.keep).len() as f64,
        };
        let (low, high) = match self.vote {
            Vote::Sum => (kept * f64::from(self.low), kept * f64::from(self.high)),
            Vote::Majority => (0.0, 1.0),
        };
        match self.what {
            What::AgainstReference => Some((low - high, high - low)),
            _ => Some((low, high)),
        }
    }
}

guerdon_core::method! {
    Genrm: Judge,
    id: "judge.genrm",
    papers: ["deepseek-grm-2025", "pre-ppo-2025"],
    status: Verified(Worked("the catalogue's three samples of three responses")),
    laws: [],
    exempt: [],
    sample_params: r#"{"samples": 2, "shuffle": false}"#,
    samples: [r#"{
        "case": {"prompt": "What is 2 + 2?", "responses": ["It is four.", "It is five."]},
        "replies": [["Right matters (100 %).\nScores: [[8, 8]]", "The same again.\nScores: [[6, 6]]"]],
        "values": [14, 14]
    }"#]
}

#[cfg(test)]
mod tests;
