//! Makes preference pairs that differ in one cause of quality, and ties that differ in none.
//!
//! # Formula
//!
//! ```text
//! attributes a_1..a_m of a good answer to x   (named by a model, or given)
//! degrade    for each a:  y ≻ y with a made worse
//! upgrade    for each a:  y with a made better ≻ y
//! neutral    y = y in other words;   and, under an unrelated question, each pair made above is a tie
//! filter     a pair is kept if a judge, looking at a only, orders it so
//! ```
//!
//! # When to use it
//!
//! To make a reward model look at causes of quality and at nothing that merely goes along with them (length, form, tone):
//! no spurious attribute has to be named. Either half helps, both help more. A reward with ties: `model.bt`.
//!
//! # Departures
//!
//! The system's prompts are not copied. Neutral pairs are not filtered: a judge asked about them would mostly find a winner.
//!
//! # Example
//!
//! ```yaml
//! use: data.causal_pairs
//! attributes: 3
//! kinds: [degrade, neutral]
//! ```
//!
//! ```
//! use guerdon_core::method::{Case, Next, Protocol};
//! use guerdon_judge::data::causal_pairs::{CausalPairs, Kind};
//!
//! let own = CausalPairs { kinds: vec![Kind::Degrade], filter: false, ..CausalPairs::default() };
//! let case = Case { prompt: "2 + 2?".into(), responses: vec!["4".into()], ..Case::default() };
//! let rounds = [vec!["1. The sum is right.".into()], vec!["5".into()]];
//! let Ok(Next::Done(made)) = own.next(&case, &rounds, 0) else { panic!() };
//! assert_eq!((made.pairs[0].chosen.as_str(), made.pairs[0].rejected.as_str()), ("4", "5"));
//! ```
//!
//! # References
//!
//! Srivastava et al., "Robust Reward Modeling via Causal Rubrics", 2025 (Crome).

use guerdon_core::method::{Case, Next, Params, Protocol, Reply, Request};
use guerdon_core::{ParamError, Text, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Free, Items, Label, Quotes, Read};
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::script::{Pause, Script, converse};
use crate::show::{Show, fences};

const SYSTEM: &str = include_str!("../../prompts/judge.system.j2");
const ATTRIBUTES: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../prompts/causal_pairs.attributes.user.j2") };
const REWRITE: BuiltIn = BuiltIn {
    system: "{{ note }}",
    user: include_str!("../../prompts/causal_pairs.rewrite.user.j2"),
};
const CHECK: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../prompts/causal_pairs.check.user.j2") };

/// What is done to the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One attribute is made worse.
    Degrade,
    /// One attribute is made better.
    Upgrade,
    /// Nothing that matters is changed.
    Neutral,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Degrade => "degrade",
            Self::Upgrade => "upgrade",
            Self::Neutral => "neutral",
        }
    }
}

/// Parameters of `data.causal_pairs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CausalPairs {
    /// Which pairs are made. Default: all three kinds.
    pub kinds: Vec<Kind>,
    /// The most attributes. Range: 1 to 16. Default: 5.
    pub attributes: u32,
    /// The column with given attributes (a list of texts); empty, the default: a model names them.
    pub given: String,
    /// The column with an unrelated question, under which the pairs are ties; empty, the default: none.
    pub unrelated: String,
    /// Whether a judge checks each pair. Default: true.
    pub filter: bool,
    /// The model that names attributes and rewrites. Default: the default one.
    pub writer: Option<String>,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates that ask for the attributes, in place of the built-in ones.
    pub attributes_prompt: Prompt,
    /// Templates of the rewriting.
    pub rewrite_prompt: Prompt,
    /// Templates of the judge that checks.
    pub prompt: Prompt,
}

