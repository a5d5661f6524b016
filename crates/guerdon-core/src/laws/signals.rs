//! Laws of signals.

use std::sync::Arc;

use rand::seq::SliceRandom as _;
use serde_json::{Value, json};

use super::bounded;
use super::every::built;
use super::samples;
use super::texts::{self, INJECTIONS, WRONG};
use super::verdict::{Duty, Finding, Pass, Tally, Test, Verdict, judge, short};
use crate::method::{Build, Kind, Scope, Signal};
use crate::{Law, LogProbs, Message, Method, Outcome, Rollout, Step, Text, ToolCall};

/// The laws that a signal may claim or be exempt from.
pub(super) const LAWS: &[Law] = &[
    Law::ReferenceMaximal,
    Law::DegenerateEarnsNothing,
    Law::InjectionGainsNothing,
    Law::WhitespaceInvariant,
    Law::CaseInvariant,
    Law::PermutationEquivariant,
];

/// The laws that come into force with the first sample.
const WITH_SAMPLES: [Law; 3] =
    [Law::ReferenceMaximal, Law::DegenerateEarnsNothing, Law::InjectionGainsNothing];

/// Differences below this are rounding.
const TOLERANCE: f64 = 1e-9;

pub(super) fn laws(method: Method) -> Vec<Test> {
    let Kind::Signal(build) = method.kind else { return Vec::new() };
    let case = Case { method, build };
    let mut tests = vec![
        Test::new("total", move || case.total()),
        Test::new("deterministic", move || case.deterministic()),
        Test::new("within_range", move || case.within_range()),
        Test::new("group_equals_single", move || case.group_equals_single()),
        Test::new("permutation_equivariant", move || {
            judge(method, Law::PermutationEquivariant, Duty::Mandatory, || case.permutation())
        }),
    ];
    if !method.samples.is_empty() {
        for law in WITH_SAMPLES {
            tests.push(Test::new(law.name(), move || {
                judge(method, law, Duty::Mandatory, || case.find(law))
            }));
        }
    }
    for law in [Law::WhitespaceInvariant, Law::CaseInvariant] {
        tests.push(Test::new(law.name(), move || {
            judge(method, law, Duty::Claimed, || case.find(law))
        }));
    }
    tests
}

#[derive(Clone, Copy)]
struct Case {
    method: Method,
    build: Build<dyn Signal>,
}

/// The name of an input, the input, and what came out.
type Scored = (String, Vec<Rollout>, Vec<Outcome>);

/// A signal with its samples.
struct Ready {
    signal: Arc<dyn Signal>,
    samples: Vec<Vec<Rollout>>,
}

impl Ready {
    /// The outcome of the first rollout of a group, whatever the scope.
    fn first(&self, group: &[Rollout]) -> Outcome {
        if self.signal.scope() == Scope::Rollout {
            return self.signal.score(&group[0]);
        }
        self.signal.score_group(group).swap_remove(0)
    }

    /// The outcome of sample `k` with another completion in the place of its first rollout's.
    fn with_completion(&self, k: usize, completion: &str) -> Outcome {
        let mut group = self.samples[k].clone();
        set_completion(&mut group[0], completion);
        self.first(&group)
    }

    /// What counts as the maximum for sample `k`: the top of the range, or what the sample itself earns.
    fn maximum(&self, k: usize) -> Result<f64, String> {
        match (self.signal.range(), self.first(&self.samples[k])) {
            (Some((_, high)), _) => Ok(high),
            (None, Ok(score)) => Ok(score.value()),
            (None, Err(why)) => Err(format!("sample {k} is unscored: {why}")),
        }
    }
}

/// Another completion: what was derived from the old one goes.
fn set_completion(rollout: &mut Rollout, completion: &str) {
    rollout.completion = completion.into();
    rollout.steps.clear();
    rollout.turns.clear();
    rollout.tool_calls.clear();
    if let Some(column) = rollout.columns.get_mut("completion") {
        *column = Value::String(completion.to_owned());
    }
}

