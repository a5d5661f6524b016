//! Scores and a ranking of several responses under a principle that is stated in words.
//!
//! # Formula
//!
//! ```text
//! one reply: s_i (low…high) for every response i under a masked name, and the names from the best to the worst
//! consistent  no response stands behind one with a lower score
//! scores   value_i = s_i
//! ranking  value_i = (n − place_i)/(n − 1), places from 1: 1 for the best, 0 for the worst
//! ```
//!
//! # When to use it
//!
//! Where the principle changes with the task or the user, and many responses are compared in one call. Long lists dilute the
//! judge's attention: beyond about eight responses, use comparisons.
//!
//! # Departures
//!
//! A ranking that contradicts the scores, that repeats or leaves out a name, is unreadable; the released code does not check
//! it, and pays a response that it cannot compare with 1. The masks are drawn from the seed, not from one fixed shuffle.
//!
//! # Example
//!
//! ```yaml
//! use: judge.listwise
//! principle: Shorter answers are better, as long as they are right.
//! ```
//!
//! ```
//! use guerdon_judge::judge::listwise::{consistent, ranked};
//!
//! assert!(consistent(&[3.0, 5.0, 3.0], &[1, 2, 0]) && !consistent(&[3.0, 5.0, 4.0], &[1, 0, 2]));
//! assert_eq!(ranked(&[1, 2, 0]), [0.0, 1.0, 0.5]);
//! ```
//!
//! # References
//!
//! Yu et al., "RewardAnything: Generalizable Principle-Following Reward Models", 2025. Ma et al., "The Fellowship of the LLMs",
//! 2024 (combined scoring in one call).

use guerdon_core::method::{Case, Form, Judge, Judgement, Next, Params, Reply, Request};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::contract::{Format, Object, Quotes, Read};
use crate::grader::{Grader, repaired};
use crate::prompt::{BuiltIn, Prompt};
use crate::script::{Pause, Script, converse, sample};
use crate::show::Show;
use crate::view::View;

const BUILT_IN: BuiltIn = BuiltIn {
    system: include_str!("../../prompts/judge.system.j2"),
    user: include_str!("../../prompts/listwise.user.j2"),
};

const PRINCIPLE: &str =
    "The response answers what was asked: it is right, complete, to the point and clear.";

/// What is given for each response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Give {
    /// The score.
    #[default]
    Scores,
    /// The place in the ranking: 1 for the best, 0 for the worst.
    Ranking,
}

/// Parameters of `judge.listwise`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Listwise {
    /// The principle to judge by. Default: that the response answers what was asked.
    pub principle: String,
    /// The column that holds the principle; empty for the one above.
    pub principle_column: String,
    /// The lowest score. Default: 1.
    pub low: i32,
    /// The highest score. Default: 5.
    pub high: i32,
    /// Whether a ranking is asked for beside the scores, and must agree with them. Default: true.
    pub ranking: bool,
    /// What is given for each response. Default: `scores`.
    pub give: Give,
    /// The reply format of a model that was trained for it, with its own reader: `rewardanything`.
    pub reply: Option<Grader>,
    /// How many replies are asked for and averaged, each with new masks. Range: 1 to 64. Default: 1.
    pub samples: u32,
    /// Sampling temperature; `null` for that of the model's entry in the spec. Range: 0 to 2.
    pub temperature: Option<f64>,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates in place of the built-in ones.
    pub prompt: Prompt,
}

impl Default for Listwise {
    fn default() -> Self {
        Self {
            principle: PRINCIPLE.to_owned(),
            principle_column: String::new(),
            low: 1,
            high: 5,
            ranking: true,
            give: Give::Scores,
            reply: None,
            samples: 1,
            temperature: None,
            retries: 1,
            prompt: Prompt::default(),
        }
    }
}

impl Params for Listwise {
    fn validate(&self) -> Result<(), ParamError> {
        if self.low >= self.high {
            return Err(ParamError::new("high", "`high` must be greater than `low`"));
        }
        if self.principle.trim().is_empty() {
            return Err(ParamError::new("principle", "`principle` must say something"));
        }
        ParamError::in_range("samples", self.samples.into(), 1.0, 64.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        if let Some(temperature) = self.temperature {
            ParamError::in_range("temperature", temperature, 0.0, 2.0)?;
        }
        if self.give == Give::Ranking && !self.ranking {
            return Err(ParamError::new("give", "`give: ranking` needs `ranking: true`"));
        }
        if self.reply.is_some_and(|grader| grader != Grader::RewardAnything) {
            return Err(ParamError::new("reply", "`reply` can only be `rewardanything` here"));
        }
        self.prompt.validate("prompt")
    }
}

/// Whether no response stands behind one with a lower score. `best_first` holds each index of `scores` once.
pub fn consistent(scores: &[f64], best_first: &[usize]) -> bool {
    best_first.windows(2).all(|pair| scores[pair[0]] >= scores[pair[1]])
}

/// The value of each response's place: 1 for the best, 0 for the worst. `best_first` holds each index below its length once.
pub fn ranked(best_first: &[usize]) -> Vec<f64> {
    let last = best_first.len().saturating_sub(1).max(1) as f64;
    let mut values = vec![0.0; best_first.len()];
    for (place, response) in best_first.iter().enumerate() {
        values[*response] = 1.0 - place as f64 / last;
    }
    values
}

impl Listwise {
    /// The masked names of the places.
    fn names(&self, n: usize) -> Vec<String> {
        let stem = if self.reply.is_some() { "model-" } else { "response_" };
        (1..=n).map(|k| format!("{stem}{k}")).collect()
    }