impl Default for CausalPairs {
    fn default() -> Self {
        Self {
            kinds: vec![Kind::Degrade, Kind::Upgrade, Kind::Neutral],
            attributes: 5,
            given: String::new(),
            unrelated: String::new(),
            filter: true,
            writer: None,
            retries: 1,
            attributes_prompt: Prompt::default(),
            rewrite_prompt: Prompt::default(),
            prompt: Prompt::default(),
        }
    }
}

impl Params for CausalPairs {
    fn validate(&self) -> Result<(), ParamError> {
        if self.kinds.is_empty() {
            return Err(ParamError::new("kinds", "`kinds` must name at least one kind"));
        }
        ParamError::in_range("attributes", self.attributes.into(), 1.0, 16.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        self.attributes_prompt.validate("attributes_prompt")?;
        self.rewrite_prompt.validate("rewrite_prompt")?;
        self.prompt.validate("prompt")
    }
}

/// A pair.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Pair {
    /// How it was made.
    pub kind: Kind,
    /// The attribute that differs; empty for neutral pairs.
    pub attribute: String,
    /// What was asked.
    pub prompt: Text,
    /// The better answer, or one of two equal ones.
    pub chosen: String,
    /// The worse answer, or the other one.
    pub rejected: String,
    /// Whether the two are equally good.
    pub tie: bool,
}

/// A pair that was not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Dropped {
    /// How it was to be made.
    pub kind: Kind,
    /// The attribute.
    pub attribute: String,
    /// Why it was dropped.
    pub reason: String,
}

/// What was made of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Made {
    /// The attributes, the most important first.
    pub attributes: Vec<String>,
    /// The pairs.
    pub pairs: Vec<Pair>,
    /// What was dropped.
    pub dropped: Vec<Dropped>,
}

/// One rewriting that is to be done: the kind, and the attribute (empty for neutral).
type Task = (Kind, String);

impl CausalPairs {
    fn attributes(&self, case: &Case, script: &mut Script<'_>) -> Result<Vec<String>, Pause> {
        if !self.given.is_empty() {
            return Ok(self.listed(case)?);
        }
        let fences = fences(case, &[], script.seed());
        let fill = Fill::new(&fences).text("question", &question(case));
        let format = Items { most: self.attributes as usize };
        let request = self.attributes_prompt.request(ATTRIBUTES, fill, &format)?;
        let quotes = Quotes::none();
        script.read(&self.written(request), |reply| format.read(&reply.text, &quotes))
    }

    /// The attributes of a column.
    fn listed(&self, case: &Case) -> Result<Vec<String>, Unscored> {
        let column = &self.given;
        let wrong =
            || Unscored::invalid(format!("the column `{column}` must hold a list of texts"));
        let absent = || Unscored::missing(format!("the row has no column `{column}`"));
        let items = case.fields.get(column).ok_or_else(absent)?.as_array().ok_or_else(wrong)?;
        let texts: Option<Vec<String>> = items
            .iter()
            .take(self.attributes as usize)
            .map(|item| item.as_str().filter(|t| !t.trim().is_empty()).map(str::to_owned))
            .collect();
        texts.filter(|texts| !texts.is_empty()).ok_or_else(wrong)
    }

    fn written(&self, request: Request) -> Request {
        Request { model: self.writer.clone(), ..request }
    }

    fn tasks(&self, attributes: &[String]) -> Vec<Task> {
        let causal = [Kind::Degrade, Kind::Upgrade].into_iter().filter(|k| self.kinds.contains(k));
        let causal = causal.flat_map(|kind| attributes.iter().map(move |a| (kind, a.clone())));
        let neutral = self.kinds.contains(&Kind::Neutral).then(|| (Kind::Neutral, String::new()));
        causal.chain(neutral).collect()
    }