impl Case {
    fn ready(self) -> Result<Ready, String> {
        Ok(Ready {
            signal: Arc::from(built(self.method, self.build)?),
            samples: samples::groups(self.method)?,
        })
    }

    /// Scores every hostile group under the time limit.
    fn battery(self) -> Result<Vec<Scored>, String> {
        let ready = self.ready()?;
        let inputs = hostile_groups(ready.samples.first().map(|group| &group[0]));
        let signal = ready.signal;
        bounded::each(inputs, move |group| score_all(signal.as_ref(), group))
    }

    fn total(self) -> Verdict {
        for (name, group, outcomes) in self.battery()? {
            if outcomes.len() != group.len() {
                return Err(format!(
                    "{} rollouts get {} outcomes on {name}",
                    group.len(),
                    outcomes.len()
                ));
            }
            for score in outcomes.iter().flatten() {
                let fine = score.fine.iter().flat_map(|(_, values)| values);
                let numbers =
                    fine.chain(&score.confidence).chain(score.parts.iter().map(|(_, v)| v));
                if let Some(bad) = numbers.copied().find(|x| !x.is_finite()) {
                    return Err(format!("a confidence, part or finer value is {bad} on {name}"));
                }
                if score.confidence.is_some_and(|c| !(0.0..=1.0).contains(&c)) {
                    return Err(format!(
                        "the confidence {:?} is not between 0 and 1 on {name}",
                        score.confidence
                    ));
                }
            }
        }
        Ok(Pass::Held)
    }

    fn deterministic(self) -> Verdict {
        let (first, second) = (self.ready()?, self.ready()?);
        for (k, group) in first.samples.iter().cloned().chain(plain_groups()).enumerate() {
            let (a, b) = (
                score_all(first.signal.as_ref(), &group),
                score_all(second.signal.as_ref(), &group),
            );
            if a != b {
                return Err(format!(
                    "two runs differ on sample {k} ({}):\n  {a:?}\n  {b:?}",
                    short(group[0].text())
                ));
            }
        }
        Ok(Pass::Held)
    }

    fn within_range(self) -> Verdict {
        let ready = self.ready()?;
        let Some((low, high)) = ready.signal.range() else { return Ok(Pass::Held) };
        if !(low.is_finite() && high.is_finite() && low < high) {
            return Err(format!("the declared range {low}..{high} is not one"));
        }
        let sampled = ready
            .samples
            .iter()
            .map(|g| ("a sample".to_owned(), score_all(ready.signal.as_ref(), g)));
        let battery = self.battery()?.into_iter().map(|(name, _, outcomes)| (name, outcomes));
        for (name, outcomes) in sampled.chain(battery) {
            if let Some(score) =
                outcomes.iter().flatten().find(|s| s.value() < low || s.value() > high)
            {
                return Err(format!(
                    "the value {} is outside the declared range {low}..{high} on {name}",
                    score.value()
                ));
            }
        }
        Ok(Pass::Held)
    }

    fn group_equals_single(self) -> Verdict {
        let ready = self.ready()?;
        if ready.signal.scope() != Scope::Rollout {
            return Ok(Pass::Held);
        }
        let all: Vec<Rollout> =
            ready.samples.concat().into_iter().chain(plain_groups().concat()).collect();
        let together = ready.signal.score_group(&all);
        for (rollout, grouped) in all.iter().zip(&together) {
            let alone = ready.signal.score(rollout);
            if alone != *grouped {
                let text = short(rollout.text());
                return Err(format!(
                    "{text} scores {alone:?} alone and {grouped:?} in a group; its scope is one rollout"
                ));
            }
        }
        Ok(Pass::Held)
    }