    fn format(&self, names: &[String]) -> Object {
        let score = json!({"type": "integer", "minimum": self.low, "maximum": self.high});
        let object = |properties: Map<String, Value>| {
            let required: Vec<&String> = properties.keys().collect();
            json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
        };
        let scores = names.iter().map(|name| (name.clone(), score.clone())).collect();
        let mut properties = Map::from_iter([("scores".to_owned(), object(scores))]);
        if self.ranking {
            let n = names.len();
            let list =
                json!({"type": "array", "items": {"enum": names}, "minItems": n, "maxItems": n});
            properties.insert("best-to-worst".to_owned(), list);
        }
        Object { schema: object(properties) }
    }

    fn request(
        &self,
        case: &Case,
        show: &Show,
        principle: &str,
        seed: u64,
    ) -> Result<Request, Unscored> {
        let names = self.names(case.responses.len());
        let view = View { case: Some(case), ..View::default() };
        let texts = view.texts(&[principle], seed)?;
        let shown: Vec<Value> = names
            .iter()
            .enumerate()
            .map(|(place, name)| {
                let tag = format!("response_{}", place + 1);
                json!({"label": name, "text": texts.fences.wrap(&tag, show.text(&case.responses, place))})
            })
            .collect();
        let fill = view
            .fill(&texts)
            .text("principle", principle)
            .value("responses", shown)
            .value("low", self.low)
            .value("high", self.high)
            .value("ranking", self.ranking);
        let own = self.format(&names);
        let format: &dyn Format = self.reply.as_ref().map_or(&own, |grader| grader as _);
        let request = self.prompt.request(BUILT_IN, fill, format)?;
        Ok(Request { temperature: self.temperature, ..request })
    }

    /// The values of the places.
    fn read(
        &self,
        reply: &Reply,
        names: &[String],
        quotes: &Quotes<'_>,
    ) -> Result<Vec<f64>, Unscored> {
        let object = if self.reply.is_some() {
            let none = || Unscored::unreadable("the reply holds no JSON object");
            repaired(&quotes.strip(&reply.text)).ok_or_else(none)?
        } else {
            self.format(names).read(&reply.text, quotes)?
        };
        let scores = self.scores(&object, names)?;
        if !self.ranking {
            return Ok(scores);
        }
        let ranking = ranking(&object, names)?;
        if !consistent(&scores, &ranking) {
            return Err(Unscored::unreadable("the ranking contradicts the scores"));
        }
        Ok(if self.give == Give::Ranking { ranked(&ranking) } else { scores })
    }

    fn scores(&self, object: &Map<String, Value>, names: &[String]) -> Result<Vec<f64>, Unscored> {
        let none = || Unscored::unreadable("the JSON object has no `scores`");
        let given = object.get("scores").and_then(Value::as_object).ok_or_else(none)?;
        if let Some(other) = given.keys().find(|key| !names.contains(key)) {
            return Err(Unscored::unreadable(format!("`{other}` was not shown")));
        }
        let score = |name: &String| {
            let score = given.get(name).and_then(Value::as_f64).filter(|s| s.fract() == 0.0);
            score.filter(|s| (self.low.into()..=self.high.into()).contains(s)).ok_or_else(|| {
                Unscored::unreadable(format!(
                    "`{name}` has no whole number from {} to {}",
                    self.low, self.high
                ))
            })
        };
        names.iter().map(score).collect()
    }

    fn once(
        &self,
        case: &Case,
        principle: &str,
        k: usize,
        script: &mut Script<'_>,
    ) -> Result<Vec<f64>, Pause> {
        let n = case.responses.len();
        let show = Show::numbers(script.order(n, &format!("mask {k}")));
        let request = sample(&self.request(case, &show, principle, script.seed())?, k);
        let quotes = Quotes::of(case.responses.iter().map(String::as_str));
        let names = self.names(n);
        let values = script.read(&request, |reply| self.read(reply, &names, &quotes))?;
        Ok(show.back(&values))
    }

    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        let principle = match self.principle_column.as_str() {
            "" => self.principle.clone(),
            column => case.need(column)?,
        };
        let samples = self.samples as usize;
        let told = script.all(samples, |k, script| self.once(case, &principle, k, script))?;
        let mean = |i: usize| told.iter().map(|values| values[i]).sum::<f64>() / samples as f64;
        Ok(Judgement::scores((0..case.responses.len()).map(mean).collect()))
    }
}

