//! Classification of a response: which of the given options fits, and, where none does, a name for a new one.
//!
//! # Formula
//!
//! ```text
//! value = the value of the option that is chosen; options without one are worth their place, from 0
//! other   the option `something else`: then a second call asks for a name; a name that is an option is that option
//! ```
//!
//! # When to use it
//!
//! To name the sort of an error, a strategy, a topic: `made.choice` holds the name, for counting; values make a reward of it.
//! An open taxonomy grows by `other: true` with the options in a column of the row. Options stand under letters in an order
//! drawn by seed, since the first option is chosen too often.
//!
//! # Departures
//!
//! Merging near names is left to whoever keeps the taxonomy; here only equal names are the same.
//!
//! # Example
//!
//! ```yaml
//! use: judge.choice
//! question: What sort of error does the solution make?
//! options:
//!   - {name: calculation, description: a wrong number}
//!   - {name: reasoning, description: a step that does not follow}
//!   - {name: none, value: 10}
//! other: true
//! ```
//!
//! ```
//! use guerdon_core::method::{Case, Judge, Next};
//! use guerdon_judge::judge::choice::{Choice, Alternative};
//!
//! let options = ["formal", "casual"].map(Alternative::new).to_vec();
//! let judge = Choice { options, ..Choice::default() };
//! let case = Case { prompt: "?".into(), responses: vec!["Hey!".into()], ..Case::default() };
//! let Ok(Next::Done(told)) = judge.next(&case, &[vec!["[[A]]".into()]], 0) else { panic!() };
//! assert!(told.made["choice"] == "formal" || told.made["choice"] == "casual");
//! ```
//!
//! # References
//!
//! "Error Classification of Large Language Models on Math Word Problems: A Dynamically Adaptive Framework", 2025.

use guerdon_core::method::{Case, Form, Judge, Judgement, Next, Params, Reply, Request};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::contract::{Format, Items, Label, Quotes, Read as _};
use crate::logprob;
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::script::{Pause, Script, converse};
use crate::show::{self, Show};

const SYSTEM: &str = include_str!("../../prompts/judge.system.j2");
const CHOOSE: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../prompts/choice.user.j2") };
const NAME: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../prompts/choice.name.user.j2") };
/// What stands for no option.
const OTHER: &str = "something else";
/// The most options: one letter each.
const MOST: usize = 25;

/// Parameters of `judge.choice`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Choice {
    /// What is to be told. Default: which option describes the response best.
    pub question: String,
    /// The options, 2 to 25. Default: none, the row has them.
    pub options: Vec<Alternative>,
    /// The column of the row that holds a list of options (names or objects), where none are given here. Default: `options`.
    pub column: String,
    /// Whether none of the options may fit; then a name is asked for. Default: false.
    pub other: bool,
    /// Whether the probabilities of the options are read from log-probabilities, where a reply has them. Default: false.
    pub probability: bool,
    /// The model, by its name in the spec. Default: the spec's default.
    pub model: Option<String>,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates in place of the built-in ones that have an option chosen.
    pub prompt: Prompt,
    /// Templates in place of the built-in ones that ask for a name.
    pub name_prompt: Prompt,
}

/// One option.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alternative {
    /// Its name.
    pub name: String,
    /// What it means; empty where the name says it. Default: empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its value. Default: its place, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

impl Alternative {
    /// An option that is worth its place.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), description: String::new(), value: None }
    }

    fn shown(&self) -> String {
        let text = match self.description.as_str() {
            "" => self.name.clone(),
            description => format!("{}: {description}", self.name),
        };
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            question: "Which of these describes the response best?".to_owned(),
            options: Vec::new(),
            column: "options".to_owned(),
            other: false,
            probability: false,
            model: None,
            retries: 1,
            prompt: Prompt::default(),
            name_prompt: Prompt::default(),
        }
    }
}

impl Params for Choice {
    fn validate(&self) -> Result<(), ParamError> {
        if !self.options.is_empty() {
            check(&self.options).map_err(|what| ParamError::new("options", what))?;
        }
        if self.question.trim().is_empty() {
            return Err(ParamError::new("question", "`question` must not be empty"));
        }
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        self.prompt.validate("prompt")?;
        self.name_prompt.validate("name_prompt")
    }
}