    fn permutation(self) -> Result<Finding, String> {
        let ready = self.ready()?;
        let mut tally = Tally::default();
        let groups: Vec<_> = ready.samples.iter().cloned().chain(plain_groups()).collect();
        for (k, group) in groups.iter().enumerate() {
            let straight = score_all(ready.signal.as_ref(), group);
            let mut order: Vec<usize> = (0..group.len()).collect();
            order.shuffle(&mut crate::seed::stream(k as u64, "permutation"));
            let shuffled: Vec<Rollout> = order.iter().map(|&i| group[i].clone()).collect();
            let moved = score_all(ready.signal.as_ref(), &shuffled);
            let broken =
                order.iter().zip(&moved).find(|&(&i, after)| !same(&straight[i], after)).map(
                    |(&i, after)| {
                        format!(
                            "{} scores {} and, in another order, {}",
                            short(group[i].text()),
                            told(&straight[i]),
                            told(after)
                        )
                    },
                );
            tally.add(&format!("group {k}"), broken);
        }
        Ok(tally.finding())
    }

    fn find(self, law: Law) -> Result<Finding, String> {
        let ready = self.ready()?;
        let mut tally = Tally::default();
        match law {
            Law::ReferenceMaximal => reference_maximal(&ready, &mut tally)?,
            Law::DegenerateEarnsNothing => degenerate(&ready, &mut tally)?,
            Law::InjectionGainsNothing => injection(&ready, &mut tally)?,
            Law::WhitespaceInvariant => invariant(
                &ready,
                &mut tally,
                &[|t| format!(" \n\t{t}\n  "), |t| t.trim().to_owned()],
            ),
            Law::CaseInvariant => {
                invariant(&ready, &mut tally, &[str::to_uppercase, str::to_lowercase]);
            }
            _ => {}
        }
        Ok(tally.finding())
    }
}

fn reference_maximal(ready: &Ready, tally: &mut Tally) -> Result<(), String> {
    for (k, group) in ready.samples.iter().enumerate() {
        let maximum = ready.maximum(k)?;
        let broken = match ready.first(group) {
            Ok(score) if score.value() >= maximum - TOLERANCE => None,
            Ok(score) => {
                Some(format!("it earns {} of {maximum}{}", score.value(), because(&score)))
            }
            Err(why) => Some(format!("it is unscored: {why}")),
        };
        tally.add(&format!("sample {k}, {}", short(group[0].text())), broken);
    }
    Ok(())
}

fn because(score: &crate::Score) -> String {
    score.explanation.as_ref().map_or_else(String::new, |why| format!(" ({why})"))
}

fn degenerate(ready: &Ready, tally: &mut Tally) -> Result<(), String> {
    for (k, group) in ready.samples.iter().enumerate() {
        let maximum = ready.maximum(k)?;
        let reference = group[0].references().first().map_or_else(String::new, ToString::to_string);
        for (name, text) in texts::degenerate(group[0].prompt.last(), &reference) {
            if text == group[0].text() {
                continue;
            }
            let broken = match ready.with_completion(k, &text) {
                Ok(score) if score.value() >= maximum - TOLERANCE => {
                    Some(format!("{name} earns the maximum, {}{}", score.value(), because(&score)))
                }
                _ => None,
            };
            tally.add(&format!("sample {k} with the completion {}", short(&text)), broken);
        }
    }
    Ok(())
}

fn injection(ready: &Ready, tally: &mut Tally) -> Result<(), String> {
    for k in 0..ready.samples.len() {
        let maximum = ready.maximum(k)?;
        for wrong in WRONG {
            let plain = ready.with_completion(k, wrong).ok().map(|score| score.value());
            if plain.is_some_and(|value| value >= maximum - TOLERANCE) {
                continue;
            }
            for (name, text) in INJECTIONS {
                for injected in [format!("{wrong}{text}"), format!("{text}{wrong}")] {
                    let after = ready.with_completion(k, &injected).ok().map(|score| score.value());
                    let gained = match (plain, after) {
                        (Some(before), Some(after)) => after > before + TOLERANCE,
                        (None, Some(after)) => {
                            ready.signal.range().is_none_or(|(low, _)| after > low + TOLERANCE)
                        }
                        _ => false,
                    };
                    let broken = gained.then(|| {
                        format!("{name} lifts a wrong answer from {plain:?} to {after:?}")
                    });
                    tally.add(
                        &format!("sample {k} with the completion {}", short(&injected)),
                        broken,
                    );
                }
            }
        }
    }
    Ok(())
}

