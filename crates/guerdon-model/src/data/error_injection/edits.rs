//! The edits of one step, each checked.

use std::ops::Range;

use super::equation::{Equation, Number, find, holds};
use super::{Draft, Kind};

/// The distances by which a number is changed.
const SHIFTS: [f64; 4] = [-2.0, -1.0, 1.0, 2.0];

/// All valid edits of `text` by the sorts named, except chains.
pub(super) fn of_step(text: &str, kinds: &[Kind]) -> Vec<(Kind, String)> {
    let Some(equation) = find(text).filter(Equation::holds) else { return Vec::new() };
    let mut edits = Vec::new();
    for kind in [Kind::Value, Kind::Operator, Kind::Term, Kind::Swap] {
        if kinds.contains(&kind) {
            let changed = changes(kind, text, &equation).into_iter();
            edits.extend(changed.filter(|new| holds(new) == Some(false)).map(|new| (kind, new)));
        }
    }
    edits
}

fn changes(kind: Kind, text: &str, equation: &Equation) -> Vec<String> {
    let terms = &equation.terms;
    match kind {
        Kind::Value => {
            let all = terms.iter().chain([&equation.result]);
            all.flat_map(|number| {
                shifted(number).into_iter().map(|new| replaced(text, &number.place, &new))
            })
            .collect()
        }
        Kind::Operator => {
            let others = |own: char| ['+', '-', '*', '/'].into_iter().filter(move |o| *o != own);
            let all = equation.operators.iter();
            all.flat_map(|(place, own)| {
                others(*own).map(|new| replaced(text, place, &new.to_string()))
            })
            .collect()
        }
        // The first term goes with the operator behind it, every other with the one before it.
        Kind::Term => (0..terms.len())
            .filter(|_| terms.len() > 2)
            .map(|k| match k {
                0 => replaced(text, &(terms[0].place.start..terms[1].place.start), ""),
                k => replaced(text, &(terms[k - 1].place.end..terms[k].place.end), ""),
            })
            .collect(),
        Kind::Swap => terms
            .windows(2)
            .map(|pair| {
                let (a, b) = (&text[pair[0].place.clone()], &text[pair[1].place.clone()]);
                replaced(&replaced(text, &pair[1].place, a), &pair[0].place, b)
            })
            .collect(),
        Kind::Chain => Vec::new(),
    }
}

/// Step `at` with its result changed, where a later step mentions that result and so changes too.
pub(super) fn chains(steps: &[String], at: usize) -> Vec<Draft> {
    let Some(equation) = find(&steps[at]).filter(Equation::holds) else { return Vec::new() };
    let place = equation.result.place.clone();
    let old = &steps[at][place.clone()];
    if !steps[at + 1..].iter().any(|step| mentions(step, old)) {
        return Vec::new();
    }
    let draft = |new: String| Draft {
        step: at,
        kind: Kind::Chain,
        text: replaced(&steps[at], &place, &new),
        chain: Some((old.to_owned(), new)),
    };
    shifted(&equation.result).into_iter().map(draft).collect()
}

/// Other numbers near this one, written with as many decimals as the value needs; none below 0.
fn shifted(number: &Number) -> Vec<String> {
    SHIFTS
        .iter()
        .map(|shift| number.value + shift)
        .filter(|new| *new >= 0.0 && *new != number.value)
        .map(|new| format!("{new}"))
        .collect()
}

fn replaced(text: &str, place: &Range<usize>, new: &str) -> String {
    format!("{}{new}{}", &text[..place.start], &text[place.end..])
}

fn mentions(text: &str, number: &str) -> bool {
    places(text, number).next().is_some()
}

/// `text` with every mention of the number `old` become `new`.
pub(super) fn renamed(text: &str, old: &str, new: &str) -> String {
    let mut out = String::new();
    let mut done = 0;
    for at in places(text, old) {
        out.push_str(&text[done..at]);
        out.push_str(new);
        done = at + old.len();
    }
    out.push_str(&text[done..]);
    out
}

/// Where `number` stands in `text` as a number of its own, not as part of a longer one.
fn places<'a>(text: &'a str, number: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part = |b: Option<&u8>| b.is_some_and(u8::is_ascii_digit);
    text.match_indices(number).map(|(at, _)| at).filter(move |&at| {
        let (bytes, end) = (text.as_bytes(), at + number.len());
        let before = at > 0 && (bytes[at - 1].is_ascii_digit() || bytes[at - 1] == b'.');
        let after =
            part(bytes.get(end)) || (bytes.get(end) == Some(&b'.') && part(bytes.get(end + 1)));
        !before && !after
    })
}
