//! A comparison with advice that is first examined: it is followed where it helps and left out where it misleads.
//!
//! # Formula
//!
//! ```text
//! m  = log p(preferred) − log p(rejected),  m0 without and mc with the advice
//! helpful     mc > max(0, m0)          misleading     mc < min(0, m0)          neither     else
//! verdict = comparison with the advice if it is judged worth following, else comparison without it
//! ```
//!
//! # When to use it
//!
//! Where rubrics or hints come from a generator that is often wrong: following all of them can be worse than none. The
//! examination costs one call, and pays where it is right more often than the advice.
//!
//! # Departures
//!
//! Advice is examined in a call of its own, so that the comparison never sees what was rejected; C2's verifier does both in one
//! reply. Advice can be any column, not only a rubric.
//!
//! # Example
//!
//! ```yaml
//! use: judge.selective
//! advice: rubric
//! compare:
//!   order: both
//! ```
//!
//! ```
//! use guerdon_judge::judge::selective::{Effect, effect};
//!
//! assert_eq!(effect(0.847, 2.197), Effect::Helpful);
//! assert_eq!(effect(0.847, -0.619), Effect::Misleading);
//! ```
//!
//! # References
//!
//! Kawabata and Sugawara, "C2: Scalable Rubric-Augmented Reward Modeling from Binary Preferences", 2026.

use guerdon_core::method::{Case, Form, Judge, Judgement, Next, Params, Reply, Request};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::contract::{Label, Quotes, Read};
use crate::judge::pairwise::Pairwise;
use crate::prompt::{BuiltIn, Prompt};
use crate::script::{Pause, Script, converse, sample};
use crate::show::Show;
use crate::view::View;

const BUILT_IN: BuiltIn = BuiltIn {
    system: include_str!("../../prompts/judge.system.j2"),
    user: include_str!("../../prompts/selective.user.j2"),
};

/// What advice does to a judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It makes the right verdict surer.
    Helpful,
    /// It makes the wrong verdict surer.
    Misleading,
    /// It does neither.
    Neither,
}

/// The effect of advice that moves the margin of the right verdict (log-probability of the right answer minus that of the wrong
/// one) from `without` to `with`.
pub fn effect(without: f64, with: f64) -> Effect {
    if with > without.max(0.0) {
        Effect::Helpful
    } else if with < without.min(0.0) {
        Effect::Misleading
    } else {
        Effect::Neither
    }
}

/// Parameters of `judge.selective`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Selective {
    /// The column that holds the advice. Default: `rubric`.
    pub advice: String,
    /// How many examinations of the advice are asked for; the majority decides, a draw is against the advice. Range: 1 to 64.
    /// Default: 1.
    pub examinations: u32,
    /// The model of the spec that examines the advice; empty for the judge's own.
    pub examiner: String,
    /// The comparison: the parameters of `judge.pairwise`.
    pub compare: Pairwise,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates of the examination in place of the built-in ones.
    pub prompt: Prompt,
}

impl Default for Selective {
    fn default() -> Self {
        Self {
            advice: "rubric".to_owned(),
            examinations: 1,
            examiner: String::new(),
            compare: Pairwise::default(),
            retries: 1,
            prompt: Prompt::default(),
        }
    }
}

impl Params for Selective {
    fn validate(&self) -> Result<(), ParamError> {
        if self.advice.is_empty() {
            return Err(ParamError::new("advice", "`advice` must name a column"));
        }
        ParamError::in_range("examinations", self.examinations.into(), 1.0, 64.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        let inside = |field: &'static str| {
            move |error: ParamError| ParamError {
                path: [field.to_owned()].into_iter().chain(error.path).collect(),
                ..error
            }
        };
        self.compare.validate().map_err(inside("compare"))?;
        if !self.compare.advice.is_empty() {
            let why = "`advice` of the comparison is set by the examination: leave it out";
            return Err(inside("compare")(ParamError::new("advice", why)));
        }
        self.prompt.validate("prompt")
    }
}

impl Selective {
    fn request(&self, case: &Case, advice: &str, script: &Script<'_>) -> Result<Request, Unscored> {
        let view = View { case: Some(case), ..View::default() };
        let texts = view.texts(&[advice], script.seed())?;
        let show = Show::seeded(script, 2, "examined");
        let responses: Vec<Value> = show
            .labels()
            .iter()
            .enumerate()
            .map(|(place, label)| {
                let name = format!("context_{}", label.to_lowercase());
                let text = texts.fences.wrap(&name, show.text(&case.responses, place));
                json!({"label": label, "text": text})
            })
            .collect();
        let fill = view.fill(&texts).value("responses", responses).text("text_advice", advice);
        let request = self.prompt.request(BUILT_IN, fill, &verdicts())?;
        let model = (!self.examiner.is_empty()).then(|| self.examiner.clone());
        Ok(Request { model, temperature: self.compare.temperature, ..request })
    }

