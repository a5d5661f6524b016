//! A judge that thinks before a forced verdict: solve first or rubric first, and the majority of several verdicts.
//!
//! # Formula
//!
//! ```text
//! pairwise   P(first) = share of the votes that name the first;   the majority of v votes decides, there is no tie to vote for
//! pointwise  value = share of the votes that say "correct"
//! ```
//!
//! Votes that are right with probability p independently have a majority that is right with `Σ_{m > v/2} C(v, m) pᵐ(1 − p)ᵛ⁻ᵐ`
//! ([`majority_accuracy`]).
//!
//! # When to use it
//!
//! For answers that can be checked by working them out: mathematics, code, logic, facts. The `typed` template lets the judge
//! solve such questions itself, and makes it write a rubric for all others. More votes and longer thinking cost calls and buy
//! accuracy. The pointwise form rewards answers to problems without a reference.
//!
//! # Departures
//!
//! The verdict stands in double brackets; `verdict: boxed` and `verdict: tail` ask for and read the formats of the trained
//! models of RRM and RM-R1. The votes alternate between the two orders, beginning with one drawn from the seed. An even number
//! of votes can be drawn: then it is a tie.
//!
//! # Example
//!
//! ```yaml
//! use: judge.reasoning
//! template: typed
//! votes: 5
//! ```
//!
//! ```
//! use guerdon_judge::judge::reasoning::majority_accuracy;
//!
//! assert!((majority_accuracy(0.8, 5) - 0.94208).abs() < 1e-9);
//! ```
//!
//! # References
//!
//! Guo et al., "Reward Reasoning Model", 2025. Chen et al., "RM-R1: Reward Modeling as Reasoning", 2025. Zhou et al., "Libra:
//! Assessing and Improving Reward Model by Learning to Think", 2025.

use guerdon_core::method::{
    Case, Form, Judge, Judgement, Next, Params, Preference, Reply, Request,
};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Format, Label, Quotes, Read};
use crate::grader::Grader;
use crate::prompt::{BuiltIn, Prompt};
use crate::script::{Pause, Script, converse, sample};
use crate::show::Show;
use crate::view::View;

const BUILT_IN: BuiltIn = BuiltIn {
    system: include_str!("../../prompts/judge.system.j2"),
    user: include_str!("../../prompts/reasoning.user.j2"),
};

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Which of two is better.
    #[default]
    Pairwise,
    /// Whether one is correct.
    Pointwise,
}

/// How the judge is to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// Freely, step by step.
    #[default]
    Plain,
    /// By the type of the task: solve it first, or write a rubric first.
    Typed,
}

/// The type of the task, for `template: typed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// The judge says which.
    #[default]
    Auto,
    /// Solve first.
    Reasoning,
    /// Rubric first.
    Chat,
}

/// How the verdict is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// `[[A]]` (`[[correct]]` of one response).
    #[default]
    Label,
    /// `\boxed{Assistant 1}`, as RRM writes it.
    Boxed,
    /// `<answer>[[A]]</answer>` within the last 80 characters, as RM-R1 writes it.
    Tail,
}

/// Parameters of `judge.reasoning`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reasoning {
    /// What is judged. Default: `pairwise`.
    pub what: What,
    /// How the judge is to think. Default: `plain`.
    pub template: Template,
    /// The type of the task, for `template: typed`. Default: `auto`, the judge says it.
    pub task: Task,
    /// How the verdict is written. Default: `label`.
    pub verdict: Verdict,
    /// How many verdicts v are drawn. Range: 1 to 64. Default: 1.
    pub votes: u32,
    /// What alone counts; empty for the whole of the quality.
    pub criterion: String,
    /// Sampling temperature; `null` for that of the model's entry in the spec. Range: 0 to 2.
    pub temperature: Option<f64>,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates in place of the built-in ones.
    pub prompt: Prompt,
}

impl Default for Reasoning {
    fn default() -> Self {
        Self {
            what: What::Pairwise,
            template: Template::Plain,
            task: Task::Auto,
            verdict: Verdict::Label,
            votes: 1,
            criterion: String::new(),
            temperature: None,
            retries: 1,
            prompt: Prompt::default(),
        }
    }
}