    /// Rewrites the answer, and has the pair checked.
    fn pair(&self, case: &Case, task: &Task, script: &mut Script<'_>) -> Result<Pair, Pause> {
        let (kind, attribute) = task;
        let answer = &case.responses[0];
        let fences = fences(case, &[attribute], script.seed());
        let fill = Fill::new(&fences)
            .text("question", &question(case))
            .text("response", answer)
            .maybe("attribute", Some(attribute.as_str()).filter(|text| !text.is_empty()))
            .value("kind", kind.name());
        let request = self.written(self.rewrite_prompt.request(REWRITE, fill, &Free)?);
        let quotes = Quotes::none();
        let other = script.read(&request, |reply| Free.read(&reply.text, &quotes))?;
        if other.split_whitespace().eq(answer.split_whitespace()) {
            return Err(Unscored::abstained("the rewrite changes nothing").into());
        }
        let (chosen, rejected) = match kind {
            Kind::Upgrade => (other, answer.clone()),
            Kind::Degrade | Kind::Neutral => (answer.clone(), other),
        };
        let pair = Pair {
            kind: *kind,
            attribute: attribute.clone(),
            prompt: case.prompt.clone(),
            chosen,
            rejected,
            tie: *kind == Kind::Neutral,
        };
        if self.filter && !pair.tie {
            self.check(case, &pair, script)?;
        }
        Ok(pair)
    }

    /// Fails where a judge does not order the pair so.
    fn check(&self, case: &Case, pair: &Pair, script: &mut Script<'_>) -> Result<(), Pause> {
        let both = vec![pair.chosen.clone(), pair.rejected.clone()];
        let own = case.with_responses(both);
        let fences = fences(&own, &[&pair.attribute], script.seed());
        let draw = format!("{} {}", pair.kind.name(), pair.attribute);
        let show = Show::seeded(script, 2, &draw);
        let fill =
            Fill::new(&fences).text("question", &question(case)).text("attribute", &pair.attribute);
        let fill = show.fill(fill, &fences, &own.responses);
        let format = Label::new(["A", "B", "tie"]);
        let request = self.prompt.request(CHECK, fill, &format)?;
        let quotes = Quotes::of(own.responses.iter().map(String::as_str));
        let verdict = script.read(&request, |reply| format.read(&reply.text, &quotes))?;
        if show.order().get(verdict) == Some(&0) {
            return Ok(());
        }
        Err(Unscored::abstained("the judge does not order the pair so").into())
    }

    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Made, Pause> {
        if case.responses.len() != 1 {
            let reason = format!("one answer is rewritten, the row has {}", case.responses.len());
            return Err(Unscored::missing(reason).into());
        }
        let unrelated = match self.unrelated.as_str() {
            "" => None,
            column => Some(case.need(column)?),
        };
        let attributes = self.attributes(case, script)?;
        let tasks = self.tasks(&attributes);
        let ends = script.each(tasks.len(), |k, script| self.pair(case, &tasks[k], script))?;
        let (mut pairs, mut dropped, mut first) = (Vec::new(), Vec::new(), None);
        for ((kind, attribute), end) in tasks.into_iter().zip(ends) {
            match end {
                Ok(pair) => pairs.push(pair),
                Err(reason) => {
                    dropped.push(Dropped { kind, attribute, reason: reason.detail.clone() });
                    first = first.or(Some(reason));
                }
            }
        }
        if let Some(reason) = first.filter(|_| pairs.is_empty()) {
            return Err(reason.into());
        }
        if self.kinds.contains(&Kind::Neutral)
            && let Some(other) = unrelated
        {
            pairs.extend(under(&pairs.clone(), &other));
        }
        Ok(Made { attributes, pairs, dropped })
    }
}

/// The causal pairs under an unrelated question: ties.
fn under(pairs: &[Pair], question: &str) -> Vec<Pair> {
    let causal = pairs.iter().filter(|pair| !pair.tie);
    causal
        .map(|pair| Pair {
            kind: Kind::Neutral,
            prompt: question.into(),
            tie: true,
            ..pair.clone()
        })
        .collect()
}

impl Protocol for CausalPairs {
    type Case = Case;
    type Output = Made;

