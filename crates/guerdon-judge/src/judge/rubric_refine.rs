//! Refines a rubric on sampled responses: splits criteria that most of them meet, drops misaligned and redundant ones.
//!
//! # Formula
//!
//! ```text
//! V[r][k] ∈ {0, 1}     does response r meet criterion k
//! split        where more than `split_above` responses meet it and it was split less than `max_depth` times
//! misaligned   where V[weak][k] > V[strong][k], two responses of known order: dropped
//! redundant    where it asks for what a kept one asks for: dropped
//! mute         where all responses or none meet it: dropped
//! ```
//!
//! It ends when nothing is open, or after `max_rejected` dropped proposals.
//!
//! # When to use it
//!
//! Before a rubric is used for training: coarse criteria stop telling responses apart as soon as a policy meets them. `votes` and
//! `covariance` of the result go into `shape.combine` with `op: whitened`, which keeps criteria that say the same from being
//! counted twice; with fewer responses than criteria it needs its ridge.
//!
//! # Departures
//!
//! Criteria that no sampled response or every one meets are dropped when they cannot be split further, since they have no
//! variance to weigh. The thresholds are ours; the paper's are not in its abstract.
//!
//! # Example
//!
//! ```yaml
//! use: judge.rubric_refine
//! split_above: 2
//! max_rejected: 15
//! ```
//!
//! ```
//! use guerdon_core::method::{Next, Protocol};
//! use guerdon_judge::judge::rubric_refine::{Refine, RefineCase};
//!
//! let case = RefineCase {
//!     responses: ["Hi", "Hi!"].map(str::to_owned).to_vec(),
//!     criteria: guerdon_judge::rubric::Criteria(vec![guerdon_judge::rubric::Criterion::new("Is it lively?")]),
//!     ..RefineCase::default()
//! };
//! let rounds = [vec!["1. NO".into(), "1. YES".into()]];
//! let Ok(Next::Done(refined)) = Refine::default().next(&case, &rounds, 0) else { panic!() };
//! assert_eq!(refined.votes, [[0.0], [1.0]]);
//! ```
//!
//! # References
//!
//! RRD, "Rethinking Rubric Generation for Improving LLM Judge and Reward Modeling for Open-ended Tasks", 2026.

use guerdon_core::method::{Case, Next, Params, Protocol, Reply, Request};
use guerdon_core::{ParamError, Text, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Answers, Items, Quotes, Read as _};
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::rubric::{Criteria, Criterion, Grader, MOST, Maker, Mode, Source, numbered};
use crate::script::{Pause, Script, converse};
use crate::show::{self, Show};

const SPLIT: BuiltIn = BuiltIn {
    system: include_str!("../../prompts/criteria.system.j2"),
    user: include_str!("../../prompts/rubric_refine.split.user.j2"),
};
const SAME: BuiltIn = BuiltIn {
    system: include_str!("../../prompts/criteria.system.j2"),
    user: include_str!("../../prompts/rubric_refine.same.user.j2"),
};
/// The most sampled responses.
const RESPONSES: usize = 16;

/// Parameters of `judge.rubric_refine`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Refine {
    /// A criterion that more sampled responses meet than this is split. Range: 1 to 16. Default: 2.
    pub split_above: u32,
    /// Into how many criteria one is split at most. Range: 2 to 8. Default: 3.
    pub parts: u32,
    /// How often a criterion and what came of it is split. Range: 0 to 5. Default: 2.
    pub max_depth: u32,
    /// How criteria that say the same are told. Default: `model`.
    pub redundancy: Redundancy,
    /// After how many dropped proposals it ends. Range: 1 to 100. Default: 15.
    pub max_rejected: u32,
    /// The most criteria at the beginning, where none are given. Range: 1 to 32. Default: 8.
    pub count: u32,
    /// The model that writes and splits criteria, by its name in the spec. Default: the spec's default.
    pub writer: Option<String>,
    /// The model that judges responses by them, by its name in the spec. Default: the spec's default.
    pub judge: Option<String>,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates in place of the built-in ones that have responses judged.
    pub judge_prompt: Prompt,
    /// Templates in place of the built-in ones that have a criterion split.
    pub split_prompt: Prompt,
    /// Templates in place of the built-in ones that look for criteria that say the same.
    pub same_prompt: Prompt,
}