/// The places from the best to the worst: each name exactly once.
fn ranking(object: &Map<String, Value>, names: &[String]) -> Result<Vec<usize>, Unscored> {
    let none = || Unscored::unreadable("`best-to-worst` must hold every name once");
    let given = object.get("best-to-worst").and_then(Value::as_array).ok_or_else(none)?;
    let place = |name: &Value| names.iter().position(|own| Some(own.as_str()) == name.as_str());
    let places: Vec<usize> = given.iter().map(place).collect::<Option<_>>().ok_or_else(none)?;
    let mut sorted = places.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if places.len() != names.len() || sorted.len() != names.len() {
        return Err(none());
    }
    Ok(places)
}

impl Judge for Listwise {
    fn form(&self) -> Form {
        Form::List
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
        let own = !self.principle_column.is_empty();
        own.then(|| self.principle_column.clone()).into_iter().collect()
    }

    fn range(&self) -> Option<(f64, f64)> {
        match self.give {
            Give::Scores => Some((self.low.into(), self.high.into())),
            Give::Ranking => Some((0.0, 1.0)),
        }
    }
}

guerdon_core::method! {
    Listwise: Judge,
    id: "judge.listwise",
    papers: ["rewardanything-2025", "fellowship-2024"],
    status: Verified(Reference("the recorded JSON of RewardAnything")),
    laws: [],
    exempt: [],
    samples: [r#"{
        "case": {"prompt": "What is 2 + 2?", "responses": ["It is four.", "Four."]},
        "replies": [["Equal.\n{\"scores\": {\"response_1\": 4, \"response_2\": 4}, \"best-to-worst\": [\"response_2\", \"response_1\"]}"]],
        "values": [4, 4]
    }"#]
}

#[cfg(test)]
mod tests {
    use super::Listwise;
    use crate::fence::find;
    use guerdon_core::method::{Case, Judge, Next, Params, Request};
    use serde_json::{Value, json};

    /// Responses are their own scores.
    fn reply(request: &Request, stem: &str) -> String {
        let shown: Vec<(usize, u32)> = find(&request.messages[1].content)
            .into_iter()
            .filter(|f| f.name.starts_with("response_"))
            .enumerate()
            .map(|(k, f)| (k + 1, f.text.parse().unwrap()))
            .collect();
        let scores: Vec<String> =
            shown.iter().map(|(k, score)| format!("'{stem}{k}': {score}")).collect();
        let mut order = shown.clone();
        order.sort_by_key(|(_, score)| std::cmp::Reverse(*score));
        let order: Vec<String> = order.iter().map(|(k, _)| format!("'{stem}{k}'")).collect();
        format!("{{'scores': {{{}}}, 'best-to-worst': [{}]}}", scores.join(", "), order.join(", "))
    }

    fn run(params: Value, edit: impl Fn(&str) -> String) -> Result<Vec<f64>, String> {
        let judge: Listwise = serde_json::from_value(params).unwrap();
        judge.validate().unwrap();
        let stem = if judge.reply.is_some() { "model-" } else { "response_" };
        let mut case =
            Case { responses: ["3", "5", "1"].map(str::to_owned).to_vec(), ..Case::default() };
        case.fields.insert("rule".into(), "Be brief.".into());
        let Ok(Next::Ask(requests)) = judge.next(&case, &[], 5) else { panic!("it asks nothing") };
        let text = &requests[0].messages[1].content;
        assert_eq!(text.contains("Be brief."), !judge.principle_column.is_empty());
        let rounds = [requests.iter().map(|r| edit(&reply(r, stem)).as_str().into()).collect()];
        match judge.next(&case, &rounds, 5) {
            Ok(Next::Done(told)) => Ok(told.values),
            Ok(Next::Ask(again)) => Err(again[0].messages.last().unwrap().content.clone()),
            Err(why) => Err(why.to_string()),
        }
    }

    fn strict(text: &str) -> String {
        text.replace('\'', "\"")
    }

    #[test]
    fn masked_scores_go_back_to_their_responses() {
        assert_eq!(run(json!({}), strict), Ok(vec![3.0, 5.0, 1.0]));
        let params = json!({"principle_column": "rule", "give": "ranking", "samples": 2});
        assert_eq!(run(params, strict), Ok(vec![0.5, 1.0, 0.0]));
        assert_eq!(run(json!({"reply": "rewardanything"}), str::to_owned), Ok(vec![3.0, 5.0, 1.0]));
    }

    #[test]
    fn what_contradicts_itself_is_unreadable() {
        let flip = |text: &str| strict(text).replace('5', "2");
        assert!(run(json!({}), flip).unwrap_err().contains("contradicts"));
        assert_eq!(run(json!({"ranking": false}), flip), Ok(vec![3.0, 2.0, 1.0]));
        for (from, to) in [
            ("worst\": [\"response_", "worst\": [\"response_9\", \"response_"),
            ("5", "6"),
            ("5", "4.5"),
            ("scores", "score"),
            ("\"response_3\":", "\"response_9\":"),
        ] {
            assert!(run(json!({}), |text| strict(text).replace(from, to)).is_err(), "{from}");
        }
    }
}
