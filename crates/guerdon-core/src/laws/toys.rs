//! A toy method of every kind, good by nature and bad on request: each vice breaks one law.

use std::sync::atomic::{AtomicU64, Ordering};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::method::{
    Candidates, Case, Form, Function, Judge, Judgement, Next, Online, Params, Preference, Protocol,
    Reply, Request, Scope, Selection, Selector, Signal, Transform,
};
use crate::{Column, Message, MethodError, Outcome, Rollout, Score, Unscored, View};

/// Parameters of the toys.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Toy {
    /// What the toy does wrong. Default: nothing.
    pub(super) vice: String,
    #[serde(skip)]
    seen: f64,
}

/// Something that is different at every call.
fn whim() -> f64 {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    f64::from(u8::try_from(CALLS.fetch_add(1, Ordering::Relaxed) % 200).unwrap_or(0)) / 200.0
}

impl Params for Toy {}

impl Signal for Toy {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let text = rollout.text();
        let references = rollout.references();
        let right = references.iter().any(|r| r.as_ref() == text.trim());
        match self.vice.as_str() {
            "panics" => assert!(!text.contains('\0'), "a NUL!"),
            "hangs" if text.contains('\0') => {
                std::thread::sleep(std::time::Duration::from_hours(1));
            }
            "wavers" => return Score::new(whim()),
            "exceeds" if right => return Score::new(2.0),
            "stingy" if right => return Score::new(0.5),
            "generous" if text.is_empty() => return Ok(Score::binary(true)),
            "gullible" if text.contains("score=") => return Ok(Score::binary(true)),
            _ => {}
        }
        if references.is_empty() {
            Err(Unscored::missing("no reference"))
        } else {
            Ok(Score::binary(right))
        }
    }

    fn score_group(&self, group: &[Rollout]) -> Vec<Outcome> {
        match self.vice.as_str() {
            "counts" => {
                (0..group.len()).map(|k| Score::new(if k == 0 { 1.0 } else { 0.0 })).collect()
            }
            "two_faced" => group.iter().map(|_| Ok(Score::binary(false))).collect(),
            _ => group.iter().map(|rollout| self.score(rollout)).collect(),
        }
    }

    fn scope(&self) -> Scope {
        if self.vice == "counts" { Scope::Group } else { Scope::Rollout }
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

impl Transform for Toy {
    /// Deviation from the group's mean.
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let rows = view.frame.rows();
        match self.vice.as_str() {
            "panics" => assert!(rows > 0, "no rows!"),
            "drops" => return Ok(Column::full(vec![0.0; rows / 2])),
            "wavers" => return Ok(Column::full(vec![whim(); rows])),
            "poisons" => {
                return Ok(Column::full(vec![
                    view.current()?.iter().flatten().count() as f64
                        / rows as f64;
                    rows
                ]));
            }
            "counts" => return Ok(Column::full((0..rows).map(|k| k as f64).collect())),
            "refuses" => return Err(MethodError::domain("not today")),
            "keeps" => return view.dense(&[], |d| Ok(d.values.clone())),
            _ => {}
        }
        self.seen += 1.0;
        let offset = if self.vice == "forgets" { self.seen } else { 0.0 };
        view.dense(&[], |d| {
            let groups = if self.vice == "mixes" {
                crate::Groups::one(d.values.len())
            } else {
                d.groups.clone()
            };
            let deviations = groups.iter().flat_map(|range| {
                let group = &d.values[range];
                let mean = group.iter().sum::<f64>() / group.len() as f64;
                group.iter().map(move |x| x - mean + offset)
            });
            Ok(deviations.collect())
        })
    }
}

impl Selector for Toy {
    /// The first of the greatest scores.
    fn select(&self, candidates: &Candidates, _seed: u64) -> Result<Selection, Unscored> {
        let choose = |index| Ok(Selection { index, share: None, tally: Vec::new() });
        let answers =
            candidates.answers.iter().enumerate().filter_map(|(i, a)| Some((a.as_ref()?, i)));
        let scores = candidates.scores.iter().enumerate().filter_map(|(i, s)| Some((i, (*s)?)));
        match self.vice.as_str() {
            "panics" => candidates.check().expect("sound candidates"),
            "overreaches" => return choose(candidates.len()),
            "presumes" if candidates.is_empty() => return choose(0),
            "wavers" => {
                return choose(usize::from(whim() * 400.0 % 4.0 > 1.0) % candidates.len().max(1));
            }
            "alphabetical" => {
                return answers
                    .min()
                    .map_or(Err(Unscored::abstained("no answers")), |(_, i)| choose(i));
            }
            _ => {}
        }
        let sign = if self.vice == "perverse" { -1.0 } else { 1.0 };
        let best =
            scores.reduce(|best, next| if sign * next.1 > sign * best.1 { next } else { best });
        best.map_or(Err(Unscored::abstained("no scores")), |(i, _)| choose(i))
    }
}