    fn next(&self, case: &Case, rounds: &[Vec<Reply>], seed: u64) -> Result<Next<Made>, Unscored> {
        converse(rounds, self.retries, seed, |script| self.talk(case, script))
    }
}

guerdon_core::method! {
    CausalPairs: Protocol,
    id: "data.causal_pairs",
    papers: ["crome-2025"],
    status: Stable,
    laws: [],
    exempt: [],
    samples: [r#"{"prompt": "What is 2 + 2, and why?", "responses": ["It is 4, since 2 + 1 + 1 = 4."]}"#]
}

#[cfg(test)]
mod tests {
    use super::{CausalPairs, Kind, Made};
    use crate::scripted::{SEED, protocol, text};
    use guerdon_core::Unscored;
    use guerdon_core::method::{Case, Request};
    use serde_json::json;

    /// `good` is better than `plain`, and that than `bad`; rewriting on the second attribute changes nothing.
    fn answer(request: &Request) -> String {
        let shown = text(request);
        if shown.contains("What makes an answer") {
            return "1. It is right.\n2. It is complete.".into();
        }
        if shown.contains("Which answer is better") {
            let rank = ["GOOD", "PLAIN", "BAD"];
            let best = rank.iter().find_map(|word| shown.find(word)).unwrap();
            let first = rank.iter().filter_map(|word| shown.find(word)).min().unwrap();
            return if best == first { "[[A]]".into() } else { "[[B]]".into() };
        }
        match (shown.contains("clearly worse"), shown.contains("clearly better")) {
            (true, _) if shown.contains("complete") => "PLAIN".into(),
            (true, _) => "BAD".into(),
            (_, true) if shown.contains("complete") => "BAD".into(),
            (_, true) => "GOOD".into(),
            _ => "PLAIN, in other words".into(),
        }
    }

    fn run(own: &CausalPairs, case: &Case) -> Result<Made, Unscored> {
        protocol(own, case, SEED, answer)
    }

    fn case() -> Case {
        let mut case =
            Case { prompt: "q".into(), responses: vec!["PLAIN".into()], ..Case::default() };
        case.fields.insert("other".into(), "Name a colour.".into());
        case
    }

    #[test]
    fn pairs_differ_in_one_cause_or_none() {
        let own = CausalPairs { unrelated: "other".into(), ..CausalPairs::default() };
        let made = run(&own, &case()).unwrap();
        let told: Vec<_> = made
            .pairs
            .iter()
            .map(|p| (p.kind, p.chosen.as_str(), p.rejected.as_str(), p.tie))
            .collect();
        assert_eq!(
            told,
            [
                (Kind::Degrade, "PLAIN", "BAD", false),
                (Kind::Upgrade, "GOOD", "PLAIN", false),
                (Kind::Neutral, "PLAIN", "PLAIN, in other words", true),
                (Kind::Neutral, "PLAIN", "BAD", true),
                (Kind::Neutral, "GOOD", "PLAIN", true),
            ]
        );
        assert_eq!(made.pairs[4].prompt, "Name a colour.".into());
        let reasons: Vec<&str> = made.dropped.iter().map(|d| d.reason.as_str()).collect();
        assert_eq!(
            reasons,
            ["the rewrite changes nothing", "the judge does not order the pair so"]
        );
    }

    #[test]
    fn attributes_may_be_given_and_pairs_unchecked() {
        let own = CausalPairs {
            given: "attributes".into(),
            filter: false,
            kinds: vec![Kind::Upgrade],
            ..CausalPairs::default()
        };
        let mut row = case();
        assert!(run(&own, &row).is_err(), "the column is missing");
        row.fields.insert("attributes".into(), json!(["It is complete."]));
        let made = run(&own, &row).unwrap();
        assert_eq!((made.attributes.len(), made.pairs[0].chosen.as_str()), (1, "BAD"));
        row.fields.insert("attributes".into(), json!([1]));
        assert!(run(&own, &row).is_err());
    }
}
