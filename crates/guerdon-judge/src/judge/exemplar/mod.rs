//! Judging by example: a response against a strong exemplar, or beside labelled examples, chosen by nearness where embeddings
//! are given.
//!
//! # Formula
//!
//! ```text
//! compare     value = mean over exemplars and both orders of the reward of the level (worse … on a par … better)
//! difference  value = (grade of the response − grade of the exemplar) / scale, each graded alone from 0 to scale
//! grade       value = the judge's grade, given the k nearest graded examples
//! pair        the judge's verdict on two responses, given the k nearest judged pairs; both orders averaged
//! neighbour   value = mean label of the k nearest examples; no call
//! nearness    Canberra Σ |x − y|/(|x| + |y|), Euclidean, or 1 − cosine, between embeddings; the first k where there are none
//! ```
//!
//! # When to use it
//!
//! Against an exemplar, where absolute grades bunch in the middle and a strong answer exists. While all responses are far below
//! the exemplar every comparison says the same: give a ladder of exemplars (a list in the column). Beside examples, where the
//! judge must grade as certain people do; `neighbour` costs nothing and rivals a judge from some hundred labels on.
//!
//! # Departures
//!
//! The levels of the exemplar reward are not in its abstract: −1, 0, 1 by default. A judge that always names the first gets 0 by
//! the averaging. Embeddings come from columns; nothing here computes them.
//!
//! # Example
//!
//! ```yaml
//! use: judge.exemplar
//! kind: compare
//! column: strong_translation
//! rewards: [-1, 0, 1]
//! ```
//!
//! ```
//! use guerdon_judge::judge::exemplar::Distance;
//!
//! assert!((Distance::Canberra.between(&[1.0, 2.0], &[2.0, 4.0]) - 2.0 / 3.0).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! "ExTrans: Multilingual Deep Reasoning Translation via Exemplar-Enhanced Reinforcement Learning", 2025 (`compare`);
//! "Skywork-Reward-V2", 2025 (`pair`: similar verified pairs are shown); "Automated Feedback in Math Education", 2024
//! (`neighbour`, Canberra distance).

mod ask;
mod distance;
#[cfg(test)]
mod tests;

pub use distance::Distance;

use guerdon_core::method::{Case, Form, Judge, Judgement, Next, Params, Reply, read_value};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::prompt::Prompt;
use crate::script::{Pause, Script, converse};

/// The most exemplars or examples.
const MOST: usize = 10_000;

/// Parameters of `judge.exemplar`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Exemplar {
    /// What is done with the examples. Default: `compare`.
    pub kind: Kind,
    /// The column that holds the exemplar, or a list of them; for the other kinds, a list of examples where none are given
    /// here. Empty for the reference. Default: `exemplar`.
    pub column: String,
    /// Rewards of the levels from much worse to much better (5) or from worse to better (3). Default: -1, 0, 1.
    pub rewards: Vec<f64>,
    /// The highest grade for `kind: difference`, 0 being the lowest. Range: 1 to 1000. Default: 5.
    pub scale: u32,
    /// Labelled examples for `grade`, `pair` and `neighbour`. Default: none, the row has them.
    pub examples: Vec<Example>,
    /// How many examples count. Range: 1 to 64. Default: 3.
    pub k: u32,
    /// How near examples are. Default: `canberra`.
    pub distance: Distance,
    /// The column that holds the row's embedding. Default: `embedding`.
    pub embedding: String,
    /// The lowest grade for `kind: grade`. Default: 1.
    pub low: i32,
    /// The highest grade for `kind: grade`. Default: 10.
    pub high: i32,
    /// The model, by its name in the spec. Default: the spec's default.
    pub model: Option<String>,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates in place of the built-in ones.
    pub prompt: Prompt,
}

/// What is done with examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The response is compared with exemplars.
    #[default]
    Compare,
    /// Response and exemplars are graded alone, and the grades compared.
    Difference,
    /// The response is graded beside graded examples.
    Grade,
    /// Two responses are compared beside judged pairs.
    Pair,
    /// The labels of the nearest examples are averaged.
    Neighbour,
}

/// A labelled example.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What was asked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prompt: String,
    /// The response; of a pair, both.
    pub responses: Vec<String>,
    /// Its grade; of a pair, what the first gets: 1, 0.5 or 0.
    pub label: f64,
    /// Its embedding, where it has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embedding: Vec<f64>,
}

impl Default for Exemplar {
    fn default() -> Self {
        Self {
            kind: Kind::Compare,
            column: "exemplar".to_owned(),
            rewards: vec![-1.0, 0.0, 1.0],
            scale: 5,
            examples: Vec::new(),
            k: 3,
            distance: Distance::Canberra,
            embedding: "embedding".to_owned(),
            low: 1,
            high: 10,
            model: None,
            retries: 1,
            prompt: Prompt::default(),
        }
    }
}