    /// The share of examinations that are for the advice.
    fn examine(&self, case: &Case, script: &mut Script<'_>) -> Result<f64, Pause> {
        let advice = case.need(&self.advice)?;
        let request = self.request(case, &advice, script)?;
        let quotes = Quotes::of(case.responses.iter().map(String::as_str).chain([advice.as_str()]));
        let votes = script.all(self.examinations as usize, |k, script| {
            script.read(&sample(&request, k), |reply| verdicts().read(&reply.text, &quotes))
        })?;
        Ok(votes.iter().filter(|vote| **vote == 0).count() as f64 / votes.len() as f64)
    }

    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        let share = self.examine(case, script)?;
        let follow = share > 0.5;
        let advice = if follow { self.advice.clone() } else { String::new() };
        let compare = Pairwise { advice, ..self.compare.clone() };
        let mut told = script.follow(|rounds, seed| compare.next(case, rounds, seed))?;
        told.made.insert("advice_followed".to_owned(), follow.into());
        let what = if follow { "the advice was followed" } else { "the advice was left out" };
        Ok(told.because(what))
    }
}

fn verdicts() -> Label {
    Label::new(["follow", "ignore"])
}

impl Judge for Selective {
    fn form(&self) -> Form {
        Form::Pair
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
        (!self.examiner.is_empty()).then(|| self.examiner.clone()).into_iter().collect()
    }

    fn reads(&self) -> Vec<String> {
        let mut names = self.compare.reads();
        names.push(self.advice.clone());
        names
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Selective: Judge,
    id: "judge.selective",
    papers: ["c2-2026"],
    status: Verified(Worked("C2's margins")),
    laws: [],
    exempt: [],
    samples: [r#"{
        "case": {
            "prompt": "What is 2 + 2?",
            "responses": ["It is four.", "It is five."],
            "fields": {"rubric": "The longer the better."}
        },
        "replies": [
            ["Length is beside the point.\n[[ignore]]"],
            ["Both are short.\n[[tie]]"]
        ],
        "values": [0.5, 0.5]
    }"#]
}

#[cfg(test)]
mod tests {
    use super::{Effect, Selective, effect};
    use crate::fence::find;
    use crate::scripted::{case, judge, text};
    use guerdon_core::method::Preference;

    #[test]
    fn margins_of_the_paper() {
        let margin = |p: f64| (p / (1.0 - p)).ln();
        let m0 = margin(0.7);
        assert!((m0 - 0.847).abs() < 5e-4);
        assert_eq!(effect(m0, margin(0.9)), Effect::Helpful);
        assert_eq!(effect(m0, margin(0.35)), Effect::Misleading);
        assert_eq!(effect(m0, margin(0.6)), Effect::Neither);
        assert_eq!(effect(margin(0.4), margin(0.45)), Effect::Neither);
    }

    /// Follows good advice; without any it prefers the second.
    fn run(advice: &str) -> (Preference, Vec<bool>) {
        let mut case = case("?", &["one!", "two!"]);
        case.fields.insert("rubric".into(), advice.into());
        let own = Selective::default();
        let (told, asked) = judge(&own, &case, |request| {
            let text = text(request);
            let advised = find(&text).iter().any(|f| f.name == "criteria");
            let first = text.find("one!") < text.find("two!");
            match (text.contains("follow"), text.contains("good advice"), advised == first) {
                (true, true, _) => "[[follow]]".into(),
                (true, false, _) => "[[ignore]]".into(),
                (false, _, true) => "[[A]]".into(),
                (false, _, false) => "[[B]]".into(),
            }
        });
        let told = told.unwrap();
        assert_eq!(told.made["advice_followed"], advice == "good advice");
        let advised = asked[1].iter().map(|r| find(&text(r)).iter().any(|f| f.name == "criteria"));
        (told.preference.unwrap(), advised.collect())
    }

    #[test]
    fn advice_is_followed_or_left_out() {
        assert_eq!(run("good advice"), (Preference::FIRST, vec![true, true]));
        assert_eq!(run("bad idea"), (Preference::SECOND, vec![false, false]));
    }

    #[test]
    fn without_advice_there_is_no_verdict() {
        let (told, _) = judge(&Selective::default(), &case("?", &["a", "b"]), |_| "[[A]]".into());
        assert!(told.unwrap_err().detail.contains("`rubric`"));
    }
}