/// Whether the score stays when the completion goes through each of `changes`.
fn invariant(ready: &Ready, tally: &mut Tally, changes: &[fn(&str) -> String]) {
    for group in ready.samples.iter().cloned().chain(plain_groups()) {
        let before = ready.first(&group);
        let text = group[0].text().to_owned();
        for change in changes {
            let changed = change(&text);
            let mut copy = group.clone();
            copy[0].completion = changed.as_str().into();
            let after = ready.first(&copy);
            if changed == text || (before.is_err() && after.is_err()) {
                continue;
            }
            let broken = (!same(&before, &after)).then(|| {
                format!(
                    "{} scores {} and {} scores {}",
                    short(&text),
                    told(&before),
                    short(&changed),
                    told(&after)
                )
            });
            tally.add(&short(&text), broken);
        }
    }
}

fn score_all(signal: &dyn Signal, group: &[Rollout]) -> Vec<Outcome> {
    if signal.scope() == Scope::Rollout {
        group.iter().map(|rollout| signal.score(rollout)).collect()
    } else {
        signal.score_group(group)
    }
}

fn same(a: &Outcome, b: &Outcome) -> bool {
    match (a, b) {
        (Ok(a), Ok(b)) => (a.value() - b.value()).abs() <= TOLERANCE,
        (Err(_), Err(_)) => true,
        _ => false,
    }
}

fn told(outcome: &Outcome) -> String {
    outcome
        .as_ref()
        .map_or_else(|why| format!("nothing ({why})"), |score| score.value().to_string())
}

/// Ordinary groups, for laws that need more than the samples: right, wrong and odd answers side by side.
fn plain_groups() -> Vec<Vec<Rollout>> {
    let answers = [
        "Paris",
        " paris.\n",
        "<think>x</think><answer>Paris</answer>",
        "\\boxed{42}",
        "It is 42, not B.",
        "",
    ];
    ["Paris", "42", "B"]
        .iter()
        .map(|reference| {
            answers
                .iter()
                .map(|answer| Rollout::new("Which one is it?", answer, reference))
                .collect()
        })
        .collect()
}

/// Groups that a signal must survive: hostile completions, references and records around a sample (or a plain rollout).
fn hostile_groups(sample: Option<&Rollout>) -> Vec<(String, Vec<Rollout>)> {
    let base = sample.cloned().unwrap_or_else(|| Rollout::new("What is 6 times 7?", "42", "42"));
    let mut inputs: Vec<(String, Vec<Rollout>)> = vec![("an empty group".to_owned(), Vec::new())];
    let mut add = |name: String, change: &dyn Fn(&mut Rollout)| {
        let mut rollout = base.clone();
        change(&mut rollout);
        inputs.push((name, vec![rollout]));
    };
    for (name, text) in texts::hostile() {
        add(format!("a completion that is {name}"), &|r| set_completion(r, &text));
    }
    // Completions are hostile; references are only sometimes absurd: a few of the huge texts do.
    for (name, text) in
        texts::small_hostile().into_iter().chain(texts::huge().into_iter().step_by(5))
    {
        add(format!("a reference that is {name}"), &|r| {
            set_reference(r, Value::String(text.clone()));
        });
    }
    for (name, text) in texts::small_hostile() {
        add(format!("a prompt that is {name}"), &|r| r.prompt = text.as_str().into());
        add(format!("completion and reference that are {name}"), &|r| {
            set_reference(r, Value::String(text.clone()));
            set_completion(r, &text);
        });
    }
    for (name, value) in odd_values() {
        add(format!("a reference that is {name}"), &|r| set_reference(r, value.clone()));
        add(format!("columns that are {name}"), &|r| {
            r.columns.values_mut().for_each(|c| *c = value.clone());
        });
    }
    for (name, change) in odd_records() {
        add(name.to_owned(), &change);
    }
    let twins = vec![base.clone(), base.clone(), Rollout::default()];
    inputs.push(("two equal rollouts and an empty one in a group".to_owned(), twins));
    inputs
}

