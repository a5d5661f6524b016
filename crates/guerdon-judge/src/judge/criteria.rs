//! Criteria made by a model: from the question, from candidates, or from a labelled pair, with a filter that drops criteria
//! which do not bring back the label.
//!
//! # Formula
//!
//! ```text
//! criteria ← model(question [, responses | preferred, rejected] [, principles])
//! filter (labelled pair): a judge sees question, both responses and criteria, not the label;
//!     kept where its verdict is the label, else made anew, at most `tries` times
//! ```
//!
//! With a share g of good criteria, judge accuracy a_g with good and a_b with bad ones and label noise e, agreement is
//! A(a) = a(1 − e) + (1 − a)e; kept = g·A(a_g) + (1 − g)·A(a_b), good among kept = g·A(a_g)/kept.
//!
//! # When to use it
//!
//! To make rubrics for `judge.rubric` once per question and keep them, to make training data for a model that writes rubrics
//! (`source: pair`), or to ask sub-questions about a draft. At test time `source: candidates` shows the pair to the writer:
//! such criteria can justify either order, so run them with swapped labels too.
//!
//! # Departures
//!
//! Criteria that fail all tries come back as an empty list that is marked as not consistent, so that what was dropped is
//! counted.
//!
//! # Example
//!
//! ```yaml
//! use: judge.criteria
//! source: pair
//! tags: kinds
//! tries: 2
//! ```
//!
//! ```
//! use guerdon_core::method::{Next, Protocol};
//! use guerdon_judge::judge::criteria::{Make, MakeCase};
//!
//! let case = MakeCase { prompt: "Tell a joke.".into(), ..MakeCase::default() };
//! let rounds = [vec!["1. Is it funny?\n2. Is it short?".into()]];
//! let Ok(Next::Done(made)) = Make::default().next(&case, &rounds, 0) else { panic!() };
//! assert_eq!((made.criteria.0[1].text.as_str(), made.tries), ("Is it short?", 1));
//! ```
//!
//! # References
//!
//! OpenRubrics, "Towards Scalable Synthetic Rubric Generation for Reward Modeling and LLM Alignment", 2025 (labelled pairs,
//! rules and principles, consistency); CARMO, 2024, and TICK, 2024 (from the question); C2, 2026, and OpenRS, 2026 (from the
//! candidates, under a meta-rubric); Crome, 2025 (causal attributes).

use guerdon_core::method::{Case, Next, Params, Protocol, Reply};
use guerdon_core::{ParamError, Text, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Label, Quotes, Read as _};
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::rubric::{Criteria, Maker, Source, Tags, numbered};
use crate::script::{Pause, Script, converse};
use crate::show::{self, Show};

const CHECK: BuiltIn = BuiltIn {
    system: include_str!("../../prompts/judge.system.j2"),
    user: include_str!("../../prompts/criteria.check.user.j2"),
};
/// The most responses that are shown.
const SHOWN: usize = 32;

/// Parameters of `judge.criteria`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Make {
    /// What the model is shown besides the question. Default: `prompt`, nothing.
    pub source: Source,
    /// The most criteria. Range: 1 to 32. Default: 8.
    pub count: u32,
    /// Principles in words (a constitution, a meta-rubric for this type of question) that the criteria must follow.
    /// Default: none.
    pub meta: String,
    /// What the criteria are marked with. Default: `none`.
    pub tags: Tags,
    /// The highest grade that responses get on each. Range: 1 to 1000. Default: none, the answers are yes and no.
    pub max: Option<u32>,
    /// For labelled pairs: how often criteria are made until a judge that does not know the label agrees with it; 0 for no
    /// filter. Range: 0 to 16. Default: 0.
    pub tries: u32,
    /// The model that makes the criteria, by its name in the spec. Default: the spec's default.
    pub model: Option<String>,
    /// The model that filters, by its name in the spec. Default: the spec's default.
    pub judge: Option<String>,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates in place of the built-in ones that have criteria made.
    pub prompt: Prompt,
    /// Templates in place of the built-in ones that filter.
    pub check_prompt: Prompt,
}

/// What criteria are made for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MakeCase {
    /// What was asked.
    pub prompt: Text,
    /// Responses: two for a labelled pair, at most 32 candidates.
    pub responses: Vec<String>,
    /// The place of the preferred response of a labelled pair, 0 or 1.
    pub preferred: Option<u32>,
    /// The reference answer.
    pub reference: Option<String>,
}

/// Criteria that were made.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Made {
    /// The criteria; empty where none was consistent.
    pub criteria: Criteria,
    /// How often they were made.
    pub tries: u32,
    /// Whether a judge that did not know the label agreed with it; null where that was not asked.
    pub consistent: Option<bool>,
}