/// How criteria that say the same are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Redundancy {
    /// A model says so.
    #[default]
    Model,
    /// The same sampled responses meet them.
    Votes,
    /// They are kept.
    None,
}

/// A rubric and the responses on which it is refined.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RefineCase {
    /// What was asked.
    pub prompt: Text,
    /// Sampled responses, 2 to 16.
    pub responses: Vec<String>,
    /// The criteria to begin with; where there are none, a model writes them.
    pub criteria: Criteria,
    /// The place of a response that is known to be better than the one at `weak`.
    pub strong: Option<u32>,
    /// The place of a response that is known to be worse than the one at `strong`.
    pub weak: Option<u32>,
}

/// A refined rubric.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Refined {
    /// The criteria that were kept.
    pub criteria: Criteria,
    /// `votes[r][k]`: 1 where response r meets criterion k, else 0.
    pub votes: Vec<Vec<f64>>,
    /// Covariance of the criteria over the responses: the `covariance` of `shape.combine`.
    pub covariance: Vec<Vec<f64>>,
    /// What was dropped.
    pub rejected: Vec<Rejected>,
}

/// A criterion that was dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Rejected {
    /// Its text.
    pub text: String,
    /// Why.
    pub reason: Reason,
}

/// Why a criterion was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It favours the weaker of two responses of known order.
    Misaligned,
    /// Another one asks for the same.
    Redundant,
    /// All responses or none meet it.
    Mute,
    /// The end came before it was judged.
    NotReached,
}

impl Default for Refine {
    fn default() -> Self {
        Self {
            split_above: 2,
            parts: 3,
            max_depth: 2,
            redundancy: Redundancy::Model,
            max_rejected: 15,
            count: 8,
            writer: None,
            judge: None,
            retries: 1,
            judge_prompt: Prompt::default(),
            split_prompt: Prompt::default(),
            same_prompt: Prompt::default(),
        }
    }
}

impl Params for Refine {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("split_above", self.split_above.into(), 1.0, 16.0)?;
        ParamError::in_range("parts", self.parts.into(), 2.0, 8.0)?;
        ParamError::in_range("max_depth", self.max_depth.into(), 0.0, 5.0)?;
        ParamError::in_range("max_rejected", self.max_rejected.into(), 1.0, 100.0)?;
        ParamError::in_range("count", self.count.into(), 1.0, 32.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        self.judge_prompt.validate("judge_prompt")?;
        self.split_prompt.validate("split_prompt")?;
        self.same_prompt.validate("same_prompt")
    }
}

/// A proposal, and how often what it came from was split.
struct Open {
    criterion: Criterion,
    depth: u32,
}

/// A criterion with its votes, one per response.
#[derive(Clone)]
struct Voted {
    criterion: Criterion,
    votes: Vec<f64>,
}

/// What became of proposals that were judged.
#[derive(Default)]
struct Sorted {
    fit: Vec<Voted>,
    broad: Vec<Open>,
    rejected: Vec<Rejected>,
}

fn reject(criterion: Criterion, reason: Reason) -> Rejected {
    Rejected { text: criterion.text, reason }
}