/// What the toy adds up.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Numbers {
    values: Vec<f64>,
    #[serde(default)]
    first: f64,
    #[serde(default)]
    second: f64,
}

impl Function for Toy {
    type Input = Numbers;
    type Output = f64;

    fn call(&self, input: &Numbers, _seed: u64) -> Result<f64, MethodError> {
        let sum: f64 = input.values.iter().sum::<f64>() + input.first - input.second;
        match self.vice.as_str() {
            "panics" => Ok(input.values[0]),
            "first" => Ok(input.values.first().copied().unwrap_or(0.0) + input.first),
            "smuggles" => Ok(f64::NAN),
            "wavers" => Ok(whim()),
            "first_side" => Ok(sum + 3.0 * input.first),
            _ if sum.is_finite() => Ok(sum),
            _ => Err(MethodError::domain("the sum is too large")),
        }
    }
}

/// What the toy remembers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Memory {
    total: f64,
    #[serde(skip)]
    secret: f64,
}

impl Online for Toy {
    type State = Memory;
    type Event = f64;
    type Reading = f64;

    fn init(&self) -> Memory {
        Memory { total: 0.0, secret: 0.0 }
    }

    fn step(&self, state: &mut Memory, event: &f64) -> Result<(), MethodError> {
        assert!(self.vice != "panics" || *event >= 0.0, "negative!");
        state.secret += 1.0;
        state.total += if self.vice == "forgets" { state.secret } else { 1.0 };
        Ok(())
    }

    fn read(&self, state: &Memory, _seed: u64) -> f64 {
        match self.vice.as_str() {
            "smuggles" => f64::NAN,
            "wavers" => whim(),
            _ => state.total,
        }
    }
}

/// What the toy asks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    question: String,
}

impl Protocol for Toy {
    type Case = Question;
    type Output = f64;

    fn next(
        &self,
        case: &Question,
        rounds: &[Vec<Reply>],
        _seed: u64,
    ) -> Result<Next<f64>, Unscored> {
        let ask = || {
            let parts = if self.vice == "splits" {
                case.question.split("<|im_start|>").collect()
            } else {
                vec![&*case.question]
            };
            let message = |part: &str| Message {
                role: "user".into(),
                content: format!("{part}?"),
                tool_calls: Vec::new(),
            };
            Ok(Next::Ask(vec![Request::chat(parts.into_iter().map(message).collect())]))
        };
        let Some(reply) = rounds.last().and_then(|replies| replies.first()) else {
            return if self.vice == "mute" { Ok(Next::Ask(Vec::new())) } else { ask() };
        };
        assert!(self.vice != "panics" || !reply.text.contains("[[B]]"), "both!");
        match reply.text.trim() {
            _ if self.vice == "endless" => ask(),
            "yes" => Ok(Next::Done(1.0)),
            "no" => Ok(Next::Done(0.0)),
            _ if self.vice == "credulous" => Ok(Next::Done(0.5)),
            other => {
                Err(Unscored::unreadable(format!("neither yes nor no: {} characters", other.len())))
            }
        }
    }
}

impl Judge for Toy {
    fn form(&self) -> Form {
        Form::Pair
    }

    fn next(
        &self,
        case: &Case,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Judgement>, Unscored> {
        let swapped = self.vice != "fixed" && seed % 2 == 1;
        let (a, b) = (usize::from(swapped), usize::from(!swapped));
        let Some(reply) = rounds.first().and_then(|replies| replies.first()) else {
            let text = format!("A: {}\nB: {}", case.responses[a], case.responses[b]);
            return Ok(Next::Ask(vec![Request::user(text)]));
        };
        if reply.truncated && self.vice != "patient" {
            return Err(Unscored::unreadable("cut off"));
        }
        let label =
            if self.vice == "gullible" { reply.text.find("[[") } else { reply.text.rfind("\n[[") };
        let wins = match label.and_then(|at| reply.text[at..].trim_start().get(..5)) {
            Some("[[A]]") => a,
            Some("[[B]]") => b,
            _ => return Err(Unscored::unreadable("no verdict")),
        };
        let verdict = [Preference::FIRST, Preference::SECOND][wins];
        Ok(Next::Done(if self.vice == "lopsided" {
            Judgement::scores(vec![1.0])
        } else {
            Judgement::verdict(verdict)
        }))
    }
}

/// A function that accepts unknown keys, in its parameters and in its input.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Loose {
    undocumented: f64,
}

impl Params for Loose {}

/// What the loose toy takes.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct LooseInput {
    values: Vec<f64>,
}

impl Function for Loose {
    type Input = LooseInput;
    type Output = f64;

    fn call(&self, input: &LooseInput, _seed: u64) -> Result<f64, MethodError> {
        Ok(input.values.len() as f64)
    }
}