fn check(options: &[Alternative]) -> Result<(), String> {
    if !(2..=MOST).contains(&options.len()) {
        return Err(format!("there must be 2 to {MOST} options, not {}", options.len()));
    }
    for (k, option) in options.iter().enumerate() {
        let long = option.name.len() + option.description.len() > 2_000;
        if option.name.trim().is_empty() || long {
            return Err(format!("option {k} must have a name, and at most 2000 bytes"));
        }
        if option.value.is_some_and(|value| !value.is_finite()) {
            return Err(format!("the value of option {k} must be finite"));
        }
        if options[..k].iter().any(|other| other.name == option.name) {
            return Err(format!("the option {:?} stands there twice", option.name));
        }
    }
    Ok(())
}

/// What was chosen: the place of an option, or `options.len()` for none; its probability; and the words.
struct Chosen {
    place: usize,
    sure: Option<f64>,
    words: String,
}

impl Choice {
    fn options(&self, case: &Case) -> Result<Vec<Alternative>, Unscored> {
        if !self.options.is_empty() {
            return Ok(self.options.clone());
        }
        let missing = || {
            let column = &self.column;
            Unscored::missing(format!("no options are given, and the row has none in `{column}`"))
        };
        let list = case.fields.get(&self.column).and_then(Value::as_array).ok_or_else(missing)?;
        let option = |value: &Value| match value {
            Value::String(name) => Ok(Alternative::new(name)),
            other => serde_json::from_value(other.clone())
                .map_err(|error| Unscored::invalid(format!("an option: {error}"))),
        };
        let options: Vec<Alternative> =
            list.iter().take(MOST + 1).map(option).collect::<Result<_, _>>()?;
        check(&options).map_err(Unscored::invalid)?;
        Ok(options)
    }

    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        let options = self.options(case)?;
        let chosen = self.choose(case, &options, script)?;
        let (mut place, mut name) = (chosen.place, None);
        if place == options.len() {
            let told = self.name(case, &options, script)?;
            let same = |option: &Alternative| option.name.eq_ignore_ascii_case(told.trim());
            place = options.iter().position(same).unwrap_or(place);
            name = Some(told);
        }
        let option = options.get(place);
        let value = option.and_then(|option| option.value).unwrap_or(place as f64);
        let name = option.map(|option| option.name.clone()).or(name).unwrap_or_default();
        let mut judgement = Judgement::score(value).because(chosen.words.trim());
        judgement.confidence = chosen.sure;
        judgement.made.insert("choice".to_owned(), name.into());
        judgement.made.insert("new".to_owned(), option.is_none().into());
        Ok(judgement)
    }

    fn choose(
        &self,
        case: &Case,
        options: &[Alternative],
        script: &mut Script<'_>,
    ) -> Result<Chosen, Pause> {
        let mut order = script.order(options.len(), "options");
        if self.other {
            order.push(options.len());
        }
        let show = Show::letters(order);
        let line = |(label, place): (&String, &usize)| {
            let text = options.get(*place).map_or_else(|| OTHER.to_owned(), Alternative::shown);
            format!("{label}: {text}")
        };
        let lines: Vec<String> = show.labels().iter().zip(show.order()).map(line).collect();
        let format = Label { labels: show.labels().to_vec(), direct: false };
        let request = self.request(case, &lines.join("\n"), false, &format, script)?;
        let quotes = Quotes::of([case.responses[0].as_str()]);
        script.read(&request, |reply| {
            let label = format.read(&reply.text, &quotes)?;
            let sure = self.sure(reply, &format, label)?;
            Ok(Chosen { place: show.order()[label], sure, words: reply.text.clone() })
        })
    }

    /// The probability of the label that was chosen.
    fn sure(&self, reply: &Reply, format: &Label, label: usize) -> Result<Option<f64>, Unscored> {
        if !self.probability || reply.logprobs.is_empty() {
            return Ok(None);
        }
        let lost = || Unscored::unreadable("the verdict is not where the reply holds it");
        let place = format.place(&reply.text, label).ok_or_else(lost)?;
        let of = logprob::choices(reply, place, &format.labels[label], &format.labels)?;
        Ok(Some(of[label] / of.iter().sum::<f64>()))
    }

    fn name(
        &self,
        case: &Case,
        options: &[Alternative],
        script: &mut Script<'_>,
    ) -> Result<String, Pause> {
        let lines: Vec<String> = options.iter().map(|o| format!("- {}", o.shown())).collect();
        let format = Items { most: 1 };
        let request = self.request(case, &lines.join("\n"), true, &format, script)?;
        let mut names = script.read(&request, |reply| format.read(&reply.text, &Quotes::none()))?;
        Ok(names.swap_remove(0))
    }

    fn request(
        &self,
        case: &Case,
        options: &str,
        naming: bool,
        format: &dyn Format,
        script: &Script<'_>,
    ) -> Result<Request, Unscored> {
        let fences = show::fences(case, &[options], script.seed());
        let fill = Fill::new(&fences)
            .text("question", &question(case))
            .maybe("reference", case.reference.as_deref())
            .text("response", &case.responses[0])
            .text("options", options)
            .value("criterion", self.question.trim());
        let (prompt, built_in) =
            if naming { (&self.name_prompt, NAME) } else { (&self.prompt, CHOOSE) };
        let request = prompt.request(built_in, fill, format)?;
        let top_logprobs = if self.probability && !naming { logprob::TOP } else { 0 };
        Ok(Request { model: self.model.clone(), top_logprobs, ..request })
    }
}