impl Default for Make {
    fn default() -> Self {
        Self {
            source: Source::Prompt,
            count: 8,
            meta: String::new(),
            tags: Tags::None,
            max: None,
            tries: 0,
            model: None,
            judge: None,
            retries: 1,
            prompt: Prompt::default(),
            check_prompt: Prompt::default(),
        }
    }
}

impl Params for Make {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("count", self.count.into(), 1.0, 32.0)?;
        ParamError::in_range("max", self.max.unwrap_or(1).into(), 1.0, 1000.0)?;
        ParamError::in_range("tries", self.tries.into(), 0.0, 16.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        if self.tries > 0 && self.source != Source::Pair {
            return Err(ParamError::new("tries", "`tries` needs a label: say `source: pair`"));
        }
        self.prompt.validate("prompt")?;
        self.check_prompt.validate("check_prompt")
    }
}

impl Make {
    fn maker(&self) -> Maker {
        Maker {
            count: self.count,
            meta: self.meta.clone(),
            meta_column: String::new(),
            tags: self.tags,
            max: self.max,
            model: self.model.clone(),
            prompt: self.prompt.clone(),
        }
    }

    fn talk(&self, own: &MakeCase, script: &mut Script<'_>) -> Result<Made, Pause> {
        let preferred = own.preferred.map(|place| place as usize);
        let case = own.judged(self.source)?;
        let maker = self.maker();
        for draw in 0..self.tries.max(1) {
            let criteria = maker.make(&case, self.source, preferred, draw as usize, script)?;
            let tries = draw + 1;
            if self.tries == 0 {
                return Ok(Made { criteria, tries, consistent: None });
            }
            if Some(self.check(&case, &criteria, draw, script)?) == preferred {
                return Ok(Made { criteria, tries, consistent: Some(true) });
            }
        }
        let none = Criteria::default();
        Ok(Made { criteria: none, tries: self.tries, consistent: Some(false) })
    }

    /// Which response a judge prefers by the criteria alone.
    fn check(
        &self,
        case: &Case,
        criteria: &Criteria,
        draw: u32,
        script: &mut Script<'_>,
    ) -> Result<usize, Pause> {
        let (list, format) = (numbered(&criteria.0), Label::new(["A", "B"]));
        let show = Show::seeded(script, 2, &format!("check {draw}"));
        let fences = show::fences(case, &[&list], script.seed());
        let fill = Fill::new(&fences).text("question", &question(case)).text("criteria", &list);
        let fill = show.fill(fill, &fences, &case.responses);
        let mut request = self.check_prompt.request(CHECK, fill, &format)?;
        request.model.clone_from(&self.judge);
        request.sample = draw;
        let quotes = Quotes::of(case.responses.iter().map(String::as_str));
        let label = script.read(&request, |reply| format.read(&reply.text, &quotes))?;
        Ok(show.order()[label])
    }
}

impl MakeCase {
    /// As the machinery of judges takes it.
    fn judged(&self, source: Source) -> Result<Case, Unscored> {
        let given = self.responses.len();
        match source {
            Source::Candidates if !(1..=SHOWN).contains(&given) => {
                return Err(Unscored::missing(format!("1 to {SHOWN} responses are needed")));
            }
            Source::Pair if given != 2 || self.preferred.is_none_or(|place| place > 1) => {
                let what = "a labelled pair has two responses, and `preferred` 0 or 1";
                return Err(Unscored::missing(what));
            }
            _ => {}
        }
        Ok(Case {
            prompt: self.prompt.clone(),
            responses: self.responses.clone(),
            reference: self.reference.clone(),
            ..Case::default()
        })
    }
}

impl Protocol for Make {
    type Case = MakeCase;
    type Output = Made;

