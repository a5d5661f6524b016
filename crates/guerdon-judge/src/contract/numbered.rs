//! Numbered lines: one answer per question.

use guerdon_core::Unscored;

use super::{Quotes, last_line, plain};

/// The most lines of a reply that are looked at.
const LINES: usize = 20_000;

/// Reads the answers of `1. …`, `2. …`, …: `parse` reads what stands behind a number.
///
/// The last line must be an answer; a question answered twice in different ways has none. Lines that stand together are a
/// quote where their first one is: what stands before it decides, since lists of answers resemble each other.
pub(super) fn read<T: PartialEq>(
    text: &str,
    count: usize,
    quotes: &Quotes<'_>,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<Result<T, Unscored>>, Unscored> {
    let ends = last_line(text).is_some_and(|(_, line)| split(line, count, &parse).is_some());
    if !ends {
        return Err(Unscored::unreadable("the reply does not end with numbered answers"));
    }
    let mut answers: Vec<Result<T, Unscored>> = (0..count).map(|k| Err(missing(k))).collect();
    let (mut at, mut block) = (0, None);
    for line in text.split_inclusive('\n').take(LINES) {
        let start = at + (line.len() - line.trim_start().len());
        at += line.len();
        let Some((question, answer)) = split(line, count, &parse) else {
            block = block.filter(|_| line.trim().is_empty());
            continue;
        };
        let end = start + line.trim().len();
        if *block.get_or_insert_with(|| quotes.cover(text, start, end)) {
            continue;
        }
        answers[question] = match &answers[question] {
            Ok(before) if *before != answer => Err(twice(question)),
            Err(reason) if *reason == twice(question) => continue,
            _ => Ok(answer),
        };
    }
    Ok(answers)
}

/// Question (from 0) and answer of a line `2. NO ...`.
fn split<T>(line: &str, count: usize, parse: impl Fn(&str) -> Option<T>) -> Option<(usize, T)> {
    let line = plain(line);
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let number: usize = line[..digits].parse().ok()?;
    let rest = line[digits..].strip_prefix(['.', ')', ':'])?;
    let question = number.checked_sub(1).filter(|question| *question < count)?;
    Some((question, parse(plain(rest))?))
}

/// What is said of a question without an answer.
pub(super) fn missing(question: usize) -> Unscored {
    Unscored::unreadable(format!("question {} has no answer", question + 1))
}

fn twice(question: usize) -> Unscored {
    Unscored::unreadable(format!("question {} is answered twice, differently", question + 1))
}