impl Judge for Choice {
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

    fn reads(&self) -> Vec<String> {
        if self.options.is_empty() { vec![self.column.clone()] } else { Vec::new() }
    }
}

guerdon_core::method! {
    Choice: Judge,
    id: "judge.choice",
    papers: ["mwpes-2025"],
    status: Stable,
    laws: [],
    exempt: [],
    sample_params: r#"{"options": [{"name": "right", "value": 1}, {"name": "correct", "value": 1}], "other": true}"#,
    samples: [r#"{
        "case": {"prompt": "What is 2 + 2?", "responses": ["It is four."]},
        "replies": [["It is so.\n[[B]]"]],
        "values": [1]
    }"#]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Alternative, Choice};
    use crate::fence::find;
    use crate::scripted::{self, case, text};

    fn judge() -> Choice {
        let none = Alternative { value: Some(10.0), ..Alternative::new("none") };
        let options = vec![Alternative::new("calculation"), Alternative::new("reasoning"), none];
        Choice { options, ..Choice::default() }
    }

    /// Chooses the option with this text.
    fn pick(request: &guerdon_core::method::Request, option: &str) -> String {
        let prompt = text(request);
        let options = find(&prompt).into_iter().find(|f| f.name == "options").unwrap().text;
        let line = options.lines().find(|line| line.ends_with(&format!(": {option}"))).unwrap();
        format!("[[{}]]", &line[..1])
    }

    #[test]
    fn options_are_worth_their_place_or_their_value() {
        for (option, value) in [("calculation", 0.0), ("reasoning", 1.0), ("none", 10.0)] {
            let (told, _) = scripted::judge(&judge(), &case("q", &["r"]), |r| pick(r, option));
            let told = told.unwrap();
            assert_eq!((told.values[0], &told.made["choice"]), (value, &json!(option)));
        }
    }

    #[test]
    fn a_new_name_is_asked_for_and_an_old_one_is_that_option() {
        let judge = Choice { other: true, ..judge() };
        let run = |name: &'static str| {
            let (told, asked) = scripted::judge(&judge, &case("q", &["r"]), |request| {
                if text(request).contains("None of these fits") {
                    return format!("1. {name}");
                }
                pick(request, "something else")
            });
            assert_eq!(asked.len(), 2);
            told.unwrap()
        };
        let new = run("unit mix-up");
        assert_eq!((new.values[0], &new.made["choice"]), (3.0, &json!("unit mix-up")));
        assert_eq!(new.made["new"], json!(true));
        assert_eq!(run("Reasoning").values[0], 1.0);
    }

    #[test]
    fn the_row_may_hold_the_options() {
        let mut row = case("q", &["r"]);
        let open = Choice::default();
        assert!(scripted::judge(&open, &row, |_| "[[A]]".into()).0.is_err());
        row.fields.insert("options".into(), json!(["a", {"name": "b", "value": 7}]));
        let (told, _) = scripted::judge(&open, &row, |r| pick(r, "b"));
        assert_eq!(told.unwrap().values[0], 7.0);
        row.fields.insert("options".into(), json!(["a", "a"]));
        assert!(scripted::judge(&open, &row, |_| "[[A]]".into()).0.is_err());
    }
}