    fn next(
        &self,
        case: &MakeCase,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Made>, Unscored> {
        converse(rounds, self.retries, seed, |script| self.talk(case, script))
    }
}

guerdon_core::method! {
    Make: Protocol,
    id: "judge.criteria",
    papers: [
        "openrubrics-2025", "carmo-2024", "tick-2024", "c2-2026", "openrs-2026", "crome-2025", "art-2023",
    ],
    status: Verified(ClosedForm("share kept and share good of the consistency filter")),
    laws: [],
    exempt: [],
    sample_params: r#"{"source": "pair", "tags": "kinds", "tries": 2}"#,
    samples: [r#"{"prompt": "What is 2 + 2?", "responses": ["4", "Four or five."], "preferred": 0}"#]
}

#[cfg(test)]
mod tests {
    use guerdon_core::method::Request;
    use guerdon_core::seed::stream;
    use rand::RngExt as _;

    use super::{Make, MakeCase};
    use crate::fence::find;
    use crate::rubric::{Sort, Source, Tags};
    use crate::scripted::{self, text};

    fn pair(preferred: u32) -> MakeCase {
        MakeCase {
            prompt: "q".into(),
            responses: vec!["first".into(), "second".into()],
            preferred: Some(preferred),
            reference: None,
        }
    }

    fn checks(request: &Request) -> bool {
        text(request).contains("Which of the two is better")
    }

    /// The label of a response in a comparison.
    fn label(request: &Request, response: &str) -> &'static str {
        let shown = text(request);
        let a = find(&shown).iter().any(|f| f.name == "response_a" && f.text == response);
        if a { "[[A]]" } else { "[[B]]" }
    }

    #[test]
    fn inconsistent_criteria_are_made_anew_and_then_dropped() {
        let make = Make { source: Source::Pair, tags: Tags::Kinds, tries: 3, ..Make::default() };
        let made = scripted::protocol(&make, &pair(1), 0, |request| match request.sample {
            n if !checks(request) => format!("1. [principle] p\n2. [rule] rubric {n}"),
            2 => label(request, "second").into(),
            _ => label(request, "first").into(),
        });
        let made = made.unwrap();
        assert_eq!((made.tries, made.consistent), (3, Some(true)));
        assert_eq!(made.criteria.0[0].text, "rubric 2");
        assert_eq!(made.criteria.0[0].kind, Some(Sort::Rule));
        let dropped = scripted::protocol(&make, &pair(0), 0, |request| {
            if checks(request) { label(request, "second") } else { "1. x" }.into()
        });
        let dropped = dropped.unwrap();
        assert!(dropped.criteria.0.is_empty() && dropped.consistent == Some(false));
    }

    #[test]
    fn the_label_is_shown_to_the_writer_only() {
        let make = Make { source: Source::Pair, tries: 1, ..Make::default() };
        let mut asked = Vec::new();
        let made = scripted::protocol(&make, &pair(1), 0, |request| {
            asked.push(text(request));
            if checks(request) { label(request, "second") } else { "1. x" }.into()
        });
        assert!(made.is_ok());
        assert!(asked[0].find("second") < asked[0].find("first"));
        assert!(asked[0].contains("the better one") && !asked[1].contains("the better one"));
    }

    #[test]
    fn candidates_and_principles_are_shown() {
        let make = Make {
            source: Source::Candidates,
            meta: "Truth before style.".into(),
            ..Make::default()
        };
        let case = MakeCase { responses: vec!["one".into(); 3], ..MakeCase::default() };
        let made = scripted::protocol(&make, &case, 0, |request| {
            assert!(text(request).contains("3 responses to it"));
            assert!(text(request).contains("Truth before style."));
            "1. x".into()
        });
        assert_eq!(made.unwrap().consistent, None);
        assert!(scripted::protocol(&make, &MakeCase::default(), 0, |_| "1. x".into()).is_err());
    }

    /// OpenRubrics with g = .55, a_g = .85, a_b = .45, e = .1: kept .636, good among kept .6745.
    #[test]
    fn the_filter_keeps_what_the_closed_form_says() {
        let (g, right, e) = (0.55, [0.45, 0.85], 0.1);
        let agrees = |a: f64| a * (1.0 - e) + (1.0 - a) * e;
        let kept = g * agrees(right[1]) + (1.0 - g) * agrees(right[0]);
        assert!((kept - 0.636).abs() < 1e-9 && (g * agrees(right[1]) / kept - 0.6745).abs() < 5e-5);

        let make = Make { source: Source::Pair, tries: 1, ..Make::default() };
        let (mut count, mut good, n) = (0.0, 0.0, 4000_u64);
        let mut draws = stream(1, "world");
        for seed in 0..n {
            let truly_first = draws.random_bool(0.5);
            let flipped = draws.random_bool(e);
            let of_good = draws.random_bool(g);
            let judged_right = draws.random_bool(right[usize::from(of_good)]);
            let case = pair(u32::from(truly_first == flipped));
            let made = scripted::protocol(&make, &case, seed, |request| {
                if !checks(request) {
                    return "1. x".into();
                }
                let first = truly_first == judged_right;
                label(request, if first { "first" } else { "second" }).into()
            });
            if made.unwrap().consistent == Some(true) {
                count += 1.0;
                good += f64::from(u8::from(of_good));
            }
        }
        let share = count / n as f64;
        assert!((share - 0.636).abs() < 0.02 && (good / count - 0.6745).abs() < 0.02, "{share}");
    }
}