impl Params for Exemplar {
    fn validate(&self) -> Result<(), ParamError> {
        let rising = self.rewards.windows(2).all(|two| two[0] <= two[1]);
        let finite = self.rewards.iter().all(|reward| reward.abs() <= 1e6);
        if !matches!(self.rewards.len(), 3 | 5) || !rising || !finite {
            let what = "`rewards` must be 3 or 5 finite numbers that do not fall";
            return Err(ParamError::new("rewards", what));
        }
        if self.low >= self.high {
            return Err(ParamError::new("high", "`high` must be greater than `low`"));
        }
        ParamError::in_range("scale", self.scale.into(), 1.0, 1000.0)?;
        ParamError::in_range("k", self.k.into(), 1.0, 64.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        self.check(&self.examples).map_err(|what| ParamError::new("examples", what))?;
        self.prompt.validate("prompt")
    }
}

impl Exemplar {
    fn check(&self, examples: &[Example]) -> Result<(), String> {
        let each = if self.kind == Kind::Pair { 2 } else { 1 };
        if examples.len() > MOST {
            return Err(format!("there are more than {MOST} examples"));
        }
        let odd =
            |e: &Example| e.responses.len() != each || e.label.abs() > 1e9 || e.label.is_nan();
        match examples.iter().position(odd) {
            Some(k) => {
                Err(format!("example {k} must have {each} `responses` and a finite `label`"))
            }
            None => Ok(()),
        }
    }

    /// The examples that count for a case.
    fn near(&self, case: &Case) -> Result<Vec<Example>, Unscored> {
        let all = if self.examples.is_empty() {
            let list = case.fields.get(&self.column).cloned();
            let list = list.ok_or_else(|| self.missing("labelled examples"))?;
            let own: Vec<Example> = read_value(list)
                .map_err(|error| Unscored::invalid(format!("the examples: {error}")))?;
            self.check(&own).map_err(Unscored::invalid)?;
            own
        } else {
            self.examples.clone()
        };
        if all.is_empty() {
            return Err(self.missing("labelled examples"));
        }
        let k = self.k as usize;
        let Some(own) = self.own_embedding(case)? else {
            return Ok(all.into_iter().take(k).collect());
        };
        let embeddings: Vec<&[f64]> = all.iter().map(|e| e.embedding.as_slice()).collect();
        let places = self.distance.nearest(&own, &embeddings, k)?;
        Ok(places.into_iter().map(|place| all[place].clone()).collect())
    }

    fn own_embedding(&self, case: &Case) -> Result<Option<Vec<f64>>, Unscored> {
        match case.fields.get(&self.embedding) {
            None | Some(Value::Null) if self.kind == Kind::Neighbour => {
                let column = &self.embedding;
                Err(Unscored::missing(format!("the row has no embedding in the column `{column}`")))
            }
            None | Some(Value::Null) => Ok(None),
            Some(list) => read_value(list.clone())
                .map(Some)
                .map_err(|error| Unscored::invalid(format!("the embedding of the row: {error}"))),
        }
    }

    /// The exemplars of a case.
    fn exemplars(&self, case: &Case) -> Result<Vec<String>, Unscored> {
        if self.column.is_empty() {
            return Ok(vec![case.need_reference()?.to_owned()]);
        }
        let exemplars: Vec<String> = match case.fields.get(&self.column) {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(list)) => {
                list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
        if !(1..=64).contains(&exemplars.len()) {
            return Err(self.missing("1 to 64 exemplars"));
        }
        Ok(exemplars)
    }

    fn missing(&self, what: &str) -> Unscored {
        Unscored::missing(format!("the row has no {what} in the column `{}`", self.column))
    }

    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        match self.kind {
            Kind::Compare => ask::compare(self, case, &self.exemplars(case)?, script),
            Kind::Difference => ask::difference(self, case, &self.exemplars(case)?, script),
            Kind::Grade => ask::grade(self, case, &self.near(case)?, script),
            Kind::Pair => ask::pair(self, case, &self.near(case)?, script),
            Kind::Neighbour => {
                let near = self.near(case)?;
                let mean =
                    near.iter().map(|example| example.label).sum::<f64>() / near.len() as f64;
                Ok(Judgement::score(mean))
            }
        }
    }
}

impl Judge for Exemplar {
    fn form(&self) -> Form {
        if self.kind == Kind::Pair { Form::Pair } else { Form::Single }
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
        self.model.iter().filter(|_| self.kind != Kind::Neighbour).cloned().collect()
    }

    fn reads(&self) -> Vec<String> {
        let examples = matches!(self.kind, Kind::Grade | Kind::Pair | Kind::Neighbour);
        let reads = !examples || self.examples.is_empty();
        let column = reads && !self.column.is_empty();
        let mut columns: Vec<String> = column.then(|| self.column.clone()).into_iter().collect();
        if examples {
            columns.push(self.embedding.clone());
        }
        columns
    }

    fn range(&self) -> Option<(f64, f64)> {
        match self.kind {
            Kind::Compare => Some((*self.rewards.first()?, *self.rewards.last()?)),
            Kind::Difference => Some((-1.0, 1.0)),
            Kind::Grade => Some((self.low.into(), self.high.into())),
            Kind::Pair => Some((0.0, 1.0)),
            Kind::Neighbour => None,
        }
    }
}

guerdon_core::method! {
    Exemplar: Judge,
    id: "judge.exemplar",
    papers: ["extrans-2025", "skywork-reward-v2-2025", "math-feedback-2024"],
    status: Verified(Worked("the catalogue's difference of grades and its Canberra distance")),
    laws: [],
    exempt: [],
    samples: [r#"{
        "case": {"prompt": "Translate: guten Tag", "responses": ["good day"], "fields": {"exemplar": "hello"}},
        "replies": [["Both will do.\n[[A=B]]"]],
        "values": [0]
    }"#]
}