impl Params for Reasoning {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("votes", self.votes.into(), 1.0, 64.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        if let Some(temperature) = self.temperature {
            ParamError::in_range("temperature", temperature, 0.0, 2.0)?;
        }
        if self.what == What::Pointwise && self.verdict != Verdict::Label {
            let why = "`verdict` must be `label` for one response: the other formats compare two";
            return Err(ParamError::new("verdict", why));
        }
        self.prompt.validate("prompt")
    }
}

impl Reasoning {
    fn label(&self) -> Label {
        match self.what {
            What::Pairwise => Label::new(["A", "B"]),
            What::Pointwise => Label::new(["correct", "incorrect"]),
        }
    }

    fn grader(&self) -> Option<Grader> {
        match self.verdict {
            Verdict::Label => None,
            Verdict::Boxed => Some(Grader::Rrm),
            Verdict::Tail => Some(Grader::RmR1),
        }
    }

    fn request(&self, case: &Case, show: &Show, seed: u64) -> Result<Request, Unscored> {
        let view = View { case: Some(case), criterion: &self.criterion, ..View::default() };
        let texts = view.texts(&[], seed)?;
        let fill = show
            .fill(view.fill(&texts), &texts.fences, &case.responses)
            .value("template", self.template)
            .value("task", self.task);
        let (label, grader) = (self.label(), self.grader());
        let format: &dyn Format = grader.as_ref().map_or(&label, |grader| grader as _);
        let request = self.prompt.request(BUILT_IN, fill, format)?;
        Ok(Request { temperature: self.temperature, ..request })
    }

    /// Whether the verdict is the first label: the first place, or "correct".
    fn read(&self, reply: &Reply, quotes: &Quotes<'_>) -> Result<bool, Unscored> {
        match self.grader() {
            None => Ok(self.label().read(&reply.text, quotes)? == 0),
            Some(grader) => {
                Ok(grader.read_beside(&reply.text, quotes)?.preference()? == Preference::FIRST)
            }
        }
    }

    /// One vote: for the first response, or for "correct".
    fn vote(&self, case: &Case, k: usize, script: &mut Script<'_>) -> Result<bool, Pause> {
        let first = if self.numbered() { Show::numbers } else { Show::letters };
        let drawn = first(script.order(case.responses.len(), "position"));
        let show = if k.is_multiple_of(2) { drawn } else { drawn.reversed() };
        let request = sample(&self.request(case, &show, script.seed())?, k);
        let quotes = Quotes::of(case.responses.iter().map(String::as_str));
        let first_place = script.read(&request, |reply| self.read(reply, &quotes))?;
        Ok(first_place == (show.order().first() == Some(&0)))
    }

    /// RRM names the responses by numbers.
    fn numbered(&self) -> bool {
        self.verdict == Verdict::Boxed
    }

    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        let votes = script.all(self.votes as usize, |k, script| self.vote(case, k, script))?;
        let share = votes.iter().filter(|vote| **vote).count() as f64 / votes.len() as f64;
        let told = match self.what {
            What::Pointwise => Judgement::score(share),
            What::Pairwise => Judgement::verdict(Preference::of_values(share, 0.5)),
        };
        Ok(if self.votes > 1 { told.sure(share.max(1.0 - share)) } else { told })
    }
}

impl Judge for Reasoning {
    fn form(&self) -> Form {
        match self.what {
            What::Pairwise => Form::Pair,
            What::Pointwise => Form::Single,
        }
    }