impl Refine {
    fn talk(&self, own: &RefineCase, script: &mut Script<'_>) -> Result<Refined, Pause> {
        let case = own.judged()?;
        let start = self.start(own, &case, script)?;
        let open = |criterion| Open { criterion, depth: 0 };
        let mut open: Vec<Open> = start.0.into_iter().map(open).collect();
        let (mut kept, mut rejected): (Vec<Voted>, Vec<Rejected>) = (Vec::new(), Vec::new());
        while !open.is_empty() && rejected.len() < self.max_rejected as usize && kept.len() < MOST {
            // Each round goes one split deeper, so that there are at most `max_depth` + 1.
            open.truncate(MOST);
            let mut sorted = self.sort(own, &case, open, script)?;
            rejected.append(&mut sorted.rejected);
            self.keep(&case, &mut kept, sorted.fit, &mut rejected, script)?;
            open = self.split(&case, &sorted.broad, script)?;
        }
        let late = open.into_iter().map(|open| reject(open.criterion, Reason::NotReached));
        rejected.extend(late);
        Ok(refined(kept, rejected, case.responses.len()))
    }

    fn start(
        &self,
        own: &RefineCase,
        case: &Case,
        script: &mut Script<'_>,
    ) -> Result<Criteria, Pause> {
        if !own.criteria.0.is_empty() {
            return Ok(own.criteria.clone());
        }
        let maker = Maker { count: self.count, model: self.writer.clone(), ..Maker::default() };
        maker.make(case, Source::Candidates, None, 0, script)
    }

    /// Has all responses judged by the proposals.
    fn sort(
        &self,
        own: &RefineCase,
        case: &Case,
        open: Vec<Open>,
        script: &mut Script<'_>,
    ) -> Result<Sorted, Pause> {
        let criteria: Vec<Criterion> = open.iter().map(|open| open.criterion.clone()).collect();
        let prompt = &self.judge_prompt;
        let grader = Grader { mode: Mode::AtOnce, clip: false, model: self.judge.as_ref(), prompt };
        let graded = script.all(case.responses.len(), |r, script| {
            grader.grade(case, &case.responses[r], &criteria, script)
        })?;
        let mut sorted = Sorted::default();
        for (k, Open { criterion, depth }) in open.into_iter().enumerate() {
            let votes: Vec<f64> = graded.iter().map(|graded| graded.values[k]).collect();
            let met = votes.iter().filter(|vote| **vote >= 0.5).count();
            if own.misaligned(&votes) {
                sorted.rejected.push(reject(criterion, Reason::Misaligned));
            } else if met > self.split_above as usize && depth < self.max_depth {
                sorted.broad.push(Open { criterion, depth });
            } else if votes.iter().all(|vote| *vote == votes[0]) {
                sorted.rejected.push(reject(criterion, Reason::Mute));
            } else {
                sorted.fit.push(Voted { criterion, votes });
            }
        }
        Ok(sorted)
    }

    /// Keeps what no kept criterion asks for already.
    fn keep(
        &self,
        case: &Case,
        kept: &mut Vec<Voted>,
        fit: Vec<Voted>,
        rejected: &mut Vec<Rejected>,
        script: &mut Script<'_>,
    ) -> Result<(), Pause> {
        let asked = self.redundancy == Redundancy::Model && kept.len().min(1) + fit.len() > 1;
        let same =
            if asked { self.same(case, kept, &fit, script)? } else { vec![false; fit.len()] };
        for (voted, same) in fit.into_iter().zip(same) {
            let alike = self.redundancy == Redundancy::Votes
                && kept.iter().any(|other| other.votes == voted.votes);
            if same || alike {
                rejected.push(reject(voted.criterion, Reason::Redundant));
            } else if kept.len() < MOST {
                kept.push(voted);
            } else {
                rejected.push(reject(voted.criterion, Reason::NotReached));
            }
        }
        Ok(())
    }

    /// For each proposal, whether a model says that it asks for nothing new.
    fn same(
        &self,
        case: &Case,
        kept: &[Voted],
        fit: &[Voted],
        script: &mut Script<'_>,
    ) -> Result<Vec<bool>, Pause> {
        let list = |all: &[Voted]| numbered(all.iter().map(|voted| &voted.criterion));
        let (known, proposed) = (list(kept), list(fit));
        let format = Answers::new(fit.len(), ["YES", "NO"]);
        let fences = show::fences(case, &[&known, &proposed], script.seed());
        let fill = Fill::new(&fences)
            .text("question", &question(case))
            .maybe("known", (!kept.is_empty()).then_some(known.as_str()))
            .text("criteria", &proposed);
        let request = self.same_prompt.request(SAME, fill, &format)?;
        let request = Request { model: self.writer.clone(), ..request };
        script.read(&request, |reply| {
            let answers = format.read(&reply.text, &Quotes::none())?;
            answers.into_iter().map(|answer| Ok(answer? == 0)).collect()
        })
    }

