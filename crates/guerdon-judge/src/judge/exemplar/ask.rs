//! What is asked, and how the replies are read.

use guerdon_core::method::{Case, Judgement, Preference, Request};
use serde::Serialize;

use super::{Example, Exemplar};
use crate::contract::{Label, Quotes, Read as _, Score};
use crate::fence::Fences;
use crate::prompt::{BuiltIn, Fill};
use crate::question;
use crate::script::{Pause, Script};
use crate::show::{self, Show};

const SYSTEM: &str = include_str!("../../../prompts/judge.system.j2");
const COMPARE: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../../prompts/exemplar.compare.user.j2") };
const GRADE: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../../prompts/exemplar.grade.user.j2") };

/// An example in a template.
#[derive(Serialize)]
struct Shown {
    text: String,
    label: String,
}

pub(super) fn compare(
    own: &Exemplar,
    case: &Case,
    exemplars: &[String],
    script: &mut Script<'_>,
) -> Result<Judgement, Pause> {
    let top = own.rewards.len() - 1;
    let levels = script.all(exemplars.len() * 2, |k, script| {
        let both = vec![case.responses[0].clone(), exemplars[k / 2].clone()];
        level(own, &case.with_responses(both), &[], (k / 2, k % 2 == 1), top, script)
    })?;
    let reward = |(level, _): &(usize, String)| own.rewards[*level];
    let mean = levels.iter().map(reward).sum::<f64>() / levels.len() as f64;
    Ok(Judgement::score(mean).because(words(levels)))
}

pub(super) fn pair(
    own: &Exemplar,
    case: &Case,
    examples: &[Example],
    script: &mut Script<'_>,
) -> Result<Judgement, Pause> {
    let levels = script.all(2, |k, script| level(own, case, examples, (0, k == 1), 2, script))?;
    let told = [Preference::SECOND, Preference::TIE, Preference::FIRST];
    let verdicts: Vec<Preference> = levels.iter().map(|(level, _)| told[*level]).collect();
    let mean = Preference::mean(&verdicts).unwrap_or(Preference::TIE);
    Ok(Judgement::verdict(mean).because(words(levels)))
}

fn words(levels: Vec<(usize, String)>) -> String {
    let words: Vec<String> = levels.into_iter().map(|(_, words)| words.trim().to_owned()).collect();
    words.join("\n\n")
}

/// On which level the first of two responses stands, from 0 (worst) to `top`, by one order of the two; and the judge's words.
fn level(
    own: &Exemplar,
    case: &Case,
    examples: &[Example],
    (draw, reversed): (usize, bool),
    top: usize,
    script: &mut Script<'_>,
) -> Result<(usize, String), Pause> {
    let show = Show::seeded(script, 2, &format!("exemplar {draw}"));
    let show = if reversed { show.reversed() } else { show };
    let fine = top == 4;
    let format = if fine {
        Label::new(["B>>A", "B>A", "A=B", "A>B", "A>>B"])
    } else {
        Label::new(["B>A", "A=B", "A>B"])
    };
    let fences = fences(case, examples, script.seed());
    let verdict = |label: f64| match label {
        l if l > 0.5 => "A>B".to_owned(),
        l if l < 0.5 => "B>A".to_owned(),
        _ => "A=B".to_owned(),
    };
    let fill = fill(case, &fences, examples, verdict).value("fine", fine);
    let fill = show.fill(fill, &fences, &case.responses);
    let request = own.prompt.request(COMPARE, fill, &format)?;
    let request = Request { model: own.model.clone(), ..request };
    let quotes = Quotes::of(case.responses.iter().map(String::as_str));
    let (place, words) = script
        .read(&request, |reply| Ok((format.read(&reply.text, &quotes)?, reply.text.clone())))?;
    let first_is_a = show.order().first() == Some(&0);
    Ok((if first_is_a { place } else { top - place }, words))
}

pub(super) fn difference(
    own: &Exemplar,
    case: &Case,
    exemplars: &[String],
    script: &mut Script<'_>,
) -> Result<Judgement, Pause> {
    let scale = i32::try_from(own.scale).unwrap_or(i32::MAX);
    let grades = script.all(exemplars.len() + 1, |k, script| {
        let text = if k == 0 { &case.responses[0] } else { &exemplars[k - 1] };
        score(own, &case.with_responses(vec![text.clone()]), &[], (0, scale), script)
    })?;
    let others = grades[1..].iter().map(|(grade, _)| grade).sum::<f64>() / exemplars.len() as f64;
    let value = (grades[0].0 - others) / f64::from(scale);
    Ok(Judgement::score(value).because(grades[0].1.trim()))
}

pub(super) fn grade(
    own: &Exemplar,
    case: &Case,
    examples: &[Example],
    script: &mut Script<'_>,
) -> Result<Judgement, Pause> {
    let (grade, words) = score(own, case, examples, (own.low, own.high), script)?;
    Ok(Judgement::score(grade).because(words.trim()))
}

fn score(
    own: &Exemplar,
    case: &Case,
    examples: &[Example],
    (low, high): (i32, i32),
    script: &mut Script<'_>,
) -> Result<(f64, String), Pause> {
    let format = Score::whole(low, high);
    let fences = fences(case, examples, script.seed());
    let fill = fill(case, &fences, examples, |label| label.to_string())
        .text("response", &case.responses[0])
        .value("low", low)
        .value("high", high);
    let request = own.prompt.request(GRADE, fill, &format)?;
    let request = Request { model: own.model.clone(), ..request };
    let texts = examples.iter().flat_map(|example| &example.responses).chain(&case.responses);
    let quotes = Quotes::of(texts.map(String::as_str));
    script.read(&request, |reply| Ok((format.read(&reply.text, &quotes)?, reply.text.clone())))
}

fn fences(case: &Case, examples: &[Example], seed: u64) -> Fences {
    let texts = examples.iter().flat_map(|e| e.responses.iter().chain([&e.prompt]));
    show::fences(case, &texts.map(String::as_str).collect::<Vec<_>>(), seed)
}

fn fill<'a>(
    case: &Case,
    fences: &'a Fences,
    examples: &[Example],
    label: impl Fn(f64) -> String,
) -> Fill<'a> {
    let shown = |example: &Example| Shown {
        text: example_text(example, fences),
        label: label(example.label),
    };
    let shown: Vec<Shown> = examples.iter().map(shown).collect();
    Fill::new(fences)
        .text("question", &question(case))
        .maybe("reference", case.reference.as_deref())
        .value("examples", shown)
}

/// Question and responses of an example, each in its fence.
fn example_text(example: &Example, fences: &Fences) -> String {
    let mut parts = Vec::new();
    if !example.prompt.is_empty() {
        parts.push(fences.wrap("example_question", &example.prompt));
    }
    match example.responses.as_slice() {
        [first, second] => {
            parts.push(fences.wrap("example_a", first));
            parts.push(fences.wrap("example_b", second));
        }
        texts => parts.extend(texts.iter().map(|text| fences.wrap("example", text))),
    }
    parts.join("\n")
}