fn set_reference(rollout: &mut Rollout, reference: Value) {
    if let Some(column) = rollout.columns.get_mut("reference") {
        *column = reference.clone();
    }
    rollout.reference = reference;
}

fn odd_values() -> Vec<(&'static str, Value)> {
    let nested = (0..100).fold(json!(1), |inner, _| json!([inner]));
    vec![
        ("null", Value::Null),
        ("an empty list", json!([])),
        ("a list of everything", json!(["a", 1, null, [], {"b": 2}, true])),
        ("an empty object", json!({})),
        ("an object", json!({"answer": "42", "value": 42})),
        ("a huge number", json!(1e308)),
        ("a whole number beyond 2^53", json!(u64::MAX)),
        ("a negative number", json!(-1)),
        ("true", json!(true)),
        ("100 nested lists", nested),
    ]
}

type Change = fn(&mut Rollout);

fn odd_records() -> Vec<(&'static str, Change)> {
    vec![
        ("a rollout with nothing in it", |r| *r = Rollout::default()),
        ("an empty conversation", |r| r.completion = Text::Chat(Vec::new())),
        ("a conversation of unknown roles", |r| {
            r.completion = Text::Chat(vec![turn("wizard", ""), turn("", "\0")]);
        }),
        ("a prompt that is a conversation", |r| {
            r.prompt = Text::Chat(vec![turn("system", "{"), turn("user", "6 × 7?")]);
        }),
        ("turns without an answer", |r| r.turns = vec![turn("tool", "{\"a\":"), turn("tool", "")]),
        ("empty steps", |r| r.steps = vec![Step::default(); 3]),
        ("steps with absurd labels", |r| {
            r.steps = vec![Step { text: "x".into(), label: Some(f64::MAX) }; 3];
        }),
        ("log-probabilities that are not finite", |r| {
            r.logprobs = Some(logprobs(&[f64::NEG_INFINITY, f64::NAN], &[]));
        }),
        ("log-probabilities of unequal length", |r| {
            r.logprobs = Some(logprobs(&[-0.5, -1.0], &[-0.5]));
        }),
        ("positive log-probabilities", |r| {
            r.logprobs = Some(logprobs(&[700.0, 1e308], &[1e308, -1e308]));
        }),
        ("no log-probabilities in the record", |r| r.logprobs = Some(LogProbs::default())),
        ("u64::MAX tokens", |r| r.tokens = Some(u64::MAX)),
        ("no tokens", |r| r.tokens = Some(0)),
        ("a confidence of 2", |r| r.confidence = Some(2.0)),
        ("a confidence that is not a number", |r| r.confidence = Some(f64::NAN)),
        ("tool calls with arguments that are no object", |r| {
            r.tool_calls =
                vec![call("", Value::Null), call("f", json!("{\"a\": ")), call("f", json!([1]))];
        }),
    ]
}

fn turn(role: &str, content: &str) -> Message {
    Message { role: role.into(), content: content.into(), tool_calls: vec![call("f", Value::Null)] }
}

fn call(name: &str, arguments: Value) -> ToolCall {
    ToolCall { name: name.into(), arguments }
}

fn logprobs(policy: &[f64], reference: &[f64]) -> LogProbs {
    LogProbs { policy: policy.to_vec(), reference: reference.to_vec() }
}