    /// Has broad criteria split.
    fn split(
        &self,
        case: &Case,
        broad: &[Open],
        script: &mut Script<'_>,
    ) -> Result<Vec<Open>, Pause> {
        let format = Items { most: self.parts as usize };
        let parts = script.all(broad.len(), |k, script| {
            let text = broad[k].criterion.text.as_str();
            let fences = show::fences(case, &[text], script.seed());
            let show = Show::seeded(script, case.responses.len(), text);
            let fill = Fill::new(&fences).text("question", &question(case)).text("criterion", text);
            let fill = show.fill(fill, &fences, &case.responses);
            let request = self.split_prompt.request(SPLIT, fill, &format)?;
            let request = Request { model: self.writer.clone(), ..request };
            script.read(&request, |reply| format.read(&reply.text, &Quotes::none()))
        })?;
        let mut open = Vec::new();
        for (from, texts) in broad.iter().zip(parts) {
            let part = |text: &String| Open {
                criterion: Criterion {
                    text: Criterion::tagged(text).text,
                    ..from.criterion.clone()
                },
                depth: from.depth + 1,
            };
            open.extend(texts.iter().map(part).filter(|open| open.criterion.validate().is_ok()));
        }
        Ok(open)
    }
}

impl RefineCase {
    fn judged(&self) -> Result<Case, Unscored> {
        let given = self.responses.len();
        if !(2..=RESPONSES).contains(&given) {
            return Err(Unscored::missing(format!(
                "a rubric is refined on 2 to {RESPONSES} sampled responses, not {given}"
            )));
        }
        let places = [self.strong, self.weak];
        let outside = places.iter().flatten().any(|place| *place as usize >= given);
        if outside || self.strong.is_some() != self.weak.is_some() {
            let what = "`strong` and `weak` must both name a response, by its place from 0";
            return Err(Unscored::invalid(what));
        }
        let invalid = |error: ParamError| Unscored::invalid(error.to_string());
        self.criteria.validate("criteria").map_err(invalid)?;
        Ok(Case {
            prompt: self.prompt.clone(),
            responses: self.responses.clone(),
            ..Case::default()
        })
    }

    fn misaligned(&self, votes: &[f64]) -> bool {
        let vote = |place: Option<u32>| place.and_then(|place| votes.get(place as usize));
        matches!((vote(self.strong), vote(self.weak)), (Some(strong), Some(weak)) if weak > strong)
    }
}

fn refined(kept: Vec<Voted>, rejected: Vec<Rejected>, responses: usize) -> Refined {
    let votes: Vec<Vec<f64>> =
        (0..responses).map(|r| kept.iter().map(|voted| voted.votes[r]).collect()).collect();
    let covariance =
        kept.iter().map(|a| kept.iter().map(|b| covariance(&a.votes, &b.votes)).collect());
    Refined {
        covariance: covariance.collect(),
        criteria: Criteria(kept.into_iter().map(|voted| voted.criterion).collect()),
        votes,
        rejected,
    }
}

/// Sample covariance, divisor n − 1. Equally long, at least two values.
fn covariance(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum::<f64>() / (n - 1.0)
}

impl Protocol for Refine {
    type Case = RefineCase;
    type Output = Refined;