    fn next(
        &self,
        case: &Case,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Judgement>, Unscored> {
        converse(rounds, self.retries, seed, |script| self.talk(case, script))
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

/// The probability that the majority of `votes` independent votes is right, each with probability `p` (0 to 1); of a draw,
/// half counts.
pub fn majority_accuracy(p: f64, votes: u32) -> f64 {
    // Row `v` of the binomial distribution, one vote at a time.
    let mut row = vec![1.0];
    for _ in 0..votes {
        let before = |m: Option<usize>| m.and_then(|m| row.get(m)).copied().unwrap_or(0.0);
        row = (0..=row.len())
            .map(|m| before(m.checked_sub(1)) * p + before(Some(m)) * (1.0 - p))
            .collect();
    }
    let weight = |m: usize| match (2 * m).cmp(&(votes as usize)) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    };
    row.iter().enumerate().map(|(m, probability)| weight(m) * probability).sum()
}

/// The accuracy of a verdict "correct" with true-positive rate `t` and false-positive rate `f`, where a share `c` is correct.
pub fn verdict_accuracy(t: f64, f: f64, c: f64) -> f64 {
    c * t + (1.0 - c) * (1.0 - f)
}

guerdon_core::method! {
    Reasoning: Judge,
    id: "judge.reasoning",
    papers: ["rrm-2025", "rm-r1-2025", "libra-2025"],
    status: Verified(Worked("the catalogue's votes and tails")),
    laws: [],
    exempt: [],
    sample_params: r#"{"votes": 2}"#,
    samples: [r#"{
        "case": {"prompt": "What is 2 + 2?", "responses": ["It is four.", "It is five."]},
        "replies": [["2 + 2 is 4.\n[[A]]", "2 + 2 is 4.\n[[B]]"]],
        "values": [0, 1]
    }"#]
}

#[cfg(test)]
mod tests {
    use super::{Reasoning, majority_accuracy, verdict_accuracy};
    use guerdon_core::method::{Case, Judge, Judgement, Next, Params, Preference};
    use serde_json::{Value, json};

    fn near(own: f64, expect: f64) {
        assert!((own - expect).abs() < 5e-5, "{own} is not {expect}");
    }

    #[test]
    fn votes_lift_a_knockout() {
        near(0.8f64.powi(3), 0.512);
        near(majority_accuracy(0.8, 5), 0.94208);
        near(majority_accuracy(0.8, 5).powi(3), 0.8361);
        near(0.7f64.powi(3), 0.343);
        near(majority_accuracy(0.7, 5), 0.8369);
        near(majority_accuracy(0.7, 5).powi(3), 0.5862);
        near(majority_accuracy(0.7, 2), 0.7);
    }

    #[test]
    fn accuracy_of_a_judge_of_answers() {
        near(verdict_accuracy(0.9, 0.2, 0.5), 0.85);
    }

    fn run(params: Value, n: usize, replies: &[&str]) -> Option<Judgement> {
        let judge: Reasoning = serde_json::from_value(params).unwrap();
        judge.validate().unwrap();
        let responses = ["good", "bad"][..n].iter().map(|text| (*text).to_owned()).collect();
        let case = Case { responses, ..Case::default() };
        let Ok(Next::Ask(requests)) = judge.next(&case, &[], 3) else { panic!("it asks nothing") };
        let at = |text: &str| {
            let place = |what: &str| text.find(&format!("\n{what}\n")).unwrap_or(usize::MAX);
            place("good") < place("bad")
        };
        // Replies are written for the good one in the first place.
        let turn = |reply: &str| reply.replace('A', "#").replace('B', "A").replace('#', "B");
        let own = requests.iter().zip(replies.iter().cycle()).map(|(request, reply)| {
            let first = at(&request.messages.last().unwrap().content);
            let reply = if first { (*reply).to_owned() } else { turn(reply) };
            reply.as_str().into()
        });
        match judge.next(&case, &[own.collect()], 3) {
            Ok(Next::Done(told)) => Some(told),
            _ => None,
        }
    }

    #[test]
    fn the_majority_decides_whatever_the_order() {
        let told = run(json!({"votes": 3}), 2, &["[[A]]", "[[B]]", "[[A]]"]).unwrap();
        assert_eq!(told.preference, Some(Preference::FIRST));
        near(told.confidence.unwrap(), 2.0 / 3.0);
        let drawn = run(json!({"votes": 2}), 2, &["[[A]]", "[[B]]"]).unwrap();
        assert_eq!(drawn.preference, Some(Preference::TIE));
        assert_eq!(run(json!({}), 2, &["[[tie]]"]), None);
    }

    #[test]
    fn one_response_is_correct_or_not() {
        let params = json!({"what": "pointwise", "votes": 4, "template": "typed"});
        let told = run(params, 1, &["[[correct]]", "[[correct]]", "[[incorrect]]", "[[correct]]"]);
        assert_eq!(told.unwrap().values, [0.75]);
    }

    #[test]
    fn formats_of_the_trained_models() {
        let told = run(json!({"verdict": "tail"}), 2, &["x <answer>[[A]]</answer>"]).unwrap();
        assert_eq!(told.preference, Some(Preference::FIRST));
        let told = run(json!({"verdict": "boxed"}), 2, &["\\boxed{A}"]).unwrap();
        assert_eq!(told.preference, Some(Preference::FIRST));
        let wrong: Reasoning =
            serde_json::from_value(json!({"what": "pointwise", "verdict": "tail"})).unwrap();
        assert!(wrong.validate().is_err());
    }
}
