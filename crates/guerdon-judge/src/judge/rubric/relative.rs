//! Two responses, compared criterion by criterion or by one verdict.

use guerdon_core::Unscored;
use guerdon_core::method::{Case, Judgement, Part, Preference, Request};

use super::{OVERALL, Orders, Rubric};
use crate::contract::{Answers, Format, Label, Quotes, Read as _};
use crate::prompt::{BuiltIn, Fill};
use crate::question;
use crate::rubric::{Aggregate, Criterion, balance, numbered};
use crate::script::{Pause, Script};
use crate::show::{self, Show};

const BUILT_IN: BuiltIn = BuiltIn {
    system: include_str!("../../../prompts/judge.system.j2"),
    user: include_str!("../../../prompts/rubric.pair.user.j2"),
};

/// What one order of the two said, by response: signed strengths (positive where the first response wins), the verdict, and
/// the judge's words.
struct Told {
    strengths: Vec<f64>,
    side: f64,
    words: String,
}

pub(super) fn compare(
    rubric: &Rubric,
    case: &Case,
    criteria: &[Criterion],
    script: &mut Script<'_>,
) -> Result<Judgement, Pause> {
    let first = Show::seeded(script, 2, "rubric");
    let shows = match rubric.orders {
        Orders::One => vec![first],
        Orders::Both => vec![first.clone(), first.reversed()],
    };
    let told = script.all(shows.len(), |k, script| match rubric.aggregate {
        Aggregate::Overall => verdict(rubric, case, criteria, &shows[k], script),
        _ => by_criterion(rubric, case, criteria, &shows[k], script),
    })?;
    let preference = merge(&told.iter().map(|told| told.side).collect::<Vec<_>>());
    let words: Vec<&str> = told.iter().map(|told| told.words.trim()).collect();
    let parts = criteria.iter().enumerate().filter_map(|(k, criterion)| {
        let strengths: Option<Vec<f64>> =
            told.iter().map(|t| t.strengths.get(k).copied()).collect();
        let mean = strengths?.iter().sum::<f64>() / told.len() as f64;
        Some(Part { name: criterion.text.clone(), values: vec![Some(mean), Some(-mean)] })
    });
    let parts = parts.collect();
    Ok(Judgement { parts, ..Judgement::verdict(preference).because(words.join("\n\n")) })
}

/// The first wins where one order says so and no other says the opposite.
pub(super) fn merge(sides: &[f64]) -> Preference {
    let signs = || sides.iter().filter(|side| **side != 0.0).map(|side| side.signum());
    let sum: f64 = signs().sum();
    if sum.abs() < signs().count() as f64 {
        return Preference::TIE;
    }
    Preference::of_values(sum, 0.0)
}

fn by_criterion(
    rubric: &Rubric,
    case: &Case,
    criteria: &[Criterion],
    show: &Show,
    script: &mut Script<'_>,
) -> Result<Told, Pause> {
    let format = Answers { count: criteria.len(), words: words(rubric.strength) };
    let request = request(rubric, case, criteria, show, BUILT_IN, &format, script)?;
    let quotes = Quotes::of(case.responses.iter().map(String::as_str));
    let (strengths, words) = script.read(&request, |reply| {
        let answers = format.read(&reply.text, &quotes)?;
        let strengths = answers.into_iter().map(|answer| Ok(signed(answer?, rubric.strength)));
        Ok((strengths.collect::<Result<Vec<f64>, Unscored>>()?, reply.text.clone()))
    })?;
    let strengths: Vec<f64> = strengths.into_iter().map(|s| s * sign(show)).collect();
    let side = balance(criteria, &strengths, &rubric.tiers)?;
    Ok(Told { strengths, side, words })
}

fn verdict(
    rubric: &Rubric,
    case: &Case,
    criteria: &[Criterion],
    show: &Show,
    script: &mut Script<'_>,
) -> Result<Told, Pause> {
    let format = Label::new(["A", "B", "C"]);
    let request = request(rubric, case, criteria, show, OVERALL, &format, script)?;
    let quotes = Quotes::of(case.responses.iter().map(String::as_str));
    let (label, words) = script
        .read(&request, |reply| Ok((format.read(&reply.text, &quotes)?, reply.text.clone())))?;
    let side = [1.0, -1.0, 0.0][label] * sign(show);
    Ok(Told { strengths: Vec::new(), side, words })
}

fn request(
    rubric: &Rubric,
    case: &Case,
    criteria: &[Criterion],
    show: &Show,
    built_in: BuiltIn,
    format: &dyn Format,
    script: &Script<'_>,
) -> Result<Request, Unscored> {
    let list = numbered(criteria);
    let fences = show::fences(case, &[&list], script.seed());
    let fill = Fill::new(&fences)
        .text("question", &question(case))
        .maybe("reference", case.reference.as_deref())
        .value("response", "")
        .text("criteria", &list)
        .value("strength", rubric.strength);
    let fill = show.fill(fill, &fences, &case.responses);
    let request = rubric.prompt.request(built_in, fill, format)?;
    Ok(Request { model: rubric.model.clone(), ..request })
}

/// `A3 A2 A1 TIE B1 B2 B3`.
fn words(strength: u32) -> Vec<String> {
    let side = |side: char, n: u32| format!("{side}{n}");
    let first = (1..=strength).rev().map(|n| side('A', n));
    let second = (1..=strength).map(|n| side('B', n));
    first.chain(["TIE".to_owned()]).chain(second).collect()
}

/// The strength of the word at this place: positive for A.
fn signed(word: usize, strength: u32) -> f64 {
    f64::from(strength) - word as f64
}

/// +1 where place A shows the first response.
fn sign(show: &Show) -> f64 {
    if show.order().first() == Some(&0) { 1.0 } else { -1.0 }
}