    fn next(
        &self,
        case: &RefineCase,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Refined>, Unscored> {
        converse(rounds, self.retries, seed, |script| self.talk(case, script))
    }
}

guerdon_core::method! {
    Refine: Protocol,
    id: "judge.rubric_refine",
    papers: ["rrd-2026"],
    status: Stable,
    laws: [],
    exempt: [],
    samples: [
        r#"{"prompt": "Say hello.", "responses": ["Hello!", "Hi", "Go away"], "strong": 0, "weak": 2}"#,
        r#"{"prompt": "Say hello.", "responses": ["Hello!", "Hi"], "criteria": ["Is it polite?", "Is it short?"]}"#,
    ]
}

#[cfg(test)]
mod tests {
    use super::{Reason, Redundancy, Refine, RefineCase, Refined, covariance};
    use crate::fence::find;
    use crate::rubric::{Criteria, Criterion};
    use crate::scripted::{self, text};

    /// Which responses meet a criterion: `abc` is met by the responses a, b and c.
    fn model(request: &guerdon_core::method::Request) -> String {
        let prompt = text(request);
        let fenced = find(&prompt);
        let named = |name: &str| fenced.iter().find(|f| f.name == name).map(|f| f.text);
        let lines = |name| named(name).map_or(Vec::new(), |t| t.lines().map(|l| &l[3..]).collect());
        if let Some(broad) = named("criterion") {
            return if broad == "abcd" { "1. a\n2. ab\n3. dx" } else { "1. abz" }.into();
        }
        let answer = |yes: bool| if yes { "YES" } else { "NO" };
        let answers: Vec<&str> = match named("response") {
            Some(response) => {
                lines("criteria").iter().map(|c| answer(c.contains(response))).collect()
            }
            None => lines("criteria").iter().map(|c| answer(*c == "ab")).collect(),
        };
        answers.iter().enumerate().map(|(k, a)| format!("{}. {a}\n", k + 1)).collect()
    }

    fn refine(refine: &Refine, criteria: &[&str]) -> Refined {
        let case = RefineCase {
            responses: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
            criteria: Criteria(criteria.iter().map(|text| Criterion::new(*text)).collect()),
            strong: Some(0),
            weak: Some(3),
            ..RefineCase::default()
        };
        scripted::protocol(refine, &case, 1, model).unwrap()
    }

    fn texts(refined: &Refined) -> Vec<&str> {
        refined.criteria.0.iter().map(|criterion| criterion.text.as_str()).collect()
    }

    /// `abcd` is met by all and is split into `a`, `ab` (said to be redundant) and `dx` (favours the weaker response).
    #[test]
    fn broad_criteria_are_split_and_bad_ones_dropped() {
        let refined = refine(&Refine::default(), &["abcd", "ac", "none"]);
        assert_eq!(texts(&refined), ["ac", "a"]);
        assert_eq!(refined.votes, [[1.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]);
        let why = |text: &str| refined.rejected.iter().find(|r| r.text == text).map(|r| r.reason);
        assert_eq!(why("dx"), Some(Reason::Misaligned));
        assert_eq!(why("ab"), Some(Reason::Redundant));
        assert_eq!(why("none"), Some(Reason::Mute));
        assert!((refined.covariance[0][0] - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn depth_and_rejections_end_it() {
        let none = Refine { redundancy: Redundancy::None, ..Refine::default() };
        assert_eq!(texts(&refine(&none, &["abcd", "ac"])), ["ac", "a", "ab"]);
        let votes = Refine { redundancy: Redundancy::Votes, ..Refine::default() };
        assert_eq!(texts(&refine(&votes, &["ac", "ca", "abc"])), ["ac", "abz"]);
        let flat = Refine { max_depth: 0, ..none.clone() };
        assert_eq!(texts(&refine(&flat, &["abc"])), ["abc"]);
        let soon = Refine { max_rejected: 1, ..none };
        let refined = refine(&soon, &["abcd", "d"]);
        assert_eq!(refined.rejected.last().map(|r| r.reason), Some(Reason::NotReached));
    }

    #[test]
    fn covariances_are_those_of_a_sample() {
        assert!((covariance(&[1.0, 0.0, 1.0], &[1.0, 0.0, 0.0]) - 1.0 / 6.0).abs() < 1e-12);
    }
}
